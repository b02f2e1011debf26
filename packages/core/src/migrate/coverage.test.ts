// The table of what is saved is what `save` does, and what it says of the other registers is what the model does.
import { describe, expect, it } from 'vitest';
import { Machine } from '../model/index.ts';
import { readMmio, writeMmio } from '../model/mmio.ts';
import { configOf, PLAIN } from '../profile/index.ts';
import { GICD, GICR, GITS, type RegisterSpec, type RegisterTable } from '../spec/index.ts';
import { type Coverage, GICD_COVERAGE, GICR_COVERAGE, GITS_COVERAGE } from './coverage.ts';
import { save } from './index.ts';

const config = configOf('architecture', PLAIN, 2);
const FRAMES: readonly (readonly [string, RegisterTable, Readonly<Record<string, Coverage>>])[] = [
  ['GICD', GICD, GICD_COVERAGE],
  ['GICR', GICR, GICR_COVERAGE],
  ['GITS', GITS, GITS_COVERAGE],
];
/** A register as `save` names it: without the number of an element, and what else it says of it. */
const nameOf = (name: string) => name.replace(/ \(.*$/, '').replace(/\d+$/, '');

describe.each(FRAMES)('%s', (frame, table, coverage) => {
  it('has in what is saved exactly the registers that the table says', () => {
    const saved = new Set(
      save(new Machine(config))
        .filter(({ name }) => name.startsWith(`${frame}_`))
        .map(({ name }) => nameOf(name)),
    );
    const said = Object.keys(coverage).filter((name) => coverage[name] === 'saved');
    expect([...saved].sort()).toEqual(said.sort());
  });

  it('names registers that are saved where another one holds the state', () => {
    for (const [name, one] of Object.entries(coverage)) {
      if (!one.startsWith('state of ')) continue;
      const other = one.slice('state of '.length);
      expect(['saved', 'not saved'], name).toContain(coverage[other]);
    }
  });

  it('holds nothing in a register that is an action, a constant or not modelled', () => {
    const number = FRAMES.findIndex(([name]) => name === frame);
    for (const [name, one] of Object.entries(coverage)) {
      if (one !== 'action' && one !== 'constant' && one !== 'not modelled') continue;
      const machine = new Machine(config);
      const { offset, bytes, accessBytes } = table[name] as RegisterSpec;
      const width = accessBytes.includes(bytes) ? bytes : 4;
      const read = () => {
        readMmio(machine, number, 0, offset, width);
        return [machine.low, machine.high];
      };
      const before = read();
      writeMmio(machine, number, 0, offset, width, 0xffff_ffff, 0xffff_ffff);
      expect(read(), name).toEqual(before);
    }
  });
});
