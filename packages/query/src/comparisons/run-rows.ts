// Writes runs of designs as rows of the tables that run-tables.ts declares.
import {
  COSTS,
  type Costs,
  type Design,
  FAULT_NAMES,
  judge,
  judgementText,
  nsOf,
  type Operation,
  OUTCOME_NAMES,
  type Run,
  type RunObserver,
  traitsOf,
} from '@gictrace/core/irqchip';
import type Database from 'better-sqlite3';
import { Inserter } from '../database/insert.ts';
import type { Table } from '../database/table.ts';
import { Doings } from './doings.ts';
import type { KnownOfDesign } from './known.ts';
import { RUN_QUERIES } from './run-queries.ts';
import { RUN_TABLES } from './run-tables.ts';

function tableOf(name: string): Table {
  const { columns } = RUN_TABLES[name]!;
  const list = Object.entries(columns).map(([column, [type]]) => `${column} ${type}`);
  return {
    name,
    columns: Object.keys(columns),
    ddl: `CREATE TABLE ${name} (${list.join(', ')}) STRICT`,
  };
}

/** The arguments of an operation as columns. */
function namedBy(o: Operation): readonly (number | null)[] {
  const of = o as { device?: number; vector?: number; vpe?: number; pe?: number; count?: number };
  return [of.device ?? null, of.vector ?? null, of.vpe ?? null, of.pe ?? null, of.count ?? null];
}

const costsOf = (costs: Costs): readonly number[] => COSTS.map((name) => costs[name]);

/** The tables of runs in a database, and how they are filled. */
export class RunRows {
  private readonly db: Database.Database;
  private readonly into = new Map<string, Inserter>();
  private readonly numbers = new Map<string, number>();

  constructor(db: Database.Database) {
    this.db = db;
    for (const name of Object.keys(RUN_TABLES)) {
      const table = tableOf(name);
      db.exec(table.ddl);
      this.into.set(name, new Inserter(db, table));
    }
    for (const [name, { sql }] of Object.entries(RUN_QUERIES)) db.exec(`CREATE VIEW ${name} AS ${sql}`);
    db.exec('BEGIN');
  }

  private add(table: string, row: readonly (string | number | null)[]): void {
    this.into.get(table)!.add([...row]);
  }

  /** The observer for a run. */
  observe(design: Design, scenario: string | null = null): RunObserver {
    const run = this.numbers.size + 1;
    this.numbers.set(`${scenario}\n${design.name}`, run);
    const doings = new Doings();
    return {
      command: (step, { name, operands }) => {
        doings.command(name, operands);
        this.add('run_commands', [run, step, name, JSON.stringify(operands)]);
      },
      stimulus: (batch) => doings.stimulus(batch),
      setUp: () => doings.setUp(),
      operation: (step, o, result, costs, pending) => {
        const [did, accessed] = doings.ended(o);
        this.add('run_operations', [
          run,
          step,
          o.op,
          ...namedBy(o),
          result === 'done' ? result : Object.entries(result)[0]!.join(': '),
          o.op === 'set_pending' ? Number(o.pending) : null,
          ...(pending === undefined
            ? [null, null, null]
            : [Number(pending.before), Number(pending.after), pending.elsewhere]),
          ...costsOf(costs),
          did,
          accessed,
        ]);
      },
      message: ({ message, device, vector, fired, settled, outcome }) =>
        this.add('run_messages', [run, message, device, vector, fired, settled, outcome]),
      fault: (step, fault, pe, intid, vector) =>
        this.add('run_faults', [run, step, fault, pe, intid, vector?.device ?? null, vector?.vector ?? null]),
      leaked: (step, what, n) => this.add('run_leaks', [run, step, what, n]),
      carried: (step, without, { part, items, bytes }) =>
        this.add('run_carried', [run, step, without, part, items, bytes]),
    };
  }

  /** Takes a run that has ended, and what else is known of its design. */
  ended(made: Run, scenario: string | null = null, known?: KnownOfDesign): void {
    const { design, costs, deliveries: d, held, failures } = made;
    const run = this.numbers.get(`${scenario}\n${design.name}`)!;
    this.add('runs', [
      run,
      scenario,
      design.name,
      design.serves,
      design.profile,
      ...costsOf(costs),
      d.fired,
      ...OUTCOME_NAMES.map((name) => d[name]),
      ...FAULT_NAMES.map((name) => d[name]),
      d.withheld,
      d.doorbells,
      d.steps_max,
    ]);
    for (const { kind, operation, n, what } of failures)
      this.add('run_failures', [run, kind, operation, n, what]);
    const judgement = judge(made);
    const { properties: p, model } = known ?? {};
    this.add('run_verdicts', [
      run,
      design.name,
      judgement.verdict,
      judgement.operation,
      judgement.why,
      judgement.undelivered,
      judgementText(judgement),
      Number(traitsOf(design.name).saysIsolated),
      ...(p === undefined
        ? [null, null, null, null, null]
        : [p.needs.join('; '), p.isolates, p.vfio, p.multiMsi, p.migrates]),
      ...(model === undefined ? [null, null] : [model.name, nsOf(costs, model)]),
    ]);
    for (const [what, n] of held) if (n !== 0) this.add('run_held', [run, what, n]);
  }

  /** Ends the runs. Rows of runs that did not end are removed, because there was nothing for those runs to do. */
  finish(): void {
    for (const inserter of this.into.values()) inserter.flush();
    for (const name of this.into.keys())
      if (name !== 'runs') this.db.exec(`DELETE FROM ${name} WHERE run NOT IN (SELECT run FROM runs)`);
    this.db.exec('COMMIT');
  }
}
