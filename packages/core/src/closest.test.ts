// The name that is meant, by what people mistype.
import { expect, it } from 'vitest';
import { didYouMean } from './closest.ts';

const NAMES = [
  'its',
  'virtual-its',
  'direct-lpi',
  'mbi',
  'interrupts',
  'mmio.write',
  'mmio.read',
  'its.command',
];

it.each([
  ['interupts', 'interrupts'],
  ['interrupt', 'interrupts'],
  ['mmio.wirte', 'mmio.write'],
  ['mmio_read', 'mmio.read'],
  ['ITS', 'its'],
  ['it', 'its'],
  ['directlpi', 'direct-lpi'],
  ['its.comand', 'its.command'],
])('%s: %s', (name, meant) => expect(didYouMean(name, NAMES)).toBe(`did you mean '${meant}'? `));

it.each(['', 'x', 'gicd', 'lifetimes', 'a'.repeat(200)])('%s is near to none', (name) => {
  expect(didYouMean(name, NAMES)).toBe('');
});
