// Times as a trace can hold them: whole nanoseconds since the first line.
import type { Losses } from './losses.ts';

/**
 * A time since the first line, or NaN, which is counted, if it is no number of nanoseconds below 2^53 (104 days): the clock
 * of the source was set, or the line is damaged.
 */
export function wholeTime(ns: number, losses: Losses): number {
  if (Number.isSafeInteger(ns)) return ns;
  losses.add('times more than 104 days from the first line: their records have none');
  return Number.NaN;
}

/** NaN, for the time of a line whose date or time of day does not exist, which is counted. */
export function noTime(losses: Losses): number {
  losses.add('dates that do not exist: their records have no time');
  return Number.NaN;
}
