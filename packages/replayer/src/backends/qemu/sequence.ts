// Finds which lines of the log belong to which stimulus: goes through the stimuli in flight as their lines come, and answers
// them in order. It does no I/O.
import { GicTraceError } from '@gictrace/core';
import type { Answers } from '@gictrace/core/backend';
import { recordText } from '@gictrace/core/disasm';
import { RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import type { Group } from '@gictrace/recorder/qemu-log';
import type { LogEvents } from './log.ts';
import { END, type Plan, REASONS } from './plan.ts';
import { MARK } from './stub.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;

/** Stimuli of one batch that go to QEMU together. */
export interface Part {
  readonly plan: Plan;
  readonly from: number;
  readonly to: number;
  readonly answers: Answers;
  /** The number of the fence after it; -1 if it ends with marks of the guest stub. */
  fence: number;
}

/** An input line that the machine changed by itself, and what followed. */
interface OwnWire {
  readonly pe: number;
  readonly intid: number;
  readonly level: number;
  readonly shown: RecordBatch;
}

export interface Values {
  take(): number;
  readonly takenHigh: number;
}

export class Sequence implements LogEvents {
  group!: Group;
  private readonly values: Values;
  private part: Part | undefined;
  private at = 0;
  /** Whether the current stimulus's own line has come and was about a reserved location. */
  private told = false;
  private bad = false;
  private marks = 0;
  private faulted = false;
  private low = 0;
  private high = 0;
  /** Where in the group the machine changed an input line by itself. */
  private cuts: {
    readonly at: number;
    readonly pe: number;
    readonly intid: number;
    readonly level: number;
  }[] = [];
  private ownWires: OwnWire[] = [];
  /** Whether the end of the part has been reached. */
  done = true;

  constructor(values: Values) {
    this.values = values;
  }

  /** Begins the next part, whose lines follow. */
  begin(part: Part): void {
    this.part = part;
    this.at = part.from;
    this.done = false;
    this.renew();
    if (part.fence < 0) this.pass();
  }

  /** The current stimulus as text, for a message. */
  get text(): string {
    const { part, at } = this;
    return part === undefined || at >= part.to ? 'the end of a batch' : recordText(part.plan.batch, at);
  }

  // ---- lines -----------------------------------------------------------------------------------------------

  wrote(frame: number, instance: number, offset: number, width: number, bad: boolean): void {
    const end = this.pass();
    if (end === END.line) {
      this.agree(MMIO_WRITE, frame, instance, offset, width);
      this.answer(0, 0, bad);
    } else {
      this.told = true;
      this.bad = bad;
    }
  }

  badRead(frame: number, instance: number, offset: number, width: number): void {
    const { part } = this;
    if (part === undefined) return;
    // This is one of the reads before the next stimulus that has lines. The reads before it were good.
    while (this.at < part.to && !this.isAwaited(this.at)) {
      if (part.plan.ends[this.at] === END.value && this.matches(MMIO_READ, frame, instance, offset, width)) {
        this.answer(this.values.take(), this.values.takenHigh, true);
        return;
      }
      this.passOne(part);
    }
    this.told = true;
    this.bad = true;
  }

  mark(offset: number, low: number, high: number): void {
    if (this.part === undefined) return;
    const end = this.pass();
    if (offset === MARK.fence) {
      if (end === END.fence) {
        const narrow = this.part.plan.batch.kind[this.at]! <= MMIO_WRITE;
        // An access that never reached the ITS reached none of its registers.
        const value = narrow && this.part.plan.batch.kind[this.at] === MMIO_READ ? this.values.take() : 0;
        this.answer(
          value,
          narrow && value !== 0 ? this.values.takenHigh : 0,
          narrow && (this.bad || !this.told),
        );
      } else if (this.at === this.part.to && low === this.part.fence) this.finish();
      else this.lost('a fence');
      return;
    }
    if (end !== END.marks) return this.lost('a mark of the stub');
    if (offset === MARK.fault) this.faulted = true;
    if (this.marks === this.part.plan.marksBefore(this.at)) {
      this.low = low;
      this.high = high;
    }
    this.marks++;
    if (this.marks < this.part.plan.marks(this.at)) return;
    const kind = this.part.plan.batch.kind[this.at]!;
    const read = kind === MMIO_READ || kind === SYSREG_READ;
    if (this.faulted) this.skip(REASONS.fault);
    else this.answer(read ? this.low : 0, read ? this.high : 0, this.bad);
    if (this.part.fence < 0) this.pass();
  }

  wire(pe: number, intid: number, level: number): void {
    const { part } = this;
    if (part === undefined) return;
    this.pass();
    const { batch } = part.plan;
    const at = this.at * RECORD_WORDS;
    const ours =
      this.at < part.to &&
      batch.kind[this.at] === WIRE_SET &&
      batch.words[at] === intid &&
      batch.pe[this.at] === pe;
    if (!ours) this.cuts.push({ at: this.group.batch.count, pe, intid, level });
  }

  // ---- stimuli ---------------------------------------------------------------------------------------------

  private isAwaited(i: number): boolean {
    const end = this.part!.plan.ends[i]!;
    return end === END.line || end === END.fence || end === END.marks;
  }

  /** Answers all stimuli without lines, up to one with lines. Returns how that one ends, or -1 at the end of the part. */
  private pass(): number {
    const { part } = this;
    if (part === undefined) return -1;
    while (this.at < part.to && !this.isAwaited(this.at)) this.passOne(part);
    if (this.at < part.to) return part.plan.ends[this.at]!;
    if (part.fence < 0) this.finish();
    return -1;
  }

  private passOne(part: Part): void {
    const { plan } = part;
    const i = this.at;
    switch (plan.ends[i]) {
      case END.skipped:
        this.flushOwnWires();
        part.answers.skipped(plan.reasons[i]!);
        break;
      case END.value:
        this.flushOwnWires();
        part.answers.answered(this.values.take(), this.values.takenHigh, false);
        break;
      case END.itself:
        this.ownWire(part, i);
        break;
      default:
        part.answers.answered(0, 0, false);
    }
    this.at++;
  }

  /** Answers the current stimulus and shows what it caused. */
  private answer(low: number, high: number, reserved: boolean): void {
    const { part } = this;
    const kind = part!.plan.batch.kind[this.at]!;
    if (kind !== MEM_WRITE && kind !== QUEUE_WRITE) this.flushOwnWires();
    part!.answers.answered(low, high, reserved);
    this.show();
    this.at++;
    this.renew();
  }

  /**
   * The access took an exception, so it has done nothing. What the PE is signalled may have changed, since it executes in
   * another Security state for the access; what the trace has of that is not compared either.
   */
  private skip(reason: string): void {
    this.flushOwnWires();
    this.part!.answers.skipped(reason);
    if (this.part!.plan.isElsewhere(this.at)) this.group.batch.clear();
    this.show();
    this.at++;
    this.renew();
  }

  private renew(): void {
    this.told = this.bad = this.faulted = false;
    this.marks = 0;
  }

  private show(): void {
    const { batch } = this.group;
    const { answers } = this.part!;
    const end = this.cuts.length > 0 ? this.cuts[0]!.at : batch.count;
    for (let i = 0; i < end; i++) answers.shown(batch, i);
    this.cuts.forEach((cut, n) => {
      const to = this.cuts[n + 1]?.at ?? batch.count;
      const shown = new RecordBatch(Math.max(1, to - cut.at));
      for (let i = cut.at; i < to; i++) shown.copy(batch, i);
      this.ownWires.push({ pe: cut.pe, intid: cut.intid, level: cut.level, shown });
    });
    this.cuts = [];
    batch.clear();
  }

  /** Called for a change of an input line in the trace that the machine made by itself. */
  private ownWire(part: Part, i: number): void {
    const { batch } = part.plan;
    const own = this.ownWires[0];
    const at = i * RECORD_WORDS;
    if (own?.pe !== batch.pe[i] || own.intid !== batch.words[at] || own.level !== batch.words[at + 1]) {
      this.flushOwnWires();
      part.answers.skipped(REASONS.itself);
      return;
    }
    this.ownWires.shift();
    part.answers.answered(0, 0, false);
    for (let k = 0; k < own.shown.count; k++) part.answers.shown(own.shown, k);
  }

  /** For changes of input lines that are not in the trace, what followed them belongs to the stimulus before. */
  private flushOwnWires(): void {
    if (this.ownWires.length === 0) return;
    for (const { shown } of this.ownWires)
      for (let k = 0; k < shown.count; k++) this.part!.answers.shown(shown, k);
    this.ownWires = [];
  }

  private finish(): void {
    this.done = true;
    this.part = undefined;
  }

  private matches(kind: number, frame: number, instance: number, offset: number, width: number): boolean {
    const { batch } = this.part!.plan;
    const w = batch.words;
    const at = this.at * RECORD_WORDS;
    return (
      batch.kind[this.at] === kind &&
      w[at] === frame &&
      w[at + 1] === instance &&
      w[at + 2] === offset &&
      w[at + 3] === width
    );
  }

  private agree(kind: number, frame: number, instance: number, offset: number, width: number): void {
    if (!this.matches(kind, frame, instance, offset, width))
      this.lost(
        `a write of ${width} bytes to ${FRAMES[frame]}${frame === 1 ? instance : ''}+0x${offset.toString(16)}`,
      );
  }

  private lost(what: string): never {
    throw new GicTraceError('backend', `QEMU's log is out of step: ${what} where ${this.text} is due`);
  }
}
