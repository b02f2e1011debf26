// A contained guest's tables are in RAM, and stay where they are while they are in use.
import { describe, expect, it } from 'vitest';
import { Machine, NO_TABLE, residentTable, step } from '../model/index.ts';
import { configOf, PLAIN } from '../profile/index.ts';
import { RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { StimulusGenerator } from './index.ts';

const FROM = 0x4000_0000;
const TO = 0x9000_0000;
const WIRE_SET = RECORDS['wire.set'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const UNPREDICTABLE = RECORDS['behaviour.unpredictable'].id;
const config = configOf('qemu-virt', { ...PLAIN, architecture: 4, virtualLpis: '4.0' }, 3);

/** Runs some seeds; tells of addresses looked at outside RAM, and of moved tables. */
function run(contained: boolean): {
  looks: number;
  outside: number;
  moved: number;
  taken: number;
  twice: number;
  devices: Set<number>;
} {
  let looks = 0;
  let outside = 0;
  let moved = 0;
  let taken = 0;
  let twice = 0;
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
      contained ? { contained, deviceIds: [0, 8, 16, 24], takenIntids: [25] } : {},
    );
    const batch = new RecordBatch(1);
    for (let n = 0; n < 1000; n++) {
      batch.clear();
      generator.next(batch);
      if (batch.kind[0] === WIRE_SET && batch.words[0] === 25) taken++;
      if (batch.kind[0] === MSI_WRITE) devices.add(batch.words[1]!);
      step(machine, batch, 0);
      const tables = [0, 1, 2].map((pe) => residentTable(machine, pe)).filter((table) => table !== NO_TABLE);
      if (new Set(tables).size < tables.length) twice++;
      for (let i = 0; i < shown.count; i++)
        // 0 and 1 of UNPREDICTABLE: tables of a PE that are in use.
        if (shown.kind[i] === UNPREDICTABLE && shown.words[i * RECORD_WORDS] === 1) moved++;
      shown.clear();
    }
  }
  return { looks, outside, moved, taken, twice, devices };
}

describe('a contained guest', () => {
  const own = run(true);
  it('looks at memory, nearly always in RAM', () => {
    expect(own.looks).toBeGreaterThan(2000);
    expect(own.outside / own.looks).toBeLessThan(0.01);
  });
  it('does not move tables of LPIs in use', () => expect(own.moved).toBe(0));
  it('has no vPE on two PEs', () => expect(own.twice).toBe(0));
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
});
