// Handles a signal during a command that writes: removes outputs that are not complete, and says so.
import { discardOpenOutputs } from '@gictrace/recorder/output';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PAUSE_MS = 100;

/**
 * Does work that pauses now and then (`Pauses`, or by waiting for input), so that Node can deliver a signal. On a signal,
 * incomplete outputs are removed, and the process then ends by that signal, as it would have without a handler.
 */
export async function interruptible<T>(work: () => Promise<T>): Promise<T> {
  const heard = (signal: NodeJS.Signals) => {
    const names = discardOpenOutputs();
    const what = names.length === 0 ? '' : `: ${names.join(', ')} not written`;
    process.stderr.write(`gictrace: ended by ${signal}${what}\n`);
    release();
    process.kill(process.pid, signal);
  };
  const release = () => {
    for (const signal of SIGNALS) process.off(signal, heard);
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  try {
    return await work();
  } finally {
    release();
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
