// Verbatim replay: the recorded stimuli, in order, to a simulator; every recorded response and observable held
// against what it shows. Streams. Knows nothing of files: batches in, a verdict out.
import {
  commandName,
  type EventSink,
  type GicConfig,
  IDLE,
  ITS_COMMANDS,
  Machine,
  type OperandSpec,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  RULES,
  recordText,
  SPURIOUS,
  STIMULI_BELOW,
  step,
} from '@gictrace/core';
import { Context, kindName } from './context.ts';
import { DIFFERS, HPPI, OrderedStream, PARTLY, STREAM_OF, ToldStream } from './observed.ts';
import type { Anomaly, Divergence, Verdict } from './verdict.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const VHPPI = RECORDS.vhppi.id;
const MAINTENANCE = RECORDS.maintenance.id;
const ITS_COMMAND = RECORDS['its.command'].id;
const CONFLICT = RECORDS['source.conflict'].id;
const MEMORY_ASSUMED = RECORDS['memory.assumed'].id;
const ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const DROPPED = RECORDS['irq.dropped'].id;
const FIRST_OBSERVABLE = 64;
const FIRST_EVENT = 96;

/** What each PE is told, before anything happens: nothing is pending and all lines are down. */
const TOLD = [
  { kind: HPPI, idle: [SPURIOUS, 0, IDLE, 0, 0], shownWithoutLines: 3 },
  { kind: VHPPI, idle: [0xffff_ffff, SPURIOUS, 0, IDLE, 0, 0], shownWithoutLines: 4 },
  { kind: MAINTENANCE, idle: [0], shownWithoutLines: 1 },
] as const;
const NOT_A_REGISTER = 'register-not-modelled';

/** Where replayed records go, for a re-recorded trace: stimuli with the new responses, observables and events. */
export interface ReplayOutput {
  record(batch: RecordBatch, i: number): void;
}

/** Differences that a person may let pass, with the reason. */
export const TOLERANCES = {
  'eoi-order':
    'an EOI that names another interrupt than the one acknowledged last: the guest breaks the rule of IHI 0069, "ICC_EOIR1_EL1", and the recording is right',
} as const;
export type Tolerance = keyof typeof TOLERANCES;

export interface ReplayOptions {
  readonly output?: ReplayOutput;
  /** Differences to let pass; each is counted in the verdict. */
  readonly allow?: readonly Tolerance[];
  /** Stop at the first divergence. */
  readonly stopAtFirst?: boolean;
}

/** Which bits of an its.command's words the source shows: by its `shown` mask. */
function commandMask(mask: Uint32Array, shown: number, opcode: number, outcomeShown: boolean): void {
  mask.fill(0);
  mask[0] = mask[1] = 0xffff_ffff;
  if (outcomeShown) mask[2] = 0xffff_ffff;
  mask[4] = 0xff;
  const name = commandName(opcode);
  if (name === undefined) return;
  (ITS_COMMANDS[name].operands as readonly OperandSpec[]).forEach((operand, k) => {
    if (((shown >>> k) & 1) === 0) return;
    for (let bit = operand.lsb; bit < operand.lsb + operand.width; bit++)
      mask[4 + 2 * operand.dw + (bit >> 5)]! |= 1 << (bit & 31);
  });
}

export class VerbatimReplay {
  readonly machine: Machine;
  private readonly shown = new RecordBatch(4096);
  /** By kind: what the PEs and their virtual machines are told. */
  private readonly told: readonly ToldStream[];
  private readonly toldOf = new Int8Array(256).fill(-1);
  private readonly streams = [new OrderedStream(4096), new OrderedStream(16_384), new OrderedStream(1024)];
  private readonly mask = new Uint32Array(RECORD_WORDS);
  private readonly compared = new Float64Array(256);
  private readonly divergedKinds = new Float64Array(256);
  private readonly rules = new Float64Array(256);
  private readonly unknownNames = new Map<string, number>();
  private readonly skipped = new Map<string, number>();
  private records = 0;
  private diverged = 0;
  private first: Divergence | null = null;
  private readonly output: ReplayOutput | undefined;
  private readonly stopAtFirst: boolean;
  private readonly allowed: ReadonlySet<Tolerance>;
  private readonly tolerated = new Map<string, number>();

  private readonly context = new Context();
  /** Interrupts that each PE has acknowledged and not ended. */
  private readonly acknowledged: number[][];
  private anomalies = 0;
  private firstAnomaly: Anomaly | null = null;
  private lastAnomaly: Anomaly | null = null;

