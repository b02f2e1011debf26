// Trace files into a database.
import { basename, resolve } from 'node:path';
import { TraceReader } from '@gictrace/recorder';
import { type LoadOptions, type LoadSource, type LoadSummary, loadTraces } from './load.ts';

/**
 * Makes the database at `output` (an existing one of ours is replaced) and loads trace files into it.
 * @throws GicTraceError `trace` if one cannot be read, before any is loaded; `usage` where `output` cannot be written.
 */
export function loadTraceFiles(
  output: string,
  paths: readonly string[],
  options: Omit<LoadOptions, 'inputs'> = {},
): LoadSummary {
  return loadTraces(output, sources(paths), { ...options, inputs: paths });
}

function* sources(paths: readonly string[]): Generator<LoadSource> {
  // A bad trace is found before the first is loaded.
  for (const path of paths) TraceReader.open(path).close();
  for (const path of paths) {
    const reader = TraceReader.open(path);
    try {
      yield {
        name: basename(path),
        path: resolve(path),
        header: reader.header,
        contentDigest: reader.footer?.contentDigest ?? null,
        semanticDigest: reader.footer?.semanticDigest ?? null,
        batches: reader.batches(),
      };
    } finally {
      reader.close();
    }
  }
}
