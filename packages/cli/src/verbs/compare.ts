// `gictrace compare TRACE`: performs the recorded operations again with other designs.
import { capacityOf, DESIGNS, isShownByDefault, judgementText, nsOf } from '@gictrace/core/irqchip';
import { makeRunsDatabase } from '@gictrace/query';
import { scenarioNamed } from '@gictrace/recorder';
import { OutputFile, type Ownership, targetOf } from '@gictrace/recorder/output';
import {
  type Compared,
  type CompareOptions,
  compareScenario,
  compareTrace,
  IN_FLIGHT_MAX,
  isSame,
} from '@gictrace/replayer';
import type { Command } from 'commander';
import { FORCE, json, note, print, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';
import { costModel } from './compare/cost-model.ts';
import { pageOf } from './compare/page.ts';
import { sheetOf } from './compare/sheet.ts';
import { printMarkdown, printSheet, terminalWidth } from './compare/text.ts';

interface Options {
  readonly on?: readonly string[];
  readonly force?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly lift?: boolean;
  readonly asPosted?: boolean;
  readonly all?: boolean;
  readonly openLoop?: boolean;
  readonly inFlight?: number;
  readonly costModel?: string;
  readonly output?: string;
  readonly report?: string;
}

/** The form for JSON, with maps as objects. It has everything, whatever the text leaves out. */
function plain({
  isLifted,
  lift,
  runs,
  judged,
  model,
  inFlightMax,
  alignments,
  invlpirOf,
}: Compared): unknown {
  const object = <T>(map: ReadonlyMap<string, T>) => Object.fromEntries(map);
  return {
    lift: {
      lifted: isLifted,
      operations: lift.operations,
      inferred: object(lift.inferred),
      unlifted: object(lift.unlifted),
    },
    inFlightMax: Number.isFinite(inFlightMax) ? inFlightMax : null,
    model,
    invlpirOf: invlpirOf ?? null,
    alignments: Object.fromEntries(
      [...alignments].map(([name, { notShown, notCompared, registers, ...rest }]) => [
        name,
        {
          ...rest,
          notShown: object(notShown),
          notCompared: object(notCompared),
          registers: object(registers),
        },
      ]),
    ),
    runs: runs.map((run, k) => ({
      design: run.design.name,
      serves: run.design.serves,
      profile: run.design.profile,
      source: run.design.source,
      ...judged[k]!.judgement,
      text: judgementText(judged[k]!.judgement),
      properties: judged[k]!.properties,
      failures: run.failures,
      ns: nsOf(run.costs, model),
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

function compared(path: string, options: Options, progress: Progress): Compared {
  const names =
    options.on ??
    // What is not shown and not kept need not run.
    (options.asPosted || options.json || options.output !== undefined
      ? undefined
      : Object.keys(DESIGNS).filter(isShownByDefault));
  const run = (more?: CompareOptions) => {
    const all: CompareOptions = {
      ...more,
      all: options.on === undefined,
      lift: options.lift === true,
      inFlightMax: options.openLoop ? Number.POSITIVE_INFINITY : (options.inFlight ?? IN_FLIGHT_MAX),
      ...(options.costModel === undefined ? {} : { model: costModel(options.costModel) }),
      progress: (n: number) => progress.update(n),
    };
    const scenario = scenarioNamed(path);
    return scenario === undefined ? compareTrace(path, names, all) : compareScenario(scenario, names, all);
  };
  const { output } = options;
  if (output === undefined) return run();
  return makeRunsDatabase(output, (observe) => run({ observe }), {
    inputs: [path],
    force: options.force === true,
  });
}

const PAGE: Ownership = {
  what: 'a gictrace page',
  recognises: (head) => head.toString('latin1').includes('designs compared</title>'),
};

function writePage(output: string, page: string, path: string, force: boolean): void {
  const file = new OutputFile(output, PAGE, { inputs: [path], force });
  try {
    file.write(Buffer.from(page));
    file.commit();
  } catch (error) {
    file.discard();
    throw error;
  }
}

export function addCompare(program: Command, exit: (code: number) => void): void {
  program
    .command('compare')
    .summary('run the recorded operations on other designs: which work, and what each needs and costs')
    .description(
      'Recovers the operations of the irqchip drivers from a trace, runs them with each design on the simulator, and says for each whether it works, until which operation, and why not further; then what it needs, and what it costs. The design of the recorded kernel is held against it; exit code 1 if it sends other commands or makes other accesses. docs/compare.md explains the answer.',
    )
    .argument('<trace>', 'the trace; or a scenario: a .yaml or .json file, or the name of one that ships')
    .option(
      '--on <design,...>',
      `designs, each optionally with @PROFILE: ${Object.keys(DESIGNS).join(', ')}`,
      (text: string) => text.split(',').map((name) => name.trim()),
    )
    .option('--as-posted', 'also variants with the faults with which they were once posted, and hypotheses')
    .option('--all', 'also columns that are zero everywhere, and what is allocated at the end')
    .option(
      '--in-flight <n>',
      `a device stops when it has this many messages of a vector in flight (${IN_FLIGHT_MAX})`,
      wholeNumber('--in-flight', 1, 1_000_000),
    )
    .option('--open-loop', 'devices never stop, even if no handler ever runs')
    .option('--cost-model <name or file>', 'what costs are worth in time: bare-metal, guest, or a JSON file')
    .option('-o, --output <db>', 'keep every run in a database, with the rows behind each number')
    .option('--report <html>', 'write the answer as a page, too')
    .option('--force', FORCE)
    .option('--lift', 'recover the operations from the accesses, even if the trace contains them')
    .option('--json', 'answer as JSON')
    .option('--markdown', 'tables as Markdown')
    .addHelpText(
      'after',
      '\nExamples:\n  gictrace compare boot.gictrace --on its,direct-lpi,mbi\n  gictrace compare storm --as-posted\n  gictrace compare boot.gictrace --report designs.html\n  gictrace compare boot.gictrace -o runs.db && gictrace query runs.db "SELECT * FROM run_verdicts"\n',
    )
    .action((path: string, options: Options) => {
      // A page that may not be written is refused before the designs run.
      if (options.report !== undefined)
        targetOf(options.report, PAGE, { inputs: [path], force: options.force === true });
      const progress = new Progress('operations');
      try {
        const answer = compared(path, options, progress);
        progress.end();
        const sheet = sheetOf(answer, {
          asPosted: options.asPosted === true,
          all: options.all === true,
          named: options.on !== undefined,
        });
        if (options.json) print(json(plain(answer)));
        else if (options.markdown) printMarkdown(sheet);
        else printSheet(sheet, terminalWidth());
        if (options.report !== undefined) {
          writePage(options.report, pageOf(sheet, path), path, options.force === true);
          note(`wrote ${options.report}`);
        }
        if (options.output !== undefined) note(`wrote ${options.output}`);
        if (![...answer.alignments.values()].every(isSame)) exit(1);
      } finally {
        progress.end();
      }
    });
}
