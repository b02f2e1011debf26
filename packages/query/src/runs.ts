// A database of a comparison: what each design did with the same operations, one row for each thing that was counted.
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
import type Database from 'better-sqlite3';
import { makeDatabase } from './database-file.ts';
import { Inserter } from './insert.ts';
import type { Table } from './schema.ts';

interface RunTable {
  readonly doc: string;
  /** Name, and [type, what it holds]. */
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
    doc: 'Designs that ran the operations of the trace: totals, without what setting the driver up cost.',
    columns: {
      run: ['INTEGER PRIMARY KEY', 'number of the run'],
      design: ['TEXT NOT NULL', 'name of the design'],
      serves: ['TEXT NOT NULL', '`devices` or `vpes`'],
      profile: ['TEXT NOT NULL', 'profile of the simulator'],
      ...costColumns,
      fired: ['INTEGER NOT NULL', 'messages that were sent, and interrupts that software set pending'],
      ...Object.fromEntries(
        [...FATE_NAMES, ...FAULT_NAMES].map((name) => [name, ['INTEGER NOT NULL', name] as const]),
      ),
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
    doc: 'Handlers that ran without a message, or on another PE than the affinity says.',
    columns: {
      run: RUN,
      step: STEP,
      fault: ['TEXT NOT NULL', FAULT_NAMES.map((name) => `\`${name}\``).join(', ')],
      pe: ['INTEGER NOT NULL', 'PE that took it'],
      INTID: ['INTEGER NOT NULL', 'what the PE acknowledged'],
      ...VECTOR,
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
  const of = o as { device?: number; vector?: number; vpe?: number; pe?: number };
  return [of.device ?? null, of.vector ?? null, of.vpe ?? null, of.pe ?? null];
}

const costsOf = (costs: Costs): readonly number[] => COSTS.map((name) => costs[name]);

/**
 * Makes the database at `path` of what `compare` runs: it is given what its runs are to be observed with.
 * @throws GicTraceError as {@link makeDatabase}, and what `compare` throws.
 */
export function makeRunsDatabase<T extends { readonly runs: readonly Run[] }>(
  path: string,
  compare: (observe: (design: Design) => RunObserver) => T,
): T {
  return makeDatabase(path, (db: Database.Database) => {
    const into = new Map<string, Inserter>();
    for (const name of Object.keys(RUN_TABLES)) {
      const table = tableOf(name);
      db.exec(table.ddl);
      into.set(name, new Inserter(db, table));
    }
    const numbers = new Map<string, number>();
    const observe = (design: Design): RunObserver => {
      const run = numbers.size + 1;
      numbers.set(design.name, run);
      return {
        command: (step, { name, operands }) =>
          into.get('run_commands')!.add([run, step, name, JSON.stringify(operands)]),
        operation: (step, o, result, costs) =>
          into
            .get('run_operations')!
            .add([
              run,
              step,
              o.op,
              ...namedBy(o),
              result === 'done' ? result : Object.entries(result)[0]!.join(': '),
              ...costsOf(costs),
            ]),
        message: ({ message, device, vector, fired, settled, fate }) =>
          into.get('run_messages')!.add([run, message, device, vector, fired, settled, fate]),
        fault: (step, fault, pe, intid, vector) =>
          into
            .get('run_faults')!
            .add([run, step, fault, pe, intid, vector?.device ?? null, vector?.vector ?? null]),
      };
    };
    db.exec('BEGIN');
    const made = compare(observe);
    for (const { design, costs, deliveries: d, held } of made.runs) {
      const run = numbers.get(design.name)!;
      into
        .get('runs')!
        .add([
          run,
          design.name,
          design.serves,
          design.profile,
          ...costsOf(costs),
          d.fired,
          ...FATE_NAMES.map((name) => d[name]),
          ...FAULT_NAMES.map((name) => d[name]),
          d.steps_max,
        ]);
      for (const [what, n] of held) if (n !== 0) into.get('run_held')!.add([run, what, n]);
    }
    for (const inserter of into.values()) inserter.flush();
    // Designs that the trace has no operations for are not shown, and leave nothing behind.
    for (const name of Object.keys(RUN_TABLES))
      if (name !== 'runs') db.exec(`DELETE FROM ${name} WHERE run NOT IN (SELECT run FROM runs)`);
    db.exec('COMMIT');
    return made;
  });
}
