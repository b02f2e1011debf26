// Tests replay through the Backend interface. On the simulator it gives the same verdict as the direct replay, whatever
// the batches. What a backend does not support or report is counted, and is never a match. A backend that breaks the
// rules fails with an error that says where.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import { type Answers, type Backend, type Capabilities, Simulator } from '@gictrace/core/backend';
import {
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordName,
  type Verdict,
} from '@gictrace/core/record';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plain, plainConfig, slice, syntheticRecording } from '../synthetic.test-support.ts';
import { BackendReplay, type BackendReplayOptions } from './on-backend.ts';
import { VerbatimReplay } from './on-simulator.ts';

const CONFIG = plainConfig(3);

/** Wraps a backend to change what it reports. */
class Around implements Backend {
  protected readonly inner: Backend = new Simulator('test');
  reset(config: GicConfig): Promise<Capabilities> {
    return this.inner.reset(config);
  }
  run(stimuli: RecordBatch, answers: Answers): Promise<void> {
    return this.inner.run(stimuli, answers);
  }
  snapshot(slot: number): Promise<void> {
    return this.inner.snapshot(slot);
  }
  restore(slot: number): Promise<void> {
    return this.inner.restore(slot);
  }
  close(): Promise<void> {
    return this.inner.close();
  }
}

interface Outcome {
  readonly verdict: Verdict;
  readonly written: readonly (readonly number[])[];
}

async function through(
  backend: Backend,
  recording: RecordBatch,
  options: BackendReplayOptions = {},
): Promise<Outcome> {
  const written: (readonly number[])[] = [];
  const capabilities = await backend.reset(CONFIG);
  const replay = new BackendReplay(CONFIG, backend, capabilities, {
    ...options,
    output: { record: (batch, i) => written.push(plain(batch, i)) },
  });
  for (let from = 0; from < recording.count; from += 700)
    await replay.take(slice(recording, from, Math.min(recording.count, from + 700)));
  return { verdict: await replay.finish(), written };
}

function directly(recording: RecordBatch): Outcome {
  const written: (readonly number[])[] = [];
  const replay = new VerbatimReplay(CONFIG, {
    output: { record: (batch, i) => written.push(plain(batch, i)) },
  });
  for (let from = 0; from < recording.count; from += 700)
    replay.take(slice(recording, from, Math.min(recording.count, from + 700)));
  return { verdict: replay.finish(), written };
}

const BENT: ReadonlySet<number> = new Set([RECORDS.hppi.id, RECORDS['mmio.read'].id, RECORDS['sgi.sent'].id]);

/** A recording in which one recorded bit about the GIC is changed. */
function bent(recording: RecordBatch, where: number, bit: number): RecordBatch {
  const copy = slice(recording, 0, recording.count);
  const places = [...copy.kind.keys()].filter((i) => i < copy.count && BENT.has(copy.kind[i]!));
  const at = places[where % places.length]!;
  copy.words[at * RECORD_WORDS + (copy.kind[at] === RECORDS['mmio.read'].id ? 4 : 0)]! ^= 1 << bit;
  return copy;
}

