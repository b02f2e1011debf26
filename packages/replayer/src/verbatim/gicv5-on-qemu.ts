// Verbatim replay of a GICv5 trace on a real QEMU. QEMU's log names no register of a CPU interface that a PE writes; what the
// importer has learnt of them (`state.known`) is written to QEMU, and what the source has of such a write is not compared. The
// simulator runs beside QEMU, so that a register is written whole. Guest memory that the source does not contain is what it is
// on the simulator: zero, but for the addresses of level-2 interrupt state tables, which get places of their own.
import { GicTraceError, type Gicv5Config } from '@gictrace/core';
import { Gicv5Machine, gicv5L1Address, gicv5Step, IST } from '@gictrace/core/gicv5';
import {
  isObservable,
  isStimulus,
  KIND,
  KNOWN_STATE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RecordBatch,
  type Verdict,
} from '@gictrace/core/record';
import { FRAMES, GICV5_SYSREGS, GICV5_TYPES, gicv5Id, gicv5Type, IRS } from '@gictrace/core/spec';
import { type Gicv5TraceHeader, isGicv5, TraceReader, type TraceWriter } from '@gictrace/recorder';
import type { QemuOptions } from '../backends/qemu/process.ts';
import { Gicv5Qemu, RAM } from '../backends/qemu-gicv5/backend.ts';
import { Gicv5Comparison, type Gicv5Peer } from './gicv5.ts';
import { Level2Count, Level2Places } from './level2-places.ts';
import { renumbered, reRecorded, sourceOptions } from './re-recorded-trace.ts';
import type { ReplayTraceOptions } from './replay-trace.ts';

const FRAME_IRS = FRAMES.indexOf('IRS');
const ID = 0xff_ffff;
const MIB = 2 ** 20;
/** RAM behind the addresses of a trace, for the tables and what else is there. */
const BEHIND_BYTES = 32 * MIB;
/** The most RAM that QEMU is given. It takes what is written of it. */
const RAM_MAX = 2 ** 36;
const REGISTER = KNOWN_STATE.indexOf('register');
const code = (name: keyof typeof GICV5_SYSREGS) => GICV5_SYSREGS[name].encoding;
const ENABLER = code('ICC_PPI_ENABLER0_EL1');
const PRIORITYR = code('ICC_PPI_PRIORITYR0_EL1');

/**
 * Replays a trace file of a GICv5 on a QEMU that has one.
 * @throws GicTraceError `backend` without such a QEMU, or if it ends; `trace` if the trace cannot be read.
 */
export async function replayGicv5OnQemu(
  path: string,
  qemu: QemuOptions,
  options: ReplayTraceOptions,
): Promise<Verdict> {
  const reader = TraceReader.openAny(path);
  let writer: TraceWriter | undefined;
  let peer: Gicv5Qemu | undefined;
  try {
    if (!isGicv5(reader)) throw new GicTraceError('usage', 'is no trace of a GICv5', { path });
    const { config } = reader.header;
    const level2 = placesOf(reader);
    peer = await Gicv5Qemu.start(config, qemu, level2.to);
    if (options.output !== undefined) writer = reRecorded(reader, config, options.output, options);
    const comparison = new Gicv5Comparison(SHOWS_ALL, {
      ...sourceOptions(reader.header),
      allow: options.allow ?? [],
      ...(writer === undefined ? {} : { output: renumbered(writer) }),
    });
    const replay = new OnQemu(config, peer, comparison, new Level2Places(level2.from, level2.to));
    for (const { batch, first } of reader.batches()) {
      await replay.take(batch, first);
      options.progress?.(first + batch.count);
    }
    const verdict = comparison.finish(reader.records);
    writer?.close({ meta: { diverged: verdict.diverged } });
    writer = undefined;
    return verdict;
  } finally {
    writer?.abort();
    peer?.close();
    reader.close();
  }
}

/** QEMU shows all that it calculates; by its state nothing is compared. */
const SHOWS_ALL: Gicv5Peer = { isPe: () => true, showsAll: true, stateOf: () => undefined };

