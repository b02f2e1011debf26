// A trace as JSON lines, as `gictrace dump --json --header` prints them and `gictrace import jsonl` reads them.
import { headerJson, recordJson } from '@gictrace/recorder';
import type { OutputFile } from '@gictrace/recorder/output';
import type { ExportSource, ExportSummary } from './source.ts';

export function exportJsonl(source: ExportSource, out: OutputFile): ExportSummary {
  let records = 0;
  out.line(headerJson(source.header, source.learnt));
  for (const { batch, first } of source.batches())
    for (let i = 0; i < batch.count; i++, records++) out.line(recordJson(batch, i, first + i));
  return { records, time: null, untimed: 0, late: 0, wrote: { lines: records + 1 } };
}
