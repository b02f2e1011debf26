// What a driver did for an operation, as text.
import type { Operation } from '@gictrace/core/irqchip';
import { expect, it } from 'vitest';
import { Doings } from './doings.ts';

it('an operation of no vector and no vPE is about no PE before it', () => {
  const doings = new Doings();
  const online = (pe: number) => {
    doings.command('SYNC', { RDbase: 0 });
    return doings.ended({ op: 'pe.online', pe } as Operation)[0];
  };
  expect([online(0), online(1)]).toEqual(['SYNC pe', 'SYNC PE 0']);
});

it('that of a vector is, where the vector was', () => {
  const doings = new Doings();
  const moved = (pe: number) => {
    doings.command('SYNC', { RDbase: 0 });
    return doings.ended({ op: 'set_affinity', device: 8, vector: 1, pe } as Operation)[0];
  };
  expect([moved(0), moved(1)]).toEqual(['SYNC pe', 'SYNC old pe']);
});
