// A thread that exports traces to a dataset, one after another, as their paths arrive.
import { parentPort, workerData } from 'node:worker_threads';
import { type FaultCode, type FaultPlace, GicTraceError } from '@gictrace/core';
import { type DatasetResult, exportToDataset } from './export.ts';

export interface ThreadData {
  readonly dir: string;
}
/** What became of a trace: a result, an error with a cause outside gictrace, or a bug in gictrace. */
export interface FromThread {
  readonly path: string;
  readonly result?: DatasetResult;
  readonly error?: {
    readonly code: FaultCode;
    readonly message: string;
    readonly place: FaultPlace;
    readonly hint: string | undefined;
  };
  readonly bug?: { readonly message: string; readonly stack: string; readonly code: string };
}

const { dir } = workerData as ThreadData;
const port = parentPort!;
port.on('message', async (path: string) => {
  port.postMessage(await attempt(path));
});

async function attempt(path: string): Promise<FromThread> {
  try {
    return { path, result: await exportToDataset(dir, path) };
  } catch (error) {
    if (error instanceof GicTraceError) {
      const { code, message, place, hint } = error;
      return { path, error: { code, message, place, hint } };
    }
    const { message, stack = '', code = '' } = error as NodeJS.ErrnoException;
    return { path, bug: { message, stack, code } };
  }
}
