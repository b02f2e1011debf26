// Tests unknown commands and unknown table entries: what the ITS does with them, what is unknown afterwards, and what
// makes it known again.
import { describe, expect, it, vi } from 'vitest';
import { ITT, QUEUE } from '../conformance/guest.ts';
import { RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { encodeCommand, ITS_OUTCOMES } from '../spec/index.ts';
import { Driver, testConfig, variant } from './driver.test-support.ts';
import { GicState } from './state.ts';
import { fold } from './step.ts';

const LPI = 8200;
/** Of the guest's ITS. */
const COLLECTIONS = 0x4400_0000;
const EVENT = { DeviceID: 1, EventID: 0 };

/** A driver with an event that is mapped to an enabled LPI of PE 0. */
function mapped(profile = 'architecture'): Driver {
  const d = new Driver(profile).enable().its();
  d.configure(LPI, 0xa1);
  d.map(1, 0, LPI, 0);
  return d;
}

/** Makes the ITS execute `count` slots in which only the bytes that `known` selects are known. */
function unshown(d: Driver, known: (byte: number) => boolean = () => false, count = 1): void {
  for (let n = 0; n < count; n++)
    for (let byte = 0; byte < 32; byte++)
      if (!known(byte)) d.forget(QUEUE + 32 * ((d.nextSlot + n) % 128) + byte, 1);
  d.advance(count);
}

const outcomes = (d: Driver) =>
  d.seen.filter((one) => one.kind === 'its.command').map(({ words }) => words[2]);

describe('a slot of the queue', () => {
  it('is an unknown command where any of its 32 bytes is unknown, and is executed where all are known', () => {
    let seed = 7;
    const random = () => {
      seed ^= seed << 13;
      seed ^= seed >>> 17;
      seed ^= seed << 5;
      return (seed >>> 0) / 2 ** 32;
    };
    for (let count = 0; count <= 32; count++)
      for (let run = 0; run < 4; run++) {
        const d = mapped();
        const bytes = Array.from({ length: 32 }, (_, byte) => byte).sort(() => random() - 0.5);
        const known = new Set(bytes.slice(0, count));
        const slot = d.nextSlot;
        d.queue(slot, encodeCommand('INT', EVENT));
        unshown(d, (byte) => known.has(byte));
        expect(outcomes(d), `${count} bytes known`).toEqual([
          count === 32 ? ITS_OUTCOMES.EXECUTED : ITS_OUTCOMES.NOT_SHOWN,
        ]);
        expect(d.saw('lpi.pended')).toBe(count === 32);
        expect(d.gits('GITS_CREADR')).toBe(32 * (slot + 1));
      }
  });

  it('of zeros is a command that does not exist, where they are known', () => {
    const d = mapped();
    d.queue(d.nextSlot, new Uint32Array(8));
    unshown(d, () => true);
    expect(outcomes(d)).toEqual([ITS_OUTCOMES.UNKNOWN_COMMAND]);
  });

  it('that is unknown is consumed as the queue begins again, and says nothing of what it holds', () => {
    const d = mapped();
    while (d.nextSlot < 126) d.command('SYNC', { RDbase: 0 });
    unshown(d, () => false, 4);
    const commands = d.seen.filter((one) => one.kind === 'its.command');
    expect(commands.map(({ words }) => words.slice(1, 12))).toEqual(
      [126, 127, 0, 1].map((slot) => [slot, ITS_OUTCOMES.NOT_SHOWN, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    );
    expect(d.gits('GITS_CREADR')).toBe(64);
  });

  it('that is unknown costs no walk through the tables if one before it is, too; after a known command it does', () => {
    const walks = (run: (d: Driver) => void) => {
      const d = mapped();
      const looks = vi.spyOn(d.machine.state.memory, 'anyKnown');
      run(d);
      return looks.mock.calls.length;
    };
    const one = walks((d) => unshown(d));
    expect(one).toBeGreaterThan(0);
    expect(walks((d) => unshown(d, () => false, 60))).toBe(one);
    const collection = (d: Driver) => {
      const slot = d.nextSlot;
      d.queue(slot + 1, encodeCommand('MAPC', { ICID: 0, RDbase: 1, V: 1 }));
      for (const n of [0, 2]) d.forget(QUEUE + 32 * (slot + n), 32);
      d.advance(3);
      expect(outcomes(d)).toEqual([ITS_OUTCOMES.NOT_SHOWN, ITS_OUTCOMES.EXECUTED, ITS_OUTCOMES.NOT_SHOWN]);
      expect(d.machine.state.memory.areKnown(COLLECTIONS, 8)).toBe(false);
    };
    expect(walks(collection)).toBeGreaterThan(one);
  });

  it.each(['stall', 'ignore', 'serror'] as const)('is not refused under the policy %s', (policy) => {
    const d = mapped(variant('architecture', { itsErrors: policy }));
    unshown(d);
    expect(d.saw('serror.raised')).toBe(false);
    expect(d.command('SYNC', { RDbase: 0 })).toBe(ITS_OUTCOMES.EXECUTED);
  });
});

describe('after a command that nobody has shown', () => {
  it('it is open what becomes of a message and of a command that looks an event up', () => {
    const d = mapped();
    unshown(d);
    d.msi(1, 0);
    expect(d.seen.map(({ kind }) => kind)).toEqual(['msi.undecided']);
    for (const name of ['INT', 'CLEAR', 'INV', 'DISCARD'] as const)
      expect(d.command(name, EVENT), name).toBe(ITS_OUTCOMES.UNDECIDED);
    expect(d.command('MOVI', { ...EVENT, ICID: 1 })).toBe(ITS_OUTCOMES.UNDECIDED);
    expect(d.command('MAPTI', { ...EVENT, pINTID: LPI, ICID: 0 })).toBe(ITS_OUTCOMES.UNDECIDED);
    expect(d.command('INVALL', { ICID: 0 })).toBe(ITS_OUTCOMES.UNDECIDED);
    expect(d.command('SYNC', { RDbase: 0 })).toBe(ITS_OUTCOMES.EXECUTED);
    // No entry is invented, and the LPI is not pending.
    expect(d.pending(0, LPI)).toBe(false);
  });

  it('what is mapped again is known', () => {
    const d = mapped();
    unshown(d);
    d.command('MAPC', { ICID: 0, RDbase: 1, V: 1 });
    d.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: 0x4600_8000, V: 1 });
    expect(d.command('MAPTI', { ...EVENT, pINTID: LPI, ICID: 0 })).toBe(ITS_OUTCOMES.EXECUTED);
    d.msi(1, 0);
    expect(d.seen.find(({ kind }) => kind === 'msi.translated')).toMatchObject({ pe: 1 });
    d.msi(2, 0);
    expect(d.saw('msi.undecided')).toBe(true);
  });

  it('an event is open again that a command may have discarded', () => {
    const d = mapped();
    unshown(d);
    d.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: 0x4600_8000, V: 1 });
    d.command('MAPTI', { ...EVENT, pINTID: LPI, ICID: 0 });
    // Whether it is refused depends on the collection, which is unknown.
    expect(d.command('DISCARD', EVENT)).toBe(ITS_OUTCOMES.UNDECIDED);
    d.command('MAPC', { ICID: 0, RDbase: 1, V: 1 });
    d.msi(1, 0);
    expect(d.seen.map(({ kind }) => kind)).toEqual(['dte.read', 'msi.undecided']);
  });

  it('of one ITS the other one translates as before', () => {
    const config = testConfig('architecture', 2, { its: 2 });
    const d = new Driver('architecture', 2, config).enable().its();
    d.configure(LPI, 0xa1);
    d.map(1, 0, LPI, 0);
    d.second();
    d.forget(0x4b20_0000, 32);
    d.access('GITS', 1, 0x88, 8, 32);
    expect(outcomes(d)).toEqual([ITS_OUTCOMES.NOT_SHOWN]);
    d.msi(1, 0);
    expect(d.saw('msi.translated')).toBe(true);
    d.msi(1, 0, 4, 1);
    expect(d.saw('msi.undecided')).toBe(true);
  });

  it('two-level tables keep their first level, which software writes', () => {
    const d = mapped();
    d.indirectDevices();
    d.map(2, 0, LPI, 0);
    unshown(d);
    d.msi(2, 0);
    expect(d.saw('msi.undecided')).toBe(true);
    d.command('MAPD', { DeviceID: 2, Size: 4, ITT_addr: 0x4600_8000, V: 1 });
    d.command('MAPC', { ICID: 0, RDbase: 0, V: 1 });
    d.command('MAPTI', { DeviceID: 2, EventID: 0, pINTID: LPI, ICID: 0 });
    d.msi(2, 0);
    expect(d.saw('msi.translated')).toBe(true);
  });

  it('the state is the fold of the events, and a snapshot goes on as it does', () => {
    const config = testConfig('architecture');
    const d = new Driver('architecture', 2, config);
    const events = new RecordBatch(65_536);
    d.tap = () => {
      for (const { kind, pe, words } of d.seen) {
        const i = events.push(RECORDS[kind].id, pe, Number.NaN);
        events.words.set(words, i * RECORD_WORDS);
      }
    };
    d.enable().its();
    d.configure(LPI, 0xa1);
    d.map(1, 0, LPI, 0);
    unshown(d);
    d.command('INT', EVENT);
    const folded = new GicState(config);
    fold(folded, events);
    expect(folded.digest()).toBe(d.machine.state.digest());
    const other = new GicState(config);
    other.restore(d.machine.state.save());
    expect(other.digest()).toBe(folded.digest());
    expect(other.memory.isKnown(ITT + 0x1000)).toBe(false);
  });
});
