// Imports one log with two threads. The other thread reads it (reader.ts), and this thread takes the groups of records
// at the same time, based on what the reader expects the log to be. If the expectation was wrong, what was taken is
// void, and the log is imported by a single thread. The records are the same either way.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { GicTraceError } from '@gictrace/core';
import { RECORDS, RecordBatch, type RecordName } from '@gictrace/core/record';
import { Identity, type ImportOptions } from '../../common/identity.ts';
import type { ImportStats } from '../../common/import-stats.ts';
import { type ImportSink, importQemu, importSurveyed, QUEUE, Taking } from '../import.ts';
import { LINES_WATCHED, type LogSource } from '../reading.ts';
import { ResetSurvey } from '../resets.ts';
import { eachGroup, type GroupBatch } from './batches.ts';
import { TimedLosses, together } from './losses.ts';
import type { Ended, FromReader, ReaderData, Taken, ToReader } from './reader.ts';

/** A sink with the optional methods that this import needs: see {@link ImportSink}. */
export type ImportSinkAgain = ImportSink & Required<Pick<ImportSink, 'again' | 'facts' | 'settled'>>;

/** The reading side. */
export interface Reader {
  listen(heard: (message: FromReader) => void, failed: (error: unknown) => void): void;
  giveBack(buffer: ToReader): void;
  /** Stops the reader, wherever it is. */
  stop(): Promise<void>;
}

const THREAD = new URL('./reader-thread.js', import.meta.url);
const GROUP_MAX = 16_384;
const LINES_PROGRESS = 1 << 16;

/** Whether another thread can read: there is a second processor, and the code for the thread is compiled. */
export function canReadBeside(): boolean {
  return availableParallelism() > 1 && existsSync(fileURLToPath(THREAD));
}

/** Starts a thread that reads. */
function threadReader(data: ReaderData): Reader {
  const worker = new Worker(THREAD, { workerData: data });
  return {
    listen: (heard, failed) => {
      worker.on('message', heard);
      worker.on('messageerror', failed);
      worker.on('error', failed);
      worker.on('exit', () => failed(new Error('the thread that reads has ended')));
    },
    giveBack: (buffer) => worker.postMessage(buffer, [buffer]),
    stop: async () => {
      await worker.terminate();
    },
  };
}

/**
 * Imports a log with two threads; `source` is the file at `path`.
 * @throws GicTraceError as {@link importQemu} does.
 */
export async function importQemuBeside(
  path: string,
  source: LogSource,
  options: ImportOptions,
  sink: ImportSinkAgain,
  start: (data: ReaderData) => Reader = threadReader,
): Promise<ImportStats> {
  const reader = start({ path, name: source.name, options, queue: QUEUE });
  const side = new TakingSide(reader, options, sink);
  let ended: Ended | undefined;
  try {
    ended = await side.run();
  } catch (error) {
    // A full disk stays full, and an error of this program is not hidden by a slower way. A single thread finds what is wrong
    // with the log again, with its place.
    if (side.isFaulty || (error instanceof GicTraceError && error.code !== 'backend')) side.drop();
    else throw error;
  } finally {
    await reader.stop();
  }
  if (ended === undefined) return importQemu([source], options, sink);
  if (side.stats !== undefined) return side.stats;
  const { found, total } = ended;
  const restarts = Object.assign(new ResetSurvey(), ended.restarts);
  return importSurveyed(
    [source],
    { identity: Identity.copyOf(ended.identity), found, restarts, total },
    options,
    sink,
  );
}

/** Handles the reader's messages. */
class TakingSide {
  /** The statistics of a complete import. */
  stats: ImportStats | undefined;
  private readonly reader: Reader;
  private readonly options: ImportOptions;
  private readonly sink: ImportSinkAgain;
  private readonly inbox: FromReader[] = [];
  private fault: unknown;
  private wake: () => void = () => undefined;
  private readonly room = new RecordBatch(GROUP_MAX);
  private take: Taking | undefined;
  private shows = new ShowsSoFar([]);
  private losses = new TimedLosses();
  /** Batches that may belong to the end of the log, where effects may be cut off. */
  private readonly waiting: Extract<FromReader, { says: 'groups' }>[] = [];
  private progress = 0;

  constructor(reader: Reader, options: ImportOptions, sink: ImportSinkAgain) {
    this.reader = reader;
    this.options = options;
    this.sink = sink;
    reader.listen(
      (message) => {
        this.inbox.push(message);
        this.wake();
      },
      (error) => {
        this.fault ??= error;
        this.wake();
      },
    );
  }

