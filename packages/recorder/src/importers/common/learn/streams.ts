// Compares the observables whose order matters (commands, table accesses, SGIs): whether the model did something other
// than what the source has.
import {
  COMMAND_WORDS,
  isCommandShown,
  ORDERED_STREAMS,
  orderedStreamOf,
  RECORD_WORDS,
  type RecordBatch,
} from '@gictrace/core/record';
import { ITS_COMMAND, SGI_SENT } from '../record-kinds.ts';

const STREAMS = Object.keys(ORDERED_STREAMS);
const TABLES = STREAMS.indexOf('tables');

/** Whether the model executed a command here that is not in the source. */
function isUnknown(shown: RecordBatch, k: number): boolean {
  return (
    shown.kind[k] === ITS_COMMAND && !isCommandShown(shown.words[k * RECORD_WORDS + COMMAND_WORDS.outcome]!)
  );
}

export class Streams {
  private readonly shows: (kind: number) => boolean;

  /**
   * `shows`: whether the source has lines of a kind. Called only for a kind that the source or the model has a record
   * of.
   */
  constructor(shows: (kind: number) => boolean) {
    this.shows = shows;
  }

  /** Whether a kind belongs to one of the streams. */
  has(kind: number): boolean {
    return orderedStreamOf(kind) >= 0 && this.shows(kind);
  }

  private isIn(stream: number, kind: number): boolean {
    return orderedStreamOf(kind) === stream && this.shows(kind);
  }

  /**
   * Whether records `from` to `end` - 1 of a group differ from what the model did; `less` if the model only did more
   * after them. A command that is not in the source need not have a line. `tables`: whether accesses to tables count.
   */
  differ(
    group: RecordBatch,
    from: number,
    end: number,
    shown: RecordBatch,
    tables = true,
  ): 'same' | 'less' | 'other' {
    let isLess = false;
    for (let stream = 0; stream < STREAMS.length; stream++) {
      if (stream === TABLES && !tables) continue;
      let at = 0;
      const next = (i: number) => {
        while (
          at < shown.count &&
          (!this.isIn(stream, shown.kind[at]!) ||
            (isUnknown(shown, at) && (i < 0 || !this.same(group, i, shown, at))))
        )
          at++;
        return at < shown.count;
      };
      for (let i = from; i < end; i++) {
        if (!this.isIn(stream, group.kind[i]!)) continue;
        if (!next(i) || !this.same(group, i, shown, at)) return 'other';
        at++;
      }
      if (next(-1)) isLess = true;
    }
    return isLess ? 'less' : 'same';
  }

  /**
   * For stimuli that executed commands that are not in the source: accesses to tables that the model did not make
   * belong to those commands. Calls back for each, and returns true, if everything else that the model did is among
   * records `from` to `end` - 1 of a group, in order.
   */
  others(
    group: RecordBatch,
    from: number,
    end: number,
    shown: RecordBatch,
    found: (i: number) => void,
  ): boolean {
    if (this.differ(group, from, end, shown, false) !== 'same') return false;
    const more: number[] = [];
    let at = 0;
    const next = () => {
      while (at < shown.count && !this.isIn(TABLES, shown.kind[at]!)) at++;
      return at < shown.count;
    };
    for (let i = from; i < end; i++) {
      if (!this.isIn(TABLES, group.kind[i]!)) continue;
      if (next() && this.same(group, i, shown, at)) at++;
      else more.push(i);
    }
    if (next()) return false;
    for (const i of more) found(i);
    return true;
  }

  private same(group: RecordBatch, i: number, shown: RecordBatch, k: number): boolean {
    const kind = group.kind[i];
    if (kind !== shown.kind[k]) return false;
    const a = i * RECORD_WORDS;
    const b = k * RECORD_WORDS;
    if (kind === ITS_COMMAND)
      return (
        group.words[a + 1] === shown.words[b + 1] &&
        (isUnknown(shown, k) || (group.words[a + 4]! & 0xff) === (shown.words[b + 4]! & 0xff))
      );
    if (kind === SGI_SENT && group.pe[i] !== shown.pe[k]) return false;
    for (let n = 0; n < RECORD_WORDS; n++) if (group.words[a + n] !== shown.words[b + n]) return false;
    return true;
  }
}
