// Who inserts the rows of a long job: this thread, or another one beside it that can be some blocks behind.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { invariant } from '@gictrace/core';
import type Database from 'better-sqlite3';
import { blockBuffer, type RowBlock, type RowSink } from './row-log.ts';
import { type DatabasePlan, DatabaseWriter, newDatabase } from './writer.ts';
import type { FromWriter, ToWriter, WriterData } from './writer-thread.ts';

/** Takes blocks of rows until it is told that there are no more. */
export interface RowWriter extends RowSink {
  /** Whether {@link room} must be awaited before the next block. */
  readonly isFull: boolean;
  /** Waits until there is room for a block; lets other work of the process go on. */
  room(): Promise<void>;
  /** No more rows: closes the database and answers how many rows each table has. */
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

  /** Makes the database at `path`: an empty file, or none. */
  constructor(path: string, plan: DatabasePlan) {
    this.db = newDatabase(path);
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

/** Blocks that the other thread may be behind: some megabytes. */
const BLOCKS_MAX = 8;
const THREAD = new URL('./writer-thread.js', import.meta.url);

/** Whether another thread can insert: its code is compiled, which it is not where TypeScript runs as it is. */
export function canInsertBeside(): boolean {
  return existsSync(fileURLToPath(THREAD));
}

/** An error in the other thread, with the code that SQLite or Node gave it. */
export class WriterError extends Error {
  readonly code: string;

  constructor(message: string, code: string, stack: string) {
    super(message);
    this.name = 'WriterError';
    this.code = code;
    this.stack = stack;
  }
}

/** Has another thread insert. */
export class OtherThreadWriter implements RowWriter {
  private readonly worker: Worker;
  private readonly free: ArrayBuffer[] = [];
  private blocksBehind = 0;
  private rows: readonly number[] | undefined;
  private error: Error | undefined;
  /** Wakes whoever waits for the thread to answer. */
  private wake: () => void = () => undefined;

  /** Starts the thread, which makes the database at `path`: an empty file, or none. */
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
