// The trace format: what goes in comes out, the same input gives the same bytes, damage is found, what is whole is
// saved, and what is no trace says so.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, gzipSync } from 'node:zlib';
import { GicTraceError } from '@gictrace/core';
import { fieldOffsets, RECORD_WORDS, RECORDS, RecordBatch, type RecordKind } from '@gictrace/core/record';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeChunk } from './columns.ts';
import { FORMAT_VERSION } from './constants.ts';
import type { TraceHeader } from './header.ts';
import { unpack } from './msgpack.ts';
import { TraceReader } from './reader.ts';
import { recover } from './recover.ts';
import { TraceWriter } from './writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'gictrace-format-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);

const PES = 5;
const HEADER: TraceHeader = {
  writer: { name: 'test', version: '1' },
  config: {
    profile: 'qemu-virt',
    architecture: 3,
    pes: Array.from({ length: PES }, (_, affinity) => ({ affinity })),
    gicd: { typer: 0x37a0007, iidr: 0x43b, pidr2: 0x3b },
    gicr: { typer: 1, iidr: 0x43b, pidr2: 0x3b },
    its: [],
    priorityBits: 5,
    intidBits: 24,
    addresses: {
      gicd: 0x8000000,
      gicr: Array.from({ length: PES }, (_, pe) => 0x80a_0000 + pe * 0x2_0000),
      its: [],
    },
  },
  clock: { name: 'none', unitNs: 1 },
  source: { kind: 'test', name: 'test', provenance: {} },
  losses: [],
  seed: null,
  options: {},
};

const kinds = Object.values(RECORDS) as RecordKind[];
const LARGEST: Readonly<Record<string, number>> = { u8: 0xff, u16: 0xffff, bool: 1, sysreg: 0x1_ffff };

/** A record of any kind with any values that its fields admit. */
const anyRecord = fc.constantFrom(...kinds).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    pe: fc.integer({ min: -1, max: PES - 1 }),
    flags: fc.nat(0xff),
    rule: fc.nat(0xff),
    time: fc.oneof(
      fc.constant(Number.NaN),
      fc.integer({ min: -(2 ** 40), max: 2 ** 52 }),
      fc.nat(10_000).map((n) => n * 1000),
    ),
    line: fc.nat(0xffff_ffff),
    cause: fc.nat(0xffff_ffff),
    fields: fc.tuple(
      ...kind.fields.map((field) =>
        fc.tuple(
          fc.nat(field.type === 'enum' ? field.values!.length - 1 : (LARGEST[field.type] ?? 0xffff_ffff)),
          fc.nat(field.type === 'pa' ? 0xf_ffff : 0xffff_ffff),
        ),
      ),
    ),
  }),
);
type AnyRecord = typeof anyRecord extends fc.Arbitrary<infer T> ? T : never;

function fill(records: readonly AnyRecord[]): RecordBatch {
  const batch = new RecordBatch(Math.max(1, records.length));
  for (const record of records) {
    const i = batch.push(record.kind.id, record.pe, record.time);
    batch.flags[i] = record.flags;
    batch.rule[i] = record.rule;
    batch.line[i] = record.line;
    batch.cause[i] = record.cause;
    const offsets = fieldOffsets(record.kind);
    record.kind.fields.forEach((field, k) => {
      const [low, high] = record.fields[k]! as [number, number];
      batch.words[i * RECORD_WORDS + offsets[k]!] = low;
      if (field.type === 'u64' || field.type === 'pa') batch.words[i * RECORD_WORDS + offsets[k]! + 1] = high;
    });
  }
  return batch;
}

function write(name: string, batch: RecordBatch, chunkRecords = 4096): string {
  const writer = new TraceWriter(path(name), HEADER, { chunkRecords });
  writer.append(batch);
  writer.close();
  return path(name);
}

/** Every column of every record, as text: equal texts are equal records. */
function content(batches: Iterable<{ batch: RecordBatch }>): string[] {
  const out: string[] = [];
  for (const { batch } of batches)
    for (let i = 0; i < batch.count; i++) {
      const words = batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
      out.push(
        [
          batch.kind[i],
          batch.pe[i],
          batch.flags[i],
          batch.rule[i],
          batch.timeNs[i],
          batch.line[i],
          batch.cause[i],
          ...words,
        ].join(),
      );
    }
  return out;
}

function read(from: string): string[] {
  const reader = TraceReader.open(from);
  try {
    return content(reader.batches());
  } finally {
    reader.close();
  }
}

/** A few hundred records of all kinds, always the same. */
const sample = fill(fc.sample(anyRecord, { numRuns: 400, seed: 7 }));
const expected = content([{ batch: sample }]);
const original = readFileSync(write('sample', sample, 32));

