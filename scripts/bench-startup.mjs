// How long a command takes to start, as ratios to `node -e 0` in the same rounds. The fastest round counts, because whatever
// else runs on the machine only adds time.
import { spawnSync } from 'node:child_process';

const ROUNDS = 15;

/** Prints a row for each command. `trace` and `db` are small files to ask. */
export function benchStartup({ cli, row, trace, db }) {
  const commands = [
    ['node -e 0', ['-e', '0']],
    ['gictrace --version', [cli, '--version'], 1.5],
    ['gictrace info', [cli, 'info', trace], 2.5],
    ['gictrace query', [cli, 'query', db, 'SELECT count(*) FROM its_commands'], 2.5],
    ['gictrace --help', [cli, '--help']],
  ];
  const best = commands.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++)
    commands.forEach(([what, args], n) => {
      const began = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      best[n] = Math.min(best[n], performance.now() - began);
      if (status !== 0) throw new Error(`${what} ended with ${status}: ${stderr}`);
    });
  console.log(`\nstart-up, the best of ${ROUNDS} rounds`);
  commands.forEach(([what, , aim], n) => {
    if (n === 0) return;
    row(
      `${what} : node -e 0`,
      `${(best[n] / best[0]).toFixed(2)} ×`,
      `${best[n].toFixed(0)} : ${best[0].toFixed(0)} ms${aim === undefined ? '' : ` (aim ≤ ${aim} ×)`}`,
    );
  });
}
