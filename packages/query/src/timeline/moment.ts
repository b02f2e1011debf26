// A moment of a trace (a record and its time), and the columns for moments.
import { integer, orNull } from '../database/columns.ts';

export interface Moment {
  /** Number of the record. */
  readonly record: number;
  /** Nanoseconds since the trace began; NaN if the source contains no time. */
  readonly timeNs: number;
}

/** A time as in rows: whole nanoseconds, or null if the source contains none. */
export function wholeNs(timeNs: number): number | null {
  return Number.isNaN(timeNs) ? null : Math.round(timeNs);
}

/** The record of a moment; null if there was no such moment. */
export function recordOf(moment: Moment | undefined): number | null {
  return moment === undefined ? null : moment.record;
}

/** The time of a moment; null if there was no such moment, or if the source contains no time for it. */
export function nsOf(moment: Moment | undefined): number | null {
  return moment === undefined ? null : wholeNs(moment.timeNs);
}

const NANOSECONDS = 'in nanoseconds since the trace began; null if the source contains none';

/** A column with the time of the record in another column, or of what `otherwise` says. */
export const timeOf = (column: string, otherwise = '') =>
  orNull(integer(`time of \`${column}\`${otherwise}, ${NANOSECONDS}`));
/** A column with the time of the row's record. */
export const TIME = orNull(integer(`time, ${NANOSECONDS}`));
