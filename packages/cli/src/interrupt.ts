// What a signal does to a command that is writing: no part of an output is left, and the user is told.
import { discardOpenOutputs } from '@gictrace/recorder/output';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PAUSE_MS = 100;

/**
 * Does work that pauses now and then (`Pauses`, or by waiting for input), so that a signal is heard: outputs that are
 * not whole are removed, and the process ends by that signal, as it would have without us.
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

/** Lets signals and a closed output be heard in a long loop, a few times a second. */
export class Pauses {
  private last = performance.now();

  /** To be awaited where it is not undefined. */
  due(): Promise<void> | undefined {
    const now = performance.now();
    if (now - this.last < PAUSE_MS) return undefined;
    this.last = now;
    return new Promise((resolve) => setImmediate(resolve));
  }
}
