// Handles signals while outputs are open: what is not complete is removed, the message names it, and the process ends by
// that signal, as it would have without a handler.
//
// Node delivers a signal to the main thread between two turns of its event loop. That is soon enough for a verb that waits
// or pauses, and for one that computes for less than a second. For the others a second thread hears the signal
// (signal-thread.ts). A process has one disposition for each signal, so the two are never used together. Where a version of
// Node lets no thread hear signals, they end the process at once, and another process removes what is left
// (signal-watcher.ts).
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { statOf } from '@gictrace/recorder/input';
import {
  discardOpenOutputs,
  type OutputFile,
  type OutputWatch,
  watchOutputs,
} from '@gictrace/recorder/output';
import { mayWrite } from './named-files.ts';
import { printableLine } from './printable.ts';
import { HEARS, type SignalData, type ToSignals, TURN } from './signal-thread.ts';
import type { ToWatcher } from './signal-watcher.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PAUSE_MS = 100;
const THREAD = new URL('./signal-thread.js', import.meta.url);
const WATCHER = new URL('./signal-watcher.js', import.meta.url);
/** How long a verb waits for the thread to hear signals. It begins with the command line, and takes far less. */
const READY_MS = 1000;
/** Verbs that compute without a pause, as long as a scenario or a number of tests takes. */
const LONG: ReadonlySet<string> = new Set(['record', 'compare', 'minimize']);
/** Verbs that pause. All others read their files without a pause, which takes less than a second up to this size. */
const PAUSING: ReadonlySet<string> = new Set(['import', 'load', 'batch', 'fuzz']);
const SOON_BYTES = 1 << 17;

/** Whether signals are handled by the verb itself, or by `interruptible`. */
let isTaken = false;

/**
 * Does work that pauses now and then (`Pauses`, or by waiting for input), so that Node can deliver a signal, also while no
 * output of this thread is open.
 */
export async function interruptible<T>(work: () => Promise<T>): Promise<T> {
  const release = listen();
  try {
    return await ownSignals(work);
  } finally {
    release();
  }
}

/** Does work that handles signals itself, as a recording does, which they end. */
export async function ownSignals<T>(work: () => Promise<T>): Promise<T> {
  isTaken = true;
  try {
    return await work();
  } finally {
    isTaken = false;
  }
}

/** What is ended with this process, when it is ended by a signal. */
const companions = new Set<() => void>();

/** Has `end` called before a signal ends this process, while `interruptible` work runs. Returns what ends that. */
export function endsWithUs(end: () => void): () => void {
  companions.add(end);
  return () => void companions.delete(end);
}

