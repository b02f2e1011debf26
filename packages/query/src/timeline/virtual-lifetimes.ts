// The lives of virtual interrupts: vLPIs from the message that pended them in a virtual pending table, and what a
// hypervisor put into list registers, until the virtual machine's EOI. A step that was not seen stays null.
import { PEND_CAUSES, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core';
import { type Sql, sqlTime } from '../sql/schema.ts';
import { NOT_TOLD, type Withdrawal, type Withdrawals } from './withdrawals.ts';

const VHPPI = RECORDS.vhppi.id;
const VTE_WRITE = RECORDS['vte.write'].id;
const VLPI_PENDED = RECORDS['vlpi.pended'].id;
const VLPI_CLEARED = RECORDS['vlpi.cleared'].id;
const VPE_RESIDENT = RECORDS['vpe.resident'].id;
const DOORBELL_RUNG = RECORDS['doorbell.rung'].id;
const ACKNOWLEDGED = RECORDS['virq.acknowledged'].id;
const DROPPED = RECORDS['virq.dropped'].id;

const KINDS = new Uint8Array(256);
for (const kind of [
  VHPPI,
  VTE_WRITE,
  VLPI_PENDED,
  VLPI_CLEARED,
  VPE_RESIDENT,
  DOORBELL_RUNG,
  ACKNOWLEDGED,
  DROPPED,
])
  KINDS[kind] = 1;

/** Whether a kind of record tells of virtual interrupts, so that {@link VirtualLives} wants it. */
export function tellsOfVirtual(kind: number): boolean {
  return KINDS[kind] !== 0;
}

/** In a vhppi record: the candidate is the vLPI. */
const LR_IS_VLPI = 16;

interface Moment {
  readonly record: number;
  readonly timeNs: number;
}
interface Life {
  readonly intid: number;
  readonly table: number | null;
  readonly vpeid: number | null;
  readonly cause: string;
  /** Whether the vPE was resident when the vLPI became pending. */
  readonly resident: boolean | null;
  pe: number | null;
  list: number | null;
  pended?: Moment;
  doorbell?: Moment;
  signalled?: Moment;
  acknowledged?: Moment;
  eoi?: Moment;
  withdrawn?: Moment;
  withdrawal?: Withdrawal;
}

export class VirtualLives {
  private readonly trace: number;
  private readonly out: (row: Sql[]) => void;
  private readonly withdrawals: Withdrawals | undefined;
  /** By virtual pending table and vINTID. */
  private readonly pending = new Map<string, Life>();
  /** By PE: acknowledged and not ended. */
  private readonly active = new Map<number, Life[]>();
  /** The virtual pending table of the vPE that is resident on a PE. */
  private readonly resident = new Map<number, number>();
  private readonly vpeids = new Map<number, number>();

  constructor(trace: number, out: (row: Sql[]) => void, withdrawals?: Withdrawals) {
    this.trace = trace;
    this.out = out;
    this.withdrawals = withdrawals;
  }

  /** Takes an event or observable that record `record` caused. */
  take(batch: RecordBatch, i: number, record: number, timeNs: number): void {
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const pe = batch.pe[i]!;
    const now = { record, timeNs };
    const table = w[at + 1]! * 2 ** 32 + w[at]!;
    switch (batch.kind[i]) {
      case VTE_WRITE:
        if (w[at + 2]) this.vpeids.set(w[at + 5]! * 2 ** 32 + w[at + 4]!, w[at + 1]!);
        return;
      case VPE_RESIDENT:
        if (w[at + 3]) this.resident.set(pe, table);
        else this.resident.delete(pe);
        return;
      case VLPI_PENDED:
        this.pending.set(`${table}:${w[at + 2]}`, {
          intid: w[at + 2]!,
          table,
          vpeid: this.vpeids.get(table) ?? null,
          cause: PEND_CAUSES[w[at + 3]!]!,
          resident: pe >= 0,
          pe: pe < 0 ? null : pe,
          list: null,
          pended: now,
        });
        return;
      case DOORBELL_RUNG: {
        const life = this.pending.get(`${w[at + 2]! * 2 ** 32 + w[at + 1]!}:${w[at + 3]}`);
        if (life !== undefined) life.doorbell ??= now;
        return;
      }
      case VLPI_CLEARED: {
        const key = `${table}:${w[at + 2]}`;
        const life = this.pending.get(key);
        if (life === undefined) return;
        this.pending.delete(key);
        life.withdrawn = now;
        life.withdrawal = this.withdrawals?.ofVirtual(batch, i, life.intid) ?? NOT_TOLD;
        this.end(life, 'withdrawn');
        return;
      }
      case VHPPI: {
        if (w[at] !== LR_IS_VLPI || (w[at + 4] === 0 && w[at + 5] === 0)) return;
        const life = this.pending.get(`${this.resident.get(pe)}:${w[at + 1]}`);
        if (life === undefined) return;
        life.signalled ??= now;
        life.pe = pe;
        return;
      }
      case ACKNOWLEDGED:
        this.acknowledge(pe, w[at]!, w[at + 3]! | 0, now);
        return;
      case DROPPED: {
        const list = this.active.get(pe);
        const index = list?.findLastIndex((life) => life.intid === w[at]) ?? -1;
        if (index < 0) return;
        const [life] = list!.splice(index, 1);
        life!.eoi = now;
        this.end(life!, 'complete');
        return;
      }
      default:
        return;
    }
  }

  private acknowledge(pe: number, intid: number, list: number, now: Moment): void {
    const key = `${this.resident.get(pe)}:${intid}`;
    const own = list < 0 ? this.pending.get(key) : undefined;
    if (own !== undefined) this.pending.delete(key);
    const table = this.resident.get(pe) ?? null;
    const life: Life = own ?? {
      intid,
      table,
      vpeid: table === null ? null : (this.vpeids.get(table) ?? null),
      cause: list < 0 ? 'unknown' : 'list-register',
      resident: null,
      pe,
      list: list < 0 ? null : list,
    };
    life.pe = pe;
    life.acknowledged = now;
    const active = this.active.get(pe);
    if (active === undefined) this.active.set(pe, [life]);
    else {
      // A virtual machine that is switched away never ends what it has begun here: not to be kept for ever.
      if (active.length >= 64) this.end(active.shift()!, 'no EOI seen');
      active.push(life);
    }
  }

  private end(life: Life, outcome: string): void {
    const moments = [life.pended, life.doorbell, life.signalled, life.acknowledged, life.eoi, life.withdrawn];
    this.out([
      this.trace,
      life.intid,
      life.vpeid,
      life.table,
      life.pe,
      life.list,
      life.cause,
      life.resident === null ? null : life.resident ? 1 : 0,
      ...moments.map((m) => m?.record ?? null),
      ...moments.slice(0, 5).map((m) => (m === undefined ? null : sqlTime(m.timeNs))),
      outcome,
      life.withdrawal?.by ?? null,
      life.withdrawal?.movedTo === undefined || life.withdrawal.movedTo === null ? 0 : 1,
      life.withdrawn === undefined ? null : sqlTime(life.withdrawn.timeNs),
    ]);
  }

  /** The trace ends: lives that are still going on. */
  finish(): void {
    for (const life of this.pending.values()) this.end(life, 'pending at end');
    for (const list of this.active.values()) for (const life of list) this.end(life, 'active at end');
  }
}
