// `npm run setup`: installs what the lockfile names, then builds. A second run with nothing changed
// installs nothing; the build is incremental. The command is bundled last (bundle.mjs).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pnpm } from './pnpm.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const packages = ['core', 'recorder', 'replayer', 'query', 'cli'];
const stampFile = join(root, 'node_modules', '.gictrace-setup');

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19))
  fail(`Node 20.19 or later is needed; this is ${process.versions.node}`);

const manifests = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml'];
const hash = createHash('sha256').update(process.version);
for (const name of [...manifests, ...packageManifests()])
  hash.update(name).update(readFileSync(join(root, name)));
const wanted = hash.digest('hex');

function packageManifests() {
  return [...packages, 'web'].map((name) => `packages/${name}/package.json`).concat('test/package.json');
}

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wanted) {
  console.error(
    'setup: installing dependencies (better-sqlite3 is fetched compiled; where it cannot be, compiling it takes about two minutes)',
  );
  install();
  writeFileSync(stampFile, wanted);
}
const tsc = spawnSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], {
  cwd: root,
  stdio: 'inherit',
});
if (tsc.status !== 0) fail('the build failed');
for (const name of packages) prune(join(root, 'packages', name, 'dist'), join(root, 'packages', name, 'src'));
await (await import('./bundle.mjs')).bundle();

/**
 * Installs with pnpm. Its output goes to a file, and is shown only where it fails: the lines that say why, without pnpm's
 * progress and without what npm has to say of newer versions.
 */
function install() {
  const log = join('node_modules', '.gictrace-setup.log');
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  const fd = openSync(join(root, log), 'w');
  const status = pnpm(['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=info'], {
    stdio: ['ignore', fd, fd],
  });
  closeSync(fd);
  if (status === 0) return;
  const said = readFileSync(join(root, log), 'utf8').split('\n');
  const why = said.filter((line) => line !== '' && !/^(Progress|npm notice)/.test(line));
  console.error(why.slice(-40).join('\n'));
  fail(
    `pnpm install failed; all that it said: ${log}\n` +
      '  better-sqlite3 is fetched compiled from github.com; where that is not possible, it is compiled, which needs\n' +
      '  python3, make, g++ and the headers of Node\n' +
      '  (from nodejs.org, or the folder that npm_config_nodedir names)',
  );
}

/** Removes tsc's output for source files that are gone, which would otherwise be found and published. */
function prune(dist, src) {
  for (const entry of readdirSync(dist, { withFileTypes: true })) {
    const path = join(dist, entry.name);
    if (entry.isDirectory()) {
      if (entry.name === 'bundle' || entry.name === 'page-sql') continue;
      if (existsSync(join(src, entry.name))) prune(path, join(src, entry.name));
      else rmSync(path, { recursive: true });
    } else {
      const source = /^(.+?)(\.d\.ts|\.js)(\.map)?$/.exec(entry.name)?.[1];
      if (source !== undefined && !existsSync(join(src, `${source}.ts`))) rmSync(path);
    }
  }
}
