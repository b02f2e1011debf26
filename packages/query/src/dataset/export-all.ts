// Exports many traces to a dataset, each in one of several threads. A trace that cannot be exported does not stop the others.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { GicTraceError } from '@gictrace/core';
import { type DatasetResult, exportToDataset } from './export.ts';
import type { FromThread, ThreadData } from './export-thread.ts';
import { makeDataset } from './layout.ts';

export interface ExportAllOptions {
  /** Threads that read and write traces. Default: 1. */
  readonly jobs?: number;
  /** Called after each trace. */
  readonly done?: (path: string, result: DatasetResult | GicTraceError) => void;
}

export interface ExportAllSummary {
  readonly exported: number;
  /** Traces that the dataset had already. */
  readonly there: number;
  readonly records: number;
  readonly rows: number;
  readonly failed: readonly { readonly path: string; readonly error: GicTraceError }[];
}

const THREAD = new URL('./export-thread.js', import.meta.url);
/** Whether several threads can be used. Their code must have been compiled, which is not the case if TypeScript runs directly. */
const hasThreads = (): boolean => existsSync(fileURLToPath(THREAD));

/**
 * Adds traces to the dataset `dir`, which is made if necessary.
 * @throws GicTraceError `usage` if `dir` is something else, `backend` if the disk is full. A bad trace is in the summary.
 */
export async function exportAllToDataset(
  dir: string,
  paths: readonly string[],
  options: ExportAllOptions = {},
): Promise<ExportAllSummary> {
  makeDataset(dir);
  const failed: ExportAllSummary['failed'][number][] = [];
  let [exported, there, records, rows] = [0, 0, 0, 0];
  const take = (path: string, result: DatasetResult | GicTraceError) => {
    if (result instanceof GicTraceError) {
      if (result.code === 'backend' || result.code === 'usage') throw result;
      failed.push({ path, error: result });
    } else if (result.outcome === 'there') there++;
    else {
      exported++;
      records += result.records;
      rows += Object.values(result.rows).reduce((sum, n) => sum + n, 0);
    }
    options.done?.(path, result);
  };
  const jobs = Math.min(options.jobs ?? 1, paths.length);
  if (jobs > 1 && hasThreads()) await inThreads(dir, paths, jobs, take);
  else for (const path of paths) take(path, await attempt(dir, path));
  return { exported, there, records, rows, failed };
}

type Take = (path: string, result: DatasetResult | GicTraceError) => void;

async function attempt(dir: string, path: string): Promise<DatasetResult | GicTraceError> {
  try {
    return await exportToDataset(dir, path);
  } catch (error) {
    if (error instanceof GicTraceError) return error;
    throw error;
  }
}

/** Each thread gets a trace when it has done the one before. */
async function inThreads(dir: string, paths: readonly string[], jobs: number, take: Take): Promise<void> {
  const waiting = [...paths].reverse();
  // The tables of names, which each of the threads would write.
  take(paths[0]!, await attempt(dir, waiting.pop()!));
  const workers: Worker[] = [];
  const run = () =>
    new Promise<void>((done, fail) => {
      const data: ThreadData = { dir };
      const worker = new Worker(THREAD, { workerData: data });
      workers.push(worker);
      const next = () => {
        const path = waiting.pop();
        if (path === undefined) done();
        else worker.postMessage(path);
      };
      worker.on('error', fail);
      worker.on('exit', (code) => fail(new Error(`a thread that exports ended with ${code}`)));
      worker.on('message', ({ path, result, error, bug }: FromThread) => {
        try {
          if (bug !== undefined)
            throw Object.assign(new Error(bug.message), { stack: bug.stack, code: bug.code });
          if (result !== undefined) take(path, result);
          else take(path, new GicTraceError(error!.code, error!.message, error!.place, error!.hint));
          next();
        } catch (fault) {
          fail(fault);
        }
      });
      next();
    });
  try {
    await Promise.all(Array.from({ length: jobs }, run));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
