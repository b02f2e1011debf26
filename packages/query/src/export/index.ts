// Exports traces in the formats of other tools, one file per format.
import { basename } from 'node:path';
import { hasLearntState, TraceReader } from '@gictrace/recorder';
import { OutputFile, type Ownership, type TargetOptions } from '@gictrace/recorder/output';
import type { InterruptNames } from './interrupt-names.ts';
import { exportJsonl } from './jsonl.ts';
import { exportPerfetto } from './perfetto.ts';
import type { ExportFormat, ExportSource, ExportSummary } from './source.ts';
import { exportVcd } from './vcd.ts';

export { InterruptNames, readInterruptNames } from './interrupt-names.ts';
export { EXPORT_FORMATS, type ExportFormat, type ExportSource, type ExportSummary } from './source.ts';

interface Format extends Ownership {
  readonly write: (source: ExportSource, out: OutputFile) => ExportSummary;
}

const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  perfetto: {
    write: exportPerfetto,
    what: 'a Perfetto trace of gictrace',
    // The first packet describes the counter that every export has.
    recognises: (head) => head[0] === 0x0a && head.subarray(0, 64).includes('pending interrupts'),
  },
  vcd: {
    write: exportVcd,
    what: 'a value change dump of gictrace',
    recognises: (head) => head.subarray(0, 256).includes('$comment gictrace export of'),
  },
  jsonl: {
    write: exportJsonl,
    what: 'JSON lines of gictrace',
    recognises: (head) => head.subarray(0, 16).includes('{"gictrace":'),
  },
};

/**
 * Writes a trace in another format to `path`, completely or not at all.
 * @throws GicTraceError `usage` if `path` cannot be written, `backend` if the disk is full.
 */
export function exportSource(
  source: ExportSource,
  format: ExportFormat,
  path: string,
  options: TargetOptions = {},
): ExportSummary & { readonly bytes: number } {
  const out = new OutputFile(path, FORMATS[format], options);
  try {
    const summary = FORMATS[format].write(source, out);
    out.commit();
    return { ...summary, bytes: out.bytes };
  } catch (error) {
    out.discard();
    throw error;
  }
}

/**
 * Writes the trace at `path` in another format to `output`.
 * @throws GicTraceError `trace` for a bad trace, otherwise as {@link exportSource}.
 */
export function exportTrace(
  path: string,
  format: ExportFormat,
  output: string,
  progress: (records: number) => void = () => undefined,
  force = false,
  names?: InterruptNames,
): ExportSummary & { readonly bytes: number } {
  const reader = TraceReader.openAny(path);
  try {
    const source: ExportSource = {
      name: basename(path),
      header: reader.header,
      learnt: hasLearntState(reader),
      ...(names === undefined ? {} : { names }),
      timed: reader.footer!.chunks.some(([, , , earliest]) => earliest !== null),
      *batches() {
        for (const one of reader.batches()) {
          yield one;
          progress(one.first + one.batch.count);
        }
      },
    };
    return exportSource(source, format, output, { inputs: [path], force });
  } finally {
    reader.close();
  }
}
