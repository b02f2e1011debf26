// Runs scenarios into a temporary database in memory.
import { DESIGNS, type Design, type Run, Translation } from '@gictrace/core/irqchip';
import type { Machine } from '@gictrace/core/model';
import type { Scenario } from '@gictrace/recorder';
import Database from 'better-sqlite3';
import { RunRows } from '../run-rows.ts';

/** A fault: a design that is changed, or a machine into which a fault is planted. */
export interface Mutant {
  readonly design?: (design: Design) => Design;
  readonly machine?: (machine: Machine) => void;
}

/** Runs scenarios on designs into a database in memory: its tables and named queries are those of `compare -o`. */
export function runInMemory(
  scenarios: readonly Scenario[],
  designs: readonly string[],
  { design: change = (design) => design, machine }: Mutant = {},
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
        { ...rows.observe(design, scenario.name), ...(machine === undefined ? {} : { machine }) },
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
