// Findings of the checks as rows. It knows no SQL.
import { CHECKS, type Finding } from '@gictrace/core/check';
import { integer, orNull, type RowOf, text } from '../database/columns.ts';
import { TIME, wholeNs } from './moment.ts';

/** One row for each finding. */
export const FINDING_COLUMNS = {
  rule: text('check that found it'),
  severity: text('error, warning or note'),
  record: integer('record to which it points'),
  line: orNull(integer('line of the source, from 1; null if there is none')),
  time_ns: TIME,
  pe: orNull(integer('PE concerned; null: none')),
  text: text('what was found'),
  INTID: orNull(integer('interrupt that was lost by it; null if none was, or if there may be several')),
  virtual: orNull(integer('1 if INTID is a vINTID, 0 if not; null if there is no INTID')),
  lasted_ns: orNull(
    integer('how long it lasted, in nanoseconds; null if it did not end, or if the source contains no times'),
  ),
  related: text('what led to it and what ended it, as a JSON list of {record, line, time_ns, text}'),
} as const;
export type FindingRow = RowOf<typeof FINDING_COLUMNS>;

export function findingRow({ rule, at, pe, text, lost, lastedNs, related }: Finding): FindingRow {
  return {
    rule,
    severity: CHECKS[rule].severity,
    ...placeOf(at),
    pe: pe < 0 ? null : pe,
    text,
    INTID: lost?.intid ?? null,
    virtual: lost === undefined ? null : lost.isVirtual ? 1 : 0,
    lasted_ns: lastedNs === null ? null : wholeNs(lastedNs),
    related: JSON.stringify(related.map((one) => ({ ...placeOf(one), text: one.text }))),
  };
}

function placeOf({ record, line, timeNs }: Finding['at']) {
  return { record, line: line > 0 ? line : null, time_ns: wholeNs(timeNs) };
}
