// The records that an answer names: each read once from the trace, and decoded.
import { recordText } from '@gictrace/core/disasm';
import type { RecordBatch } from '@gictrace/core/record';
import { wholeNs } from '../timeline/moment.ts';
import { type ReadableTrace, recordAt } from './counterfactual.ts';
import type { Named } from './question.ts';

export class Names {
  private readonly trace: Pick<ReadableTrace, 'batches'>;
  private readonly known = new Map<number, { line: number | null; timeNs: number | null; text: string }>();

  constructor(trace: Pick<ReadableTrace, 'batches'>) {
    this.trace = trace;
  }

  /** Record `record` of the trace, with what it did. */
  of(record: number, what: string): Named {
    let known = this.known.get(record);
    if (known === undefined) {
      const one = recordAt(this.trace, record);
      known =
        one === undefined
          ? { line: null, timeNs: null, text: '' }
          : {
              line: one.line[0] === 0 ? null : one.line[0]!,
              timeNs: wholeNs(one.timeNs[0]!),
              text: shortText(one),
            };
      this.known.set(record, known);
    }
    return { record, ...known, what };
  }

  /** What record `record` did, or without a record what is so, as a clause. */
  clause(record: number, what: string): string {
    if (record < 0) return what;
    const { line } = this.of(record, '');
    return `record ${record}${line === null ? '' : ` (line ${line})`} ${what}`;
  }
}

/** A record as text, without its time; of a command in a queue, only the command. */
function shortText(one: RecordBatch): string {
  return recordText(one, 0)
    .replace(/^\S+ /, '')
    .replace(/^PE\S+ queue\.write ITS\d+ \S+ /, '')
    .replace(/ \((?:inferred|assumed): [\w-]+\)$/, '');
}
