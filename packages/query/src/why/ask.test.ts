// The texts that name an interrupt.
import { expect, it } from 'vitest';
import { questionOfText } from './ask.ts';

it.each([
  ['27', { intid: 27 }],
  ['INTID 0x2001', { intid: 8193 }],
  ['PPI 27', { intid: 0x2000_001b }],
  ['lpi  0x20', { intid: 0x4000_0020 }],
  ['device 0x10', { device: 16 }],
  ['Device 16  event 3', { device: 16, event: 3 }],
  ['vintid 27', { vintid: 27 }],
  ['vINTID 8192 vPE 1', { vintid: 8192, vpe: 1 }],
])('%s', (text, question) => expect(questionOfText(text)).toEqual(question));

it.each(['', 'timer', '27 28', 'device', 'event 3', '0x', '-1', '16777216', 'LPI 16777216'])(
  '%o is refused',
  (text) => {
    expect(() => questionOfText(text)).toThrow(/names no interrupt/);
  },
);
