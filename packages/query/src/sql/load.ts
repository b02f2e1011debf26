// Loads traces into a database. A database is a cache of traces: it is always made from scratch, in a temporary file that is
// then renamed.
import type { TargetOptions } from '@gictrace/recorder/output';
import { makeDatabase } from '../database/file.ts';
import { DatabaseWriter } from '../database/writer.ts';
import { Loading, type LoadSource, type LoadSummary, PLAN } from './loading.ts';

export type { LoadSource, LoadSummary } from './loading.ts';

export interface LoadOptions extends TargetOptions {
  readonly progress?: (records: number) => void;
}

/**
 * Makes the database at `path`, replacing one that gictrace made, and loads the traces into it.
 * @throws GicTraceError as `makeDatabase` does.
 */
export function loadTraces(
  path: string,
  sources: Iterable<LoadSource>,
  options: LoadOptions = {},
): LoadSummary {
  return makeDatabase(
    path,
    (db) => {
      const writer = new DatabaseWriter(db, PLAN);
      const loading = new Loading(writer, options.progress);
      loading.reference();
      for (const source of sources) for (const _ of loading.load(source));
      loading.flush();
      return loading.summary(writer.finish());
    },
    options,
  );
}
