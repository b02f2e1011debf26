// A database of comparisons: what each design did with the same operations, one row for each thing that was counted.
import {
  COSTS,
  type Costs,
  type Design,
  FATE_NAMES,
  FAULT_NAMES,
  type Operation,
  type Run,
  type RunObserver,
} from '@gictrace/core';
import type { TargetOptions } from '@gictrace/recorder';
import type Database from 'better-sqlite3';
import { makeDatabase } from '../database/file.ts';
import { Inserter } from '../database/insert.ts';
import type { Table } from '../sql/schema.ts';
import { RUN_QUERIES } from './run-queries.ts';

interface RunTable {
  readonly doc: string;
  /** Column, its SQL type and what it holds. */
  readonly columns: Readonly<Record<string, readonly [string, string]>>;
}

const RUN = ['INTEGER NOT NULL', 'number of the run'] as const;
const STEP = ['INTEGER NOT NULL', 'number of the operation within the run, from 0, fires included'] as const;
const VECTOR = {
  device: ['INTEGER', 'DeviceID'],
  vector: ['INTEGER', 'vector of the device, from 0'],
} as const;
const costColumns = Object.fromEntries(
  COSTS.map((name) => [name, ['INTEGER NOT NULL', name.replaceAll('_', ' ')] as const]),
);

/** The tables, which `docs/sql.md` describes. */
export const RUN_TABLES: Readonly<Record<string, RunTable>> = {
  runs: {
    doc: 'Designs that ran the operations of a trace or scenario: totals, without what setting the driver up cost.',
    columns: {
      run: ['INTEGER PRIMARY KEY', 'number of the run'],
      scenario: ['TEXT', 'what was run, where there are several'],
      design: ['TEXT NOT NULL', 'name of the design'],
      serves: ['TEXT NOT NULL', '`devices` or `vpes`'],
      profile: ['TEXT NOT NULL', 'profile of the simulator'],
      ...costColumns,
      fired: ['INTEGER NOT NULL', 'messages that were sent, and interrupts that software set pending'],
      ...Object.fromEntries(
        [...FATE_NAMES, ...FAULT_NAMES].map((name) => [name, ['INTEGER NOT NULL', name] as const]),
      ),
      doorbells: ['INTEGER NOT NULL', 'doorbells that PEs took'],
      steps_max: ['INTEGER NOT NULL', 'most operations that a delivered message waited for'],
    },
  },
  run_operations: {
    doc: 'What each operation cost: differences of the counters around it.',
    columns: {
      run: RUN,
      step: STEP,
      op: ['TEXT NOT NULL', 'the operation'],
      ...VECTOR,
      vpe: ['INTEGER', 'vPEID'],
      pe: ['INTEGER', 'the PE that it names'],
      count: ['INTEGER', 'how many it is about: vectors that are asked for, vPEs'],
      result: ['TEXT NOT NULL', '`done`, or why not'],
      ...costColumns,
    },
  },
  run_commands: {
    doc: 'ITS commands that a design sent. Step -1 is the setting up of its driver.',
    columns: {
      run: RUN,
      step: ['INTEGER NOT NULL', STEP[1]],
      op: ['TEXT NOT NULL', 'the command'],
      operands: ['TEXT NOT NULL', 'its operands, as JSON'],
    },
  },
  run_messages: {
    doc: 'What became of each message.',
    columns: {
      run: RUN,
      message: ['INTEGER NOT NULL', 'number within the run'],
      ...VECTOR,
      fired: ['INTEGER NOT NULL', 'operation that sent it'],
      settled: ['INTEGER NOT NULL', 'operation after which its fate was known'],
      fate: ['TEXT NOT NULL', FATE_NAMES.map((name) => `\`${name}\``).join(', ')],
    },
  },
  run_faults: {
    doc: 'Handlers that ran without a message, or on another PE than the affinity says; vPEs that nothing woke.',
    columns: {
      run: RUN,
      step: STEP,
      fault: ['TEXT NOT NULL', FAULT_NAMES.map((name) => `\`${name}\``).join(', ')],
      pe: ['INTEGER NOT NULL', 'PE that took it'],
      INTID: ['INTEGER NOT NULL', 'what the PE acknowledged'],
      ...VECTOR,
    },
  },
  run_leaks: {
    doc: 'What operations that failed took and did not give back. Step -1 is the setting up of the driver.',
    columns: {
      run: RUN,
      step: ['INTEGER NOT NULL', STEP[1]],
      what: ['TEXT NOT NULL', 'of what'],
      n: ['INTEGER NOT NULL', 'how much'],
    },
  },
  run_carried: {
    doc: 'What migrations had to carry: state that is not as after reset, by part of the machine.',
    columns: {
      run: RUN,
      step: STEP,
      left_behind: ['TEXT NOT NULL', 'the part that was not carried'],
      part: ['TEXT NOT NULL', 'part of the machine'],
      items: ['INTEGER NOT NULL', 'registers, wires, pages of memory'],
      bytes: ['INTEGER NOT NULL', 'bytes of registers, bytes of memory that are not 0'],
    },
  },
  run_held: {
    doc: 'What each driver holds at the end.',
    columns: { run: RUN, what: ['TEXT NOT NULL', 'of what'], n: ['INTEGER NOT NULL', 'how much'] },
  },
};

