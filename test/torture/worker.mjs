// Runs command lines in this process, one after the other, and sends what became of each: exit code, what it printed as far
// as it is judged, time and memory. The process that started it judges, and ends it if a line takes too long.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const bundle = fileURLToPath(new URL('../../packages/cli/dist/bundle/main.js', import.meta.url));
const { main } = createRequire(import.meta.url)(bundle);
/** Control characters, except for tabs and ends of lines. */
const CONTROL = /(?![\t\n]|\r\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu;
const KEPT = 4000;

let out = { control: undefined };
let err = '';
process.stdout.setMaxListeners(0);
process.stderr.setMaxListeners(0);
const taken = (rest) => {
  const done = rest.find((one) => typeof one === 'function');
  if (done !== undefined) setImmediate(done);
  return true;
};
process.stdout.write = (chunk, ...rest) => {
  const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
  if (out.control === undefined)
    for (const { index } of text.matchAll(CONTROL)) {
      out.control = JSON.stringify(text.slice(Math.max(0, index - 30), index + 30));
      break;
    }
  return taken(rest);
};
process.stderr.write = (chunk, ...rest) => {
  if (err.length < KEPT) err += String(chunk);
  return taken(rest);
};

/** Makes the peak of the memory that of what follows, where the system can (Linux); otherwise it stays that of all lines. */
function forgetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // The parent replaces this process after some lines.
  }
}
/** Time of all threads of this process, which does not depend on what else the machine does. */
function cpuMs(before) {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
const peakBytes = () => {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
};

process.on('message', async ({ line, input }) => {
  forgetPeak();
  const stdin = Readable.from(input === undefined ? [] : [input]);
  Object.defineProperty(process, 'stdin', { configurable: true, get: () => stdin });
  out = { control: undefined };
  err = '';
  const before = process.cpuUsage();
  let code;
  let thrown;
  try {
    code = await main(line);
  } catch (error) {
    thrown = String(error?.stack ?? error);
  }
  process.send({
    code,
    thrown,
    err,
    control: out.control,
    ms: cpuMs(before),
    rss: peakBytes(),
  });
});
process.send({ ready: true });
