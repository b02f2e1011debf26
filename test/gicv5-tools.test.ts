// What tools say of traces of a GICv5 (why, step, bisect, minimize), on real boots and on faults planted into them.
import { existsSync } from 'node:fs';
import { type Gicv5Config, VERSION } from '@gictrace/core';
import { DESIGNS, Translation } from '@gictrace/core/irqchip';
import { KIND, RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICV5_SYSREGS, GICV5_TYPES, gicv5Intid, IRS, ITS } from '@gictrace/core/spec';
import { answerLines, askedTrace, type WhyQuestion, why } from '@gictrace/query';
import { START, TraceReader, TraceWriter } from '@gictrace/recorder';
import { afterAll, describe, expect, it } from 'vitest';
import { run, spawn } from '../packages/cli/src/run.test-support.ts';
import { does, gicv5RecordsOf, Recording, sysregWrite } from './planting.ts';
import { QEMUS } from './qemus.ts';
import { recording, scratch } from './support.ts';
import { Random } from './torture/random.ts';
import { GICV5_KINDS } from './why-planted/gicv5.ts';
import { gicv5Trials } from './why-planted/trials.ts';

const temp = scratch();
afterAll(() => temp.dispose());

/** A QEMU with a GICv5; qemus.ts says if there is none. */
const QEMU_11 = QEMUS.find(({ version }) => Number.parseInt(version, 10) >= 11);
const QEMU_OLD = QEMUS.find(({ version }) => Number.parseInt(version, 10) < 11);

const { PPI, LPI, SPI } = GICV5_TYPES;
const TIMER = gicv5Intid(PPI, 27);
const lpi = (id: number) => gicv5Intid(LPI, id);

async function imported(name: string): Promise<string> {
  const path = temp.path(`${name}.gictrace`);
  expect((await run('import', 'qemu', recording(`${name}.log.gz`), '-o', path, '--force')).code).toBe(0);
  return path;
}

describe('faults planted into a boot', () => {
  it.each([
    ['linux-gicv5-one-pe-head', 30, 30],
    ['linux-gicv5-eight-pes-head', 15, 15],
    // Of some PPIs, the log does not say to which of 3 PEs they belong: what depends on that is unknown.
    ['linux-gicv5-three-pes-int-head', 15, 13],
  ] as const)('of %s: of %i at least %i are named', async (name, count, least) => {
    const recorded = gicv5RecordsOf(await imported(name));
    const all = [...gicv5Trials(recorded, Object.keys(GICV5_KINDS), count, new Random(5))];
    expect(all.length).toBe(count);
    const missed = all.filter(({ isNamed }) => !isNamed);
    expect(missed.length, JSON.stringify(missed, null, 1)).toBeLessThanOrEqual(count - least);
  });

  it('are confirmed by a replay: without the record, or with what is missing', async () => {
    const { config, batches } = gicv5RecordsOf(await imported('linux-gicv5-one-pe-head'));
    const planted = (change: (t: Recording<Gicv5Config>) => void) => {
      const t = new Recording(config, batches);
      change(t);
      return why(t.finish('recorded again').trace, { intid: TIMER });
    };
    const at = 3000;
    const masked = planted((t) => {
      const place = t.find(does('acknowledge', TIMER), 100);
      t.insert(place + 1, sysregWrite(GICV5_SYSREGS.ICC_PCR_EL1.encoding, 0, 0));
    });
    expect(masked.counterfactual).toMatchObject({ outcome: 'arrives' });
    expect(masked.counterfactual!.text).toMatch(
      /^record \d+ left out and replayed: it is signalled at record \d+$/,
    );
    expect(masked.finding).toMatchObject({ kind: 'blocked', reason: 'priority mask' });
    const last = batches.reduce((sum, { count }) => sum + count, 0) - 1;
    // From here on the timer is acknowledged and never deactivated.
    const active = planted((t) => {
      const taken = t.find(does('acknowledge', TIMER), 0, at);
      const isCddi = (row: { kind: number; word(k: number): number }) =>
        row.kind === KIND['sysreg.write'] &&
        row.word(0) === GICV5_SYSREGS.GIC_CDDI.encoding &&
        row.word(1) === TIMER;
      for (let k = last; k > taken; k--) if (isCddi(t.rows[k]!)) t.rows.splice(k, 1);
      t.rows[taken]!.isPlanted = true;
    });
    expect(active.finding).toMatchObject({ reason: 'active', to: null });
    expect(active.counterfactual!.text).toMatch(
      /with a GIC CDDI of PPI 27 by PE0 inserted before record \d+ and replayed: it is signalled/,
    );
  });
});

