// A child process that speaks frames: started through the shell, watched, ended. Standard error is the user's. Knows
// nothing of what the messages mean.
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { GicTraceError } from '@gictrace/core';
import { FrameSplitter, WireError } from './wire.ts';

/** How long an ended process may go on to fill a pipe that others hold open too. */
const DRAIN_MS = 1000;

export interface ChildEvents {
  /** A message: bytes `from` to before `to`, valid during the call. May throw a WireError. */
  message(bytes: Buffer, from: number, to: number): void;
  /** The process failed, or ended although nobody asked it to. Called once; nothing follows. */
  failed(error: GicTraceError): void;
}

const running = new Set<Child>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The process groups of children do not get the terminal's signals: they end with us. */
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
      // A group of its own, so that whatever the shell starts ends with it.
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
    // A broken pipe: that the process has ended is told by its exit.
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

  /** No more input for it; it is expected to end. */
  end(): void {
    this.asked = true;
    this.process.stdin!.end();
  }

  /** Expected to end from now on: that is no failure. */
  expectEnd(): void {
    this.asked = true;
  }

  /** Its exit code once it has ended, null if a signal ended it, undefined if it has not within the time. */
  async exit(withinMs: number): Promise<number | null | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), withinMs);
    });
    const code = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    return code;
  }

  /** Ends the process and all that it started, at once. */
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

  /** Ends it because of a fault of its own. */
  fail(what: string, mend?: string): void {
    if (this.over) return;
    this.kill();
    this.events.failed(new GicTraceError('backend', what, {}, mend));
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

/** The shell tells of a signal by an exit code above 128. */
function howItEnded(code: number | null, signal: string | null): string {
  if (code === null) return `was killed by ${signal}`;
  if (code === 127) return 'ended with exit code 127: the shell does not find the command';
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return name === undefined ? `ended with exit code ${code}` : `was killed by ${name} (exit code ${code})`;
}
