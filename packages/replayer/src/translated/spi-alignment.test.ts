// What is compared for SPIs, and that reads which no write follows are counted, however many there are.
import { Machine } from '@gictrace/core/model';
import { KIND, RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICD } from '@gictrace/core/spec';
import { expect, it } from 'vitest';
import { plainConfig } from '../synthetic.test-support.ts';
import { SpiComparison } from './spi-alignment.ts';

const ISENABLER1 = GICD.GICD_ISENABLER.offset + 4;

function access(kind: 'mmio.read' | 'mmio.write', offset: number, value = 0): RecordBatch {
  const batch = new RecordBatch(1);
  batch.push(KIND[kind], 0, Number.NaN);
  batch.words.set([FRAMES.indexOf('GICD'), 0, offset, 4, value]);
  return batch;
}

it('counts reads that no write follows, also at the end of the recording', () => {
  const machine = new Machine(plainConfig(1));
  const comparison = new SpiComparison();
  const [read, write] = [access('mmio.read', ISENABLER1), access('mmio.write', ISENABLER1, 1)];
  for (const batch of [read, read, write, read, read, read]) comparison.stimulus(batch, 0, machine);
  for (const batch of [read, write]) comparison.access('gicv2m', 0, batch);
  const [design, alignment] = comparison.finish()!;
  expect(design).toBe('gicv2m');
  expect(Object.fromEntries(alignment.notCompared)).toEqual({
    'GICD_ISENABLER read, no write follows': 4,
    'SPIs that are not edge-triggered: GICD_ICFGR': 1,
  });
  expect(Object.fromEntries(alignment.registers)).toMatchObject({ 'GICD_ISENABLER read': { recorded: 1 } });
});
