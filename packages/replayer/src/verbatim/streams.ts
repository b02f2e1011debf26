// Compares observables whose order matters: the commands of an ITS, its accesses to tables, the SGIs that PEs send.
// Each is a stream of its own: implementations print them at different points of one stimulus, so only the order within
// a stream is compared. No allocation per record.
import { recordText } from '@gictrace/core/disasm';
import {
  COMMAND_WORDS,
  commandMask,
  comparesPe,
  isCommandShown,
  isOutcomeShown,
  ORDERED_STREAMS,
  type OrderedStreamName,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
} from '@gictrace/core/record';
import { ITS_OUTCOMES } from '@gictrace/core/spec';
import type { ReplayCounts } from './counts.ts';
import type { Divergences } from './divergences.ts';
import type { Explainer } from './explainer.ts';
import { DIFFERS, MATCH, UNDECIDED, UNDECIDED_EFFECT } from './outcome.ts';

const ITS_COMMAND = RECORDS['its.command'].id;

/** How many records of each stream may wait for their recorded lines. */
const CAPACITIES: Readonly<Record<OrderedStreamName, number>> = {
  commands: 4096,
  tables: 16_384,
  sgis: 1024,
};

export class Streams {
  private readonly streams = (Object.keys(ORDERED_STREAMS) as OrderedStreamName[]).map(
    (name) => new OrderedStream(CAPACITIES[name]),
  );
  private readonly mask = new Uint32Array(RECORD_WORDS);
  private readonly counts: ReplayCounts;
  private readonly compared: Float64Array;
  private readonly divergences: Divergences;
  private readonly explainer: Explainer;

  constructor(counts: ReplayCounts, divergences: Divergences, explainer: Explainer) {
    this.counts = counts;
    this.compared = counts.compared;
    this.divergences = divergences;
    this.explainer = explainer;
  }

  /** The backend reported an observable. */
  show(stream: number, shown: RecordBatch, i: number): void {
    this.streams[stream]!.show(shown, i);
  }

  /** Compares a recorded observable. `undecided`: what its stimulus does depends on state that is not in the source. */
  compare(stream: number, batch: RecordBatch, i: number, undecided: boolean): void {
    const list = this.streams[stream]!;
    if (batch.flags[i]! & RECORD_FLAGS.undecided) {
      this.counts.unknown(UNDECIDED);
      return;
    }
    if (undecided) {
      this.counts.unknown(UNDECIDED);
      list.clear();
      return;
    }
    const kind = batch.kind[i]!;
    if (kind === ITS_COMMAND)
      list.passUnknown(batch.words[i * RECORD_WORDS]!, batch.words[i * RECORD_WORDS + 1]!);
    const mask = kind === ITS_COMMAND ? this.comparable(list, batch, i) : undefined;
    this.compared[kind]!++;
    if (list.see(batch, i, mask) === DIFFERS) this.differs(list, batch, i);
  }

  private differs(list: OrderedStream, batch: RecordBatch, i: number): void {
    this.divergences.differs(batch, i, () => {
      const out = new RecordBatch(1);
      return list.copyNext(out, true) ? recordText(out, 0) : 'nothing';
    });
    list.clear();
  }

  /** For a recorded ITS command: the bits that both the source and the backend have. */
  private comparable(list: OrderedStream, batch: RecordBatch, i: number): Uint32Array {
    const w = i * RECORD_WORDS;
    this.explainer.executes(batch, i, this.divergences.record);
    const outcome = batch.words[w + COMMAND_WORDS.outcome]!;
    const isShown = isOutcomeShown(batch.flags[i]!, outcome);
    const shown = list.nextCommand();
    if (!shown.command || !isCommandShown(outcome)) {
      slotMask(this.mask);
      return this.mask;
    }
    commandMask(
      this.mask,
      batch.words[w + COMMAND_WORDS.doublewords]!,
      batch.words[w + COMMAND_WORDS.shown]! & shown.operands,
      isShown && shown.outcome,
    );
    if (!isShown) this.counts.unknown('outcome of an ITS command');
    return this.mask;
  }

  /** The next stimulus begins, so everything reported must have been recorded. */
  drain(undecided: boolean): void {
    const { streams } = this;
    for (let n = 0; n < streams.length; n++) {
      if (streams[n]!.waiting === 0) continue;
      streams[n]!.passUnknown(-1, -1);
      if (streams[n]!.waiting > 0) this.missing(streams[n]!, undecided);
    }
  }

  private missing(list: OrderedStream, undecided: boolean): void {
    if (undecided) this.counts.unknown(UNDECIDED_EFFECT);
    else
      this.divergences.missing(() => {
        const out = new RecordBatch(1);
        list.copyNext(out, false);
        return recordText(out, 0);
      });
    list.clear();
  }
}

