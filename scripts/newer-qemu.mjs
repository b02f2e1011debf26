// `node scripts/newer-qemu.mjs FOLDER [SUITE]`: downloads the QEMU of another Debian suite (trixie-backports by default)
// with all that it needs, down to the C library, unpacks it into FOLDER, and writes FOLDER/qemu-system-aarch64, which runs
// it. Nothing is installed, and no root is needed. It takes APT, which says where its mirror is; a folder that has been
// filled is left as it is. Prints the path of that program.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const [, , to, suite = 'trixie-backports'] = process.argv;
if (to === undefined || !/^[a-z]+(-backports)?$/.test(suite)) {
  console.error('newer-qemu: give a folder, and perhaps a suite of Debian: trixie, trixie-backports');
  process.exit(2);
}
const folder = resolve(to);
/** Keys of the archive, of this and the following suites: Debian's package debian-archive-keyring. */
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const PROGRAM = 'qemu-system-aarch64';
const runner = join(folder, PROGRAM);
if (!existsSync(runner)) fill();
console.log(runner);

/** Runs a command that must succeed; answers what it printed. */
function run(command, args, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', ...env },
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return stdout;
  const said = error?.message ?? `exit code ${status}: ${stderr.trim().split('\n').slice(-3).join('; ')}`;
  console.error(`newer-qemu: ${command} ${args[0]}: ${said}`);
  process.exit(3);
}

/** The mirror from which this machine's APT has the release that it runs. */
function mirror() {
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  for (const line of run('apt-get', ['--print-uris', 'update']).split('\n')) {
    const found = /^'(\S+)\/dists\/([^/\s]+)\/InRelease'/.exec(line);
    if (found !== null && found[2] === codename) return found[1];
  }
  console.error(`newer-qemu: no source of APT has ${codename ?? 'the release of this machine'}`);
  process.exit(3);
}

/** An APT of its own: of `suites` alone, and with nothing installed, so that it fetches whatever is needed. */
function apt(work, suites) {
  for (const name of ['lists/partial', 'cache/archives/partial', 'empty'])
    mkdirSync(join(work, name), { recursive: true });
  const sources = suites.map((one) => `deb [signed-by=${KEYS}] ${mirror()} ${one} main\n`);
  writeFileSync(join(work, 'sources.list'), sources.join(''));
  writeFileSync(join(work, 'status'), '');
  const config = {
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': join(work, 'empty'),
    'Dir::Etc::preferencesparts': join(work, 'empty'),
    'Dir::State': work,
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'Debug::NoLocking': 'true',
    'APT::Sandbox::User': '',
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
  };
  const path = join(work, 'apt.conf');
  writeFileSync(
    path,
    Object.entries(config)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  return (...args) => run('apt-get', ['-qq', ...args], { APT_CONFIG: path });
}

/** What runs it: by the loader and the libraries that came with it, since those of this machine may be older. */
function script(unpacked) {
  const libraries = join(unpacked, 'usr', 'lib');
  const triplet = readdirSync(libraries).find((name) => /^[a-z0-9_]+-linux-gnu[a-z0-9]*$/.test(name));
  const loader = readdirSync(join(libraries, triplet)).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
  const at = (...names) => `'${join(folder, 'root', 'usr', ...names).replaceAll("'", `'\\''`)}'`;
  // Modules are looked for where this machine may have those of another QEMU.
  return `#!/bin/sh
QEMU_MODULE_DIR=${at('lib', triplet, 'qemu')} \\
exec ${at('lib', triplet, loader)} --library-path ${at('lib', triplet)} \\
  ${at('bin', PROGRAM)} -L ${at('share', 'qemu')} "$@"
`;
}

function fill() {
  const work = `${folder}.partial`;
  rmSync(work, { recursive: true, force: true });
  const base = suite.replace(/-backports$/, '');
  const get = apt(work, base === suite ? [suite] : [base, suite]);
  get('update');
  get('install', '--download-only', '-y', '-t', suite, 'qemu-system-arm', 'libc6');
  const root = join(work, 'root');
  const archives = join(work, 'cache', 'archives');
  for (const name of readdirSync(archives).filter((one) => one.endsWith('.deb')))
    run('dpkg-deb', ['-x', join(archives, name), root]);
  for (const name of readdirSync(work).filter((one) => one !== 'root'))
    rmSync(join(work, name), { recursive: true, force: true });
  writeFileSync(join(work, PROGRAM), script(root));
  chmodSync(join(work, PROGRAM), 0o755);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  renameSync(work, folder);
}
