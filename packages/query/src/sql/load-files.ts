// Loads trace files into a database. One thread reads and simulates. If there is a second processor and enough to do, a
// second thread inserts rows.
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { TraceReader } from '@gictrace/recorder';
import { databaseFault, databaseOutput } from '../database/file.ts';
import { canInsertBeside, OtherThreadWriter, type RowWriter, SameThreadWriter } from '../database/writers.ts';
import type { LoadOptions } from './load.ts';
import { Loading, type LoadSource, type LoadSummary, PLAN } from './loading.ts';

export interface LoadFilesOptions extends Omit<LoadOptions, 'inputs'> {
  /** 2: a second thread inserts rows. This is the default if there is a second processor and enough to do. */
  readonly threads?: 1 | 2;
}

/** With fewer records than this, a second thread takes longer to start than it saves. */
const RECORDS_FOR_THREAD = 30_000;

/**
 * Loads trace files as {@link loadTraces} does, but without blocking the process, and with a second thread that inserts rows
 * if that is faster. The database is the same, byte for byte, for any number of threads.
 * @throws GicTraceError as `makeDatabase` and `TraceReader` do. A bad file is found before any file is loaded.
 */
export async function loadTraceFiles(
  path: string,
  files: readonly string[],
  options: LoadFilesOptions = {},
): Promise<LoadSummary> {
  let records = 0;
  for (const file of files) {
    const reader = TraceReader.open(file);
    records += reader.records;
    reader.close();
  }
  const isWorthwhile = records >= RECORDS_FOR_THREAD && availableParallelism() > 1;
  const threads = canInsertBeside() ? (options.threads ?? (isWorthwhile ? 2 : 1)) : 1;
  const out = databaseOutput(path, { ...options, inputs: files });
  let writer: RowWriter | undefined;
  try {
    const own =
      threads === 1 ? new SameThreadWriter(out.partial, PLAN) : new OtherThreadWriter(out.partial, PLAN);
    writer = own;
    const loading = new Loading(own, options.progress);
    for (const source of sourcesOf(files))
      for (const _ of loading.load(source, () => own.isFull)) await own.room();
    loading.flush();
    const summary = loading.summary(await own.finish());
    out.commitWritten();
    return summary;
  } catch (error) {
    await writer?.abandon();
    out.discard();
    throw databaseFault(error, path);
  }
}

function* sourcesOf(files: readonly string[]): Generator<LoadSource> {
  for (const file of files) {
    const reader = TraceReader.open(file);
    try {
      yield {
        name: basename(file),
        path: resolve(file),
        header: reader.header,
        contentDigest: reader.footer?.contentDigest ?? null,
        semanticDigest: reader.footer?.semanticDigest ?? null,
        batches: reader.batches(),
      };
    } finally {
      reader.close();
    }
  }
}
