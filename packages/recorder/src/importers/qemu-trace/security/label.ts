// Decides which state a segment is in: finds the cheapest path to it, and on through the segments after it, from the
// state in which the PE was last known to execute. A PE changes between the Security states only through EL3, and
// leaves EL3 by an exception return.
import { EL3, NON_SECURE, SECURE, type Segment, STATES } from './segment.ts';

const CHANGE = 1;
/** An exception that is taken at EL3 itself is rarer than two changes of state. */
const EL3_AGAIN = 2.5;
const IMPOSSIBLE_CHANGE = 50;
/** How many segments after the one in question are examined, and how many without evidence are passed over at most. */
const BEHIND_MAX = 64;
const BETWEEN_MAX = 8;

/** How unlikely it is that an exception, or a return from one, leads from one state to another. */
const CHANGE_COST: readonly (readonly number[])[] = STATES.map((from) =>
  STATES.map((to) => {
    if (from === to) return from === EL3 ? EL3_AGAIN : 0;
    return from === EL3 || to === EL3 ? CHANGE : IMPOSSIBLE_CHANGE;
  }),
);

/** The state in which a PE was last known to execute, and in which segment that was. */
export interface Known {
  readonly state: number;
  readonly segment: number;
}

/** `extra`: further evidence, not from the log, against each state in the segment. */
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
  /** For each state of the last segment examined: the state of the segment in question on the cheapest path there. */
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

/** The cost of each state after an exception or a return, and the previous state on the cheapest path. */
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
