// What is kept of a replay to explain its first divergence: the stimulus at work and what it did, the command of an
// ITS, the last records. Decides nothing.
import { RECORDS, RecordBatch, recordText } from '@gictrace/core';
import { STREAM_OF } from './observed.ts';
import type { Anomaly, Divergence } from './verdict.ts';

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
  /** The last records, as a ring. */
  private readonly recent = new RecordBatch(CONTEXT_RECORDS);
  private recentNext = 0;

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
    const before: string[] = [];
    for (let k = 0; k < CONTEXT_RECORDS; k++) {
      const at = (this.recentNext + k) % CONTEXT_RECORDS;
      if (at < this.recent.count) before.push(recordText(this.recent, at));
    }
    return {
      record,
      line: line > 0 ? line : null,
      kind: kindName(kind),
      recorded,
      replayed,
      stimulus:
        this.stimulus.count > 0 ? { record: this.stimulusRecord, text: recordText(this.stimulus, 0) } : null,
      events: Array.from({ length: this.explained.count }, (_, i) => recordText(this.explained, i)),
      before,
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

  /** Keeps a record as one of the last. */
  remember(batch: RecordBatch, i: number): void {
    const { recent } = this;
    const at = this.recentNext;
    if (recent.count < CONTEXT_RECORDS) recent.copy(batch, i);
    else {
      recent.count = at;
      recent.copy(batch, i);
      recent.count = CONTEXT_RECORDS;
    }
    this.recentNext = (at + 1) % CONTEXT_RECORDS;
  }
}

const kindNames = new Map<number, string>();
for (const [name, kind] of Object.entries(RECORDS)) kindNames.set(kind.id, name);
/** The name of a record kind; 0 stands for a stored state. */
export function kindName(id: number): string {
  return id === 0 ? 'state' : (kindNames.get(id) ?? `kind ${id}`);
}
