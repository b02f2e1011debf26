// Hears signals in a thread of its own while the main thread computes without a pause, removes the outputs that are not
// complete, says so, and ends the process by the same signal. It does no other work, so that it always hears at once.
//
// Node offers signals to the main thread only. What it uses inside works in any thread; where a version of Node has it no
// more, this thread says that it hears nothing. A signal then ends the process at once, as if there were no handler, and
// what is left is removed by another process (signal-watcher.ts).
import { rmSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import {
  isMainThread,
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from 'node:worker_threads';

/** What both threads see of each other: two words, at `HEARS.at` and `TURN.at`. */
export interface SignalData {
  readonly state: Int32Array;
}
/** What this thread hears. */
export const HEARS = { at: 0, notYet: 0, signals: 1, nothing: 2 } as const;
/** Which thread may make and remove temporary files now. Once it is this thread's turn, the process ends. */
export const TURN = { at: 1, nobody: 0, main: 1, signals: 2 } as const;
/** The main thread has made a temporary file, with the printable name of its output; or it has none any more. */
export type ToSignals = { readonly opened: string; readonly name: string } | { readonly closed: string };

/** Node's inner interface to signals. */
interface Signal {
  onsignal: () => void;
  start(number: number): number;
  close(): void;
}
type Binding = (name: 'signal_wrap') => { readonly Signal?: new () => Signal };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** If the main thread has handlers too (for a child process), it has this long to end what it has started. */
const GRACE_MS = 500;

/** How long the main thread may take to make or remove a temporary file. */
const TURN_MS = 1000;

function hear(heard: (signal: NodeJS.Signals) => void): (() => void) | undefined {
  try {
    // This thread's own; the main thread warns as before.
    process.noDeprecation = true;
    const { Signal } = (process as unknown as { binding: Binding }).binding('signal_wrap');
    if (Signal === undefined) return undefined;
    const handles = SIGNALS.map((name) => {
      const handle = new Signal();
      handle.onsignal = () => heard(name);
      if (handle.start(constants.signals[name]) !== 0) throw new Error(name);
      return handle;
    });
    return () => {
      for (const handle of handles) handle.close();
    };
  } catch {
    return undefined;
  }
}

/** Waits until the main thread makes and removes no temporary file, and keeps it from doing so. */
function takeTurn(state: Int32Array): void {
  if (Atomics.compareExchange(state, TURN.at, TURN.nobody, TURN.signals) !== TURN.main) return;
  Atomics.wait(state, TURN.at, TURN.main, TURN_MS);
  Atomics.store(state, TURN.at, TURN.signals);
}

/** Serves the main thread. */
function serve(port: MessagePort, state: Int32Array): void {
  /** Names of outputs by their temporary files. */
  const open = new Map<string, string>();
  const take = (message: ToSignals) => {
    if ('opened' in message) open.set(message.opened, message.name);
    else open.delete(message.closed);
  };
  const heard = (signal: NodeJS.Signals) => {
    takeTurn(state);
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port))
      take(more.message as ToSignals);
    for (const path of open.keys()) rmSync(path, { force: true });
    const what = open.size === 0 ? '' : `: ${[...open.values()].join(', ')} not written`;
    try {
      writeSync(2, `gictrace: ended by ${signal}${what}\n`);
    } catch {
      // Nobody reads standard error.
    }
    stop?.();
    process.kill(process.pid, signal);
    // Only if a handler of the main thread keeps the process from ending.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS);
  };
  const stop = hear(heard);
  port.on('message', take);
  Atomics.store(state, HEARS.at, stop === undefined ? HEARS.nothing : HEARS.signals);
  Atomics.notify(state, HEARS.at);
}

if (!isMainThread && parentPort !== null) serve(parentPort, (workerData as SignalData).state);
