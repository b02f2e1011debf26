// Exports of traces made by hand: wire formats for any value, signals in any number, what is not told stays untold.
import { readFileSync } from 'node:fs';
import { NO_PE } from '@gictrace/core/record';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeMessage, decodePerfetto, parseVcd } from '../testing/foreign-formats.ts';
import { CONFIG, Recording, scratch } from '../testing/synthetic.ts';
import { type ExportFormat, type ExportSource, exportSource } from './index.ts';
import { ProtobufWriter } from './protobuf.ts';

const folder = scratch();
afterAll(() => folder.dispose());

function written(recording: Recording, format: ExportFormat, timed = true) {
  const { batch } = recording;
  const source: ExportSource = {
    name: 'by hand',
    timed,
    header: {
      writer: { name: 'test', version: '0' },
      config: CONFIG,
      clock: { name: 'test $end\n$var', unitNs: 1 },
      source: { kind: 'test', name: 'by hand $end\n$var', provenance: {} },
      losses: [],
      seed: null,
      options: {},
    },
    batches: () => [{ batch, first: 0 }],
  };
  const path = folder.path(format);
  const summary = exportSource(source, format, path);
  return { summary, bytes: readFileSync(path) };
}

test('protobuf: any number, text and nesting is read back', () => {
  type Tree = { n: number; text: string; inner: Tree[] };
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.record({
      n: fc.oneof(fc.maxSafeNat(), fc.nat(300)),
      text: fc.string({ unit: 'binary', maxLength: 300 }),
      inner: fc.oneof(
        { maxDepth: 4 },
        fc.constant<Tree[]>([]),
        fc.array(tie('tree') as fc.Arbitrary<Tree>, { maxLength: 3 }),
      ),
    }),
  }));
  const put = (writer: ProtobufWriter, { n, text, inner }: Tree): void => {
    writer.uint(1, n).string(20, text);
    for (const one of inner) writer.message(536_870_911 >> 4, () => put(writer, one));
  };
  const got = (bytes: Uint8Array): Tree => {
    const message = decodeMessage(bytes);
    return {
      n: Number(message.get(1)![0]),
      text: Buffer.from(message.get(20)![0] as Uint8Array).toString('utf8'),
      inner: (message.get(536_870_911 >> 4) ?? []).map((inner) => got(inner as Uint8Array)),
    };
  };
  fc.assert(
    fc.property(tree, (one) => {
      const writer = new ProtobufWriter();
      put(writer, one);
      expect(got(writer.take())).toEqual(one);
    }),
    { numRuns: 200, seed: 1 },
  );
  expect(() => new ProtobufWriter().uint(1, -1)).toThrow(/varint/);
});

describe('what is not told', () => {
  test('a wire of any number of SPIs has a signal once it was up; before it was told it is x', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 32, max: 287 }), fc.boolean()), { maxLength: 400 }),
        (told) => {
          const r = new Recording();
          const expected = new Map<number, [number, string][]>();
          const latest = new Map<number, boolean>();
          for (const [k, [intid, level]] of told.entries()) {
            r.wire(NO_PE, intid, level ? 1 : 0);
            if (latest.get(intid) === level) continue;
            latest.set(intid, level);
            const list = expected.get(intid) ?? [[0, 'x']];
            expected.set(intid, [...list, [1000 * (k + 1), level ? '1' : '0']]);
          }
          const { signals } = parseVcd(written(r, 'vcd').bytes.toString());
          const shown = [...signals].filter(([path]) => path.startsWith('gic.wires.'));
          const up = [...expected].filter(([, changes]) => changes.some(([, value]) => value === '1'));
          expect(new Map(shown.map(([path, { changes }]) => [Number(path.slice(13)), changes]))).toEqual(
            new Map(up),
          );
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  test('PPI 27 is handled: its slice, the lines, and what runs', () => {
    const r = new Recording().setUp(0);
    const up = r.wire(0, 27, 1);
    const taken = r.sysreg('read', 0, 'ICC_IAR1_EL1', 27);
    r.wire(0, 27, 0);
    const ended = r.sysreg('write', 0, 'ICC_EOIR1_EL1', 27);
    const { summary, bytes } = written(r, 'perfetto');
    const { events } = decodePerfetto(bytes);
    const slices = events.filter(
      ({ type, track }) => (type === 1 || type === 2) && track.name.startsWith('handled'),
    );
    const time = (record: number) => 1000 * (record + 1);
    expect(slices).toMatchObject([
      {
        time: time(taken),
        name: 'INTID 27',
        category: 'PPI',
        more: { record: taken, cause: 'wire', pended: up },
      },
      { time: time(ended), more: { eoi: ended } },
    ]);
    expect(summary.wrote).toMatchObject({ slices: 1, unfinished: 0, signalled: 1 });
    const { signals } = parseVcd(written(r, 'vcd').bytes.toString());
    expect(signals.get('gic.PE0.running_INTID')!.changes).toEqual([
      [0, 'x'],
      [time(taken), '11011'],
      [time(ended), '1111111111'],
    ]);
    // The source shows no lines: the simulator's are not taken for it.
    expect(signals.get('gic.PE0.IRQ')!.changes).toEqual([[0, 'x']]);
    expect(signals.get('gic.PE0.running_INTID')!.width).toBe(24);
  });

  test('an interrupt that is acknowledged again without an EOI ends there, and says so', () => {
    const r = new Recording();
    r.sysreg('read', 1, 'ICC_IAR1_EL1', 40);
    r.sysreg('read', 1, 'ICC_IAR1_EL1', 41);
    r.sysreg('read', 1, 'ICC_IAR1_EL1', 40);
    r.sysreg('write', 1, 'ICC_EOIR1_EL1', 41);
    const { summary, bytes } = written(r, 'perfetto');
    const { events } = decodePerfetto(bytes);
    const slices = events.filter(
      ({ type, track }) => (type === 1 || type === 2) && track.name.startsWith('handled'),
    );
    expect(slices.map(({ type, track, name, more }) => [type, track.name, name ?? more.eoi])).toEqual([
      [1, 'handled', 'INTID 40'],
      [1, 'handled, beside 1', 'INTID 41'],
      [2, 'handled', 'not seen'],
      [1, 'handled', 'INTID 40'],
      [2, 'handled, beside 1', 3],
    ]);
    expect(summary.wrote).toMatchObject({ slices: 3, unfinished: 1 });
  });

  test('without times record numbers stand for them; a time that goes back is counted, not shown', () => {
    const r = new Recording();
    for (const level of [1, 0, 1, 0] as const) r.wire(NO_PE, 33, level);
    const wire = (timed: boolean) => {
      const { summary, bytes } = written(r, 'vcd', timed);
      const { signals, comments } = parseVcd(bytes.toString());
      return { summary, comments, changes: signals.get('gic.wires.SPI33')!.changes.slice(1) };
    };
    r.batch.timeNs.set([500, Number.NaN, 400, 600]);
    expect(wire(true)).toMatchObject({
      summary: { time: 'ns', untimed: 1, late: 1 },
      changes: [
        [500, '1'],
        [500, '0'],
        [500, '1'],
        [600, '0'],
      ],
    });
    r.batch.timeNs.fill(Number.NaN);
    const untimed = wire(false);
    expect(untimed.summary).toMatchObject({ time: 'record', untimed: 0, late: 0 });
    expect(untimed.changes.map(([time]) => time)).toEqual([0, 1, 2, 3]);
    expect(untimed.comments.join('\n')).toContain('the time is the number of the record');
  });
});
