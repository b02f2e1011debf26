// `npm run torture`: hostile inputs from a seed, given to every verb. Prints what was tried and what held. Exit code 0:
// everything held; 1: something broke the promise.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { campaign } from './campaign.ts';
import { seeds } from './seeds.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: 'string', default: '100000000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string' },
    slack: { type: 'string', default: '1' },
    processes: { type: 'string', default: '0.01' },
    keep: { type: 'string' },
  },
});
// Without a number of inputs or of seconds, a minute, as in CI.
const seconds =
  values.seconds ??
  (positionals.length > 0 || process.argv.some((word) => word.startsWith('--inputs')) ? undefined : '60');
// In memory where the system has such a folder: outputs are forced to the disk tens of thousands of times.
const SHARED_MEMORY = '/dev/shm';
const folder = mkdtempSync(join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), 'gictrace-torture-'));
const from = Date.now();
let told = from;
try {
  const { inputs, lines, asProcesses, sorts, verbs, slowest, found } = await campaign(seeds(), {
    folder,
    first: Number(values.seed),
    count: Number(values.inputs),
    slack: Number(values.slack),
    processes: Number(values.processes),
    ...(positionals.length === 0 ? {} : { files: positionals.map((path) => resolve(path)) }),
    ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
    ...(values.keep === undefined ? {} : { keep: values.keep }),
    heard: ({ seed, source, what, line, fault }) =>
      console.log(`seed ${seed}, ${source} (${what}): ${line}: ${fault}`),
    progress: (done, run) => {
      if (Date.now() - told < 30_000) return;
      told = Date.now();
      console.error(`${done} inputs, ${run} command lines`);
    },
  });
  const all = [...new Set(Object.values(verbs).flatMap(({ codes }) => Object.keys(codes)))].sort();
  console.log(`| verb | ${all.map((code) => `exit ${code}`).join(' | ')} | ms a line |`);
  console.log(`| --- | ${all.map(() => '---:').join(' | ')} | ---: |`);
  for (const [verb, { codes, ms }] of Object.entries(verbs)) {
    const count = Object.values(codes).reduce((sum, one) => sum + one, 0);
    console.log(
      `| ${verb} | ${all.map((code) => codes[code] ?? 0).join(' | ')} | ${(ms / count).toFixed(1)} |`,
    );
  }
  const tried = Object.entries(sorts).map(([sort, count]) => `${count} ${sort}`);
  console.log(
    `\n${inputs} inputs from seed ${values.seed}${tried.length === 0 ? '' : ` (${tried.join(', ')})`}, ${lines} command lines (${asProcesses} of them as processes too) in ${Math.round((Date.now() - from) / 1000)} s. The slowest took ${(slowest.ms / 1000).toFixed(1)} s of a processor (${slowest.line}). ${found.length} broke the promise`,
  );
  process.exitCode = found.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