/** Handles signals in this thread. Returns what ends that. */
function listen(): () => void {
  const heard = (signal: NodeJS.Signals) => {
    for (const end of companions) end();
    process.stderr.write(ended(signal, discardOpenOutputs()));
    release();
    process.kill(process.pid, signal);
  };
  const release = () => {
    for (const signal of SIGNALS) process.off(signal, heard);
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return release;
}

/** What is said about a signal. */
function ended(signal: string, names: readonly string[]): string {
  const what = names.length === 0 ? '' : `: ${names.map(printableLine).join(', ')} not written`;
  return `gictrace: ended by ${signal}${what}\n`;
}

/** Handles signals from now on whenever an output is open, for a command line. Returns what ends that. */
export function guardOutputs(args: readonly string[]): () => void {
  const thread = isLong(args) ? SignalThread.start() : undefined;
  watchOutputs(thread ?? new Listener());
  return () => {
    watchOutputs(undefined);
    thread?.stop();
  };
}

/** Handles signals in this thread while an output is open. */
class Listener implements OutputWatch {
  private readonly open = new Set<OutputFile>();
  private release: (() => void) | undefined;
  private closing: NodeJS.Immediate | undefined;

  change<T>(work: () => T): T {
    return work();
  }

  /** From before the temporary file is there. */
  opening(): void {
    if (isTaken) return;
    clearImmediate(this.closing);
    this.release ??= listen();
  }

  notOpened(): void {
    if (this.open.size === 0) this.releaseSoon();
  }

  opened(output: OutputFile): void {
    if (isTaken) return;
    this.open.add(output);
    clearImmediate(this.closing);
    this.release ??= listen();
  }

  closed(output: OutputFile): void {
    if (this.open.delete(output) && this.open.size === 0) this.releaseSoon();
  }

  private releaseSoon(): void {
    clearImmediate(this.closing);
    // A signal that came meanwhile is delivered before.
    this.closing = setImmediate(() => {
      this.release?.();
      this.release = undefined;
    });
  }
}

/** Whether a command line may compute for more than a second without a pause, while it has an output. */
function isLong(args: readonly string[]): boolean {
  const [verb = '', what] = args;
  if (!mayWrite(args) || PAUSING.has(verb)) return false;
  if (verb === 'record' && (what === 'qemu' || what === 'kvm')) return false;
  if (LONG.has(verb)) return true;
  return args.some((word) => !word.startsWith('-') && (statOf(word)?.size ?? 0) > SOON_BYTES);
}

/** The thread that hears signals, as this thread sees it. */
class SignalThread implements OutputWatch {
  private readonly worker: Worker;
  private readonly state = new Int32Array(new SharedArrayBuffer(8));
  /** In place of the thread, if it hears nothing. */
  private watcher: Watcher | undefined;

  private constructor() {
    const data: SignalData = { state: this.state };
    this.worker = new Worker(THREAD, { workerData: data, execArgv: [] });
    this.worker.on('error', () => undefined);
    this.worker.unref();
  }

  /** Starts it, where it can hear signals: its code has been compiled, and the system has signals. */
  static start(): SignalThread | undefined {
    if (process.platform === 'win32' || !existsSync(fileURLToPath(THREAD))) return undefined;
    return new SignalThread();
  }

  /** While this thread changes what is there, the other one does not; and the reverse, since it is about to end the process. */
  change<T>(work: () => T): T {
    const { state } = this;
    Atomics.wait(state, HEARS.at, HEARS.notYet, READY_MS);
    if (Atomics.load(state, HEARS.at) !== HEARS.signals) this.watcher ??= new Watcher();
    if (Atomics.compareExchange(state, TURN.at, TURN.nobody, TURN.main) === TURN.signals)
      Atomics.wait(state, TURN.at, TURN.signals);
    try {
      return work();
    } finally {
      Atomics.store(state, TURN.at, TURN.nobody);
      Atomics.notify(state, TURN.at);
    }
  }

  opening(output: OutputFile, partial: string): void {
    this.watcher?.tell({ opening: partial, sinceMs: Date.now(), name: printableLine(output.path) });
  }

  notOpened(partial: string): void {
    this.watcher?.tell({ closed: partial });
  }

  opened(output: OutputFile, partial: string): void {
    const name = printableLine(output.path);
    if (this.watcher === undefined) this.tell({ opened: partial, name });
    else this.watcher.tell({ opened: partial, inode: statOf(partial)?.ino ?? 0, name });
  }

  closed(output: OutputFile): void {
    const message = { closed: output.partial };
    if (this.watcher === undefined) this.tell(message);
    else this.watcher.tell(message);
  }

  stop(): void {
    this.watcher?.stop();
    this.worker.terminate().catch(() => undefined);
  }

  private tell(message: ToSignals): void {
    this.worker.postMessage(message);
  }
}

/** The process that removes what this one leaves, as this one sees it. */
class Watcher {
  private readonly process: ChildProcess;

  constructor() {
    // In a session of its own: Ctrl-C at a terminal goes to the whole group of processes.
    this.process = spawn(process.execPath, [fileURLToPath(WATCHER)], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    // Without it, signals end this process as if nothing were handled.
    this.process.on('error', () => undefined);
    this.process.stdin!.on('error', () => undefined);
    this.process.unref();
  }

  /** The first write to an empty pipe is one of the system, before this returns: this thread need not pause for it. */
  tell(message: ToWatcher): void {
    this.process.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  stop(): void {
    this.process.stdin!.end();
  }
}

/** Interrupts a long loop a few times a second, so that signals and a closed output are noticed. */
export class Pauses {
  private last = performance.now();

  /** A pause that the loop must await, or undefined if none is due. */
  due(): Promise<void> | undefined {
    const now = performance.now();
    if (now - this.last < PAUSE_MS) return undefined;
    this.last = now;
    return new Promise((resolve) => setImmediate(resolve));
  }
}
