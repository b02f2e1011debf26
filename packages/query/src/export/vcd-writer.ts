// Writes the syntax of a value change dump. It knows signals, but not interrupts. A value is written only if it changes.
import type { OutputFile } from '@gictrace/recorder/output';

/** Identifier codes consist of this many different characters, from `!` on. */
const CODES = 94;
const NO_VALUE = -1;
const HIGH_IMPEDANCE = -2;

export class VcdWriter {
  private readonly out: OutputFile;
  private readonly codes: string[] = [];
  private readonly widths: number[] = [];
  private readonly values: number[] = [];
  private time = 0;
  private written = -1;
  changes = 0;

  constructor(out: OutputFile) {
    this.out = out;
    this.out.line('$timescale 1 ns $end');
  }

  get signals(): number {
    return this.codes.length;
  }

  /** Writes a comment. The text cannot end the comment. */
  comment(text: string): void {
    this.out.line(`$comment ${text.replace(/\$end/g, '$ end').replace(/[\r\n]+/g, ' ')} $end`);
  }

  scope(name: string, fill: () => void): void {
    this.out.line(`$scope module ${name} $end`);
    fill();
    this.out.line('$upscope $end');
  }

  /** Declares a signal of `width` bits and returns its number. */
  declare(name: string, width: number): number {
    const signal = this.codes.length;
    const code = codeOf(signal);
    this.codes.push(code);
    this.widths.push(width);
    this.values.push(NO_VALUE);
    this.out.line(`$var wire ${width} ${code} ${name}${width > 1 ? ` [${width - 1}:0]` : ''} $end`);
    return signal;
  }

  /** Ends the declarations. The values of all signals are unknown. */
  begin(): void {
    for (const line of ['$enddefinitions $end', '#0', '$dumpvars']) this.out.line(line);
    for (let signal = 0; signal < this.signals; signal++) this.value(signal);
    this.out.line('$end');
    this.written = 0;
  }

  /** Sets the time of what follows. It must not go back. */
  at(time: number): void {
    this.time = time;
  }

  /** Gives the signal a value, an integer from 0 to 2^53 - 1. */
  change(signal: number, value: number): void {
    if (this.values[signal] === value) return;
    this.values[signal] = value;
    if (this.time !== this.written) {
      this.out.line(`#${this.time}`);
      this.written = this.time;
    }
    this.value(signal);
    this.changes++;
  }

  /** Makes the signal z: it has no value. */
  none(signal: number): void {
    this.change(signal, HIGH_IMPEDANCE);
  }

  /** Makes the signal x: the source does not contain its value. */
  unknown(signal: number): void {
    this.change(signal, NO_VALUE);
  }

  /** Marks the end of the trace, so that viewers show the last values up to there. */
  finish(): void {
    if (this.time > this.written) this.out.line(`#${this.time}`);
  }

  private value(signal: number): void {
    const value = this.values[signal]!;
    const text = value === NO_VALUE ? 'x' : value === HIGH_IMPEDANCE ? 'z' : value.toString(2);
    this.out.line(
      this.widths[signal] === 1 ? `${text}${this.codes[signal]}` : `b${text} ${this.codes[signal]}`,
    );
  }
}

function codeOf(signal: number): string {
  const last = String.fromCharCode(33 + (signal % CODES));
  return signal < CODES ? last : codeOf(Math.floor(signal / CODES) - 1) + last;
}