  constructor(config: GicConfig, options: ReplayOptions = {}) {
    this.machine = new Machine(config);
    this.output = options.output;
    this.stopAtFirst = options.stopAtFirst ?? false;
    this.allowed = new Set(options.allow ?? []);
    this.told = TOLD.map(
      ({ idle, shownWithoutLines }) => new ToldStream(config.pes.length, idle, shownWithoutLines),
    );
    TOLD.forEach(({ kind }, index) => {
      this.toldOf[kind] = index;
    });
    this.acknowledged = config.pes.map(() => []);
    const sink: EventSink = { batch: this.shown, events: true, full: () => this.collect() };
    this.machine.sink = sink;
  }

  /** Whether the replay has been told to stop and has met a divergence. */
  get stopped(): boolean {
    return this.stopAtFirst && this.diverged > 0;
  }

  /** Takes the records of a batch. */
  take(batch: RecordBatch): void {
    const { kind } = batch;
    for (let i = 0; i < batch.count && !this.stopped; i++) {
      const k = kind[i]!;
      this.context.reach(batch, i);
      if (k < STIMULI_BELOW) this.stimulate(batch, i, k);
      else if (k < FIRST_OBSERVABLE) this.output?.record(batch, i);
      else if (k < FIRST_EVENT) this.observe(batch, i, k);
      this.records++;
    }
    this.context.leave(batch);
  }

  // ---- stimuli -------------------------------------------------------------------------------------------

  private stimulate(batch: RecordBatch, i: number, kind: number): void {
    // Stores are not ordered with what the GIC does: effects of the stimulus before may still follow.
    if (kind !== MEM_WRITE && kind !== MEM_KNOWN && kind !== MEM_UNKNOWN && kind !== QUEUE_WRITE) {
      this.drained();
      this.context.begin(batch, i, this.records);
    }
    const rule = batch.rule[i]!;
    if (rule !== 0) this.rules[rule]!++;
    const m = this.machine;
    const read = kind === MMIO_READ || kind === SYSREG_READ;
    // A write goes out before what it does, however much that is; a read once its value is known.
    if (!read) this.output?.record(batch, i);
    step(m, batch, i);
    if (m.unsupported) this.skip(NOT_A_REGISTER);
    else if (read) this.compareRead(batch, i, kind);
    else if (kind === MMIO_WRITE) this.compareReserved(batch, i, kind);
    if (read) this.emitRead(batch, i);
    if (this.shown.count > 0) this.collect();
  }

  private compareRead(batch: RecordBatch, i: number, kind: number): void {
    const m = this.machine;
    if (batch.flags[i]! & RECORD_FLAGS.valueUnknown) {
      this.unknown('response not shown by the source');
      return;
    }
    const at = i * RECORD_WORDS + (kind === MMIO_READ ? 4 : 1);
    this.compared[kind]!++;
    if (batch.words[at] !== m.low || batch.words[at + 1] !== m.high)
      this.diverge(
        batch,
        i,
        this.records,
        () => `returned 0x${((BigInt(m.high) << 32n) | BigInt(m.low >>> 0)).toString(16)}`,
      );
    else if (kind === MMIO_READ) this.checkReserved(batch, i);
  }

  private compareReserved(batch: RecordBatch, i: number, kind: number): void {
    this.compared[kind]!++;
    this.checkReserved(batch, i);
  }

  private checkReserved(batch: RecordBatch, i: number): void {
    const recorded = (batch.flags[i]! & RECORD_FLAGS.reserved) !== 0;
    if (recorded !== this.machine.reserved)
      this.diverge(batch, i, this.records, () =>
        recorded ? 'reached a register' : 'reached a reserved location',
      );
  }

  /** A read with its new response: into a copy, since the batch is the reader's. */
  private emitRead(batch: RecordBatch, i: number): void {
    const { machine: m, output } = this;
    if (output === undefined) return;
    if (m.unsupported) {
      output.record(batch, i);
      return;
    }
    this.copy.clear();
    this.copy.copy(batch, i);
    const at = batch.kind[i] === MMIO_READ ? 4 : 1;
    this.copy.words[at] = m.low;
    this.copy.words[at + 1] = m.high;
    output.record(this.copy, 0);
  }
  private readonly copy = new RecordBatch(1);

