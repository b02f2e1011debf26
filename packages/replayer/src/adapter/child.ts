// A child process that exchanges frames: starts it through the shell, watches it and ends it. Its standard error goes to the
// user. It does not know what the messages mean.
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { GicTraceError } from '@gictrace/core';
import { FrameSplitter, WireError } from './wire.ts';

/** How long data may still come from a pipe after its process has ended, if other processes keep the pipe open. */
const DRAIN_MS = 1000;

export interface ChildEvents {
  /** Called with a message: bytes from `from` up to `to`, valid during the call. May throw a WireError. */
  message(bytes: Buffer, from: number, to: number): void;
  /** Called once if the process failed, or ended without being asked to. Nothing follows. */
  failed(error: GicTraceError): void;
}

const running = new Set<Child>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The process groups of children do not get the terminal's signals, so they are killed when this process ends. */
function onExit(): void {
  for (const child of running) child.kill();
}
function onSignal(signal: NodeJS.Signals): void {
  onExit();
  for (const name of SIGNALS) process.removeListener(name, onSignal);
  process.kill(process.pid, signal);
}

export class Child {
  private readonly process: ChildProcess;
  private readonly events: ChildEvents;
  private readonly splitter: FrameSplitter;
  private status: string | undefined;
  private over = false;
  private asked = false;
  private exited: Promise<number | null>;

  constructor(command: string, events: ChildEvents) {
    this.events = events;
    this.splitter = new FrameSplitter((bytes, from, to) => {
      if (!this.over) events.message(bytes, from, to);
    });
    this.process = spawn(command, {
      shell: true,
      // It gets its own process group, so that everything that the shell starts can be killed with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (running.size === 0) {
      process.on('exit', onExit);
      for (const name of SIGNALS) process.on(name, onSignal);
    }
    running.add(this);
    const child = this.process;
    child.on('error', (error) => this.fail(`cannot be started: ${error.message}`));
    // A broken pipe is ignored here, because the exit event reports that the process has ended.
    child.stdin!.on('error', () => undefined);
    child.stdout!.on('data', (chunk: Buffer) => this.read(chunk));
    this.exited = new Promise((resolve) => {
      child.on('exit', (code, signal) => {
        this.status = howItEnded(code, signal);
        this.forget();
        resolve(code);
        setTimeout(() => this.ended(), DRAIN_MS).unref();
      });
    });
    child.on('close', () => this.ended());
  }

  /** Sends bytes. */
  send(bytes: Buffer): void {
    if (!this.over && this.process.stdin!.writable) this.process.stdin!.write(bytes);
  }

  /** Ends its input; the process is expected to end. */
  end(): void {
    this.asked = true;
    this.process.stdin!.end();
  }

  /** From now on, it is not a failure if the process ends. */
  expectEnd(): void {
    this.asked = true;
  }

  /** Its exit code once it has ended; null if a signal ended it; undefined if it has not ended within the time. */
  async exit(withinMs: number): Promise<number | null | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), withinMs);
    });
    const code = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    return code;
  }

  /** Kills the process and everything that it started. */
  kill(): void {
    this.over = true;
    const { pid } = this.process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    this.forget();
    this.process.stdin!.destroy();
    this.process.stdout!.destroy();
  }

  /** Kills the process because of an error of its own. */
  fail(what: string, hint?: string): void {
    if (this.over) return;
    this.kill();
    this.events.failed(new GicTraceError('backend', what, {}, hint));
  }

  private read(chunk: Buffer): void {
    if (this.over) return;
    try {
      this.splitter.take(chunk);
    } catch (error) {
      if (error instanceof WireError)
        this.fail(
          `sent what is no message: ${error.message}`,
          'an adapter writes nothing but messages to its standard output',
        );
      else if (error instanceof GicTraceError) this.fail(error.message, error.hint);
      else {
        this.kill();
        throw error;
      }
    }
  }

  private ended(): void {
    if (this.over) return;
    const cut = this.splitter.rest > 0 ? `, ${this.splitter.rest} bytes into a message` : '';
    if (this.asked && cut === '') this.over = true;
    else this.fail(`${this.status ?? 'closed its standard output'}${cut}`);
  }

  private forget(): void {
    if (!running.delete(this) || running.size > 0) return;
    process.removeListener('exit', onExit);
    for (const name of SIGNALS) process.removeListener(name, onSignal);
  }
}

/** How the process ended. The shell reports a signal by an exit code above 128. */
function howItEnded(code: number | null, signal: string | null): string {
  if (code === null) return `was killed by ${signal}`;
  if (code === 127) return 'ended with exit code 127: the shell does not find the command';
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return name === undefined ? `ended with exit code ${code}` : `was killed by ${name} (exit code ${code})`;
}
