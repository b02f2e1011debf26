// Which format a log has, by its first lines. Knows the formats by the readers of their lines.
import { GicTraceError } from '@gictrace/core';
import type { KeptSource } from './common/kept-source.ts';
import { parseLine } from './ftrace/lines.ts';
import { isGicv5Line } from './qemu-gicv5/index.ts';
import { newToken, tokenize } from './qemu-trace/tokenize.ts';

/** The formats that can be imported, and how people know them. */
export const LOG_FORMATS = {
  qemu: 'trace events of a QEMU with a GICv3 or GICv4',
  gicv5: 'trace events of a QEMU with a GICv5',
  ftrace: 'text of trace-cmd report, or of tracefs',
  jsonl: 'JSON lines',
} as const;
export type LogFormat = keyof typeof LOG_FORMATS;

/** Lines, and bytes, that are looked at: a guest's console may come first. */
const LINES_MAX = 200_000;
const BYTES_MAX = 1 << 26;
const SHOWN_CHARACTERS = 60;
const NEWLINE = 0x0a;

const token = newToken();

/** The format of one line, or undefined. */
function formatOf(bytes: Buffer, from: number, to: number): LogFormat | undefined {
  tokenize(bytes, from, to, token);
  if (token.kind !== undefined) return 'qemu';
  if (bytes[from] === 0x7b) {
    try {
      const value: unknown = JSON.parse(bytes.toString('utf8', from, to));
      if (typeof value === 'object' && value !== null && ('gictrace' in value || 'kind' in value))
        return 'jsonl';
    } catch {
      return undefined;
    }
    return undefined;
  }
  if (to - from > 1000) return undefined;
  const text = bytes.toString('utf8', from, to);
  if (isGicv5Line(text)) return 'gicv5';
  return text.startsWith('# tracer:') || parseLine(text) !== undefined ? 'ftrace' : undefined;
}

/**
 * The format of a log.
 * @throws GicTraceError `input` if it can not be read, or has no line of any format in its first 200,000.
 */
export async function detectFormat(source: KeptSource): Promise<LogFormat> {
  let rest: Buffer = Buffer.alloc(0);
  let lines = 0;
  let read = 0;
  let first: string | undefined;
  const look = (bytes: Buffer, from: number, to: number): LogFormat | undefined => {
    lines++;
    if (to > from) first ??= bytes.toString('utf8', from, Math.min(to, from + SHOWN_CHARACTERS));
    return formatOf(bytes, from, to);
  };
  scan: for await (const chunk of source.open()) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, from);
      if (end < 0) break;
      const found = look(bytes, from, end > from && bytes[end - 1] === 0x0d ? end - 1 : end);
      if (found !== undefined) return found;
      from = end + 1;
      if (lines >= LINES_MAX) break scan;
    }
    rest = bytes.subarray(from);
    read += chunk.length;
    if (read > BYTES_MAX || rest.length > BYTES_MAX / 8) break;
  }
  if (rest.length > 0 && lines < LINES_MAX) {
    const found = look(rest, 0, rest.length);
    if (found !== undefined) return found;
  }
  const begins = first === undefined ? 'is empty' : `begins with ${JSON.stringify(printable(first))}`;
  throw new GicTraceError(
    'input',
    first === undefined ? begins : `${begins} and has no line of a log that can be imported`,
    { path: source.name },
    `formats: ${Object.entries(LOG_FORMATS)
      .map(([name, what]) => `${name} (${what})`)
      .join(', ')}`,
  );
}

/** Text without control characters. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\ufffd]/g, '.');
}
