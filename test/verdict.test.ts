// What replay and diff say of one trace: a trace that replays without a divergence is the same as its re-recording, and
// one that diverges differs from it, first at the same record.
import type { GicConfig } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import { Machine, step } from '@gictrace/core/model';
import { configOf, PROFILES } from '@gictrace/core/profile';
import {
  BARRIER,
  fieldOffsets,
  isObservable,
  KIND,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordKind,
  rankOf,
  responseAt,
  type Verdict,
  verdictWord,
  wordLimits,
} from '@gictrace/core/record';
import { StimulusGenerator } from '@gictrace/core/testing';
import { type AlignRow, type Diff, diffTraces } from '@gictrace/query';
import { importToTrace, type TraceHeader, TraceReader, TraceWriter } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { allBatches, imported, recording, scratch } from './support.ts';

/** All that `npm run test:thorough` tries; otherwise a part. */
const isThorough = process.env.GICTRACE_THOROUGH === '1';
const temp = scratch();
afterAll(() => temp.dispose());

interface Said {
  readonly verdict: Verdict;
  readonly diff: Diff;
  /** What differs, in the order in which diff hands it out. */
  readonly rows: readonly AlignRow[];
}

/** What replay and diff say. */
function both(trace: string, profile?: string): Said {
  const again = `${trace}.again`;
  const verdict = replayTrace(trace, {
    version: 'test',
    output: again,
    force: true,
    ...(profile === undefined ? {} : { profile }),
  });
  const rows: AlignRow[] = [];
  const diff = diffTraces(trace, again, {
    ignore: ['timing'],
    row: (row) => {
      if (row.class !== 'same' && row.class !== 'unknown' && row.tolerated === null) rows.push(row);
    },
  });
  return { verdict, diff, rows };
}

/** By record: the last stimulus before it, or itself, that ends what the one before it did; -1: none. */
function barriers(trace: string): Int32Array {
  const { batches, reader } = allBatches(trace);
  const out = new Int32Array(reader.records);
  reader.close();
  let [n, last] = [0, -1];
  for (const batch of batches)
    for (let i = 0; i < batch.count; i++, n++) {
      if (rankOf(batch.kind[i]!, batch.pe[i]!) === BARRIER) last = n;
      out[n] = last;
    }
  return out;
}

/** The number of a barrier among those of its trace. */
const countOf = (of: Int32Array, record: number) => {
  let n = 0;
  for (let i = 0, last = -1; i <= record; i++)
    if (of[i] !== last) {
      last = of[i]!;
      n++;
    }
  return n;
};

/** Both say the same, and name the same first record: that which differs, or the stimulus whose effect is missing. */
function expectAgreement(trace: string, { verdict, diff, rows }: Said): void {
  expect([verdict.first?.recorded, verdict.first?.replayed, diff.same]).toEqual([
    verdict.first?.recorded,
    verdict.first?.replayed,
    verdict.diverged === 0,
  ]);
  if (verdict.first === null) return;
  const [ofA, ofB] = [barriers(trace), barriers(`${trace}.again`)];
  const stimulusOf = (row: AlignRow) => (row.a === null ? countOf(ofB, row.b!) : countOf(ofA, row.a));
  const named = verdict.first.record;
  const first = Math.min(...rows.map(stimulusOf));
  expect({ first, text: verdict.first.recorded }).toEqual({
    first: countOf(ofA, named),
    text: verdict.first.recorded,
  });
  const there = rows.filter((row) => stimulusOf(row) === first);
  // A record of A, if it is one that differs; else something that only the re-recording has there.
  if (!there.some((row) => row.a === named || row.a === null))
    throw new Error(`${named} ${JSON.stringify(there.map(({ a, b, class: name }) => [a, b, name]))}`);
}

