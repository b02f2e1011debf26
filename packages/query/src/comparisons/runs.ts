// The database of the runs of `gictrace compare`.
import type { CostModel, Design, Run, RunObserver } from '@gictrace/core/irqchip';
import type { TargetOptions } from '@gictrace/recorder/output';
import { makeDatabase } from '../database/file.ts';
import type { KnownOfDesign } from './known.ts';
import { RunRows } from './run-rows.ts';

/**
 * Makes the database at `path` from what `compare` runs. `compare` is called with the observer for its runs.
 * @throws GicTraceError as {@link makeDatabase}, and anything that `compare` throws.
 */
export function makeRunsDatabase<
  T extends {
    readonly runs: readonly Run[];
    readonly judged: readonly Pick<KnownOfDesign, 'properties'>[];
    readonly model: CostModel;
  },
>(path: string, compare: (observe: (design: Design) => RunObserver) => T, options: TargetOptions = {}): T {
  return makeDatabase(
    path,
    (db) => {
      const rows = new RunRows(db);
      const made = compare((design) => rows.observe(design));
      made.runs.forEach((run, k) => {
        rows.ended(run, null, { ...made.judged[k]!, model: made.model });
      });
      rows.finish();
      return made;
    },
    options,
  );
}
