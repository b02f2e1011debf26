// Learns the state that a source reveals only by its consequences. Runs each stimulus on the model and, as replay will,
// compares what the model returns and signals with the source. If they differ, and part of the state that decides it is
// unknown, the source reveals that part: it is put before the stimulus, as a `state.known` record by a named rule, and
// the stimulus runs again. A difference that no unknown state explains is left as it is, for replay to find.
import type { GicConfig } from '@gictrace/core';
import type { GicState, Machine } from '@gictrace/core/model';
import {
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  RULES,
  SIGNALS,
  STIMULI_BELOW,
} from '@gictrace/core/record';
import { SPURIOUS, SYSREGS } from '@gictrace/core/spec';
import { EOIRS, HPPIRS, IARS, OF_GROUP_0 } from '../cpu-registers.ts';
import { Inference } from '../infer/inference.ts';
import type { Losses } from '../losses.ts';
import {
  CONFLICT,
  FRAME_GICR,
  FRAME_GITS,
  GIC_RESET,
  HPPI,
  ITS_COMMAND,
  MEM_WRITE,
  MMIO_READ,
  MMIO_WRITE,
  STATE_KNOWN,
  SYSREG_WRITE,
} from '../record-kinds.ts';
import { Beforehand } from './beforehand.ts';
import { Effects } from './effects.ts';
import { Ends } from './ends.ts';
import { Explainer } from './explain.ts';
import { ItsState } from './its-state.ts';
import { Judge } from './judge.ts';
import { Knowing } from './knowing.ts';
import { LineComparison, lastLine, lineOf, type Mismatch } from './line-comparison.ts';
import { Machines } from './machines.ts';
import { NonSecureAccess } from './non-secure.ts';
import { Reads } from './reads.ts';
import type { Shared } from './shared.ts';
import { SignalledLines } from './signalled.ts';
import type { Place, SourceFacts } from './source-facts.ts';
import { FORGETS, Unknowns } from './unknowns.ts';
import { UnshownCommands } from './unshown-commands.ts';
import { Virtual } from './virtual.ts';

const MEMORY = new Set<number>(
  (['mem.write', 'mem.known', 'mem.unknown', 'queue.write', 'state.known', 'source.seam'] as const).map(
    (name) => RECORDS[name].id,
  ),
);
const CTLR = 0;
const CWRITER = 0x88;
const COMMAND_BYTES = 32;
const ENABLE_LPIS = 1;
const PTZ_HIGH = 0x4000_0000;
const VIRTUAL_ACKNOWLEDGES: readonly number[] = [SYSREGS.ICV_IAR0_EL1, SYSREGS.ICV_IAR1_EL1].map(
  ({ encoding }) => encoding,
);
/** The number of tries for one stimulus. */
const TRIES = 24;

export class Learner {
  /** Lines of the source that differ from the model in a way that no unknown state explains. */
  readonly contradictions: number[] = [];
  private readonly facts: SourceFacts;
  private readonly losses: Losses;
  private readonly place: Place;
  private readonly machines: Machines;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;
  private readonly explainer: Explainer;
  private readonly effects: Effects;
  private readonly access: NonSecureAccess;
  private readonly reads: Reads;
  private readonly its: ItsState;
  private readonly commands: UnshownCommands;
  private readonly ends: Ends;
  private readonly beforehand: Beforehand;
  private readonly virtual: Virtual;
  private readonly judge: Judge;
  private readonly lines: SignalledLines;
  private readonly hppi: LineComparison | undefined;
  private readonly mismatches: Mismatch[] = [];

