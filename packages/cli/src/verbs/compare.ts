// `gictrace compare TRACE`: performs the recorded operations again with other designs.
import {
  COSTS,
  type Cost,
  type Costs,
  capacityOf,
  DESIGNS,
  FATE_NAMES,
  FAULT_NAMES,
  type Run,
} from '@gictrace/core/irqchip';
import { makeRunsDatabase } from '@gictrace/query';
import { scenarioNamed } from '@gictrace/recorder';
import {
  type Alignment,
  type Compared,
  type CompareOptions,
  compareScenario,
  compareTrace,
} from '@gictrace/replayer';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { countLines, FORCE, grouped, json, note, print } from '../context.ts';
import { Progress } from '../progress.ts';

interface Options {
  readonly on?: readonly string[];
  readonly force?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly lift?: boolean;
  readonly output?: string;
}

/** The letters for the costs of a design: an ITS command is Q, for queue. */
const LETTERS: Readonly<Record<Exclude<Cost, 'syncs' | 'polls' | 'stalls'>, string>> = {
  commands: 'Q',
  mmio_writes: 'W',
  mmio_reads: 'R',
  table_bytes: 'T',
  message_rewrites: 'M',
  hypercalls: 'H',
  device_writes: 'D',
};

/** Rows that are printed even if all their values are 0; the others are for rare events. */
const ALWAYS_SHOWN = [
  ...[
    'mmio_writes',
    'mmio_reads',
    'polls',
    'commands',
    'syncs',
    'table_bytes',
    'message_rewrites',
    'hypercalls',
  ],
  ...[
    'fired',
    'delivered',
    'lost',
    'spurious',
    'duplicated',
    'misrouted',
    'stranded',
    'unauthorised',
    'steps_max',
  ],
];

/** How many designs stand side by side in a table on a screen. */
const ABREAST = 7;

type Row = readonly [name: string, ...cells: string[]];

/** The mean of each cost of an operation: `2 Q, 1 T`. */
function meanCosts(costs: Costs, n: number): string {
  const parts = Object.entries(LETTERS)
    .filter(([cost]) => costs[cost as Cost] > 0)
    .map(([cost, letter]) => {
      const mean = costs[cost as Cost] / n;
      return `${Number.isInteger(mean) ? mean : mean.toFixed(4)} ${letter}`;
    });
  return parts.length === 0 ? '–' : parts.join(', ');
}

function reasons(of: ReadonlyMap<string, number>): string {
  const total = [...of.values()].reduce((sum, n) => sum + n, 0);
  return grouped(total);
}

/** The rows of one table: designs of the same kind, side by side. */
function totals(runs: readonly Run[]): Row[] {
  const row = (name: string, cell: (run: Run) => number | string): Row => [
    name,
    ...runs.map((run) => {
      const value = cell(run);
      return typeof value === 'number' ? grouped(value) : value;
    }),
  ];
  const always: readonly string[] = ALWAYS_SHOWN;
  const shows = (name: string, value: (run: Run) => number) =>
    always.includes(name) || runs.some((run) => value(run) > 0);
  const rows = COSTS.filter((name) => shows(name, (run) => run.costs[name])).map((name) =>
    row(name, (run) => run.costs[name]),
  );
  const told = ['fired', ...FATE_NAMES, ...FAULT_NAMES, 'doorbells', 'steps_max'] as const;
  const fired = runs.some((run) => run.deliveries.fired > 0);
  for (const name of told)
    if ((fired && always.includes(name)) || runs.some((run) => run.deliveries[name] > 0))
      rows.push(row(name, (run) => run.deliveries[name]));
  rows.push(
    row('unsupported', (run) => reasons(run.unsupported)),
    row('exhausted', (run) => reasons(run.exhausted)),
    row('failed', (run) => reasons(run.failed)),
    row('capacity (vectors)', (run) => {
      const capacity = capacityOf(run.design, run.config.pes.length);
      return Number.isFinite(capacity) ? capacity : 'no end';
    }),
  );
  for (const what of [...new Set(runs.flatMap((run) => [...run.leaked.keys()]))].sort())
    rows.push(row(`leaked: ${what}`, (run) => run.leaked.get(what) ?? 0));
  const held = [
    ...new Set(runs.flatMap((run) => [...run.held].filter(([, n]) => n !== 0).map(([what]) => what))),
  ].sort();
  for (const what of held) rows.push(row(`held: ${what}`, (run) => run.held.get(what) ?? 0));
  return rows;
}

function byOperation(runs: readonly Run[]): Row[] {
  const names = [...new Set(runs.flatMap((run) => [...run.operations.keys()]))];
  return names.map((op) => [
    `${op} × ${grouped(Math.max(...runs.map((run) => run.operations.get(op) ?? 0)))}`,
    ...runs.map((run) => {
      const n = run.operations.get(op) ?? 0;
      return n === 0 ? '' : meanCosts(run.costsBy.get(op)!, n);
    }),
  ]);
}

