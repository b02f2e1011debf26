// A trace as people review it: what was done and seen, one record a line, without numbers and times, so that a change
// moves nothing. Lines that say the same, or the same of one number after the other, are one. Of the simulator's events,
// which follow from the rest and would hide it, there are counts and a digest.
import { createHash } from 'node:crypto';
import { recordText } from '@gictrace/core/disasm';
import { RECORDS, recordName } from '@gictrace/core/record';
import { TraceReader } from '@gictrace/recorder';

/** Records that the text form shows. */
const TEXT_RECORDS_MAX = 3000;
const NUMBER = /^(0|[1-9]\d{0,14})$/;

/** Folds lines as they come. */
export class Folded {
  readonly lines: string[] = [];
  private words: string[] = [];
  private last = '';
  private count = 0;
  /** The word in which the lines at hand count up, or -1; and its first and last number. */
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

  /** Writes what is at hand. */
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

  /** Whether a line is the one before with one number higher by one, the same number each time. */
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
  const reader = TraceReader.open(path);
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
