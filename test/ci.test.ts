// .ci/run installs what a new Debian image with Node may lack: each command that a test or a script runs, as root or by a sudo
// that asks for no password; where it cannot, it says which tests that concerns.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { scratch } from './support.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const temp = scratch();
afterAll(() => temp.dispose());
const script = readFileSync(join(ROOT, '.ci', 'run'), 'utf8');
const NEEDS = [...script.matchAll(/^need (\S+) (\S+) '(.*)'$/gm)].map(([, ...words]) => words);

it('installs every command that tests and scripts run and that is not in every image', () => {
  /** Essential packages of Debian, and Node's own. */
  const always = ['sh', 'bash', 'mkfifo', 'mknod', 'mv', 'tar', 'gzip', 'npm', 'npx'];
  const files = ['test', 'packages', 'scripts', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => !/node_modules|\bdist\b/.test(name) && /\.(ts|mjs)$/.test(name))
      .map((name) => join(ROOT, folder, name)),
  );
  const run = new Set(
    files.flatMap((file) =>
      [
        ...readFileSync(file, 'utf8').matchAll(
          /\b(?:\w*[sS]pawn|spawnSync|execFile|execFileSync)\(\s*'([^']+)'/g,
        ),
      ].map(([, command]) => command!.replace('/bin/', '')),
    ),
  );
  const needed = NEEDS.map(([command]) => command!);
  expect([...run].filter((command) => !always.includes(command) && !needed.includes(command))).toEqual([]);
  expect(run.size).toBeGreaterThan(12);
});

/** Runs `need` for a command that is missing, on a machine with an apt-get, as this user. */
function need(who: 'root' | 'a user with sudo' | 'a user'): string {
  const bin = temp.path(who);
  mkdirSync(bin);
  const tool = (name: string, text: string) =>
    writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
  tool('id', `echo ${who === 'root' ? 0 : 1000}`);
  tool('apt-get', `echo "$0 $*" >> '${bin}/log'`);
  if (who === 'a user with sudo')
    tool('sudo', `echo "sudo $*" >> '${bin}/log'; [ "$1" = -n ] && shift && exec "$@"`);
  tool('true', '');
  tool('env', 'shift; exec "$@"');
  const part = script.slice(script.indexOf('# What is missing'), script.indexOf('\nneed '));
  const { stdout } = spawnSync(
    '/bin/bash',
    ['-euo', 'pipefail', '-c', `${part}\nneed xz xz-utils 'tests will fail'`],
    {
      env: { PATH: bin },
      encoding: 'utf8',
    },
  );
  const log = readdirSync(bin).includes('log') ? readFileSync(join(bin, 'log'), 'utf8') : '';
  return stdout + log.replaceAll(`${bin}/`, '');
}

it('installs as root, or by sudo, and otherwise says what is not tested', () => {
  const install = 'apt-get install -y -qq --no-install-recommends xz-utils\n';
  expect(need('root')).toBe(`ci: xz is missing: installing xz-utils\napt-get update -qq\n${install}`);
  expect(need('a user with sudo')).toBe(
    `ci: xz is missing: installing xz-utils\nsudo -n true\nsudo -n apt-get update -qq\napt-get update -qq\nsudo -n env DEBIAN_FRONTEND=noninteractive ${install}${install}`,
  );
  expect(need('a user')).toBe('ci: xz is missing and cannot be installed here: tests will fail\n');
});

it('README and set-up say of better-sqlite3 what its installation does', () => {
  const text = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');
  const { scripts } = JSON.parse(text('packages', 'query', 'node_modules', 'better-sqlite3', 'package.json'));
  expect(scripts.install).toBe('prebuild-install || node-gyp rebuild --release');
  // Strings that are written over several lines are one.
  const setup = text('scripts', 'setup.mjs').replace(/(\\n)?'\s*\+\s*' */g, ' ');
  for (const says of [text('README.md'), setup]) {
    expect(says).toMatch(/fetche[sd] (better-sqlite3 )?compiled/);
    expect(says).toMatch(/where that is not possible/);
    expect(says).toContain('python3, make, g++ and the headers of Node');
    expect(says).not.toMatch(/first time compiles/);
  }
});