/** Where level-2 tables have their places: behind the interrupt state tables of a trace, and the memory that it writes. */
function placesOf(reader: TraceReader<Gicv5TraceHeader>): { readonly from: number; readonly to: number } {
  let end: number = RAM.to;
  const count = new Level2Count();
  const seen = (address: number) => {
    if (address < RAM_MAX) end = Math.max(end, Math.ceil((address + BEHIND_BYTES) / (2 * MIB)) * 2 * MIB);
  };
  for (const { batch } of reader.batches())
    for (let i = 0; i < batch.count; i++) {
      const w = batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
      if (batch.kind[i] === KIND['mem.write']) seen(w[1]! * 2 ** 32 + w[0]!);
      else if (batch.kind[i] !== KIND['mmio.write'] || w[0] !== FRAME_IRS) continue;
      else if (w[2] === IRS.IRS_IST_BASER.offset) {
        seen((w[5]! & 0xff_ffff) * 2 ** 32 + ((w[4]! & 0xffff_ffc0) >>> 0));
        count.otherTable();
      } else if (w[2] === IRS.IRS_MAP_L2_ISTR.offset) count.mapped(w[4]! & ID);
    }
  // QEMU's own RAM ends at a multiple of 2 MiB.
  const to = Math.ceil((end + count.bytes) / (2 * MIB)) * 2 * MIB;
  return { from: end, to: Math.max(end, Math.min(RAM_MAX, to)) };
}

/** What QEMU answered to stimulus `k` of those that it was given. */
interface Answered {
  readonly k: number;
  readonly shown: RecordBatch;
  readonly low: number;
  readonly high: number;
  readonly reserved: boolean;
  readonly unsupported: boolean;
  /** Why it was not done; undefined if it was. */
  readonly skipped: string | undefined;
}
/** The answer to what is no access. */
const NOTHING = { low: 0, high: 0, reserved: false, unsupported: false };

class OnQemu {
  private readonly qemu: Gicv5Qemu;
  private readonly comparison: Gicv5Comparison;
  private readonly machine: Gicv5Machine;
  private readonly level2: Level2Places;
  /** Whether QEMU lacks an access that no PE can be given: what it does from there on is something else. */
  private isLost = false;
  /** The first such access, by its place in the batch. */
  private lostFrom = Number.POSITIVE_INFINITY;
  /** What QEMU is given for the records of a batch. */
  private given = new RecordBatch(4096);
  /** By place in `given`: the record for which it is, and whether it is not the stimulus of that record but one beside it. */
  private of: { readonly i: number; readonly isBeside: boolean }[] = [];

  constructor(config: Gicv5Config, qemu: Gicv5Qemu, comparison: Gicv5Comparison, level2: Level2Places) {
    this.qemu = qemu;
    this.comparison = comparison;
    this.machine = new Gicv5Machine(config);
    this.level2 = level2;
  }

  async take(batch: RecordBatch, first: number): Promise<void> {
    if (this.isLost) this.lostFrom = 0;
    this.given = new RecordBatch(4 * batch.count + 16);
    this.of = [];
    for (let i = 0; i < batch.count; i++) if (isStimulus(batch.kind[i]!)) this.plan(batch, i);
    const answers = new Map<number, Answered>();
    const besides = new Map<number, Answered[]>();
    await this.qemu.run(this.given, (k, { value, reserved, shown, skipped }) => {
      const { i, isBeside } = this.of[k]!;
      const copy = new RecordBatch(shown.count);
      for (let n = 0; n < shown.count; n++) copy.copy(shown, n);
      const [low, high] = [Number(value & 0xffff_ffffn), Number(value >> 32n)];
      const answer: Answered = { k, shown: copy, low, high, reserved, unsupported: false, skipped };
      if (!isBeside) answers.set(i, answer);
      else besides.set(i, [...(besides.get(i) ?? []), answer]);
    });
    const { comparison } = this;
    comparison.enter(batch, first);
    for (let i = 0; i < batch.count; i++) {
      if (isObservable(batch.kind[i]!)) comparison.observe(batch, i, first + i);
      if (!isStimulus(batch.kind[i]!)) continue;
      for (const one of besides.get(i) ?? []) comparison.beside(this.given, one.k, one, one.shown);
      comparison.begin(batch, i, first + i);
      const answer = answers.get(i);
      const isLost = this.lostFrom <= i;
      if (isLost) comparison.endOutput();
      if (batch.kind[i] === KIND['state.known'] && !isLost) {
        comparison.answered(batch, i, NOTHING);
        continue;
      }
      if (answer === undefined || answer.skipped !== undefined) {
        comparison.skipped(answer?.skipped ?? notGiven(batch, i));
        continue;
      }
      const { shown } = answer;
      comparison.answered(batch, i, answer);
      for (let k = 0; k < shown.count; k++) comparison.did(shown, k);
    }
    comparison.leave(batch);
  }

