// `npm run why:planted -- [--seed N] [--trials N] [--kind TEXT] TRACE...`: blind trials of `gictrace why` (test/why-planted).
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'),
    '--conditions=gictrace-source',
    join(root, 'test', 'why-planted', 'main.ts'),
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 3;
