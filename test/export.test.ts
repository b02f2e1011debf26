// Exports of recordings, read back by readers of their own: what Perfetto shows is held against the views of the
// database, what a waveform viewer shows against the records.
import { readFileSync } from 'node:fs';
import { RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { exportTrace, loadTraces, QueryDatabase } from '@gictrace/query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePerfetto, parseVcd, type TrackEvent } from '../packages/query/src/testing/foreign-formats.ts';
import { allBatches, imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

type Row = (number | string | null)[];
const byText = (rows: Row[]) => rows.map((row) => row.join(' ')).sort();

describe.each(['its-trigger', 'linux-gicv3-plugin-head', 'linux-gicv3-spi-head', 'linux-gicv4-kvm'])(
  '%s',
  (name) => {
    const path = temp.path(`${name}.gictrace`);
    let batches: RecordBatch[];
    let db: QueryDatabase;
    /** The time at which an export shows each record: never before one that came earlier. */
    const shownAt: number[] = [];

    beforeAll(async () => {
      await imported(recording(`${name}.log.gz`), path);
      const all = allBatches(path);
      batches = all.batches;
      const file = temp.path(`${name}.db`);
      loadTraces(file, [
        {
          name,
          header: all.reader.header,
          contentDigest: null,
          semanticDigest: null,
          batches: all.reader.batches(),
        },
      ]);
      all.reader.close();
      db = new QueryDatabase(file);
      const timed = batches.some((batch) => batch.timeNs.some((time) => !Number.isNaN(time)));
      let latest = 0;
      for (const batch of batches)
        for (let i = 0; i < batch.count; i++) {
          if (!timed) latest = shownAt.length;
          else if (batch.timeNs[i]! > latest) latest = batch.timeNs[i]!;
          shownAt.push(latest);
        }
    });
    afterAll(() => db?.close());

    const rows = (sql: string): Row[] =>
      [...db.ask(sql).rows].map((row) =>
        row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : (cell as Row[number]))),
      );

    describe('Perfetto', () => {
      let perfetto: ReturnType<typeof decodePerfetto>;
      let wrote: Readonly<Record<string, number>>;
      const on = (process: RegExp, track: RegExp) =>
        perfetto.events.filter(
          (event) =>
            track.test(event.track.name) &&
            process.test(perfetto.tracks.get(event.track.parent ?? 0)?.name ?? ''),
        );
      const intidOf = (event: TrackEvent) => Number(event.name!.replace(/v?INTID /, ''));
      /** How many of the slices that were read last do not end. */
      let unended = 0;
      /** Process, INTID, first record and last record of each slice. `last` are the arguments that have the last record. */
      const slicesOn = (process: RegExp, track: RegExp, ...last: string[]): Row[] => {
        const open = new Map<number, TrackEvent>();
        const slices: Row[] = [];
        const row = (begin: TrackEvent, end: number | null): Row => [
          perfetto.tracks.get(begin.track.parent!)!.name,
          intidOf(begin),
          begin.more.record as number,
          end,
        ];
        for (const event of on(process, track)) {
          const begin = open.get(event.track.uuid);
          if (event.type === 1) {
            expect(begin).toBe(undefined);
            expect(event.time).toBe(shownAt[event.more.record as number]);
            open.set(event.track.uuid, event);
            continue;
          }
          expect(event.type).toBe(2);
          open.delete(event.track.uuid);
          const end = last.map((one) => event.more[one]).find((one) => typeof one === 'number');
          if (end !== undefined) expect(event.time).toBe(shownAt[end]);
          slices.push(row(begin!, end === undefined ? null : (end as number)));
        }
        for (const begin of open.values()) slices.push(row(begin, null));
        unended = open.size;
        return slices;
      };

      beforeAll(() => {
        const summary = exportTrace(path, 'perfetto', temp.path(`${name}.pftrace`));
        wrote = summary.wrote;
        const bytes = readFileSync(temp.path(`${name}.pftrace`));
        expect(summary.bytes).toBe(bytes.length);
        expect(summary.records).toBe(shownAt.length);
        perfetto = decodePerfetto(bytes);
      });

      it('has the slices, signals and counts that `interrupts` has', () => {
        const slices = slicesOn(/^PE \d+$/, /^handled/, 'eoi').map(([process, ...rest]) => [
          Number(String(process).slice(3)),
          ...rest,
        ]);
        const sql = 'SELECT pe, INTID, acknowledged, eoi FROM interrupts WHERE acknowledged IS NOT NULL';
        expect(byText(slices)).toEqual(byText(rows(sql)));
        expect(wrote.slices).toBe(slices.length);
        expect(wrote.unfinished).toBe(unended);

        const signalled = on(/^PE \d+$/, /^signalled$/);
        expect(byText(signalled.map((event) => [intidOf(event), event.more.record as number]))).toEqual(
          byText(rows('SELECT INTID, signalled FROM interrupts WHERE signalled IS NOT NULL')),
        );
        for (const event of signalled) expect(event.time).toBe(shownAt[event.more.record as number]);
      });

      it('has what was pending, physical and virtual, as the views have it', () => {
        const sql = (view: string, intid: string) =>
          `SELECT ${intid}, pended, coalesce(acknowledged, withdrawn) FROM ${view} WHERE pended IS NOT NULL`;
        const pending = slicesOn(/^PE /, /^pending/, 'acknowledged', 'withdrawn').map(([, ...rest]) => rest);
        expect(byText(pending)).toEqual(byText(rows(sql('interrupts', 'INTID'))));
        const virtual = slicesOn(/^vPE /, /^pending/, 'acknowledged', 'withdrawn');
        expect(byText(virtual.map(([, ...rest]) => rest))).toEqual(
          byText(rows(sql('vinterrupts', 'vINTID'))),
        );
        expect([wrote.pendingSlices, wrote.virtualPendingSlices]).toEqual([pending.length, virtual.length]);
        const handled = slicesOn(/^(vPE|list registers)/, /^handled/, 'eoi');
        expect(byText(handled)).toEqual(
          byText(
            rows(
              `SELECT CASE WHEN vPEID IS NOT NULL THEN 'vPE ' || vPEID WHEN VPT_addr IS NOT NULL THEN 'vPE with its table at ' || lower(printf('0x%x', VPT_addr)) ELSE 'list registers of PE ' || pe END, vINTID, acknowledged, eoi FROM vinterrupts WHERE acknowledged IS NOT NULL`,
            ),
          ),
        );
        expect(wrote.virtualSlices).toBe(handled.length);
      });

      it('has an arrow from each message to what it made pending, and on to where that was handled', () => {
        const flows = new Map<number, string[]>();
        const sorted = perfetto.events
          .map((event, k) => ({ event, k }))
          .sort((a, b) => a.event.time - b.event.time || a.k - b.k);
        for (const { event } of sorted)
          for (const id of event.flows) {
            const track = event.track.name.split(/[ ,]/)[0]!;
            flows.set(id, [...(flows.get(id) ?? []), `${track} ${event.more.record}${event.ends.length}`]);
          }
        const wanted = rows(
          `SELECT m.record, i.pended, i.acknowledged FROM msis m JOIN (SELECT trace, asserted, pended, acknowledged, cause FROM interrupts UNION ALL SELECT trace, pended, pended, acknowledged, cause FROM vinterrupts) i
           ON i.trace = m.trace AND i.asserted = m.record AND i.cause = 'msi' AND i.pended IS NOT NULL`,
        ) as [number, number, number | null][];
        expect([...flows].sort(([a], [b]) => a - b)).toEqual(
          wanted
            .sort(([a], [b]) => a - b)
            .map(([from, pended, acknowledged]) => [
              from + 1,
              [
                `DeviceID ${from}0`,
                `pending ${pended}0`,
                ...(acknowledged === null ? [] : [`handled ${acknowledged}1`]),
              ],
            ]),
        );
        expect(wrote.flows).toBe(wanted.length);
        if (name === 'linux-gicv4-kvm') expect(wanted.length).toBeGreaterThan(1000);
      });

      it('counts what is pending', () => {
        const change = new Map<number, number>();
        const add = (record: number, n: number) => change.set(record, (change.get(record) ?? 0) + n);
        const sql =
          'SELECT pended, coalesce(acknowledged, withdrawn) FROM interrupts WHERE pended IS NOT NULL';
        for (const [pended, ended] of rows(sql) as [number, number | null][]) {
          add(pended, 1);
          if (ended !== null) add(ended, -1);
        }
        let value = 0;
        const expected = [[0, 0]];
        for (const [record, n] of [...change].sort(([a], [b]) => a - b)) {
          value += n;
          if (n !== 0) expected.push([shownAt[record]!, value]);
        }
        const counter = perfetto.events.filter((event) => event.track.counter);
        const first = expected[0]!;
        expect(counter[0]).toMatchObject({ value: first[1] });
        expect(counter.slice(1).map((event) => [event.time, event.value])).toEqual(expected.slice(1));
      });

      it('has the commands and messages that `its_commands` and `msis` have', () => {
        const commands = on(/^ITS \d+$/, /^commands$/);
        expect(
          byText(commands.map(({ name, more }) => [more.record!, more.slot!, name!, more.outcome!])),
        ).toEqual(byText(rows("SELECT record, slot, op, coalesce(outcome, 'unknown') FROM its_commands")));
        const msis = on(/^devices$/, /^DeviceID/);
        expect(
          byText(
            msis.map(({ track, name, more }) => [
              more.record!,
              Number(track.name.split(' ')[1]),
              Number(name!.split(' ')[1]),
              more.INTID ?? more.vINTID!,
              more.outcome!,
            ]),
          ),
        ).toEqual(
          byText(
            rows(
              "SELECT record, DeviceID, EventID, coalesce(INTID, 'unknown'), coalesce(outcome, 'unknown') FROM msis",
            ),
          ),
        );
        for (const { time, more } of [...commands, ...msis])
          expect(time).toBe(shownAt[more.record as number]);
        expect([wrote.commands, wrote.msis]).toEqual([commands.length, msis.length]);
      });
    });

    describe('VCD', () => {
      let vcd: ReturnType<typeof parseVcd>;
      beforeAll(() => {
        exportTrace(path, 'vcd', temp.path(`${name}.vcd`));
        vcd = parseVcd(readFileSync(temp.path(`${name}.vcd`), 'utf8'));
      });

      /** Values as a dump has them: x first, then each that differs from the one before. */
      const changes = (told: (readonly [number, string])[]) => {
        const out: (readonly [number, string])[] = [[0, 'x']];
        for (const [record, value] of told) if (value !== out.at(-1)![1]) out.push([shownAt[record]!, value]);
        return out;
      };
      const each = (kind: number, visit: (batch: RecordBatch, i: number, record: number) => void) => {
        let record = 0;
        for (const batch of batches)
          for (let i = 0; i < batch.count; i++, record++) if (batch.kind[i] === kind) visit(batch, i, record);
      };

      it('has the sequence of lines, candidates and wires that the records have', () => {
        const told = new Map<string, [number, string][]>();
        const tell = (signal: string, record: number, value: number) => {
          if (!told.has(signal)) told.set(signal, []);
          told.get(signal)!.push([record, value.toString(2)]);
        };
        each(RECORDS.hppi.id, ({ words, pe }, i, record) => {
          const at = i * RECORD_WORDS;
          tell(`gic.PE${pe[i]}.hppi_INTID`, record, words[at]!);
          tell(`gic.PE${pe[i]}.FIQ`, record, words[at + 3]!);
          tell(`gic.PE${pe[i]}.IRQ`, record, words[at + 4]!);
        });
        each(RECORDS.vhppi.id, ({ words, pe }, i, record) => {
          tell(`gic.PE${pe[i]}.vFIQ`, record, words[i * RECORD_WORDS + 4]!);
          tell(`gic.PE${pe[i]}.vIRQ`, record, words[i * RECORD_WORDS + 5]!);
        });
        each(RECORDS['wire.set'].id, ({ words, pe }, i, record) => {
          const intid = words[i * RECORD_WORDS]!;
          const signal = pe[i]! < 0 ? `gic.wires.SPI${intid}` : `gic.PE${pe[i]}.PPI${intid}`;
          if (vcd.signals.has(signal)) tell(signal, record, words[i * RECORD_WORDS + 1]!);
          else expect(words[i * RECORD_WORDS + 1]).toBe(0);
        });
        for (const [signal, values] of told)
          expect(vcd.signals.get(signal)?.changes, signal).toEqual(changes(values));
        for (const [signal, { changes: shown }] of vcd.signals)
          if (/IRQ|FIQ|hppi|PPI|SPI/.test(signal) && !told.has(signal))
            expect(shown, signal).toEqual([[0, 'x']]);
        expect(vcd.end).toBe(shownAt.at(-1));
      });

      it('has what runs as `interrupts` has it', () => {
        const lives = rows(
          'SELECT pe, INTID, acknowledged, eoi FROM interrupts WHERE acknowledged IS NOT NULL',
        );
        const steps = lives.flatMap((life) => [
          { record: life[2] as number, life, begins: true },
          ...(life[3] === null ? [] : [{ record: life[3] as number, life, begins: false }]),
        ]);
        steps.sort((a, b) => a.record - b.record);
        const stacks = new Map<number, Row[]>();
        const told = new Map<number, [number, string][]>();
        for (const { record, life, begins } of steps) {
          const pe = life[0] as number;
          const stack = stacks.get(pe) ?? [];
          stacks.set(pe, begins ? [...stack, life] : stack.filter((other) => other !== life));
          const top = stacks.get(pe)!.at(-1);
          told.set(pe, [...(told.get(pe) ?? []), [record, ((top?.[1] as number) ?? 1023).toString(2)]]);
        }
        for (const [pe, values] of told)
          expect(vcd.signals.get(`gic.PE${pe}.running_INTID`)?.changes).toEqual(changes(values));
        expect(told.size).toBeGreaterThan(0);
      });

      it('has the residency of vPEs as the events have it', () => {
        const told = new Map<number, [number, string][]>();
        const sql = 'SELECT id % 1099511627776, pe, valid FROM k_vpe_resident ORDER BY id, seq';
        for (const [record, pe, valid] of rows(sql) as [number, number, number][])
          told.set(pe, [...(told.get(pe) ?? []), [record, `${valid}`]]);
        for (const [pe, values] of told)
          expect(vcd.signals.get(`gic.PE${pe}.vPE_resident`)?.changes).toEqual(changes(values));
        const shown = [...vcd.signals.keys()].some((signal) => signal.endsWith('vPE_resident'));
        expect(shown).toBe(name === 'linux-gicv4-kvm');
      });
    });
  },
);
