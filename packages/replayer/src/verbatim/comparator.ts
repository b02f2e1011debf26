// Holds what was recorded against what a backend answers and shows, whichever backend it is. Its user walks the
// records: `begin` for each stimulus, then its response and what it did, then `observe` for what was recorded of it.
import {
  type Capabilities,
  CONSEQUENCE,
  commandName,
  type GicConfig,
  IDLE,
  ITS_COMMANDS,
  notShown,
  type OperandSpec,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RESERVED_NOT_SHOWN,
  RecordBatch,
  recordName,
  recordText,
  SPURIOUS,
} from '@gictrace/core';
import type { Anomaly, Divergence, Verdict } from '../verdict.ts';
import { Context } from './context.ts';
import {
  DIFFERS,
  FIRST_EVENT,
  FIRST_OBSERVABLE,
  HPPI,
  OrderedStream,
  PARTLY,
  STREAM_OF,
  ToldStream,
} from './observed.ts';
import type { ReplayOptions, ReplayOutput, Tolerance } from './options.ts';
import { Tally } from './tally.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const STATE_KNOWN = RECORDS['state.known'].id;
const VHPPI = RECORDS.vhppi.id;
const MAINTENANCE = RECORDS.maintenance.id;
const ITS_COMMAND = RECORDS['its.command'].id;
const CONFLICT = RECORDS['source.conflict'].id;
const MEMORY_ASSUMED = RECORDS['memory.assumed'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const DROPPED = RECORDS['irq.dropped'].id;

/** Kinds of stimuli that are not ordered with what the GIC does: effects of the stimulus before them may still follow. */
const UNORDERED = new Uint8Array(256);
for (const kind of [MEM_WRITE, MEM_KNOWN, MEM_UNKNOWN, QUEUE_WRITE, STATE_KNOWN]) UNORDERED[kind] = 1;

const NOT_COMPARED = RECORD_FLAGS.valueUnknown | RECORD_FLAGS.undecided;
const UNDECIDED = 'depends on state that the source does not show';
const UNDECIDED_EFFECT = 'effects that depend on state that the source does not show';
const RESERVED_NOT_TOLD = 'whether a location is reserved: not shown by the source';

/** What each PE is told, before anything happens: nothing is pending and all lines are down. */
const TOLD = [
  { kind: HPPI, idle: [SPURIOUS, 0, IDLE, 0, 0], shownWithoutLines: 3 },
  { kind: VHPPI, idle: [0xffff_ffff, SPURIOUS, 0, IDLE, 0, 0], shownWithoutLines: 4 },
  { kind: MAINTENANCE, idle: [0], shownWithoutLines: 1 },
] as const;

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

/** What a backend answered to a stimulus. An object that is used again: numbers of 32 bits are slow as arguments. */
export interface Response {
  /** What a read returned. */
  readonly low: number;
  readonly high: number;
  readonly reserved: boolean;
}

export class Comparator {
  readonly tally = new Tally();
  private readonly compared = this.tally.compared;
  /** Records walked over. */
  records = 0;
  readonly context = new Context();
  private readonly peCount: number;
  /** By kind: whether the backend shows it. */
  private readonly shows = new Uint8Array(256).fill(1);
  /** By kind: whether the source of the recording shows it; undefined where it shows all. */
  private readonly sourceShows: Uint8Array | undefined;
  /** Why it is not compared whether a location is reserved; undefined where it is. */
  private readonly reservedSkipped: string | undefined;
  /** Not a backend that does and shows everything. */
  private readonly limited: boolean;
  /** The stimulus at work was skipped, so nothing can follow from it. */
  private idle = false;
  /** The source does not show the state that decides what the stimulus at work does. */
  private undecided = false;
  /** The stimulus at work is the source showing a part of the state: what comes of it the source does not print. */
  private learning = false;
  /** By kind: what the PEs and their virtual machines are told. */
  private readonly told: readonly ToldStream[];
  private readonly toldOf = new Int8Array(256).fill(-1);
  private readonly streams = [new OrderedStream(4096), new OrderedStream(16_384), new OrderedStream(1024)];
  private readonly mask = new Uint32Array(RECORD_WORDS);
  private readonly copy = new RecordBatch(1);
  private first: Divergence | null = null;
  private readonly source: Pick<Verdict, 'start' | 'missing'>;
  private readonly output: ReplayOutput | undefined;
  private readonly stopAtFirst: boolean;
  private readonly allowed: ReadonlySet<Tolerance>;
  /** Interrupts that each PE has acknowledged and not ended. */
  private readonly acknowledged: number[][];
  private firstAnomaly: Anomaly | null = null;
  private lastAnomaly: Anomaly | null = null;

  /** `capabilities`: what the backend shows; everything when absent. */
  constructor(config: GicConfig, options: ReplayOptions = {}, capabilities?: Capabilities) {
    this.output = options.output;
    this.source = {
      start: options.startsInMidLife ? 'mid-life' : 'reset',
      missing: options.missing ?? [],
    };
    this.stopAtFirst = options.stopAtFirst ?? false;
    this.allowed = new Set(options.allow ?? []);
    this.peCount = config.pes.length;
    this.told = TOLD.map(
      ({ idle, shownWithoutLines }) => new ToldStream(this.peCount, idle, shownWithoutLines),
    );
    TOLD.forEach(({ kind }, index) => {
      this.toldOf[kind] = index;
    });
    this.acknowledged = config.pes.map(() => []);
    if (options.sourceShows !== undefined) {
      this.sourceShows = new Uint8Array(256);
      for (const name of options.sourceShows) this.sourceShows[RECORDS[name].id] = 1;
    }
    if (options.sourceTellsReserved === false) this.reservedSkipped = RESERVED_NOT_TOLD;
    else if (capabilities?.reserved === false) this.reservedSkipped = RESERVED_NOT_SHOWN;
    this.limited = capabilities !== undefined;
    if (capabilities === undefined) return;
    this.shows.fill(0);
    for (const name of capabilities.observables) this.shows[RECORDS[name].id] = 1;
    // Not something that a backend does: the source contradicts itself.
    this.shows[CONFLICT] = 1;
  }

  /** Whether it was asked to stop at a divergence and has met one. */
  get stopped(): boolean {
    return this.stopAtFirst && this.tally.diverged > 0;
  }

  // ---- stimuli -------------------------------------------------------------------------------------------

  /** Record `i` of a batch is a stimulus, and goes to the backend. */
  begin(batch: RecordBatch, i: number, kind: number): void {
    this.learning = kind === STATE_KNOWN;
    if (UNORDERED[kind] === 0) {
      this.drained();
      this.context.begin(batch, i, this.records);
      this.idle = false;
      this.undecided = (batch.flags[i]! & RECORD_FLAGS.undecided) !== 0;
      if (kind === GIC_RESET) this.reset();
    }
    const rule = batch.rule[i]!;
    if (rule !== 0) this.tally.rules[rule]!++;
    // A write goes out before what it does, however much that is; a read once its value is known.
    if (kind !== MMIO_READ && kind !== SYSREG_READ) this.output?.record(batch, i);
  }

  /** After a reset nothing is signalled, and nobody shows that it is not. */
  private reset(): void {
    for (const told of this.told) told.reset();
    for (const stack of this.acknowledged) stack.length = 0;
  }

  /** The backend did the stimulus: what a read returned, and whether the location is reserved. */
  answered(batch: RecordBatch, i: number, kind: number, response: Response): void {
    if (kind === MMIO_READ || kind === SYSREG_READ) {
      this.compareRead(batch, i, kind, response);
      if (this.output !== undefined) this.emitRead(this.output, batch, i, response);
    } else if (kind === MMIO_WRITE) this.compareReserved(batch, i, kind, response);
  }

  /** The model has no such register. What was recorded of it is compared all the same. */
  unsupported(batch: RecordBatch, i: number, kind: number, reason: string): void {
    this.tally.skip(reason);
    if (kind === MMIO_READ || kind === SYSREG_READ) this.output?.record(batch, i);
  }

  /** The backend did not do the stimulus: what was recorded of it is not compared. */
  skipped(batch: RecordBatch, i: number, kind: number, reason: string): void {
    this.tally.skip(reason);
    if (UNORDERED[kind] === 0) this.idle = true;
    if (this.output === undefined || (kind !== MMIO_READ && kind !== SYSREG_READ)) return;
    // What another implementation returned is no answer of this one.
    this.copyOf(batch, i);
    const at = kind === MMIO_READ ? 4 : 1;
    this.copy.words[at] = 0;
    this.copy.words[at + 1] = 0;
    this.copy.flags[0]! |= RECORD_FLAGS.valueUnknown;
    this.output.record(this.copy, 0);
  }

  private compareRead(batch: RecordBatch, i: number, kind: number, response: Response): void {
    const flags = batch.flags[i]!;
    if (flags & NOT_COMPARED) {
      this.tally.unknown(flags & RECORD_FLAGS.undecided ? UNDECIDED : 'response not shown by the source');
      return;
    }
    const at = i * RECORD_WORDS + (kind === MMIO_READ ? 4 : 1);
    this.compared[kind]!++;
    if (batch.words[at] !== response.low || batch.words[at + 1] !== response.high)
      this.diverge(batch, i, () => {
        const { low, high } = response;
        return `returned 0x${((BigInt(high) << 32n) | BigInt(low >>> 0)).toString(16)}`;
      });
    else if (kind === MMIO_READ && this.reservedSkipped === undefined) this.checkReserved(batch, i, response);
  }

  private compareReserved(batch: RecordBatch, i: number, kind: number, response: Response): void {
    if (this.reservedSkipped !== undefined) {
      this.tally.skip(this.reservedSkipped);
      return;
    }
    this.compared[kind]!++;
    this.checkReserved(batch, i, response);
  }

  private checkReserved(batch: RecordBatch, i: number, response: Response): void {
    const recorded = (batch.flags[i]! & RECORD_FLAGS.reserved) !== 0;
    if (recorded !== response.reserved)
      this.diverge(batch, i, () => (recorded ? 'reached a register' : 'reached a reserved location'));
  }

  /** A read with its new response: into a copy, since the batch is the reader's. */
  private emitRead(output: ReplayOutput, batch: RecordBatch, i: number, response: Response): void {
    this.copyOf(batch, i);
    const at = batch.kind[i] === MMIO_READ ? 4 : 1;
    this.copy.words[at] = response.low;
    this.copy.words[at + 1] = response.high;
    output.record(this.copy, 0);
  }

  private copyOf(batch: RecordBatch, i: number): void {
    this.copy.clear();
    this.copy.copy(batch, i);
  }

  // ---- what the backend shows ----------------------------------------------------------------------------

  /** Takes what the backend did, records `from` to `to` - 1 of `shown`: observables into their streams. */
  shown(shown: RecordBatch, from: number, to: number): void {
    const { output, sourceShows } = this;
    for (let i = from; i < to; i++) {
      const kind = shown.kind[i]!;
      const told = this.toldOf[kind]!;
      if (sourceShows !== undefined && kind < FIRST_EVENT && sourceShows[kind] === 0)
        this.tally.unknown(`${recordName(kind)}: not shown by the source`);
      else if (told >= 0) {
        this.told[told]!.show(shown.pe[i]!, shown.words, i * RECORD_WORDS, shown.flags[i]!);
        if (this.learning) this.told[told]!.settle(shown.pe[i]!);
      } else {
        const stream = STREAM_OF[kind]!;
        if (stream > 0) this.streams[stream - 1]!.show(shown, i);
        else if (kind === ACKNOWLEDGED || kind === DROPPED) this.watchOrder(kind, shown, i);
        else if (kind === MEMORY_ASSUMED) this.tally.unknown('guest memory that the source does not show');
      }
      this.context.did(shown, i);
      if (output !== undefined) output.record(shown, i);
    }
  }

  /** An EOI ends the interrupt that the PE acknowledged last. One that names another is the guest's fault, or a wrong record. */
  private watchOrder(kind: number, shown: RecordBatch, i: number): void {
    const pe = shown.pe[i]!;
    const intid = shown.words[i * RECORD_WORDS]!;
    const stack = this.acknowledged[pe]!;
    if (kind === ACKNOWLEDGED) {
      stack.push(intid);
      return;
    }
    const expected = stack.pop();
    if (expected === undefined || expected === intid) return;
    this.tally.anomalies++;
    const text = `PE${pe} ended INTID ${intid}, but the one it acknowledged last is ${expected}`;
    this.lastAnomaly = {
      record: this.context.stimulusRecord,
      line: this.context.stimulusLine > 0 ? this.context.stimulusLine : null,
      text,
    };
    this.firstAnomaly ??= this.lastAnomaly;
    if (this.allowed.has('eoi-order')) this.tally.tolerate('eoi-order');
    else this.divergeAtStimulus('the EOI contradicts what this PE acknowledged', text);
  }

  // ---- what was recorded ---------------------------------------------------------------------------------

  /** Record `i` of a batch is an observable. */
  observe(batch: RecordBatch, i: number, kind: number): void {
    if (kind < FIRST_OBSERVABLE) {
      // An operation explains, and nobody answers it.
      this.output?.record(batch, i);
      return;
    }
    if (this.limited && this.skipsObservable(kind)) return;
    const at = i * RECORD_WORDS;
    const told = this.toldOf[kind]!;
    if (told >= 0) {
      const stream = this.told[told]!;
      const partial = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) !== 0;
      const result = stream.see(batch.pe[i]!, batch.words, at, partial);
      if (batch.flags[i]! & RECORD_FLAGS.undecided) {
        this.tally.unknown(UNDECIDED);
        if (result === DIFFERS) stream.settle(batch.pe[i]!);
        return;
      }
      this.compared[kind]!++;
      if (result === PARTLY) this.tally.unknown('interrupt lines not shown by the source');
      if (result === DIFFERS) {
        const pe = batch.pe[i]!;
        this.diverge(batch, i, () => this.nextTold(told, pe));
        if (pe >= 0 && pe < this.peCount) stream.settle(pe);
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
      this.diverge(batch, i, () => 'nothing can agree with both lines');
    }
  }

  private skipsObservable(kind: number): boolean {
    if (kind === CONFLICT || (!this.idle && this.shows[kind] !== 0)) return false;
    const name = recordName(kind);
    this.tally.skip(this.shows[kind] === 0 && name !== undefined ? notShown(name) : CONSEQUENCE);
    return true;
  }

  private compareStream(batch: RecordBatch, i: number, kind: number, stream: number): void {
    const list = this.streams[stream - 1]!;
    if (this.undecided) {
      this.tally.unknown(UNDECIDED);
      list.clear();
      return;
    }
    let mask: Uint32Array | undefined;
    if (kind === ITS_COMMAND) {
      this.context.executes(batch, i, this.records);
      const w = i * RECORD_WORDS;
      const outcomeShown = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) === 0;
      const shown = list.nextCommand();
      commandMask(
        this.mask,
        batch.words[w + 3]! & shown.operands,
        batch.words[w + 4]! & 0xff,
        outcomeShown && shown.outcome,
      );
      mask = this.mask;
      if (!outcomeShown) this.tally.unknown('outcome of an ITS command');
    }
    this.compared[kind]!++;
    if (list.see(batch, i, mask) === DIFFERS) {
      this.diverge(batch, i, () => {
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
      if (this.undecided) this.tally.unknown(UNDECIDED_EFFECT);
      else this.missing(() => this.nextTold(told, pe));
      for (let k = 0; k < this.peCount; k++) stream.settle(k);
    }
    for (let n = 0; n < streams.length; n++) {
      const stream = streams[n]!;
      if (stream.waiting === 0) continue;
      if (this.undecided) this.tally.unknown(UNDECIDED_EFFECT);
      else
        this.missing(() => {
          const out = new RecordBatch(1);
          stream.copyNext(out, false);
          return recordText(out, 0);
        });
      stream.clear();
    }
  }

  private nextTold(told: number, pe: number): string {
    if (pe < 0 || pe >= this.peCount) return `no PE ${pe}`;
    const { kind, idle } = TOLD[told]!;
    const { words, at } = this.told[told]!.next(pe);
    const out = new RecordBatch(1);
    out.push(kind, pe, Number.NaN);
    for (let k = 0; k < idle.length; k++) out.words[k] = words[at + k]!;
    return recordText(out, 0);
  }

  // ---- divergences ---------------------------------------------------------------------------------------

  private diverge(batch: RecordBatch, i: number, replayed: () => string): void {
    const { tally } = this;
    tally.diverged++;
    tally.divergedKinds[batch.kind[i]!]!++;
    if (this.first !== null) return;
    this.first = this.context.explain(
      this.records,
      batch.line[i]!,
      batch.kind[i]!,
      recordText(batch, i),
      replayed(),
      this.lastAnomaly,
    );
  }

  /** The stimulus itself is what does not fit. */
  private divergeAtStimulus(recorded: string, replayed: string): void {
    const { stimulus, stimulusRecord, stimulusLine } = this.context;
    this.tally.diverged++;
    const kind = stimulus.kind[0]!;
    this.tally.divergedKinds[kind]!++;
    if (this.first !== null) return;
    const text = stimulus.count > 0 ? recordText(stimulus, 0) : recorded;
    // Not to be explained by itself.
    this.first = this.context.explain(
      stimulusRecord,
      stimulusLine,
      kind,
      `${text}: ${recorded}`,
      replayed,
      null,
    );
  }

  /** The backend showed something that no record tells of: reported at the stimulus that caused it. */
  private missing(replayed: () => string): void {
    const { stimulus, stimulusRecord, stimulusLine } = this.context;
    this.tally.diverged++;
    const kind = stimulus.count > 0 ? stimulus.kind[0]! : HPPI;
    this.tally.divergedKinds[kind]!++;
    this.first ??= this.context.explain(
      stimulusRecord,
      stimulusLine,
      kind,
      'nothing of the kind after this stimulus',
      replayed(),
      this.lastAnomaly,
    );
  }

  /** Holds the state before record `record` against the digest that the trace stores of it. */
  compareState(own: string, digest: string, record: number): void {
    this.tally.statesCompared++;
    if (own === digest) return;
    this.tally.diverged++;
    this.tally.statesDiverged++;
    this.first ??= this.context.explain(record, 0, 0, `state ${digest}`, `state ${own}`, this.lastAnomaly);
  }

  /** No more records: the verdict. */
  finish(): Verdict {
    return this.tally.verdict(this.records, this.source, this.first, this.firstAnomaly);
  }
}
