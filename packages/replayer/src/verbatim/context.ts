// What is kept of a replay to explain its first divergence: the stimulus at work and what it did, the command of an
// ITS, the last records. Decides nothing.
import { RECORDS, RecordBatch, recordText } from '@gictrace/core';
import type { Anomaly, Divergence } from '../verdict.ts';
import { STREAM_OF } from './observed.ts';

const CONTEXT_RECORDS = 12;
/** The stream of table accesses (STREAM_OF). */
const TABLES = 2;

export class Context {
  /** The stimulus at work, copied: its batch may be reused. */
  readonly stimulus = new RecordBatch(1);
  stimulusRecord = -1;
  stimulusLine = 0;
  /** What the backend did since. */
  private readonly explained = new RecordBatch(256);
  /** The command that an ITS is executing, as recorded. */
  private readonly command = new RecordBatch(1);
  private commandRecord = -1;
  /** The last records of the batches before. */
  private recent = new RecordBatch(CONTEXT_RECORDS);
  private batch: RecordBatch | undefined;
  private index = 0;

  /** A new stimulus is at work. */
  begin(batch: RecordBatch, i: number, record: number): void {
    this.stimulus.clear();
    this.stimulus.copy(batch, i);
    this.stimulusRecord = record;
    this.stimulusLine = batch.line[i]!;
    this.explained.clear();
  }

  /** The backend did this. */
  did(batch: RecordBatch, i: number): void {
    if (this.explained.count < this.explained.capacity) this.explained.copy(batch, i);
  }

  /** A recorded command. */
  executes(batch: RecordBatch, i: number, record: number): void {
    this.command.clear();
    this.command.copy(batch, i);
    this.commandRecord = record;
  }

  /** A divergence with all that is known of it. */
  explain(
    record: number,
    line: number,
    kind: number,
    recorded: string,
    replayed: string,
    anomaly: Anomaly | null,
  ): Divergence {
    return {
      record,
      line: line > 0 ? line : null,
      kind: kindName(kind),
      recorded,
      replayed,
      stimulus:
        this.stimulus.count > 0 ? { record: this.stimulusRecord, text: recordText(this.stimulus, 0) } : null,
      events: Array.from({ length: this.explained.count }, (_, i) => recordText(this.explained, i)),
      before: this.before(),
      suspect: STREAM_OF[kind] === TABLES ? (this.commandAtWork() ?? anomaly) : anomaly,
    };
  }

  /** A table access that differs may be right, and the command that made it told wrong: its slot was rebuilt from that line. */
  private commandAtWork(): Anomaly | null {
    if (this.command.count === 0 || this.commandRecord < this.stimulusRecord) return null;
    const line = this.command.line[0]!;
    return {
      record: this.commandRecord,
      line: line > 0 ? line : null,
      text: `made by ${recordText(this.command, 0)}`,
    };
  }

  /** The record at work: those before it in its batch are there to be looked at. */
  reach(batch: RecordBatch, i: number): void {
    this.batch = batch;
    this.index = i;
  }

  /** A batch is done and may be reused: keeps its last records. */
  leave(batch: RecordBatch): void {
    const from = Math.max(0, batch.count - CONTEXT_RECORDS);
    const kept = new RecordBatch(CONTEXT_RECORDS);
    const short = CONTEXT_RECORDS - (batch.count - from);
    for (let i = Math.max(0, this.recent.count - short); i < this.recent.count; i++)
      kept.copy(this.recent, i);
    for (let i = from; i < batch.count; i++) kept.copy(batch, i);
    this.recent = kept;
    this.batch = undefined;
  }

  /** The text of the last records before the one at work. */
  private before(): string[] {
    const texts: string[] = [];
    const { batch, index, recent } = this;
    const here = batch === undefined ? 0 : Math.min(index, CONTEXT_RECORDS);
    for (let i = Math.max(0, recent.count - (CONTEXT_RECORDS - here)); i < recent.count; i++)
      texts.push(recordText(recent, i));
    if (batch !== undefined) for (let i = index - here; i < index; i++) texts.push(recordText(batch, i));
    return texts;
  }
}

const kindNames = new Map<number, string>();
for (const [name, kind] of Object.entries(RECORDS)) kindNames.set(kind.id, name);
/** The name of a record kind; 0 stands for a stored state. */
export function kindName(id: number): string {
  return id === 0 ? 'state' : (kindNames.get(id) ?? `kind ${id}`);
}
