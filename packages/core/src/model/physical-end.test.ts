// Nothing is written beyond the last physical address, whatever a trace says about where tables and commands are.
import { expect, it } from 'vitest';
import { NO_PE, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { ADDRESSES } from '../spec/index.ts';
import { Driver } from './driver.test-support.ts';
import { COMMAND_BYTES } from './its-tables.ts';
import { step } from './step.ts';

const LAST_ITT = ADDRESSES - 256;

/** The ends of what a driver wrote to memory, as distances to the last address. */
const beyond = (d: Driver) =>
  d.seen
    .filter(({ kind }) => kind === 'mem.written')
    .map(({ words }) => words[1]! * 2 ** 32 + words[0]! + words[2]! - ADDRESSES);

it.each(['architecture', 'qemu-virt', 'kvm'])('entries of a table that ends there, under %s', (profile) => {
  const d = new Driver(profile).enable().its();
  d.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: LAST_ITT, V: 1 });
  for (let EventID = 0; EventID < 32; EventID++) {
    d.command('MAPTI', { DeviceID: 1, EventID, pINTID: 8192 + EventID, ICID: 0 });
    expect(beyond(d).every((end) => end <= 0)).toBe(true);
    d.msi(1, EventID);
  }
});

it('a command that ends there is written, and one that does not end is not modelled', () => {
  const { machine } = new Driver('architecture').enable().its();
  const batch = new RecordBatch(1);
  for (const [left, fits] of [
    [COMMAND_BYTES, true],
    [COMMAND_BYTES - 1, false],
    [1, false],
  ] as const) {
    const address = ADDRESSES - left;
    batch.clear();
    batch.words.set(
      [0, address >>> 0, Math.floor(address / 2 ** 32), 1, 2, 3, 4, 5, 6, 7, 8],
      batch.push(RECORDS['queue.write'].id, NO_PE, Number.NaN) * RECORD_WORDS,
    );
    step(machine, batch, 0);
    expect(machine.unsupported).toBe(!fits);
    expect(machine.state.memory.areKnown(ADDRESSES - 8, 8)).toBe(true);
    expect(machine.state.memory.readWord(ADDRESSES - 4)).toBe(8);
  }
});
