// Recovers a trace: writes a complete one from every intact chunk of a damaged or unfinished one.
import type { TargetOptions } from '../output/index.ts';
import { type Gap, TraceReader } from './reader.ts';
import { type TraceSummary, TraceWriter } from './writer.ts';

export interface Recovery {
  readonly recovered: TraceSummary;
  /** Whether the damaged trace had its footer and trailer. */
  readonly finished: boolean;
  readonly missing: readonly Gap[];
}

/**
 * Recovers `path` into `out`, which must not be the damaged trace itself, because that may contain bytes that another tool
 * can save.
 * @throws GicTraceError `trace` if not even the header is left; otherwise as {@link TraceWriter}.
 */
export function recover(path: string, out: string, options: TargetOptions = {}): Recovery {
  const reader = TraceReader.salvage(path);
  try {
    const writer = new TraceWriter(out, reader.header, {
      ...options,
      inputs: [path, ...(options.inputs ?? [])],
    });
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
      return { recovered, finished: reader.damage.finished, missing };
    } catch (error) {
      writer.abort();
      throw error;
    }
  } finally {
    reader.close();
  }
}