  constructor(
    config: GicConfig,
    facts: SourceFacts,
    losses: Losses,
    out: (batch: RecordBatch, i: number) => void,
  ) {
    this.facts = facts;
    this.losses = losses;
    const inference = new Inference(config, out, facts);
    const { machine } = inference;
    const { state } = machine;
    this.unknowns = new Unknowns(state, facts.start, facts.missing);
    inference.lpis.mayBeClear = (pe, intid) =>
      this.unknowns.isDoubtful && this.unknowns.isLpiUnknown(pe, intid);
    this.knowing = new Knowing(machine);
    this.machines = new Machines(config, inference, this.knowing, out);
    this.explainer = new Explainer(machine, this.unknowns, this.knowing);
    this.access = new NonSecureAccess(state, this.unknowns);
    this.effects = new Effects(state, this.unknowns, this.access);
    this.place = { begun: facts.start === 'reset', isCut: facts.start !== 'reset', isEnd: false };
    const { machines, unknowns, knowing, explainer, effects, place, contradictions } = this;
    const shared: Shared = {
      facts,
      losses,
      place,
      machines,
      unknowns,
      knowing,
      explainer,
      effects,
      contradictions,
    };
    this.reads = new Reads(machine, this.unknowns, this.knowing, this.access);
    this.its = new ItsState(state, this.unknowns, this.knowing);
    this.commands = new UnshownCommands(shared);
    this.ends = new Ends(shared);
    this.beforehand = new Beforehand(shared, this.ends);
    const comparisons = SIGNALS.map((signal) => new LineComparison(signal, state.peCount));
    this.hppi = facts.shows(HPPI) ? comparisons.find(({ kind }) => kind === HPPI) : undefined;
    this.virtual = new Virtual(shared, comparisons);
    const { reads, its, commands, virtual, mismatches } = this;
    this.judge = new Judge(shared, { reads, its, commands, virtual, mismatches });
    this.lines = new SignalledLines(shared, this.judge, this.hppi, this.mismatches);
    if (this.unknowns.any) this.machines.activate();
  }

  private get state(): GicState {
    return this.machines.ahead.state;
  }

  /** The model after everything taken so far. */
  get machine(): Machine {
    return this.machines.ahead;
  }

  /** From here on each stimulus is compared, even if nothing is unknown. */
  watch(): void {
    if (!this.machines.isActive) this.machines.activate();
  }

