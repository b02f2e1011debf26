// Reads two traces into the sides of a comparison. Chunks that are identical byte for byte in both, at the same record,
// are decoded once; the records of a difference are fetched again, chunk by chunk.
import { RecordBatch } from '@gictrace/core/record';
import type { AnyTraceReader } from '@gictrace/recorder';
import type { Normaliser } from './normaliser.ts';

/** Passes the batches of two traces to their normalisers, each in order. */
export function readSides(
  readerA: AnyTraceReader,
  a: Normaliser,
  readerB: AnyTraceReader,
  b: Normaliser,
  progress?: (records: number) => void,
): void {
  let done = 0;
  const told = (count: number) => progress?.((done += count));
  const rest = new Batches(readerB);
  let k = 0;
  for (const { batch, first } of readerA.batches()) {
    a.take(batch, first);
    told(batch.count);
    if (k < readerB.chunkCount) {
      const isSame = rest.next === first && readerA.storedChunk(k).equals(readerB.storedChunk(k));
      const own = isSame ? { batch, first } : rest.read();
      rest.next = own.first + own.batch.count;
      b.take(own.batch, own.first);
      told(own.batch.count);
    }
    k++;
  }
  for (; k < readerB.chunkCount; k++) {
    const { batch, first } = rest.read();
    rest.next = first + batch.count;
    b.take(batch, first);
    told(batch.count);
  }
}

/** The batches of a trace, some of which need not be decoded. */
class Batches {
  /** The first record of the next batch. */
  next = 0;
  private readonly reader: AnyTraceReader;
  private batches: Generator<{ batch: RecordBatch; first: number }> | undefined;
  /** The position of `batches`. */
  private at = -1;

  constructor(reader: AnyTraceReader) {
    this.reader = reader;
  }

  read(): { batch: RecordBatch; first: number } {
    if (this.batches === undefined || this.at !== this.next) this.batches = this.reader.batches(this.next);
    const { value } = this.batches.next() as { value: { batch: RecordBatch; first: number } };
    this.at = value.first + value.batch.count;
    return value;
  }
}

/** Copies of some records of a trace, in one batch, and the place of each in it. */
export function fetchRecords(
  reader: AnyTraceReader,
  records: readonly number[],
): { batch: RecordBatch; at: (record: number) => number } {
  const wanted = [...new Set(records)].sort((p, q) => p - q);
  const out = new RecordBatch(Math.max(1, wanted.length));
  const places = new Map<number, number>();
  for (let k = 0; k < wanted.length; ) {
    // One chunk at a time, so that those in between are not decoded.
    const next = reader.batches(wanted[k]!).next();
    if (next.done) break;
    const { batch, first } = next.value;
    for (; k < wanted.length && wanted[k]! < first + batch.count; k++)
      places.set(wanted[k]!, out.copy(batch, wanted[k]! - first));
  }
  return { batch: out, at: (record) => places.get(record)! };
}