/** Writes a changed recording as a trace. */
function save(
  path: string,
  t: Recording<Gicv5Config>,
  form: 'recorded again' | 'contradictory' = 'recorded again',
  options: Record<string, string> = {},
): void {
  const { trace } = t.finish(form);
  const writer = new TraceWriter(path, {
    writer: { name: 'gictrace', version: VERSION },
    config: trace.config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: 'test', name: 'planted', provenance: {} },
    losses: [],
    seed: null,
    options,
  });
  for (const { batch } of trace.batches()) writer.append(batch);
  writer.close({ meta: {} });
}

/** What a design's driver does, as a trace that can be asked and changed. */
function driven(act: (translation: Translation) => void): Recording<Gicv5Config> {
  const batches: RecordBatch[] = [];
  const translation = new Translation(DESIGNS['gicv5-its']!, 2, {
    stimulus: (batch) => {
      const one = new RecordBatch(1);
      one.copy(batch, 0);
      batches.push(one);
    },
  });
  translation.take({ op: 'pe.online', pe: 0 });
  translation.take({ op: 'pe.online', pe: 1 });
  translation.take({ op: 'alloc', device: 8, count: 2 });
  act(translation);
  return new Recording(translation.run.config as Gicv5Config, batches);
}
const ask = (t: Recording<Gicv5Config>, question: WhyQuestion) =>
  why(t.finish('recorded again').trace, question);
const fire = (translation: Translation) => {
  for (const op of ['activate', 'unmask', 'fire'] as const)
    translation.take({ op, device: 8, vector: 1, ...(op === 'activate' ? { pe: 1 } : {}) } as never);
};

describe('messages of a device', () => {
  it('are followed through the ITS to the PE', () => {
    const answer = ask(driven(fire), { device: 8 });
    expect([answer.outcome, answer.counts]).toEqual([
      'delivered',
      { lifetimes: 1, acknowledged: 1, messages: 1, dropped: 0 },
    ]);
    expect(answer.way.map(({ stage }) => stage)).toEqual(
      expect.arrayContaining(['message', 'ITS', 'pending', 'acknowledged', 'priority drop', 'deactivated']),
    );
  });

  it('of a disabled ITS are dropped, by the write of ITS_CR0', () => {
    const t = driven((translation) => {
      fire(translation);
      translation.take({ op: 'fire', device: 8, vector: 1 });
    });
    const place = t.find((row) => row.kind === KIND['msi.write'], 1);
    const off = new RecordBatch(1);
    off.push(KIND['mmio.write'], 0, Number.NaN);
    off.words.set([FRAMES.indexOf('ITS'), 1, ITS.ITS_CR0.offset, 4, 0]);
    t.insert(place, off);
    const answer = ask(t, { device: 8, event: 1 });
    expect(answer.outcome).toBe('not delivered');
    expect(answer.finding).toMatchObject({ kind: 'dropped', reason: 'its-disabled', lost: 1 });
    expect(answer.finding!.cause!.text).toContain('ITS_CR0');
    expect(answer.counts).toMatchObject({ lifetimes: 1, acknowledged: 1, messages: 2, dropped: 1 });
    // What was delivered before is no part of the way of this message.
    expect(answer.way.map(({ stage, state }) => [stage, state])).toEqual([
      ['message', 'passed'],
      ['ITS', 'blocked'],
    ]);
  });

  it('of an event whose entry the ITS keeps as not valid are dropped', () => {
    const t = driven((translation) => translation.take({ op: 'fire', device: 8, vector: 1 }));
    const batch = new RecordBatch(1);
    batch.push(KIND['msi.write'], -1, Number.NaN);
    batch.words.set([0, 8, 1, 4]);
    t.insert(t.rows.length - 1, batch);
    const { finding, headline } = ask(t, { device: 8, event: 1 });
    expect(finding).toMatchObject({ kind: 'dropped', reason: 'event-unmapped' });
    expect(headline).toContain('EventID 0x1 is not valid');
  });
});

it('messages whose translation is not in the source are not dropped', () => {
  const t = driven(fire);
  const left = t.rows.filter(({ kind }) => kind !== KIND['mem.write'] && kind !== KIND['mem.known']);
  t.rows.splice(0, t.rows.length, ...left);
  const answer = ask(t, { device: 8 });
  expect([answer.outcome, answer.counts]).toEqual([
    'unknown',
    { lifetimes: 0, acknowledged: 0, messages: 1, dropped: 0 },
  ]);
  expect(answer.headline).toMatch(/^what became of its messages is not in the source: /);
  expect(answer.finding).toMatchObject({ kind: 'not in the source', lost: 1 });
});