describe('the simulator behind the interface', () => {
  it('gives the verdict and the records of the direct replay, whatever the batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 6 }),
        async (seed, batchRecords, window) => {
          const recording = syntheticRecording(CONFIG, seed, 400);
          const direct = directly(recording);
          expect(direct.verdict.diverged).toBe(direct.verdict.anomalies);
          expect(await through(new Simulator('test'), recording, { batchRecords, window })).toEqual(direct);
        },
      ),
      { numRuns: 12, seed: 3 },
    );
  });

  it('gives it of a recording that differs, too', async () => {
    const recording = syntheticRecording(CONFIG, 7, 400);
    const clean = directly(recording).verdict.diverged;
    let found = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat({ max: 31 }), async (where, bit) => {
        const wrong = bent(recording, where, bit);
        const direct = directly(wrong);
        if (direct.verdict.diverged > clean) found++;
        // A tie is no difference to the one, and is to the other.
        expect(await through(new Simulator('test'), wrong, { follows: false })).toEqual(direct);
      }),
      { numRuns: 40, seed: 4 },
    );
    expect(found).toBeGreaterThan(20);
  });

  it('is given no recorded answer', async () => {
    const reads = new Set<number>();
    const flags = new Set<number>();
    class Watching extends Around {
      override run(stimuli: RecordBatch, answers: Answers): Promise<void> {
        for (let i = 0; i < stimuli.count; i++) {
          flags.add(stimuli.flags[i]!);
          const kind = stimuli.kind[i]!;
          const at = i * RECORD_WORDS;
          if (kind === RECORDS['mmio.read'].id) reads.add(stimuli.words[at + 4]! | stimuli.words[at + 5]!);
          if (kind === RECORDS['sysreg.read'].id) reads.add(stimuli.words[at + 1]! | stimuli.words[at + 2]!);
        }
        return super.run(stimuli, answers);
      }
    }
    const { verdict } = await through(new Watching(), syntheticRecording(CONFIG, 9, 600));
    expect(verdict.compared['mmio.read']).toBeGreaterThan(0);
    expect([...reads]).toEqual([0]);
    for (const value of flags) expect(value & ~(4 | 16)).toBe(0);
  });

  it('keeps no more batches in flight than the window', async () => {
    let inFlight = 0;
    let most = 0;
    class Slow extends Around {
      private last = Promise.resolve();
      override run(stimuli: RecordBatch, answers: Answers): Promise<void> {
        most = Math.max(most, ++inFlight);
        this.last = this.last
          .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
          .then(() => super.run(stimuli, answers))
          .then(() => {
            inFlight--;
          });
        return this.last;
      }
    }
    const recording = syntheticRecording(CONFIG, 11, 400);
    const outcome = await through(new Slow(), recording, { batchRecords: 10, window: 3 });
    expect(outcome).toEqual(directly(recording));
    expect(most).toBe(3);
  });
});

describe('a backend that does less', () => {
  class Less extends Around {
    private readonly not: (name: RecordName) => boolean;
    private readonly reserved: boolean;
    constructor(not: (name: RecordName) => boolean, reserved = true) {
      super();
      this.not = not;
      this.reserved = reserved;
    }
    override async reset(config: GicConfig): Promise<Capabilities> {
      const all = await super.reset(config);
      const fewer = (names: readonly RecordName[]) => names.filter((name) => !this.not(name));
      return {
        ...all,
        stimuli: fewer(all.stimuli),
        observables: fewer(all.observables),
        reserved: this.reserved && all.reserved,
      };
    }
    override run(stimuli: RecordBatch, answers: Answers): Promise<void> {
      const hidden = new Set<number>(
        Object.entries(RECORDS).flatMap(([name, { id }]) => (this.not(name as RecordName) ? [id] : [])),
      );
      return super.run(stimuli, {
        answered: (low, high, reserved) => answers.answered(low, high, this.reserved && reserved),
        skipped: (reason) => answers.skipped(reason),
        shown: (batch, i) => {
          if (!hidden.has(batch.kind[i]!)) answers.shown(batch, i);
        },
      });
    }
  }
  const recording = syntheticRecording(CONFIG, 5, 900);
  const whole = directly(recording).verdict;

  it.each(['hppi', 'its.command', 'sgi.sent'] as const)('without %s: counted, not passed', async (kind) => {
    expect(whole.compared[kind]).toBeGreaterThan(0);
    const { verdict } = await through(new Less((name) => name === kind), recording);
    expect(verdict.diverged).toBe(whole.diverged);
    expect(verdict.skipped).toEqual({ [`${kind}: not shown by the backend`]: whole.compared[kind] });
    expect(verdict.compared).toEqual({ ...whole.compared, [kind]: undefined });
  });

  it('that does not tell reserved locations', async () => {
    const { verdict } = await through(new Less(() => false, false), recording);
    expect(verdict.diverged).toBe(whole.diverged);
    expect(verdict.compared).toEqual({ ...whole.compared, 'mmio.write': undefined });
    expect(Object.values(verdict.skipped)).toEqual([whole.compared['mmio.write']]);
  });

  it('that takes no message: it is not sent, nor are its consequences compared', async () => {
    const kinds = [...recording.kind.subarray(0, recording.count)];
    const wires = kinds.filter((kind) => kind === RECORDS['wire.set'].id).length;
    expect(wires).toBeGreaterThan(0);
    const { verdict } = await through(new Less((name) => name === 'wire.set'), recording);
    expect(verdict.skipped['wire.set: not taken by the backend']).toBe(wires);
    expect(verdict.records).toBe(whole.records);
    // The backend has not seen the input lines, so it differs later. That is not hidden.
    expect(verdict.diverged).toBeGreaterThan(0);
  });

  it('that skips all: nothing is compared, nothing is invented', async () => {
    class Lazy extends Around {
      override async run(stimuli: RecordBatch, answers: Answers): Promise<void> {
        for (let i = 0; i < stimuli.count; i++) answers.skipped('lazy');
      }
    }
    const { verdict, written } = await through(new Lazy(), recording);
    expect(verdict.diverged).toBe(0);
    expect(verdict.compared).toEqual({});
    expect(verdict.skipped.lazy).toBe(written.length);
    for (const [kind, , flags, ...words] of written)
      if (kind === RECORDS['mmio.read'].id) expect([flags! & 2, words[4], words[5]]).toEqual([2, 0, 0]);
  });
});

