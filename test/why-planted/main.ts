// `npm run why:planted -- [--seed N] [--trials N] [--kind TEXT] TRACE...`: blind trials of `why` on any traces (trials.ts).
// Prints each answer that does not name the planted record, how often each kind was named, and the sum. Exits with 1 if
// fewer than 28 of 30 are named.
import { parseArgs } from 'node:util';
import { isGicv5, TraceReader } from '@gictrace/recorder';
import { gicv5RecordsOf, recordsOf } from '../planting.ts';
import { Random } from '../torture/random.ts';
import { GICV5_KINDS } from './gicv5.ts';
import { ALL_KINDS, gicv5Trials, trials } from './trials.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    trials: { type: 'string', default: '30' },
    kind: { type: 'string', default: '' },
  },
});
const WANTED = 28 / 30;
const random = new Random(Number(values.seed));
const namesOf = (kinds: object) => Object.keys(kinds).filter((name) => name.includes(values.kind));
function trialsIn(path: string) {
  const reader = TraceReader.openAny(path);
  reader.close();
  const count = Number(values.trials);
  return isGicv5(reader)
    ? gicv5Trials(gicv5RecordsOf(path), namesOf(GICV5_KINDS), count, random)
    : trials(recordsOf(path), namesOf(ALL_KINDS), count, random);
}
const counts = new Map<string, { named: number; of: number }>();
let named = 0;
let of = 0;
for (const path of positionals)
  for (const trial of trialsIn(path)) {
    const count = counts.get(trial.kind) ?? { named: 0, of: 0 };
    counts.set(trial.kind, count);
    count.of++;
    of++;
    if (trial.isNamed) {
      count.named++;
      named++;
    } else
      console.log(
        `NOT NAMED ${path}: ${trial.kind} | ${trial.form} | ${JSON.stringify(trial.question)} | ${trial.planted.join(' ')}\n${trial.top}\n`,
      );
  }
for (const [kind, count] of [...counts].sort(([a], [b]) => a.localeCompare(b)))
  console.log(`${count.named}/${count.of} ${kind}`);
console.log(`${named} of ${of} named`);
process.exitCode = of > 0 && named / of >= WANTED ? 0 : 1;
