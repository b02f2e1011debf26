// A repro as JSON lines, which `gictrace import jsonl` reads.
import { type AnyTraceHeader, headerJson, recordJson } from '@gictrace/recorder';
import type { Repro } from './repro.ts';

export function jsonlOf({ minimized }: Repro): string {
  const { header, config, recording } = minimized;
  const lines = [headerJson({ ...header, config, options: {} } as AnyTraceHeader)];
  let record = 0;
  for (const batch of recording)
    for (let i = 0; i < batch.count; i++) lines.push(recordJson(batch, i, record++));
  return `${lines.join('\n')}\n`;
}
