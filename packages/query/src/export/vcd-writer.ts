// The syntax of a value change dump. Knows signals, not interrupts. Writes a value only where it differs from the last.
import type { OutputFile } from '@gictrace/recorder/output';

/** Identifier codes are made of these many characters, from `!` on. */
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

  /** A word for people. The text cannot end the comment. */
  comment(text: string): void {
    this.out.line(`$comment ${text.replace(/\$end/g, '$ end').replace(/[\r\n]+/g, ' ')} $end`);
  }

  scope(name: string, fill: () => void): void {
    this.out.line(`$scope module ${name} $end`);
    fill();
    this.out.line('$upscope $end');
  }

  /** A signal of so many bits; answers its number. */
  declare(name: string, width: number): number {
    const signal = this.codes.length;
    const code = codeOf(signal);
    this.codes.push(code);
    this.widths.push(width);
    this.values.push(NO_VALUE);
    this.out.line(`$var wire ${width} ${code} ${name}${width > 1 ? ` [${width - 1}:0]` : ''} $end`);
    return signal;
  }

  /** All signals are declared, and none is known. */
  begin(): void {
    for (const line of ['$enddefinitions $end', '#0', '$dumpvars']) this.out.line(line);
    for (let signal = 0; signal < this.signals; signal++) this.value(signal);
    this.out.line('$end');
    this.written = 0;
  }

  /** What follows happens then; never before what was there. */
  at(time: number): void {
    this.time = time;
  }

  /** A whole number from 0 to 2^53 - 1. */
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

  /** The signal has no value. */
  none(signal: number): void {
    this.change(signal, HIGH_IMPEDANCE);
  }

  /** It has one that the source does not tell. */
  unknown(signal: number): void {
    this.change(signal, NO_VALUE);
  }

  /** The end of the trace, so that viewers show the last values to there. */
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
