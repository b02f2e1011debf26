// Lifting what drivers without an ITS did gives back what they were asked: SPIs by messages and by a frame, and Direct LPI.
import type { GicConfig } from '@gictrace/core';
import { DESIGNS, type Operation, Translation } from '@gictrace/core/irqchip';
import { NO_PE, RECORDS, RecordBatch } from '@gictrace/core/record';
import { SYSREGS } from '@gictrace/core/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lift } from './lift.ts';

const PES = 4;
/** Devices of one vector each, as lifting finds them. */
const DEVICES = 3;

function roundTrip(design: string, operations: readonly Operation[]): Operation[] {
  const stimuli: RecordBatch[] = [];
  const translation = new Translation(DESIGNS[design]!, PES, {
    stimulus(batch) {
      const copy = new RecordBatch(1);
      copy.copy(batch, 0);
      stimuli.push(copy);
    },
  });
  for (const operation of operations) translation.take(operation);
  const lifted: Operation[] = [];
  const lift = new Lift(translation.run.config as GicConfig, { operation: (one) => lifted.push(one) });
  lift.run(() => stimuli.map((batch) => ({ batch })));
  return lifted;
}

/** What a kernel could ask of devices whose DeviceIDs begin with `first`. */
function asked(first: number, choices: readonly (readonly [number, number, number])[]): Operation[] {
  const operations: Operation[] = [];
  for (let pe = 0; pe < PES; pe++) operations.push({ op: 'pe.online', pe });
  const on: number[] = [];
  const masked: boolean[] = [];
  for (let k = 0; k < DEVICES; k++) {
    const of = { device: first + k, vector: 0 };
    const managed = first > 0 && (choices.length + k) % 2 === 0;
    operations.push({ op: 'alloc', device: of.device, count: 1 });
    operations.push({ op: 'activate', ...of, pe: k, ...(managed && { managed }) });
    operations.push({ op: 'unmask', ...of });
    on.push(k);
    masked.push(false);
  }
  for (const [what, a, b] of choices) {
    const k = a % DEVICES;
    const of = { device: first + k, vector: 0 };
    if (what % 5 === 0) {
      masked[k] = !masked[k];
      operations.push({ op: masked[k] ? 'mask' : 'unmask', ...of });
    } else if (what % 5 === 1) {
      on[k] = (on[k]! + 1 + (b % (PES - 1))) % PES;
      operations.push({ op: 'set_affinity', ...of, pe: on[k] });
    } else if (what % 5 === 2) operations.push({ op: 'set_pending', ...of, pending: b % 2 === 0 });
    else fire(k);
  }
  // A move that is the last thing in a recording is seen only by what follows it.
  fire(0);
  return operations;

  /** A masked MSI-X vector holds its message back in the device, where no GIC sees it. */
  function fire(k: number): void {
    const of = { device: first + k, vector: 0 };
    if (masked[k]) operations.push({ op: 'unmask', ...of });
    masked[k] = false;
    operations.push({ op: 'fire', ...of });
  }
}

const choices = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)), { maxLength: 40 });

describe('lifting without an ITS', () => {
  it.each([
    ['mbi', 32],
    ['gicv2m', 80],
  ])('gives back what %s was asked', (design, first) => {
    fc.assert(
      fc.property(choices, (list) => {
        const operations = asked(first, list);
        expect(roundTrip(design, operations)).toEqual(operations);
      }),
      { numRuns: 15 },
    );
  });

  it.each([
    ['mbi', 32],
    ['direct-lpi', 0],
  ])('gives back a reboot of what %s was asked', (design, first) => {
    const boot = asked(first, [
      [0, 1, 0],
      [3, 2, 0],
    ]);
    const operations: Operation[] = [...boot, { op: 'probe', reset: true }, ...boot];
    expect(roundTrip(design, operations)).toEqual(operations);
  });

  // What moves a masked LPI looks like a configuration with the same value, before it.
  it('gives back what direct-lpi was asked', () => {
    fc.assert(
      fc.property(choices, (list) => {
        const operations = asked(0, list);
        const lifted = roundTrip('direct-lpi', operations);
        expect(lifted.filter(({ op }) => op !== 'reconfigure')).toEqual(operations);
      }),
      {
        numRuns: 15,
        // A masked LPI moves and is then unmasked: the last write is that of a move of an enabled LPI, too.
        examples: [
          [
            [
              [0, 83, 0],
              [616, 449, 0],
              [0, 563, 0],
            ],
          ],
        ],
      },
    );
  });

  it('does not say that an unknown PE comes online', () => {
    const { config } = new Translation(DESIGNS['direct-lpi']!, PES).run;
    const write = (pe: number): RecordBatch => {
      const batch = new RecordBatch(1);
      batch.push(RECORDS['sysreg.write'].id, pe, Number.NaN);
      batch.words.set([SYSREGS.ICC_IGRPEN1_EL1.encoding, 1]);
      return batch;
    };
    const lifted: Operation[] = [];
    new Lift(config as GicConfig, { operation: (one) => lifted.push(one) }).run(() =>
      [NO_PE, 1].map((pe) => ({ batch: write(pe) })),
    );
    expect(lifted).toEqual([{ op: 'pe.online', pe: 1 }]);
  });
});
