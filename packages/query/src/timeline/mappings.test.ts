// Mappings over time: by hand for each command, and against a plain map for random ones.
import type { CommandName } from '@gictrace/core/spec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONFIG, Recording } from '../testing/synthetic.ts';
import { commandRow } from './commands.ts';
import { type MappingRow, Mappings } from './mappings.ts';

type Command = readonly [CommandName, Readonly<Record<string, number>>];
type Cell = number | string | null;
const ALL = 0xffff_ffff;
const COLUMNS = [
  ...([
    'DeviceID',
    'EventID',
    'INTID',
    'virtual',
    'ICID',
    'vPEID',
    'pe',
    'from_record',
    'to_record',
  ] as const),
  ...(['made_by', 'ended_by'] as const),
];

/** A row for each mapping, its columns as {@link COLUMNS}. A command is recorded right behind its stimulus. */
function run(commands: readonly Command[], shown = ALL, config = CONFIG): Cell[][] {
  const rows: MappingRow[] = [];
  const mappings = new Mappings(config, (row) => rows.push(row));
  const recording = new Recording(10);
  for (const [name, operands] of commands) recording.command(name, operands, { shown });
  for (let i = 0; i < recording.batch.count; i++) mappings.take(commandRow(recording.batch, i, i), i - 1);
  mappings.finish();
  for (const row of rows) {
    expect(row.from_stimulus).toBe(row.from_record - 1);
    expect(row.to_stimulus).toBe(row.to_record === null ? null : row.to_record - 1);
  }
  return rows
    .sort((a, b) => a.from_record - b.from_record)
    .map((row) => COLUMNS.map((column) => row[column]));
}
const event = { DeviceID: 8, EventID: 2 };
const place = (ICID: number, RDbase: number, V = 1): Command => ['MAPC', { ICID, RDbase, V }];

