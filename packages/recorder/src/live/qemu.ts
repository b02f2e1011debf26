// Records a QEMU while it runs: the user's own command line with the trace events of the GIC added, whose log comes
// through a FIFO and is imported as it is written. QEMU waits where the FIFO is full, so that memory does not grow.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { type ImportInto, type ImportReport, importToTrace } from '../import-trace.ts';
import type { ImportOptions } from '../importers/qemu-trace/index.ts';

/** Trace events that the importer reads, and times. */
const ADDED = ['-msg', 'timestamp=on', '-trace', 'gicv3_*', '-trace', 'memory_region_ops_*'];
/** How long a QEMU that is asked to end may take, in milliseconds. */
const GRACE_MS = 5000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface LiveReport {
  readonly imported: ImportReport;
  /** How QEMU ended: its exit code, or the signal that ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** We were told to stop, and told QEMU. */
  readonly interrupted: boolean;
}

const usage = (what: string, mend: string) => new GicTraceError('usage', what, {}, mend);

function checked(command: readonly string[]): void {
  if (command.length === 0)
    throw usage(
      'there is no QEMU command',
      'say: gictrace record qemu -o TRACE -- qemu-system-aarch64 -M virt,gic-version=3 …',
    );
  if (command.includes('-D'))
    throw usage('the QEMU command says -D, and its log is what is recorded', 'leave -D out');
  if (command.includes('-daemonize'))
    throw usage('a QEMU that goes to the background cannot be watched', 'leave -daemonize out');
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error: Error | undefined;
}
const ended = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal, error: undefined }));
  });

/** Has QEMU end when we are told to; answers how to stop listening, and whether that has happened. */
function onSignals(qemu: ChildProcess): { stop: () => void; happened: () => boolean } {
  let told = false;
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    told = true;
    qemu.kill('SIGTERM');
    timer ??= setTimeout(() => qemu.kill('SIGKILL'), GRACE_MS).unref();
  };
  for (const signal of SIGNALS) process.on(signal, end);
  return {
    happened: () => told,
    stop: () => {
      clearTimeout(timer);
      for (const signal of SIGNALS) process.off(signal, end);
    },
  };
}

/**
 * Runs a QEMU with its standard streams as ours, and records its GIC until it ends, or until we are told to stop. What
 * was recorded until then is a trace in any case.
 * @throws GicTraceError `usage` for a command that cannot be recorded, `backend` if QEMU cannot be started or ends
 * before anything of a GIC was seen.
 */
export async function recordQemu(
  command: readonly string[],
  out: string,
  options: ImportOptions & ImportInto,
): Promise<LiveReport> {
  checked(command);
  const folder = mkdtempSync(join(tmpdir(), 'gictrace-live-'));
  try {
    const fifo = join(folder, 'log');
    const made = spawnSync('mkfifo', ['-m', '600', fifo], { encoding: 'utf8' });
    if (made.status !== 0)
      throw new GicTraceError('backend', `a FIFO cannot be made: ${made.stderr || made.error?.message}`, {
        path: fifo,
      });
    // Opening a FIFO waits for the other side: that is left to a process that can be ended.
    const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const readerEnded = ended(reader);
    const [program, ...args] = command as [string, ...string[]];
    const qemu = spawn(program, [...args, ...ADDED, '-D', fifo], { stdio: 'inherit' });
    const signals = onSignals(qemu);
    let opened = false;
    reader.stdout.once('readable', () => {
      opened = true;
    });
    const gone = ended(qemu).then((how) => {
      // A QEMU that never opened its log leaves nobody to end the reader.
      if (!opened) setTimeout(() => opened || reader.kill(), 200).unref();
      return how;
    });
    try {
      const [imported, how] = await Promise.all([
        importToTrace(program, out, options, reader.stdout).catch((error: unknown) => error as Error),
        gone,
      ]);
      await readerEnded;
      return answer(program, imported, how, signals.happened());
    } finally {
      signals.stop();
      qemu.kill('SIGKILL');
      reader.kill();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function answer(
  program: string,
  imported: ImportReport | Error,
  { code, signal, error }: Ended,
  interrupted: boolean,
): LiveReport {
  if (error !== undefined) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new GicTraceError(
      'backend',
      isMissing ? `there is no program '${program}'` : `cannot be started: ${error.message}`,
      isMissing ? {} : { path: program },
      isMissing ? 'install qemu-system-arm' : undefined,
    );
  }
  if (!(imported instanceof Error)) return { imported, code, signal, interrupted };
  if (!(imported instanceof GicTraceError) || imported.code !== 'input') throw imported;
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  throw new GicTraceError(
    'backend',
    `${program} ended ${how}, and no access to a GICv3 was seen`,
    {},
    'a machine with a GICv3 or GICv4: -M virt,gic-version=3',
  );
}
