// Makes the trace of a golden case from a scenario on a design, a behaviour of the conformance suite under a profile, or
// a recording, which is imported and, if the case asks for it, replayed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import type { Machine } from '@gictrace/core/model';
import {
  detectFormat,
  importGicv5ToTrace,
  importToTrace,
  keptSource,
  readScenario,
} from '@gictrace/recorder';
import { designNamed, recordBehaviour, recordScenario, replayTrace } from '@gictrace/replayer';
import { VERSION } from '../context.ts';
import type { GoldenCase } from './cases.ts';

export interface MakeOptions {
  /** Called with the simulator's machine before the run, to plant a fault. */
  readonly machine?: (machine: Machine) => void;
  /** The run is given up when it has more records than this. */
  readonly recordsMax?: number;
}

/** Whether the trace of a case comes from the simulator. A recording that is only imported has no backend. */
export function hasBackend({ kind, options }: GoldenCase): boolean {
  return kind !== 'recording' || options.on !== undefined;
}

function onSimulator(on: string, what: string): string | undefined {
  const [name, profile] = on.split('@') as [string, string | undefined];
  if (name === 'simulator') return profile;
  throw new GicTraceError('usage', `${what} '${on}'`, {}, 'use simulator@PROFILE');
}

/** Makes the trace of a case at `output`. */
async function make(one: GoldenCase, output: string, { machine, recordsMax }: MakeOptions): Promise<void> {
  const { input, kind, options } = one;
  const planted = machine === undefined ? {} : { machine };
  if (kind === 'scenario') {
    recordScenario(readScenario(input!), designNamed(options.on ?? 'its'), output, {
      version: VERSION,
      source: basename(input!),
      ...planted,
      ...(recordsMax === undefined ? {} : { recordsMax }),
    });
    return;
  }
  if (kind === 'conformance') {
    const profile = onSimulator(options.on ?? 'simulator', 'the conformance suite is not run on');
    recordBehaviour(input!, profile ?? 'architecture', output, { version: VERSION, ...planted });
    return;
  }
  const profile =
    options.on === undefined ? undefined : onSimulator(options.on, 'a recording cannot be replayed on');
  const imported = options.on === undefined ? output : `${output}.imported`;
  await importLog(input!, imported);
  if (options.on === undefined) return;
  replayTrace(imported, {
    version: VERSION,
    output,
    ...planted,
    ...(profile === undefined ? {} : { profile }),
  });
  rmSync(imported);
}

/** Imports a log of QEMU, which says itself of which GIC it is. */
async function importLog(log: string, trace: string): Promise<void> {
  const format = await detectFormat(keptSource(log)).catch(() => 'qemu' as const);
  if (format === 'gicv5') await importGicv5ToTrace(log, trace, { version: VERSION });
  else await importToTrace(log, trace, { version: VERSION });
}

/** Makes the trace of a case in a temporary folder, passes its path to `work`, and removes the folder. */
export async function withTrace<T>(
  one: GoldenCase,
  work: (trace: string) => T,
  options: MakeOptions = {},
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gictrace-golden-'));
  try {
    const trace = join(folder, 'new.gictrace');
    await make(one, trace, options);
    return work(trace);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
