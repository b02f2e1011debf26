// The log on its way: whole and in order however slow its reader is, with QEMU waiting; and what is not of it goes on.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LogStream } from './log-stream.ts';

const folder = mkdtempSync(join(tmpdir(), 'gictrace-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const BUFFERED = 3_000_000;

/** A stream of what a program writes to its standard error; resolves `ended` when it has ended. */
function streamOf(name: string, program: string, foreign?: (bytes: Buffer) => void) {
  const path = join(folder, name);
  spawnSync('mkfifo', [path]);
  const keeper = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const stream = new LogStream(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), foreign);
  const writer = openSync(path, constants.O_WRONLY);
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', writer] });
  closeSync(writer);
  let written = 0;
  child.stdout!.on('data', (data) => {
    written = Number(String(data).trim().split('\n').at(-1));
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', async () => {
      closeSync(keeper);
      await stream.finish(200);
      stream.end();
      resolve();
    });
  });
  return { stream, ended, written: () => written };
}

it('comes whole and in order to a slow reader, for whom its writer waits', async () => {
  const lines = 120_000;
  const { stream, ended, written } = streamOf(
    'slow',
    `const { writeSync } = require('node:fs');
     let n = 0;
     for (let i = 0; i < ${lines}; i++) {
       const text = 'line ' + String(i).padStart(95, '.') + '\\n';
       for (let at = 0; at < text.length; ) at += writeSync(2, text.slice(at));
       n += text.length;
       if (i % 1000 === 0) writeSync(1, n + '\\n');
     }`,
  );
  for (let i = 0; i < 400 && written() < 1_500_000; i++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(written()).toBeGreaterThan(1_000_000);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(written()).toBeLessThan(BUFFERED);
  let next = 0;
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + chunk.toString('latin1')).split('\n');
    rest = parts.pop()!;
    for (const line of parts) if (Number(line.replace(/^line \.*/, '')) === next) next++;
    if (next < 2000) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await ended;
  expect([next, rest]).toEqual([lines, '']);
});

it('tells lines of the log from others, shows them to who watches, and takes lines in front of them', async () => {
  const foreign: string[] = [];
  const { stream, ended } = streamOf(
    'mixed',
    `const { writeSync } = require('node:fs');
     const wait = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
     for (const text of ['12@5.000001:gicv3_dist_read x\\n', 'warning: ', 'gicv3_dist_read\\n', '12@5.000002:other_event\\n',
       '12@5.000003:memory_region_ops_write y\\n12@5.000004:gicv3_its_read z\\nand more\\n', '12@5.000005:gicv3_cut'])
       { writeSync(2, text); wait(); }`,
    (bytes) => foreign.push(bytes.toString('latin1')),
  );
  const seen: string[] = [];
  stream.watch = (bytes, from, to) => {
    const line = bytes.toString('latin1', from, to);
    seen.push(line);
    if (line.endsWith('y')) stream.insert('inserted\n');
  };
  let log = '';
  for await (const chunk of stream) log += chunk.toString('latin1');
  await ended;
  const ours = ['12@5.000001:gicv3_dist_read x', '12@5.000003:memory_region_ops_write y'];
  const end = ['12@5.000004:gicv3_its_read z', '12@5.000005:gicv3_cut'];
  expect(seen).toEqual([...ours, ...end]);
  expect(log).toBe([ours[0], 'inserted', ours[1], ...end].join('\n'));
  expect(foreign.join('')).toBe('warning: gicv3_dist_read\n12@5.000002:other_event\nand more\n');
});

it('joins a date and its line, and parts of a line, which later QEMUs write one after the other', async () => {
  const foreign: string[] = [];
  // At 0 microseconds, GLib prints none.
  const date = (micros: number) =>
    micros === 2 ? '2026-11-29T09:38:07Z ' : `2026-11-29T09:38:07.${String(micros).padStart(6, '0')}Z `;
  const writes = [
    ...[date(1), 'gicv3_dist_read x\n', date(2), 'memory_region_ops_write y\n'],
    // A message into which another thread's line comes.
    ...[date(3), date(4), 'gicv3_its_read z\n', 'qemu: warning\n'],
    ...[date(5), 'qemu: another\n', `${date(6)}gicv3_its_read w\n`, date(7), 'other_event\n'],
    ...['12@5.000001:gicv3_its_ite_read a', ' b', ' c\n', date(8), 'gicv3_its_cte_read ', 'd\n', date(9)],
  ];
  const { stream, ended } = streamOf(
    'dates',
    `const { writeSync } = require('node:fs');
     const wait = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
     for (const text of ${JSON.stringify(writes)}) { writeSync(2, text); wait(); }`,
    (bytes) => foreign.push(bytes.toString('latin1')),
  );
  const seen: string[] = [];
  stream.watch = (bytes, from, to) => seen.push(bytes.toString('latin1', from, to));
  let log = '';
  for await (const chunk of stream) log += chunk.toString('latin1');
  await ended;
  const ours = [
    `${date(1)}gicv3_dist_read x`,
    `${date(2)}memory_region_ops_write y`,
    `${date(4)}gicv3_its_read z`,
    `${date(6)}gicv3_its_read w`,
    '12@5.000001:gicv3_its_ite_read a b c',
    `${date(8)}gicv3_its_cte_read d`,
  ];
  expect(seen).toEqual(ours);
  expect(log).toBe(`${ours.join('\n')}\n`);
  expect(foreign.join('')).toBe(
    `${date(3)}qemu: warning\n${date(5)}qemu: another\n${date(7)}other_event\n${date(9)}`,
  );
});