  /** An EOI ends the interrupt that the PE acknowledged last. One that names another is the guest's fault, or a wrong record. */
  private watchOrder(kind: number, i: number): void {
    const { shown } = this;
    const pe = shown.pe[i]!;
    const intid = shown.words[i * RECORD_WORDS]!;
    const stack = this.acknowledged[pe]!;
    if (kind === ACKNOWLEDGED) {
      stack.push(intid);
      return;
    }
    const expected = stack.pop();
    if (expected === undefined || expected === intid) return;
    this.anomalies++;
    const text = `PE${pe} ended INTID ${intid}, but the one it acknowledged last is ${expected}`;
    this.lastAnomaly = {
      record: this.context.stimulusRecord,
      line: this.context.stimulusLine > 0 ? this.context.stimulusLine : null,
      text,
    };
    this.firstAnomaly ??= this.lastAnomaly;
    if (this.allowed.has('eoi-order')) this.tolerate('eoi-order');
    else this.divergeAtStimulus('the EOI contradicts what this PE acknowledged', text);
  }

  /** Takes what the simulator emitted: observables into their streams. */
  private collect(): void {
    const { shown, output } = this;
    for (let i = 0; i < shown.count; i++) {
      const kind = shown.kind[i]!;
      const told = this.toldOf[kind]!;
      if (told >= 0) this.told[told]!.show(shown.pe[i]!, shown.words, i * RECORD_WORDS);
      else {
        const stream = STREAM_OF[kind]!;
        if (stream > 0) this.streams[stream - 1]!.show(shown, i);
        else if (kind === ACKNOWLEDGED || kind === DROPPED) this.watchOrder(kind, i);
        else if (kind === MEMORY_ASSUMED) this.unknown('guest memory that the source does not show');
      }
      this.context.did(shown, i);
      if (output !== undefined) output.record(shown, i);
    }
    shown.clear();
  }

  // ---- observables ---------------------------------------------------------------------------------------

