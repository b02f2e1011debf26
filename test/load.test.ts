// gictrace load with one thread and with two: the same bytes; and what a fault or a signal in the middle leaves.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TraceReader } from '@gictrace/recorder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imported, recording, scratch } from './support.ts';

const BIN = fileURLToPath(new URL('../packages/cli/bin/gictrace.js', import.meta.url));
const temp = scratch();
afterAll(() => temp.dispose());
const TRACES = ['linux-gicv3-mrops', 'its-trigger', 'linux-gicv3-spi-head'];
const [large, small, other] = TRACES.map((name) => temp.path(`${name}.gictrace`)) as [string, string, string];
beforeAll(async () => {
  for (const name of TRACES) await imported(recording(`${name}.log.gz`), temp.path(`${name}.gictrace`));
});

const load = (args: readonly string[]) =>
  spawnSync(process.execPath, [BIN, 'load', ...args], { encoding: 'utf8' });
/** What stands in the folder beside the traces. */
const beside = () => readdirSync(temp.path('.')).filter((name) => !name.endsWith('.gictrace'));

describe.each([[[large]], [[small]], [[small, large, other]]] as const)('%#: traces', (traces) => {
  it('make the same database with one thread and with two', () => {
    const [one, two] = ['1', '2'].map((threads) => {
      const path = temp.path(`${traces.map((path) => basename(path)).join('+')}-${threads}.db`);
      const { status, stdout, stderr } = load([...traces, '-o', path, '--threads', threads, '--json']);
      expect(stderr).toBe('');
      expect(status).toBe(0);
      const { db, ...summary } = JSON.parse(stdout) as { db: string; traces: number };
      expect(summary.traces).toBe(traces.length);
      return { bytes: readFileSync(path), summary };
    });
    expect(two!.summary).toEqual(one!.summary);
    expect(two!.bytes.equals(one!.bytes)).toBe(true);
  });
});

describe('with two threads', () => {
  it('a database that cannot grow is a failure of the system, and nothing is left', () => {
    const before = beside();
    // In blocks of 512 bytes; Node ignores the signal that comes with it.
    const command = `ulimit -f 2000; exec "$NODE" "$BIN" load "$TRACE" --threads 2 -o "$DB"`;
    const { status, stderr } = spawnSync('sh', ['-c', command], {
      encoding: 'utf8',
      env: { ...process.env, NODE: process.execPath, BIN, TRACE: large, DB: temp.path('full.db') },
    });
    expect(stderr).toMatch(/full\.db: cannot be written: /);
    expect(status).toBe(3);
    expect(beside()).toEqual(before);
  });

  it('a trace that is damaged in the middle is a bad trace, and nothing is left', () => {
    const before = beside();
    const bytes = readFileSync(large);
    const reader = TraceReader.open(large);
    const chunks = reader.footer!.chunks;
    const [at] = chunks[Math.floor(chunks.length / 2)]!;
    reader.close();
    bytes[at + 100]! ^= 0xff;
    const damaged = temp.path('damaged.gictrace');
    writeFileSync(damaged, bytes);
    const { status, stderr } = load([small, damaged, '--threads', '2', '-o', temp.path('damaged.db')]);
    expect(stderr).toMatch(/damaged\.gictrace/);
    expect(status).toBe(4);
    expect(beside()).toEqual(before);
  });

  it('a signal ends it, and nothing is left', async () => {
    const before = beside();
    const child = spawn(process.execPath, [
      ...[BIN, 'load', ...Array(8).fill(large), '--threads', '2'],
      ...['-o', temp.path('ended.db')],
    ]);
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const began = setInterval(() => {
      if (beside().length > before.length) child.kill('SIGTERM');
    }, 20);
    const signal = await new Promise((resolve) => child.on('exit', (_code, by) => resolve(by)));
    clearInterval(began);
    expect(stderr).toContain('ended by SIGTERM');
    expect(signal).toBe('SIGTERM');
    expect(beside()).toEqual(before);
  });
});
