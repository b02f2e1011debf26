// Runs command lines in a process of its own and judges them by the promise of docs/robustness.md: an exit code that is
// never 0 or 1 for a fault, one line on standard error, time, memory, and nothing left behind.
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../packages/cli/bin/gictrace.js', import.meta.url));
const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
const MB = 2 ** 20;
/** Time of a processor: what a line may take, and more for each MB of its input. */
const SECONDS = 2;
const SECONDS_PER_MB = 10;
/** A line that has not taken its time after so many times of it waits for something, or the machine is very busy. */
const PATIENCE = 40;
const MEMORY_BYTES = 512 * MB;
/** A process that has run this many lines is replaced, so that memory is not that of lines before. */
const LINES_MAX = 4000;
/** How much of a message is kept of what is wrong. */
const SHOWN = 400;
/** A message that is longer than a screen helps nobody. */
const MESSAGE_MAX = 4000;

export interface Outcome {
  readonly code: number | undefined;
  readonly err: string;
  /** What is wrong with it; undefined if nothing is. */
  readonly fault: string | undefined;
  /** Time of a processor, of all threads. */
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

/** The time of a processor that a process has used; undefined where the system does not say. */
function usedMs(pid: number | undefined): number | undefined {
  try {
    // The name of the command, in brackets, may have blanks; user and system time are the 14th and 15th field.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return undefined;
  }
}

export class Harness {
  private worker: ChildProcess | undefined;
  private lines = 0;
  private readonly folder: string;
  /** How much slower this machine is than one that nobody else uses. */
  private readonly slack: number;

  constructor(folder: string, slack = 1) {
    this.folder = folder;
    this.slack = slack;
  }

  /** Runs a command line. `bytes` is the size of its input. */
  async run(line: readonly string[], bytes: number, input?: string): Promise<Outcome> {
    const seconds = this.slack * (SECONDS + (SECONDS_PER_MB * bytes) / MB);
    const ask = () => this.ask({ line, input }, 1000 * 3 * seconds);
    let report = await ask();
    if (
      typeof report === 'object' &&
      this.lines > 0 &&
      (report.rss > MEMORY_BYTES || report.ms > 1000 * seconds)
    ) {
      // What earlier lines have left counts too: measured again in a new process.
      this.stop();
      report = await ask();
    }
    if (report === 'hangs' || report === 'dies') {
      this.stop();
      this.sweep();
      const what = report === 'hangs' ? `not done in ${3 * seconds} s of a processor` : 'the process died';
      return { code: undefined, err: '', fault: what, ms: 0 };
    }
    const { code, err, ms } = report;
    const fault = this.judge(report, seconds, line);
    if (++this.lines >= LINES_MAX || report.rss > MEMORY_BYTES) this.stop();
    return { code, err, fault, ms };
  }

  /**
   * Runs a command line as a process of its own, and says how it ends otherwise than it did in the process of many lines.
   * This is what tells of native code, of memory at the start, and of what one line leaves to the next.
   */
  asProcess(line: readonly string[], bytes: number, outcome: Outcome, input?: string): string | undefined {
    // The other process has been held to its time; this one only has to end.
    const seconds = 3 * PATIENCE * this.slack * (SECONDS + (SECONDS_PER_MB * bytes) / MB);
    const { status, signal, stderr } = spawnSync(process.execPath, [BIN, ...line], {
      input: input ?? '',
      encoding: 'utf8',
      timeout: Math.ceil(1000 * seconds),
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const left = this.sweep();
    if (left.length > 0) return `as a process, leaves ${left.join(', ')}`;
    if (status === outcome.code && stderr.slice(0, SHOWN) === outcome.err.slice(0, SHOWN)) return undefined;
    return `as a process ends with ${status ?? signal}, otherwise with ${outcome.code}: ${stderr.slice(0, SHOWN)}`;
  }

  stop(): void {
    this.worker?.kill('SIGKILL');
    this.worker = undefined;
    this.lines = 0;
  }

  private judge(
    { code, thrown, err, control, ms, rss }: Report,
    seconds: number,
    line: readonly string[],
  ): string | undefined {
    // What an adapter re-recorded before it failed stays, and is named.
    const left = this.sweep().filter((name) => !err.includes(name));
    const shown = err.slice(0, SHOWN);
    if (thrown !== undefined) return `throws ${thrown}`;
    // The formats of minimize for QEMU are refused for a GIC that no QEMU has; an adapter may fail.
    const mayFail =
      (line[0] === 'minimize' && /QEMU/.test(err)) || line.some((word) => word.startsWith('exec:'));
    if (code === undefined || code > 4 || (code === 3 && !mayFail)) return `exit code ${code}: ${shown}`;
    // A session goes on after a command that it does not understand, and ends with 2.
    const isSession = line[0] === 'step' || line[0] === 'shell';
    const said = isSession ? err.replace(/^(?!gictrace: ).*\n/gm, '') : err;
    const mayBeMute = isSession && code === 2;
    if (code > 1 && !mayBeMute && !/^gictrace: \P{Cc}+\n$/u.test(said))
      return `exit code ${code} without one line: ${shown}`;
    if (/\n\s+at /.test(err)) return `a stack: ${shown}`;
    if (err.length >= MESSAGE_MAX) return `a message of ${err.length} characters: ${shown}`;
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

  private async ask(
    question: { line: readonly string[]; input: string | undefined },
    ms: number,
  ): Promise<Report | 'hangs' | 'dies'> {
    const worker = this.worker ?? (await this.start());
    return await new Promise((resolve) => {
      const end = (answer: Report | 'hangs' | 'dies') => {
        clearInterval(timer);
        worker.off('message', heard);
        worker.off('exit', died);
        resolve(answer);
      };
      const heard = (report: unknown) => end(report as Report);
      const died = () => {
        this.worker = undefined;
        end('dies');
      };
      const limit = performance.now() + PATIENCE * ms;
      const usedBefore = usedMs(worker.pid) ?? 0;
      const timer = setInterval(() => {
        const used = usedMs(worker.pid);
        const isLate = used === undefined ? true : used - usedBefore > ms;
        if (isLate || performance.now() > limit) end('hangs');
      }, ms);
      worker.once('message', heard);
      worker.once('exit', died);
      worker.send(question);
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