/** For a command that is not in the source, only its slot is compared. */
function slotMask(mask: Uint32Array): void {
  mask.fill(0);
  mask[0] = mask[1] = 0xffff_ffff;
}

/** Records that a ring can hold at first. */
const SIZE_FIRST = 64;

/** A ring of observables of one stream that the backend reported, which recorded ones are compared with. */
export class OrderedStream {
  private words!: Uint32Array;
  private kinds!: Uint8Array;
  private pes!: Int16Array;
  private flags!: Uint8Array;
  /** Records that the ring holds now: it grows, since most comparisons need little of it. */
  private size = 0;
  private readonly capacity: number;
  private head = 0;
  private tail = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.grow(Math.min(capacity, SIZE_FIRST));
  }

  private grow(size: number): void {
    const { size: before, words, kinds, pes, flags } = this;
    this.size = size;
    this.words = new Uint32Array(size * RECORD_WORDS);
    this.kinds = new Uint8Array(size);
    this.pes = new Int16Array(size);
    this.flags = new Uint8Array(size);
    // The one before the head has just been used up, and may be asked for.
    for (let n = Math.max(0, this.head - 1, this.tail - before); n < this.tail; n++) {
      const [from, to] = [n % before, n % size];
      this.kinds[to] = kinds[from]!;
      this.pes[to] = pes[from]!;
      this.flags[to] = flags[from]!;
      for (let k = 0; k < RECORD_WORDS; k++)
        this.words[to * RECORD_WORDS + k] = words[from * RECORD_WORDS + k]!;
    }
  }

  get waiting(): number {
    return this.tail - this.head;
  }

  show(batch: RecordBatch, i: number): void {
    if (this.tail - this.head === this.size && this.size < this.capacity)
      this.grow(Math.min(2 * this.size, this.capacity));
    const slot = this.tail++ % this.size;
    this.kinds[slot] = batch.kind[i]!;
    this.pes[slot] = batch.pe[i]!;
    this.flags[slot] = batch.flags[i]!;
    for (let k = 0; k < RECORD_WORDS; k++)
      this.words[slot * RECORD_WORDS + k] = batch.words[i * RECORD_WORDS + k]!;
    if (this.tail - this.head > this.capacity) this.head = this.tail - this.capacity;
  }

  /**
   * What the backend reports of the next observable, an ITS command: bits of its operands, whether its outcome, and
   * whether it knows the command at all.
   */
  nextCommand(): { readonly operands: number; readonly outcome: boolean; readonly command: boolean } {
    if (this.head === this.tail) return { operands: 0xffff_ffff, outcome: true, command: true };
    const slot = this.head % this.size;
    const outcome = this.words[slot * RECORD_WORDS + 2]!;
    return {
      operands: this.words[slot * RECORD_WORDS + COMMAND_WORDS.shown]!,
      outcome: isOutcomeShown(this.flags[slot]!, outcome),
      command: isCommandShown(outcome),
    };
  }

  /**
   * Skips commands that are not in the source, up to that of ITS `its` in this slot. A source has no lines for them.
   */
  passUnknown(its: number, slot: number): void {
    for (; this.head < this.tail; this.head++) {
      const at = this.head % this.size;
      const w = at * RECORD_WORDS;
      if (this.kinds[at] !== ITS_COMMAND || this.words[w + 2] !== ITS_OUTCOMES.NOT_SHOWN) return;
      if (this.words[w] === its && this.words[w + 1] === slot) return;
    }
  }

  /** Compares a recorded observable with the next reported one, which is then used up. */
  see(batch: RecordBatch, i: number, mask: Uint32Array | undefined): number {
    if (this.head === this.tail) return DIFFERS;
    const slot = this.head++ % this.size;
    if (this.kinds[slot] !== batch.kind[i]) return DIFFERS;
    if (this.pes[slot] !== batch.pe[i] && comparesPe(batch.kind[i]!)) return DIFFERS;
    for (let k = 0; k < RECORD_WORDS; k++) {
      const bits = mask === undefined ? 0xffff_ffff : mask[k]!;
      if (((this.words[slot * RECORD_WORDS + k]! ^ batch.words[i * RECORD_WORDS + k]!) & bits) !== 0)
        return DIFFERS;
    }
    return MATCH;
  }

  /**
   * Copies the next reported observable, or the one just used up, to the end of `out`; returns false if there is none.
   */
  copyNext(out: RecordBatch, used: boolean): boolean {
    const at = used ? this.head - 1 : this.head;
    if (at < 0 || at >= this.tail) return false;
    const slot = at % this.size;
    const i = out.push(this.kinds[slot]!, this.pes[slot]!, Number.NaN);
    for (let k = 0; k < RECORD_WORDS; k++)
      out.words[i * RECORD_WORDS + k] = this.words[slot * RECORD_WORDS + k]!;
    return true;
  }

  clear(): void {
    this.head = this.tail;
  }
}
