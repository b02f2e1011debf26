// Where Redistributors are if the log has no addresses.
import { describe, expect, it } from 'vitest';
import { Identity } from './identity.ts';

const TYPER = 8;
const LAST = 0x10;

/** The addresses of the Redistributors, and GICR_TYPER of PE 0 up, of which these are the last of a region. */
function addresses(pes: number, lasts: readonly number[], pidr2 = 0x3b): readonly number[] {
  const identity = new Identity();
  identity.read('GICD', 0, 0xffe8, 4, pidr2, 0);
  for (let pe = 0; pe < pes; pe++)
    identity.read('GICR', pe, TYPER, 8, (pe << 8) | 1 | (lasts.includes(pe) ? LAST : 0), pe);
  return identity.decide({}).config.addresses.gicr;
}

describe('without addresses in the log', () => {
  it('the Redistributors of up to 123 PEs follow each other', () => {
    expect(addresses(123, [122]).at(-1)).toBe(0x080a_0000 + 122 * 0x2_0000);
  });

  it.each([
    [130, 123, 0x2_0000, 0x3b],
    [64, 61, 0x4_0000, 0x4b],
  ])('of %d PEs, PE %d is the first of the second region', (pes, first, stride, pidr2) => {
    const found = addresses(pes, [first - 1, pes - 1], pidr2);
    expect(found).toHaveLength(pes);
    expect(found.slice(first)).toEqual(
      Array.from({ length: pes - first }, (_, n) => 0x40_0000_0000 + n * stride),
    );
    expect(found[first - 1]).toBe(0x080a_0000 + (first - 1) * stride);
  });

  it('a region that goes on where that of virt ends is not that of virt', () => {
    expect(addresses(130, [129])[123]).toBe(0x080a_0000 + 123 * 0x2_0000);
  });

  it('Last in another place does not end a region', () => {
    expect(addresses(130, [60, 122, 129])[61]).toBe(0x080a_0000 + 61 * 0x2_0000);
  });
});
