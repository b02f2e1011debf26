// Traces in formats of other tools: one function, a file for each format.
import { basename } from 'node:path';
import { TraceReader } from '@gictrace/recorder';
import { exportJsonl } from './jsonl.ts';
import { OutputFile, refuseItself } from './output.ts';
import { exportPerfetto } from './perfetto.ts';
import type { ExportFormat, ExportSource, ExportSummary } from './source.ts';
import { exportVcd } from './vcd.ts';

export { EXPORT_FORMATS, type ExportFormat, type ExportSource, type ExportSummary } from './source.ts';

const WRITERS: Readonly<Record<ExportFormat, (source: ExportSource, out: OutputFile) => ExportSummary>> = {
  perfetto: exportPerfetto,
  vcd: exportVcd,
  jsonl: exportJsonl,
};

/**
 * Writes a trace in another format to `path`, whole or not at all.
 * @throws GicTraceError `usage` where `path` cannot be written, `backend` when the disk is full.
 */
export function exportSource(
  source: ExportSource,
  format: ExportFormat,
  path: string,
): ExportSummary & { readonly bytes: number } {
  const out = new OutputFile(path);
  try {
    const summary = WRITERS[format](source, out);
    out.finish();
    return { ...summary, bytes: out.bytes };
  } catch (error) {
    out.abandon();
    throw error;
  }
}

/**
 * Writes the trace at `path` in another format to `output`.
 * @throws GicTraceError `trace` for a bad trace, else as {@link exportSource}.
 */
export function exportTrace(
  path: string,
  format: ExportFormat,
  output: string,
  progress: (records: number) => void = () => undefined,
): ExportSummary & { readonly bytes: number } {
  const reader = TraceReader.open(path);
  try {
    refuseItself(path, output);
    const source: ExportSource = {
      name: basename(path),
      header: reader.header,
      timed: reader.footer!.chunks.some(([, , , earliest]) => earliest !== null),
      *batches() {
        for (const one of reader.batches()) {
          yield one;
          progress(one.first + one.batch.count);
        }
      },
    };
    return exportSource(source, format, output);
  } finally {
    reader.close();
  }
}
