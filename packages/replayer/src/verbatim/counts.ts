// Counts what a replay found, by kind and by name, for its verdict. Decides nothing.
import { type Anomaly, type Divergence, RULES, type Verdict } from '@gictrace/core/record';
import { kindName } from './explainer.ts';
import { CHOICES, type Choice } from './following.ts';

export class ReplayCounts {
  diverged = 0;
  anomalies = 0;
  identificationReads = 0;
  statesCompared = 0;
  statesDiverged = 0;
  readonly compared = new Float64Array(256);
  readonly divergedKinds = new Float64Array(256);
  readonly rules = new Float64Array(256);
  private readonly unknownNames = new Map<string, number>();
  private readonly skippedNames = new Map<string, number>();
  private readonly toleratedNames = new Map<string, number>();
  private readonly choices = new Map<string, number>();

  /** Counts something that is not in the source. */
  unknown(name: string): void {
    count(this.unknownNames, name);
  }

  /** Counts something that was not compared. */
  skip(reason: string): void {
    count(this.skippedNames, reason);
  }

  /** Counts a difference that was tolerated because the user asked for it. */
  tolerate(name: string): void {
    count(this.toleratedNames, name);
  }

  /** Counts a difference that the architecture leaves to the implementation. */
  choose(choice: Choice): void {
    count(this.choices, CHOICES[choice]);
  }

  verdict(
    records: number,
    source: Pick<Verdict, 'start' | 'missing'>,
    first: Divergence | null,
    firstAnomaly: Anomaly | null,
  ): Verdict {
    const unknown: Record<string, number> = {};
    for (const [name, rule] of Object.entries(RULES))
      if (this.rules[rule.id]! > 0) unknown[name] = this.rules[rule.id]!;
    for (const [name, n] of [...this.unknownNames].sort(([a], [b]) => (a < b ? -1 : 1))) unknown[name] = n;
    return {
      records,
      ...source,
      compared: {
        ...named(this.compared),
        ...(this.statesCompared > 0 ? { state: this.statesCompared } : {}),
      },
      diverged: this.diverged,
      divergedBy: {
        ...named(this.divergedKinds),
        ...(this.statesDiverged > 0 ? { state: this.statesDiverged } : {}),
      },
      identificationReads: this.identificationReads,
      unknown,
      skipped: Object.fromEntries(this.skippedNames),
      tolerated: Object.fromEntries(this.toleratedNames),
      implementationChoices: Object.fromEntries(this.choices),
      anomalies: this.anomalies,
      firstAnomaly,
      first,
    };
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function named(counts: Float64Array): Record<string, number> {
  const out: Record<string, number> = {};
  counts.forEach((n, kind) => {
    if (n > 0) out[kindName(kind)] = n;
  });
  return out;
}
