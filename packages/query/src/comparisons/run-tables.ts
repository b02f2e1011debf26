// The tables of a database of comparisons: what each design did with the same operations, one row for each thing that
// was counted.
import { COSTS, FATE_NAMES, FAULT_NAMES } from '@gictrace/core/irqchip';

export interface RunTable {
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
