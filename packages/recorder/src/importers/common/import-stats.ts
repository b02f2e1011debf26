// What an importer counts while it reads its source.

export interface ImportStats {
  readonly lines: number;
  readonly records: number;
  /** The number of lines read, by event. */
  readonly events: Readonly<Record<string, number>>;
  /** What was left out, and how often. */
  readonly losses: Readonly<Record<string, number>>;
}
