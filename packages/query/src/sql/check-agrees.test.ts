// SQL and the checks agree on what went wrong: commands that only the simulator finds in error, and interrupts that were lost
// by INT, in list registers and in pending tables.
import { Guest } from '@gictrace/core/conformance';
import { configOf, type Hardware, PLAIN } from '@gictrace/core/profile';
import { RecordBatch } from '@gictrace/core/record';
import { GICR } from '@gictrace/core/spec';
import { afterAll, describe, expect, test } from 'vitest';
import { type Cell, loadTraces, QueryDatabase } from '../index.ts';
import { scratch } from '../testing/synthetic.ts';

const folder = scratch();
afterAll(() => folder.dispose());

/** Rows about what a guest does. The trace has its stimuli only. */
function asked(act: (g: Guest) => void, sql: string, hardware: Partial<Hardware> = {}): Cell[][] {
  const config = configOf('architecture', { ...PLAIN, ...hardware }, 2);
  const guest = new Guest(config);
  const batch = new RecordBatch(1024);
  guest.tap = (one) => batch.copy(one, 0);
  act(guest);
  const path = folder.path('agrees.db');
  const header = { config, source: { kind: 'jsonl', name: 'guest' } };
  loadTraces(path, [
    { name: 'guest', header, contentDigest: null, semanticDigest: null, batches: [{ batch, first: 0 }] },
  ]);
  const db = new QueryDatabase(path);
  try {
    return [...db.ask(sql).rows].map((row) =>
      row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)),
    );
  } finally {
    db.close();
  }
}
const LOST = 'SELECT class, INTID, DeviceID, EventID, raised_by, outcome, lost_by FROM lost';
const mapped = (g: Guest) => {
  g.enable().its();
  g.configure(8200, 0xa1);
  g.map(1, 0, 8200, 0);
};

describe('its_commands', () => {
  test('has the commands that a source does not record, with the outcome on the simulator', () => {
    const rows = asked((g) => {
      mapped(g);
      g.command('INT', { DeviceID: 1, EventID: 7 });
    }, 'SELECT op, DeviceID, EventID, outcome, model_outcome FROM its_commands ORDER BY record');
    expect(rows.map((row) => row[0])).toEqual(['MAPC', 'MAPC', 'MAPD', 'MAPTI', 'INT']);
    expect(rows.slice(0, 4).every((row) => row[3] === null && row[4] === 'EXECUTED')).toBe(true);
    expect(rows[4]).toEqual(['INT', 1, 7, null, 'E_ITS_INT_UNMAPPED_INTERRUPT']);
  });

  test('maps what such commands map', () => {
    expect(asked(mapped, 'SELECT DeviceID, EventID, INTID FROM mappings WHERE EventID IS NOT NULL')).toEqual([
      [1, 0, 8200],
    ]);
  });
});

describe('lost', () => {
  test('has an INT that the ITS refused, and one for a PE whose LPIs are disabled', () => {
    const rows = asked((g) => {
      // The LPIs of no PE are enabled.
      g.enable().itsOnly().map(1, 0, 8200, 1);
      g.command('INT', { DeviceID: 1, EventID: 0 });
      g.command('INT', { DeviceID: 1, EventID: 7 });
    }, LOST);
    expect(rows).toEqual([
      [null, null, 1, 7, 'its-command', 'dropped', 'E_ITS_INT_UNMAPPED_INTERRUPT'],
      [null, null, 1, 0, 'its-command', 'dropped', 'lpis-disabled'],
    ]);
  });

  test('has an interrupt whose list register was overwritten', () => {
    const rows = asked((g) => {
      g.write(0, 'ICH_VMCR_EL2', 0xf800_0003);
      g.write(0, 'ICH_HCR_EL2', 1);
      g.write(0, 'ICH_LR0_EL2', 40, 0x50a0_0000);
      g.write(0, 'ICH_LR0_EL2', 41, 0x50a0_0000);
      g.read(0, 'ICV_IAR1_EL1');
    }, LOST);
    expect(rows).toEqual([
      ['list register', 40, null, null, 'list-register', 'overwritten', 'list-register-overwritten'],
    ]);
  });

  test('has what was pending in tables that software says are zero', () => {
    const physical = asked((g) => {
      g.zero(0x4200_0000, 0x2_0000);
      g.store(0x4200_0401, 2);
      g.wide('GICR', 0, GICR.GICR_PROPBASER.offset, 0x4100_000f, 0);
      g.wide('GICR', 0, GICR.GICR_PENDBASER.offset, 0x4200_0000, 0x4000_0000);
      g.gicr(0, 'GICR_CTLR', 1);
    }, LOST);
    expect(physical).toEqual([['LPI', 8201, null, null, 'table', 'overwritten', 'pending-table-not-zero']]);
    const virtual = asked(
      (g) => {
        g.enable().its().virtual();
        g.mapVirtual(1, 0, 0, 8192);
        g.msi(1, 0);
        g.command('VMAPP', { vPEID: 0, V: 0 });
        g.mapVpe(0, 0);
      },
      LOST,
      { architecture: 4, virtualLpis: '4.1' },
    );
    expect(virtual).toEqual([['vLPI', 8192, 1, 0, 'msi', 'unmapped', 'VMAPP']]);
  });
});
