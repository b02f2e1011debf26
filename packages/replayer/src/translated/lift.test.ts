// Lifting what a driver did gives back what it was asked: for Linux's ITS driver and for its vPE proxy.
import type { GicConfig } from '@gictrace/core';
import { DESIGNS, type Operation, Translation } from '@gictrace/core/irqchip';
import { RecordBatch } from '@gictrace/core/record';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lift } from './lift.ts';

const PES = 4;

/** Runs operations on a design, under another profile if one is given, and lifts what it did. */
function roundTrip(name: string, operations: readonly Operation[], profile?: string): Operation[] {
  const stimuli: RecordBatch[] = [];
  const design = DESIGNS[name]!;
  const translation = new Translation(profile === undefined ? design : { ...design, profile }, PES, {
    stimulus(batch) {
      const copy = new RecordBatch(1);
      copy.copy(batch, 0);
      stimuli.push(copy);
    },
  });
  for (const operation of operations) translation.take(operation);
  const config = translation.run.config as GicConfig;
  const lifted: Operation[] = [];
  new Lift(config, { operation: (one) => lifted.push(one) }).run(() => stimuli.map((batch) => ({ batch })));
  return lifted;
}

/** From a list of choices, operations that a kernel could ask for: each makes sense where it stands. */
function deviceOperations(choices: readonly (readonly [number, number, number])[]): Operation[] {
  const operations: Operation[] = [];
  const devices = new Map<number, number>();
  const active = new Map<string, number>();
  // A masked MSI-X vector holds its message back in the device, where no GIC sees it.
  const unmasked = new Set<string>();
  for (let pe = 0; pe < PES; pe++) operations.push({ op: 'pe.online', pe });
  for (const [what, a, b] of choices) {
    const device = 8 * (1 + (a % 3));
    const count = devices.get(device);
    if (count === undefined) {
      devices.set(device, 2 ** (1 + (b % 4)));
      operations.push({ op: 'alloc', device, count: devices.get(device)! });
      continue;
    }
    const vector = b % count;
    const key = `${device}.${vector}`;
    const pe = active.get(key);
    if (pe === undefined) {
      active.set(key, a % PES);
      operations.push({ op: 'activate', device, vector, pe: a % PES });
      continue;
    }
    const to = (pe + 1 + (b % (PES - 1))) % PES;
    const vectorOperations: Operation[] = [
      { op: 'mask', device, vector },
      { op: 'unmask', device, vector },
      { op: 'set_affinity', device, vector, pe: to },
      { op: 'set_pending', device, vector, pending: true },
      { op: 'set_pending', device, vector, pending: false },
      { op: 'fire', device, vector },
      { op: 'deactivate', device, vector },
    ];
    const chosen = vectorOperations[what % vectorOperations.length]!;
    if (chosen.op === 'fire' && !unmasked.has(key)) operations.push({ op: 'unmask', device, vector });
    operations.push(chosen);
    if (chosen.op === 'unmask' || chosen.op === 'fire') unmasked.add(key);
    if (chosen.op === 'mask' || chosen.op === 'deactivate') unmasked.delete(key);
    if (chosen.op === 'set_affinity') active.set(key, to);
    if (chosen.op === 'deactivate') active.delete(key);
  }
  return operations;
}

function vpeOperations(choices: readonly (readonly [number, number, number])[], vpes: number): Operation[] {
  const operations: Operation[] = [];
  const on = new Map<number, number>();
  const resident = new Map<number, number>();
  const mapped = new Set<number>();
  for (let pe = 0; pe < PES; pe++) operations.push({ op: 'pe.online', pe });
  for (let vpe = 0; vpe < vpes; vpe++) {
    on.set(vpe, vpe % PES);
    const pe = vpe % PES;
    operations.push({ op: 'vpe.map', vpe, pe }, { op: 'vpe.schedule', vpe, pe });
    // As KVM does: which doorbell is whose is told by nothing else until the vPE moves or has a vLPI.
    operations.push({ op: 'doorbell.clear', vpe }, { op: 'vpe.deschedule', vpe, pe });
  }
  for (const [what, a, b] of choices) {
    const vpe = a % vpes;
    const pe = on.get(vpe)!;
    if (what % 4 === 0) {
      if (resident.get(pe) === vpe) {
        operations.push({ op: 'vpe.deschedule', vpe, pe });
        resident.delete(pe);
      } else if (!resident.has(pe)) {
        operations.push({ op: 'vpe.schedule', vpe, pe }, { op: 'doorbell.clear', vpe });
        resident.set(pe, vpe);
      }
    } else if (what % 4 === 1 && resident.get(pe) !== vpe) {
      const to = (pe + 1 + (b % (PES - 1))) % PES;
      operations.push({ op: 'vpe.move', vpe, pe: to });
      on.set(vpe, to);
    } else if (what % 4 === 3) {
      const vector = { device: 8, vector: b % 4 };
      if (mapped.size === 0) operations.push({ op: 'alloc', device: 8, count: 4 });
      if (mapped.has(vector.vector)) operations.push({ op: 'fire', ...vector });
      else operations.push({ op: 'vlpi.map', ...vector, vpe });
      mapped.add(vector.vector);
    } else
      operations.push({ op: (['doorbell.mask', 'doorbell.unmask', 'doorbell.set'] as const)[b % 3]!, vpe });
  }
  return operations;
}

const choices = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)), { maxLength: 120 });

describe('lifting', () => {
  it('gives back what the ITS driver was asked', () => {
    fc.assert(
      fc.property(choices, (list) => {
        const operations = deviceOperations(list);
        expect(roundTrip('its', operations)).toEqual(operations);
      }),
      { numRuns: 60 },
    );
  });

  it('gives back what it was asked on Redistributors with GICR_CTLR.IR, where it writes GICR_INVLPIR', () => {
    fc.assert(
      fc.property(choices, (list) => {
        const operations = deviceOperations(list);
        expect(roundTrip('its', operations, 'kvm')).toEqual(operations);
      }),
      { numRuns: 30 },
    );
  });

  it('gives back a PE that goes offline and comes back', () => {
    const operations: Operation[] = [
      ...deviceOperations([[0, 0, 1]]),
      { op: 'pe.offline', pe: 3 },
      { op: 'pe.online', pe: 3 },
      { op: 'pe.offline', pe: 3 },
    ];
    expect(roundTrip('its', operations)).toEqual(operations);
  });

  it('gives back a reboot, and nothing of before it', () => {
    const boot = deviceOperations([
      [0, 0, 1],
      [0, 0, 1],
      [5, 0, 1],
    ]);
    const operations: Operation[] = [...boot, { op: 'probe', reset: true }, ...boot];
    expect(roundTrip('its', operations)).toEqual(operations);
    expect(operations.map(({ op }) => op)).toContain('fire');
  });

  it.each([2, 4, 7])('gives back what the vPE proxy was asked, with %i vPEs on 4 slots', (vpes) => {
    fc.assert(
      fc.property(choices, (list) => {
        const operations = vpeOperations(list, vpes);
        expect(roundTrip('vpe-proxy', operations)).toEqual(operations);
      }),
      { numRuns: 40 },
    );
  });
});
