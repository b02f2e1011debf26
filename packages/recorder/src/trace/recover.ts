// Mends a trace: writes a whole one out of every whole chunk that is left of a damaged or unfinished one.
import { renameSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Gap, TraceReader } from './reader.ts';
import { type TraceSummary, TraceWriter } from './writer.ts';

export interface Recovery {
  readonly recovered: TraceSummary;
  /** The source had its footer and trailer. */
  readonly finished: boolean;
  readonly missing: readonly Gap[];
}

/** Recovers `path` into `out`. Throws a GicTraceError (`trace`) if not even the header is left. */
export function recover(path: string, out: string): Recovery {
  const reader = TraceReader.salvage(path);
  try {
    // A writer works under NAME.partial, which may be the very trace that is being recovered.
    const own = resolve(path) === resolve(`${out}.partial`) ? `${out}.recovered` : out;
    const writer = new TraceWriter(own, reader.header);
    try {
      for (const { batch } of reader.batches()) writer.append(batch);
      const { missing } = reader.damage;
      const losses = [
        ...(reader.footer?.losses ?? []),
        ...missing.map((gap) => ({
          what: `records lost to damage, from record ${gap.firstRecord}`,
          count: gap.count ?? null,
        })),
      ];
      const recovered = writer.close({ losses, meta: { recovered: true } });
      if (own !== out) renameSync(own, out);
      return { recovered, finished: reader.damage.finished, missing };
    } catch (error) {
      writer.abort();
      throw error;
    }
  } finally {
    reader.close();
  }
}
