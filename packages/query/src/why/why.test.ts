// What an answer names, on small traces made by hand.
import { RECORD_FLAGS } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { expect, it } from 'vitest';
import { CONFIG, Recording } from '../testing/synthetic.ts';
import { why } from './why.ts';

it('names each record once', () => {
  const r = new Recording();
  const GICR = FRAMES.indexOf('GICR');
  // A Non-secure access cannot enable an interrupt of Group 0.
  const write = { frame: GICR, instance: 0, offset: 0x1_0100, width: 4, value: 1 << 27 };
  r.add('mmio.write', 0, { frame: GICR, instance: 0, offset: 0x14, width: 4 }, RECORD_FLAGS.secure);
  const enables = r.add('mmio.write', 0, write);
  r.wire(0, 27, 1);
  const { batch } = r;
  const config = { ...CONFIG, gicd: { ...CONFIG.gicd, typer: CONFIG.gicd.typer | (1 << 10) } };
  const { finding } = why(
    { config, records: batch.count, batches: () => [{ batch, first: 0 }] },
    { intid: 27 },
  );
  expect(finding?.reason).toBe('disabled');
  expect([finding!.cause!, ...finding!.also].map(({ record }) => record)).toEqual([enables]);
});
