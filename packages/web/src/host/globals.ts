// The global names of Node that gictrace uses. Imported first.

const waiting: (() => void)[] = [];
const channel = new MessageChannel();
channel.port1.onmessage = () => waiting.shift()?.();

/** Runs a function after the events that are waiting. */
function setImmediate(work: () => void): void {
  waiting.push(work);
  channel.port2.postMessage(null);
}

Object.assign(globalThis, {
  setImmediate,
  process: { env: {}, platform: 'browser', stdin: null },
  // SQLite would say that it cannot keep databases in the browser's own file system, which is not wanted.
  sqlite3ApiConfig: { warn: () => undefined },
});