  private observe(batch: RecordBatch, i: number, kind: number): void {
    const at = i * RECORD_WORDS;
    const told = this.toldOf[kind]!;
    if (told >= 0) {
      const stream = this.told[told]!;
      const partial = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) !== 0;
      const result = stream.see(batch.pe[i]!, batch.words, at, partial);
      this.compared[kind]!++;
      if (result === PARTLY) this.unknown('interrupt lines not shown by the source');
      if (result === DIFFERS) {
        const pe = batch.pe[i]!;
        this.diverge(batch, i, this.records, () => this.nextTold(told, pe));
        if (pe >= 0 && pe < this.machine.state.peCount) stream.settle(pe);
      }
      return;
    }
    const stream = STREAM_OF[kind]!;
    if (stream > 0) {
      this.compareStream(batch, i, kind, stream);
      return;
    }
    if (kind === CONFLICT) {
      this.compared[kind]!++;
      this.diverge(batch, i, this.records, () => 'nothing can agree with both lines');
    }
  }

  private compareStream(batch: RecordBatch, i: number, kind: number, stream: number): void {
    let mask: Uint32Array | undefined;
    if (kind === ITS_COMMAND) {
      this.context.executes(batch, i, this.records);
      const w = i * RECORD_WORDS;
      const outcomeShown = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) === 0;
      commandMask(this.mask, batch.words[w + 3]!, batch.words[w + 4]! & 0xff, outcomeShown);
      mask = this.mask;
      if (!outcomeShown) this.unknown('outcome of an ITS command');
    }
    this.compared[kind]!++;
    const list = this.streams[stream - 1]!;
    if (list.see(batch, i, mask) === DIFFERS) {
      this.diverge(batch, i, this.records, () => {
        const out = new RecordBatch(1);
        return list.copyNext(out, true) ? recordText(out, 0) : 'nothing';
      });
      list.clear();
    }
  }

  /** Before the next stimulus, all that the backend showed must have been recorded. */
  private drained(): void {
    const { told: all, streams } = this;
    for (let told = 0; told < all.length; told++) {
      const stream = all[told]!;
      if (stream.outstanding === 0) continue;
      const pe = stream.waiting();
      this.missing(this.records, () => this.nextTold(told, pe));
      for (let k = 0; k < this.machine.state.peCount; k++) stream.settle(k);
    }
    for (let n = 0; n < streams.length; n++) {
      const stream = streams[n]!;
      if (stream.waiting === 0) continue;
      this.missing(this.records, () => {
        const out = new RecordBatch(1);
        stream.copyNext(out, false);
        return recordText(out, 0);
      });
      stream.clear();
    }
  }

  private nextTold(told: number, pe: number): string {
    if (pe < 0 || pe >= this.machine.state.peCount) return `no PE ${pe}`;
    const { kind, idle } = TOLD[told]!;
    const { words, at } = this.told[told]!.next(pe);
    const out = new RecordBatch(1);
    out.push(kind, pe, Number.NaN);
    for (let k = 0; k < idle.length; k++) out.words[k] = words[at + k]!;
    return recordText(out, 0);
  }

  // ---- counting ------------------------------------------------------------------------------------------

  private unknown(name: string): void {
    this.unknownNames.set(name, (this.unknownNames.get(name) ?? 0) + 1);
  }

  private skip(reason: string): void {
    this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
  }

  private diverge(batch: RecordBatch, i: number, record: number, replayed: () => string): void {
    this.diverged++;
    this.divergedKinds[batch.kind[i]!]!++;
    if (this.first !== null) return;
    this.first = this.context.explain(
      record,
      batch.line[i]!,
      batch.kind[i]!,
      recordText(batch, i),
      replayed(),
      this.lastAnomaly,
    );
  }

  /** The stimulus itself is what does not fit. */
  private divergeAtStimulus(recorded: string, replayed: string): void {
    this.diverged++;
    const kind = this.context.stimulus.kind[0]!;
    this.divergedKinds[kind]!++;
    if (this.first === null) {
      const text = this.context.stimulus.count > 0 ? recordText(this.context.stimulus, 0) : recorded;
      // Not to be explained by itself.
      const suspect = this.lastAnomaly;
      this.lastAnomaly = null;
      this.first = this.context.explain(
        this.context.stimulusRecord,
        this.context.stimulusLine,
        kind,
        `${text}: ${recorded}`,
        replayed,
        this.lastAnomaly,
      );
      this.lastAnomaly = suspect;
    }
  }

  private tolerate(name: string): void {
    this.tolerated.set(name, (this.tolerated.get(name) ?? 0) + 1);
  }

  /** The backend showed something that no record tells of: reported at the stimulus that caused it. */
  private missing(_record: number, replayed: () => string): void {
    this.diverged++;
    const kind = this.context.stimulus.count > 0 ? this.context.stimulus.kind[0]! : HPPI;
    this.divergedKinds[kind]!++;
    if (this.first === null)
      this.first = this.context.explain(
        this.context.stimulusRecord,
        this.context.stimulusLine,
        kind,
        'nothing of the kind after this stimulus',
        replayed(),
        this.lastAnomaly,
      );
  }

  /** Holds the state before record `record` against the digest that the trace stores of it. */
  compareState(digest: string, record: number): void {
    this.statesCompared++;
    const own = this.machine.state.digest();
    if (own === digest) return;
    this.diverged++;
    this.statesDiverged++;
    if (this.first === null)
      this.first = this.context.explain(record, 0, 0, `state ${digest}`, `state ${own}`, this.lastAnomaly);
  }
  /** The trace stores a state that this model cannot be held against. */
  skipState(): void {
    this.skip('state-of-another-layout');
  }
  private statesCompared = 0;
  private statesDiverged = 0;

  /** No more records: the verdict. */
  finish(): Verdict {
    const named = (counts: Float64Array) => {
      const out: Record<string, number> = {};
      counts.forEach((n, kind) => {
        if (n > 0) out[kindName(kind)] = n;
      });
      return out;
    };
    const unknown: Record<string, number> = {};
    for (const [name, rule] of Object.entries(RULES))
      if (this.rules[rule.id]! > 0) unknown[name] = this.rules[rule.id]!;
    for (const [name, n] of [...this.unknownNames].sort(([a], [b]) => (a < b ? -1 : 1))) unknown[name] = n;
    return {
      records: this.records,
      compared: {
        ...named(this.compared),
        ...(this.statesCompared > 0 ? { state: this.statesCompared } : {}),
      },
      diverged: this.diverged,
      divergedBy: {
        ...named(this.divergedKinds),
        ...(this.statesDiverged > 0 ? { state: this.statesDiverged } : {}),
      },
      unknown,
      skipped: Object.fromEntries(this.skipped),
      tolerated: Object.fromEntries(this.tolerated),
      anomalies: this.anomalies,
      firstAnomaly: this.firstAnomaly,
      first: this.first,
    };
  }
}
