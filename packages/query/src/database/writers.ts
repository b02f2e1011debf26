// Inserts the rows of a long job, either in this thread or in a second thread, which may be a few blocks behind.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { invariant } from '@gictrace/core';
import type Database from 'better-sqlite3';
import { blockBuffer, type RowBlock, type RowSink } from './row-log.ts';
import { type DatabasePlan, DatabaseWriter, databaseFor } from './writer.ts';
import type { FromWriter, ToWriter, WriterData } from './writer-thread.ts';

/** Takes blocks of rows until {@link finish} is called. */
export interface RowWriter extends RowSink {
  /** Whether {@link room} must be awaited before the next block. */
  readonly isFull: boolean;
  /** Waits until there is room for a block, without blocking the process. */
  room(): Promise<void>;
  /** Ends the rows, closes the database, and returns how many rows each table has. */
  finish(): Promise<readonly number[]>;
  /** Closes the database as it is. */
  abandon(): Promise<void>;
}

const otherWork = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Inserts in this thread. */
export class SameThreadWriter implements RowWriter {
  readonly isFull = false;
  private readonly db: Database.Database;
  private readonly writer: DatabaseWriter;

  /** Makes the database at `path`, where there must be an empty file or none, or opens it if the plan adds to it. */
  constructor(path: string, plan: DatabasePlan) {
    this.db = databaseFor(path, plan);
    this.writer = new DatabaseWriter(this.db, plan);
  }

  write(block: RowBlock): ArrayBuffer {
    return this.writer.write(block);
  }

  room(): Promise<void> {
    return otherWork();
  }

  async finish(): Promise<readonly number[]> {
    const rows = this.writer.finish();
    this.db.close();
    return rows;
  }

  async abandon(): Promise<void> {
    this.db.close();
  }
}

/** How many blocks the second thread may be behind: a few megabytes. */
const BLOCKS_MAX = 8;
const THREAD = new URL('./writer-thread.js', import.meta.url);

/** Whether a second thread can insert. Its code must have been compiled, which is not the case if TypeScript runs directly. */
export function canInsertBeside(): boolean {
  return existsSync(fileURLToPath(THREAD));
}

/** An error in the second thread, with the code from SQLite or Node. */
export class WriterError extends Error {
  readonly code: string;

  constructor(message: string, code: string, stack: string) {
    super(message);
    this.name = 'WriterError';
    this.code = code;
    this.stack = stack;
  }
}

/** Inserts in a second thread. */
export class OtherThreadWriter implements RowWriter {
  private readonly worker: Worker;
  private readonly free: ArrayBuffer[] = [];
  private blocksBehind = 0;
  private rows: readonly number[] | undefined;
  private error: Error | undefined;
  /** Wakes the code that waits for an answer of the thread. */
  private wake: () => void = () => undefined;

  /** Starts the thread, which makes or opens the database at `path`, as {@link SameThreadWriter} does. */
  constructor(path: string, plan: DatabasePlan) {
    const data: WriterData = { path, plan };
    this.worker = new Worker(THREAD, { workerData: data });
    this.worker.on('message', (message: FromWriter) => this.heard(message));
    this.worker.on('error', (error) => this.failed(error));
    this.worker.on('exit', (code) => this.failed(new Error(`the thread that inserts ended with ${code}`)));
  }

  get isFull(): boolean {
    return this.blocksBehind >= BLOCKS_MAX;
  }

  write(block: RowBlock): ArrayBuffer {
    this.tell(block, [block.buffer]);
    this.blocksBehind++;
    return this.free.pop() ?? blockBuffer();
  }

  /** @throws WriterError what failed in the thread. */
  async room(): Promise<void> {
    await otherWork();
    await this.until(() => !this.isFull);
  }

  /** @throws WriterError what failed in the thread. */
  async finish(): Promise<readonly number[]> {
    this.tell('finish');
    await this.until(() => this.rows !== undefined);
    const { rows } = this;
    invariant(rows !== undefined, 'the thread has answered');
    return rows;
  }

  async abandon(): Promise<void> {
    await this.worker.terminate();
  }

  private tell(message: ToWriter, transfer: ArrayBuffer[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  private async until(condition: () => boolean): Promise<void> {
    while (this.error === undefined && !condition())
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    if (this.error !== undefined) throw this.error;
  }

  private heard(message: FromWriter): void {
    if ('buffer' in message) {
      this.blocksBehind--;
      this.free.push(message.buffer);
    } else if ('rows' in message) this.rows = message.rows;
    else {
      const { error } = message;
      this.failed(new WriterError(error.message, error.code, error.stack));
    }
    this.wake();
  }

  private failed(error: Error): void {
    if (this.rows !== undefined) return;
    this.error ??= error;
    this.wake();
  }
}
