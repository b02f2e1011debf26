// Progress of commands that take longer than a second. It is not part of context.ts, so that commands without progress
// need not load the library that draws it.
import { SingleBar } from 'cli-progress';

const SHOW_AFTER_MS = 1000;

/** Progress on standard error: nothing in the first second, and nothing at all if standard error is not a terminal. */
export class Progress {
  private readonly unit: string;
  private readonly total: number;
  private readonly began = performance.now();
  private bar: SingleBar | undefined;

  constructor(unit: string, total = 0) {
    this.unit = unit;
    this.total = total;
  }

  update(done: number): void {
    if (!process.stderr.isTTY || performance.now() - this.began < SHOW_AFTER_MS) return;
    if (this.bar === undefined) {
      const format = this.total > 0 ? `{bar} {percentage}% {value} ${this.unit}` : `{value} ${this.unit}`;
      this.bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true });
      this.bar.start(this.total, done);
    }
    this.bar.update(done);
  }

  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}
