// GICR_TYPER.CommonLPIAff: which Redistributors share tables (IHI 0069, "GICR_TYPER").
import { expect, it } from 'vitest';
import { configOf, PLAIN } from '../profile/index.ts';
import { shareTables } from './index.ts';

/** Aff3.Aff2.Aff1.Aff0: the first PE, and others that differ from it first in Aff0, Aff1, Aff2 and Aff3. */
const AFFINITIES = [0x8102_0304, 0x8102_0305, 0x8102_0404, 0x8103_0304, 0x0102_0304];

it.each([
  [0, [true, true, true, true]],
  [1, [true, true, true, false]],
  [2, [true, true, false, false]],
  [3, [true, false, false, false]],
] as const)('CommonLPIAff %i', (commonLpiAff, expected) => {
  const config = configOf('architecture', { ...PLAIN, commonLpiAff }, AFFINITIES.length);
  const pes = AFFINITIES.map((affinity) => ({ affinity }));
  expect([1, 2, 3, 4].map((other) => shareTables({ ...config, pes }, 0, other))).toEqual(expected);
  expect([1, 2, 3, 4].map((other) => shareTables({ ...config, pes }, other, 0))).toEqual(expected);
});
