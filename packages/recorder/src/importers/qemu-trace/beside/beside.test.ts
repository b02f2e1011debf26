// Compares an import by two threads with one by a single thread, on whole traces: the recordings, and logs in which the
// first expectation turns out wrong. This thread plays the part of the other one; the messages between them are the
// same.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type GicConfig, GicTraceError } from '@gictrace/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TraceWriter } from '../../../trace/index.ts';
import type { ImportOptions, Provenance } from '../../common/identity.ts';
import type { ImportStats } from '../../common/import-stats.ts';
import { openSource } from '../../common/source.ts';
import { importQemu, type SourceShows } from '../import.ts';
import { type ImportSinkAgain, importQemuBeside, type Reader } from './import-beside.ts';
import { type ReaderData, serveReading } from './reader.ts';

/** All that `npm run test:thorough` tries; otherwise a part, since each is imported whole and twice. */
const isThorough = process.env.GICTRACE_THOROUGH === '1';
const some = <T>(all: readonly T[], one: number) => (isThorough ? all : all.filter((_, n) => n % one === 0));

const RECORDINGS = new URL('../../../../../../test/recordings/', import.meta.url).pathname;
let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gictrace-beside-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Outcome {
  readonly trace?: Buffer;
  readonly stats?: ImportStats;
  readonly error?: string;
  /** What the sink was asked to do. */
  readonly asked: readonly string[];
}

/** A reader that runs in this thread. */
function reader(data: ReaderData): Reader {
  const { port1, port2 } = new MessageChannel();
  const ended = serveReading(port2, data);
  return {
    listen: (heard) => {
      port1.on('message', heard);
    },
    giveBack: (buffer) => port1.postMessage(buffer, [buffer]),
    stop: async () => {
      await ended;
      port1.close();
    },
  };
}

/** Imports into a whole trace. */
async function imported(
  work: (sink: ImportSinkAgain, asked: string[]) => Promise<ImportStats>,
): Promise<Outcome> {
  const out = join(dir, 'out.gictrace');
  rmSync(out, { force: true });
  const asked: string[] = [];
  let writer: TraceWriter | undefined;
  let config: GicConfig | undefined;
  const header = (provenance: Provenance, facts: SourceShows) => ({
    writer: { name: 'test', version: '0' },
    config: config!,
    clock: { name: 'host', unitNs: 1000 },
    source: { kind: 'qemu-trace', name: 'log', provenance },
    losses: [],
    stateVersion: 1,
    seed: null,
    options: { ...facts },
  });
  const sink: ImportSinkAgain = {
    begin: (decided, provenance, facts) => {
      asked.push('begin');
      config = decided;
      writer = new TraceWriter(out, header(provenance, facts));
    },
    record: (batch, i) => writer!.record(batch, i),
    snapshot: (state) => writer!.snapshot(state.save(), state.digest()),
    again: () => {
      asked.push('again');
      writer!.abort();
    },
    facts: (provenance, facts) => writer!.rehead(header(provenance, facts)),
    settled: async () => undefined,
  };
  try {
    const stats = await work(sink, asked);
    const losses = Object.entries(stats.losses).map(([what, count]) => ({ what, count }));
    writer!.close({ losses, meta: { lines: stats.lines, events: stats.events } });
    return { trace: readFileSync(out), stats, asked };
  } catch (error) {
    writer?.abort();
    if (!(error instanceof GicTraceError)) throw error;
    return { error: error.line, asked };
  } finally {
    expect(readdirSync(dir).filter((name) => name.includes('partial'))).toEqual([]);
  }
}

/** Imports a log both ways, which must agree. Returns what the two-thread import asked the sink to do. */
async function held(
  path: string,
  options: ImportOptions = {},
  linesBefore?: number,
): Promise<readonly string[]> {
  const asked: string[] = [];
  const source = {
    name: 'log',
    open: () => {
      asked.push('open');
      return openSource(path);
    },
  };
  const one = await imported((sink) => importQemu([source], options, sink));
  asked.length = 0;
  const two = await imported((sink) =>
    importQemuBeside(path, source, options, sink, (data) =>
      reader(linesBefore === undefined ? data : { ...data, linesBefore }),
    ),
  );
  expect(two.error).toBe(one.error);
  expect(JSON.stringify(two.stats)).toBe(JSON.stringify(one.stats));
  expect(two.trace === undefined ? undefined : one.trace!.equals(two.trace)).toBe(
    one.trace === undefined ? undefined : true,
  );
  return [...two.asked, ...asked];
}

/** Writes a log and imports it both ways, starting from what its first lines suggest. */
function heldLines(lines: readonly string[], options: ImportOptions = {}): Promise<readonly string[]> {
  const path = join(dir, 'log');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return held(path, options, 64);
}

const linesOf = (name: string, most = 15_000) =>
  gunzipSync(readFileSync(join(RECORDINGS, name)))
    .toString('latin1')
    .trimEnd()
    .split('\n')
    .slice(0, most);
