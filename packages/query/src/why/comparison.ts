// What a counterfactual replay of an incident tries, how far it goes, and what is said of it. The same for all GICs.
import type { Cause } from './cause.ts';
import type { Edit } from './counterfactual.ts';
import type { AnyStory } from './gathered.ts';
import type { Incident } from './incident.ts';
import type { Counterfactual } from './question.ts';

/** The most records of a counterfactual replay. */
const REPLAY_MAX = 300_000;

/** A change of a trace, and how it is said. */
export interface Planned<M> {
  readonly edit: Edit<M>;
  readonly change: string;
}

/** The last record that shows whether the first lifetime of an incident arrives. */
export function lastToReplay({ from, stories }: Incident<AnyStory, unknown>, records: number): number {
  const lifetime = stories[0]?.lifetime;
  const end = (lifetime?.withdrawn ?? lifetime?.acknowledged)?.record;
  return Math.min(records - 1, end === undefined ? from.record + REPLAY_MAX : Math.max(end, from.record));
}

/**
 * The record before which something is put in that is missing: that at which it began to matter, but not before the record that
 * it should follow, such as the acknowledge that an EOI ends. Undefined if the trace ends there.
 */
export function whereMissing(
  { cause, from }: { readonly cause: Cause<unknown>; readonly from: { readonly record: number } },
  records: number,
): number | undefined {
  const before = Math.max(from.record, cause.record + 1);
  return before < records ? before : undefined;
}

/** The cause left out of the trace; or why nothing is. */
export function withoutCause<M>({ record }: Cause<unknown>): Planned<M> | string {
  if (record < 0) return 'no record of the trace is the cause';
  return { edit: { without: new Set([record]), insert: undefined }, change: `record ${record} left out` };
}

export function notTried(change: string, why: string): Counterfactual {
  return { change, outcome: 'not tried', record: null, text: `not tried: ${why}` };
}

/** What a replay with the change showed, beside one without it: the records at which the interrupt was signalled and acknowledged. */
export function compared(
  change: string,
  { kind, cause }: Incident<AnyStory, unknown>,
  fact: { readonly signalled: number; readonly acknowledged: number },
  other: { readonly signalled: number; readonly acknowledged: number },
): Counterfactual {
  const isTaken = kind === 'withdrawn' || kind === 'not acknowledged';
  const [was, is] = isTaken ? [fact.acknowledged, other.acknowledged] : [fact.signalled, other.signalled];
  const verb = isTaken ? 'acknowledged' : 'signalled';
  const helps = is >= 0 && (was < 0 || is < was);
  const text = helps
    ? `it is ${verb} at record ${is}${was < 0 ? '' : `, not only at ${was}`}`
    : `${cause.record < 0 ? 'it' : 'it still'} is not ${verb}${is < 0 ? '' : ` before record ${is}`}`;
  return {
    change,
    outcome: helps ? 'arrives' : 'does not arrive',
    record: is < 0 ? null : is,
    text: `${change} and replayed: ${text}`,
  };
}