function fault(work: () => unknown): GicTraceError {
  try {
    work();
  } catch (error) {
    if (error instanceof GicTraceError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('what goes in comes out', () => {
  it('records of every kind, exactly, in chunks of any size', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (records, chunk) => {
          const batch = fill(records);
          expect(read(write('any', batch, chunk))).toEqual(content([{ batch }]));
        },
      ),
      { numRuns: 150, seed: 3 },
    );
  });

  it('a field that a kind was given later costs older traces nothing', () => {
    const bytesOf = (...resets: number[]) => {
      const batch = new RecordBatch(resets.length);
      for (const reset of resets) {
        const i = batch.push(RECORDS['op.probe'].id, -1, Number.NaN);
        batch.words[i * RECORD_WORDS] = reset;
      }
      expect(read(write('probe', batch, 8))).toEqual(content([{ batch }]));
      const [, , , , , , , kinds] = unpack(encodeChunk(batch)) as unknown[];
      return (kinds as [number, unknown[]][])[0]![1].length;
    };
    expect([bytesOf(0, 0), bytesOf(0, 1)]).toEqual([0, 1]);
  });

  it('the same records give the same bytes', () => {
    expect(readFileSync(write('again', sample, 32)).equals(original)).toBe(true);
  });

  it('reads from any record, by the chunk that holds it', () => {
    const reader = TraceReader.open(path('sample'));
    const first = reader.batches(100).next().value!;
    expect(first.first).toBe(96);
    expect(content([first])).toEqual(expected.slice(96, 128));
    reader.verify();
    reader.close();
  });

  it('keeps states, by record', () => {
    const writer = new TraceWriter(path('states'), HEADER);
    writer.append(sample);
    writer.snapshot(Uint8Array.of(1, 2, 3), 'digest');
    writer.append(sample);
    writer.close();
    const reader = TraceReader.open(path('states'));
    expect(
      [...reader.states()].map(({ record, digest, read: bytes }) => [record, digest, [...bytes()]]),
    ).toEqual([[400, 'digest', [1, 2, 3]]]);
    expect(reader.records).toBe(800);
    reader.close();
  });

  it('the semantic digest knows no times, lines, rules, events or knowledge of memory', () => {
    const digest = (change: (batch: RecordBatch) => void) => {
      const batch = fill(fc.sample(anyRecord, { numRuns: 50, seed: 9 }));
      change(batch);
      const writer = new TraceWriter(path('digest'), HEADER);
      writer.append(batch);
      return writer.close().semanticDigest;
    };
    const plain = digest(() => undefined);
    expect(digest((batch) => batch.timeNs.fill(5))).toBe(plain);
    expect(digest((batch) => batch.line.fill(5))).toBe(plain);
    expect(digest((batch) => batch.rule.fill(5))).toBe(plain);
    expect(
      digest((batch) => {
        const observable = [...batch.kind.subarray(0, batch.count)].findIndex(
          (kind) => kind >= 64 && kind < 96,
        );
        batch.words[observable * RECORD_WORDS]! ^= 1;
      }),
    ).not.toBe(plain);
  });

  it('refuses a time that is no whole number of nanoseconds', () => {
    const batch = new RecordBatch(1);
    batch.push(RECORDS.hppi.id, 0, 1.5);
    const writer = new TraceWriter(path('fraction'), HEADER);
    expect(() => writer.append(batch)).toThrow('whole nanoseconds');
    writer.abort();
  });

  it('refuses a header that no reader takes, before anything is written', () => {
    const { config } = HEADER;
    const tooMany = {
      ...HEADER,
      config: { ...config, pes: Array.from({ length: 513 }, () => config.pes[0]!) },
    };
    const refused = fault(() => new TraceWriter(path('header'), tooMany));
    expect([refused.code, refused.line]).toEqual(['input', expect.stringContaining('config.pes')]);
    expect(existsSync(path('header.partial'))).toBe(false);
  });

  it('nothing is left of a trace that is given up, or that cannot take its name', () => {
    const writer = new TraceWriter(path('given-up'), HEADER);
    writer.append(sample);
    writer.abort();
    mkdirSync(path('taken'));
    expect(fault(() => new TraceWriter(path('taken'), HEADER)).code).toBe('usage');
    const late = new TraceWriter(path('taken-later'), HEADER);
    mkdirSync(path('taken-later'));
    expect(fault(() => late.close()).code).toBe('usage');
    for (const name of ['given-up', 'given-up.partial', 'taken.partial', 'taken-later.partial'])
      expect(existsSync(path(name))).toBe(false);
    expect(fault(() => new TraceWriter(path('no/such/folder'), HEADER)).line).toContain('no such directory');
  });
});

