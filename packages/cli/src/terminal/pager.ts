// A pager between the command and the terminal, as git and man have one. It starts when something is printed. That a reader
// leaves it early does not change the exit code of the command.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { GicTraceError } from '@gictrace/core';

/** It ends by itself if the text fits, shows colours, and leaves the text on the screen. */
const DEFAULT = 'less -FRX';
/** As `DEFAULT`, for a $PAGER that is less, if the user has no options. */
const LESS = 'FRX';
/** More waits until the reader has read on. */
const WAITING_BYTES = 1 << 20;
const SHELL = '/bin/sh';
/** What a shell ends with if it cannot run a command. */
const NOT_RUN = [126, 127];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** The command of the pager; undefined if there is to be none, or if it cannot be run. */
export function pagerCommand(env: Environment): string | undefined {
  const command = (env.PAGER ?? DEFAULT).trim();
  if (command === '' || command === 'cat') return undefined;
  if (!isProgram(SHELL, '')) return undefined;
  const program = command.split(/\s+/).find((word) => !/^\w+=/.test(word)) ?? '';
  return isProgram(program, env.PATH ?? '') ? command : undefined;
}

function isProgram(name: string, path: string): boolean {
  const places = name.includes('/') ? [name] : path.split(delimiter).map((folder) => join(folder, name));
  return places.some((place) => {
    try {
      accessSync(place, constants.X_OK);
      return statSync(place).isFile();
    } catch {
      return false;
    }
  });
}

export class Pager {
  /** Whether the reader has left it, so that a command that only prints can stop. */
  isClosed = false;
  private readonly process: ChildProcess;
  private readonly left: Promise<void>;
  private failure: string | undefined;
  private isWhole = false;
  private signal: NodeJS.Signals | undefined;
  private readonly heard = (signal: NodeJS.Signals) => this.hear(signal);

  constructor(command: string) {
    // Ctrl-C at the terminal goes to both: the pager takes it as a key.
    for (const signal of SIGNALS) process.on(signal, this.heard);
    this.process = spawn(SHELL, ['-c', command], {
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { LESS, ...process.env },
    });
    this.process.stdin!.on('error', () => {
      this.isClosed = true;
    });
    this.left = new Promise((resolve) => {
      const leave = (failure?: string) => {
        this.failure ??= failure;
        this.isClosed = true;
        resolve();
      };
      this.process.once('error', ({ message }) => leave(message));
      this.process.once('exit', (code) =>
        leave(NOT_RUN.includes(code ?? 0) ? `its exit code is ${code}` : undefined),
      );
    });
  }

  write(text: string): void {
    if (!this.isClosed) this.process.stdin!.write(text);
  }

  /** Waits until there is room for more, since a reader takes longer than a trace. */
  async room(): Promise<void> {
    const { stdin } = this.process;
    if (this.isClosed || stdin!.writableLength < WAITING_BYTES) return;
    await Promise.race([new Promise((resolve) => stdin!.once('drain', resolve)), this.left]);
  }

  /**
   * Waits until the reader has left it. If a signal came before all was printed, the process ends by that signal.
   * @throws GicTraceError `backend` if it could not be run: what was printed is lost.
   */
  async end(): Promise<void> {
    this.isWhole = true;
    this.process.stdin!.end();
    await this.left;
    for (const signal of SIGNALS) process.off(signal, this.heard);
    if (this.signal !== undefined) {
      process.kill(process.pid, this.signal);
      await new Promise(() => undefined);
    }
    if (this.failure !== undefined)
      throw new GicTraceError(
        'backend',
        `the pager cannot be run: ${this.failure}`,
        {},
        'PAGER, or --no-pager',
      );
  }

  private hear(signal: NodeJS.Signals): void {
    if (signal !== 'SIGINT') this.process.kill(signal);
    else if (this.isWhole) return;
    this.signal = signal;
    this.isClosed = true;
    this.process.stdin!.end();
  }
}