const NAMES = [
  'linux-gicv3-mrops',
  'linux-gicv3-plugin-head',
  'linux-gicv3-spi-head',
  'linux-gicv3-qemu-11',
  'linux-gicv4-kvm',
  'linux-secure-direct-head',
  'tfa-uboot-linux',
  'el3-bare-metal',
  'el3-with-truth-markers',
  'gicv3-active',
  'its-introspection',
  'its-trigger',
  'small/all-events',
  'small/before-reset-prio0',
  'small/cbaser-while-enabled',
  'small/lpi-disabled-then-inv',
  'small/mid-run',
  'small/no-cpuif-events',
  'small/pending-table-preset',
  'small/two-cwriter-writes',
  'small/migration.src',
  'small/migration.dst',
  'small/migration-idle.dst',
  'small/threads.dst',
];
const pathOf = (name: string) => temp.path(`${name.replace('/', '-')}.gictrace`);

describe.each(NAMES)('%s', (name) => {
  it('is the same as its re-recording if and only if it replays without a divergence', async () => {
    await imported(recording(`${name}.log.gz`), pathOf(name));
    expectAgreement(pathOf(name), both(pathOf(name)));
  }, 60_000);
});

it('a migration of two logs agrees with its re-recording', async () => {
  const trace = temp.path('migration.gictrace');
  const logs = ['small/migration.src', 'small/migration.dst'].map((name) => recording(`${name}.log.gz`));
  await importToTrace(logs, trace, { version: 'test' });
  expectAgreement(trace, both(trace));
});

it('another profile alone is no difference', async () => {
  const trace = temp.path('active.gictrace');
  await imported(recording('gicv3-active.log.gz'), trace);
  const { verdict, diff } = both(trace, 'qemu-10.0');
  expect([verdictWord(verdict), diff.same]).toEqual(['SAME', true]);
  expect(diff.config.map(({ field }) => field)).toEqual(['profile']);
});

/** Numbers below a bound, from a seed. */
function random(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e37_79b9) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const headerOf = (config: GicConfig): TraceHeader => ({
  writer: { name: 'gictrace', version: 'test' },
  config,
  clock: { name: 'none', unitNs: 1 },
  source: { kind: 'test', name: 'test', provenance: {} },
  losses: [],
  seed: null,
  options: {},
});

/** So many stimuli from a seed, with their responses, and with what the simulator did behind them. */
function generated(config: GicConfig, seed: number, stimuli: number): RecordBatch {
  const out = new RecordBatch(40_000);
  const machine = new Machine(config);
  const seen = new RecordBatch(20_000);
  machine.sink = {
    batch: seen,
    events: false,
    full: () => {
      throw new Error('more records of one stimulus than there is room for');
    },
  };
  const generator = new StimulusGenerator(config, seed);
  const one = new RecordBatch(1);
  for (let n = 0; n < stimuli && out.count + 1000 < out.capacity; n++) {
    one.clear();
    generator.next(one);
    step(machine, one, 0);
    if (!machine.unsupported && out.count + seen.count + 1 < out.capacity) {
      if (machine.reserved) one.flags[0]! |= RECORD_FLAGS.reserved;
      const at = responseAt(one.kind[0]!);
      if (at >= 0) one.words.set([machine.low, machine.high], at);
      out.copy(one, 0);
      for (let i = 0; i < seen.count; i++) out.copy(seen, i);
    }
    seen.clear();
  }
  return out;
}

function write(path: string, header: TraceHeader, batch: RecordBatch): void {
  const writer = new TraceWriter(path, header, { force: true });
  writer.append(batch);
  writer.close();
}

const KINDS = new Map<number, RecordKind>(Object.values(RECORDS).map((kind) => [kind.id, kind]));

/** Turns one bit of one field of a record; answers what it did. */
function alter(batch: RecordBatch, i: number, next: (below: number) => number): string {
  const before = recordText(batch, i, i);
  const kind = KINDS.get(batch.kind[i]!)!;
  if (kind.fields.length === 0) return '';
  const field = next(kind.fields.length);
  const word = fieldOffsets(kind)[field]!;
  const limit = wordLimits(kind)[word]!;
  const bits = 32 - Math.clz32(limit);
  const at = i * RECORD_WORDS + word;
  const value = (batch.words[at]! ^ (1 << next(Math.max(1, bits)))) >>> 0;
  if (value > limit) return '';
  batch.words[at] = value;
  return `${before} -> ${recordText(batch, i)}`;
}

