// The good files whose mutants are tried: golden traces, small recordings, the scenarios that ship.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Seeds } from './attempts.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Larger files take too long to be tried thousands of times. */
const TRACE_BYTES_MAX = 64 * 1024;
const LOG_BYTES_MAX = 20 * 1024;

/** Formats of logs, by the ends of the names of their recordings. */
const LOGS = [
  ['qemu', /\.log\.gz$/],
  ['ftrace', /\.txt\.xz$/],
  ['jsonl', /\.jsonl\.gz$/],
] as const;

function filesIn(folder: string, ends: RegExp, bytesMax: number): string[] {
  return (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
    .map((name) => join(ROOT, folder, name))
    .filter((path) => ends.test(path) && statSync(path).size <= bytesMax)
    .sort();
}

export function seeds(): Seeds {
  return {
    traces: filesIn('goldens', /\.gictrace$/, TRACE_BYTES_MAX),
    logs: LOGS.flatMap(([format, ends]) =>
      filesIn('test/recordings', ends, LOG_BYTES_MAX).map((path) => ({ path, format })),
    ),
    scenarios: filesIn('packages/recorder/scenarios', /\.yaml$/, TRACE_BYTES_MAX),
  };
}
