// `npm run torture -- [--seed N] [--inputs N | --seconds N] [--slack N] [--processes SHARE] [--keep FOLDER] [FILE…]`: hostile inputs for every verb
// (test/torture, docs/robustness.md). A minute by default.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'),
    '--conditions=gictrace-source',
    join(root, 'test', 'torture', 'main.ts'),
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 3;