/** Reads everything; the records, or the fault. */
function attempt(from: string): string[] | GicTraceError {
  try {
    const reader = TraceReader.open(from);
    try {
      reader.verify();
      return content(reader.batches());
    } finally {
      reader.close();
    }
  } catch (error) {
    if (error instanceof GicTraceError) return error;
    throw error;
  }
}

/** A small deterministic generator: the seed is the failure. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function mutate(seed: number): Buffer {
  const next = generator(seed);
  const bytes = Buffer.from(original);
  const at = next(bytes.length);
  switch (next(6)) {
    case 0:
      bytes[at]! ^= 1 << next(8);
      return bytes;
    case 1:
      bytes[at] = next(256);
      return bytes;
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([next(256), next(256)]), bytes.subarray(at)]);
    case 4:
      return Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(Math.min(bytes.length, at + 1 + next(200))),
      ]);
    default: {
      // Two stretches change places, as chunks might.
      const length = 1 + next(400);
      const other = next(Math.max(1, bytes.length - length));
      const one = Math.min(at, bytes.length - length);
      const copy = Buffer.from(bytes);
      bytes.copy(copy, other, one, one + length);
      return copy;
    }
  }
}

/** In a thorough run, ten thousand. */
const MUTATIONS = process.env.GICTRACE_THOROUGH === '1' ? 10_000 : 2500;

describe('damage', () => {
  it(`${MUTATIONS} random mutations: never a crash, never unnoticed`, () => {
    const target = path('mutated');
    let refused = 0;
    for (let seed = 1; seed <= MUTATIONS; seed++) {
      const bytes = mutate(seed);
      writeFileSync(target, bytes);
      const result = attempt(target);
      if (result instanceof GicTraceError) refused++;
      else if (result.join('\n') !== expected.join('\n'))
        throw new Error(`seed ${seed}: other records, unnoticed`);
      else if (!bytes.equals(original) && seed > 0) {
        // Bytes that nothing depends on do not exist: whatever differs must have been refused.
        throw new Error(`seed ${seed}: a change went unnoticed`);
      }
    }
    expect(refused).toBeGreaterThan(0.9 * MUTATIONS);
  }, 120_000);

  it('cut at any byte, all whole chunks are recovered and the rest is named', () => {
    const whole = TraceReader.open(path('sample'));
    const ends = whole.footer!.chunks.map(([offset, first, count], k) => ({
      end: whole.footer!.chunks[k + 1]?.[0] ?? original.length,
      records: first + count,
      offset,
    }));
    const headerEnd = ends[0]!.offset;
    whole.close();
    const cut = path('cut');
    const step = Math.max(1, Math.floor(original.length / 700));
    for (let length = headerEnd; length < original.length; length += step) {
      writeFileSync(cut, original.subarray(0, length));
      expect(fault(() => TraceReader.open(cut)).code).toBe('trace');
      const reader = TraceReader.salvage(cut);
      const saved = content(reader.batches());
      const lastWhole = ends.filter(({ end }) => end <= length).at(-1)?.records ?? 0;
      expect(saved.length).toBeGreaterThanOrEqual(lastWhole);
      expect(saved).toEqual(expected.slice(0, saved.length));
      expect(reader.damage.finished).toBe(false);
      expect(reader.damage.missing.at(-1)).toMatchObject({ firstRecord: saved.length, count: undefined });
      reader.close();
    }
  });

  it('a damaged chunk: the others are recovered, and the report says exactly which records are missing', () => {
    const whole = TraceReader.open(path('sample'));
    const [offset, first, count] = whole.footer!.chunks[3]!;
    whole.close();
    const bytes = Buffer.from(original);
    bytes[offset + 60]! ^= 0xff;
    writeFileSync(path('hole'), bytes);
    const error = fault(() => read(path('hole')));
    expect([error.code, error.place.record]).toEqual(['trace', first]);
    const recovery = recover(path('hole'), path('mended'));
    expect(recovery.missing).toEqual([
      { firstRecord: first, count, from: offset, to: offset + (recovery.missing[0]!.to - offset) },
    ]);
    expect(read(path('mended'))).toEqual([...expected.slice(0, first), ...expected.slice(first + count)]);
  });
});

