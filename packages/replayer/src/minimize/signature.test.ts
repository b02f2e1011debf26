// Two divergences are the same if they are the same bug, as far as that can be seen.
import type { Divergence } from '@gictrace/core/record';
import { expect, it } from 'vitest';
import { shapeOf, signatureOf } from './signature.ts';

const divergence = (recorded: string, replayed: string, stimulus: string, kind = 'hppi'): Divergence => ({
  ...{ record: 7, line: null, kind, recorded, replayed, stimulus: { record: 6, text: stimulus } },
  ...{ events: [], before: [], suspect: null },
});
const HPPI = '+1.500000000s PE1 hppi INTID 40 group 1NS priority 0xa0 -> IRQ';
const EOI = '+1.400000000s PE1 ICC_EOIR1_EL1 <- 0x28 {INTID=40}';
const one = divergence(HPPI, '+? PE1 hppi none', EOI);

it.each([
  [true, divergence(HPPI.replace('0xa0', '0x0'), '+? PE1 hppi none', EOI), 'another priority on both sides'],
  [
    true,
    divergence(HPPI.replace('1.5', '9.5'), '+? PE1 hppi none', `${EOI} (inferred: pe-from-thread)`),
    'time',
  ],
  [true, divergence(`${HPPI} (inferred: only-pe)`, '+? PE1 hppi none', EOI), 'how the record came about'],
  [true, divergence(HPPI, '+? PE1 hppi none', `${EOI} (unknown: pe-undecided)`), 'what is unknown'],
  [false, divergence(HPPI.replace('40', '41'), '+? PE1 hppi none', EOI), 'another interrupt'],
  [false, divergence(HPPI.replace('PE1', 'PE0'), '+? PE0 hppi none', EOI), 'another PE'],
  [false, divergence(HPPI, '+? PE1 hppi none', EOI.replace('EOIR1', 'DIR')), 'another stimulus'],
  [false, divergence('+? PE1 hppi none', HPPI, EOI), 'the other way round'],
  [false, divergence(HPPI, HPPI.replace('0xa0', '0x0'), EOI), 'the priority instead of the interrupt'],
  [false, divergence(HPPI, '+? PE1 hppi none', EOI, 'vhppi'), 'another kind'],
])('exactly the same: %s (%#: %s)', (isSame, other) => {
  expect(signatureOf(other, true) === signatureOf(one, true)).toBe(isSame);
});

it('with other values, the interrupt and the PE do not count, but the register and the difference do', () => {
  const elsewhere = divergence(
    HPPI.replace('PE1', 'PE0').replace('40', '41'),
    '+? PE0 hppi none',
    EOI.replace('PE1', 'PE0').replaceAll('40', '41'),
  );
  expect(signatureOf(elsewhere, false)).toBe(signatureOf(one, false));
  const lines = divergence(HPPI, HPPI.replace(' -> IRQ', ' -> FIQ'), EOI);
  const priority = divergence(HPPI, HPPI.replace('0xa0', '0xb0'), EOI);
  expect(signatureOf(lines, false)).not.toBe(signatureOf(priority, false));
});

it('the difference is the same whatever is said behind the record', () => {
  const other = HPPI.replace('IRQ', 'FIQ');
  const remarked = divergence(`${HPPI} (inferred: only-pe)`, other, EOI);
  expect(signatureOf(remarked, false)).toBe(signatureOf(divergence(HPPI, other, EOI), false));
});

it('an interrupt that is read is not the same as none', () => {
  expect(shapeOf('PE0 ICC_IAR1_EL1 -> 0x28 {INTID=40}', false)).toBe(
    'PE0 ICC_IAR1_EL1 -> #'.replace('PE0', 'PE#'),
  );
  expect(shapeOf('PE0 ICC_IAR1_EL1 -> 0x3ff {INTID=1023}', false)).toBe('PE# ICC_IAR1_EL1 -> none');
  expect(shapeOf('PE0 ICC_IAR1_EL1 -> 0x28 {INTID=40}', true)).toBe('PE0 ICC_IAR1_EL1 -> # INTID=40');
  expect(shapeOf('GICR[2] GICD_ISENABLER3 <- 0x8', false)).toBe('GICR[#] GICD_ISENABLER# <- #');
});
