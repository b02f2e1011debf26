// Runs scenarios into a temporary database in memory.
import { DESIGNS, type Run, Translation } from '@gictrace/core/irqchip';
import type { Scenario } from '@gictrace/recorder';
import Database from 'better-sqlite3';
import { RunRows } from '../run-rows.ts';
import type { Mutant } from './mutant.ts';

/** Runs scenarios on designs into a database in memory: its tables and named queries are those of `compare -o`. */
export function runInMemory(
  scenarios: readonly Scenario[],
  designs: readonly string[],
  { design: change = (design) => design, ...planted }: Mutant = {},
): { readonly db: Database.Database; readonly runs: readonly Run[] } {
  const db = new Database(':memory:');
  const rows = new RunRows(db);
  const runs: Run[] = [];
  for (const scenario of scenarios)
    for (const name of designs) {
      const design = change(DESIGNS[name]!);
      const translation = new Translation(
        design,
        scenario.pes,
        { ...rows.observe(design, scenario.name), ...planted },
        scenario.blocks,
      );
      for (const operation of scenario.operations) translation.take(operation);
      const run = translation.finish();
      rows.ended(run, scenario.name);
      runs.push(run);
    }
  rows.finish();
  return { db, runs };
}
