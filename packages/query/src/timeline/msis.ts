// What became of each MSI: from the events that it caused on the simulator, unless the source itself contains the
// translation. If the two disagree, the source is right; what neither of them contains is null. It knows no SQL.
import { DROP_REASONS, KIND, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { integer, orNull, type RowOf, text } from '../database/columns.ts';
import { TIME, wholeNs } from './moment.ts';

/** One row for each message-signalled interrupt. */
export const MSI_COLUMNS = {
  record: integer('record of the message'),
  time_ns: TIME,
  its: integer('index of the ITS, from 0'),
  DeviceID: integer('DeviceID'),
  EventID: integer('EventID'),
  INTID: orNull(integer('LPI or vINTID to which it was translated; null if it was dropped')),
  virtual: orNull(integer('1 if translated to a virtual interrupt; null if it was not translated')),
  pe: orNull(
    integer(
      'PE to which it was sent; -1 if the vPE was not resident; null if it was not translated, or if the LPI of a GICv5 is targeted at no PE',
    ),
  ),
  outcome: orNull(
    text(
      '`pended`; `coalesced` if the interrupt was already pending; or why it was dropped; null if neither source nor simulator contains it',
    ),
  ),
} as const;
export type MsiRow = RowOf<typeof MSI_COLUMNS>;

type Translation = { -readonly [Name in 'INTID' | 'virtual' | 'pe' | 'outcome']: MsiRow[Name] };
type Message = Pick<MsiRow, 'record' | 'time_ns' | 'its' | 'DeviceID' | 'EventID'>;

/** Why the simulator dropped a message whose event it had found. */
const LATER: ReadonlySet<string | null> = new Set(['collection-unmapped', 'lpis-disabled']);

/** Follows the MSIs of a trace. */
export class Msis {
  private readonly row: (row: MsiRow) => void;
  private open: (Message & Translation) | undefined;

  /** Calls `row` with each MSI when the next stimulus comes. */
  constructor(row: (row: MsiRow) => void) {
    this.row = row;
  }

  /** Begins with the message `batch[i]`, an `msi.write`. */
  begin(batch: RecordBatch, i: number, record: number): void {
    const at = i * RECORD_WORDS;
    const w = batch.words;
    const [its, DeviceID, EventID] = [w[at]!, w[at + 1]!, w[at + 2]!];
    const none = { INTID: null, virtual: null, pe: null, outcome: null };
    this.open = { record, time_ns: wholeNs(batch.timeNs[i]!), its, DeviceID, EventID, ...none };
  }

  /** Event `k` of the simulator, which may be what it did for the message. */
  emitted(records: RecordBatch, k: number): void {
    const msi = this.open;
    if (msi === undefined) return;
    const w = records.words;
    const at = k * RECORD_WORDS;
    switch (records.kind[k]) {
      case KIND['msi.translated']:
        become(msi, w[at + 3]!, 0, records.pe[k]! < 0 ? null : records.pe[k]!, 'coalesced');
        return;
      case KIND['vmsi.translated']:
        become(msi, w[at + 3]!, 1, records.pe[k]!, 'coalesced');
        return;
      case KIND['vlpi.pended']:
        if (msi.virtual === 1) msi.outcome = 'pended';
        return;
      case KIND['lpi.pended']:
        this.pended(w[at]!);
        return;
      case KIND['msi.dropped']:
        msi.outcome = DROP_REASONS[w[at + 3]!]!;
        return;
      default:
    }
  }

  /** A physical interrupt became pending, which may be that of the message. */
  pended(INTID: number): void {
    if (this.open?.virtual === 0 && this.open.INTID === INTID) this.open.outcome = 'pended';
  }

  /** Takes a recorded observable, which may be a table entry that the ITS read for the message. */
  observe(batch: RecordBatch, i: number): void {
    const msi = this.open;
    if (msi === undefined) return;
    const at = i * RECORD_WORDS;
    const w = batch.words;
    if (w[at] !== msi.its) return;
    if (batch.kind[i] === KIND['dte.read'] && w[at + 1] === msi.DeviceID) {
      if (!w[at + 2]) become(msi, null, null, null, 'device-unmapped');
    } else if (batch.kind[i] === KIND['ite.read'] && w[at + 3] === msi.EventID) {
      const intid = w[at + 6]!;
      if (!w[at + 4]) become(msi, null, null, null, 'event-unmapped');
      else {
        const virtual = w[at + 5] ? 0 : 1;
        if (msi.INTID === null && LATER.has(msi.outcome)) become(msi, intid, virtual, null, msi.outcome);
        else if (msi.INTID !== intid || msi.virtual !== virtual) become(msi, intid, virtual, null, null);
      }
    }
  }

  /** Reports the last MSI, because the next stimulus comes or the trace ends. */
  close(): void {
    if (this.open === undefined) return;
    this.row(this.open);
    this.open = undefined;
  }
}

function become(
  msi: Translation,
  INTID: number | null,
  virtual: number | null,
  pe: number | null,
  outcome: string | null,
): void {
  msi.INTID = INTID;
  msi.virtual = virtual;
  msi.pe = pe;
  msi.outcome = outcome;
}
