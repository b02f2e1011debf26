// Reads two traces into the sides of a comparison. Chunks that are byte for byte the same at the start of both are
// decoded once; the records of a difference are fetched again, chunk by chunk.
import { RecordBatch } from '@gictrace/core';
import type { TraceReader } from '@gictrace/recorder';
import type { Canon } from './canon.ts';

/** Gives the batches of two traces to their canons. */
export function readSides(
  readerA: TraceReader,
  a: Canon,
  readerB: TraceReader,
  b: Canon,
  progress?: (records: number) => void,
): void {
  let done = 0;
  let common = 0;
  while (common < readerA.chunkCount && common < readerB.chunkCount) {
    if (!readerA.storedChunk(common).equals(readerB.storedChunk(common))) break;
    common++;
  }
  let left = common;
  let from = 0;
  for (const { batch, first } of readerA.batches()) {
    a.take(batch, first);
    if (left > 0) {
      b.take(batch, first);
      left--;
      from = first + batch.count;
    }
    progress?.((done += batch.count));
  }
  if (from >= readerB.records) return;
  for (const { batch, first } of readerB.batches(from)) {
    b.take(batch, first);
    progress?.((done += batch.count));
  }
}

/** Copies of some records of a trace, in one batch, and where each is in it. */
export function fetchRecords(
  reader: TraceReader,
  records: readonly number[],
): { batch: RecordBatch; at: (record: number) => number } {
  const wanted = [...new Set(records)].sort((p, q) => p - q);
  const out = new RecordBatch(Math.max(1, wanted.length));
  const places = new Map<number, number>();
  for (let k = 0; k < wanted.length; ) {
    // One chunk at a time: those between are not decoded.
    const next = reader.batches(wanted[k]!).next();
    if (next.done) break;
    const { batch, first } = next.value;
    for (; k < wanted.length && wanted[k]! < first + batch.count; k++)
      places.set(wanted[k]!, out.copy(batch, wanted[k]! - first));
  }
  return { batch: out, at: (record) => places.get(record)! };
}
