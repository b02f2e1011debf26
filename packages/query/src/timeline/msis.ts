// What became of each MSI: by the events that it caused on the simulator, unless the source itself shows the
// translation. Where the two disagree the source is right, and what neither tells is null. Knows no SQL.
import { DROP_REASONS, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core';
import { type Sql, sqlTime } from '../sql/schema.ts';

const MSI_TRANSLATED = RECORDS['msi.translated'].id;
const MSI_DROPPED = RECORDS['msi.dropped'].id;
const VMSI_TRANSLATED = RECORDS['vmsi.translated'].id;
const VLPI_PENDED = RECORDS['vlpi.pended'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const DTE_READ = RECORDS['dte.read'].id;
const ITE_READ = RECORDS['ite.read'].id;

/** Follows the MSIs of one trace and tells a row for each. */
export class Msis {
  private readonly out: (row: Sql[]) => void;
  private open = false;
  private id = 0;
  private timeNs = Number.NaN;
  private its = 0;
  private deviceId = 0;
  private eventId = 0;
  private intid: number | null = null;
  private virtual: number | null = null;
  private pe: number | null = null;
  private outcome: string | null = null;

  constructor(out: (row: Sql[]) => void) {
    this.out = out;
  }

  /** An `msi.write` at `batch[i]`; its row is `id`. `caused`: what the simulator emitted for it. */
  begin(batch: RecordBatch, i: number, id: number, caused: RecordBatch): void {
    const at = i * RECORD_WORDS;
    this.open = true;
    this.id = id;
    this.timeNs = batch.timeNs[i]!;
    this.its = batch.words[at]!;
    this.deviceId = batch.words[at + 1]!;
    this.eventId = batch.words[at + 2]!;
    this.became(null, null, null, null);
    for (let k = 0; k < caused.count; k++) {
      const words = k * RECORD_WORDS;
      const w = caused.words;
      if (caused.kind[k] === MSI_TRANSLATED) this.became(w[words + 3]!, 0, caused.pe[k]!, 'coalesced');
      else if (caused.kind[k] === VMSI_TRANSLATED) this.became(w[words + 3]!, 1, caused.pe[k]!, 'coalesced');
      else if (caused.kind[k] === VLPI_PENDED && this.virtual === 1) this.outcome = 'pended';
      else if (caused.kind[k] === LPI_PENDED && this.virtual === 0 && w[words] === this.intid)
        this.outcome = 'pended';
      else if (caused.kind[k] === MSI_DROPPED) this.outcome = DROP_REASONS[w[words + 3]!]!;
    }
  }

  /** An observable that followed: the source shows a table entry that the ITS read. */
  observe(batch: RecordBatch, i: number): void {
    if (!this.open) return;
    const at = i * RECORD_WORDS;
    const w = batch.words;
    if (w[at] !== this.its) return;
    if (batch.kind[i] === DTE_READ && w[at + 1] === this.deviceId) {
      if (!w[at + 2]) this.became(null, null, null, 'device-unmapped');
    } else if (batch.kind[i] === ITE_READ && w[at + 3] === this.eventId) {
      const intid = w[at + 6]!;
      if (!w[at + 4]) this.became(null, null, null, 'event-unmapped');
      else {
        const virtual = w[at + 5] ? 0 : 1;
        if (this.intid !== intid || this.virtual !== virtual) this.became(intid, virtual, null, null);
      }
    }
  }

  /** The next stimulus, or the end of the trace: nothing more is told of the last MSI. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    const { id, its, deviceId, eventId, intid, virtual, pe, outcome } = this;
    this.out([id, sqlTime(this.timeNs), its, deviceId, eventId, intid, virtual, pe, outcome]);
  }

  private became(intid: number | null, virtual: number | null, pe: number | null, outcome: string | null) {
    this.intid = intid;
    this.virtual = virtual;
    this.pe = pe;
    this.outcome = outcome;
  }
}
