// Counts divergences and keeps the first of them, with what explains it. Compares nothing.
import { recordText } from '@gictrace/core/disasm';
import { type Divergence, RECORDS, type RecordBatch } from '@gictrace/core/record';
import type { ReplayCounts } from './counts.ts';
import type { Explainer } from './explainer.ts';

const HPPI = RECORDS.hppi.id;

/** In place of a record: the backend reported something for which there is none. */
export const NOTHING = 'nothing of the kind after this stimulus';

export class Divergences {
  first: Divergence | null = null;
  /** Number of the current record. */
  record = 0;
  private readonly counts: ReplayCounts;
  private readonly explainer: Explainer;

  constructor(counts: ReplayCounts, explainer: Explainer) {
    this.counts = counts;
    this.explainer = explainer;
  }

  /** The current record differs; `replayed` returns the text of what the backend reported instead. */
  differs(batch: RecordBatch, i: number, replayed: () => string): void {
    this.count(batch.kind[i]!);
    if (this.first !== null) return;
    const { anomaly } = this.explainer;
    this.first = this.explainer.explain(this.record, {
      record: this.record,
      line: batch.line[i]!,
      kind: batch.kind[i]!,
      recorded: recordText(batch, i),
      replayed: replayed(),
      anomaly,
    });
  }

  /**
   * The backend reported something for which there is no record. This is a divergence of the stimulus that caused it.
   */
  missing(replayed: () => string): void {
    const { stimulus, stimulusRecord, stimulusLine, anomaly } = this.explainer;
    const kind = stimulus.count > 0 ? stimulus.kind[0]! : HPPI;
    this.count(kind);
    this.first ??= this.explainer.explain(this.record, {
      record: stimulusRecord,
      line: stimulusLine,
      kind,
      recorded: NOTHING,
      replayed: replayed(),
      anomaly,
    });
  }

  /** The current stimulus itself is the divergence. */
  atStimulus(recorded: string, replayed: string): void {
    const { stimulus, stimulusRecord, stimulusLine } = this.explainer;
    const kind = stimulus.kind[0]!;
    this.count(kind);
    if (this.first !== null) return;
    const text = stimulus.count > 0 ? recordText(stimulus, 0) : recorded;
    this.first = this.explainer.explain(this.record, {
      record: stimulusRecord,
      line: stimulusLine,
      kind,
      recorded: `${text}: ${recorded}`,
      replayed,
      // The anomaly does not explain itself.
      anomaly: null,
    });
  }

  /** The state before record `record` differs from the one that the trace stores. */
  state(own: string, stored: string, record: number): void {
    this.counts.diverged++;
    this.counts.statesDiverged++;
    this.first ??= this.explainer.explain(record, {
      record,
      line: 0,
      kind: 0,
      recorded: `state ${stored}`,
      replayed: `state ${own}`,
      anomaly: this.explainer.anomaly,
    });
  }

  private count(kind: number): void {
    this.counts.diverged++;
    this.counts.divergedKinds[kind]!++;
  }
}
