// Counts by name what an import leaves out.

/** What an importer left out, and how often. */
export class Losses {
  readonly counts = new Map<string, number>();
  add(what: string, n = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + n);
  }
}
