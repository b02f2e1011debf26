// Which state a segment is in: the cheapest way to it, and on through the segments behind it, from how the PE was last known
// to execute. A PE goes from one Security state to the other through EL3 only, and leaves EL3 by returning.
import { EL3, NON_SECURE, SECURE, type Segment, STATES } from './segment.ts';

const CHANGE = 1;
/** Exceptions that are taken at EL3 itself are rarer than two changes. */
const EL3_AGAIN = 2.5;
const IMPOSSIBLE_CHANGE = 50;
/** Segments that are looked at behind the one in question, and at most so many without evidence before it. */
const BEHIND_MAX = 64;
const BETWEEN_MAX = 8;

/** What an exception, or a return from one, from one state to another speaks against it. */
const CHANGE_COST: readonly (readonly number[])[] = STATES.map((from) =>
  STATES.map((to) => {
    if (from === to) return from === EL3 ? EL3_AGAIN : 0;
    return from === EL3 || to === EL3 ? CHANGE : IMPOSSIBLE_CHANGE;
  }),
);

/** How a PE was last known to execute, and in which of its segments. */
export interface Known {
  readonly state: number;
  readonly segment: number;
}

/** `extra`: what more than the log speaks against each state in the segment. */
export function labelOf(
  segment: Segment,
  known: Known,
  group0Kept: boolean,
  extra: readonly number[] = [0, 0, 0],
): number {
  let costs: readonly number[] = STATES.map((state) =>
    state === known.state ? 0 : segment.number === known.segment ? CHANGE : IMPOSSIBLE_CHANGE,
  );
  for (let n = Math.min(segment.number - known.segment, BETWEEN_MAX); n > 0; n--)
    costs = through(costs).costs;
  costs = costs.map((cost, state) => cost + segment.cost(state, group0Kept) + extra[state]!);
  /** For each state of the last segment looked at: the state of the one in question on the cheapest way there. */
  let own: readonly number[] = STATES;
  let at = segment;
  for (let n = 0; n < BEHIND_MAX && !at.isDecided && at.next !== undefined; n++) {
    at = at.next;
    const next = through(costs);
    costs = next.costs.map((cost, state) => cost + at.cost(state, group0Kept));
    own = next.from.map((state) => own[state]!);
  }
  return own[cheapest(costs, known.state)]!;
}

/** What each state costs behind an exception or a return, and from which state on the cheapest way. */
function through(costs: readonly number[]): { readonly costs: number[]; readonly from: number[] } {
  const from = STATES.map((to) =>
    cheapest(
      costs.map((cost, state) => cost + CHANGE_COST[state]![to]!),
      to,
    ),
  );
  return { from, costs: from.map((state, to) => costs[state]! + CHANGE_COST[state]![to]!) };
}

function cheapest(costs: readonly number[], preferred: number): number {
  let least = preferred;
  for (const state of [NON_SECURE, EL3, SECURE]) if (costs[state]! < costs[least]!) least = state;
  return least;
}
