// What registers hold after a reset is what their declarations say.
import { expect, it } from 'vitest';
import { FRAMES, GICD, GICR, GITS, type RegisterSpec } from '../spec/index.ts';
import { featured, TYPER } from './driver.test-support.ts';
import { readMmio } from './mmio.ts';

it('every register with a declared value at reset reads as that value', () => {
  const { machine } = featured('architecture', { set: TYPER.ESPI | TYPER.NMI | TYPER.MBIS });
  const wrong: string[] = [];
  let walked = 0;
  for (const [frame, table] of Object.entries({ GICD, GICR, GITS }))
    for (const [name, { offset, reset, access, accessBytes }] of Object.entries<RegisterSpec>(table)) {
      if (typeof reset !== 'number' || access === 'WO') continue;
      readMmio(machine, FRAMES.indexOf(frame as 'GICD'), 0, offset, Math.max(...accessBytes));
      if (machine.reserved) continue;
      walked++;
      if (machine.low !== reset || machine.high !== 0) wrong.push(`${name}: ${machine.low}, not ${reset}`);
    }
  expect(wrong).toEqual([]);
  expect(walked).toBeGreaterThan(25);
});
