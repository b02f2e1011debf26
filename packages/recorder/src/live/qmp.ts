// Speaks QEMU's machine protocol (QMP) over a socket: commands with their answers, and events. It does not know what they
// mean.
import { connect, type Socket } from 'node:net';
import { GicTraceError } from '@gictrace/core';

const RETRY_MS = 5;

export interface QmpEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
  /** By the clock of the host, which QEMU's log uses too. */
  readonly timestamp?: { readonly seconds: number; readonly microseconds: number };
}
interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}
interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Qmp {
  /** QEMU's version, such as 7.2.22. */
  readonly version: string;
  private readonly socket: Socket;
  private readonly waiting: Waiter[] = [];
  /** Resolves when QEMU has gone. */
  readonly closed: Promise<void>;
  onEvent: (event: QmpEvent) => void = () => undefined;

  private constructor(socket: Socket, version: string) {
    this.socket = socket;
    this.version = version;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const { reject } of this.waiting.splice(0)) reject(failure('QEMU ended'));
        resolve();
      });
    });
  }

  /**
   * Connects as soon as QEMU listens; `undefined` if QEMU ended before it answered (`isGone` says that it has).
   * @throws GicTraceError `backend` if it does not listen within `timeoutMs`.
   */
  static async connect(path: string, timeoutMs: number, isGone: () => boolean): Promise<Qmp | undefined> {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const socket = await attempt(path);
      if (socket !== undefined) return Qmp.greeted(socket);
      if (isGone()) return undefined;
      if (Date.now() > until) throw failure(`QEMU does not answer within ${timeoutMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  private static greeted(socket: Socket): Promise<Qmp | undefined> {
    return new Promise((resolve, reject) => {
      let qmp: Qmp | undefined;
      let text = '';
      socket.once('close', () => resolve(undefined));
      socket.on('data', (data) => {
        text += data.toString('utf8');
        const lines = text.split('\n');
        text = lines.pop()!;
        for (const line of lines.filter((each) => each.trim() !== '')) {
          const message = JSON.parse(line) as Answer & Partial<QmpEvent> & Greeting;
          if (message.QMP !== undefined) {
            const { major, minor, micro } = message.QMP.version.qemu;
            qmp = new Qmp(socket, `${major}.${minor}.${micro}`);
            const greeted = qmp;
            qmp.execute('qmp_capabilities').then(
              () => resolve(greeted),
              (error) => (greeted.isClosed ? resolve(undefined) : reject(error)),
            );
          } else if (message.event !== undefined) qmp?.onEvent(message as QmpEvent);
          else qmp?.answer(message);
        }
      });
    });
  }

  /** Whether the connection to QEMU has ended. */
  get isClosed(): boolean {
    return this.socket.destroyed;
  }

  private answer({ error, return: value }: Answer): void {
    const waiter = this.waiting.shift();
    if (error !== undefined) waiter?.reject(failure(error.desc));
    else waiter?.resolve(value);
  }

  /** @throws GicTraceError `backend` if QEMU refuses or has gone. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.socket.destroyed) return Promise.reject(failure('QEMU ended'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }) })}\n`);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

interface Greeting {
  readonly QMP?: {
    readonly version: {
      readonly qemu: { readonly major: number; readonly minor: number; readonly micro: number };
    };
  };
}

const failure = (what: string) => new GicTraceError('backend', `QMP: ${what}`);

function attempt(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      // A later error appears as the end of the connection.
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', () => resolve(undefined));
  });
}
