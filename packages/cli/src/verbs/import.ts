// gictrace import FORMAT FILE -o TRACE
import { GicTraceError } from '@gictrace/core';
import { importToTrace } from '@gictrace/recorder';
import type { Command } from 'commander';
import { countLines, grouped, json, Progress, print, VERSION, wholeNumber } from '../context.ts';

interface Options {
  readonly output: string;
  readonly pes?: number;
  readonly gic?: number;
  readonly its?: boolean;
  readonly priorityBits?: number;
  readonly json?: boolean;
}

export function addImport(program: Command): void {
  program
    .command('import')
    .summary('turn a log into a trace')
    .description(
      'Turns a log into a trace. FORMAT: qemu (trace events of a QEMU with a GICv3 or GICv4). FILE may be plain, .gz, .xz or .zst; - reads standard input.',
    )
    .argument('<format>', 'qemu')
    .argument('<file>', 'the log, or -')
    .requiredOption('-o, --output <trace>', 'the trace to write')
    .option('--pes <n>', 'number of PEs, where the log does not show it', wholeNumber('--pes', 1, 512))
    .option(
      '--gic <version>',
      'GIC version, where the log does not show it: 3 or 4',
      wholeNumber('--gic', 3, 4),
    )
    .option('--its', 'there is an ITS, though the log does not show one')
    .option('--no-its', 'there is no ITS')
    .option('--priority-bits <n>', 'implemented priority bits', wholeNumber('--priority-bits', 4, 8))
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace import qemu trace.log.gz -o boot.gictrace\n')
    .action(async (format: string, file: string, options: Options) => {
      if (format !== 'qemu')
        throw new GicTraceError('usage', `there is no importer for '${format}'`, {}, 'formats: qemu');
      const progress = new Progress('lines');
      try {
        const report = await importToTrace(file, options.output, {
          version: VERSION,
          progress: (lines) => progress.update(lines),
          ...(options.pes === undefined ? {} : { pes: options.pes }),
          ...(options.gic === undefined ? {} : { gic: options.gic as 3 | 4 }),
          ...(options.its === undefined ? {} : { its: options.its }),
          ...(options.priorityBits === undefined ? {} : { priorityBits: options.priorityBits }),
        });
        progress.end();
        if (options.json) {
          print(
            json({
              trace: options.output,
              ...report.summary,
              lines: report.stats.lines,
              config: report.config,
              provenance: report.provenance,
              losses: report.stats.losses,
            }),
          );
          return;
        }
        const { config, stats, summary, provenance } = report;
        print(
          `${options.output}: ${grouped(summary.records)} records from ${grouped(stats.lines)} lines, ${grouped(summary.bytes)} bytes (${(summary.bytes / Math.max(1, summary.records)).toFixed(2)} a record)`,
        );
        print(
          `GICv${config.architecture}, ${config.pes.length} PE${config.pes.length === 1 ? '' : 's'}, ${config.its.length === 0 ? 'no ITS' : `${config.its.length} ITS`}, ${config.priorityBits} priority bits, profile ${config.profile}`,
        );
        const by = (origin: string) => Object.keys(provenance).filter((name) => provenance[name] === origin);
        print(`  from the log: ${by('log').concat(by('counted')).join(', ') || 'nothing'}`);
        if (by('option').length > 0) print(`  from options: ${by('option').join(', ')}`);
        if (by('default').length > 0)
          print(`  not in the log, taken as on QEMU's virt machine: ${by('default').join(', ')}`);
        const losses = countLines(stats.losses);
        if (losses.length > 0) print(['left out of the trace:', ...losses].join('\n'));
      } finally {
        progress.end();
      }
    });
}