describe('what is no trace of ours', () => {
  const file = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(path(name), bytes);
    return path(name);
  };
  it.each([
    ['an empty file', () => file('empty', ''), 'is empty'],
    ['text', () => file('text', 'hello\n'), 'is not a gictrace trace'],
    ['gzip', () => file('gz', gzipSync('hello')), 'is not a gictrace trace'],
    ['a directory', () => folder, 'is a directory'],
    ['no file', () => path('none'), 'no such file'],
  ])('%s', (_name, make, message) => {
    const error = fault(() => TraceReader.open(make()));
    expect(error.code).toBe('trace');
    expect(error.line).toContain(message);
  });

  it.skipIf(process.getuid?.() === 0)('no permission', () => {
    const name = file('locked', original);
    chmodSync(name, 0);
    expect(fault(() => TraceReader.open(name)).line).toContain('no permission');
  });

  it('a newer version says to use a newer gictrace', () => {
    const bytes = Buffer.from(original);
    bytes.writeUInt16LE(FORMAT_VERSION + 1, 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
    const error = fault(() => TraceReader.open(file('newer', bytes)));
    expect(error.line).toContain(`version ${FORMAT_VERSION + 1}`);
    expect(error.hint).toContain('newer');
  });
});

describe('a record of a PE that the header lacks', () => {
  const header = (pes: number): TraceHeader => ({
    ...HEADER,
    config: {
      ...HEADER.config,
      pes: Array.from({ length: pes }, (_, affinity) => ({ affinity })),
      addresses: {
        ...HEADER.config.addresses,
        gicr: Array.from({ length: pes }, (_, pe) => 0x100_0000 + pe * 0x2_0000),
      },
    },
  });
  const of = (pe: number) => {
    const batch = new RecordBatch(1);
    batch.push(RECORDS['pe.reset'].id, pe, Number.NaN);
    return batch;
  };

  it('is not written, and leaves nothing', () => {
    for (const [pes, pe] of [
      [1, 1],
      [5, 511],
      [5, 1023],
    ] as const) {
      const writer = new TraceWriter(path('stray'), header(pes));
      writer.append(of(pe));
      const refused = fault(() => writer.close());
      expect([refused.code, refused.message]).toEqual([
        'input',
        `a record names PE ${pe}, but the configuration has ${pes} PEs`,
      ]);
      expect([existsSync(path('stray')), existsSync(path('stray.partial'))]).toEqual([false, false]);
    }
    // Every PE of the largest GIC is.
    const writer = new TraceWriter(path('all'), header(512));
    for (let pe = -1; pe < 512; pe++) writer.append(of(pe));
    writer.close();
    expect(read(path('all'))).toHaveLength(513);
  });

  it('is not read: the trace is damaged, and its other chunks can be recovered', () => {
    // As a header that is changed makes it: the writer grows the GIC, and the last header is smaller again.
    const writer = new TraceWriter(path('grown'), header(5), { chunkRecords: 1 });
    for (const pe of [0, 4, 1]) writer.append(of(pe));
    writer.rehead(header(2));
    Object.assign(writer, { peCount: 5 });
    writer.close();
    const refused = fault(() => read(path('grown')));
    expect([refused.code, refused.message]).toEqual([
      'trace',
      expect.stringContaining('a record names PE 4, but the header has 2 PEs'),
    ]);
    const { recovered, missing } = recover(path('grown'), path('saved'));
    expect([recovered.records, missing.map(({ firstRecord }) => firstRecord)]).toEqual([2, [1]]);
    expect(read(path('saved'))).toHaveLength(2);
  });
});

describe('committed fixtures, one for each version', () => {
  it('version 2', () => {
    const reader = TraceReader.open(fileURLToPath(new URL('../../fixtures/v2.gictrace', import.meta.url)));
    reader.verify();
    expect(reader.version).toBe(2);
    expect(reader.records).toBe(835);
    expect(reader.header.stateVersion).toBe(2);
    reader.close();
  });

  it('version 1', () => {
    const reader = TraceReader.open(fileURLToPath(new URL('../../fixtures/v1.gictrace', import.meta.url)));
    reader.verify();
    expect(reader.version).toBe(1);
    expect(reader.records).toBe(835);
    expect(reader.footer!.contentDigest).toBe(
      '63a4771e215459236de5b37c4b094d970e4cb71ed86caf538311dafc0c9d38ff',
    );
    expect(reader.footer!.semanticDigest).toBe(
      'b8ac692325dea7b535e74d2d1111a93fe33928bac0d412e12e3bd90471f239ab',
    );
    reader.close();
  });
});

it('refuses to write what could not be read: a value that its field cannot hold', () => {
  const out = path('out-of-range.gictrace');
  const writer = new TraceWriter(out, HEADER);
  const batch = new RecordBatch(1);
  batch.push(RECORDS['mmio.write'].id, 0, Number.NaN);
  batch.words[0] = 99;
  expect(() => {
    writer.record(batch, 0);
    writer.close();
  }).toThrow('invariant: a field of a record of kind 2 is out of its range');
  writer.abort();
  expect(existsSync(out)).toBe(false);
});
