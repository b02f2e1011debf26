// Keeps what is needed to explain the first divergence of a replay: the current stimulus and its effects, the current
// ITS command, the last records, the last anomaly. Decides nothing.
import { recordText } from '@gictrace/core/disasm';
import { type Anomaly, type Divergence, isTableAccess, RECORDS, RecordBatch } from '@gictrace/core/record';

/** Number of records before a divergence that are reported with it. */
const BEFORE_RECORDS = 12;
/** Number of effects of a stimulus that are kept. */
const DID_RECORDS = 256;

/** A divergence before it is explained. `line` is 0 if the source has no line for it. */
export interface Difference {
  readonly record: number;
  readonly line: number;
  readonly kind: number;
  readonly recorded: string;
  readonly replayed: string;
  /** The anomaly to suspect if nothing better is known. */
  readonly anomaly: Anomaly | null;
}

export class Explainer {
  /** A copy of the current stimulus, since its batch may be reused. */
  readonly stimulus = new RecordBatch(1);
  stimulusRecord = -1;
  stimulusLine = 0;
  /** The last anomaly. */
  anomaly: Anomaly | null = null;
  /** The effects that the backend reported since. */
  private readonly effects = new RecordBatch(DID_RECORDS);
  /** The command that an ITS is executing, as recorded. */
  private readonly command = new RecordBatch(1);
  private commandRecord = -1;
  /** The last records of the previous batches. */
  private recent = new RecordBatch(BEFORE_RECORDS);
  /** The batch that is being walked, and the number of its first record. */
  private batch: RecordBatch | undefined;
  private batchFirst = 0;

  /** Begins to walk a batch whose first record is record `first` of the trace. */
  enter(batch: RecordBatch, first: number): void {
    this.batch = batch;
    this.batchFirst = first;
  }

  /** A new stimulus begins. */
  begin(batch: RecordBatch, i: number, record: number): void {
    this.stimulus.clear();
    this.stimulus.copy(batch, i);
    this.stimulusRecord = record;
    this.stimulusLine = batch.line[i]!;
    this.effects.clear();
  }

  /** Takes an effect that the backend reported. */
  did(batch: RecordBatch, i: number): void {
    if (this.effects.count < DID_RECORDS) this.effects.copy(batch, i);
  }

  /** Takes a recorded command. */
  executes(batch: RecordBatch, i: number, record: number): void {
    this.command.clear();
    this.command.copy(batch, i);
    this.commandRecord = record;
  }

  /** The current stimulus caused an anomaly, which may be why something differs later. */
  suspect(text: string): Anomaly {
    const line = this.stimulusLine > 0 ? this.stimulusLine : null;
    this.anomaly = { record: this.stimulusRecord, line, text };
    return this.anomaly;
  }

  /**
   * Returns a difference with everything that is known about it. `at`: the current record, which need not be the one
   * that differs.
   */
  explain(at: number, { record, line, kind, recorded, replayed, anomaly }: Difference): Divergence {
    return {
      record,
      line: line > 0 ? line : null,
      kind: kindName(kind),
      recorded,
      replayed,
      stimulus:
        this.stimulus.count > 0 ? { record: this.stimulusRecord, text: recordText(this.stimulus, 0) } : null,
      events: Array.from({ length: this.effects.count }, (_, i) => recordText(this.effects, i)),
      before: this.before(at),
      suspect: isTableAccess(kind) ? (this.commandAtWork() ?? anomaly) : anomaly,
    };
  }

  /**
   * A table access that differs may be right, and the command that made it may be recorded wrongly: its queue slot was
   * rebuilt from the command's line.
   */
  private commandAtWork(): Anomaly | null {
    if (this.command.count === 0 || this.commandRecord < this.stimulusRecord) return null;
    const line = this.command.line[0]!;
    return {
      record: this.commandRecord,
      line: line > 0 ? line : null,
      text: `made by ${recordText(this.command, 0)}`,
    };
  }

  /** The batch is finished and may be reused. Keeps its last records. */
  leave(batch: RecordBatch): void {
    const from = Math.max(0, batch.count - BEFORE_RECORDS);
    const kept = new RecordBatch(BEFORE_RECORDS);
    const short = BEFORE_RECORDS - (batch.count - from);
    for (let i = Math.max(0, this.recent.count - short); i < this.recent.count; i++)
      kept.copy(this.recent, i);
    for (let i = from; i < batch.count; i++) kept.copy(batch, i);
    this.recent = kept;
    this.batch = undefined;
  }

  /** The text of the last records before record `record`. */
  private before(record: number): string[] {
    const texts: string[] = [];
    const { batch, batchFirst, recent } = this;
    const index = record - batchFirst;
    const here = batch === undefined ? 0 : Math.min(index, BEFORE_RECORDS);
    for (let i = Math.max(0, recent.count - (BEFORE_RECORDS - here)); i < recent.count; i++)
      texts.push(recordText(recent, i));
    if (batch !== undefined) for (let i = index - here; i < index; i++) texts.push(recordText(batch, i));
    return texts;
  }
}

const kindNames = new Map<number, string>();
for (const [name, kind] of Object.entries(RECORDS)) kindNames.set(kind.id, name);
/** The name of a record kind; 0 means a stored state. */
export function kindName(id: number): string {
  return id === 0 ? 'state' : (kindNames.get(id) ?? `kind ${id}`);
}
