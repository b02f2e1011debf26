// The thread that inserts rows. It takes blocks from the thread that created it, returns their buffers and, at the end,
// reports the number of rows of each table. It reports the first error and then takes nothing more.
import { parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import type { RowBlock } from './row-log.ts';
import { type DatabasePlan, DatabaseWriter, databaseFor } from './writer.ts';

/** The data with which the thread is created. */
export interface WriterData {
  readonly path: string;
  readonly plan: DatabasePlan;
}
/** A block, or the end of the rows. */
export type ToWriter = RowBlock | 'finish';
/** A buffer that is no longer needed; the number of rows of each table; or an error. */
export type FromWriter =
  | { readonly buffer: ArrayBuffer }
  | { readonly rows: readonly number[] }
  | { readonly error: { readonly message: string; readonly code: string; readonly stack: string } };

const { path, plan } = workerData as WriterData;
const port = parentPort!;
let db: Database.Database | undefined;
let writer: DatabaseWriter | undefined;

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    const { message, code = '', stack = '' } = error as Error & { code?: string };
    answer({ error: { message, code, stack } });
    port.close();
    db?.close();
  }
}

function answer(message: FromWriter, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

attempt(() => {
  db = databaseFor(path, plan);
  writer = new DatabaseWriter(db, plan);
});
port.on('message', (message: ToWriter) => {
  attempt(() => {
    if (message !== 'finish') {
      writer!.write(message);
      answer({ buffer: message.buffer }, [message.buffer]);
      return;
    }
    const rows = writer!.finish();
    db!.close();
    answer({ rows });
    port.close();
  });
});
