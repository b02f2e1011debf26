// Blind trials of `why`: plants faults of random kinds at random places into a recording, leaves out those that take nothing
// from the interrupt asked about, and sees whether an answer names the planted record in its first three lines.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import type { RecordBatch } from '@gictrace/core/record';
import { answerLines, type WhyQuestion, why } from '@gictrace/query';
import { Recording } from '../planting.ts';
import type { Random } from '../torture/random.ts';
import type { Kind } from './choose.ts';
import { GICV5_KINDS } from './gicv5.ts';
import { KINDS } from './kinds.ts';
import { surveyOf } from './survey.ts';
import { VIRTUAL } from './virtual.ts';

export const ALL_KINDS: Readonly<Record<string, Kind>> = { ...KINDS, ...VIRTUAL };
/** The lines of an answer that have to name the record. */
const LINES = 3;
/** How often a kind may not fit before the trials end. */
const PATIENCE = 20;

export interface Trial {
  readonly kind: string;
  readonly form: 'contradictory' | 'recorded again';
  readonly question: WhyQuestion;
  readonly planted: readonly number[];
  /** The first lines of the answer. */
  readonly top: string;
  readonly isNamed: boolean;
}

/** A recording in memory. */
interface Recorded<C> {
  readonly config: C;
  readonly batches: readonly RecordBatch[];
}

/** Makes `count` trials of the kinds `names`. */
export function trials(
  { config, batches }: Recorded<GicConfig>,
  names: readonly string[],
  count: number,
  random: Random,
): Generator<Trial> {
  const survey = surveyOf(new Recording(config, batches));
  const plant = (kind: string, t: Recording, r: Random) => ALL_KINDS[kind]!(t, survey, r);
  return trialsOf({ config, batches }, plant, names, count, random);
}

/** The same for a recording of a GICv5. */
export function gicv5Trials(
  recorded: Recorded<Gicv5Config>,
  names: readonly string[],
  count: number,
  random: Random,
): Generator<Trial> {
  const plant = (kind: string, t: Recording<Gicv5Config>, r: Random) => GICV5_KINDS[kind]!(t, r);
  return trialsOf(recorded, plant, names, count, random);
}

function* trialsOf<C extends GicConfig | Gicv5Config>(
  { config, batches }: Recorded<C>,
  plant: (kind: string, t: Recording<C>, r: Random) => WhyQuestion | undefined,
  names: readonly string[],
  count: number,
  random: Random,
): Generator<Trial> {
  const sound = new Map<string, number>();
  for (let done = 0, idle = 0; done < count && idle < PATIENCE * names.length; ) {
    const kind = random.pick(names);
    const changed = new Recording(config, batches);
    const question = plant(kind, changed, random);
    const form = random.chance(0.5) ? 'contradictory' : 'recorded again';
    idle++;
    if (question === undefined) continue;
    const key = JSON.stringify(question);
    const whole = sound.get(key) ?? new Recording(config, batches).acknowledges(question);
    sound.set(key, whole);
    if (changed.acknowledges(question) >= whole) continue;
    const { trace, planted } = changed.finish(form);
    const top = answerLines(why(trace, question)).slice(0, LINES).join('\n');
    const isNamed = planted.some((record) => new RegExp(`record ${record}\\b`).test(top));
    yield { kind, form, question, planted, top, isNamed };
    done++;
    idle = 0;
  }
}
