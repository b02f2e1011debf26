// Records a QEMU while it runs, with the user's command line and the GIC's trace events added. Its log comes through a pipe
// and is imported as it is written. QEMU waits if the pipe is full, so that memory does not grow. Because the pipe holds only
// two lines, guest memory can be read just before the GIC reads it.
import { type ChildProcess, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import { GicTraceError } from '@gictrace/core';
import { type ImportInto, type ImportReport, importGicv5ToTrace, importToTrace } from '../import-trace.ts';
import { keptStream } from '../importers/common/kept-source.ts';
import type { ImportOptions } from '../importers/qemu-trace/index.ts';
import { checked, hasGicv5, logOptions, plan } from './command.ts';
import { Conversation, type Guest } from './conversation.ts';
import { isProgram, launcher } from './launch.ts';
import { LogStream } from './log-stream.ts';

/** How long QEMU may take to end when asked, in milliseconds. */
const GRACE_MS = 5000;
/** If nothing comes for this long after QEMU has ended, nothing will: a child of QEMU keeps the pipe open. */
const QUIET_MS = 300;
/** How much of QEMU's last output is examined. */
const SAID_CHARACTERS = 1000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface LiveOptions extends ImportOptions, ImportInto {
  /** Whether the guest memory that the GIC reads is recorded. */
  readonly guestMemory?: boolean;
  /** Called with a line for each thing that the recording lacks. */
  readonly note?: (text: string) => void;
}

type AnyReport = ImportReport<GicConfig | Gicv5Config>;

export interface LiveReport {
  readonly imported: AnyReport;
  /** How QEMU ended: its exit code, or the signal that ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether gictrace was told to stop, and therefore ended QEMU. */
  readonly interrupted: boolean;
  /** What QEMU reported about itself and its guest. */
  readonly guest: Guest;
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

/** Ends QEMU, by force after a while. */
class Ending {
  private readonly child: ChildProcess;
  private readonly ask: () => Promise<unknown>;
  private timer: NodeJS.Timeout | undefined;
  told = false;

  constructor(child: ChildProcess, ask: () => Promise<unknown>) {
    this.child = child;
    this.ask = ask;
    for (const signal of SIGNALS) process.on(signal, this.interrupt);
  }

  private readonly interrupt = () => {
    this.told = true;
    this.end();
  };

  end(): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => this.child.kill('SIGKILL'), GRACE_MS).unref();
    this.ask().catch(() => this.child.kill('SIGTERM'));
  }

  stop(): void {
    clearTimeout(this.timer);
    for (const signal of SIGNALS) process.off(signal, this.interrupt);
  }
}

/** A named pipe, with a writer that keeps it open. */
function pipe(path: string): { reader: number; writer: number; keeper: number } {
  const made = spawnSync('mkfifo', ['-m', '600', path], { encoding: 'utf8' });
  if (made.status !== 0)
    throw new GicTraceError('backend', `a FIFO cannot be made: ${made.stderr || made.error?.message}`, {
      path,
    });
  const keeper = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return {
    keeper,
    reader: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
    writer: openSync(path, constants.O_WRONLY),
  };
}

/**
 * Runs a QEMU with the standard streams of this process, and records its GIC until it ends, or until this process is told
 * to stop. In both cases, what has been recorded becomes a trace.
 * @throws GicTraceError `usage` for a command that cannot be recorded, `backend` if QEMU cannot be started or ends
 * before it used a GIC.
 */
