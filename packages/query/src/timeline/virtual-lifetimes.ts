// Lifetimes of virtual interrupts, up to the virtual machine's EOI: vLPIs from the message that made them pending in a
// virtual pending table on, and interrupts that a hypervisor wrote to list registers. A step that was not seen stays null.
// It knows no SQL.
import { KIND, PEND_CAUSES, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { integer, orNull, type RowOf, text } from '../database/columns.ts';
import type { InterruptOutcome } from './lifetimes.ts';
import { type Moment, nsOf, recordOf, timeOf } from './moment.ts';
import { NOT_SEEN, type Withdrawal, type Withdrawals } from './withdrawals.ts';

const KINDS = new Uint8Array(256);
for (const kind of [
  KIND.vhppi,
  KIND['vte.write'],
  KIND['vlpi.pended'],
  KIND['vlpi.cleared'],
  KIND['vpe.resident'],
  KIND['doorbell.rung'],
  KIND['virq.acknowledged'],
  KIND['virq.dropped'],
])
  KINDS[kind] = 1;

/** Whether records of this kind belong to virtual interrupts, so that {@link VirtualLifetimes} takes them. */
export function concernsVirtual(kind: number): boolean {
  return KINDS[kind] !== 0;
}

/** One row for each lifetime of a virtual interrupt. */
export const VIRTUAL_INTERRUPT_COLUMNS = {
  vINTID: integer('virtual interrupt'),
  vPEID: orNull(integer('vPE; null if no vPE table entry was seen')),
  VPT_addr: orNull(integer('address of the virtual pending table, which identifies a vPE in GICv4.0')),
  pe: orNull(integer('PE on which the virtual machine acknowledged it, or on which its vPE was resident')),
  LR: orNull(integer('list register; null for a vLPI')),
  cause: text(
    'as in interrupts; list-register if the hypervisor wrote it to a list register; unknown if that was not seen',
  ),
  resident: orNull(
    integer('1 if the vPE was resident when it became pending, 0 if not; null for a list register'),
  ),
  pended: orNull(integer('record at which it became pending in the virtual pending table')),
  doorbell: orNull(integer('record at which its doorbell was rung')),
  signalled: orNull(integer('record at which the virtual interrupt line was asserted for it')),
  acknowledged: orNull(integer('record at which the virtual machine acknowledged it')),
  eoi: orNull(integer('record of its virtual priority drop')),
  withdrawn: orNull(integer('record at which it ceased to be pending without an acknowledge')),
  pended_ns: timeOf('pended'),
  doorbell_ns: timeOf('doorbell'),
  signalled_ns: timeOf('signalled'),
  acknowledged_ns: timeOf('acknowledged'),
  eoi_ns: timeOf('eoi'),
  outcome: text('complete, withdrawn, pending at end, active at end, no EOI seen'),
  withdrawn_by: orNull(
    text('what withdrew it: an ITS command, or the register that was written; null if that was not seen'),
  ),
  moved: integer(
    '1 if its pending state was moved to another vPE, where another lifetime continues; 0 if not',
  ),
  withdrawn_ns: timeOf('withdrawn'),
} as const;
export type VirtualInterruptRow = RowOf<typeof VIRTUAL_INTERRUPT_COLUMNS>;

/** In a vhppi record: the highest-priority pending virtual interrupt is the vLPI. */
const LR_IS_VLPI = 16;
/** The most virtual interrupts per PE that are tracked between acknowledge and EOI. */
const ACTIVE_MAX = 64;

/** A step of a lifetime. `ended`: it was acknowledged, but its EOI will not be seen any more. */
export type VirtualStep = 'pended' | 'acknowledged' | 'eoi' | 'withdrawn' | 'ended';
export type VirtualListener = (step: VirtualStep, lifetime: VirtualLifetime, now: Moment) => void;

export interface VirtualLifetime {
  readonly intid: number;
  readonly table: number | null;
  readonly vpeid: number | null;
  readonly cause: string;
  /** Whether the vPE was resident when the vLPI became pending. */
  readonly resident: boolean | null;
  pe: number | null;
  readonly list: number | null;
  readonly pended: Moment | undefined;
  doorbell: Moment | undefined;
  signalled: Moment | undefined;
  acknowledged: Moment | undefined;
  eoi: Moment | undefined;
  withdrawn: Moment | undefined;
  withdrawal: Withdrawal;
}

export class VirtualLifetimes {
  private readonly row: (row: VirtualInterruptRow) => void;
  private readonly withdrawals: Withdrawals;
  /** By virtual pending table and vINTID. */
  private readonly pending = new Map<string, VirtualLifetime>();
  /** By PE: interrupts that are acknowledged and not ended. */
  private readonly active = new Map<number, VirtualLifetime[]>();
  /** The virtual pending table of the vPE that is resident on a PE. */
  private readonly resident = new Map<number, number>();
  private readonly vpeids = new Map<number, number>();

  private readonly seen: VirtualListener;

  /** Calls `seen` with each step when it happens, and `row` with each lifetime when it ends. */
  constructor(
    withdrawals: Withdrawals,
    row: (row: VirtualInterruptRow) => void,
    seen: VirtualListener = () => undefined,
  ) {
    this.row = row;
    this.seen = seen;
    this.withdrawals = withdrawals;
  }

  /** Takes an event or observable of the simulator, of a kind that {@link concernsVirtual}. */
  take(batch: RecordBatch, i: number, now: Moment): void {
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const pe = batch.pe[i]!;
    switch (batch.kind[i]) {
      case KIND['vte.write']:
        if (w[at + 2]) this.vpeids.set(w[at + 5]! * 2 ** 32 + w[at + 4]!, w[at + 1]!);
        return;
      case KIND['vpe.resident']:
        if (w[at + 3]) this.resident.set(pe, tableAt(w, at));
        else this.resident.delete(pe);
        return;
      case KIND['vlpi.pended']: {
        const table = tableAt(w, at);
        const resident = pe >= 0;
        const cause = PEND_CAUSES[w[at + 3]!]!;
        const begun = { intid: w[at + 2]!, table, cause, resident, pe, list: null, pended: now };
        const lifetime = this.lifetimeOf(begun);
        this.pending.set(`${table}:${w[at + 2]}`, lifetime);
        this.seen('pended', lifetime, now);
        return;
      }
      case KIND['doorbell.rung']: {
        const lifetime = this.pending.get(`${tableAt(w, at + 1)}:${w[at + 3]}`);
        if (lifetime !== undefined) lifetime.doorbell ??= now;
        return;
      }
      case KIND['vlpi.cleared']: {
        const key = `${tableAt(w, at)}:${w[at + 2]}`;
        const lifetime = this.pending.get(key);
        if (lifetime === undefined) return;
        this.pending.delete(key);
        lifetime.withdrawn = now;
        lifetime.withdrawal = this.withdrawals.ofVirtual(batch, i, lifetime.intid);
        this.seen('withdrawn', lifetime, now);
        this.end(lifetime, 'withdrawn');
        return;
      }
      case KIND.vhppi: {
        if (w[at] !== LR_IS_VLPI || (w[at + 4] === 0 && w[at + 5] === 0)) return;
        const lifetime = this.pending.get(`${this.resident.get(pe)}:${w[at + 1]}`);
        if (lifetime === undefined) return;
        lifetime.signalled ??= now;
        lifetime.pe = pe;
        return;
      }
      case KIND['virq.acknowledged']:
        this.acknowledged(pe, w[at]!, w[at + 3]! | 0, now);
        return;
      case KIND['virq.dropped']:
        this.dropped(pe, w[at]!, now);
        return;
      default:
        return;
    }
  }

  private acknowledged(pe: number, intid: number, list: number, now: Moment): void {
    const key = `${this.resident.get(pe)}:${intid}`;
    const own = list < 0 ? this.pending.get(key) : undefined;
    if (own !== undefined) this.pending.delete(key);
    const lifetime =
      own ??
      this.lifetimeOf({
        intid,
        table: this.resident.get(pe) ?? null,
        cause: list < 0 ? 'unknown' : 'list-register',
        resident: null,
        pe,
        list: list < 0 ? null : list,
        pended: undefined,
      });
    lifetime.pe = pe;
    lifetime.acknowledged = now;
    this.seen('acknowledged', lifetime, now);
    const active = this.active.get(pe);
    if (active === undefined) this.active.set(pe, [lifetime]);
    else {
      // If a virtual machine moves to another PE, the interrupts that it has acknowledged here are never ended here. Their
      // number has no limit in a trace, so the oldest is dropped.
      if (active.length >= ACTIVE_MAX) {
        const oldest = active.shift()!;
        this.seen('ended', oldest, now);
        this.end(oldest, 'no EOI seen');
      }
      active.push(lifetime);
    }
  }

  private dropped(pe: number, intid: number, now: Moment): void {
    const list = this.active.get(pe);
    const index = list?.findLastIndex((lifetime) => lifetime.intid === intid) ?? -1;
    if (index < 0) return;
    const [lifetime] = list!.splice(index, 1);
    lifetime!.eoi = now;
    this.seen('eoi', lifetime!, now);
    this.end(lifetime!, 'complete');
  }

  private lifetimeOf(
    begun: Pick<VirtualLifetime, 'intid' | 'table' | 'cause' | 'resident' | 'list' | 'pended'> & {
      readonly pe: number;
    },
  ): VirtualLifetime {
    const { table, pe } = begun;
    return {
      ...begun,
      vpeid: table === null ? null : (this.vpeids.get(table) ?? null),
      pe: pe < 0 ? null : pe,
      doorbell: undefined,
      signalled: undefined,
      acknowledged: undefined,
      eoi: undefined,
      withdrawn: undefined,
      withdrawal: NOT_SEEN,
    };
  }

  private end(lifetime: VirtualLifetime, outcome: InterruptOutcome): void {
    const { resident, withdrawal } = lifetime;
    this.row({
      vINTID: lifetime.intid,
      vPEID: lifetime.vpeid,
      VPT_addr: lifetime.table,
      pe: lifetime.pe,
      LR: lifetime.list,
      cause: lifetime.cause,
      resident: resident === null ? null : resident ? 1 : 0,
      pended: recordOf(lifetime.pended),
      doorbell: recordOf(lifetime.doorbell),
      signalled: recordOf(lifetime.signalled),
      acknowledged: recordOf(lifetime.acknowledged),
      eoi: recordOf(lifetime.eoi),
      withdrawn: recordOf(lifetime.withdrawn),
      pended_ns: nsOf(lifetime.pended),
      doorbell_ns: nsOf(lifetime.doorbell),
      signalled_ns: nsOf(lifetime.signalled),
      acknowledged_ns: nsOf(lifetime.acknowledged),
      eoi_ns: nsOf(lifetime.eoi),
      outcome,
      withdrawn_by: withdrawal.by,
      moved: withdrawal.movedTo === null ? 0 : 1,
      withdrawn_ns: nsOf(lifetime.withdrawn),
    });
  }

  /** Ends the trace and reports the lifetimes that have not ended. */
  finish(): void {
    for (const lifetime of this.pending.values()) this.end(lifetime, 'pending at end');
    for (const list of this.active.values()) for (const lifetime of list) this.end(lifetime, 'active at end');
  }
}

/** The address of a virtual pending table, which is in two words. */
function tableAt(words: Uint32Array, at: number): number {
  return words[at + 1]! * 2 ** 32 + words[at]!;
}
