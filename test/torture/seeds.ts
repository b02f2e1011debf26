// The good files whose mutants are tried: golden traces, small recordings, the scenarios that ship.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Seeds } from './campaign.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Larger files take too long to be tried thousands of times. */
const TRACE_BYTES_MAX = 64 * 1024;
const LOG_BYTES_MAX = 20 * 1024;

function filesIn(folder: string, ends: RegExp, bytesMax: number): string[] {
  return (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
    .map((name) => join(ROOT, folder, name))
    .filter((path) => ends.test(path) && statSync(path).size <= bytesMax)
    .sort();
}

export function seeds(): Seeds {
  return {
    traces: filesIn('goldens', /\.gictrace$/, TRACE_BYTES_MAX),
    logs: filesIn('test/recordings', /\.log\.gz$/, LOG_BYTES_MAX).map((path) => ({ path, format: 'qemu' })),
    scenarios: filesIn('packages/recorder/scenarios', /\.yaml$/, TRACE_BYTES_MAX),
  };
}
