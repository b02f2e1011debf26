// The thread that inserts rows: takes blocks from the thread that made it, hands their buffers back, and answers with
// the number of rows of each table. On an error it says so once and takes nothing more.
import { parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import type { RowBlock } from './row-log.ts';
import { type DatabasePlan, DatabaseWriter, newDatabase } from './writer.ts';

/** What the thread is made with. */
export interface WriterData {
  readonly path: string;
  readonly plan: DatabasePlan;
}
/** A block; or: no more rows. */
export type ToWriter = RowBlock | 'finish';
/** A buffer that is done with; the rows of each table; or what failed. */
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
  db = newDatabase(path);
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