describe('a backend that shows in part', () => {
  /** Reports `kind` as `change` alters it. */
  class Partly extends Around {
    private readonly kind: number;
    private readonly change: (batch: RecordBatch, at: number, i: number) => void;
    constructor(kind: RecordName, change: (batch: RecordBatch, at: number, i: number) => void) {
      super();
      this.kind = RECORDS[kind].id;
      this.change = change;
    }
    override run(stimuli: RecordBatch, answers: Answers): Promise<void> {
      return super.run(stimuli, {
        answered: (low, high, reserved) => answers.answered(low, high, reserved),
        skipped: (reason) => answers.skipped(reason),
        shown: (batch, i) => {
          const one = slice(batch, i, i + 1);
          if (one.kind[0] === this.kind) this.change(one, 0, 0);
          answers.shown(one, 0);
        },
      });
    }
  }
  const recording = syntheticRecording(CONFIG, 5, 900);
  const whole = directly(recording).verdict;

  it('hppi without lines: the lines are not compared, all else is', async () => {
    const withoutLines = () =>
      new Partly('hppi', (one) => {
        one.words[3] = 0;
        one.words[4] = 0;
        one.flags[0] = RECORD_FLAGS.valueUnknown;
      });
    const { verdict } = await through(withoutLines(), recording);
    expect(verdict.diverged).toBe(whole.diverged);
    expect(verdict.compared).toEqual(whole.compared);
    const unknown = 'interrupt lines not shown by the source';
    expect(verdict.unknown[unknown]).toBe(whole.compared.hppi);
    // A line that repeats the last one is compared in the same way.
    const hppis = [...recording.kind.keys()].filter((i) => recording.kind[i] === RECORDS.hppi.id);
    const last = hppis.find((i) => recording.words[i * RECORD_WORDS + 4] === 1)!;
    const repeated = slice(recording, 0, last + 1);
    const more = slice(repeated, 0, repeated.count);
    const again = new RecordBatch(more.count + 1);
    for (let i = 0; i < more.count; i++) again.copy(more, i);
    again.copy(more, last);
    expect((await through(withoutLines(), again)).verdict.diverged).toBe(directly(again).verdict.diverged);
    again.words[(again.count - 1) * RECORD_WORDS] = 77;
    expect((await through(withoutLines(), again)).verdict.diverged).toBe(1);
    // Without the flag its interrupt lines are compared.
    const wrong = new Partly('hppi', (one) => {
      one.words[4] = 0;
    });
    expect((await through(wrong, recording)).verdict.diverged).toBeGreaterThan(whole.diverged);
  });

  it('its.command without operands, or without its outcome', async () => {
    const opcodeOnly = new Partly('its.command', (one, at) => {
      one.words.fill(0, at + 5, at + 12);
      one.words[at + 4]! &= 0xff;
      one.words[at + 3] = 0;
    });
    expect((await through(opcodeOnly, recording)).verdict.diverged).toBe(whole.diverged);
    const noOutcome = new Partly('its.command', (one, at) => {
      one.words[at + 2] = 0x123;
      one.flags[0] = RECORD_FLAGS.valueUnknown;
    });
    expect((await through(noOutcome, recording)).verdict.diverged).toBe(whole.diverged);
    const otherOutcome = new Partly('its.command', (one, at) => {
      one.words[at + 2] = 0x123;
    });
    expect((await through(otherOutcome, recording)).verdict.diverged).toBeGreaterThan(whole.diverged);
  });
});

