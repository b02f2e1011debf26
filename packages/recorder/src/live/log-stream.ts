// The log of a running QEMU, passed to the importer line by line. Output that does not belong to the log goes to where it
// would have gone without gictrace. If the reader is behind, QEMU waits.
import { Socket } from 'node:net';

const CHUNK_BYTES = 1 << 18;
/** How many bytes may wait for the importer before QEMU must wait. */
const WAITING_BYTES = 1 << 21;
const PACKET_BYTES = 1 << 16;
const NEWLINE = 0x0a;
/** What a line of the log begins with: thread and time, or a date, and an event that is recorded. */
const OF_LOG = /^(?:\d+@\d+\.\d+:|\d{4}-\d\d-\d\dT[\d:.]+Z )(?:gicv3_|memory_region_ops_)/;
/**
 * Only the date: QEMU from 10.2 on writes it before the rest of the line. With a C library of 2.37 or later, the rest may
 * also come in several writes. QEMU holds a lock until the line is complete.
 */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z $/;
const DATE_BYTES_MAX = 28;
const LOOKED_AT = 80;

const isOfLog = (bytes: Buffer, from: number, to: number) =>
  OF_LOG.test(bytes.toString('latin1', from, Math.min(to, from + LOOKED_AT)));
const isDate = (bytes: Buffer, from: number, to: number) =>
  to - from <= DATE_BYTES_MAX && DATE.test(bytes.toString('latin1', from, to));

/** Bytes that one side writes and the other reads. */
class Queue {
  private chunks: Buffer[] = [];
  /** Where bytes are collected. A chunk is a copy of the part that is used. */
  private readonly last = Buffer.allocUnsafe(CHUNK_BYTES);
  private used = 0;
  private isEnded = false;
  private wake: (() => void) | undefined;
  waiting = 0;

  write(bytes: Buffer, from: number, to: number): void {
    if (this.used + to - from > CHUNK_BYTES) this.flush();
    if (to - from > CHUNK_BYTES) this.chunks.push(Buffer.from(bytes.subarray(from, to)));
    else this.used += bytes.copy(this.last, this.used, from, to);
    this.waiting += to - from;
    this.rouse();
  }

  private flush(): void {
    if (this.used > 0) this.chunks.push(Buffer.from(this.last.subarray(0, this.used)));
    this.used = 0;
  }

  end(): void {
    this.isEnded = true;
    this.rouse();
  }

  private rouse(): void {
    const { wake } = this;
    this.wake = undefined;
    // Not immediately, because more may come.
    if (wake !== undefined) setImmediate(wake);
  }

  /** The next bytes; `undefined` at the end. */
  async take(): Promise<Buffer | undefined> {
    while (this.chunks.length === 0 && this.used === 0 && !this.isEnded)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    if (this.chunks.length === 0) this.flush();
    const chunk = this.chunks.shift();
    this.waiting -= chunk?.length ?? 0;
    return chunk;
  }
}

/** Called with each line of the log as soon as QEMU has written it. QEMU is at most two lines ahead. */
export type Watch = (bytes: Buffer, from: number, to: number) => void;

export class LogStream implements AsyncIterable<Buffer> {
  private readonly queue = new Queue();
  private readonly socket: Socket;
  private readonly foreign: ((bytes: Buffer) => void) | undefined;
  /** If set, called with each line before it is passed on. */
  watch: Watch | undefined;
  private reads = 0;
  /** The beginning of a line of the log, perhaps only its date, whose rest has not come yet. */
  private held: Buffer | undefined;
  private readonly ended: Promise<void>;

  /**
   * Reads a pipe, which it owns from then on. `foreign` is called with output that does not belong to the log; each read
   * is then one or several lines. Without it, everything belongs to the log.
   */
  constructor(fd: number, foreign?: (bytes: Buffer) => void) {
    this.foreign = foreign;
    const buffer = Buffer.alloc(PACKET_BYTES);
    this.socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: { buffer, callback: (length: number) => this.packet(buffer, length) },
    } as ConstructorParameters<typeof Socket>[0]);
    this.socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.socket.once('end', resolve);
      this.socket.once('close', () => resolve());
    });
    this.socket.resume();
  }

  /** Inserts a line into the log. */
  insert(line: string): void {
    const bytes = Buffer.from(line, 'latin1');
    this.queue.write(bytes, 0, bytes.length);
  }

  private packet(bytes: Buffer, length: number): boolean {
    this.reads++;
    if (this.foreign === undefined) this.queue.write(bytes, 0, length);
    else this.lines(bytes, length, this.foreign);
    return this.queue.waiting < WAITING_BYTES;
  }

  private lines(read: Buffer, size: number, foreign: (bytes: Buffer) => void): void {
    const { held } = this;
    this.held = undefined;
    let bytes = read;
    let length = size;
    // After two dates in a row, the first one belongs to a message into which another thread has written.
    if (held !== undefined && isDate(held, 0, held.length) && isDate(read, 0, size)) foreign(held);
    else if (held !== undefined) {
      bytes = Buffer.concat([held, read.subarray(0, size)]);
      length = bytes.length;
    }
    for (let from = 0; from < length; ) {
      const newline = bytes.indexOf(NEWLINE, from);
      const isWhole = newline >= 0 && newline < length;
      const end = isWhole ? newline + 1 : length;
      const isOurs = isOfLog(bytes, from, end);
      if (!isWhole && (isOurs || isDate(bytes, from, end)))
        this.held = Buffer.from(bytes.subarray(from, end));
      else if (isOurs) this.line(bytes, from, end);
      else foreign(Buffer.from(bytes.subarray(from, end)));
      from = end;
    }
  }

  private line(bytes: Buffer, from: number, end: number): void {
    this.watch?.(bytes, from, bytes[end - 1] === NEWLINE ? end - 1 : end);
    this.queue.write(bytes, from, end);
  }

  /** Called when nothing more is written. Resolves when everything has been read, or if nothing comes although the pipe is open. */
  async finish(quietMs: number): Promise<void> {
    for (let reads = -1; reads !== this.reads || this.queue.waiting >= WAITING_BYTES; ) {
      reads = this.reads;
      const quiet = new Promise<void>((resolve) => {
        setTimeout(resolve, quietMs).unref();
      });
      if (await Promise.race([this.ended.then(() => true), quiet.then(() => false)])) break;
    }
  }

  /** Ends the stream: the reader gets what has come, and then the end. */
  end(): void {
    const { held } = this;
    this.held = undefined;
    if (held !== undefined && isOfLog(held, 0, held.length)) this.line(held, 0, held.length);
    else if (held !== undefined) this.foreign?.(held);
    this.socket.destroy();
    this.queue.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = await this.queue.take();
      if (chunk === undefined) return;
      // Messages that QEMU sent elsewhere before it wrote these lines are handled first.
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      yield chunk;
      if (this.queue.waiting < WAITING_BYTES / 2) this.socket.resume();
    }
  }
}
