// The stimuli of a trace in memory, and lists of them. Nothing here runs anything.
import { actOf, intidOf, isStimulus, KIND, RECORD_WORDS, RecordBatch } from '@gictrace/core/record';
import { FRAMES, GITS } from '@gictrace/core/spec';
import type { TraceReader } from '@gictrace/recorder';

const CHUNK_BITS = 12;
const CHUNK = 2 ** CHUNK_BITS;
const FRAME_GITS = FRAMES.indexOf('GITS');

/** A list of stimuli that can be run. */
export interface Stimuli {
  readonly length: number;
  /** Appends stimulus `n` to a batch. */
  copyTo(batch: RecordBatch, n: number): void;
}

/** All stimuli of a trace up to a record. About 70 bytes each. */
export class TraceStimuli implements Stimuli {
  length = 0;
  private readonly chunks: RecordBatch[] = [];

  /** Stimuli up to record `last`; all if it is absent. `without` leaves out some. */
  static read(
    reader: Pick<TraceReader, 'batches'>,
    last = Number.POSITIVE_INFINITY,
    without: (batch: RecordBatch, i: number) => boolean = () => false,
  ): TraceStimuli {
    const stimuli = new TraceStimuli();
    for (const { batch, first } of reader.batches()) {
      for (let i = 0; i < batch.count && first + i <= last; i++)
        if (isStimulus(batch.kind[i]!) && !without(batch, i)) stimuli.add(batch, i);
      if (first + batch.count > last) break;
    }
    return stimuli;
  }

  private add(batch: RecordBatch, i: number): void {
    let chunk = this.chunks.at(-1);
    if (chunk === undefined || chunk.full) this.chunks.push((chunk = new RecordBatch(CHUNK)));
    chunk.copy(batch, i);
    this.length++;
  }

  /** The batch and the index in it of stimulus `n`. */
  at(n: number): readonly [RecordBatch, number] {
    return [this.chunks[n >>> CHUNK_BITS]!, n & (CHUNK - 1)];
  }

  copyTo(batch: RecordBatch, n: number): void {
    batch.copy(this.chunks[n >>> CHUNK_BITS]!, n & (CHUNK - 1));
  }
}

/** Some of the stimuli of a trace, in order. */
export class Selection implements Stimuli {
  readonly of: TraceStimuli;
  readonly positions: ArrayLike<number>;

  constructor(of: TraceStimuli, positions: ArrayLike<number>) {
    this.of = of;
    this.positions = positions;
  }

  get length(): number {
    return this.positions.length;
  }

  copyTo(batch: RecordBatch, n: number): void {
    this.of.copyTo(batch, this.positions[n]!);
  }
}

/** Stimuli that may have been changed: one in each batch. */
export class Single implements Stimuli {
  readonly list: readonly RecordBatch[];

  constructor(list: readonly RecordBatch[]) {
    this.list = list;
  }

  get length(): number {
    return this.list.length;
  }

  copyTo(batch: RecordBatch, n: number): void {
    batch.copy(this.list[n]!, 0);
  }
}

/** Copies, which may be changed. */
export function copies(stimuli: Stimuli): RecordBatch[] {
  return Array.from({ length: stimuli.length }, (_, n) => {
    const one = new RecordBatch(1);
    stimuli.copyTo(one, n);
    return one;
  });
}

/** What belongs together and is left out together: the positions of its stimuli. */
export type Unit = readonly number[];

/**
 * Divides stimuli into units: what one operation caused; the commands that one write of GITS_CWRITER submits, with that
 * write; an acknowledge with the end of that interrupt; an input line that goes high and low again. Half of such a unit
 * seldom leaves anything that still fails: an interrupt that is never ended masks what comes after it.
 */
export function unitsOf(stimuli: TraceStimuli): Unit[] {
  const units: number[][] = [];
  /** By what is open: the unit that a later stimulus joins. */
  const open = new Map<string, number[]>();
  const begin = (n: number, key?: string) => {
    const unit = [n];
    units.push(unit);
    if (key !== undefined) open.set(key, unit);
  };
  /** Joins the open unit, if there is one. */
  const join = (n: number, key: string, isLast: boolean): boolean => {
    const unit = open.get(key);
    if (unit === undefined) return false;
    unit.push(n);
    if (isLast) open.delete(key);
    return true;
  };
  for (let n = 0; n < stimuli.length; n++) {
    const [batch, i] = stimuli.at(n);
    const kind = batch.kind[i];
    const at = i * RECORD_WORDS;
    const { words } = batch;
    const cause = batch.cause[i]!;
    if (cause !== 0) {
      if (!join(n, `operation ${cause}`, false)) begin(n, `operation ${cause}`);
    } else if (kind === KIND['queue.write']) {
      if (!join(n, `queue ${words[at]}`, false)) begin(n, `queue ${words[at]}`);
    } else if (
      kind === KIND['mmio.write'] &&
      words[at] === FRAME_GITS &&
      words[at + 2] === GITS.GITS_CWRITER.offset
    ) {
      if (!join(n, `queue ${words[at + 1]}`, true)) begin(n);
    } else if (kind === KIND['wire.set']) {
      const key = `line ${batch.pe[i]} ${words[at]}`;
      if (!join(n, key, true)) begin(n, words[at + 1] ? key : undefined);
    } else {
      const act = actOf(batch, i);
      const intid = act === undefined ? -1 : intidOf(batch, i);
      const key = `active ${batch.pe[i]} ${act?.isVirtual} ${intid}`;
      if (intid < 0 || act === undefined) begin(n);
      else if (act.does === 'acknowledge') {
        // What is acknowledged again has not been ended: it is two units.
        open.delete(key);
        begin(n, key);
      } else if (act.does === 'end' || act.does === 'deactivate') {
        if (!join(n, key, false)) begin(n);
      } else begin(n);
    }
  }
  return units;
}

/** The stimuli of units, in order. */
export function selectionOf(stimuli: TraceStimuli, units: readonly Unit[]): Selection {
  let length = 0;
  for (const unit of units) length += unit.length;
  const positions = new Uint32Array(length);
  let at = 0;
  let isSorted = true;
  for (const unit of units)
    for (const n of unit) {
      if (at > 0 && positions[at - 1]! > n) isSorted = false;
      positions[at++] = n;
    }
  return new Selection(stimuli, isSorted ? positions : positions.sort());
}
