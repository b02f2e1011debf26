// gictrace replay TRACE: verbatim replay and verdict.
import { GicTraceError } from '@gictrace/core';
import { GICV5_PROFILES } from '@gictrace/core/gicv5';
import { PROFILES } from '@gictrace/core/profile';
import { totalOf } from '@gictrace/core/record';
import {
  BATCH_STIMULI_MAX,
  foreseeTrace,
  ProcessBackend,
  replayTrace,
  replayTraceOn,
  TOLERANCES,
  type Tolerance,
  type Verdict,
} from '@gictrace/replayer';
import type { Command } from 'commander';
import { FORCE, json, note, print, VERSION, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';
import { isKvm, kvmCommand } from './on-kvm.ts';
import { isQemu, replayOnQemu } from './on-qemu.ts';
import { sourceKind } from './source-text.ts';
import { verdictText } from './verdict-text.ts';

interface Options {
  readonly on: string;
  readonly force?: boolean;
  readonly output?: string;
  readonly allow?: readonly string[];
  readonly timeout?: number;
  readonly batch?: number;
  readonly json?: boolean;
}

export function addReplay(program: Command, exit: (code: number) => void): void {
  program
    .command('replay')
    .summary('replay a trace and compare everything that was recorded')
    .description(
      'Gives the recorded stimuli to an implementation, in order, and compares every recorded response and observable. Exit code 0: the same; 1: diverged.',
    )
    .argument('<trace>', 'the trace')
    .option(
      '--on <backend>',
      `simulator, or simulator@PROFILE (${Object.keys(PROFILES).join(', ')}), or qemu (docs/qemu.md), or kvm (docs/kvm.md), or exec:COMMAND, an adapter (docs/adapter.md)`,
      'simulator',
    )
    .option('-o, --output <trace>', 'write the re-recorded trace, with the events of the model')
    .option('--force', FORCE)
    .option(
      '--allow <name...>',
      `tolerate a kind of difference, but count it in the verdict: ${Object.keys(TOLERANCES).join(', ')}`,
    )
    .option(
      '--timeout <seconds>',
      'an adapter (30) or QEMU (20) has failed if it sends nothing for this long',
      wholeNumber('--timeout', 1, 86_400),
    )
    .option(
      '--batch <records>',
      `records that an adapter is sent at a time (${BATCH_STIMULI_MAX}); with 1, the message names the exact record at which it fails`,
      wholeNumber('--batch', 1, BATCH_STIMULI_MAX),
    )
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      "\nExample:\n  gictrace replay boot.gictrace\n  gictrace replay boot.gictrace --on qemu\n  gictrace replay boot.gictrace --on kvm\n  gictrace replay boot.gictrace --on 'exec:./my-gic --verbose'\n",
    )
    .action(async (path: string, options: Options) => {
      const progress = new Progress('records');
      try {
        const identification: string[] = [];
        const verdict = await replay(path, options, (records) => progress.update(records), identification);
        progress.end();
        for (const text of identification) note(`gictrace: identification: ${text}`);
        const found = isQemu(options.on) ? { ...verdict, identification } : verdict;
        print(options.json ? json(found) : verdictText(verdict, options.on, sourceKind(path)));
        exit(exitCode(verdict, options.on));
      } finally {
        progress.end();
      }
    });
}

/** `--on exec:COMMAND`: an adapter. */
export const EXEC = 'exec:';

/** Replays a trace on a backend that is named as `--on` names it. */
export async function replay(
  path: string,
  { on, output, force = false, allow, timeout, batch }: Options,
  progress: (records: number) => void,
  identification: string[],
): Promise<Verdict> {
  const options = {
    version: VERSION,
    progress,
    allow: tolerances(allow ?? []),
    ...(output === undefined ? {} : { output, force }),
  };
  if (isQemu(on)) {
    if (batch !== undefined)
      throw new GicTraceError('usage', '--batch is for adapters', {}, 'give --on exec:COMMAND or kvm');
    return replayOnQemu(path, on, timeout, options, identification);
  }
  const kvm = isKvm(on);
  if (!on.startsWith(EXEC) && !kvm) {
    if (timeout !== undefined || batch !== undefined)
      throw new GicTraceError(
        'usage',
        '--timeout and --batch are for other programs',
        {},
        'give --on exec:COMMAND, kvm or qemu',
      );
    return replayTrace(path, { ...options, ...profileOf(on) });
  }
  const command = kvm ? kvmCommand(on) : on.slice(EXEC.length).trim();
  if (command === '') throw new GicTraceError('usage', 'exec: without a command', {}, 'give exec:COMMAND');
  const backend = new ProcessBackend({
    command,
    version: VERSION,
    ...(timeout === undefined ? {} : { timeoutMs: 1000 * timeout }),
  });
  try {
    // It may keep what it has read of memory, and the trace may contain that only later.
    const { fills, collections } = foreseeTrace(path, true);
    return await replayTraceOn(path, backend, {
      ...options,
      fills,
      ...(collections === undefined ? {} : { collections }),
      // KVM reports an unknown command to nobody, and goes on with the next.
      ...(kvm ? { ignoresZeroCommands: true } : {}),
      ...(batch === undefined ? {} : { batchRecords: batch }),
    });
  } finally {
    await backend.close();
  }
}

function tolerances(names: readonly string[]): Tolerance[] {
  for (const name of names)
    if (!Object.hasOwn(TOLERANCES, name))
      throw new GicTraceError(
        'usage',
        `--allow does not know '${name}'`,
        {},
        `it takes ${Object.keys(TOLERANCES).join(', ')}`,
      );
  return names as Tolerance[];
}

/** The profile of `simulator@PROFILE`. @throws GicTraceError `usage` for another backend, or if there is no such profile. */
export function profileOf(backend: string): { profile?: string } {
  const [name, profile, ...rest] = backend.split('@');
  if (name !== 'simulator' || rest.length > 0)
    throw new GicTraceError(
      'usage',
      `there is no backend '${backend}'`,
      {},
      'backends: simulator, simulator@PROFILE, qemu, kvm, exec:COMMAND',
    );
  if (profile === undefined) return {};
  if (!Object.hasOwn(PROFILES, profile) && !Object.hasOwn(GICV5_PROFILES, profile))
    throw new GicTraceError(
      'usage',
      `there is no profile '${profile}'`,
      {},
      `profiles: ${Object.keys(PROFILES).join(', ')}; of GICv5: ${Object.keys(GICV5_PROFILES).join(', ')}`,
    );
  return { profile };
}

/** If nothing could be compared on a backend, that is a failure of the backend and not the verdict SAME. */
function exitCode(verdict: Verdict, backend: string): number {
  if (verdict.diverged > 0) return 1;
  return (backend.startsWith(EXEC) || isQemu(backend) || isKvm(backend)) &&
    verdict.records > 0 &&
    totalOf(verdict.compared) === 0
    ? 3
    : 0;
}
