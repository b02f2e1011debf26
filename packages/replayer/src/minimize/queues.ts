// Keeps command queues whole when commands are left out: those that are left move up, and each write of GITS_CWRITER
// submits what has been queued since the one before. An ITS whose commands are not written in this way is left alone.
import { KIND, RECORD_WORDS, RecordBatch, UNITS } from '@gictrace/core/record';
import { FRAMES, GITS } from '@gictrace/core/spec';
import type { Stimuli } from './stimuli.ts';

const FRAME_GITS = FRAMES.indexOf('GITS');
const UNIT_GITS = UNITS.indexOf('GITS');
const { GITS_CBASER, GITS_CWRITER } = GITS;
const SLOT = 32;
const PAGE = 4096;
const OFFSET_MASK = 0xf_ffe0;
const ADDRESS_HIGH = 0xf_ffff;

interface Queue {
  /** The address of slot 0, and the number of slots; 0 before GITS_CBASER is written. */
  base: number;
  slots: number;
  /** The slot after the last submitted command. */
  next: number;
  /** Commands queued since. */
  queued: number;
  cbaserLow: number;
  cbaserHigh: number;
}

/** Rewrites stimuli one after another. */
export class Queues {
  /** By ITS. A hostile trace names ITSs of any number. */
  private queues = new Map<number, Queue>();
  private readonly leave: ReadonlySet<number>;

  /** `leave`: the ITSs to leave alone. */
  constructor(leave: ReadonlySet<number>) {
    this.leave = leave;
  }

  /** A copy that goes on from here. */
  clone(): Queues {
    const copy = new Queues(this.leave);
    for (const [its, queue] of this.queues) copy.queues.set(its, { ...queue });
    return copy;
  }

  private of(its: number): Queue {
    let queue = this.queues.get(its);
    if (queue === undefined) {
      queue = { base: 0, slots: 0, next: 0, queued: 0, cbaserLow: 0, cbaserHigh: 0 };
      this.queues.set(its, queue);
    }
    return queue;
  }

  /** Rewrites stimulus `i` of a batch. Returns whether it has changed. */
  pack(batch: RecordBatch, i: number): boolean {
    const { words } = batch;
    const at = i * RECORD_WORDS;
    switch (batch.kind[i]) {
      case KIND['queue.write']: {
        if (this.leave.has(words[at]!)) return false;
        const queue = this.of(words[at]!);
        if (queue.slots === 0) return false;
        const slot = (queue.next + queue.queued++) % queue.slots;
        return store(words, at + 1, queue.base + SLOT * slot);
      }
      case KIND['mmio.write']:
        if (words[at] !== FRAME_GITS || this.leave.has(words[at + 1]!)) return false;
        return this.register(words, at);
      case KIND['state.known']:
        if (words[at + 1] === UNIT_GITS && words[at] === 0) this.known(words, at);
        return false;
      case KIND['gic.reset']:
        this.queues.clear();
        return false;
      default:
        return false;
    }
  }

  private register(words: Uint32Array, at: number): boolean {
    const queue = this.of(words[at + 1]!);
    const offset = words[at + 2]!;
    const width = words[at + 3]!;
    if (offset === GITS_CBASER.offset || offset === GITS_CBASER.offset + 4) {
      if (offset === GITS_CBASER.offset) queue.cbaserLow = words[at + 4]!;
      if (width === 8) queue.cbaserHigh = words[at + 5]!;
      else if (offset !== GITS_CBASER.offset) queue.cbaserHigh = words[at + 4]!;
      this.place(queue);
      queue.next = queue.queued = 0;
      return false;
    }
    if (offset !== GITS_CWRITER.offset || queue.slots === 0) return false;
    queue.next = (queue.next + queue.queued) % queue.slots;
    queue.queued = 0;
    const value = ((words[at + 4]! & ~OFFSET_MASK) | (SLOT * queue.next)) >>> 0;
    const isChanged = words[at + 4] !== value;
    words[at + 4] = value;
    return isChanged;
  }

  private place(queue: Queue): void {
    queue.base = (queue.cbaserHigh & ADDRESS_HIGH) * 2 ** 32 + ((queue.cbaserLow & 0xffff_f000) >>> 0);
    queue.slots = (((queue.cbaserLow & 0xff) + 1) * PAGE) / SLOT;
  }

  private known(words: Uint32Array, at: number): void {
    const queue = this.of(words[at + 2]!);
    const register = words[at + 3];
    if (register === GITS_CWRITER.offset) queue.next = (words[at + 5]! & OFFSET_MASK) / SLOT;
    if (register !== GITS_CBASER.offset) return;
    queue.cbaserLow = words[at + 5]!;
    queue.cbaserHigh = words[at + 6]!;
    this.place(queue);
  }
}

/** Stores a 64-bit number in two words. Returns whether it is another than before. */
function store(words: Uint32Array, at: number, value: number): boolean {
  const low = value >>> 0;
  const high = Math.floor(value / 2 ** 32);
  const isChanged = words[at] !== low || words[at + 1] !== high;
  words[at] = low;
  words[at + 1] = high;
  return isChanged;
}

/** The ITSs whose commands are not written in this way: rewriting all stimuli of the trace would change one. */
export function irregularQueues(stimuli: Stimuli): Set<number> {
  const irregular = new Set<number>();
  const queues = new Queues(new Set());
  const one = new RecordBatch(1);
  for (let n = 0; n < stimuli.length; n++) {
    one.clear();
    stimuli.copyTo(one, n);
    if (queues.pack(one, 0)) irregular.add(one.words[one.kind[0] === KIND['queue.write'] ? 0 : 1]!);
  }
  return irregular;
}