it('stops at the first divergence if it is told to', async () => {
  const recording = bent(syntheticRecording(CONFIG, 7, 400), 3, 0);
  const all = directly(recording).verdict;
  const { verdict, written } = await through(new Simulator('test'), recording, {
    stopAtFirst: true,
    follows: false,
    batchRecords: 8,
  });
  expect(verdict.diverged).toBe(1);
  expect(verdict.first).toEqual(all.first);
  expect(verdict.records).toBeLessThanOrEqual(all.first!.record + 1);
  expect(written.length).toBeLessThan(directly(recording).written.length);
});

describe('a backend that breaks the rules', () => {
  const recording = syntheticRecording(CONFIG, 5, 100);
  const failing = (run: Backend['run']) => {
    class Wrong extends Around {
      override run(stimuli: RecordBatch, answers: Answers): Promise<void> {
        return run(stimuli, answers);
      }
    }
    return through(new Wrong(), recording, { batchRecords: 16 }).then(
      () => 'nothing',
      (error: unknown) => {
        expect(error).toBeInstanceOf(GicTraceError);
        expect((error as GicTraceError).code).toBe('backend');
        return (error as GicTraceError).line;
      },
    );
  };

  it('by answers that are missing', async () => {
    expect(await failing(async () => undefined)).toMatch(
      /answered 0 of \d+ stimuli; sent last: record \d+: .*; first without an answer: record 0: /,
    );
  });
  it('by answers too many', async () => {
    const run: Backend['run'] = async (stimuli, answers) => {
      for (let i = 0; i < 300 + stimuli.count; i++) answers.skipped('x');
    };
    expect(await failing(run)).toMatch(/answered more stimuli than it was given/);
  });
  it('by showing something before any answer', async () => {
    const run: Backend['run'] = async (stimuli, answers) => answers.shown(stimuli, 0);
    expect(await failing(run)).toMatch(/before it answered/);
  });
  it('by failing', async () => {
    const run: Backend['run'] = async () => {
      throw new GicTraceError('backend', 'it died');
    };
    expect(await failing(run)).toMatch(/simulator: it died; sent last: record \d+: /);
  });
});

describe('what memory holds before the trace contains it', () => {
  it('is given before its stimulus, in batches that a backend may refuse to exceed, and is not part of the verdict', async () => {
    const recording = syntheticRecording(CONFIG, 3, 400);
    const without = await through(new Simulator('test'), recording);
    const sent: { known: number; before: number }[] = [];
    let stimuli = 0;
    class Noting extends Around {
      override run(batch: RecordBatch, answers: Answers): Promise<void> {
        expect(batch.count).toBeLessThanOrEqual(16);
        for (let i = 0; i < batch.count; i++)
          if (batch.kind[i] === RECORDS['mem.known'].id && batch.words[i * RECORD_WORDS + 1] === 0xff)
            sent.push({ known: batch.words[i * RECORD_WORDS]!, before: stimuli });
          else stimuli++;
        return super.run(batch, answers);
      }
    }
    // Bytes at an address that nothing uses.
    const bytes = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ address: 0xff * 2 ** 32 + n, byte: 7 }));
    const fills = new Map([
      [0, bytes(1)],
      [9, bytes(40)],
    ]);
    const outcome = await through(new Noting(), recording, { fills, batchRecords: 16 });
    expect(outcome).toEqual(without);
    expect(sent.map(({ before }) => before)).toEqual([0, ...new Array(40).fill(9)]);
    expect(sent.slice(1).map(({ known }) => known)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });
});
