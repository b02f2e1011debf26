// The tables of a database of comparisons: what each design did with the same operations, with one row for everything that
// was counted.
import { COSTS, FAULT_NAMES, OUTCOME_NAMES, VERDICTS } from '@gictrace/core/irqchip';

export interface RunTable {
  readonly doc: string;
  /** For each column, its SQL type and what it contains. */
  readonly columns: Readonly<Record<string, readonly [string, string]>>;
}

const RUN = ['INTEGER NOT NULL', 'number of the run'] as const;
const STEP = ['INTEGER NOT NULL', 'number of the operation within the run, from 0, including fires'] as const;
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
    doc: 'The designs that ran the operations of a trace or scenario, with totals. Setting up the driver is not included.',
    columns: {
      run: ['INTEGER PRIMARY KEY', 'number of the run'],
      scenario: ['TEXT', 'the scenario that was run, if there are several'],
      design: ['TEXT NOT NULL', 'name of the design'],
      serves: ['TEXT NOT NULL', '`devices` or `vpes`'],
      profile: ['TEXT NOT NULL', 'profile of the simulator'],
      ...costColumns,
      fired: ['INTEGER NOT NULL', 'messages that were sent, and interrupts that software set pending'],
      ...Object.fromEntries(
        [...OUTCOME_NAMES, ...FAULT_NAMES].map((name) => [name, ['INTEGER NOT NULL', name] as const]),
      ),
      withheld: ['INTEGER NOT NULL', 'messages that devices did not send, because too many were in flight'],
      doorbells: ['INTEGER NOT NULL', 'doorbells that PEs acknowledged'],
      steps_max: ['INTEGER NOT NULL', 'the most operations for which a delivered message waited'],
    },
  },
  run_verdicts: {
    doc: 'Whether each design works on these operations, until when, and why not further.',
    columns: {
      run: ['INTEGER PRIMARY KEY', 'number of the run'],
      design: ['TEXT NOT NULL', 'name of the design'],
      verdict: [
        'TEXT NOT NULL',
        Object.keys(VERDICTS)
          .map((name) => `\`${name}\``)
          .join(', '),
      ],
      operation: [
        'INTEGER',
        'operation of the first failure; for a message, the operation that sent it; null if there is none',
      ],
      why: ['TEXT', 'what failed first'],
      undelivered: ['INTEGER NOT NULL', 'messages that reached no handler'],
      text: ['TEXT NOT NULL', 'the verdict as a sentence'],
      says_isolated: ['INTEGER NOT NULL', 'whether the domain of the design says that it isolates devices'],
      needs: ['TEXT', 'what the design needs; null if its properties were not measured'],
      isolates: ['TEXT', 'whether a device cannot run the handler of another one'],
      vfio: ['TEXT', 'what VFIO does with its devices'],
      multi_msi: ['TEXT', 'whether MultiMSI works'],
      migrates: ['TEXT', 'whether it survives a migration that leaves nothing behind'],
      cost_model: ['TEXT', 'the cost model'],
      cost_ns: ['REAL', 'the costs of the run by that model, in nanoseconds'],
    },
  },
  run_failures: {
    doc: 'What went wrong in each run, by kind.',
    columns: {
      run: RUN,
      kind: [
        'TEXT NOT NULL',
        'an outcome of messages, a fault, `unsupported`, `exhausted`, `leaked`, `withheld` or `set up`',
      ],
      operation: ['INTEGER NOT NULL', 'where it happened first; -1 is the setup of the driver'],
      n: ['INTEGER NOT NULL', 'how often'],
      what: ['TEXT NOT NULL', 'what happened first'],
    },
  },
  run_operations: {
    doc: 'What each operation cost.',
    columns: {
      run: RUN,
      step: STEP,
      op: ['TEXT NOT NULL', 'the operation'],
      ...VECTOR,
      vpe: ['INTEGER', 'vPEID'],
      pe: ['INTEGER', 'the PE that it names'],
      count: ['INTEGER', 'how many vectors or vPEs it requests'],
      result: ['TEXT NOT NULL', '`done`, or why not'],
      pending_asked: ['INTEGER', 'for `set_pending`: 1 set, 0 cleared'],
      pending_before: [
        'INTEGER',
        'for `set_pending` and `set_affinity`: whether the interrupt was pending before',
      ],
      pending_after: ['INTEGER', 'whether it was pending afterwards on the PE that then serves the vector'],
      pending_elsewhere: ['INTEGER', 'on how many other PEs it was pending afterwards'],
      ...costColumns,
      did: [
        'TEXT',
        'its ITS commands in terms of the operation: `MOVI device vector pe; SYNC old pe`; null if it sent none',
      ],
      accessed: [
        'TEXT',
        'the registers that the driver accessed, in order: `GICD_ICENABLER write, GICD_CTLR read`; null if none',
      ],
    },
  },
  run_commands: {
    doc: 'ITS commands that a design sent. Step -1 is the setup of its driver.',
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
      settled: ['INTEGER NOT NULL', 'operation after which its outcome was known'],
      outcome: ['TEXT NOT NULL', OUTCOME_NAMES.map((name) => `\`${name}\``).join(', ')],
    },
  },
  run_faults: {
    doc: 'Handlers that ran without a message or on another PE than the affinity says, and vPEs that nothing woke.',
    columns: {
      run: RUN,
      step: STEP,
      fault: ['TEXT NOT NULL', FAULT_NAMES.map((name) => `\`${name}\``).join(', ')],
      pe: ['INTEGER NOT NULL', 'PE that acknowledged it'],
      INTID: ['INTEGER NOT NULL', 'INTID that the PE acknowledged'],
      ...VECTOR,
    },
  },
  run_leaks: {
    doc: 'What failed operations allocated and did not free. Step -1 is the setup of the driver.',
    columns: {
      run: RUN,
      step: ['INTEGER NOT NULL', STEP[1]],
      what: ['TEXT NOT NULL', 'of what'],
      n: ['INTEGER NOT NULL', 'how much'],
    },
  },
  run_carried: {
    doc: 'The state that migrations had to carry, by part of the machine: everything that differs from the state after reset.',
    columns: {
      run: RUN,
      step: STEP,
      left_behind: ['TEXT NOT NULL', 'the part that was left behind'],
      part: ['TEXT NOT NULL', 'part of the machine'],
      items: ['INTEGER NOT NULL', 'number of registers, input lines or pages of memory'],
      bytes: ['INTEGER NOT NULL', 'bytes of registers, bytes of memory that are not 0'],
    },
  },
  run_held: {
    doc: 'What is still allocated by each driver at the end.',
    columns: { run: RUN, what: ['TEXT NOT NULL', 'of what'], n: ['INTEGER NOT NULL', 'how much'] },
  },
};
