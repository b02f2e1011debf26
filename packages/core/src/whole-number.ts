// A number as people type it.
import { GicTraceError } from './errors.ts';

/** Parses an option's integer within a range, decimal or hexadecimal (0x2001). The error that it throws names the option. */
export function wholeNumber(name: string, low: number, high: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!/^(\d+|0x[\da-f]+)$/i.test(text) || n < low || n > high)
      throw new GicTraceError('usage', `${name} takes a whole number from ${low} to ${high}, not '${text}'`);
    return n;
  };
}
