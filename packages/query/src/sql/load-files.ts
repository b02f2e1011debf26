// Loads trace files into a database. One thread reads and simulates. If there is a second processor and enough to do, a
// second thread inserts rows.
import { constants, copyFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { TraceReader } from '@gictrace/recorder';
import { cannotWrite } from '@gictrace/recorder/output';
import { checkDatabaseTarget, databaseFault, databaseOutput } from '../database/file.ts';
import { canInsertBeside, OtherThreadWriter, type RowWriter, SameThreadWriter } from '../database/writers.ts';
import {
  checkReplaceable,
  checkTables,
  type ExistingDatabase,
  existingDatabase,
  fileIdentity,
} from './existing.ts';
import type { LoadOptions } from './load.ts';
import { Loading, type LoadSource, type LoadSummary, PLAN } from './loading.ts';

export interface LoadFilesOptions extends Omit<LoadOptions, 'inputs'> {
  /** 2: a second thread inserts rows. This is the default if there is a second processor and enough to do. */
  readonly threads?: 1 | 2;
  /** Whether to add to the database that is there. Traces that it has already are skipped. */
  readonly append?: boolean;
}

export interface LoadFilesSummary extends LoadSummary {
  /** Traces that the database had already. */
  readonly there: readonly string[];
}

/** With fewer records than this, a second thread takes longer to start than it saves. */
const RECORDS_FOR_THREAD = 30_000;

/**
 * Loads trace files as {@link loadTraces} does, but without blocking the process, and with a second thread that inserts rows
 * if that is faster. The database is the same, byte for byte, for any number of threads. A database that has other traces is
 * not replaced, except with `force`; with `append`, the traces are added to a copy of it, which then replaces it.
 * @throws GicTraceError as `makeDatabase` and `TraceReader` do. A bad file is found before any file is loaded.
 */
export async function loadTraceFiles(
  path: string,
  files: readonly string[],
  options: LoadFilesOptions = {},
): Promise<LoadFilesSummary> {
  const found = files.map(examined);
  // Before it is opened, which for a FIFO would wait.
  checkDatabaseTarget(path, { ...options, inputs: files });
  const existing = options.append === true ? existingDatabase(path) : undefined;
  if (existing !== undefined) checkTables(path, PLAN.tables);
  if (existing === undefined && !options.force)
    checkReplaceable(path, new Set(found.map(({ digest }) => digest)));
  const { added, there } = split(found, existing);
  if (added.length === 0 && existing !== undefined) return { traces: 0, records: 0, rows: 0, there };
  const records = added.reduce((sum, one) => sum + one.records, 0);
  const isWorthwhile = records >= RECORDS_FOR_THREAD && availableParallelism() > 1;
  const threads = canInsertBeside() ? (options.threads ?? (isWorthwhile ? 2 : 1)) : 1;
  const out = databaseOutput(path, { ...options, inputs: files });
  let writer: RowWriter | undefined;
  try {
    if (existing !== undefined) copy(path, out.partial);
    const plan = { ...PLAN, append: existing !== undefined };
    const own =
      threads === 1 ? new SameThreadWriter(out.partial, plan) : new OtherThreadWriter(out.partial, plan);
    writer = own;
    const loading = new Loading(own, options.progress);
    if (existing === undefined) loading.reference();
    else loading.continueAfter(existing.last);
    for (const source of sourcesOf(added.map(({ file }) => file)))
      for (const _ of loading.load(source, () => own.isFull)) await own.room();
    loading.flush();
    const summary = loading.summary(await own.finish());
    if (existing !== undefined && fileIdentity(path) !== existing.identity)
      throw new GicTraceError(
        'backend',
        'was changed by another process meanwhile',
        { path },
        'nothing was added: run the command again',
      );
    out.commitWritten();
    return { ...summary, traces: added.length, there };
  } catch (error) {
    await writer?.abandon();
    out.discard();
    throw databaseFault(error, path);
  }
}

interface Examined {
  readonly file: string;
  readonly records: number;
  readonly digest: string | null;
}

function examined(file: string): Examined {
  const reader = TraceReader.openAny(file);
  try {
    return { file, records: reader.records, digest: reader.footer?.contentDigest ?? null };
  } finally {
    reader.close();
  }
}

/** The files that are loaded, and the names of those whose traces the database has. */
function split(
  found: readonly Examined[],
  existing: ExistingDatabase | undefined,
): { readonly added: readonly Examined[]; readonly there: readonly string[] } {
  if (existing === undefined) return { added: found, there: [] };
  const known = new Set(existing.traces.map(({ digest }) => digest));
  const added: Examined[] = [];
  const there: string[] = [];
  for (const one of found) {
    if (one.digest !== null && known.has(one.digest)) there.push(one.file);
    else added.push(one);
    if (one.digest !== null) known.add(one.digest);
  }
  return { added, there };
}

/** Copies a database, without copying its bytes where the file system can share them. */
function copy(from: string, to: string): void {
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    throw cannotWrite(from, error);
  }
}

function* sourcesOf(files: readonly string[]): Generator<LoadSource> {
  for (const file of files) {
    const reader = TraceReader.openAny(file);
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
