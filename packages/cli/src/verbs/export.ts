// gictrace export: writes a trace in the formats of other tools.
import { availableParallelism } from 'node:os';
import { EXIT_CODES, GicTraceError } from '@gictrace/core';
import {
  EXPORT_FORMATS,
  type ExportFormat,
  exportAllToDataset,
  exportTrace,
  type InterruptNames,
  readInterruptNames,
} from '@gictrace/query';
import { readText } from '@gictrace/recorder/input';
import type { Command } from 'commander';
import { FORCE, grouped, json, note, print, wholeNumber } from '../context.ts';
import { interruptible } from '../interrupt.ts';
import { printableLine } from '../printable.ts';
import { Progress } from '../progress.ts';
import { writeReport } from './report.ts';

const OPENED_BY: Readonly<Record<ExportFormat, string>> = {
  perfetto: 'open it with ui.perfetto.dev',
  vcd: 'open it with GTKWave or Surfer',
  jsonl: 'gictrace import jsonl reads it again',
};

interface ExportVerbOptions {
  readonly to: string;
  readonly output?: string;
  readonly jobs?: number;
  readonly names?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function addExport(program: Command, exit: (code: number) => void): void {
  program
    .command('export')
    .summary('write traces for Perfetto, waveform viewers, scripts or a fleet')
    .description(
      'Writes a trace in a format that other tools read (docs/export.md): perfetto (ui.perfetto.dev), vcd (GTKWave, Surfer), jsonl (scripts), html (the page of gictrace report). With parquet, adds any number of traces to a dataset, which gictrace query, DuckDB, Spark, Trino or ClickHouse query together (docs/fleet.md); traces that are in it already are skipped.',
    )
    .argument('<path...>', 'the trace; for parquet: the folder of the dataset, and the traces')
    .requiredOption('--to <format>', `${EXPORT_FORMATS.join(', ')}, html, parquet`)
    .option('-o, --output <file>', 'the file to write (not for parquet)')
    .option(
      '--jobs <n>',
      'for parquet: threads that read and write traces (default: all processors)',
      wholeNumber('--jobs', 1, 256),
    )
    .option(
      '--names <file>',
      'for perfetto: names of interrupts, from the text of /proc/interrupts of the guest',
    )
    .option('--force', FORCE)
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  gictrace export boot.gictrace --to perfetto -o boot.pftrace\n  gictrace export boot.gictrace --to vcd -o boot.vcd\n  gictrace export --to parquet fleet/ boots/*.gictrace\n',
    )
    .action(async (paths: string[], options: ExportVerbOptions) => {
      if (options.to === 'parquet') await toDataset(paths, options, exit);
      else toFile(paths, options);
    });
}

/** The formats that are one file. */
function toFile(paths: readonly string[], options: ExportVerbOptions): void {
  const [path = '', ...more] = paths;
  const { to, output, force = false } = options;
  const format = EXPORT_FORMATS.find((one) => one === to);
  if (format === undefined && to !== 'html')
    throw new GicTraceError(
      'usage',
      `--to takes ${EXPORT_FORMATS.join(', ')}, html, parquet, not '${to}'`,
      {},
      `gictrace export ${path} --to perfetto -o FILE`,
    );
  const usage = `gictrace export TRACE --to ${to} -o FILE`;
  if (more.length > 0)
    throw new GicTraceError('usage', `--to ${to} takes one trace, not ${paths.length}`, {}, usage);
  if (options.jobs !== undefined)
    throw new GicTraceError('usage', '--jobs is only for --to parquet', {}, usage);
  if (options.names !== undefined && format !== 'perfetto')
    throw new GicTraceError('usage', '--names is only for --to perfetto', {}, usage);
  if (output === undefined) throw new GicTraceError('usage', `--to ${to} needs an output`, {}, usage);
  if (format === undefined) {
    writeReport([path], { output, force, json: options.json === true });
    return;
  }
  const progress = new Progress('records');
  try {
    const names = options.names === undefined ? undefined : namesOf(options.names);
    const summary = exportTrace(path, format, output, (done) => progress.update(done), force, names);
    progress.end();
    if (options.json) {
      print(json({ trace: path, output, format, ...summary }));
      return;
    }
    const wrote = Object.entries(summary.wrote).map(([what, n]) => `${grouped(n)} ${what}`);
    print(
      `${output}: ${grouped(summary.records)} records, ${wrote.join(', ')}, ${grouped(summary.bytes)} bytes; ${OPENED_BY[format]}`,
    );
    if (summary.time === 'record')
      note('the source contains no times: record numbers are used as nanoseconds');
    if (summary.untimed > 0)
      note(`${grouped(summary.untimed)} records have no time: placed at the time of the record before`);
    if (summary.late > 0)
      note(
        `${grouped(summary.late)} records have an earlier time than one before them: placed at the later time`,
      );
  } finally {
    progress.end();
  }
}

function namesOf(path: string): InterruptNames {
  return readInterruptNames(readText(path, { code: 'input' }), path);
}

/** Adds traces to a dataset. Bad traces are reported and do not stop the others. */
async function toDataset(
  [dir, ...traces]: readonly string[],
  options: ExportVerbOptions,
  exit: (code: number) => void,
): Promise<void> {
  const usage = 'gictrace export --to parquet DIR TRACE…';
  if (options.names !== undefined)
    throw new GicTraceError('usage', '--names is only for --to perfetto', {}, usage);
  if (options.output !== undefined)
    throw new GicTraceError(
      'usage',
      '--to parquet takes the folder of the dataset before the traces, and no -o',
      {},
      usage,
    );
  if (dir === undefined || traces.length === 0)
    throw new GicTraceError('usage', '--to parquet takes a folder and at least one trace', {}, usage);
  const progress = new Progress('traces', traces.length);
  let done = 0;
  try {
    const { failed, ...summary } = await interruptible(() =>
      exportAllToDataset(dir, traces, {
        jobs: options.jobs ?? availableParallelism(),
        done: () => progress.update(++done),
      }),
    );
    progress.end();
    if (options.json)
      print(
        json({
          dataset: dir,
          ...summary,
          failed: failed.map(({ path, error }) => ({ trace: path, error: error.line })),
        }),
      );
    else {
      const there = summary.there === 0 ? '' : `, ${grouped(summary.there)} there already`;
      print(
        `${dir}: ${grouped(summary.exported)} ${summary.exported === 1 ? 'trace' : 'traces'} added${there}; ${grouped(summary.records)} records, ${grouped(summary.rows)} rows; query them with gictrace query ${dir} "SELECT …"`,
      );
    }
    for (const { error } of failed) note(`gictrace: ${printableLine(error.line)}`);
    if (failed.length > 0) exit(EXIT_CODES[failed[0]!.error.code]);
  } finally {
    progress.end();
  }
}
