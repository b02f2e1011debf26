// `npm run test:thorough [FILE…]`: the tests with all that they can try, where `npm test` tries a part.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, GICTRACE_THOROUGH: '1' },
});
process.exitCode = status ?? 1;
