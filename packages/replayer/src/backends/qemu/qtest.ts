// The client of QEMU's qtest protocol: sends lines of commands, many at a time, and reads their replies in order. It knows
// nothing of interrupt controllers.
import type { Socket } from 'node:net';
import { GicTraceError } from '@gictrace/core';

const NEWLINE = 0x0a;
/** How long after the end of its connections a process may end. */
const BROKEN_MS = 1000;

/** 64-bit values that `read…` commands returned, first in, first out. */
class Values {
  private low = new Uint32Array(4096);
  private high = new Uint32Array(4096);
  private head = 0;
  private tail = 0;

  push(low: number, high: number): void {
    if (this.tail === this.low.length) this.grow();
    this.low[this.tail] = low;
    this.high[this.tail++] = high;
  }

  /** The low word of the oldest value; its high word is `takenHigh`. */
  take(): number {
    if (this.head === this.tail)
      throw new GicTraceError('backend', 'QEMU answered fewer reads than it was given');
    this.takenHigh = this.high[this.head]!;
    return this.low[this.head++]!;
  }
  takenHigh = 0;

  private grow(): void {
    const keep = this.tail - this.head;
    const size = keep * 2 > this.low.length ? this.low.length * 2 : this.low.length;
    const [low, high] = [new Uint32Array(size), new Uint32Array(size)];
    low.set(this.low.subarray(this.head, this.tail));
    high.set(this.high.subarray(this.head, this.tail));
    [this.low, this.high, this.head, this.tail] = [low, high, 0, keep];
  }
}

interface Waiter {
  readonly replies: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Qtest {
  readonly values = new Values();
  /** The number of commands sent, and of replies received. */
  sent = 0;
  replies = 0;
  private readonly socket: Socket;
  private readonly timeoutMs: number;
  private readonly waiters: Waiter[] = [];
  private rest: Buffer | undefined;
  private failure: Error | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** `timeoutMs` is how long QEMU may send nothing while replies are awaited. */
  constructor(socket: Socket, timeoutMs: number) {
    this.socket = socket;
    this.timeoutMs = timeoutMs;
    socket.on('data', (data: Buffer) => this.take(data));
    // The end of the QEMU process says more, and is known a little later.
    const broke = () =>
      setTimeout(
        () => this.fail(new GicTraceError('backend', 'the connection to QEMU broke')),
        BROKEN_MS,
      ).unref();
    socket.on('error', broke);
    socket.on('close', broke);
  }

  /** Sends `count` commands, one per line. Returns how many have been sent in total. */
  send(lines: string, count: number): number {
    this.sent += count;
    if (this.failure === undefined && count > 0) this.socket.write(lines, 'latin1');
    return this.sent;
  }

  /** Waits for this many replies since the beginning. @throws GicTraceError `backend` on silence, refusal or end. */
  answered(replies: number): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.replies >= replies) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiters.push({ replies, resolve, reject });
      this.timer ??= setTimeout(() => this.silent(), this.timeoutMs);
    });
  }

  /** Sends commands and awaits their replies. */
  do(lines: string, count: number): Promise<void> {
    return this.answered(this.send(lines, count));
  }

  /** Makes a single read, with nothing else in flight, and returns its value. */
  async read(command: string): Promise<bigint> {
    await this.do(`${command}\n`, 1);
    const low = this.values.take();
    return (BigInt(this.values.takenHigh) << 32n) | BigInt(low);
  }

  /** Makes everything that is awaited fail, now and later. The first failure counts. */
  fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    clearTimeout(this.timer);
    for (const waiter of this.waiters.splice(0)) waiter.reject(error);
  }

  private silent(): void {
    this.fail(
      new GicTraceError(
        'backend',
        `QEMU has not answered for ${this.timeoutMs / 1000} s`,
        {},
        'it hangs, or give it more time with --timeout',
      ),
    );
  }

  private take(data: Buffer): void {
    this.timer?.refresh();
    const bytes = this.rest === undefined ? data : Buffer.concat([this.rest, data]);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE, from); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      this.reply(bytes, from, end);
      from = end + 1;
    }
    this.rest = from < bytes.length ? bytes.subarray(from) : undefined;
    while (this.waiters.length > 0 && this.waiters[0]!.replies <= this.replies)
      this.waiters.shift()!.resolve();
    if (this.waiters.length === 0) {
      clearTimeout(this.timer);
      this.timer = undefined;
    }
  }

  /** `OK`, `OK 0x` and 16 digits, or a refusal. */
  private reply(bytes: Buffer, from: number, end: number): void {
    if (bytes[from] === 0x4f && bytes[from + 1] === 0x4b) {
      this.replies++;
      if (end - from === 21) this.values.push(hex8(bytes, from + 13), hex8(bytes, from + 5));
      else if (end - from > 3 && bytes[from + 3] === 0x30) {
        const value = BigInt(bytes.toString('latin1', from + 3, end));
        this.values.push(Number(value & 0xffff_ffffn), Number(value >> 32n));
      }
      return;
    }
    const text = bytes.toString('latin1', from, Math.min(end, from + 100));
    if (text.startsWith('IRQ ')) return;
    this.fail(new GicTraceError('backend', `QEMU refused a command: ${text}`));
  }
}

function hex8(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) {
    const c = bytes[i]!;
    value = (value << 4) | (c < 0x40 ? c - 0x30 : (c | 0x20) - 0x57);
  }
  return value >>> 0;
}
