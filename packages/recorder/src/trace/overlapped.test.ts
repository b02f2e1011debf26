// A writer that compresses in the thread pool: the bytes of one that does not, whatever it is asked and whenever it is
// waited for; and an error of the system reaches whoever writes.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configOf, PLAIN } from '@gictrace/core/profile';
import { RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type OutputFiles, replaceOutputFiles } from '../output/files.ts';
import type { TraceHeader } from './header.ts';
import { TraceReader } from './reader.ts';
import { TraceWriter } from './writer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gictrace-overlapped-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const HEADER: TraceHeader = {
  writer: { name: 'test', version: '1' },
  config: configOf('architecture', PLAIN, 2),
  clock: { name: 'none', unitNs: 1 },
  source: { kind: 'test', name: 'test', provenance: {} },
  losses: [],
  seed: null,
  options: {},
};

/** Records that differ, from a number. */
function records(count: number, seed: number): RecordBatch {
  const batch = new RecordBatch(count);
  let x = seed | 1;
  for (let n = 0; n < count; n++) {
    const i = batch.push(RECORDS['mmio.read'].id, n & 1, n * 1000);
    x = Math.imul(x, 1_664_525) + 1_013_904_223;
    batch.words[i * RECORD_WORDS + 2] = (x >>> 16) & 0xfffc;
    batch.words[i * RECORD_WORDS + 3] = 4;
    batch.words[i * RECORD_WORDS + 4] = x >>> 0;
  }
  return batch;
}

type Step = { readonly do: 'records' | 'snapshot' | 'settle' | 'turn'; readonly n: number };
const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('records', 'records', 'snapshot', 'settle', 'turn'),
  n: fc.integer({ min: 1, max: 400 }),
});

/** Does the steps; a writer that is not overlapped has nothing to wait for. */
async function written(name: string, steps: readonly Step[], isOverlapped: boolean, end: 'close' | 'leave') {
  const path = join(folder, name);
  const writer = new TraceWriter(path, HEADER, { chunkRecords: 64, isOverlapped });
  for (const { do: what, n } of steps)
    if (what === 'records') writer.append(records(n, n));
    else if (what === 'snapshot')
      writer.snapshot(
        Uint8Array.from({ length: n }, (_, k) => k * n),
        `${n}`,
      );
    else if (what === 'settle') await writer.settled();
    else await new Promise((resolve) => setImmediate(resolve));
  let left: string | undefined = path;
  if (end === 'leave') left = writer.leave();
  else writer.close();
  // Whatever is still being compressed has nothing to write any more.
  await new Promise((resolve) => setTimeout(resolve, 2));
  return left === undefined ? undefined : readFileSync(left);
}

it('gives the same bytes, finished or left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.constantFrom('close' as const, 'leave' as const),
      async (steps, end) => {
        for (const name of readdirSync(folder)) rmSync(join(folder, name));
        const direct = await written('direct', steps, false, end);
        expect(await written('overlapped', steps, true, end)).toEqual(direct);
      },
    ),
    { numRuns: 60 },
  );
});

it('more than it keeps in memory is written all the same', async () => {
  const big: Step[] = Array.from({ length: 12 }, (_, n) => ({ do: 'snapshot', n: n + 1 }));
  const write = (name: string, isOverlapped: boolean) => {
    const writer = new TraceWriter(join(folder, name), HEADER, { isOverlapped });
    // Three megabytes each, and no pause between them.
    for (const { n } of big) writer.snapshot(new Uint8Array(3 << 20).fill(n), `${n}`);
    writer.append(records(10_000, 3));
    writer.close();
    return readFileSync(join(folder, name));
  };
  expect(write('overlapped', true).equals(write('direct', false))).toBe(true);
  expect(TraceReader.open(join(folder, 'overlapped')).footer!.records).toBe(10_000);
});

it('an error of the disk reaches the writer, once it writes or waits again, and nothing is left', async () => {
  let room = 20_000;
  const restore = replaceOutputFiles(
    (node): OutputFiles => ({
      ...node,
      write: (fd, bytes, at) => {
        room -= bytes.length;
        if (room < 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
        return node.write(fd, bytes, at);
      },
    }),
  );
  try {
    const path = join(folder, 'full');
    const writer = new TraceWriter(path, HEADER, { chunkRecords: 1024, isOverlapped: true });
    const writing = async () => {
      for (let n = 0; n < 100; n++) {
        writer.append(records(1024, n));
        await writer.settled();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await expect(writing()).rejects.toMatchObject({ code: 'backend' });
    expect(() => writer.close()).toThrow('no space is left');
    writer.abort();
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    restore();
  }
});
