// The text form of a trace, for reviews: operations, stimuli and observables, one per line, without record numbers and
// times, so that a change in one place does not change all lines after it. Lines that repeat, or that differ only in a
// number that counts up, are folded into one. The simulator's events follow from the rest and would hide it, so the text
// contains only their counts and a digest.
import { createHash } from 'node:crypto';
import { recordText } from '@gictrace/core/disasm';
import { RECORDS, recordName } from '@gictrace/core/record';
import { TraceReader } from '@gictrace/recorder';

/** Most records that the text form contains. */
const TEXT_RECORDS_MAX = 3000;
const NUMBER = /^(0|[1-9]\d{0,14})$/;

/** Folds lines that repeat or count up, as they come. */
export class Folded {
  readonly lines: string[] = [];
  private words: string[] = [];
  private last = '';
  private count = 0;
  /** The index of the word in which the current lines count up, or -1; and its first and last number. */
  private at = -1;
  private from = 0;
  private to = 0;

  take(line: string): void {
    if (this.count > 0 && (this.repeats(line) || this.goesOn(line))) {
      this.count++;
      return;
    }
    this.flush();
    this.last = line;
    this.words = line.split(' ');
    this.count = 1;
  }

  /** Writes the current lines. */
  flush(): void {
    if (this.count === 0) return;
    if (this.at >= 0) {
      const words = [...this.words];
      words[this.at] = `${this.from}..${this.to}`;
      this.lines.push(words.join(' '));
    } else this.lines.push(this.count === 1 ? this.last : `${this.last} (${this.count} times)`);
    this.count = 0;
    this.at = -1;
  }

  private repeats(line: string): boolean {
    return this.at < 0 && line === this.last;
  }

  /** Whether a line is the line before it with one number incremented, the same number as in the lines before. */
  private goesOn(line: string): boolean {
    if (this.at < 0 && this.count > 1) return false;
    const words = line.split(' ');
    if (words.length !== this.words.length) return false;
    let at = -1;
    for (let k = 0; k < words.length; k++) {
      if (words[k] === this.words[k]) continue;
      if (at >= 0) return false;
      at = k;
    }
    if (at < 0 || (this.at >= 0 && at !== this.at)) return false;
    const before = this.at < 0 ? this.words[at]! : `${this.to}`;
    if (!NUMBER.test(words[at]!) || !NUMBER.test(before) || Number(words[at]) !== Number(before) + 1)
      return false;
    if (this.at < 0) this.from = Number(before);
    this.at = at;
    this.to = Number(words[at]);
    return true;
  }
}

/** The text of a trace. */
export function textOf(path: string): string {
  const reader = TraceReader.openAny(path);
  try {
    const folded = new Folded();
    const events = new Map<string, number>();
    const digest = createHash('sha256');
    let shown = 0;
    let more = 0;
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count; i++) {
        const name = recordName(batch.kind[i]!)!;
        const line = () => recordText(batch, i).replace(/^\S+ /, '');
        if (RECORDS[name].class === 'event') {
          events.set(name, (events.get(name) ?? 0) + 1);
          digest.update(`${line()}\n`);
        } else if (shown++ < TEXT_RECORDS_MAX) folded.take(line());
        else more++;
      }
    folded.flush();
    const { lines } = folded;
    if (more > 0) lines.push(`… and ${more} records more; all together: ${reader.footer!.semanticDigest}`);
    if (events.size > 0) {
      const counts = [...events].sort(([p], [q]) => (p < q ? -1 : 1)).map(([name, n]) => `${n} ${name}`);
      lines.push(`events: ${counts.join(', ')}; ${digest.digest('hex')}`);
    }
    return lines.map((line) => `${line}\n`).join('');
  } finally {
    reader.close();
  }
}