const names = (folder: string) =>
  readdirSync(join(RECORDINGS, folder)).flatMap((name) => (name.endsWith('.gz') ? [join(folder, name)] : []));

describe('an import by two threads makes the trace of one', () => {
  // One long log is enough in an ordinary run.
  const tried = [...names('.'), ...names('small')].filter((name) => isThorough || !name.includes('mrops'));
  it.each(tried)('%s', { timeout: 120_000 }, async (name) => {
    const asked = await held(join(RECORDINGS, name));
    // If a log is long enough for another thread, its groups are in fact taken while it is read.
    if (name === 'linux-gicv3-mrops.log.gz' || name === 'linux-gicv3-spi-head.log.gz')
      expect(asked).toEqual(['begin']);
    if (name === 'linux-gicv4-kvm.log.gz') expect(asked).toEqual(['begin', 'again', 'begin']);
  });

  it.each(
    some(
      [...names('.'), ...names('small')].filter((name) => !/mrops|kvm/.test(name)),
      3,
    ),
  )('%s, from its first lines on', { timeout: 120_000 }, async (name) => {
    await heldLines(linesOf(name, 8000));
  });

  const boot = linesOf('linux-gicv3-plugin-head.log.gz');
  const events = [...new Set(boot.flatMap((line) => /:?(gicv3_\w+|memory_region\w+)/.exec(line)?.[1] ?? []))];
  it.each(some(events, 3))('a log without %s', { timeout: 60_000 }, async (event) => {
    await heldLines(boot.filter((line) => !line.includes(event)));
  });

  it('a log that begins in mid-life', { timeout: 60_000 }, async () => {
    await heldLines(boot.slice(9000));
    await heldLines(boot.slice(9000), { start: 'reset' });
  });

  it('a log in which another process goes on', { timeout: 60_000 }, async () => {
    const later = boot.map((line) =>
      line.replace(/^(\d+)@/, (_all, thread: string) => `${Number(thread) + 5000}@`),
    );
    await heldLines([...boot.slice(0, 12_000), ...later.slice(12_000)]);
    const ids = [...new Set(boot.flatMap((line) => /^\d+(?=@)/.exec(line)?.[0] ?? []))];
    const swapped = boot.map((line) =>
      line.replace(/^\d+(?=@)/, (id) => ids[ids.length - 1 - ids.indexOf(id)]!),
    );
    await heldLines([...boot.slice(0, 12_000), ...swapped.slice(12_000)]);
  });

  it('a log in which something appears at its very end', { timeout: 60_000 }, async () => {
    const { length } = boot;
    for (const line of [
      'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x7 value 0x3ff',
      'gicv3_its_cte_read GICv3 ITS: Collection Table read for ICID 0x0: valid 1 RDBase 0x0',
      'gicv3_cpuif_virt_set_maint_irq GICv3 CPU i/f 0 virt set maint irq 1',
      'gicv3_dist_read GIC distributor read: offset 0x4 data 0x37a0407 size 4 secure 1',
      'gicv3_icv_ap_read GICv3 ICV_AP0R0 read cpu 0x0 value 0x0',
      'gicv3_unheard_of something',
      'gicv3_icc_iar1_read',
    ])
      await heldLines([...boot, `${/^\d+@[\d.]+:/.exec(boot[length - 1]!)![0]}${line}`]);
  });

  it('a log that is cut anywhere, also within what a stimulus did', { timeout: 60_000 }, async () => {
    const log = linesOf('linux-gicv3-spi-head.log.gz', 12_000);
    const path = join(dir, 'log');
    for (let end = 12_000 - (isThorough ? 10 : 4); end < 12_000; end++) {
      writeFileSync(path, log.slice(0, end).join('\n'));
      expect(await held(path)).toEqual(['begin']);
    }
  });

  it('a log with one line that is wrong, wherever', { timeout: 120_000 }, async () => {
    for (let at = 300; at < boot.length; at += isThorough ? 2467 : 5003) {
      const line = boot[at]!.replace(
        /0x([0-9a-f]+)(\D*)$/,
        (_all, digits: string, rest: string) =>
          `0x${(Number.parseInt(digits.slice(-6), 16) ^ 1).toString(16)}${rest}`,
      );
      await heldLines([...boot.slice(0, at), line, ...boot.slice(at + 1)]);
    }
  });

  it('refuses what one thread refuses, in its words', async () => {
    await heldLines(['nothing of a GIC']);
    await heldLines([]);
    const path = join(dir, 'cut.gz');
    writeFileSync(path, gzipSync(boot.join('\n')).subarray(0, 40_000));
    const asked = await held(path, {}, 64);
    expect(asked.at(-1)).toBe('open');
    await held(join(dir, 'none'));
    await heldLines(boot, { pes: 1 });
    await heldLines([...boot, 'x'.repeat(2 << 20)]);
  });

  it('with what options say', { timeout: 60_000 }, async () => {
    await heldLines(boot, { pes: 6, gic: 4, its: true, priorityBits: 6, profile: 'qemu-10.0' });
    await heldLines(boot, { start: 'mid-life' });
  });
});