const CONFIGS: readonly (readonly [string, GicConfig])[] = [
  ['architecture', configOf('architecture', PROFILES.architecture!.hardware, 3)],
  ['qemu-11.1', configOf('qemu-11.1', PROFILES['qemu-11.1']!.hardware, 3)],
  ['gic-700', configOf('gic-700', PROFILES['gic-700']!.hardware, 3)],
];

describe.each(CONFIGS)('generated traces of %s', (profile, config) => {
  const path = temp.path(`${profile}.gictrace`);

  it.each([1, 2, 3, 4, 5, 6])('agree with their re-recordings, seed %i', (seed) => {
    write(path, headerOf(config), generated(config, seed, 500));
    expectAgreement(path, both(path));
  });

  it('agree with them where a value is altered', () => {
    const next = random(profile.length);
    const words = new Set<string>();
    for (let n = 0; n < (isThorough ? 150 : 60); n++) {
      const batch = generated(config, 10 + (n % 7), 150);
      const i = next(batch.count);
      const what = alter(batch, i, next);
      write(path, headerOf(config), batch);
      const said = both(path);
      words.add(verdictWord(said.verdict));
      try {
        expectAgreement(path, said);
      } catch (error) {
        throw new Error(`${n}: record ${i}: ${what}`, { cause: error });
      }
    }
    expect([...words].sort()).toEqual(['DIVERGED', 'SAME']);
  }, 60_000);
});

const ALTERED = {
  hppi: 'linux-gicv3-plugin-head',
  'mmio.read': 'linux-gicv3-plugin-head',
  'sysreg.read': 'linux-gicv3-plugin-head',
  'its.command': 'its-trigger',
  'dte.read': 'its-trigger',
  'cte.write': 'its-trigger',
  'ite.read': 'its-trigger',
  'sgi.sent': 'el3-bare-metal',
} as const;

describe('a real trace with one value altered', () => {
  it.each(Object.entries(ALTERED))(
    '%s diverges where it is altered, and differs there',
    async (name, log) => {
      await imported(recording(`${log}.log.gz`), temp.path('real.gictrace'));
      const reader = TraceReader.open(temp.path('real.gictrace'));
      const { header } = reader;
      const whole = new RecordBatch(Math.min(6000, reader.records));
      for (const { batch } of reader.batches())
        for (let i = 0; i < batch.count && !whole.full; i++) whole.copy(batch, i);
      reader.close();
      const path = temp.path('altered.gictrace');
      const kind = KIND[name as keyof typeof ALTERED];
      const places = Array.from({ length: whole.count }, (_, i) => i).filter((i) => whole.kind[i] === kind);
      expect(places.length).toBeGreaterThan(0);
      const next = random(7);
      let diverged = 0;
      for (let n = 0; n < (isThorough ? 12 : 6); n++) {
        const batch = new RecordBatch(whole.count);
        for (let i = 0; i < whole.count; i++) batch.copy(whole, i);
        const i = places[next(places.length)]!;
        const what = alter(batch, i, next);
        write(path, header, batch);
        const said = both(path);
        try {
          expectAgreement(path, said);
          if (said.verdict.first !== null && isObservable(batch.kind[i]!)) {
            expect(said.verdict.first.record).toBe(i);
            expect(Math.min(...said.rows.filter(({ a }) => a !== null).map(({ a }) => a!))).toBe(i);
          }
        } catch (error) {
          throw new Error(`${n}: record ${i}: ${what}`, { cause: error });
        }
        if (said.verdict.diverged > 0) diverged++;
      }
      expect(diverged).toBeGreaterThan(0);
    },
    60_000,
  );
});
