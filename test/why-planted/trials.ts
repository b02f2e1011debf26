// Blind trials of `why`: plants faults of random kinds at random places into a recording, leaves out those that take nothing
// from the interrupt asked about, and sees whether an answer names the planted record in its first three lines.
import type { GicConfig } from '@gictrace/core';
import type { RecordBatch } from '@gictrace/core/record';
import { answerLines, type WhyQuestion, why } from '@gictrace/query';
import { Recording } from '../planting.ts';
import type { Random } from '../torture/random.ts';
import type { Kind } from './choose.ts';
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

/** Makes `count` trials of the kinds `names`. */
export function* trials(
  { config, batches }: { config: GicConfig; batches: readonly RecordBatch[] },
  names: readonly string[],
  count: number,
  random: Random,
): Generator<Trial> {
  const survey = surveyOf(new Recording(config, batches));
  const sound = new Map<string, number>();
  for (let done = 0, idle = 0; done < count && idle < PATIENCE * names.length; ) {
    const kind = random.pick(names);
    const changed = new Recording(config, batches);
    const question = ALL_KINDS[kind]!(changed, survey, random);
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