describe('an interrupt that the GIC does not have', () => {
  const instruction = (name: 'GIC_CDEN' | 'GIC_CDPEND', intid: number) => {
    const batch = sysregWrite(GICV5_SYSREGS[name].encoding, 0, intid);
    batch.words[2] = 1;
    return batch;
  };

  it.each([
    [gicv5Intid(SPI, 4000), /no IRS has SPI 4000/],
    [lpi(0xff_ffff), /the interrupt state table does not have LPI 16777215/],
  ])('0x%x: the instruction has no effect', (intid, text) => {
    const t = driven(fire);
    t.insert(t.rows.length - 1, instruction('GIC_CDPEND', intid));
    const answer = ask(t, { intid });
    expect([answer.outcome, answer.finding!.kind]).toEqual(['never pending', 'no effect']);
    expect(answer.headline).toMatch(text);
    expect(answer.counterfactual!.outcome).toBe('not tried');
  });

  it('may be one of a table that was there before the source begins, until there is a reset', () => {
    const t = new Recording(driven(fire).config, [instruction('GIC_CDPEND', lpi(5))]);
    const kinds = (options: Record<string, string>) => {
      const path = temp.path('lpi.gictrace');
      save(path, t, 'recorded again', options);
      const reader = TraceReader.openAny(path);
      try {
        return why(askedTrace(reader), { intid: lpi(5) }).finding?.kind;
      } finally {
        reader.close();
      }
    };
    const midLife = { [START]: 'mid-life' };
    expect([kinds({}), kinds(midLife)]).toEqual(['no effect', undefined]);
    const reset = new RecordBatch(1);
    reset.push(KIND['gic.reset'], -1, Number.NaN);
    t.insert(0, reset);
    expect(kinds(midLife)).toBe('no effect');
  });
});

it('what a disabled IRS does not forward names IRS_CR0', () => {
  const t = driven(fire);
  const place = t.find((row) => row.kind === KIND['msi.write']);
  const off = new RecordBatch(1);
  off.push(KIND['mmio.write'], 0, Number.NaN);
  off.words.set([FRAMES.indexOf('IRS'), 1, IRS.IRS_CR0.offset, 4, 0]);
  t.insert(place, off);
  const { trace, planted } = t.finish('recorded again');
  const answer = why(trace, { device: 8 });
  expect(answer.finding).toMatchObject({ reason: 'IRS disabled', to: null, lost: 1 });
  expect(answerLines(answer)[1]).toContain(`record ${planted[0]}`);
  expect(answer.counterfactual!.outcome).toBe('arrives');
});

describe('gictrace why', () => {
  it('takes INTIDs as people write them, and answers with exit code 0 for what was delivered', async () => {
    const path = await imported('linux-gicv5-one-pe-head');
    const texts = ['PPI 27', 'ppi27', '0x2000001b', `${TIMER}`];
    const answers: Awaited<ReturnType<typeof run>>[] = [];
    for (const text of texts) answers.push(await run('why', path, '--intid', text));
    expect(new Set(answers.map(({ out }) => out)).size).toBe(1);
    expect(answers[0]).toMatchObject({ code: 0, err: '' });
    expect(answers[0]!.out).toMatch(/^PPI 27, PE0: delivered, at record \d+ by PE0/);
    const page = temp.path('why.html');
    expect((await run('report', path, '--why', 'PPI 27', '-o', page)).code).toBe(0);
  });

  it.each([
    [
      ['--intid', '27'],
      /INTID 27 is no interrupt of the trace: an INTID of GICv5 has a type: .*\(such as 'PPI 27'/,
    ],
    [['--vintid', '27'], /the virtual interrupts of a GICv5 are not modelled/],
  ])('%j is refused in one line', async (options, text) => {
    const path = await imported('linux-gicv5-one-pe-head');
    const { code, err } = await run('why', path, ...options);
    expect([code, err.trim().split('\n').length]).toEqual([2, 1]);
    expect(err).toMatch(text);
  });

  it('says that a PE is unknown where the log does not name it, and finds nothing', async () => {
    const path = await imported('linux-gicv5-four-pes-head');
    const { code, out } = await run('why', path, '--intid', 'PPI 27');
    expect(code).toBe(0);
    expect(out).toContain(
      'by a PE that the source does not name; nothing that the source decides blocked it',
    );
    expect(out).toMatch(/note: the source does not say of which PE \d+ accesses to CPU interfaces are/);
  });
});

describe('gictrace step', () => {
  it('goes forward and back, with a watched interrupt', async () => {
    const path = await imported('linux-gicv5-one-pe-head');
    const commands = 'find intid PPI 27\nfind gate\nback\nfind kind int.acknowledged\nquit\n';
    const { code, out, err } = spawn(['step', path, '--at', '600', '--watch', 'PPI 27'], commands);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^watch: PPI 27 PE0: not pending$/m);
    expect(out).toMatch(
      /wire\.set INTID PPI 27 level yes[\s\S]*signalled: PE0 PPI 27\n {2}watch: PPI 27 PE0: signalled\n/,
    );
    expect(out).toMatch(/GICR_CDIA[\s\S]*~ PE0 int\.acknowledged INTID PPI 27[\s\S]*signalled: nothing/);
    expect(spawn(['step', path, '--watch', 'PPI 200000000'], 'next\n').code).toBe(2);
  });
});

