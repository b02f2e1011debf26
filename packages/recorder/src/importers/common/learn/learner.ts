// Learns the state that a source reveals only by its consequences. Runs each stimulus on the model and, as replay will,
// compares what the model returns and signals with the source. If they differ, and part of the state that decides it is
// unknown, the source reveals that part: it is put before the stimulus, as a `state.known` record by a named rule, and
// the stimulus runs again. A difference that no unknown state explains is left as it is, for replay to find.
//
// There are two machines: `ahead` tries things out; `behind` has taken what has been handed on, as a replay will.
import type { GicConfig } from '@gictrace/core';
import {
  configTableAddress,
  type GicState,
  groupOf,
  hasInterrupt,
  Machine,
  step,
} from '@gictrace/core/model';
import {
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  RULES,
  SIGNALS,
  STIMULI_BELOW,
} from '@gictrace/core/record';
import { ITS_OUTCOMES, isOutcomeKnown, isRefused, LPI_FIRST, SPURIOUS, SYSREGS } from '@gictrace/core/spec';
import { Inference } from '../infer.ts';
import type { Losses } from '../losses.ts';
import { Effects } from './effects.ts';
import { AP1R, Explainer } from './explain.ts';
import { ItsState } from './its-state.ts';
import { Knowing } from './knowing.ts';
import { Reads } from './reads.ts';
import { FRAME_GICR, FRAME_GITS } from './registers.ts';
import { Streams } from './streams.ts';
import { lastLine, lineOf, type Mismatch, Told } from './told.ts';
import { FORGETS, type Missing, type Start, Unknowns } from './unknowns.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const SOURCE_CONFLICT = RECORDS['source.conflict'].id;
const HPPI = RECORDS.hppi.id;
const VHPPI = RECORDS.vhppi.id;
const ITS_COMMAND = RECORDS['its.command'].id;
const SGI_SENT = RECORDS['sgi.sent'].id;
const MEMORY_ASSUMED = RECORDS['memory.assumed'].id;
const TABLES_READ = (['dte.read', 'cte.read', 'ite.read'] as const).map((name) => RECORDS[name].id);
const MSI_DROPPED = RECORDS['msi.dropped'].id;
const MSI_UNDECIDED = RECORDS['msi.undecided'].id;
const MSI_TRANSLATED = RECORDS['msi.translated'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const MEMORY = new Set<number>(
  (['mem.write', 'mem.known', 'mem.unknown', 'queue.write', 'state.known', 'source.seam'] as const).map(
    (name) => RECORDS[name].id,
  ),
);
/** Stimuli and effects that may ring the doorbell of a vPE. */
const RINGS = new Set<number>(
  (['its.command', 'vmsi.translated', 'vlpi.pended', 'vlpi.cleared'] as const).map(
    (name) => RECORDS[name].id,
  ),
);
const VLPI_FRAME = 0x2_0000;
const CTLR = 0;
const CWRITER = 0x88;
const CREADR = 0x90;
/** GITS_CREADR.Stalled, and the offset field in GITS_CREADR and GITS_CWRITER. */
const STALLED = 1;
const OFFSETS = 0xf_ffe0;
const COMMAND_BYTES = 32;
const ENABLE_LPIS = 1;
/** GITS_TYPER.Virtual. */
const TYPER_VIRTUAL = 2;
const PTZ_HIGH = 0x4000_0000;
const IARS: readonly number[] = [SYSREGS.ICC_IAR0_EL1, SYSREGS.ICC_IAR1_EL1, SYSREGS.ICC_NMIAR1_EL1].map(
  ({ encoding }) => encoding,
);
const HPPIRS: readonly number[] = [SYSREGS.ICC_HPPIR0_EL1, SYSREGS.ICC_HPPIR1_EL1].map(
  ({ encoding }) => encoding,
);
const EOIRS: readonly number[] = [SYSREGS.ICC_EOIR0_EL1, SYSREGS.ICC_EOIR1_EL1].map(
  ({ encoding }) => encoding,
);
const GROUP_ZERO: readonly number[] = [
  SYSREGS.ICC_IAR0_EL1,
  SYSREGS.ICC_HPPIR0_EL1,
  SYSREGS.ICC_EOIR0_EL1,
].map(({ encoding }) => encoding);
const SGIRS: readonly number[] = [SYSREGS.ICC_SGI0R_EL1, SYSREGS.ICC_SGI1R_EL1, SYSREGS.ICC_ASGI1R_EL1].map(
  ({ encoding }) => encoding,
);
const DIR = SYSREGS.ICC_DIR_EL1.encoding;
const CTLR_EL1 = SYSREGS.ICC_CTLR_EL1.encoding;
const EOIMODE = 2;
const VIRTUAL: ReadonlySet<number> = new Set(
  Object.entries(SYSREGS).flatMap(([name, { encoding }]) => (/^IC[HV]_/.test(name) ? [encoding] : [])),
);
const VIRTUAL_ACKNOWLEDGES: readonly number[] = [SYSREGS.ICV_IAR0_EL1, SYSREGS.ICV_IAR1_EL1].map(
  ({ encoding }) => encoding,
);
const HCR = SYSREGS.ICH_HCR_EL2.encoding;
const VMCR = SYSREGS.ICH_VMCR_EL2.encoding;
/** ICH_VMCR_EL2: both groups enabled, no priority masked. */
const VMCR_OPEN = 0xff00_0003;
const CUT_END = 'effects of what stands behind the last line';
const PRINTED = 1;
const PRINTED_WITH_LINES = 2;
/** The number of tries for one stimulus. */
const TRIES = 24;

/** What is known about a source before it is read. */
export interface SourceFacts {
  readonly start: Start;
  readonly missing: ReadonlySet<Missing>;
  /**
   * Whether the source has lines for a kind of observable. Called only where the answer makes a difference, which may
   * be late.
   */
  shows(kind: number): boolean;
  /** The source has lines about the level of an input even if it has not changed. */
  readonly repeatsLevels?: boolean;
  /**
   * Everything in the source is as it was. Nothing is learnt until an ITS executes a command that is not in the source.
   */
  readonly isExact?: boolean;
  /**
   * The source has a line for each command that an ITS executes, so a command without a line is a contradiction and
   * does not explain another one. For callers that only want to know what contradicts the model.
   */
  readonly listsCommands?: boolean;
}

/** Facts of a source that contains everything and begins with the reset of the GIC. */
export const WHOLE: SourceFacts = { start: 'reset', missing: new Set(), shows: () => true };

export class Learner {
  private readonly inference: Inference;
  private readonly ahead: Machine;
  private behind: Machine | undefined;
  private readonly config: GicConfig;
  private readonly facts: SourceFacts;
  private readonly losses: Losses;
  private readonly out: (batch: RecordBatch, i: number) => void;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;
  private readonly explainer: Explainer;
  private readonly reads: Reads;
  private readonly effects: Effects;
  private readonly its: ItsState;
  private readonly told: readonly Told[];
  private readonly hppi: Told | undefined;
  private readonly vhppi: Told | undefined;
  private readonly streams: Streams;
  private readonly shown = new RecordBatch(8192);
  private readonly mismatches: Mismatch[] = [];
  /** By PE: whether a line has printed what it is signalled, and whether with the interrupt lines. */
  private readonly printed: Uint8Array;
  /** A stimulus has been taken. Before the first one, the log is cut off. */
  private begun: boolean;
  /** The lines of the next stimulus's effects may have been cut off. */
  private isCut: boolean;
  /** Nothing follows the current stimulus. Its effects, or those of another stimulus after it, may be cut off. */
  private isEnd = false;
  /** By ITS that may not yet have executed all the commands it was given: a value that its read pointer has reached. */
  private readonly executing = new Map<number, number>();
  /** A command or a message may have changed what is known about vPEs and vLPIs. */
  private doubtsVirtual = false;
  /** Lines of the source that differ from the model in a way that no unknown state explains. */
  readonly contradictions: number[] = [];

  constructor(
    config: GicConfig,
    facts: SourceFacts,
    losses: Losses,
    out: (batch: RecordBatch, i: number) => void,
  ) {
    this.config = config;
    this.facts = facts;
    this.losses = losses;
    this.out = out;
    this.inference = new Inference(config, out, facts);
    this.ahead = this.inference.machine;
    const { state } = this.ahead;
    this.unknowns = new Unknowns(state, facts.start, facts.missing);
    this.inference.mayBeClear = (pe, intid) =>
      this.unknowns.isDoubtful && this.unknowns.isLpiUnknown(pe, intid);
    this.knowing = new Knowing(this.ahead);
    this.explainer = new Explainer(this.ahead, this.unknowns, this.knowing);
    this.reads = new Reads(this.ahead, this.unknowns, this.knowing, this.explainer);
    this.effects = new Effects(state, this.unknowns);
    this.its = new ItsState(state, this.unknowns, this.knowing, this.explainer);
    this.told = SIGNALS.map((signal) => new Told(signal, state.peCount));
    this.hppi = facts.shows(HPPI) ? this.told.find(({ kind }) => kind === HPPI) : undefined;
    this.vhppi = this.told.find(({ kind }) => kind === VHPPI);
    this.streams = new Streams((kind) => facts.shows(kind));
    this.printed = new Uint8Array(state.peCount);
    this.begun = facts.start === 'reset';
    this.isCut = !this.begun;
    if (this.unknowns.any) this.activate();
  }

  private get state(): GicState {
    return this.ahead.state;
  }

  /** The model after everything taken so far. */
  get machine(): Machine {
    return this.ahead;
  }

  /** From here on each stimulus is compared, even if nothing is unknown. */
  watch(): void {
    if (this.behind === undefined) this.activate();
  }

  /** From here on something is unknown, and there are two machines. */
  private activate(): void {
    this.behind = new Machine(this.config);
    this.behind.state.restore(this.ahead.state.save());
    this.behind.invalidate();
    this.ahead.sink = { batch: this.shown, events: true, full: () => this.shown.clear() };
  }

  /** Takes a group of records and hands them on, with what is learnt placed before the stimulus that needs it. */
  take(group: RecordBatch, isLast = false): void {
    if (this.behind === undefined) {
      const opens = this.facts.isExact !== true && this.opens(group);
      if (!opens && !this.runsUnknown(group)) {
        this.inference.take(group);
        return;
      }
      this.activate();
    }
    for (let i = 0; i < group.count; i++)
      if (group.kind[i] === SOURCE_CONFLICT) this.contradictions.push(group.line[i]!);
    for (let from = 0; from < group.count; ) {
      const end = this.endOf(group, from);
      this.isEnd = isLast && end === group.count;
      if (group.kind[from]! >= STIMULI_BELOW) this.observables(group, from, end);
      else if (MEMORY.has(group.kind[from]!)) {
        this.memory(group, from);
        from++;
        continue;
      } else this.segment(group, from, end);
      from = end;
    }
  }

  /** Whether a group loads another state, or enables LPIs on a PE while the content of its pending table is unknown. */
  private opens(group: RecordBatch): boolean {
    const { state } = this.ahead;
    let opens = false;
    for (let i = 0; i < group.count; i++) {
      if (group.kind[i] === GIC_RESET && FORGETS.has(group.rule[i]!)) return true;
      const w = i * RECORD_WORDS;
      const { words } = group;
      if (group.kind[i] !== MMIO_WRITE || words[w] !== FRAME_GICR || words[w + 2] !== CTLR) continue;
      const pe = words[w + 1]!;
      if (pe >= state.peCount || (words[w + 4]! & ENABLE_LPIS) === 0 || state.gicrCtlr[pe]! & ENABLE_LPIS)
        continue;
      if (state.pendbaser[2 * pe + 1]! & PTZ_HIGH) continue;
      opens = true;
    }
    return opens;
  }

  /** Whether a group may make an ITS execute a command that is not in the source. */
  private runsUnknown(group: RecordBatch): boolean {
    const { state } = this.ahead;
    if (state.itsCount === 0) return false;
    let stores = false;
    for (let i = 0; i < group.count; i++) {
      const w = i * RECORD_WORDS;
      const { words } = group;
      if (group.kind[i] === MEM_WRITE || group.kind[i] === QUEUE_WRITE) stores = true;
      if (group.kind[i] !== MMIO_WRITE || words[w] !== FRAME_GITS) continue;
      const its = words[w + 1]!;
      const isRun = words[w + 2] === CWRITER || (words[w + 2] === CTLR && (words[w + 4]! & 1) !== 0);
      if (!isRun || its >= state.itsCount) continue;
      // What the group itself stores is not in memory yet. Examining more than necessary only costs time.
      if (stores) return !this.areQueued(group, i, its);
      const end = words[w + 2] === CWRITER ? words[w + 4]! : state.cwriter[its]!;
      for (const address of queueSlots(state, its, end))
        if (!this.inference.isSlotShown(address) || this.inference.isSlotBlank(address)) return true;
    }
    return false;
  }

  /**
   * Whether each slot that record `i` of a group makes an ITS execute is known, or is stored by the group before it.
   */
  private areQueued(group: RecordBatch, i: number, its: number): boolean {
    const { words } = group;
    const stored = new Set<number>();
    for (let k = 0; k < i; k++)
      if (group.kind[k] === QUEUE_WRITE)
        stored.add(words[k * RECORD_WORDS + 2]! * 2 ** 32 + words[k * RECORD_WORDS + 1]!);
    const w = i * RECORD_WORDS;
    const end = words[w + 2] === CWRITER ? words[w + 4]! : this.ahead.state.cwriter[its]!;
    return queueSlots(this.ahead.state, its, end).every(
      (address) =>
        stored.has(address) || (this.inference.isSlotShown(address) && !this.inference.isSlotBlank(address)),
    );
  }

  /** The end of the records after `from` that belong to it, which is the next stimulus that is not a store. */
  private endOf(group: RecordBatch, from: number): number {
    for (let i = from + 1; i < group.count; i++)
      if (
        group.kind[i]! < STIMULI_BELOW &&
        (group.kind[from]! >= STIMULI_BELOW || !MEMORY.has(group.kind[i]!))
      )
        return i;
    return group.count;
  }

  // ---- handing on ------------------------------------------------------------------------------------------

  /** Hands on a record that the model ahead has taken, and gives it to the machine behind. */
  private commit(batch: RecordBatch, i: number): void {
    if (batch.kind[i]! < STIMULI_BELOW) step(this.behind!, batch, i);
    this.out(batch, i);
  }

  /** Hands on what has been learnt, with the time and the line of record `i` of a group. */
  private commitLearnt(batch: RecordBatch, group: RecordBatch, i: number): void {
    for (let k = 0; k < batch.count; k++) {
      batch.timeNs[k] = group.timeNs[i]!;
      batch.line[k] = group.line[i]!;
      this.commit(batch, k);
    }
    batch.clear();
  }

  /** Returns the model ahead to the state that has been handed on. */
  private goBack(): void {
    this.ahead.state.restore(this.behind!.state.save());
    this.ahead.invalidate();
    this.inference.knowledge.clear();
    this.shown.clear();
  }

  /** Hands on what the explanation made known. The model ahead, which has gone back, takes it, too. */
  private keep(group: RecordBatch, i: number): void {
    const { batch } = this.knowing;
    for (let k = 0; k < batch.count; k++) step(this.ahead, batch, k);
    this.commitLearnt(batch, group, i);
    this.shown.clear();
  }

  private memory(group: RecordBatch, i: number): void {
    if (group.kind[i] === MEM_WRITE && this.unknowns.isDoubtful) this.noteRewritten(group, i);
    this.inference.prepare(group, i);
    this.explainer.storesShown = this.inference.storesShown;
    this.shown.clear();
    this.inference.run(group, i);
    this.commitLearnt(this.inference.knowledge, group, i);
    this.commit(group, i);
  }

  /** Notes a store to configuration bytes. What Redistributors have read of them may be older. */
  private noteRewritten(group: RecordBatch, i: number): void {
    const { state } = this;
    const w = i * RECORD_WORDS;
    const address = group.words[w + 1]! * 2 ** 32 + group.words[w]!;
    for (let pe = 0; pe < state.peCount; pe++) {
      const first = address - configTableAddress(state, pe) + LPI_FIRST;
      if (first < LPI_FIRST || first >= 2 ** ((state.propbaser[2 * pe]! & 0x1f) + 1)) continue;
      for (let k = 0; k < group.words[w + 2]!; k++) this.unknowns.rewritten.add(first + k);
    }
  }

  // ---- a stimulus ------------------------------------------------------------------------------------------

  private segment(group: RecordBatch, from: number, end: number): void {
    const run = this.unrunCommand(group, from, end);
    if (run > from) {
      this.segment(group, from, run);
      this.runCommands(group, run, end);
      return;
    }
    this.shown.clear();
    this.knowing.clear();
    this.its.before(group, from, end);
    this.before(group, from, end);
    this.commitLearnt(this.knowing.batch, group, from);
    this.shown.clear();
    this.effects.before(group, from);
    this.inference.prepare(group, from);
    this.commitLearnt(this.inference.knowledge, group, from);
    for (let tries = 0; ; tries++) {
      this.shown.clear();
      this.inference.run(group, from);
      this.noteDoubts();
      this.compare(group, from, end);
      if (tries >= TRIES || !this.learn(group, from, end)) break;
    }
    this.finish(group, from, end);
  }

  /**
   * Notes what the stimulus left open, because a command or a table entry is not in the source, and what it settled.
   */
  private noteDoubts(): void {
    const { shown, unknowns } = this;
    if (this.facts.listsCommands) return;
    for (let k = 0; k < shown.count; k++) {
      const w = k * RECORD_WORDS;
      const kind = shown.kind[k]!;
      if (kind === ITS_COMMAND && !isOutcomeKnown(shown.words[w + 2]!))
        this.doubt(shown.words[w]!, shown.words[w + 2] === ITS_OUTCOMES.NOT_SHOWN);
      else if (kind === MSI_UNDECIDED) {
        unknowns.doubtLpis();
        this.doubtVirtual(shown.words[w]!);
      } else if (!unknowns.isDoubtful) continue;
      // Whether a vLPI was pending, and with which doorbell, is unknown, and so is whether that doorbell was rung.
      else if (this.doubtsVirtual && RINGS.has(kind)) unknowns.doubtLpis();
      else if (kind === LPI_PENDED || kind === LPI_CLEARED) unknowns.knowLpi(shown.pe[k]!, shown.words[w]!);
      else if (kind === MSI_TRANSLATED) unknowns.knowLpi(shown.pe[k]!, shown.words[w + 3]!);
    }
  }

  /** An ITS executed a command that is not in the source, or whose effect depends on something that is not. */
  private doubt(its: number, isCommand: boolean): void {
    const { state, unknowns } = this;
    unknowns.doubtLpis();
    for (let pe = 0; pe < state.peCount; pe++)
      for (const [intid, byte] of state.lpiConfig[pe]!) {
        // A Redistributor that reads the same value again has learnt nothing.
        const address = configTableAddress(state, pe) + intid - LPI_FIRST;
        if (!state.memory.isKnown(address) || state.memory.readByte(address) !== byte)
          unknowns.loseConfig(pe, intid);
      }
    // The command may take time, or may have been refused and have stalled the queue.
    if (isCommand && state.profile.itsErrors === 'stall' && !this.executing.has(its))
      this.executing.set(its, this.behind!.state.creadr[its]!);
    this.doubtVirtual(its);
  }

  /** GICv4: the mapping of vPEs may have changed, and vLPIs may be pending. */
  private doubtVirtual(its: number): void {
    const { state, unknowns } = this;
    if ((state.gitsTyper[2 * its]! & TYPER_VIRTUAL) === 0) return;
    this.doubtsVirtual = true;
    for (let pe = 0; pe < state.peCount; pe++) unknowns.forgetPart('virtual', pe);
  }

  /** Takes what a stimulus reveals before it runs. */
  private before(group: RecordBatch, i: number, end: number): void {
    const w = i * RECORD_WORDS;
    const { words } = group;
    const pe = group.pe[i]!;
    const { state } = this.ahead;
    if (group.kind[i] === WIRE_SET) this.lineBefore(pe, words[w]!, words[w + 1]!);
    else if (group.kind[i] === MMIO_WRITE) {
      const enables = words[w] === FRAME_GICR && words[w + 2] === CTLR && words[w + 4]! & ENABLE_LPIS;
      if (enables && words[w + 1]! < state.peCount) this.explainer.placeTables(words[w + 1]!);
    } else if (group.kind[i] === SYSREG_WRITE && SGIRS.includes(words[w]!)) this.sgis(group, i, end);
    else if (group.kind[i] === SYSREG_WRITE && pe >= 0 && pe < state.peCount) {
      if (EOIRS.includes(words[w]!)) this.ends(pe, words[w]!, words[w + 1]! & 0xff_ffff);
      else if (words[w] === DIR && this.unknowns.isPartUnknown('ctlr', pe)) {
        const { unit, ctlr } = this.ownControl(group, i);
        if ((ctlr & EOIMODE) === 0)
          this.knowing.register(unit, pe, CTLR_EL1, ctlr | EOIMODE, 'state-from-end');
      }
    }
  }

  /** An SGI that was sent belongs to the requested group. One that was requested but not sent does not. */
  private sgis(group: RecordBatch, from: number, end: number): void {
    if (!this.facts.shows(SGI_SENT)) return;
    // With two Security states, only what Non-secure software sends is conclusive.
    if (!this.state.singleSecurity && group.flags[from]! & (RECORD_FLAGS.secure | RECORD_FLAGS.el3)) return;
    const intid = (group.words[from * RECORD_WORDS + 1]! >>> 24) & 0xf;
    const wanted = SGIRS.indexOf(group.words[from * RECORD_WORDS]!) === 1 ? 1 : 0;
    for (let i = from + 1; i < end; i++) {
      const pe = group.pe[i]!;
      if (group.kind[i] !== SGI_SENT || pe < 0 || pe >= this.state.peCount) continue;
      if (
        !this.unknowns.isUnknown('group', pe, intid) ||
        (groupOf(this.state, pe, intid) === 0) === (wanted === 0)
      )
        continue;
      this.knowing.interrupt('group', pe, intid, wanted, 'state-from-hppi');
    }
  }

  /** An input line had the opposite level before it changed, if the source has lines about changes only. */
  private lineBefore(pe: number, intid: number, level: number): void {
    if (intid >= 1020 || this.facts.repeatsLevels || !this.unknowns.isUnknown('level', pe, intid)) return;
    this.knowing.interrupt('level', pe, intid, 1 - level, 'input-line-from-change');
  }

  /** An interrupt that a PE ends was active there, with its priority. */
  private ends(pe: number, register: number, intid: number): void {
    const { state, unknowns } = this;
    if (!unknowns.isPartUnknown('active', pe)) return;
    const group = GROUP_ZERO.includes(register) ? 0 : 2;
    let active = 0;
    for (let n = 0; n < 4; n++)
      active |= state.ap0r[4 * pe + n]! | state.ap1r[4 * pe + n]! | state.ap1rS[4 * pe + n]!;
    if (active !== 0 || (intid >= 1020 && intid < 8192)) return;
    const priority = this.explainer.priorityOf(pe, intid);
    this.explainer.activate(pe, group, priority >= 0 && priority < 0xff ? priority : 0xa0, 'state-from-end');
    if (intid < 1020 && unknowns.isUnknown('active', pe, intid))
      this.knowing.interrupt('active', pe, intid, 1, 'state-from-end');
  }

  /** Compares what the model signalled to PEs with the lines of the source, and puts differences into `mismatches`. */
  private compare(group: RecordBatch, from: number, end: number): void {
    this.mismatches.length = 0;
    // A reset withdraws what was signalled, and nothing is printed for it.
    const before = group.kind[from] === GIC_RESET ? this.ahead.state : this.behind!.state;
    this.hppi?.compare(before, group, from + 1, end, this.shown, this.mismatches);
  }

  /** Whether the response of a read differs. */
  private isReadWrong(group: RecordBatch, i: number): boolean {
    const kind = group.kind[i];
    if ((kind !== MMIO_READ && kind !== SYSREG_READ) || this.ahead.unsupported) return false;
    if (group.flags[i]! & (RECORD_FLAGS.valueUnknown | RECORD_FLAGS.undecided)) return false;
    const w = i * RECORD_WORDS + (kind === MMIO_READ ? 4 : 1);
    return group.words[w] !== this.ahead.low || group.words[w + 1] !== this.ahead.high;
  }

  /**
   * Looks for unknown state that explains one difference. Returns whether it found some, and then the stimulus has to
   * run again.
   */
  private learn(group: RecordBatch, from: number, end: number): boolean {
    this.knowing.clear();
    if (this.isReadWrong(group, from)) {
      this.goBack();
      if (this.learnRead(group, from) && this.knowing.batch.count > 0) {
        this.commitLearnt(this.knowing.batch, group, from);
        this.shown.clear();
        group.flags[from]! |= RECORD_FLAGS.undecided;
        return true;
      }
      return this.runAgain(group, from);
    }
    const hard = this.mismatches.find(({ outstanding }) => outstanding);
    if (hard === undefined) return this.learnVirtual(group, from, end);
    if (this.splitsEnd(group, from, hard)) return true;
    const target = hard.at >= 0 ? lineOf(group, hard.at) : lastLine(this.behind!.state, hard.pe, group, from);
    if (this.explainer.explain(hard.pe, target, 'hppi') && this.knowing.batch.count > 0) {
      this.goBack();
      if (group.kind[from] === SYSREG_WRITE && EOIRS.includes(group.words[from * RECORD_WORDS]!))
        this.endsMoreUrgent(group.pe[from]!);
      this.keep(group, from);
      return true;
    }
    this.goBack();
    return this.runAgain(group, from);
  }

  /**
   * Suppose a PE ends an interrupt, and in the model the interrupt competes again at once, but the source does not
   * signal it. It must still be active then, so EOImode is 1, if the source has not recorded EOImode.
   */
  private splitsEnd(group: RecordBatch, from: number, { pe }: Mismatch): boolean {
    const w = from * RECORD_WORDS;
    const register = group.words[w]!;
    if (group.kind[from] !== SYSREG_WRITE || !EOIRS.includes(register) || group.pe[from] !== pe) return false;
    const intid = group.words[w + 1]! & 0xff_ffff;
    if (intid >= 1020 || this.state.hppiIntid[pe] !== intid || !this.unknowns.isPartUnknown('ctlr', pe))
      return false;
    if (lastLine(this.behind!.state, pe, group, from).intid === intid) return false;
    const { unit, ctlr } = this.ownControl(group, from);
    if (ctlr & EOIMODE) return false;
    this.goBack();
    this.knowing.register(unit, pe, CTLR_EL1, ctlr | EOIMODE, 'state-from-end');
    this.commitLearnt(this.knowing.batch, group, from);
    this.shown.clear();
    return true;
  }

  /** ICC_CTLR_EL1 in the model, of the Security state that makes the access. */
  private ownControl(group: RecordBatch, i: number): { unit: 'ICC' | 'ICC_S'; ctlr: number } {
    const isSecure = !this.state.singleSecurity && (group.flags[i]! & RECORD_FLAGS.secure) !== 0;
    const { ctlr, ctlrS } = this.state;
    return { unit: isSecure ? 'ICC_S' : 'ICC', ctlr: (isSecure ? ctlrS : ctlr)[group.pe[i]!]! };
  }

  /**
   * Suppose a PE ends an interrupt, and the source reveals that a priority is active afterwards. If the model already
   * has that priority active, it is not the one that was ended: the interrupt ended was more urgent.
   */
  private endsMoreUrgent(pe: number): void {
    const { batch } = this.knowing;
    for (let k = 0; k < batch.count; k++) {
      const w = k * RECORD_WORDS;
      const { words } = batch;
      const n = AP1R.indexOf(words[w + 3]!);
      const active = words[w + 5]!;
      if (n < 0 || active === 0 || this.state.ap1r[4 * pe + n] !== active) continue;
      const most = active & -active;
      words[w + 5] = (active | (most >>> 1)) >>> 0;
    }
  }

  /** Nothing explains the difference. The model ahead takes the stimulus as before, and that result stays. */
  private runAgain(group: RecordBatch, from: number): false {
    this.knowing.clear();
    this.inference.run(group, from);
    return false;
  }

  private learnRead(group: RecordBatch, i: number): boolean {
    const isSecure = (group.flags[i]! & RECORD_FLAGS.secure) !== 0;
    const w = i * RECORD_WORDS;
    const { words } = group;
    if (group.kind[i] === MMIO_READ)
      return this.reads.mmio(
        words[w]!,
        words[w + 1]!,
        words[w + 2]!,
        words[w + 3]!,
        words[w + 4]!,
        words[w + 5]!,
        isSecure,
      );
    const pe = group.pe[i]!;
    const register = words[w]!;
    const intid = words[w + 1]!;
    if (VIRTUAL_ACKNOWLEDGES.includes(register)) return intid !== SPURIOUS && this.enableVirtual(pe);
    if (IARS.includes(register) || HPPIRS.includes(register)) {
      if (this.isPrinted(pe, intid)) return false;
      if (intid === SPURIOUS) return this.explainer.silence(pe, 'acknowledge');
      const group_ = GROUP_ZERO.includes(register) ? 0 : this.state.singleSecurity ? 2 : -1;
      const line = IARS.includes(register) ? 1 : -1;
      return this.explainer.explain(pe, { intid, group: group_, priority: -1, line }, 'acknowledge');
    }
    return this.reads.sysreg(pe, register, intid, words[w + 2]!, isSecure);
  }

  /** A line says that a virtual interrupt is signalled while the model has the virtual CPU interface disabled. */
  private learnVirtual(group: RecordBatch, from: number, end: number): boolean {
    if (this.vhppi === undefined || !this.unknowns.isPartUnknownOfAny('virtual')) return false;
    const differing: Mismatch[] = [];
    this.vhppi.compare(this.behind!.state, group, from + 1, end, this.shown, differing);
    const one = differing.find(({ at, pe }) => {
      const w = at * RECORD_WORDS;
      const { hppi } = this.state.virtual;
      const isSignalled_ = at >= 0 && (group.words[w + 4]! | group.words[w + 5]!) !== 0;
      return isSignalled_ && (hppi[6 * pe + 4]! | hppi[6 * pe + 5]!) === 0;
    });
    if (one === undefined) return false;
    this.goBack();
    if (!this.enableVirtual(one.pe)) return this.runAgain(group, from);
    this.commitLearnt(this.knowing.batch, group, from);
    this.shown.clear();
    return true;
  }

  /**
   * The virtual CPU interface of a PE was enabled, and then so were its groups, and its priority mask masked nothing.
   */
  private enableVirtual(pe: number): boolean {
    const { virtual } = this.state;
    if (!this.unknowns.isPartUnknown('virtual', pe)) return false;
    if (!this.effects.isVirtualKnown(pe, HCR) && (virtual.hcr[pe]! & 1) === 0)
      this.knowing.register('ICH', pe, HCR, virtual.hcr[pe]! | 1, 'state-from-vhppi');
    else if (!this.effects.isVirtualKnown(pe, VMCR) && (virtual.vmcr[pe]! & VMCR_OPEN) >>> 0 !== VMCR_OPEN)
      this.knowing.register('ICH', pe, VMCR, (virtual.vmcr[pe]! | VMCR_OPEN) >>> 0, 'state-from-vhppi');
    else return false;
    return true;
  }

  /**
   * Whether the source has already printed what a PE is signalled, so that an acknowledge reveals nothing more, since
   * each change is printed. If the interrupt lines are not printed, it may still reveal whether they are asserted.
   */
  private isPrinted(pe: number, intid: number): boolean {
    const printed = this.printed[pe]!;
    if (printed === 0 || this.unknowns.isVolatile) return false;
    return printed === PRINTED_WITH_LINES || (intid !== SPURIOUS && intid !== this.state.hppiIntid[pe]);
  }

  /** Hands on a stimulus and its observables in their current form. */
  private finish(group: RecordBatch, from: number, end: number): void {
    this.judge(group, from, end);
    this.commitLearnt(this.inference.knowledge, group, from);
    this.commit(group, from);
    this.effects.after(group, from);
    if (group.kind[from] === GIC_RESET) this.executing.clear();
    this.its.after(group, from, end);
    this.begun = true;
    this.isCut = false;
    for (let i = from + 1; i < end; i++) {
      if (group.kind[i]! < STIMULI_BELOW) {
        this.memory(group, i);
        continue;
      }
      if (group.kind[i] === HPPI) {
        this.line(group, from, i);
        this.touchEnded(group, from);
      }
      this.commit(group, i);
    }
  }

  /** An interrupt that a PE ends may compete again, even if the PE was signalled nothing in between. */
  private touchEnded(group: RecordBatch, from: number): void {
    const w = from * RECORD_WORDS;
    const intid = group.words[w + 1]! & 0xff_ffff;
    if (group.kind[from] !== SYSREG_WRITE || intid >= 1020) return;
    if (!EOIRS.includes(group.words[w]!) && group.words[w] !== DIR) return;
    if (hasInterrupt(this.state, intid)) this.unknowns.touch(group.pe[from]!, intid);
  }

  /** Whether a read may return a different value because of state that is unknown. */
  private dependsOnUnknown(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const [register, intid] = [group.words[w]!, group.words[w + 1]!];
    if (group.kind[i] === SYSREG_READ && (IARS.includes(register) || HPPIRS.includes(register)))
      return (
        this.isObscure &&
        !this.explainer.isImpossible(group.pe[i]!, { intid, group: -1, priority: -1, line: -1 })
      );
    return this.reads.isUnknown(group, i);
  }

  /**
   * With two Security states, little of what decides which interrupt a PE is signalled can be learnt in a source that
   * begins in mid-life, because much of it depends on who reads it.
   */
  private get isObscure(): boolean {
    return !this.state.singleSecurity && this.unknowns.any && this.unknowns.start === 'mid-life';
  }

  /** Whether a read may return a different value because stimuli are missing. */
  private isReadOpen(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const [register, intid] = [group.words[w]!, group.words[w + 1]!];
    const isOfInterrupt =
      group.kind[i] === SYSREG_READ && (IARS.includes(register) || HPPIRS.includes(register));
    if (!isOfInterrupt || this.isEnd) return this.reads.isOpen(group, i);
    return !this.explainer.isImpossible(group.pe[i]!, { intid, group: -1, priority: -1, line: -1 });
  }

  /**
   * Whether a line is impossible even if stimuli are missing. An ITS may do several things before a line is printed.
   */
  private isImpossible(group: RecordBatch, from: number, i: number): boolean {
    const isIts = group.kind[from] === MMIO_WRITE && group.words[from * RECORD_WORDS] === FRAME_GITS;
    return (
      !this.isEnd && !this.isCut && !isIts && this.explainer.isImpossible(group.pe[i]!, lineOf(group, i))
    );
  }

  /**
   * Handles a line about a PE that belongs to the stimulus at record `from`. If the model signals something else, and
   * nothing is outstanding, the line reveals state.
   */
  private line(group: RecordBatch, from: number, i: number): void {
    const pe = group.pe[i]!;
    if (pe < 0 || pe >= this.state.peCount) return;
    const at = i * RECORD_WORDS;
    const target = lineOf(group, i);
    if (this.mismatches.some((one) => one.at === i)) {
      this.knowing.clear();
      if (this.explainer.explain(pe, target, 'hppi') && isSignalled(this.state, group, i)) {
        if (this.knowing.batch.count > 0) group.flags[i]! |= RECORD_FLAGS.undecided;
        this.commitLearnt(this.knowing.batch, group, i);
      } else {
        // Returns to what has been handed on. Half an explanation is not one.
        this.goBack();
        if (this.isEnd) this.losses.add(CUT_END);
        const isOpen = (this.unknowns.isVolatile || this.isObscure) && !this.isImpossible(group, from, i);
        if (isOpen || this.isEnd) group.flags[i]! |= RECORD_FLAGS.undecided;
        else this.contradictions.push(group.line[i]!);
        return;
      }
    }
    this.printed[pe] = target.line < 0 ? PRINTED : PRINTED_WITH_LINES;
    // The line repeats an undecided one before it, which the model has not taken.
    const isOfPe = (k: number) => group.kind[k] === HPPI && group.pe[k] === pe;
    for (let k = from; k < i; k++)
      if (isOfPe(k) && group.flags[k]! & RECORD_FLAGS.undecided && !isSignalled(this.state, group, i))
        group.flags[i]! |= RECORD_FLAGS.undecided;
    const w = group.words;
    this.effects.signalled(pe, w[at]!, w[at + 1]!, w[at + 2]!, target.line);
  }

  /** Marks what unknown state decides, and what cannot be evidence. */
  private judge(group: RecordBatch, from: number, end: number): void {
    const { unknowns } = this;
    const undecided = () => {
      group.flags[from]! |= RECORD_FLAGS.undecided;
    };
    if (this.isCut) undecided();
    if (group.kind[from] === MMIO_WRITE) this.reads.wrote(group, from);
    if (this.isReadWrong(group, from)) {
      const isVirtual = this.isVirtual(group, from);
      if (isVirtual) this.effects.forgetVirtual(group.pe[from]!);
      const isOpen =
        (unknowns.isVolatile && this.isReadOpen(group, from)) ||
        this.reads.isUnlearnt(group, from) ||
        this.dependsOnUnknown(group, from);
      if (isOpen || isVirtual || this.isExecuting(group, from)) undecided();
      else this.contradictions.push(group.line[from]!);
      this.judgeVirtual(group, from, end, undecided);
      return;
    }
    const isOpen = unknowns.isVolatile || this.isEnd || this.isObscure;
    if (this.mismatches.some(({ at, outstanding }) => at < 0 && outstanding)) {
      if (isOpen) undecided();
      else this.contradictions.push(group.line[from]!);
    }
    for (const { at, outstanding } of this.mismatches)
      if (at >= 0 && outstanding && isOpen && !this.isImpossible(group, from, at))
        group.flags[at]! |= RECORD_FLAGS.undecided;
    const next = this.isEnd ? this.nextCommands(group, from, end) : end;
    let streams = this.streams.differ(group, from + 1, next, this.shown);
    if (this.facts.listsCommands) {
      if (this.isUnlisted(group, from, end)) this.contradictions.push(group.line[from]!);
    } else if (streams === 'other' && this.hasDoubts()) {
      const mark = (i: number) => {
        group.flags[i]! |= RECORD_FLAGS.undecided;
      };
      if (this.streams.others(group, from + 1, end, this.shown, mark)) streams = 'same';
    }
    if (streams === 'less' && this.isEnd) undecided();
    else if (streams !== 'same' && (unknowns.isVolatile || this.isObscure || this.looksAside())) undecided();
    else if (streams === 'other') this.contradictions.push(group.line[from]!);
    if (streams === 'same' && this.drops()) undecided();
    this.judgeVirtual(group, from, end, undecided);
  }

  /**
   * Whether a read is of the read pointer of an ITS that is executing commands that are not in the source, and returns
   * a value that the pointer may have had meanwhile.
   */
  private isExecuting(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const { words } = group;
    const its = words[w + 1]!;
    const from = this.executing.get(its);
    if (group.kind[i] !== MMIO_READ || words[w] !== FRAME_GITS || words[w + 2] !== CREADR) return false;
    if (from === undefined || words[w + 5] !== 0) return false;
    const { cbaser, cwriter } = this.state;
    const bytes = ((cbaser[2 * its]! & 0xff) + 1) * 4096;
    const behind = (at: number) => (at - from + bytes) % bytes;
    const read = words[w + 4]! & ~STALLED;
    if (read % COMMAND_BYTES !== 0 || read >= bytes || behind(read) > behind(cwriter[its]! & OFFSETS))
      return false;
    this.executing.set(its, read);
    return true;
  }

  /** Whether a read is of the virtual CPU interface or the VLPI frame of a PE for which that state is unknown. */
  private isVirtual(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const { words } = group;
    if (group.kind[i] === SYSREG_READ)
      return VIRTUAL.has(words[w]!) && this.unknowns.isPartUnknown('virtual', group.pe[i]!);
    return (
      words[w] === FRAME_GICR &&
      words[w + 2]! >= VLPI_FRAME &&
      this.unknowns.isPartUnknown('virtual', words[w + 1]!)
    );
  }

  /**
   * Where commands begin that the next write of GITS_CWRITER has executed, which the source ends before: QEMU prints the
   * write behind its effects. Marks them and what they did as undecided.
   */
  private nextCommands(group: RecordBatch, from: number, end: number): number {
    for (let i = from + 1; i < end; i++) {
      const w = i * RECORD_WORDS;
      const its = group.words[w]!;
      if (group.kind[i] !== ITS_COMMAND || its >= this.state.itsCount) continue;
      const { cwriter, creadr } = this.state;
      const at = creadr[its]! & OFFSETS;
      if (at !== (cwriter[its]! & OFFSETS) || group.words[w + 1] !== at / COMMAND_BYTES) continue;
      if (this.executes(its, at / COMMAND_BYTES)) continue;
      this.losses.add(CUT_END);
      for (let k = i; k < end; k++)
        if (group.kind[k]! >= STIMULI_BELOW) group.flags[k]! |= RECORD_FLAGS.undecided;
      return i;
    }
    return end;
  }

  /** Whether the stimulus made an ITS execute the command in a slot. */
  private executes(its: number, slot: number): boolean {
    const { kind, words, count } = this.shown;
    for (let k = 0; k < count; k++)
      if (kind[k] === ITS_COMMAND && words[k * RECORD_WORDS] === its && words[k * RECORD_WORDS + 1] === slot)
        return true;
    return false;
  }

  /** Whether the stimulus made an ITS execute a command for which the source has no line. */
  private isUnlisted(group: RecordBatch, from: number, end: number): boolean {
    const { shown } = this;
    let unlisted = 0;
    for (let k = 0; k < shown.count; k++) if (shown.kind[k] === ITS_COMMAND) unlisted++;
    for (let i = from + 1; i < end && unlisted > 0; i++) if (group.kind[i] === ITS_COMMAND) unlisted--;
    return unlisted > 0;
  }

  /** Whether the stimulus made an ITS do something that the source does not record fully. */
  private hasDoubts(): boolean {
    const { shown } = this;
    for (let k = 0; k < shown.count; k++)
      if (
        shown.kind[k] === MSI_UNDECIDED ||
        (shown.kind[k] === ITS_COMMAND && !isOutcomeKnown(shown.words[k * RECORD_WORDS + 2]!))
      )
        return true;
    return false;
  }

  /** Whether the model read memory of which nothing is known, and which lines about tables could not reveal either. */
  private looksAside(): boolean {
    for (let i = 0; i < this.shown.count; i++)
      if (this.shown.kind[i] === MEMORY_ASSUMED) return !TABLES_READ.every((kind) => this.facts.shows(kind));
    return false;
  }

  /** Whether a message or a command had no effect because of unknown state. */
  private drops(): boolean {
    const { shown } = this;
    for (let i = 0; i < shown.count; i++)
      if (
        shown.kind[i] === MSI_DROPPED ||
        (shown.kind[i] === ITS_COMMAND && isRefused(shown.words[i * RECORD_WORDS + 2]!))
      )
        return this.its.isOpen() || this.looksAside();
    return false;
  }

  private judgeVirtual(group: RecordBatch, from: number, end: number, undecided: () => void): void {
    if (!this.unknowns.isPartUnknownOfAny('virtual')) return;
    for (const told of this.told) {
      if (told.kind === HPPI) continue;
      const differing: Mismatch[] = [];
      told.compare(this.behind!.state, group, from + 1, end, this.shown, differing);
      for (const { at, pe } of differing) {
        if (!this.unknowns.isPartUnknown('virtual', pe) || !this.facts.shows(told.kind)) continue;
        this.effects.forgetVirtual(pe);
        undecided();
        // Later lines may repeat it.
        for (let i = at < 0 ? end : at; i < end; i++)
          if (group.kind[i] === told.kind && group.pe[i] === pe) group.flags[i]! |= RECORD_FLAGS.undecided;
      }
    }
  }

  // ---- without a stimulus ----------------------------------------------------------------------------------

  /** Takes records that no stimulus of the source caused. */
  private observables(group: RecordBatch, from: number, end: number): void {
    this.shown.clear();
    this.mismatches.length = 0;
    this.hppi?.compare(this.behind!.state, group, from, end, this.shown, this.mismatches);
    for (let i = from; i < end; i++) {
      const kind = group.kind[i]!;
      if (!this.begun && this.streams.has(kind)) {
        this.losses.add('effects of what stands before the first line');
        continue;
      }
      if (kind === ITS_COMMAND && this.facts.missing.has('GITS writes')) {
        this.runCommands(group, i, end);
        return;
      }
      if (kind === HPPI) this.line(group, from, i);
      else if (!this.begun || (this.unknowns.isVolatile && this.streams.has(kind)))
        group.flags[i]! |= RECORD_FLAGS.undecided;
      this.commit(group, i);
    }
  }

  /** Index of the first command that no write in the source made an ITS run, or -1. */
  private unrunCommand(group: RecordBatch, from: number, end: number): number {
    if (!this.facts.missing.has('GITS writes')) return -1;
    const w = from * RECORD_WORDS;
    const { words } = group;
    if (
      group.kind[from] === MMIO_WRITE &&
      words[w] === FRAME_GITS &&
      (words[w + 2] === CTLR || words[w + 2] === CWRITER)
    )
      return -1;
    for (let i = from + 1; i < end; i++) if (group.kind[i] === ITS_COMMAND) return i;
    return -1;
  }

  /** Adds the write, missing from the source, that made an ITS run the commands from `from` on. */
  private runCommands(group: RecordBatch, from: number, end: number): void {
    let last = 0;
    for (let i = from; i < end; i++)
      if (group.kind[i] === ITS_COMMAND) last = group.words[i * RECORD_WORDS + 1]!;
    const whole = new RecordBatch(end - from + 1);
    const i = whole.push(MMIO_WRITE, -1, group.timeNs[from]!);
    whole.line[i] = group.line[from]!;
    whole.rule[i] = RULES['command-run'].id;
    whole.words.set([FRAME_GITS, 0, CWRITER, 8, (last + 1) * COMMAND_BYTES, 0], i * RECORD_WORDS);
    for (let k = from; k < end; k++) whole.copy(group, k);
    this.segment(whole, 0, whole.count);
  }
}

/** Addresses of the slots of a queue from the read pointer up to GITS_CWRITER `end`. */
function queueSlots(state: GicState, its: number, end: number): number[] {
  const low = state.cbaser[2 * its]!;
  const high = state.cbaser[2 * its + 1]!;
  const bytes = ((low & 0xff) + 1) * 4096;
  const base = (high & 0xf_ffff) * 2 ** 32 + ((low & 0xffff_f000) >>> 0);
  const write = end & 0xf_ffe0;
  const found: number[] = [];
  for (let at = state.creadr[its]! & 0xf_ffe0; at !== write && at < bytes && write < bytes; ) {
    found.push(base + at);
    at = (at + COMMAND_BYTES) % bytes;
  }
  return found;
}

/** Whether the state signals to a PE what a line says. */
function isSignalled(state: GicState, group: RecordBatch, i: number): boolean {
  const pe = group.pe[i]!;
  const w = i * RECORD_WORDS;
  const { words } = group;
  const isSame =
    words[w] === state.hppiIntid[pe] &&
    words[w + 1] === state.hppiGroup[pe] &&
    words[w + 2] === state.hppiPriority[pe];
  if (!isSame || group.flags[i]! & RECORD_FLAGS.valueUnknown) return isSame;
  return words[w + 3] === state.fiq[pe] && words[w + 4] === state.irq[pe];
}
