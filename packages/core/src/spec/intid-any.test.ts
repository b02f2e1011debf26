// The texts that name an INTID: one grammar for all commands, and none that becomes another INTID.
import { expect, it } from 'vitest';
import { anyIntidText, intidNamed } from './index.ts';

it.each([
  ['27', 27],
  [' 0x2001 ', 8193],
  ['INTID 8193', 8193],
  ['intid 0xFFFFFF', 0xff_ffff],
  ['PPI 27', 0x2000_001b],
  ['PPI27', 0x2000_001b],
  ['ppi  0x1b', 0x2000_001b],
  ['LPI 16777215', 0x40ff_ffff],
  ['SPI 0', 0x6000_0000],
  ['0x2000001b', 0x2000_001b],
  ['536870939', 0x2000_001b],
] as const)('%o', (text, intid) => expect(intidNamed(text)).toBe(intid));

it.each([
  ...[
    '',
    'timer',
    '-1',
    '1.5',
    '1e3',
    '0x',
    '27 28',
    'PPI',
    'PPI -1',
    'SGI 3',
    'PPI INTID 27',
    'PPI 0x2000001b',
  ],
  // More than 24 bits, which masking would make another interrupt.
  ...['16777216', 'INTID 16777216', 'LPI 16777216', 'LPI 0x1000000', '0x41000000'],
  // Reserved types, and more than 32 bits.
  ...['0x80000000', '0xe000001b', '0x12000001b', '99999999999999999999'],
])('%o names none', (text) => expect(intidNamed(text)).toBeUndefined());

it('reads what is printed', () => {
  for (const intid of [0, 27, 8193, 0xff_ffff, 0x2000_001b, 0x4000_0000, 0x60ff_ffff])
    expect(intidNamed(anyIntidText(intid))).toBe(intid);
});
