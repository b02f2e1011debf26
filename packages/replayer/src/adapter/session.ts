// Sends single messages, for checks of what an adapter does with bytes that no replay sends.
import { GicTraceError } from '@gictrace/core';
import { Child } from './child.ts';
import { MESSAGES } from './protocol.ts';
import { WireReader, type WireValue, WireWriter } from './wire.ts';

/** How a session ended: the adapter said that it gives up, or its process ended or failed, and how. */
export interface Ended {
  readonly gaveUp: string | undefined;
  readonly how: string;
}

export class Session {
  readonly child: Child;
  private readonly timeoutMs: number;
  private readonly messages: (readonly WireValue[])[] = [];
  private gaveUp: string | undefined;
  private fault: GicTraceError | undefined;
  private wake: (() => void) | undefined;
  private readonly reader = new WireReader();

  constructor(command: string, timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.child = new Child(command, {
      message: (bytes, from, to) => {
        this.reader.reset(bytes, from, to);
        const message = this.reader.value();
        if (!Array.isArray(message) || message.length === 0)
          throw new GicTraceError('backend', 'sent a message that is no array');
        if (message[0] === MESSAGES.failed) this.gaveUp = String(message[1]);
        else this.messages.push(message as readonly WireValue[]);
        this.wake?.();
      },
      failed: (error) => {
        this.fault = error;
        this.wake?.();
      },
    });
  }

  /** Sends a message. */
  send(message: WireValue): void {
    this.child.send(frameOf(message));
  }

  /** The next message. @throws GicTraceError `backend` if the adapter ends instead, or if nothing comes. */
  async next(): Promise<readonly WireValue[]> {
    const until = performance.now() + this.timeoutMs;
    for (;;) {
      const message = this.messages.shift();
      if (message !== undefined) return message;
      if (this.gaveUp !== undefined) throw new GicTraceError('backend', `gives up: ${this.gaveUp}`);
      if (this.fault !== undefined) throw this.fault;
      await this.something(until);
    }
  }

  /** Waits until the adapter has given up or its process has ended. Undefined if it continues or answers. */
  async ended(): Promise<Ended | undefined> {
    const until = performance.now() + this.timeoutMs;
    while (this.fault === undefined) {
      if (this.messages.length > 0) return undefined;
      if (this.gaveUp !== undefined) {
        // An adapter that gives up must also exit.
        const code = await this.child.exit(this.timeoutMs);
        return code === undefined ? undefined : { gaveUp: this.gaveUp, how: `exit code ${code}` };
      }
      if (performance.now() >= until) return undefined;
      await this.something(until).catch(() => undefined);
    }
    return { gaveUp: this.gaveUp, how: this.fault.message };
  }

  close(): void {
    this.child.kill();
  }

  private async something(until: number): Promise<void> {
    const left = until - performance.now();
    if (left <= 0)
      throw new GicTraceError('backend', `hangs: nothing came from it for ${this.timeoutMs / 1000} s`);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
  }
}

/** A message as bytes, with its length in front. */
export function frameOf(message: WireValue): Buffer {
  const out = new WireWriter();
  out.value(message);
  return out.frame();
}
