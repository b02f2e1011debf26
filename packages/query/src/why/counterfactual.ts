// What would have happened otherwise: replays part of a trace on the simulator without a record, or with one more, and
// observes whether an interrupt is signalled. It knows no reasons.
import { inflateRawSync } from 'node:zlib';
import type { GicConfig } from '@gictrace/core';
import {
  apply,
  type EventSink,
  Follow,
  type FollowLoop,
  FollowObserver,
  heldBy,
  Machine,
  pendingListRegister,
} from '@gictrace/core/model';
import { isStimulus, KIND, RECORD_FLAGS, RECORD_WORDS, RecordBatch, UNITS } from '@gictrace/core/record';
import { encodeCommand, FRAMES, fieldReader, GICD, GICR, GITS, SYSREGS } from '@gictrace/core/spec';
import type { KeptState } from '../database/state/kept.ts';

/** A trace that can be read from any record on. */
export interface ReadableTrace<C = GicConfig> {
  readonly config: C;
  batches(from?: number): Iterable<{ readonly batch: RecordBatch; readonly first: number }>;
}

/** A change of a trace: stimuli that are left out, and stimuli that are run before a record. */
export interface Edit<M = Machine> {
  readonly without: ReadonlySet<number>;
  readonly insert:
    | { readonly before: number; run(machine: M, follow: (batch: RecordBatch) => void): void }
    | undefined;
}
export const NO_EDIT: Edit<unknown> = { without: new Set(), insert: undefined };

/** What a replay showed of an interrupt, by the records at which it did; -1 for what did not happen. */
export interface Sighting {
  readonly signalled: number;
  readonly acknowledged: number;
  readonly times: number;
  /** Whether it is pending at the end of the replay. */
  readonly pending: boolean;
}

const SYNC = encodeCommand('SYNC', {});
const queueAddress = fieldReader(GITS.GITS_CBASER, 'Physical_Address');

class Watch extends FollowObserver {
  signalled = -1;
  acknowledged = -1;
  times = 0;
  private record = 0;
  private readonly intid: number;
  private readonly pe: number;
  private readonly from: number;

  private readonly isVirtual: boolean;

  constructor(intid: number, pe: number, from: number, isVirtual: boolean) {
    super();
    this.isVirtual = isVirtual;
    this.intid = intid;
    this.pe = pe;
    this.from = from;
  }

  override stimulus(_batch: RecordBatch, _i: number, record: number): void {
    this.record = record;
  }

  override emitted(records: RecordBatch): void {
    if (this.record < this.from) return;
    for (let i = 0; i < records.count; i++) {
      const at = i * RECORD_WORDS;
      if (this.isVirtual) {
        this.virtual(records, i);
        continue;
      }
      if (records.words[at] !== this.intid || (this.pe >= 0 && records.pe[i] !== this.pe)) continue;
      if (records.kind[i] === KIND.hppi) {
        if (records.words[at + 3] === 0 && records.words[at + 4] === 0) continue;
        this.times++;
        if (this.signalled < 0) this.signalled = this.record;
      } else if (records.kind[i] === KIND['irq.acknowledged'] && this.acknowledged < 0)
        this.acknowledged = this.record;
    }
  }

  private virtual(records: RecordBatch, i: number): void {
    const at = i * RECORD_WORDS;
    const w = records.words;
    if (records.kind[i] === KIND.vhppi) {
      if (w[at] !== LR_IS_VLPI || w[at + 1] !== this.intid || (w[at + 4] === 0 && w[at + 5] === 0)) return;
      this.times++;
      if (this.signalled < 0) this.signalled = this.record;
    } else if (records.kind[i] === KIND['virq.acknowledged'] && w[at] === this.intid && this.acknowledged < 0)
      this.acknowledged = this.record;
  }
}

/** In a vhppi record: the highest-priority pending virtual interrupt is the vLPI. */
const LR_IS_VLPI = 16;

/** The state from which a replay begins that is to show what record `first` does; undefined for the beginning of the trace. */
export function stateBefore(
  states: readonly KeptState[],
  edit: Edit<never>,
  from: number,
): { readonly record: number; readonly state: Uint8Array } | undefined {
  const first = Math.min(from, edit.insert?.before ?? from, ...edit.without);
  const start = states.findLast(({ record }) => record <= first);
  return start === undefined ? undefined : { record: start.record, state: inflateRawSync(start.state) };
}

/** Follows the records from `begin` to `to` of a trace that is edited. `instead`: what is run in the place of what is left out. */
export function runEdited<M extends { sink: EventSink | undefined }>(
  trace: Pick<ReadableTrace, 'batches'>,
  begin: number,
  to: number,
  edit: Edit<M>,
  follow: FollowLoop<M>,
  instead: (batch: RecordBatch, i: number) => RecordBatch | undefined,
): void {
  const edited = [...edit.without, ...(edit.insert === undefined ? [] : [edit.insert.before])].sort(
    (a, b) => a - b,
  );
  for (const { batch, first } of trace.batches(begin)) {
    if (first > to) break;
    const end = Math.min(batch.count, to - first + 1);
    let from = Math.max(0, begin - first);
    for (const record of edited) {
      const i = record - first;
      if (i < from || i >= end) continue;
      follow.take(batch, first, from, i);
      from = i;
      if (edit.insert?.before === record)
        edit.insert.run(follow.machine, (extra) => follow.take(extra, record));
      if (!edit.without.has(record)) continue;
      from = i + 1;
      const other = instead(batch, i);
      if (other !== undefined) follow.take(other, record);
    }
    follow.take(batch, first, from, end);
  }
  follow.end();
}