describe('gictrace bisect', () => {
  it('finds the first record at which a query holds, and the first trace that differs', async () => {
    const path = await imported('linux-gicv5-one-pe-head');
    const sql = "SELECT 1 FROM gic_state(1, :record) WHERE name = 'PPI 27' AND text LIKE '% active %'";
    const { code, out } = await run('bisect', path, '--sql', sql);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^FOUND: the query returns a row from record \d+ on, after \d+ tests\n {2}\d+ \S+ PE0 GICR_CDIA -> \S+ \{ID=27 TYPE=PPI VALID\}/,
    );
    const other = await imported('linux-gicv5-eight-pes-head');
    expect((await run('bisect', path, path, other)).out).toMatch(
      /^FOUND: \S+eight-pes-head.gictrace is the first that differs/,
    );
    expect(
      (await run('bisect', path, '--on', 'simulator@qemu-11.1', 'simulator@gicv5-architecture')).out,
    ).toMatch(/^SAME: simulator@gicv5-architecture does not differ from simulator@qemu-11.1/);
  });
});

describe('gictrace minimize', () => {
  const small = () => temp.path('small.gictrace');
  const lines = (out: string) => Number(/^MINIMIZED: (\d+) of/.exec(out)![1]);

  it('keeps a divergence, with the fault of a simulator, in a boot with PEs that the log does not name', async () => {
    const path = await imported('linux-gicv5-three-pes-int-head');
    const words = ['--plant', 'cdeoi-ignored', '-o', small(), '--force', '--emit', 'jsonl'];
    const { code, out } = await run('minimize', path, '--keep', 'diverges', ...words);
    expect(code).toBe(0);
    expect(lines(out)).toBeLessThanOrEqual(20);
    expect(out).toMatch(/none can be left out\n/);
    expect((await run('replay', small())).code).toBe(0);
    expect(
      (
        await run(
          'import',
          'jsonl',
          small().replace('.gictrace', '.jsonl'),
          '-o',
          temp.path('again.gictrace'),
        )
      ).code,
    ).toBe(0);
  });

  it.each([
    ['sql', "sql:SELECT 1 FROM interrupts WHERE INTID = 536870939 AND outcome = 'complete'", 8],
    ['command', 'command:test $(gictrace-not-there 2>/dev/null; echo 1) = 1', 1],
  ])('keeps a property: %s', async (_name, keep, most) => {
    const path = await imported('linux-gicv5-one-pe-head');
    const { code, out } = await run(
      'minimize',
      path,
      '--keep',
      keep,
      '-o',
      small(),
      '--force',
      '--tests',
      '300',
    );
    expect(code).toBe(0);
    expect(lines(out)).toBeLessThanOrEqual(most);
    expect((await run('replay', small())).code).toBe(0);
  });

  it('keeps a finding of check', async () => {
    const { config, batches } = gicv5RecordsOf(await imported('linux-gicv5-one-pe-head'));
    const t = new Recording(config, batches);
    const taken = t.find(does('acknowledge', TIMER), 50);
    const isDdi = (row: { kind: number; word(k: number): number }) =>
      row.kind === KIND['sysreg.write'] && row.word(0) === GICV5_SYSREGS.GIC_CDDI.encoding;
    t.insert(
      t.find(isDdi, 0, taken) + 1,
      sysregWrite(GICV5_SYSREGS.GIC_CDDI.encoding, 0, gicv5Intid(SPI, 5)),
    );
    const path = temp.path('planted.gictrace');
    save(path, t);
    const { code, out } = await run(
      'minimize',
      path,
      '--keep',
      'finding:deactivate-not-active',
      '-o',
      small(),
      '--force',
    );
    expect(code).toBe(0);
    expect(lines(out)).toBe(1);
    expect(out).toContain('GIC_CDDI <- 0x60000005');
  });

  it('is not written as a program, and needs no other implementation', async () => {
    const path = await imported('linux-gicv5-one-pe-head');
    for (const format of ['c', 'qtest', 'jsonl,c']) {
      // Refused before the reduction, which may take hours: the command of --keep is not run once.
      const touched = temp.path('touched');
      const words = ['--keep', `command:touch ${touched}; true`, '-o', small(), '--force', '--emit', format];
      const program = await run('minimize', path, ...words);
      expect(program).toMatchObject({ code: 2, err: expect.stringContaining('give --emit vitest or jsonl') });
      expect(existsSync(touched)).toBe(false);
    }
    const onQemu = await run('minimize', path, '--on', 'qemu', '-o', small(), '--force');
    expect(onQemu).toMatchObject({ code: 2, err: expect.stringContaining('minimized on simulators only') });
  });
});

