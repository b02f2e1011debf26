// The thread that works on one file. It answers one question after another.
import '../host/globals.ts';
import { FILES } from 'gictrace:files';
import { GicTraceError } from '@gictrace/core';
import { put } from '../host/fs.ts';
import { readyBrotli } from '../host/zlib.ts';
import { readySqlite } from '../sqlite/database.ts';
import type { Failure, FromWorker, Name, ToWorker } from './protocol.ts';
import { Session } from './session.ts';

for (const [path, text] of Object.entries(FILES)) put(path, text);

/** The least time between two messages about progress, in milliseconds. */
const PROGRESS_MS = 50;

let current = 0;
let told = 0;
const say = (message: FromWorker) => postMessage(message);
const session = new Session((done, unit) => {
  const now = performance.now();
  if (now - told < PROGRESS_MS) return;
  told = now;
  say({ id: current, progress: { done, unit } });
});

function failureOf(error: unknown): Failure {
  if (error instanceof GicTraceError) return { text: error.line, hint: error.hint ?? null, isBug: false };
  return { text: (error as Error).stack ?? String(error), hint: null, isBug: true };
}

let queue = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  queue = queue.then(async () => {
    if ('modules' in data) {
      // If one of them fails, whatever needs it says so.
      await Promise.resolve()
        .then(() => readyBrotli(data.modules.brotli))
        .then(() => readySqlite(data.modules.sqlite))
        .catch((error: unknown) => console.error(error));
      return;
    }
    const { id, name, input } = data;
    current = id;
    try {
      const work = session as unknown as Record<Name, (input: unknown) => unknown>;
      say({ id, output: await work[name](input) });
    } catch (error) {
      say({ id, failure: failureOf(error) });
    }
  });
});
