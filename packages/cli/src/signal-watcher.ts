// A process that outlives the command, for versions of Node in which no thread can hear signals (interrupt.ts). It reads which
// outputs the command has open until the pipe ends, as it does when the command ends, and removes those that are left.
import { lstatSync, readFileSync, rmSync, type Stats, writeSync } from 'node:fs';

/** A line that the command writes, in JSON. Names are the printable ones of outputs. */
export type ToWatcher =
  /** It is about to make a temporary file, unless there is one. The time is that of `Date.now()`. */
  | { readonly opening: string; readonly sinceMs: number; readonly name: string }
  /** It has made it. */
  | { readonly opened: string; readonly inode: number; readonly name: string }
  /** It has it no more, or could not make it. */
  | { readonly closed: string };

/** The time of a new file may be this much before that of the clock. */
const CLOCK_MS = 20;

const open = new Map<string, { readonly name: string; readonly isOwn: (found: Stats) => boolean }>();
for (const line of readFileSync(0, 'utf8').split('\n')) {
  if (line === '') continue;
  const message = JSON.parse(line) as ToWatcher;
  if ('opening' in message) {
    const { opening, sinceMs, name } = message;
    open.set(opening, {
      name,
      isOwn: ({ size, birthtimeMs }) => size === 0 && birthtimeMs >= sinceMs - CLOCK_MS,
    });
  } else if ('opened' in message) {
    const { opened, inode, name } = message;
    open.set(opened, { name, isOwn: ({ ino }) => ino === inode });
  } else open.delete(message.closed);
}
const names: string[] = [];
for (const [path, { name, isOwn }] of open) {
  const found = lstatSync(path, { throwIfNoEntry: false });
  // Another process may have made a file of this name.
  if (found === undefined || !isOwn(found)) continue;
  rmSync(path, { force: true });
  names.push(name);
}
if (names.length > 0)
  try {
    writeSync(2, `gictrace: ended by a signal: ${names.join(', ')} not written\n`);
  } catch {
    // Nobody reads standard error.
  }