function inColumns(head: string, runs: readonly Run[], rows: readonly Row[]): string {
  const table = new Table({
    head: [head, ...runs.map((run) => run.design.name)],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...runs.map(() => 'right' as const)],
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

function asMarkdown(head: string, runs: readonly Run[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line([head, ...runs.map((run) => run.design.name)]),
    line(['---', ...runs.map(() => '---:')]),
    ...rows.map(line),
    '',
  ].join('\n');
}

function alignmentLine(name: string, { of, recorded, sent, same, first }: Alignment): string {
  const said = `${name}: ${grouped(same)} of ${grouped(recorded)} recorded commands of ${of} sent again, in order`;
  if (first === null) return `${said}; none else`;
  return `${said} (${grouped(sent)} sent); then recorded '${first.recorded}', sent '${first.sent}'`;
}

function tell({ isLifted, lift, runs, alignments }: Compared, markdown: boolean): void {
  print(`${grouped(lift.operations)} operations${isLifted ? ', lifted' : ''}`);
  for (const [title, of] of [
    ['inferred', lift.inferred],
    ['part of no operation', lift.unlifted],
  ] as const) {
    if (of.size === 0) continue;
    print(`  ${title}:`);
    for (const line of countLines(Object.fromEntries(of), '    ')) print(line);
  }
  for (const [name, alignment] of alignments) print(alignmentLine(name, alignment));
  const draw = markdown ? asMarkdown : inColumns;
  for (const serves of ['devices', 'vpes'] as const) {
    const own = runs.filter((run) => run.design.serves === serves);
    if (own.length === 0) continue;
    const who = serves === 'devices' ? 'interrupts of devices' : 'doorbells of vPEs';
    // As many designs side by side as fit on a screen.
    const abreast = markdown ? own.length : ABREAST;
    for (let from = 0; from < own.length; from += abreast) {
      const some = own.slice(from, from + abreast);
      print('');
      print(draw(who, some, totals(some)));
      print(draw('mean cost of', some, byOperation(some)));
    }
  }
  print(
    'Q: ITS commands, SYNC included; W, R: MMIO writes, reads; T: bytes of tables; M: messages rewritten; H: hypercalls; D: writes of a mask in the device.',
  );
  for (const { design, unsupported, exhausted, failed } of runs)
    for (const [why, n] of [...unsupported, ...exhausted, ...failed])
      print(`${design.name}: ${grouped(n)} × ${why}`);
}

/** The form for JSON, with maps as objects. */
function plain({ isLifted, lift, runs, alignments }: Compared): unknown {
  const object = <T>(map: ReadonlyMap<string, T>) => Object.fromEntries(map);
  return {
    lift: {
      lifted: isLifted,
      operations: lift.operations,
      inferred: object(lift.inferred),
      unlifted: object(lift.unlifted),
    },
    alignments: object(alignments),
    runs: runs.map((run) => ({
      design: run.design.name,
      serves: run.design.serves,
      profile: run.design.profile,
      source: run.design.source,
      probe: run.probe,
      costs: run.costs,
      operations: Object.fromEntries(
        [...run.operations].map(([op, n]) => [op, { n, costs: run.costsBy.get(op) }]),
      ),
      deliveries: run.deliveries,
      unsupported: object(run.unsupported),
      exhausted: object(run.exhausted),
      failed: object(run.failed),
      leaked: object(run.leaked),
      capacity: capacityOf(run.design, run.config.pes.length),
      held: object(run.held),
    })),
  };
}

export function addCompare(program: Command): void {
  program
    .command('compare')
    .summary('run the recorded operations on other designs, and report what each costs and loses')
    .description(
      'Recovers the operations of the irqchip drivers from a trace, runs them with each design on the simulator, and counts what the design costs, what it delivers and what it loses. For designs that the recorded kernel may have used, also reports how many of their ITS commands match the recorded ones.',
    )
    .argument('<trace>', 'the trace; or a scenario: a .yaml or .json file, or the name of one that ships')
    .option(
      '--on <design,...>',
      `designs, each optionally with @PROFILE: ${Object.keys(DESIGNS).join(', ')}`,
      (text: string) => text.split(',').map((name) => name.trim()),
    )
    .option('-o, --output <db>', 'keep every run in a database, with the rows behind each number')
    .option('--force', FORCE)
    .option('--lift', 'recover the operations from the accesses, even if the trace contains them')
    .option('--json', 'answer as JSON')
    .option('--markdown', 'tables as Markdown')
    .addHelpText(
      'after',
      '\nExamples:\n  gictrace compare boot.gictrace --on its,direct-lpi,mbi\n  gictrace compare storm\n  gictrace compare boot.gictrace -o runs.db && gictrace query runs.db "SELECT * FROM run_faults"\n',
    )
    .action((path: string, options: Options) => {
      const progress = new Progress('operations');
      const run = (more?: CompareOptions) => {
        const all = {
          ...more,
          lift: options.lift === true,
          progress: (n: number) => progress.update(n),
        };
        const scenario = scenarioNamed(path);
        return scenario === undefined
          ? compareTrace(path, options.on, all)
          : compareScenario(scenario, options.on, all);
      };
      try {
        const { output } = options;
        const compared =
          output === undefined
            ? run()
            : makeRunsDatabase(output, (observe) => run({ observe }), {
                inputs: [path],
                force: options.force === true,
              });
        progress.end();
        if (options.json) print(json(plain(compared)));
        else tell(compared, options.markdown === true);
        if (output !== undefined) note(`wrote ${output}`);
      } finally {
        progress.end();
      }
    });
}
