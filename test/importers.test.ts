// Importers on real recordings: JSON lines of a trace make the same trace again; the register accesses of a real boot,
// printed as ftrace prints them, are read as the accesses that they were.
import { writeFileSync } from 'node:fs';
import { RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { importFtraceToTrace, TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { allBatches, imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const small = temp.path('small');
beforeAll(() => imported(recording('its-trigger.log.gz'), small));

describe.each(['linux-gicv3-spi-head', 'its-trigger', 'linux-gicv3-plugin-head'])('%s', (name) => {
  const trace = temp.path(name);
  beforeAll(() => imported(recording(`${name}.log.gz`), trace));

  it('as JSON lines and back: the same records, digest and verdict', async () => {
    const [lines, again] = [temp.path('lines'), temp.path('again')];
    const { out } = await run('dump', trace, '--json', '--header');
    writeFileSync(lines, out);
    expect(await run('import', 'jsonl', lines, '-o', again)).toMatchObject({ code: 0, err: '' });
    expect((await run('dump', again, '--json', '--header')).out === out).toBe(true);
    const [a, b] = [trace, again].map((path) => TraceReader.open(path));
    expect(b!.footer!.semanticDigest).toBe(a!.footer!.semanticDigest);
    expect(b!.footer!.kinds).toEqual(a!.footer!.kinds);
    a!.close();
    b!.close();
    const { state: _state, ...compared } = replayTrace(trace, { version: 'test' }).compared;
    const verdict = replayTrace(again, { version: 'test' });
    expect([verdict.diverged, verdict.compared]).toEqual([0, compared]);
    // Without the header, with the configuration of the trace.
    writeFileSync(lines, out.slice(out.indexOf('\n') + 1));
    expect((await run('import', 'jsonl', lines, '-o', again)).err).toMatch(
      /line 1: is a record, but no header/,
    );
    expect((await run('import', 'jsonl', lines, '-o', again, '--like', trace)).code).toBe(0);
  });
});

it('a source that does not show all kinds says which: others are not held against it, and counted', async () => {
  const lines = temp.path('some');
  const [header, ...records] = (await run('dump', small, '--json', '--header')).out.trimEnd().split('\n');
  const kinds = ['hppi', 'vhppi', 'maintenance', 'dte.read', 'cte.read', 'ite.read'];
  const kept = records.filter((line) => !kinds.includes((JSON.parse(line) as { kind: string }).kind));
  const replayed = async (more: object): Promise<ReturnType<typeof replayTrace>> => {
    writeFileSync(lines, [JSON.stringify({ ...JSON.parse(header!), ...more }), ...kept].join('\n'));
    const trace = temp.path('some.gictrace');
    expect(await run('import', 'jsonl', lines, '-o', trace)).toMatchObject({ code: 0, err: '' });
    return replayTrace(trace, { version: 'test' });
  };
  // As if it showed everything: what is not there is missing.
  expect((await replayed({})).diverged).toBeGreaterThan(10);
  const whole = replayTrace(small, { version: 'test' });
  const shows = ['its.command', 'dte.write', 'cte.write', 'ite.write', 'sgi.sent'];
  const some = await replayed({ shows });
  expect(some.diverged).toBe(0);
  expect(some.unknown['ite.read: not shown by the source']).toBe(whole.compared['ite.read']);
  expect(some.compared['its.command']).toBe(whole.compared['its.command']);
  expect(some.compared['mmio.write']).toBe(whole.compared['mmio.write']);
  const less = await replayed({ shows, reserved: false });
  expect(less.diverged).toBe(0);
  expect(less.compared['mmio.write']).toBeUndefined();
  expect(less.skipped).toEqual({
    'whether a location is reserved: not shown by the source': whole.compared['mmio.write'],
  });
  // What it does show is still held against it.
  const missing = await replayed({ shows: [...shows, 'ite.read'] });
  expect(missing.diverged).toBeGreaterThan(0);
});

const GICD = 0xffff_8000_0800_0000n;
const GICR = 0xffff_8000_0820_0000n;
const GITS = 0xffff_8000_0840_0000n;
const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;

/** An access as a kernel with rwmmio events prints it. */
function printed(batch: RecordBatch, i: number): string {
  const [frame, instance, offset, width, low, high] = batch.words.subarray(
    i * RECORD_WORDS,
  ) as never as number[];
  const base = [GICD, GICR + BigInt(instance!) * 0x2_0000n, GITS][frame!]!;
  const address = base + BigInt(offset!);
  const value = (BigInt(high!) << 32n) | BigInt(low!);
  const probe = ['gic_of_init', 'gic_iterate_rdists', 'its_map_one'][frame!]!;
  const event = batch.kind[i] === MMIO_READ ? 'rwmmio_post_read' : 'rwmmio_write';
  const cpu = Math.max(0, batch.pe[i]!);
  const micros = Math.round(batch.timeNs[i]! / 1000);
  const time = `${Math.floor(micros / 1e6)}.${`${micros % 1e6}`.padStart(6, '0')}`;
  return `  kworker/${cpu}:1-${100 + cpu} [00${cpu}] d..1. ${time}: ${event}: ${probe}+0x10/0x20 -> ${probe}+0x10/0x20 width=${8 * width!} val=0x${value.toString(16)} addr=0x${address.toString(16)}`;
}

it.each(['linux-gicv3-mrops', 'linux-gicv3-spi-head'])(
  '%s, its accesses printed as ftrace does: each is read again, on its PE',
  async (name) => {
    const path = temp.path(`${name}.whole`);
    await imported(recording(`${name}.log.gz`), path);
    const { batches, reader } = allBatches(path);
    reader.close();
    const lines: string[] = [];
    const wanted: (readonly (number | undefined)[])[] = [];
    const told = (batch: RecordBatch, i: number) => [
      batch.kind[i],
      Math.max(0, batch.pe[i]!),
      ...batch.words.subarray(i * RECORD_WORDS, i * RECORD_WORDS + 6),
    ];
    for (const batch of batches)
      for (let i = 0; i < batch.count; i++) {
        if (batch.kind[i] !== MMIO_READ && batch.kind[i] !== MMIO_WRITE) continue;
        lines.push(printed(batch, i));
        wanted.push(told(batch, i));
      }
    expect(wanted.length).toBeGreaterThan(450);
    const log = temp.path('ftrace');
    // Linux reads GICD_PIDR2 first of all; QEMU's boot has it so too, but for the Distributor of a restarted PE.
    writeFileSync(log, lines.join('\n'));
    const options = {
      gicd: GICD,
      gicr: [{ base: GICR, count: 4 }],
      ...(name === 'linux-gicv3-mrops' ? { gits: [GITS] } : {}),
    };
    const out = temp.path('ftrace.gictrace');
    const given = await importFtraceToTrace(log, out, { version: 'test', ...options });
    const got: (readonly (number | undefined)[])[] = [];
    const again = allBatches(out);
    again.reader.close();
    for (const batch of again.batches) for (let i = 0; i < batch.count; i++) got.push(told(batch, i));
    expect(got).toEqual(wanted);
    expect(given.stats.losses).toEqual({});
    expect(given.config.gicd.typer).toBe(reader.header.config.gicd.typer);
    expect(given.config.pes).toEqual(reader.header.config.pes);
    // And without a word of where the frames are: found by the probes, from the first of each on.
    const found = await importFtraceToTrace(log, out, { version: 'test' });
    expect(found.config).toEqual({ ...given.config, addresses: found.config.addresses });
    expect(found.summary.records).toBeGreaterThan(0.9 * wanted.length);
  },
);

describe('gictrace import', () => {
  const trace = small;
  it.each([
    [['ftrace', trace, '--its'], /--its is not for ftrace/],
    [['jsonl', trace, '--gicd', '0x8000000'], /--gicd is not for jsonl/],
    [['qemu', trace, '--like', trace], /--like is not for qemu/],
    [['qemu', trace, '--gicr-stride', '0x20000'], /--gicr-stride is not for qemu/],
    [['ftrace', trace, '--gicd', 'here'], /--gicd takes an address such as/],
    [['ftrace', trace, '--gicr', '0x1:2:3'], /--gicr takes ADDRESS/],
    [['ftrace', trace, '--gicr', '0x1:0'], /--gicr takes a whole number/],
    [['ftrace', trace, '--gicr-stride', '5'], /--gicr-stride takes a multiple/],
    [['ftrace', trace, '--of', 'both'], /--of is 'both'/],
    [['ftrace', trace, '--profile', 'nope'], /no profile 'nope'/],
    [['ftrace', trace], /no line of an ftrace event|not a text log/],
    [['jsonl', trace], /line 1: is not JSON/],
    [['jsonl', temp.path('none')], /no such file/],
    [['vcd', trace], /formats: qemu, gicv5, ftrace, jsonl/],
  ] as [string[], RegExp][])('%j is refused', async (args, says) => {
    const { code, err } = await run('import', ...args, '-o', temp.path('out'));
    expect(err).toMatch(/^gictrace: [^\n]+\n$/);
    expect([code, err]).toEqual([2, expect.stringMatching(says)]);
  });
});
