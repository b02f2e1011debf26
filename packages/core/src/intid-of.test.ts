// An INTID is checked against the GIC that it is asked of.
import { expect, it } from 'vitest';
import { checkIntidOf } from './intid-of.ts';

const PPI_27 = 0x2000_001b;

it('takes INTIDs of the architecture, also those that stand for no interrupt', () => {
  for (const intid of [0, 27, 1023, 8193]) for (const gic of [3, 4] as const) checkIntidOf(gic, intid);
  for (const intid of [PPI_27, 0x4000_0000, 0x6000_0020]) checkIntidOf(5, intid);
});

it.each([
  [
    3,
    PPI_27,
    /^PPI 27 is no interrupt of the trace: an INTID of GICv3 is a number without a type \(such as 27/,
  ],
  [4, PPI_27, /GICv4/],
  [
    5,
    27,
    /^INTID 27 is no interrupt of the trace: an INTID of GICv5 has a type: PPI, LPI, SPI \(such as 'PPI 27'\)$/,
  ],
] as const)('GICv%i refuses %i', (architecture, intid, says) => {
  let line = '';
  try {
    checkIntidOf(architecture, intid);
  } catch (error) {
    const { code, line: said } = error as { code: string; line: string };
    expect(code).toBe('usage');
    line = said;
  }
  expect(line).toMatch(says);
});
