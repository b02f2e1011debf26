// Packages of a Debian suite, fetched with an APT of its own: nothing is installed, no root is needed, and the state of
// this machine's APT does not change. The mirror is the one that this machine's APT uses.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Keys of the archive, of this and the following suites: Debian's package debian-archive-keyring. */
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The suite that this machine runs, such as `bookworm`; undefined if it is no Debian. */
export function ownSuite() {
  return /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
}

/** Runs commands that must succeed. Otherwise it prints one line that begins with `name`, and ends with exit code 3. */
export function runner(name) {
  return (command, args, env = {}) => {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', ...env },
      maxBuffer: 2 ** 26,
    });
    if (status === 0) return stdout;
    const said = error?.message ?? `exit code ${status}: ${stderr.trim().split('\n').slice(-3).join('; ')}`;
    console.error(`${name}: ${command} ${args[0]}: ${said}`);
    process.exit(3);
  };
}

/** The mirror from which this machine's APT has the release that it runs. */
function mirror(name, run) {
  const codename = ownSuite();
  for (const line of run('apt-get', ['--print-uris', 'update']).split('\n')) {
    const found = /^'(\S+)\/dists\/([^/\s]+)\/InRelease'/.exec(line);
    if (found !== null && found[2] === codename) return found[1];
  }
  console.error(`${name}: no source of APT has ${codename ?? 'the release of this machine'}`);
  process.exit(3);
}

/**
 * An APT of its own in the folder `work`: of `suites` alone, and with nothing installed, so that it fetches whatever is
 * needed. `architecture` is that of Debian; this machine's if absent. Returns a function that runs `apt-get` or another
 * program of APT and returns what it printed.
 */
export function privateApt(name, work, suites, architecture) {
  const run = runner(name);
  for (const folder of ['lists/partial', 'cache/archives/partial', 'empty'])
    mkdirSync(join(work, folder), { recursive: true });
  const from = mirror(name, run);
  const sources = suites.map((one) => `deb [signed-by=${KEYS}] ${from} ${one} main\n`);
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
    ...(architecture === undefined
      ? {}
      : { 'APT::Architecture': architecture, 'APT::Architectures': architecture }),
  };
  const path = join(work, 'apt.conf');
  writeFileSync(
    path,
    Object.entries(config)
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(''),
  );
  return (program, ...args) => run(program, ['-qq', ...args], { APT_CONFIG: path });
}

/** Unpacks every package that an APT of {@link privateApt} has fetched into the folder `root`. */
export function unpackAll(name, work, root) {
  const run = runner(name);
  const archives = join(work, 'cache', 'archives');
  for (const file of readdirSync(archives).filter((one) => one.endsWith('.deb')))
    run('dpkg-deb', ['-x', join(archives, file), root]);
}
