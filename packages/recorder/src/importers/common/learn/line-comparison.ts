// Compares, over one stimulus, what PEs are signalled in the source and in the model. A line of the source is the next
// change that the model made for that PE, or repeats what it was last signalled; and each change has a line. Replay
// compares in the same way.
import type { GicState } from '@gictrace/core/model';
import {
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  type Signal,
  STIMULI_BELOW,
} from '@gictrace/core/record';
import { HPPI, MEM_WRITE, VHPPI } from '../record-kinds.ts';
import type { Signalled } from './explain.ts';

/** A line that is not the next change, or a change without a line. */
export interface Mismatch {
  /** Index of the line in the group; -1 for a change without a line. */
  readonly at: number;
  readonly pe: number;
  /** The model has changes for the PE that no line has matched yet. */
  readonly outstanding: boolean;
}

export class LineComparison {
  readonly kind: number;
  private readonly fields: number;
  private readonly partial: number;
  private readonly now: Uint32Array;
  /** By PE: where the model's changes are that no line has matched yet. */
  private readonly queues: number[][];
  private readonly pes: number;

  constructor({ kind, idle, wordsWithoutLines }: Signal, pes: number) {
    this.kind = kind;
    this.fields = idle.length;
    this.partial = wordsWithoutLines;
    this.pes = pes;
    this.now = new Uint32Array(pes * idle.length);
    this.queues = Array.from({ length: pes }, () => []);
  }

  /** Compares lines `from` to `end` - 1 of a group with what the model did from `before` on. */
  compare(
    before: GicState,
    group: RecordBatch,
    from: number,
    end: number,
    shown: RecordBatch,
    out: Mismatch[],
  ): void {
    const { queues, now, fields, kind } = this;
    for (const queue of queues) if (queue.length > 0) queue.length = 0;
    this.load(before);
    for (let i = 0; i < shown.count; i++)
      if (shown.kind[i] === kind && shown.pe[i]! < this.pes) queues[shown.pe[i]!]!.push(i * RECORD_WORDS);
    for (let i = from; i < end; i++) {
      const pe = group.pe[i]!;
      if (group.kind[i] !== kind || pe < 0 || pe >= this.pes) continue;
      const at = i * RECORD_WORDS;
      const n = group.flags[i]! & RECORD_FLAGS.valueUnknown ? this.partial : fields;
      const queue = queues[pe]!;
      if (queue.length > 0 && equal(shown.words, queue[0]!, group.words, at, n)) {
        this.take(pe, shown.words, queue.shift()!, fields);
        continue;
      }
      if (!equal(now, pe * fields, group.words, at, n)) {
        out.push({ at: i, pe, outstanding: queue.length > 0 });
        // A source that does not record the interrupt lines leaves them as they were.
        this.take(pe, group.words, at, n);
      }
    }
    for (let pe = 0; pe < this.pes; pe++)
      if (queues[pe]!.length > 0) out.push({ at: -1, pe, outstanding: true });
  }

  private take(pe: number, words: Uint32Array, at: number, n: number): void {
    for (let k = 0; k < n; k++) this.now[pe * this.fields + k] = words[at + k]!;
  }

  private load(state: GicState): void {
    const { now, fields } = this;
    for (let pe = 0; pe < this.pes; pe++) {
      const at = pe * fields;
      if (this.kind === HPPI) {
        now[at] = state.hppiIntid[pe]!;
        now[at + 1] = state.hppiGroup[pe]!;
        now[at + 2] = state.hppiPriority[pe]!;
        now[at + 3] = state.fiq[pe]!;
        now[at + 4] = state.irq[pe]!;
      } else if (this.kind === VHPPI)
        for (let k = 0; k < fields; k++) now[at + k] = state.virtual.hppi[fields * pe + k]!;
      else now[at] = state.virtual.maintenance[pe]!;
    }
  }
}

/** What a line says a PE is signalled. */
export function lineOf(group: RecordBatch, i: number): Signalled {
  const at = i * RECORD_WORDS;
  const { words } = group;
  const line = group.flags[i]! & RECORD_FLAGS.valueUnknown ? -1 : words[at + 3]! | words[at + 4]!;
  return { intid: words[at]!, group: words[at + 1]!, priority: words[at + 2]!, line };
}

/**
 * What a PE is signalled according to the last line about it after record `from`, or before that if there is no such
 * line.
 */
export function lastLine(before: GicState, pe: number, group: RecordBatch, from: number): Signalled {
  let last: Signalled | undefined;
  for (let i = from + 1; i < group.count; i++) {
    if (group.kind[i]! < STIMULI_BELOW && group.kind[i] !== MEM_WRITE) break;
    if (group.kind[i] === HPPI && group.pe[i] === pe) last = lineOf(group, i);
  }
  return (
    last ?? {
      intid: before.hppiIntid[pe]!,
      group: before.hppiGroup[pe]!,
      priority: before.hppiPriority[pe]!,
      line: before.fiq[pe]! | before.irq[pe]!,
    }
  );
}

function equal(a: Uint32Array, at: number, b: Uint32Array, bt: number, n: number): boolean {
  for (let k = 0; k < n; k++) if (a[at + k] !== b[bt + k]) return false;
  return true;
}