/**
 * Replays records up to `to` from the nearest of `states` at or before the first record that the edit concerns, and says
 * when the interrupt was first signalled to PE `pe` (any, if -1) from record `from` on.
 */
export function replayWith(
  trace: ReadableTrace,
  states: readonly KeptState[],
  edit: Edit,
  watch: { intid: number; pe: number; from: number; to: number; isVirtual: boolean },
): Sighting {
  const start = stateBefore(states, edit, watch.from);
  const machine = new Machine(trace.config);
  if (start !== undefined) {
    machine.state.restore(start.state);
    machine.invalidate();
  }
  const begin = start?.record ?? 0;
  const observer = new Watch(watch.intid, watch.pe, watch.from, watch.isVirtual);
  runEdited(trace, begin, watch.to, edit, new Follow(machine, observer), (batch, i) => {
    // A command that is left out leaves its slot, so that the queue still fits.
    if (batch.kind[i] !== KIND['queue.write']) return undefined;
    const sync = new RecordBatch(1);
    sync.copy(batch, i);
    sync.words.set(SYNC, 3);
    return sync;
  });
  return {
    signalled: observer.signalled,
    acknowledged: observer.acknowledged,
    times: observer.times,
    pending: isPending(machine, watch),
  };
}

function isPending(machine: Machine, { intid, isVirtual }: { intid: number; isVirtual: boolean }): boolean {
  const { state } = machine;
  for (let pe = 0; pe < state.peCount; pe++)
    if (
      isVirtual
        ? state.virtual.pending[pe]!.has(intid) || pendingListRegister(machine, pe, intid) >= 0
        : heldBy(machine, pe, intid).gate !== 'unknown'
    )
      return true;
  return false;
}

/** Record `n` of a trace, alone in a batch; undefined if there is none. */
export function recordAt(trace: Pick<ReadableTrace, 'batches'>, n: number): RecordBatch | undefined {
  for (const { batch, first } of trace.batches(n)) {
    if (n < first || n >= first + batch.count) return undefined;
    const one = new RecordBatch(1);
    one.copy(batch, n - first);
    return one;
  }
  return undefined;
}

/** An EOI, with a deactivation if the PE separates them, as the PE would have written it for the acknowledge `taken`. */
export function insertEoi(before: number, pe: number, intid: number, taken: RecordBatch | undefined): Edit {
  const isGroup0 = taken?.words[0] === SYSREGS.ICC_IAR0_EL1.encoding;
  const flags =
    taken === undefined || !isStimulus(taken.kind[0]!)
      ? 0
      : taken.flags[0]! & (RECORD_FLAGS.secure | RECORD_FLAGS.el3);
  return inserting(before, (_machine, follow) => {
    const batch = new RecordBatch(2);
    for (const register of [isGroup0 ? SYSREGS.ICC_EOIR0_EL1 : SYSREGS.ICC_EOIR1_EL1, SYSREGS.ICC_DIR_EL1]) {
      const i = batch.push(KIND['sysreg.write'], pe, Number.NaN);
      batch.flags[i] = flags;
      batch.words[i * RECORD_WORDS] = register.encoding;
      batch.words[i * RECORD_WORDS + 1] = intid;
    }
    follow(batch);
  });
}

/** A write that sets the enable bit of an SGI, PPI or SPI below 1020. */
export function insertEnable(before: number, pe: number, intid: number): Edit {
  return inserting(before, (_machine, follow) => {
    const batch = new RecordBatch(1);
    batch.push(KIND['mmio.write'], Math.max(0, pe), Number.NaN);
    batch.flags[0] = RECORD_FLAGS.secure;
    const own = intid < 32;
    const offset = own ? GICR.GICR_ISENABLER.offset : GICD.GICD_ISENABLER.offset + 4 * (intid >> 5);
    batch.words.set([
      FRAMES.indexOf(own ? 'GICR' : 'GICD'),
      own ? pe : 0,
      offset,
      4,
      (1 << (intid & 31)) >>> 0,
    ]);
    follow(batch);
  });
}

/** An INV of an event, in the next slot of the queue of its ITS, whose pointers are then set back. */
export function insertInv(before: number, its: number, device: number, event: number): Edit {
  return inserting(before, (machine, follow) => {
    const { cwriter, cbaser } = machine.state;
    const offset = cwriter[its]!;
    const address = queueAddress(cbaser[2 * its]!, cbaser[2 * its + 1]!) + offset;
    const batch = new RecordBatch(2);
    batch.push(KIND['queue.write'], -1, Number.NaN);
    batch.words.set([
      its,
      address >>> 0,
      Math.floor(address / 2 ** 32),
      ...encodeCommand('INV', { DeviceID: device, EventID: event }),
    ]);
    batch.push(KIND['mmio.write'], 0, Number.NaN);
    batch.words.set([FRAMES.indexOf('GITS'), its, GITS.GITS_CWRITER.offset, 8, offset + 32], RECORD_WORDS);
    follow(batch);
    for (const register of [GITS.GITS_CWRITER.offset, GITS.GITS_CREADR.offset])
      apply(
        machine.state,
        KIND['reg.changed'],
        -1,
        Uint32Array.of(UNITS.indexOf('GITS'), its, register, offset, 0),
        0,
      );
  });
}

function inserting(
  before: number,
  run: (machine: Machine, follow: (batch: RecordBatch) => void) => void,
): Edit {
  return { without: new Set(), insert: { before, run } };
}