  /** Takes a group of records and hands them on, with what is learnt placed before the stimulus that needs it. */
  take(group: RecordBatch, isLast = false): void {
    if (!this.machines.isActive) {
      const opens = this.facts.isExact !== true && this.opens(group);
      if (!opens && !this.commands.runsUnknown(group)) {
        this.machines.inference.take(group);
        return;
      }
      this.machines.activate();
    }
    for (let i = 0; i < group.count; i++)
      if (group.kind[i] === CONFLICT) this.contradictions.push(group.line[i]!);
    for (let from = 0; from < group.count; ) {
      const end = this.endOf(group, from);
      this.place.isEnd = isLast && end === group.count;
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
    const { state } = this;
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

  private memory(group: RecordBatch, i: number): void {
    if (group.kind[i] === MEM_WRITE && this.unknowns.isDoubtful) this.commands.noteRewritten(group, i);
    if (group.kind[i] === STATE_KNOWN) this.effects.restored(group, i);
    this.machines.inference.prepare(group, i);
    this.explainer.lpiConfiguration.storesShown = this.machines.inference.storesShown;
    this.machines.shown.clear();
    this.machines.inference.run(group, i);
    this.machines.commitLearnt(this.machines.inference.knowledge, group, i);
    this.machines.commit(group, i);
  }

  private segment(group: RecordBatch, from: number, end: number): void {
    const run = this.unrunCommand(group, from, end);
    if (run > from) {
      this.segment(group, from, run);
      this.runCommands(group, run, end);
      return;
    }
    this.machines.shown.clear();
    this.knowing.clear();
    this.its.before(group, from, end);
    this.beforehand.take(group, from, end);
    this.machines.commitLearnt(this.knowing.batch, group, from);
    this.machines.shown.clear();
    this.effects.before(group, from);
    this.machines.inference.prepare(group, from);
    this.machines.commitLearnt(this.machines.inference.knowledge, group, from);
    for (let tries = 0; ; tries++) {
      this.machines.shown.clear();
      this.machines.inference.run(group, from);
      this.commands.noteDoubts();
      this.lines.compare(group, from, end);
      if (tries >= TRIES || !this.learn(group, from, end)) break;
    }
    this.finish(group, from, end);
  }

  /**
   * Looks for unknown state that explains one difference. Returns whether it found some, and then the stimulus has to
   * run again.
   */
  private learn(group: RecordBatch, from: number, end: number): boolean {
    this.knowing.clear();
    if (this.judge.isReadWrong(group, from)) {
      this.machines.goBack();
      if (this.learnRead(group, from) && this.knowing.batch.count > 0) {
        this.machines.commitLearnt(this.knowing.batch, group, from);
        this.machines.shown.clear();
        group.flags[from]! |= RECORD_FLAGS.undecided;
        return true;
      }
      return this.machines.runAgain(group, from);
    }
    const hard = this.mismatches.find(({ outstanding }) => outstanding);
    if (hard === undefined) return this.virtual.learn(group, from, end);
    if (this.ends.splits(group, from, hard)) return true;
    const target =
      hard.at >= 0 ? lineOf(group, hard.at) : lastLine(this.machines.behind.state, hard.pe, group, from);
    if (this.explainer.explain(hard.pe, target, 'hppi') && this.knowing.batch.count > 0) {
      this.machines.goBack();
      if (group.kind[from] === SYSREG_WRITE && EOIRS.includes(group.words[from * RECORD_WORDS]!))
        this.ends.moreUrgent(group.pe[from]!);
      this.machines.keep(group, from);
      return true;
    }
    this.machines.goBack();
    return this.machines.runAgain(group, from);
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
    if (VIRTUAL_ACKNOWLEDGES.includes(register)) return intid !== SPURIOUS && this.virtual.enable(pe);
    if (IARS.includes(register) || HPPIRS.includes(register)) {
      if (this.lines.isPrinted(pe, intid)) return false;
      if (intid === SPURIOUS) return this.explainer.silence(pe, 'acknowledge');
      const group_ = OF_GROUP_0.includes(register) ? 0 : this.state.singleSecurity ? 2 : -1;
      const line = IARS.includes(register) ? 1 : -1;
      return this.explainer.explain(pe, { intid, group: group_, priority: -1, line }, 'acknowledge');
    }
    return this.reads.sysreg(pe, register, intid, words[w + 2]!, isSecure);
  }

  /** Hands on a stimulus and its observables in their current form. */
  private finish(group: RecordBatch, from: number, end: number): void {
    this.judge.judge(group, from, end);
    this.machines.commitLearnt(this.machines.inference.knowledge, group, from);
    this.machines.commit(group, from);
    this.effects.after(group, from, this.machines.ahead.low);
    this.access.ran(group, from);
    if (group.kind[from] === GIC_RESET) {
      const forgets = FORGETS.has(group.rule[from]!);
      this.commands.reset();
      this.reads.reset(forgets);
      this.access.reset(forgets);
      if (forgets) this.lines.forget();
    }
    this.its.after(group, from, end);
    this.place.begun = true;
    this.place.isCut = false;
    for (let i = from + 1; i < end; i++) {
      if (group.kind[i]! < STIMULI_BELOW) {
        this.memory(group, i);
        continue;
      }
      if (group.kind[i] === HPPI) {
        this.lines.line(group, from, i);
        this.ends.touch(group, from);
      }
      this.machines.commit(group, i);
    }
  }

  /** Takes records that no stimulus of the source caused. */
  private observables(group: RecordBatch, from: number, end: number): void {
    this.machines.shown.clear();
    if (this.mismatches.length > 0) this.mismatches.length = 0;
    this.hppi?.compare(this.machines.behind.state, group, from, end, this.machines.shown, this.mismatches);
    for (let i = from; i < end; i++) {
      const kind = group.kind[i]!;
      if (!this.place.begun && this.judge.streams.has(kind)) {
        this.losses.add('effects of what stands before the first line');
        continue;
      }
      if (kind === ITS_COMMAND && this.facts.missing.has('GITS writes')) {
        this.runCommands(group, i, end);
        return;
      }
      if (kind === HPPI) this.lines.line(group, from, i);
      else if (!this.place.begun || (this.unknowns.isVolatile && this.judge.streams.has(kind)))
        group.flags[i]! |= RECORD_FLAGS.undecided;
      this.machines.commit(group, i);
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