export async function recordQemu(
  command: readonly string[],
  out: string,
  { guestMemory: wantsMemory = true, note = () => undefined, ...options }: LiveOptions,
): Promise<LiveReport> {
  checked(command);
  const [program, ...args] = command as [string, ...string[]];
  if (!isProgram(program))
    throw new GicTraceError('backend', `there is no program '${program}'`, {}, 'install qemu-system-arm');
  const isGicv5 = hasGicv5(args);
  const guestMemory = wantsMemory && !isGicv5;
  if (wantsMemory && isGicv5)
    note('guest memory is not recorded: gictrace does not read it where the GIC is a GICv5');
  const folder = mkdtempSync(join(tmpdir(), 'gictrace-live-'));
  try {
    const log = join(folder, 'log');
    const { reader, writer, keeper } = pipe(log);
    const launch = launcher(guestMemory ? writer : undefined);
    const asked = plan(args, join(folder, 'qmp'), guestMemory && launch.packets);
    const reason = guestMemory && !launch.packets ? NO_HELPER : asked.reason;
    const isWatched = guestMemory && reason === undefined;
    if (reason !== undefined) note(`guest memory is not recorded: ${reason}`);
    let said = '';
    const foreign = (bytes: Buffer) => {
      // A message may be written in parts.
      said = (said + bytes.toString('latin1')).slice(-SAID_CHARACTERS);
      process.stderr.write(bytes);
    };
    const stream = new LogStream(reader, isWatched ? foreign : undefined);
    // If the guest powers off during a query, QEMU may hang, so the guest starts only when all queries are done.
    const all = [
      program,
      ...args,
      ...logOptions(args, note),
      ...asked.added,
      '-S',
      ...(isWatched ? [] : ['-D', log]),
    ];
    const qemu = launch.start(all, isWatched ? writer : 'inherit');
    closeSync(writer);
    const talk = new Conversation(join(folder, 'qmp'), stream, note);
    const ending = new Ending(qemu, () => talk.quit());
    const gone = ended(qemu).then(async (how) => {
      talk.isGone = true;
      closeSync(keeper);
      await Promise.all([stream.finish(QUIET_MS), talk.end(QUIET_MS)]);
      stream.end();
      return how;
    });
    const told = talk
      .begin(isWatched ? asked : undefined, !asked.waits)
      // Both sides have opened the files in the folder, so it can be removed now and cannot be left behind.
      .then(() => talk.guest.version !== null && rmSync(folder, { recursive: true, force: true }))
      .then(() => undefined)
      .catch((error: Error) => {
        ending.end();
        return error;
      });
    const { version, progress, ...rest } = options;
    const importing =
      asked.loads && rest.start === undefined ? { ...rest, start: 'mid-life' as const } : rest;
    const into = {
      version,
      ...(progress === undefined ? {} : { progress }),
      machine: () => talk.machine,
      resets: talk.resets,
      memory: () => talk.guest.memory !== null,
      meta: () => ({ qemu: { ...talk.guest } }),
    };
    try {
      const work = isGicv5
        ? importGicv5Live(program, out, stream, { ...options, meta: into.meta })
        : importToTrace(program, out, { ...importing, ...into }, stream);
      const imported: AnyReport | Error = await work.catch((error: Error) => {
        // Nobody reads any more.
        ending.end();
        stream.end();
        return error;
      });
      const how = await gone;
      const refused = await told;
      if (refused !== undefined && !(imported instanceof GicTraceError && imported.code !== 'input'))
        throw refused;
      return { ...answer(program, imported, how, said), interrupted: ending.told, guest: talk.guest };
    } finally {
      ending.stop();
      talk.close();
      qemu.kill('SIGKILL');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Imports the log of a QEMU with a GICv5 when it has ended, since what comes later decides the PEs of what came before. Until
 * then the log is kept in a temporary file.
 */
async function importGicv5Live(
  program: string,
  out: string,
  stream: AsyncIterable<Buffer>,
  { version, force, labels, progress, start, profile, meta }: ImportOptions & ImportInto,
): Promise<ImportReport<Gicv5Config>> {
  const source = keptStream(program, stream);
  try {
    return await importGicv5ToTrace(source, out, {
      version,
      labels,
      ...(force === undefined ? {} : { force }),
      ...(progress === undefined ? {} : { progress }),
      ...(start === undefined ? {} : { start }),
      ...(profile === undefined ? {} : { profile }),
      ...(meta === undefined ? {} : { meta }),
    });
  } finally {
    source.close();
  }
}

const NO_HELPER = 'it takes Linux 4.5, and perl or python3, to have QEMU wait';

/**
 * How to get an option ROM that QEMU did not find, according to its last output. In Debian it is in a package that QEMU's
 * package only recommends, and by default `virt` has a network card that needs it.
 */
export function missingRom(said: string): string | undefined {
  const rom = /romfile "([^"]+)"/.exec(said)?.[1];
  return rom === undefined ? undefined : `-nic none, or the package with ${rom}: apt-get install ipxe-qemu`;
}

function answer(
  program: string,
  imported: AnyReport | Error,
  { code, signal, error }: Ended,
  said: string,
): Pick<LiveReport, 'imported' | 'code' | 'signal'> {
  if (error !== undefined)
    throw new GicTraceError('backend', `cannot be started: ${error.message}`, { path: program });
  if (!(imported instanceof Error)) return { imported, code, signal };
  if (!(imported instanceof GicTraceError) || imported.code !== 'input') throw imported;
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  throw new GicTraceError(
    'backend',
    `${program} ended ${how}, and no access to a GIC was seen`,
    {},
    missingRom(said) ??
      'a machine with a GIC that is recorded: -M virt,gic-version=3, or x-5 from QEMU 11.1 on',
  );
}
