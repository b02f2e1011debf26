// Observables in which order counts: commands, table accesses, SGIs. Whether the model did other ones than the source has.
import { RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';

const ITS_COMMAND = RECORDS['its.command'].id;
const SGI_SENT = RECORDS['sgi.sent'].id;
const TABLES = (
  [
    'dte.read',
    'dte.write',
    'cte.read',
    'cte.write',
    'ite.read',
    'ite.write',
    'vte.read',
    'vte.write',
  ] as const
).map((name) => RECORDS[name].id as number);

export class Streams {
  /** By kind: the number of its stream, 0 for none. */
  private readonly of = new Uint8Array(256);

  /** `shows`: kinds that the source has lines of. */
  constructor(shows: (kind: number) => boolean) {
    if (shows(ITS_COMMAND)) this.of[ITS_COMMAND] = 1;
    for (const kind of TABLES) if (shows(kind)) this.of[kind] = 2;
    if (shows(SGI_SENT)) this.of[SGI_SENT] = 3;
  }

  /** Whether a kind is in one of the streams. */
  has(kind: number): boolean {
    return this.of[kind] !== 0;
  }

  /**
   * Whether records `from` to `end` - 1 of a group are those that the model did: `less` where the model only did more
   * behind them.
   */
  differ(group: RecordBatch, from: number, end: number, shown: RecordBatch): 'same' | 'less' | 'other' {
    let isLess = false;
    for (let stream = 1; stream <= 3; stream++) {
      let at = 0;
      const next = () => {
        while (at < shown.count && this.of[shown.kind[at]!] !== stream) at++;
        return at < shown.count;
      };
      for (let i = from; i < end; i++) {
        if (this.of[group.kind[i]!] !== stream) continue;
        if (!next() || !this.same(group, i, shown, at)) return 'other';
        at++;
      }
      if (next()) isLess = true;
    }
    return isLess ? 'less' : 'same';
  }

  private same(group: RecordBatch, i: number, shown: RecordBatch, k: number): boolean {
    const kind = group.kind[i];
    if (kind !== shown.kind[k]) return false;
    const a = i * RECORD_WORDS;
    const b = k * RECORD_WORDS;
    if (kind === ITS_COMMAND)
      return (
        group.words[a + 1] === shown.words[b + 1] &&
        (group.words[a + 4]! & 0xff) === (shown.words[b + 4]! & 0xff)
      );
    if (kind === SGI_SENT && group.pe[i] !== shown.pe[k]) return false;
    for (let n = 0; n < RECORD_WORDS; n++) if (group.words[a + n] !== shown.words[b + n]) return false;
    return true;
  }
}
