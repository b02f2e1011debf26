// A contained guest's tables are in RAM, and stay where they are while they are in use.
import { describe, expect, it } from 'vitest';
import { Machine, NO_TABLE, residentTable, step } from '../model/index.ts';
import { configOf, PLAIN } from '../profile/index.ts';
import { IRQ_ATTRIBUTES, RECORD_WORDS, RECORDS, RecordBatch, UNPREDICTABLE } from '../record/index.ts';
import { StimulusGenerator } from './index.ts';

const FROM = 0x4000_0000;
const TO = 0x9000_0000;
const WIRE_SET = RECORDS['wire.set'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const ACT = RECORDS['behaviour.unpredictable'].id;
const MOVED = UNPREDICTABLE.indexOf('lpi-table-while-enabled');
const CONFIGURED = UNPREDICTABLE.indexOf('configured-while-enabled');
const IRQ_CHANGED = RECORDS['irq.changed'].id;
const EDGE = IRQ_ATTRIBUTES.indexOf('edge');
const config = configOf('qemu-virt', { ...PLAIN, architecture: 4, virtualLpis: '4.0' }, 3);

/** Runs some seeds; tells of addresses looked at outside RAM, and of moved tables. */
function run(contained: boolean): {
  looks: number;
  outside: number;
  moved: number;
  taken: number;
  twice: number;
  /** SPIs configured while their wires were up, and those of them that were enabled. */
  configured: number;
  careless: number;
  devices: Set<number>;
} {
  let looks = 0;
  let outside = 0;
  let moved = 0;
  let taken = 0;
  let twice = 0;
  let configured = 0;
  let careless = 0;
  const devices = new Set<number>();
  for (let seed = 1; seed <= 12; seed++) {
    const machine = new Machine(config);
    machine.witness = (_use, _unit, _index, address, length) => {
      looks++;
      if (address < FROM || address + length > TO) outside++;
    };
    const shown = new RecordBatch(65_536);
    machine.sink = { batch: shown, events: true, full: () => shown.clear() };
    const generator = new StimulusGenerator(
      config,
      seed,
      contained
        ? { contained, reconfigures: true, deviceIds: [0, 8, 16, 24], takenIntids: [25] }
        : { reconfigures: true },
    );
    const batch = new RecordBatch(1);
    const raised = new Set<number>();
    for (let n = 0; n < 1000; n++) {
      batch.clear();
      generator.next(batch);
      if (batch.kind[0] === WIRE_SET && batch.words[0] === 25) taken++;
      if (batch.kind[0] === MSI_WRITE) devices.add(batch.words[1]!);
      step(machine, batch, 0);
      const tables = [0, 1, 2].map((pe) => residentTable(machine, pe)).filter((table) => table !== NO_TABLE);
      if (new Set(tables).size < tables.length) twice++;
      if (batch.kind[0] === WIRE_SET) {
        if (batch.words[1]) raised.add(batch.words[0]!);
        else raised.delete(batch.words[0]!);
      }
      for (let i = 0; i < shown.count; i++) {
        const [first, second, third] = shown.words.subarray(i * RECORD_WORDS);
        if (shown.kind[i] === ACT && first === MOVED) moved++;
        if (shown.kind[i] === ACT && first === CONFIGURED && third! >= 32 && raised.has(third!)) careless++;
        if (shown.kind[i] === IRQ_CHANGED && second === EDGE && first! >= 32 && raised.has(first!))
          configured++;
      }
      shown.clear();
    }
  }
  return { looks, outside, moved, taken, twice, configured, careless, devices };
}

describe('a contained guest', () => {
  const own = run(true);
  it('looks at memory, nearly always in RAM', () => {
    expect(own.looks).toBeGreaterThan(2000);
    expect(own.outside / own.looks).toBeLessThan(0.01);
  });
  it('does not move tables of LPIs in use', () => expect(own.moved).toBe(0));
  it('has no vPE on two PEs', () => expect(own.twice).toBe(0));
  it('configures SPIs whose wires are up, while they are disabled', () => {
    expect(own.configured).toBeGreaterThan(20);
    expect(own.careless).toBe(0);
  });
  it('leaves wires alone that are taken', () => expect(own.taken).toBe(0));
  it('has MSIs from its devices only', () =>
    expect([...own.devices].sort((a, b) => a - b)).toEqual([0, 8, 16, 24]));
});

it('any other guest does all of that', () => {
  const other = run(false);
  expect(other.outside).toBeGreaterThan(0);
  expect(other.moved).toBeGreaterThan(0);
  expect(other.taken).toBeGreaterThan(0);
  expect(other.twice).toBeGreaterThan(0);
  expect(other.careless).toBeGreaterThan(0);
});