  /** Follows the reader to the end of the log; undefined if the reader cannot read it. */
  async run(): Promise<Ended | undefined> {
    for (;;) {
      const message = await this.next();
      switch (message.says) {
        case 'failed':
          this.drop();
          return undefined;
        case 'begin':
          this.drop();
          this.begin(message);
          break;
        case 'void':
          this.drop();
          break;
        case 'groups':
          this.waiting.push(message);
          while (this.waiting.length > 1 && this.waiting[0]!.lines + LINES_WATCHED <= message.lines) {
            this.groups(this.waiting.shift()!.batch, Number.POSITIVE_INFINITY);
            await this.sink.settled();
          }
          for (; this.progress + LINES_PROGRESS <= message.lines; this.sink.progress?.(this.progress))
            this.progress += LINES_PROGRESS;
          break;
        case 'ended':
          if (message.taken === undefined) this.drop();
          else this.end(message, message.taken);
          return message;
      }
    }
  }

  /** Whether the reader cannot run, which a single thread need not care about. */
  get isFaulty(): boolean {
    return this.fault !== undefined;
  }

  /** Discards what has been taken. */
  drop(): void {
    for (const { batch } of this.waiting.splice(0)) this.giveBack(batch);
    if (this.take === undefined) return;
    this.take = undefined;
    this.sink.again();
  }

  private begin({ identity, found }: Extract<FromReader, { says: 'begin' }>): void {
    this.losses = new TimedLosses();
    this.progress = 0;
    this.take = new Taking(Identity.copyOf(identity), this.losses, this.sink, () => ({ path: '', line: 0 }));
    this.shows = new ShowsSoFar(found.shows);
    const { isShown } = this.shows;
    this.take.begin(this.options, {}, { start: 'reset', missing: new Set(), shows: found.shows, isShown });
  }

  private end({ total, found }: Ended, { events, losses, provenance, watchFrom }: Taken): void {
    const take = this.take!;
    const { shows } = found;
    // Only now is it known which kinds the log does not contain. Little of the log is still to be taken.
    if (!this.shows.settle(shows)) {
      this.drop();
      return;
    }
    for (const { batch } of this.waiting.splice(0)) this.groups(batch, watchFrom);
    if (watchFrom <= total) take.watch();
    take.end();
    this.sink.facts(provenance, { start: 'reset', missing: [], shows });
    this.stats = {
      lines: total,
      records: take.records,
      events,
      losses: together(losses, this.losses.timed),
    };
  }

  /** Takes the groups of a batch. After line `watchFrom`, effects may be cut off. */
  private groups(batch: GroupBatch, watchFrom: number): void {
    const { take, losses, room } = this;
    if (take !== undefined)
      eachGroup(batch, room, (isLast, end) => {
        if (end > watchFrom) take.watch();
        this.shows.add(room);
        take.group(room, isLast);
        losses.groups++;
      });
    this.giveBack(batch);
  }

  private giveBack({ buffer }: GroupBatch): void {
    this.reader.giveBack(buffer);
  }

  private async next(): Promise<FromReader> {
    while (this.inbox.length === 0) {
      if (this.fault !== undefined) throw this.fault;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.inbox.shift()!;
  }
}

/**
 * Answers which kinds of observables a log contains while that is not yet known. The answers given have to be right in
 * the end.
 */
class ShowsSoFar {
  private readonly shown = new Uint8Array(256);
  /** Kinds that were answered not to be in the log, where the answer decided something. */
  private readonly denied = new Uint8Array(256);

  constructor(shows: readonly RecordName[]) {
    for (const name of shows) this.shown[RECORDS[name].id] = 1;
  }

  /** Notes records of the log. */
  add({ kind, count }: RecordBatch): void {
    for (let i = 0; i < count; i++) this.shown[kind[i]!] = 1;
  }

  readonly isShown = (kind: number): boolean => {
    if (this.shown[kind] !== 0) return true;
    this.denied[kind] = 1;
    return false;
  };

  /** Takes the final kinds. Returns whether all answers were right. */
  settle(shows: readonly RecordName[]): boolean {
    const ids = shows.map((name) => RECORDS[name].id);
    for (const id of ids) this.shown[id] = 1;
    return ids.every((id) => this.denied[id] === 0);
  }
}