function tableOf(name: string): Table {
  const { columns } = RUN_TABLES[name]!;
  const list = Object.entries(columns).map(([column, [type]]) => `${column} ${type}`);
  return {
    name,
    columns: Object.keys(columns),
    ddl: `CREATE TABLE ${name} (${list.join(', ')}) STRICT`,
  };
}

/** What of an operation is not its name, as columns. */
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

  /** What a run is to be observed with. */
  observe(design: Design, scenario: string | null = null): RunObserver {
    const run = this.numbers.size + 1;
    this.numbers.set(`${scenario}\n${design.name}`, run);
    return {
      command: (step, { name, operands }) =>
        this.add('run_commands', [run, step, name, JSON.stringify(operands)]),
      operation: (step, o, result, costs) =>
        this.add('run_operations', [
          run,
          step,
          o.op,
          ...namedBy(o),
          result === 'done' ? result : Object.entries(result)[0]!.join(': '),
          ...costsOf(costs),
        ]),
      message: ({ message, device, vector, fired, settled, fate }) =>
        this.add('run_messages', [run, message, device, vector, fired, settled, fate]),
      fault: (step, fault, pe, intid, vector) =>
        this.add('run_faults', [run, step, fault, pe, intid, vector?.device ?? null, vector?.vector ?? null]),
      leaked: (step, what, n) => this.add('run_leaks', [run, step, what, n]),
      carried: (step, without, { part, items, bytes }) =>
        this.add('run_carried', [run, step, without, part, items, bytes]),
    };
  }

  /** A run that is over. */
  ended({ design, costs, deliveries: d, held }: Run, scenario: string | null = null): void {
    const run = this.numbers.get(`${scenario}\n${design.name}`)!;
    this.add('runs', [
      run,
      scenario,
      design.name,
      design.serves,
      design.profile,
      ...costsOf(costs),
      d.fired,
      ...FATE_NAMES.map((name) => d[name]),
      ...FAULT_NAMES.map((name) => d[name]),
      d.doorbells,
      d.steps_max,
    ]);
    for (const [what, n] of held) if (n !== 0) this.add('run_held', [run, what, n]);
  }

  /** No more runs. Those that did not end leave nothing behind: there was nothing for them to do. */
  finish(): void {
    for (const inserter of this.into.values()) inserter.flush();
    for (const name of this.into.keys())
      if (name !== 'runs') this.db.exec(`DELETE FROM ${name} WHERE run NOT IN (SELECT run FROM runs)`);
    this.db.exec('COMMIT');
  }
}

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
    (db: Database.Database) => {
      const rows = new RunRows(db);
      const made = compare((design) => rows.observe(design));
      for (const run of made.runs) rows.ended(run);
      rows.finish();
      return made;
    },
    options,
  );
}