describe('mappings', () => {
  test('an event moves with MOVI and ends with DISCARD', () => {
    expect(
      run([
        place(0, 0),
        place(1, 1),
        ['MAPTI', { ...event, pINTID: 8194, ICID: 0 }],
        ['MOVI', { ...event, ICID: 1 }],
        ['DISCARD', event],
      ]),
    ).toEqual([
      [8, 2, 8194, 0, 0, null, 0, 2, 3, 'MAPTI', 'MOVI'],
      [8, 2, 8194, 0, 1, null, 1, 3, 4, 'MOVI', 'DISCARD'],
    ]);
  });

  test('a collection that moves takes its events along; one that is mapped where it was does not', () => {
    expect(
      run([
        place(0, 0),
        ['MAPI', { DeviceID: 8, EventID: 8200, ICID: 0 }],
        place(0, 0),
        place(0, 1),
        place(0, 0, 0),
      ]),
    ).toEqual([
      [8, 8200, 8200, 0, 0, null, 0, 1, 3, 'MAPI', 'MAPC'],
      [8, 8200, 8200, 0, 0, null, 1, 3, 4, 'MAPC', 'MAPC'],
      [8, 8200, 8200, 0, 0, null, null, 4, null, 'MAPC', null],
    ]);
  });

  test('a device that is unmapped, or mapped again, has no events', () => {
    const map: Command = ['MAPTI', { ...event, pINTID: 8194, ICID: 0 }];
    expect(run([map, ['MAPD', { DeviceID: 8, V: 0 }], map, ['MAPD', { DeviceID: 8, V: 1 }]])).toEqual([
      [8, 2, 8194, 0, 0, null, null, 0, 1, 'MAPTI', 'MAPD V=0'],
      [8, 2, 8194, 0, 0, null, null, 2, 3, 'MAPTI', 'MAPD'],
    ]);
  });

  test('a virtual mapping ends the physical one and follows its vPE', () => {
    expect(
      run([
        ['VMAPP', { vPEID: 5, RDbase: 0, V: 1 }],
        ['MAPTI', { ...event, pINTID: 8214, ICID: 0 }],
        ['VMAPTI', { ...event, vINTID: 8192, vPEID: 5 }],
        ['VMOVP', { vPEID: 5, RDbase: 1 }],
        ['VMOVI', { ...event, vPEID: 6 }],
      ]),
    ).toEqual([
      [8, 2, 8214, 0, 0, null, null, 1, 2, 'MAPTI', 'VMAPTI'],
      [8, 2, 8192, 1, null, 5, 0, 2, 3, 'VMAPTI', 'VMOVP'],
      [8, 2, 8192, 1, null, 5, 1, 3, 4, 'VMOVP', 'VMOVI'],
      [8, 2, 8192, 1, null, 6, null, 4, null, 'VMOVI', null],
    ]);
  });

  test('an operand that is not shown is not taken to be zero', () => {
    // MAPTI: DeviceID, EventID and pINTID are shown, ICID is not.
    expect(run([['MAPTI', { ...event, pINTID: 8194, ICID: 0 }]], 0b0111)).toEqual([
      [8, 2, 8194, 0, null, null, null, 0, null, 'MAPTI', null],
    ]);
    expect(run([['MAPTI', { ...event, pINTID: 8194, ICID: 0 }]], 0b1110)).toEqual([]);
  });

  test('RDbase is an address where GITS_TYPER.PTA says so', () => {
    const its = CONFIG.its.map((one) => ({
      ...one,
      typer: `0x${(BigInt(one.typer) | (1n << 19n)).toString(16)}`,
    }));
    const map: Command = ['MAPTI', { ...event, pINTID: 8194, ICID: 0 }];
    const pe = (rdbase: number) => run([place(0, rdbase), map], ALL, { ...CONFIG, its })[0]![6];
    expect([pe(CONFIG.addresses.gicr[1]! / 0x1_0000), pe(1)]).toEqual([1, null]);
  });

  test('random commands leave open what a plain map has, and rows of one event never overlap', () => {
    const small = fc.integer({ min: 0, max: 2 });
    const command: fc.Arbitrary<Command> = fc.oneof(
      fc
        .tuple(small, small, small)
        .map(([d, e, c]): Command => ['MAPTI', { DeviceID: d, EventID: e, pINTID: 8192 + d, ICID: c }]),
      fc
        .tuple(small, small, small)
        .map(([d, e, c]): Command => ['MOVI', { DeviceID: d, EventID: e, ICID: c }]),
      fc.tuple(small, small).map(([d, e]): Command => ['DISCARD', { DeviceID: d, EventID: e }]),
      fc.tuple(small, fc.integer({ min: 0, max: 1 })).map(([c, pe]): Command => place(c, pe)),
      small.map((d): Command => ['MAPD', { DeviceID: d, V: 0 }]),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const icids = new Map<string, number>();
        const pes = new Map<number, number>();
        for (const [name, o] of commands) {
          const key = `${o.DeviceID}.${o.EventID}`;
          if (name === 'MAPTI' || (name === 'MOVI' && icids.has(key))) icids.set(key, o.ICID!);
          else if (name === 'DISCARD') icids.delete(key);
          else if (name === 'MAPC') pes.set(o.ICID!, o.RDbase!);
          else if (name === 'MAPD')
            for (const k of [...icids.keys()]) if (k.startsWith(`${o.DeviceID}.`)) icids.delete(k);
        }
        const rows = run(commands);
        const open = rows
          .filter((row) => row[8] === null)
          .map((row) => [`${row[0]}.${row[1]}`, row[4], row[6]]);
        const expected = [...icids].map(([key, icid]) => [key, icid, pes.get(icid) ?? null]);
        const byKey = (a: Cell[], b: Cell[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
        expect((open as Cell[][]).sort(byKey)).toEqual(expected.sort(byKey));
        const until = new Map<string, number>();
        for (const row of rows) {
          const key = `${row[0]}.${row[1]}`;
          expect(row[7] as number).toBeGreaterThanOrEqual(until.get(key) ?? 0);
          until.set(key, (row[8] as number | null) ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });
});