describe.skipIf(QEMU_11 === undefined)('gictrace replay --on qemu', () => {
  const on = `qemu:${QEMU_11?.command}`;

  it.each([
    ['linux-gicv5-one-pe-head', 9_000],
    ['linux-gicv5-four-pes-head', 11_000],
    ['linux-gicv5-three-pes-int-head', 8_000],
  ])(
    'replays %s on a real QEMU without a difference, and what it records replays on the simulator',
    async (name, least) => {
      const path = await imported(name);
      const again = temp.path('re-recorded.gictrace');
      const { code, out, err } = await run('replay', path, '--on', on, '-o', again, '--force', '--json');
      expect([code, err]).toEqual([0, '']);
      const verdict = JSON.parse(out);
      expect(Object.values<number>(verdict.compared).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(least);
      const back = JSON.parse((await run('replay', again, '--json')).out);
      expect([back.diverged, back.records > least]).toEqual([0, true]);
    },
  );

  it('finds one line that is changed', async () => {
    const { config, batches } = gicv5RecordsOf(await imported('linux-gicv5-one-pe-head'));
    const t = new Recording(config, batches);
    const place = t.rows.findIndex(
      (row, k) => k > 2000 && row.kind === KIND['ppi.hppi'] && row.word(1) === TIMER,
    );
    t.rows[place]!.set(2, 30);
    const path = temp.path('changed.gictrace');
    save(path, t, 'contradictory');
    const { code, out } = await run('replay', path, '--on', on, '--json');
    expect([code, JSON.parse(out).first.record]).toEqual([1, place]);
  });

  it('a level-2 table that is mapped again keeps its place, with the LPIs that it has', async () => {
    const { config, batches } = gicv5RecordsOf(await imported('linux-gicv5-four-pes-head'));
    const t = new Recording(config, batches);
    const maps = (row: { kind: number; word(k: number): number }) =>
      row.kind === KIND['mmio.write'] && row.word(2) === IRS.IRS_MAP_L2_ISTR.offset;
    const mapped = t.rows[t.find(maps)]!;
    const again = new RecordBatch(1);
    again.copy(mapped.batch, mapped.i);
    t.insert(
      t.find(() => true, 0, t.at(0.5)),
      again,
    );
    const path = temp.path('mapped-again.gictrace');
    save(path, t, 'contradictory');
    const { code, out } = await run('replay', path, '--on', on, '--json');
    expect([code, JSON.parse(out).diverged]).toEqual([0, 0]);
  });

  it('compares nothing from an access on that belongs to no PE', async () => {
    const path = await imported('linux-gicv5-eight-pes-head');
    const { code, out } = await run('replay', path, '--on', on);
    expect(code).toBe(0);
    expect(out).toMatch(
      /\d+ {2}from the first access on that the source assigns to no PE, and that QEMU cannot be given/,
    );
  });
});

it.skipIf(QEMU_OLD === undefined)('a QEMU that has no GICv5 is refused in one line', async () => {
  const path = await imported('linux-gicv5-one-pe-head');
  const { code, err } = await run('replay', path, '--on', `qemu:${QEMU_OLD!.command}`);
  expect(code).toBe(3);
  expect(err).toMatch(/^gictrace: QEMU \S+ has no GICv5 \(give qemu:COMMAND of QEMU 11\.1 or later\)\n$/);
});
