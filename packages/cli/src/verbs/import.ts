// gictrace import [FORMAT] FILE…: converts logs to a trace.
import { existsSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import {
  addLabel,
  importLogs,
  LOG_FORMATS,
  LOG_OPTIONS,
  type LogFormat,
  type LogOption,
  type LogOptions,
  type LogsReport,
} from '@gictrace/recorder';
import type { Command } from 'commander';
import { countLines, FORCE, grouped, json, print, VERSION } from '../context.ts';
import { interruptible } from '../interrupt.ts';
import { Progress } from '../progress.ts';
import { sourceKind, sourceLines } from './source-text.ts';

interface Options extends LogOptions {
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly label: readonly (readonly [string, string])[];
}

export function addImport(program: Command): void {
  const command = program
    .command('import')
    .summary('convert a log to a trace')
    .description(
      `Converts a log to a trace. The format is recognised; it may also be named before the file: ${Object.entries(
        LOG_FORMATS,
      )
        .map(([name, what]) => `${name} (${what})`)
        .join(
          ', ',
        )}. FILE may be plain, .gz, .xz or .zst; - reads standard input. Several logs of QEMU become one trace, if they are from processes that continue with one GIC: the source of a migration, then its destination. docs/import.md describes the formats.`,
    )
    .argument('<files...>', 'the log, or -, optionally preceded by its format')
    .requiredOption('-o, --output <trace>', 'the trace to write')
    .option('--force', FORCE);
  for (const option of Object.values<LogOption>(LOG_OPTIONS)) addLogOption(command, option);
  command
    .option(
      '--label <name=value>',
      'a label by which traces are grouped, kept in the trace; may be given more than once: kernel=6.12',
      addLabel,
      [],
    )
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  gictrace import trace.log.gz -o boot.gictrace\n  gictrace import source.log destination.log -o migration.gictrace\n',
    )
    .action(async (args: readonly string[], options: Options) => {
      const progress = new Progress('lines');
      try {
        const { output, force, json: asJson, label, ...logOptions } = options;
        const into = {
          version: VERSION,
          ...(force ? { force } : {}),
          ...(label.length === 0 ? {} : { labels: Object.fromEntries(label) }),
          progress: (lines: number) => progress.update(lines),
        };
        const { named, files } = inputsOf(args);
        const report = await interruptible(() => importLogs(named, files, output, logOptions, into));
        progress.end();
        if (asJson) {
          print(
            json({
              trace: output,
              ...report.summary,
              lines: report.stats.lines,
              config: report.config,
              provenance: report.provenance,
              start: report.start,
              missing: report.missing,
              losses: report.stats.losses,
            }),
          );
        } else tell(output, report);
      } finally {
        progress.end();
      }
    });
}

function addLogOption(command: Command, { flag, takes, doc, opposite, parse }: LogOption): void {
  if (takes === undefined) command.option(flag, doc);
  else command.option(`${flag} <${takes}>`, doc, parse);
  if (opposite !== undefined) command.option(flag.replace('--', '--no-'), opposite);
}

/** The files, and their format if it precedes them. @throws GicTraceError `usage` */
function inputsOf(args: readonly string[]): {
  readonly named: LogFormat | undefined;
  readonly files: readonly string[];
} {
  const named = Object.hasOwn(LOG_FORMATS, args[0]!) ? (args[0] as LogFormat) : undefined;
  const files = named === undefined ? args : args.slice(1);
  if (files.length === 0)
    throw new GicTraceError(
      'usage',
      'no log is given',
      {},
      `give one: gictrace import ${named} FILE -o TRACE`,
    );
  if (files.filter((file) => file === '-').length > 1)
    throw new GicTraceError('usage', 'standard input is given more than once');
  if (named === undefined && files.length > 1 && /^\w+$/.test(files[0]!) && !existsSync(files[0]!))
    throw new GicTraceError(
      'usage',
      `'${files[0]}' is neither a format nor a file`,
      {},
      `formats: ${Object.keys(LOG_FORMATS).join(', ')}`,
    );
  return { named, files };
}

function tell(
  output: string,
  { config, stats, summary, provenance, start: begins, missing }: LogsReport,
): void {
  print(
    `${output}: ${grouped(summary.records)} records from ${grouped(stats.lines)} lines, ${grouped(summary.bytes)} bytes (${(summary.bytes / Math.max(1, summary.records)).toFixed(2)} a record)`,
  );
  const { pes } = config;
  const rest =
    config.architecture === 5
      ? `${config.irs.length} IRS`
      : `${config.its.length === 0 ? 'no ITS' : `${config.its.length} ITS`}, ${config.priorityBits} priority bits`;
  print(
    `GICv${config.architecture}, ${pes.length} PE${pes.length === 1 ? '' : 's'}, ${rest}, profile ${config.profile}`,
  );
  const by = (origin: string) => Object.keys(provenance).filter((name) => provenance[name] === origin);
  print(`  from the log: ${by('log').concat(by('counted')).join(', ') || 'nothing'}`);
  for (const [name, origin] of Object.entries(provenance))
    if (origin.startsWith('rule ')) print(`  inferred: ${name} (${origin})`);
  if (by('option').length > 0) print(`  from options: ${by('option').join(', ')}`);
  if (by('default').length > 0)
    print(`  not in the log, taken as on QEMU's virt machine: ${by('default').join(', ')}`);
  for (const line of sourceLines(begins, missing, sourceKind(output))) print(`the log ${line}`);
  const losses = countLines(stats.losses);
  const lost = config.architecture === 5 ? 'left out of the trace, or open:' : 'left out of the trace:';
  if (losses.length > 0) print([lost, ...losses].join('\n'));
}
