// A moment of a trace: a record and its time; and the columns that hold moments.
import { integer, orNull } from '../database/columns.ts';

export interface Moment {
  /** Number of the record. */
  readonly record: number;
  /** Nanoseconds since the trace began; NaN where the source records no time. */
  readonly timeNs: number;
}

/** A time as rows have it: whole nanoseconds; null where the source records none. */
export function wholeNs(timeNs: number): number | null {
  return Number.isNaN(timeNs) ? null : Math.round(timeNs);
}

/** The record of a moment; null: there was no such moment. */
export function recordOf(moment: Moment | undefined): number | null {
  return moment === undefined ? null : moment.record;
}

/** The time of a moment; null: there was no such moment, or the source records no time of it. */
export function nsOf(moment: Moment | undefined): number | null {
  return moment === undefined ? null : wholeNs(moment.timeNs);
}

const NANOSECONDS = 'in nanoseconds since the trace began; null where the source records none';

/** A column with the time of the record that another column holds, or of what else is said. */
export const timeOf = (column: string, otherwise = '') =>
  orNull(integer(`time of \`${column}\`${otherwise}, ${NANOSECONDS}`));
/** A column with the time of the row's record. */
export const TIME = orNull(integer(`time, ${NANOSECONDS}`));
