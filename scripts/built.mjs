// What vitest does before all tests: builds what they run on. It takes a moment if nothing has changed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';

export async function setup() {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  if (spawnSync(process.execPath, [tsc, '-b'], { cwd, stdio: 'inherit' }).status !== 0)
    throw new Error('the build failed');
  await bundle();
}
