// Imports logs of any format: recognises it, and gives the importer the options that are for it.
import { type GicConfig, GicTraceError, type Gicv5Config } from '@gictrace/core';
import { checkLogOptions, type LogOptions } from './import-options.ts';
import {
  type ImportInto,
  type ImportReport,
  importFtraceToTrace,
  importGicv5ToTrace,
  importJsonlToTrace,
  importToTrace,
  type LogInput,
} from './import-trace.ts';
import { type KeptSource, keptSource } from './importers/common/kept-source.ts';
import { detectFormat, type LogFormat } from './importers/detect.ts';
import { TraceReader } from './trace/index.ts';

export interface LogsReport extends ImportReport<GicConfig | Gicv5Config> {
  readonly format: LogFormat;
}

/**
 * Imports logs into a trace. Without `named`, the format is recognised. Several logs are those of QEMU processes that
 * continue with one GIC.
 * @throws GicTraceError `usage` for options or numbers of logs that the format does not take.
 */
export async function importLogs(
  named: LogFormat | undefined,
  inputs: readonly LogInput[],
  out: string,
  options: LogOptions,
  into: ImportInto,
): Promise<LogsReport> {
  if (named !== undefined && named !== 'qemu') return importAs(named, inputs, out, options, into);
  const sources = inputs.map((input) => (typeof input === 'string' ? keptSource(input) : input));
  try {
    return await importAs(await formatOf(named, sources), sources, out, options, into);
  } finally {
    for (const [k, source] of sources.entries()) if (typeof inputs[k] === 'string') source.close();
  }
}

async function formatOf(named: LogFormat | undefined, sources: readonly KeptSource[]): Promise<LogFormat> {
  if (named !== undefined) {
    // A log of QEMU says itself of which GIC it is.
    const found = await detectFormat(sources[0]!).catch(() => named);
    return found === 'gicv5' ? found : named;
  }
  let format: LogFormat | undefined;
  for (const source of sources) {
    const found = await detectFormat(source);
    if (format !== undefined && found !== format)
      throw new GicTraceError(
        'usage',
        `is a log of another format (${found}) than the one before it (${format})`,
        { path: source.name },
      );
    format = found;
  }
  return format!;
}

async function importAs(
  format: LogFormat,
  inputs: readonly LogInput[],
  out: string,
  options: LogOptions,
  into: ImportInto,
): Promise<LogsReport> {
  if (format !== 'qemu' && inputs.length > 1)
    throw new GicTraceError('usage', `${inputs.length} logs are given, but ${format} takes one`);
  checkLogOptions(format, options);
  // What is undefined was not given.
  const { like, ...given } = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as { readonly [N in keyof LogOptions]: NonNullable<LogOptions[N]> };
  const all = { ...into, ...given };
  const [input] = inputs;
  const report = await (() => {
    switch (format) {
      case 'qemu':
        return importToTrace(inputs, out, all);
      case 'gicv5':
        return importGicv5ToTrace(input!, out, all);
      case 'ftrace':
        return importFtraceToTrace(input!, out, all);
      case 'jsonl':
        return importJsonlToTrace(input!, out, { ...into, ...configOf(like) });
    }
  })();
  return { format, ...report };
}

function configOf(like: string | undefined) {
  if (like === undefined) return {};
  const reader = TraceReader.openAny(like);
  try {
    return { config: reader.header.config };
  } finally {
    reader.close();
  }
}
