// gictrace report A [B]: writes the report page, with the verdict and, for two traces, the comparison.
import { GicTraceError } from '@gictrace/core';
import { verdictWord } from '@gictrace/core/record';
import { type Ignorable, questionOfText, readRules, reportTraces } from '@gictrace/query';
import { isDatabase, isFolder } from '@gictrace/recorder/input';
import { replayTrace, type Verdict } from '@gictrace/replayer';
import type { Command } from 'commander';
import { FORCE, grouped, json, note, print, VERSION, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';
import { ignored } from './diff.ts';

export interface ReportRequest {
  readonly output: string;
  /** Whether the report has a verdict; yes, if absent. */
  readonly replay?: boolean;
  readonly from?: number;
  readonly to?: number;
  readonly ignore?: readonly Ignorable[];
  readonly rules?: string;
  readonly rename?: boolean;
  readonly why?: readonly string[];
  /** Whether the page has SQLite. */
  readonly sql?: boolean;
  /** Whether accesses to registers are in the page; yes, if absent. */
  readonly accesses?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

const RECORD_MAX = 2 ** 32 - 1;

export function addReport(program: Command): void {
  program
    .command('report')
    .summary('write a page with timeline, mappings, latencies, verdict and differences')
    .description(
      'Writes one self-contained HTML file (docs/report.md): interrupts per PE and per device over time with zoom, ITS mappings, latencies, commands, findings, the verdict of a replay on the simulator, and for two traces also what differs. Of a dataset or database of many traces (docs/fleet.md): which differ from the others, trends, what is slower than a baseline, first findings. Exit code 0: the file was written, whatever the verdict.',
    )
    .argument('<a>', 'a trace; or a dataset or database of many traces')
    .argument('[b]', 'a trace to compare it with')
    .requiredOption('-o, --output <file>', 'the file to write')
    .option('--force', FORCE)
    .option('--no-replay', 'without the verdict of a replay on the simulator')
    .option('--sql', 'with SQLite, so that the page can be asked in SQL (half a megabyte more)')
    .option('--no-accesses', 'without the accesses to registers: a smaller file')
    .option(
      '--from <record>',
      'details only from this record on; everything is counted',
      wholeNumber('--from', 0, RECORD_MAX),
    )
    .option(
      '--to <record>',
      'details only up to, not including, this record',
      wholeNumber('--to', 0, RECORD_MAX),
    )
    .option(
      '--ignore <class,...>',
      'as in diff: tolerate differences of these classes, but count them',
      ignored,
    )
    .option('--rules <file>', 'as in diff: tolerate what the rules in the file name')
    .option(
      '--rename',
      'as in diff: take addresses, LPIs and DeviceIDs as the same if they are only permuted',
    )
    .option(
      '--why <interrupt...>',
      "say why these arrived or did not, with a picture: an INTID, 'device 0x10 event 3', 'vINTID 27 vPE 1'",
    )
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  gictrace report boot.gictrace -o boot.html\n  gictrace report good.gictrace bad.gictrace -o difference.html --ignore timing\n  gictrace report fleet/ -o fleet.html\n',
    )
    .action(async (a: string, b: string | undefined, options: ReportRequest) => {
      if (isFolder(a) || isDatabase(a))
        await (await import('./report-fleet.ts')).writeFleetReport(a, b, options);
      else writeReport(b === undefined ? [a] : [a, b], options);
    });
}

/** Writes the page and prints what it contains. */
export function writeReport(paths: readonly string[], options: ReportRequest): void {
  const { from, to } = options;
  if (from !== undefined && to !== undefined && from >= to)
    throw new GicTraceError('usage', `--from ${from} is not before --to ${to}`);
  const ofDiff = (['ignore', 'rules', 'rename'] as const).find((name) => options[name] !== undefined);
  if (paths.length < 2 && ofDiff !== undefined)
    throw new GicTraceError('usage', `--${ofDiff} is for two traces`, {}, 'gictrace report A B -o FILE');
  const why = (options.why ?? []).map(questionOfText);
  const progress = new Progress('records');
  try {
    const verdicts: Verdict[] = [];
    let replayed = 0;
    const verdict = (path: string) => {
      const found = replayTrace(path, {
        version: VERSION,
        progress: (records) => progress.update(replayed + records),
      });
      replayed += found.records;
      verdicts.push(found);
      return found;
    };
    const summary = reportTraces(paths, options.output, {
      version: VERSION,
      force: options.force === true,
      ...(options.replay === false ? {} : { verdict }),
      diff: {
        ignore: options.ignore ?? [],
        rules: options.rules === undefined ? [] : readRules(options.rules),
        rename: options.rename === true,
        keep: 3,
      },
      why,
      sql: options.sql === true,
      accesses: options.accesses !== false,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      progress: (records) => progress.update(replayed + records),
    });
    progress.end();
    const diverged = verdicts.map((verdict) => verdict.diverged);
    if (options.json) {
      print(json({ traces: paths, output: options.output, ...summary, diverged }));
      return;
    }
    const { lives = 0, msis = 0, commands = 0 } = summary.wrote;
    print(
      `${options.output}: ${grouped(summary.records.reduce((x, y) => x + y, 0))} records, ${grouped(lives)} interrupts, ${grouped(msis)} MSIs, ${grouped(commands)} ITS commands, ${grouped(summary.bytes)} bytes`,
    );
    for (const [k, verdict] of verdicts.entries())
      print(
        `${paths[k]}: ${verdictWord(verdict)}${verdict.diverged === 0 ? '' : ` at ${grouped(verdict.diverged)} records`} on simulator`,
      );
    if (summary.same !== null) print(summary.same ? 'the traces are the SAME' : 'the traces DIFFER');
    for (const [table, n] of Object.entries(summary.leftOut))
      note(`${grouped(n)} rows of ${table} are counted but not drawn: choose a part with --from and --to`);
  } finally {
    progress.end();
  }
}
