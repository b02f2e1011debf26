// Counts differences by class, by subject, and by what tolerates them.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import { CLASS_NAMES, type DiffClass, type Ignorable, NO_DIFFERENCE } from './classes.ts';
import type { DiffRule } from './rules.ts';
import type { Subject } from './side.ts';

/** The differences about one subject. */
export interface SubjectRow {
  readonly subject: string;
  /** Number of compared records of each side about the subject. */
  readonly a: number;
  readonly b: number;
  /** Number of differences that nothing tolerates, and their classes. */
  readonly differing: number;
  readonly classes: Readonly<Partial<Record<DiffClass, number>>>;
}

export class Tally {
  readonly counts = Object.fromEntries(CLASS_NAMES.map((name) => [name, 0])) as Record<DiffClass, number>;
  /** Number of differences that nothing tolerates. */
  open = 0;
  private readonly ignore: readonly Ignorable[];
  private readonly rules: readonly DiffRule[];
  private readonly passed = new Map<string, number>();
  private readonly bySubject = new Map<
    number,
    { subject: string; n: number; classes: Map<DiffClass, number> }
  >();
  private readonly asked = new Map<string, string | null>();

  constructor(options: { readonly ignore?: readonly Ignorable[]; readonly rules?: readonly DiffRule[] }) {
    this.ignore = options.ignore ?? [];
    this.rules = options.rules ?? [];
    for (const name of this.ignore) this.passed.set(`--ignore ${name}`, 0);
    for (const rule of this.rules) this.passed.set(rule.reason, 0);
  }

  /** Counts a difference. Returns what tolerates it, or null. */
  count(name: DiffClass, number: number, subject: Subject, pe: number): string | null {
    this.counts[name]++;
    if (NO_DIFFERENCE.has(name)) return null;
    const key = `${name} ${number} ${pe}`;
    let by = this.asked.get(key);
    if (by === undefined) {
      by = this.findTolerance(name, subject, pe);
      this.asked.set(key, by);
    }
    if (by !== null) {
      this.passed.set(by, (this.passed.get(by) ?? 0) + 1);
      return by;
    }
    this.open++;
    let entry = this.bySubject.get(number);
    if (entry === undefined) {
      entry = { subject: subject.text, n: 0, classes: new Map() };
      this.bySubject.set(number, entry);
    }
    entry.n++;
    entry.classes.set(name, (entry.classes.get(name) ?? 0) + 1);
    return null;
  }

  /** Returns what tolerates a difference that is not a record, or null; counts it. */
  tolerate(name: DiffClass, subject: Subject, pe: number): string | null {
    const by = this.findTolerance(name, subject, pe);
    if (by !== null) this.passed.set(by, (this.passed.get(by) ?? 0) + 1);
    return by;
  }

  private findTolerance(name: DiffClass, subject: Subject, pe: number): string | null {
    if ((this.ignore as readonly DiffClass[]).includes(name)) return `--ignore ${name}`;
    return this.rules.find((rule) => rule.matches(name, subject, pe))?.reason ?? null;
  }

  /** Tolerances in the order in which they were given, including unused ones. */
  tolerated(): { by: string; n: number }[] {
    return [...this.passed].map(([by, n]) => ({ by, n }));
  }

  /**
   * Differences by subject, first those of which one side has more than the other. `a`, `b`: by subject number, how
   * many compared records of each side concern it.
   */
  subjects(a: Uint32Array, b: Uint32Array): SubjectRow[] {
    return [...this.bySubject]
      .map(([number, { subject, n, classes }]) => ({
        subject,
        a: a[number]!,
        b: b[number]!,
        differing: n,
        classes: Object.fromEntries(
          CLASS_NAMES.filter((name) => classes.has(name)).map((name) => [name, classes.get(name)!]),
        ),
      }))
      .sort(
        (p, q) =>
          Math.abs(q.a - q.b) - Math.abs(p.a - p.b) ||
          q.differing - p.differing ||
          (p.subject < q.subject ? -1 : 1),
      );
  }
}

/** Configuration fields that say nothing about the recorded GIC, and why differences in them are tolerated. */
export const NO_BEHAVIOUR: ReadonlyMap<string, string> = new Map([
  ['profile', 'the profile says which implementation replays the trace, not what was recorded'],
]);

/** A field of the configuration as the subject of a rule. */
export function configSubject(field: string): Subject {
  return {
    kind: 'config',
    register: field,
    INTID: null,
    command: null,
    DeviceID: null,
    text: `config ${field}`,
  };
}

/** The fields in which two configurations differ, as JSON. */
export function configDifferences(
  a: GicConfig | Gicv5Config,
  b: GicConfig | Gicv5Config,
): { field: string; a: string; b: string }[] {
  const out: { field: string; a: string; b: string }[] = [];
  const text = (value: unknown) => (value === undefined ? 'absent' : JSON.stringify(value));
  const walk = (p: unknown, q: unknown, field: string) => {
    if (text(p) === text(q)) return;
    if (isMap(p) && isMap(q)) {
      for (const key of [...new Set([...Object.keys(p), ...Object.keys(q)])].sort())
        walk(p[key], q[key], field === '' ? key : `${field}.${key}`);
      return;
    }
    out.push({ field, a: text(p), b: text(q) });
  };
  walk(a, b, '');
  return out;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
