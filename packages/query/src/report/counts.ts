// Counts how often two names occur together.

export class Counts {
  private readonly counts = new Map<string, Map<string, number>>();

  add(a: string, b: string): void {
    let of = this.counts.get(a);
    if (of === undefined) this.counts.set(a, (of = new Map()));
    of.set(b, (of.get(b) ?? 0) + 1);
  }

  /** All counts in descending order; equal counts by name. */
  all(): { a: string; b: string; n: number }[] {
    const rows = [...this.counts].flatMap(([a, of]) => [...of].map(([b, n]) => ({ a, b, n })));
    return rows.sort((p, q) => q.n - p.n || (`${p.a} ${p.b}` < `${q.a} ${q.b}` ? -1 : 1));
  }
}
