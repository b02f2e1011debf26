// A text source line by line, without a string for each. Knows nothing of what the lines mean.
import { GicTraceError } from '@gictrace/core';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** No line of a text log is longer. */
const LINE_BYTES_MAX = 1 << 20;

/**
 * Visits each line, without its end: bytes `from` to before `to`, valid during the call. Memory holds a chunk and a line.
 * @throws GicTraceError `input` for a line of over 1 MB; `mend` says what to give instead.
 */
export async function eachLine(
  input: AsyncIterable<Buffer>,
  visit: (bytes: Buffer, from: number, to: number) => void,
  mend = 'give a log of qemu -trace',
): Promise<void> {
  let rest: Buffer | undefined;
  for await (const chunk of input) {
    let bytes: Buffer = chunk;
    if (rest !== undefined && rest.length > 0) bytes = Buffer.concat([rest, chunk]);
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, from);
      if (end < 0) break;
      visit(bytes, from, end > from && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > LINE_BYTES_MAX)
      throw new GicTraceError('input', 'is not a text log: it has a line of over 1 MB', {}, mend);
  }
  if (rest !== undefined && rest.length > 0)
    visit(rest, 0, rest[rest.length - 1] === CARRIAGE_RETURN ? rest.length - 1 : rest.length);
}
