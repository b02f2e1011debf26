// An LPI that is pending when its mapping ends: taken away by DISCARD, left behind by MAPD, or taken by the PE before.
import { NO_PE } from '@gictrace/core/record';
import { type CommandName, encodeCommand } from '@gictrace/core/spec';
import { afterAll, expect, it } from 'vitest';
import { type Cell, loadTraces, QueryDatabase } from '../../index.ts';
import { Recording, scratch } from '../../testing/synthetic.ts';

const folder = scratch();
afterAll(() => folder.dispose());
const [QUEUE, DEVICES, COLLECTIONS, ITT, PROPERTIES, PENDING] = [1, 2, 3, 4, 5, 6].map((k) => k * 0x10_0000);
const VALID = 1n << 63n;

/** One PE and an ITS that software has set up; commands are done as they are sent. */
class Guest extends Recording {
  private slot = 0;

  constructor() {
    super();
    this.setUp(0);
    this.mmio('write', 0, 'GICR', 0x70, BigInt(PROPERTIES!) | 15n, 8);
    this.mmio('write', 0, 'GICR', 0x78, BigInt(PENDING!) | (1n << 62n), 8);
    this.mmio('write', 0, 'GICR', 0, 1);
    this.add('mem.write', 0, { address: PROPERTIES!, width: 1, value: 0xa1 });
    this.mmio('write', 0, 'GITS', 0x100, VALID | BigInt(DEVICES!), 8);
    this.mmio('write', 0, 'GITS', 0x108, VALID | BigInt(COLLECTIONS!), 8);
    this.mmio('write', 0, 'GITS', 0x80, VALID | BigInt(QUEUE!), 8);
    for (const address of [DEVICES!, COLLECTIONS!, ITT!])
      this.add('mem.known', NO_PE, { address, length: 0x1000, byte: 0 });
    this.mmio('write', 0, 'GITS', 0, 1);
    this.send('MAPD', { DeviceID: 8, Size: 4, ITT_addr: ITT!, V: 1 });
    this.send('MAPC', { ICID: 0, RDbase: 0, V: 1 });
    this.send('MAPTI', { DeviceID: 8, EventID: 0, pINTID: 8192, ICID: 0 });
  }

  /** Answers the record of the command. */
  send(name: CommandName, operands: Readonly<Record<string, number>>): number {
    const w = encodeCommand(name, operands);
    const dw = (k: number) => (BigInt(w[2 * k + 1]!) << 32n) | BigInt(w[2 * k]!);
    const words = { dw0: dw(0), dw1: dw(1), dw2: dw(2), dw3: dw(3) };
    this.add('queue.write', 0, { its: 0, address: QUEUE! + 32 * this.slot, ...words });
    this.slot++;
    this.mmio('write', 0, 'GITS', 0x88, 32 * this.slot);
    return this.command(name, operands);
  }
}

it.each([
  ['DISCARD', { DeviceID: 8, EventID: 0 }, false, 1, 0],
  ['DISCARD', { DeviceID: 8, EventID: 0 }, true, 0, 0],
  ['MAPD', { DeviceID: 8, V: 0 }, false, 0, 1],
  ['MAPD', { DeviceID: 8, V: 0 }, true, 0, 0],
  ['MOVI', { DeviceID: 8, EventID: 0, ICID: 0 }, false, 0, 0],
] as const)('%s %j, taken before: %j', (name, operands, isTaken, lost, left) => {
  const guest = new Guest();
  guest.add('msi.write', NO_PE, { its: 0, DeviceID: 8, EventID: 0, width: 4 });
  if (isTaken) guest.sysreg('read', 0, 'ICC_IAR1_EL1', 8192);
  const end = guest.send(name, operands);
  const path = folder.path('orphans.db');
  loadTraces(path, [guest.source()]);
  const db = new QueryDatabase(path);
  const ask = (sql: string): Cell[][] =>
    [...db.ask(sql).rows].map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)));
  expect(ask('SELECT outcome FROM msis')).toEqual([['pended']]);
  expect(ask(`SELECT lost, left_pending FROM mapping_history WHERE to_record = ${end}`)).toEqual([
    [lost, left],
  ]);
  expect(ask('SELECT INTID, DeviceID, EventID, raised_by, outcome, lost_by FROM lost')).toEqual(
    lost === 1 ? [[8192, 8, 0, 'msi', 'discarded', 'DISCARD']] : [],
  );
  db.close();
});

it('two messages and one acknowledge are one that coalesced, and nothing that is lost', () => {
  const guest = new Guest();
  const [, second] = [0, 1].map(() =>
    guest.add('msi.write', NO_PE, { its: 0, DeviceID: 8, EventID: 0, width: 4 }),
  );
  guest.sysreg('read', 0, 'ICC_IAR1_EL1', 8192);
  guest.sysreg('write', 0, 'ICC_EOIR1_EL1', 8192);
  guest.wire(0, 27, 1);
  guest.wire(0, 27, 0);
  const path = folder.path('coalesced.db');
  loadTraces(path, [guest.source()]);
  const db = new QueryDatabase(path);
  const ask = (sql: string) => [...db.ask(sql).rows].map((row) => row.map(Number));
  expect(ask('SELECT DeviceID, EventID, INTID, messages, coalesced, first FROM coalesced')).toEqual([
    [8, 0, 8192, 2, 1, second],
  ]);
  expect(ask('SELECT INTID, lives, complete, deasserted, coalesced FROM lifecycle ORDER BY INTID')).toEqual([
    [27, 1, 0, 1, 0],
    [8192, 1, 1, 0, 1],
  ]);
  expect(ask('SELECT * FROM lost')).toEqual([]);
  db.close();
});
