// `node scripts/newer-qemu.mjs FOLDER [SUITE]`: downloads the QEMU of another Debian suite (trixie-backports by default)
// with all that it needs, down to the C library, unpacks it into FOLDER, and writes FOLDER/qemu-system-aarch64, which runs
// it. Nothing is installed, and no root is needed. It takes APT, which says where its mirror is; a folder that has been
// filled is left as it is. Prints the path of that program.
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { privateApt, unpackAll } from './debian-packages.mjs';

const [, , to, suite = 'trixie-backports'] = process.argv;
if (to === undefined || !/^[a-z]+(-backports)?$/.test(suite)) {
  console.error('newer-qemu: give a folder, and perhaps a suite of Debian: trixie, trixie-backports');
  process.exit(2);
}
const NAME = 'newer-qemu';
const folder = resolve(to);
const PROGRAM = 'qemu-system-aarch64';
const runner = join(folder, PROGRAM);
if (!existsSync(runner)) fill();
console.log(runner);

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
  const apt = privateApt(NAME, work, base === suite ? [suite] : [base, suite]);
  apt('apt-get', 'update');
  apt('apt-get', 'install', '--download-only', '-y', '-t', suite, 'qemu-system-arm', 'libc6');
  const root = join(work, 'root');
  unpackAll(NAME, work, root);
  for (const name of readdirSync(work).filter((one) => one !== 'root'))
    rmSync(join(work, name), { recursive: true, force: true });
  writeFileSync(join(work, PROGRAM), script(root));
  chmodSync(join(work, PROGRAM), 0o755);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  renameSync(work, folder);
}
