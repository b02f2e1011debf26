// The database of what `compare` runs.
import type { Design, Run, RunObserver } from '@gictrace/core/irqchip';
import type { TargetOptions } from '@gictrace/recorder/output';
import { makeDatabase } from '../database/file.ts';
import { RunRows } from './run-rows.ts';

/**
 * Makes the database at `path` of what `compare` runs: it is given what its runs are to be observed with.
 * @throws GicTraceError as {@link makeDatabase}, and what `compare` throws.
 */
export function makeRunsDatabase<T extends { readonly runs: readonly Run[] }>(
  path: string,
  compare: (observe: (design: Design) => RunObserver) => T,
  options: TargetOptions = {},
): T {
  return makeDatabase(
    path,
    (db) => {
      const rows = new RunRows(db);
      const made = compare((design) => rows.observe(design));
      for (const run of made.runs) rows.ended(run);
      rows.finish();
      return made;
    },
    options,
  );
}
