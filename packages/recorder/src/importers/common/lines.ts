// Reads a text source line by line without making a string of each line. Does not know what the lines mean.
import { GicTraceError } from '@gictrace/core';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** The longest line of a text log. */
const LINE_BYTES_MAX = 1 << 20;

/**
 * Visits each line, without its line ending: bytes `from` to before `to`, which are valid during the call. Memory holds
 * one chunk and one line.
 * @throws GicTraceError `input` for a line of over 1 MB; `hint` is that of the error: what to give instead.
 */
export async function eachLine(
  input: AsyncIterable<Buffer>,
  visit: Visit,
  hint = 'give a log of qemu -trace',
): Promise<void> {
  // The beginning of a line whose end is in a later chunk.
  let begun: Buffer | undefined;
  for await (const chunk of input) {
    let from = 0;
    if (begun !== undefined) {
      // Only that line is copied. The others are visited where they are.
      from = chunk.indexOf(NEWLINE) + 1;
      begun = Buffer.concat([begun, from === 0 ? chunk : chunk.subarray(0, from)]);
      if (from > 0) {
        visitLine(begun, 0, begun.length - 1, visit);
        begun = undefined;
      }
    }
    if (begun === undefined) {
      for (let end = chunk.indexOf(NEWLINE, from); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        visitLine(chunk, from, end, visit);
        from = end + 1;
      }
      if (from < chunk.length) begun = chunk.subarray(from);
    }
    if (begun !== undefined && begun.length > LINE_BYTES_MAX)
      throw new GicTraceError('input', 'is not a text log: it has a line of over 1 MB', {}, hint);
  }
  if (begun !== undefined) visitLine(begun, 0, begun.length, visit);
}

type Visit = (bytes: Buffer, from: number, to: number) => void;

/** Visits a line, without a carriage return at its end. */
function visitLine(bytes: Buffer, from: number, to: number, visit: Visit): void {
  visit(bytes, from, to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to);
}
