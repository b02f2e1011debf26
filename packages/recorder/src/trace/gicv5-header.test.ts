// A trace says that it is one of a GICv5 by its header, and is kept from functions that expect a GICv3.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError, type Gicv5Config } from '@gictrace/core';
import { RECORDS, RecordBatch } from '@gictrace/core/record';
import { afterAll, expect, test } from 'vitest';
import type { Gicv5TraceHeader } from './header.ts';
import { isGicv5, TraceReader, TraceWriter } from './index.ts';

const dir = mkdtempSync(join(tmpdir(), 'gictrace-gicv5-header-'));
afterAll(() => rmSync(dir, { recursive: true }));

const config: Gicv5Config = {
  profile: 'qemu-11.1',
  architecture: 5,
  pes: [
    { affinity: 0, iaffid: 0 },
    { affinity: 1, iaffid: 1 },
  ],
  irs: [
    {
      idr: [0x1c, 0x4f0002, 0x3fb8, 0, 0, 0x100, 0x100, 0],
      iidr: 0,
      aidr: 0,
      frames: [{ domain: 1, address: 0x801_0000 }],
    },
  ],
  cpuif: { idr0: 0x41, hmr: ['0xfffffffffffffff7', '0xffffffffffffffff'] },
};
const headerOf = (of: Gicv5Config): Gicv5TraceHeader => ({
  writer: { name: 'test', version: '0' },
  config: of,
  clock: { name: 'none', unitNs: 1 },
  source: { kind: 'test', name: 'test', provenance: {} },
  losses: [],
  seed: null,
  options: {},
});

function written(name: string, of = config): string {
  const path = join(dir, name);
  const writer = new TraceWriter(path, headerOf(of));
  const batch = new RecordBatch(1);
  batch.push(RECORDS['cpuif.signal'].id, 1, 5);
  batch.words[0] = 1;
  writer.record(batch, 0);
  writer.close();
  return path;
}

const faultOf = (work: () => unknown): GicTraceError => {
  try {
    work();
  } catch (error) {
    if (error instanceof GicTraceError) return error;
    throw error;
  }
  throw new Error('no fault');
};

test('a trace of a GICv5 is read as such, and refused in one line elsewhere', () => {
  const path = written('a.gictrace');
  const reader = TraceReader.openAny(path);
  expect(isGicv5(reader)).toBe(true);
  expect(reader.header.config).toEqual(config);
  expect([...reader.batches()].map(({ batch }) => [batch.kind[0], batch.pe[0], batch.words[0]])).toEqual([
    [82, 1, 1],
  ]);
  reader.verify();
  reader.close();
  const fault = faultOf(() => TraceReader.open(path));
  expect([fault.code, fault.line]).toEqual([
    'usage',
    `${path}: is a trace of a GICv5, which this command does not support yet (docs/gicv5.md lists what does)`,
  ]);
});

test('a cut trace of a GICv5 can be salvaged', () => {
  const path = written('b.gictrace');
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length - 10));
  const reader = TraceReader.salvage(path);
  expect([isGicv5(reader), reader.records]).toEqual([true, 1]);
  reader.close();
});

test('an impossible configuration is refused before anything is written', () => {
  const twins = { ...config, pes: [config.pes[0]!, config.pes[0]!] };
  expect(faultOf(() => written('c.gictrace', twins)).line).toMatch(
    /expected an IAFFID of its own for each PE/,
  );
  const frames = [
    { domain: 1, address: 0 },
    { domain: 1, address: 0x1_0000 },
  ];
  const same = { ...config, irs: [{ ...config.irs[0]!, frames }] };
  expect(faultOf(() => written('d.gictrace', same)).line).toMatch(/expected one frame for each domain/);
});
