// gictrace export: writes a trace in the formats of other tools.
import { GicTraceError } from '@gictrace/core';
import { EXPORT_FORMATS, type ExportFormat, exportTrace } from '@gictrace/query';
import type { Command } from 'commander';
import { FORCE, grouped, json, note, print } from '../context.ts';
import { Progress } from '../progress.ts';
import { writeReport } from './report.ts';

const OPENED_BY: Readonly<Record<ExportFormat, string>> = {
  perfetto: 'open it with ui.perfetto.dev',
  vcd: 'open it with GTKWave or Surfer',
  jsonl: 'gictrace import jsonl reads it again',
};

export function addExport(program: Command): void {
  program
    .command('export')
    .summary('write a trace for Perfetto, waveform viewers or scripts')
    .description(
      'Writes a trace in a format that other tools read (docs/export.md): perfetto (ui.perfetto.dev), vcd (GTKWave, Surfer), jsonl (scripts), html (the page of gictrace report).',
    )
    .argument('<trace>', 'the trace')
    .requiredOption('--to <format>', `${EXPORT_FORMATS.join(', ')}, html`)
    .requiredOption('-o, --output <file>', 'the file to write')
    .option('--force', FORCE)
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  gictrace export boot.gictrace --to perfetto -o boot.pftrace\n  gictrace export boot.gictrace --to vcd -o boot.vcd\n',
    )
    .action((path: string, options: { to: string; output: string; force?: boolean; json?: boolean }) => {
      if (options.to === 'html') {
        const { output, force = false, json: asJson = false } = options;
        writeReport([path], { output, force, json: asJson });
        return;
      }
      const format = EXPORT_FORMATS.find((one) => one === options.to);
      if (format === undefined)
        throw new GicTraceError(
          'usage',
          `--to takes ${EXPORT_FORMATS.join(', ')}, html, not '${options.to}'`,
          {},
          `gictrace export ${path} --to perfetto -o FILE`,
        );
      const progress = new Progress('records');
      try {
        const { output, force = false } = options;
        const summary = exportTrace(path, format, output, (done) => progress.update(done), force);
        progress.end();
        if (options.json) {
          print(json({ trace: path, output: options.output, format, ...summary }));
          return;
        }
        const wrote = Object.entries(summary.wrote).map(([what, n]) => `${grouped(n)} ${what}`);
        print(
          `${options.output}: ${grouped(summary.records)} records, ${wrote.join(', ')}, ${grouped(summary.bytes)} bytes; ${OPENED_BY[format]}`,
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
    });
}
