// What a driver can reach: the bus, and data. The machine behind the bus, and who observes it, are out of its reach, so
// that a design is measured by what it does to hardware.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { PLAIN } from '../profile/index.ts';
import { Bus } from './bus.ts';
import { DESIGNS } from './designs.ts';
import type { Design } from './driver.ts';
import { Gicv3Testbed } from './testbed/testbed.ts';

const here = dirname(fileURLToPath(import.meta.url));
const source = resolve(here, '..');

/** The files that a file imports, for values or for types, and those that these import. */
function reachedFrom(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g))
    reachedFrom(resolve(dirname(file), path!), seen);
  return seen;
}

const drivers = readdirSync(join(here, 'drivers'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('drivers', name));
/** Folders of core that know the simulated machine, or are made of ones that do. */
const OUT_OF_REACH = [
  'model',
  'migrate',
  'backend',
  'conformance',
  'check',
  'fuzz',
  'mutate',
  'irqchip/testbed',
  'gicv5',
];

describe('a driver', () => {
  it.each(drivers)('%s imports nothing that leads to the machine', (name) => {
    const reached = [...reachedFrom(join(here, name))].map((file) => relative(source, file));
    expect(reached).toContain('irqchip/bus.ts');
    for (const folder of OUT_OF_REACH)
      expect(reached.filter((file) => file.startsWith(`${folder}/`))).toEqual([]);
  });

  it('would be found out: the testbed leads to the machine', () => {
    const reached = [...reachedFrom(join(here, 'testbed', 'testbed.ts'))];
    expect(reached.map((file) => relative(source, file))).toContain('model/machine.ts');
  });

  it('is there for each design', () => {
    expect(drivers.length).toBeGreaterThan(9);
    expect(Object.keys(DESIGNS).length).toBeGreaterThan(20);
  });
});

it('every design that a driver exports is in the list, under a name of its own', async () => {
  const exported: Design[] = [];
  for (const name of drivers)
    for (const one of Object.values<Partial<Design>>(await import(join(here, name))))
      if (typeof one === 'object' && one.make !== undefined) exported.push(one as Design);
  for (const design of exported) expect(DESIGNS[design.name], design.name).toBe(design);
  expect(exported.length).toBe(Object.keys(DESIGNS).length);
});

describe('a bus', () => {
  it('has no machine and no port that could be taken from it', () => {
    const { bus } = new Gicv3Testbed('architecture', PLAIN, 1);
    const held = [...Object.getOwnPropertyNames(bus), ...Object.getOwnPropertyNames(Bus.prototype)];
    expect(held).toEqual([
      'costs',
      'onCommand',
      'constructor',
      'blocks',
      'pes',
      'addresses',
      'affinity',
      'iaffid',
      'memory',
      'release',
      'reserve',
      'zero',
      'store',
      'write',
      'read',
      'writeLow',
      'readLow',
      'poll',
      'instruction',
      'barrier',
      'openQueue',
      'post',
      'command',
      'messageRewritten',
      'hypercall',
      'vmbusMessage',
    ]);
    // @ts-expect-error: a bus has no machine.
    expect(bus.machine).toBeUndefined();
  });

  it('reads 64-bit registers whole', () => {
    const { bus } = new Gicv3Testbed('architecture', PLAIN, 2);
    bus.write('GICD_IROUTER', 0, 0x1n, 8);
    expect(bus.read('GICD_IROUTER', 0, 8)).toBe(1n);
    expect(bus.read('GITS_TYPER', 0) >> 32n).toBeGreaterThan(0n);
    expect(bus.read('GICD_CTLR', 0)).toBe(0x50);
    expect(bus.costs).toMatchObject({ mmio_writes: 1, mmio_reads: 3, polls: 0 });
    expectTypeOf(bus.read('GITS_TYPER', 0)).toEqualTypeOf<bigint>();
    expectTypeOf(bus.read('GICD_CTLR', 0)).toEqualTypeOf<number>();
  });

  it('knows what firmware says: addresses and affinities', () => {
    const { bus } = new Gicv3Testbed('architecture', PLAIN, 2);
    expect(bus.addresses.gicr).toHaveLength(2);
    expect([bus.affinity(0), bus.affinity(1)]).toEqual([0, 1]);
  });
});
