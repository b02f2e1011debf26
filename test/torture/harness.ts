// Runs command lines in a process of its own and judges them by the promise of docs/robustness.md: an exit code that is
// never 0 or 1 for a fault, one line on standard error, time, memory, and nothing left behind.
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
const MB = 2 ** 20;
/** Time on a machine that does nothing else: what a line may take, and more for each MB of its input. */
const SECONDS = 2;
const SECONDS_PER_MB = 10;
const MEMORY_BYTES = 512 * MB;
/** A process that has run this many lines is replaced, so that memory is not that of lines before. */
const LINES_MAX = 400;

export interface Outcome {
  readonly code: number | undefined;
  readonly err: string;
  /** What is wrong with it; undefined if nothing is. */
  readonly fault: string | undefined;
  readonly ms: number;
}

interface Report {
  readonly code: number | undefined;
  readonly thrown: string | undefined;
  readonly err: string;
  readonly control: string | undefined;
  readonly ms: number;
  readonly rss: number;
}

export class Harness {
  private worker: ChildProcess | undefined;
  private lines = 0;
  private readonly folder: string;
  /** How much slower this machine is than one that does nothing else. */
  private readonly slack: number;

  constructor(folder: string, slack = 1) {
    this.folder = folder;
    this.slack = slack;
  }

  /** Runs a command line. `bytes` is the size of its input. */
  async run(line: readonly string[], bytes: number): Promise<Outcome> {
    const seconds = this.slack * (SECONDS + (SECONDS_PER_MB * bytes) / MB);
    const report = await this.ask(line, 1000 * 3 * seconds);
    if (report === 'hangs' || report === 'dies') {
      this.stop();
      this.sweep();
      const what = report === 'hangs' ? `not done in ${3 * seconds} s` : 'the process died';
      return { code: undefined, err: '', fault: what, ms: 0 };
    }
    const { code, err, ms } = report;
    const fault = this.judge(report, seconds);
    if (++this.lines >= LINES_MAX || report.rss > MEMORY_BYTES) this.stop();
    return { code, err, fault, ms };
  }

  stop(): void {
    this.worker?.kill('SIGKILL');
    this.worker = undefined;
    this.lines = 0;
  }

  private judge({ code, thrown, err, control, ms, rss }: Report, seconds: number): string | undefined {
    const left = this.sweep();
    if (thrown !== undefined) return `throws ${thrown}`;
    if (code === undefined || code > 4 || code === 3) return `exit code ${code}: ${err}`;
    if (code > 1 && !/^gictrace: \P{Cc}+\n$/u.test(err)) return `exit code ${code} without one line: ${err}`;
    if (/\n\s+at /.test(err)) return `a stack: ${err}`;
    if (control !== undefined) return `prints control characters: ${control}`;
    if (ms > 1000 * seconds) return `takes ${(ms / 1000).toFixed(1)} s`;
    if (rss > MEMORY_BYTES) return `takes ${Math.round(rss / MB)} MB`;
    if (left.length > 0) return `leaves ${left.join(', ')}`;
    return undefined;
  }

  /** Removes temporary files, and returns their names. */
  private sweep(): string[] {
    const names = readdirSync(this.folder).filter((name) => name.includes('.partial'));
    for (const name of names) rmSync(join(this.folder, name), { recursive: true, force: true });
    return names;
  }

  private async ask(line: readonly string[], ms: number): Promise<Report | 'hangs' | 'dies'> {
    const worker = this.worker ?? (await this.start());
    return await new Promise((resolve) => {
      const end = (answer: Report | 'hangs' | 'dies') => {
        clearTimeout(timer);
        worker.off('message', heard);
        worker.off('exit', died);
        resolve(answer);
      };
      const heard = (report: unknown) => end(report as Report);
      const died = () => {
        this.worker = undefined;
        end('dies');
      };
      const timer = setTimeout(() => end('hangs'), ms);
      worker.once('message', heard);
      worker.once('exit', died);
      worker.send({ line });
    });
  }

  private async start(): Promise<ChildProcess> {
    const worker = fork(WORKER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    this.worker = worker;
    this.lines = 0;
    return worker;
  }
}