  /** What QEMU is given for a stimulus. */
  private plan(batch: RecordBatch, i: number): void {
    if (this.isLost) return;
    const kind = batch.kind[i]!;
    const w = batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
    const isUndecided = (batch.flags[i]! & RECORD_FLAGS.undecided) !== 0;
    if (kind === KIND['mmio.write'] && w[0] === FRAME_IRS && w[2] === IRS.IRS_MAP_L2_ISTR.offset)
      this.placeLevel2(i, w[4]! & ID);
    gicv5Step(this.machine, batch, i);
    if (this.machine.state.ist[IST.valid] === 0) this.level2.clear();
    if (kind === KIND['state.known']) this.reveal(i, batch.pe[i]!, w);
    else if (isUndecided) {
      this.isLost = true;
      this.lostFrom = i;
    } else if (kind !== KIND['cpuif.unseen']) this.give(batch, i);
  }

  private give(batch: RecordBatch, i: number): void {
    this.of.push({ i, isBeside: false });
    this.given.copy(batch, i);
  }

  /** Gives QEMU a stimulus beside that of record `i`. */
  private beside(i: number, kind: number, pe: number, ...words: number[]): void {
    this.of.push({ i, isBeside: true });
    const at = this.given.push(kind, pe, Number.NaN) * RECORD_WORDS;
    this.given.words.set(words, at);
  }

  /** The level-2 table of an LPI that is about to be mapped gets a place, if the source has none for it. */
  private placeLevel2(i: number, id: number): void {
    const { state } = this.machine;
    const { ist, memory } = state;
    if (ist[IST.valid] === 0 || ist[IST.twoLevel] === 0 || id >= 2 ** ist[IST.idBits]!) return;
    const l1 = gicv5L1Address(this.machine, id);
    const place = memory.areKnown(l1, 8) ? undefined : this.level2.take(l1);
    if (place === undefined) return;
    const words = (address: number) => [address >>> 0, Math.floor(address / 2 ** 32)];
    this.beside(i, KIND['mem.write'], 0, ...words(l1), 8, ...words(place));
  }

  /** What the source reveals of a CPU interface is written to it. */
  private reveal(i: number, pe: number, [what, , , register, intid]: Uint32Array): void {
    const { state } = this.machine;
    const write = (encoding: number, low: number, high = 0) =>
      this.beside(i, KIND['sysreg.write'], pe, encoding, low >>> 0, high >>> 0);
    if (pe < 0 || pe >= state.peCount) return;
    const enables = (half: number) => {
      const at = 4 * pe + 2 * half;
      write(ENABLER + half, state.ppi.enable[at]!, state.ppi.enable[at + 1]!);
    };
    if (what === REGISTER) {
      // After a reset, QEMU takes an interrupt that does not exist for its best PPI until a register of PPIs is written
      // (docs/findings.md, 10), which software does before it enables the interface.
      if (register === code('ICC_CR0_EL1') || register === code('ICC_PCR_EL1')) enables(0);
      if (register === code('ICC_CR0_EL1')) write(register, state.cr0[pe]!);
      else if (register === code('ICC_PCR_EL1')) write(register, state.pcr[pe]!);
      return;
    }
    if (gicv5Type(intid!) !== GICV5_TYPES.PPI) return;
    const id = gicv5Id(intid!);
    if (KNOWN_STATE[what!] === 'enable') enables(id >> 6);
    else if (KNOWN_STATE[what!] === 'priority') {
      const first = 128 * pe + (id & ~7);
      const word = (at: number) =>
        [0, 1, 2, 3].reduce((sum, k) => sum | (state.ppiPriority[at + k]! << (8 * k)), 0);
      write(PRIORITYR + (id >> 3), word(first), word(first + 4));
    }
  }
}

function notGiven(batch: RecordBatch, i: number): string {
  return batch.kind[i] === KIND['cpuif.unseen']
    ? 'writes of a CPU interface of which the source has the effects alone'
    : 'from the first access on that the source assigns to no PE, and that QEMU cannot be given';
}
