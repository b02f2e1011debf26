// Logs in which the machine is reset, or goes on with a saved state: a guest that reboots, system_reset, loadvm, -incoming.
// Recorded of a guest without an operating system (test/recordings/guest) by QEMU 7.2 and 11.1.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Checker } from '@gictrace/core/check';
import { RULES, recordName } from '@gictrace/core/record';
import { importToTrace, sourceFacts, TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const small = (name: string) =>
  gunzipSync(readFileSync(recording(`small/${name}.log.gz`))).toString('latin1');

async function traceOf(log: string) {
  const [file, trace] = [temp.path('log'), temp.path('trace')];
  writeFileSync(file, log);
  const { start } = await importToTrace(file, trace, { version: 'test', force: true });
  return { start, verdict: replayTrace(trace, { version: 'test' }) };
}

/** Of the trace that was made last: the lines before which the machine was reset and the rules by which, and findings. */
function shown() {
  const reader = TraceReader.open(temp.path('trace'));
  const checker = new Checker(reader.header.config, sourceFacts(reader.header));
  const resets: (readonly [number, string | undefined])[] = [];
  for (const { batch } of reader.batches()) {
    checker.take(batch);
    for (let i = 0; i < batch.count; i++)
      if (recordName(batch.kind[i]!) === 'gic.reset')
        resets.push([batch.line[i]!, Object.entries(RULES).find(([, { id }]) => id === batch.rule[i])?.[0]]);
  }
  reader.close();
  return { resets, findings: checker.finish().map(({ rule }) => rule) };
}

/** The lines, from 1, that have a text. */
const linesWith = (log: string, text: string) =>
  log.split('\n').flatMap((line, n) => (line.includes(text) ? [n + 1] : []));
const PROBE = 'distributor read: offset 0xffe8';

describe.each(['reboot', 'system-reset'])('%s', (name) => {
  const log = small(name);
  /** The first thing that the guest does is an exception return, which has QEMU print what is signalled; then it probes. */
  const probes = linesWith(log, PROBE);

  it('each reset is found where it was, and nothing of before is left', async () => {
    const { start, verdict } = await traceOf(log);
    expect([start, verdict.first]).toEqual(['reset', null]);
    expect(verdict.unknown['reset-from-registers']).toBe(2);
    const { resets, findings } = shown();
    expect(findings).toEqual([]);
    expect(resets.map(([, rule]) => rule)).toEqual(['reset-from-registers', 'reset-from-registers']);
    for (const [n, [line]] of resets.entries()) {
      expect(line).toBeLessThanOrEqual(probes[n + 1]!);
      expect(line).toBeGreaterThan(probes[n + 1]! - 12);
    }
  });

  it.each([
    ['a register that is read at its reset value', 'distributor read: offset 0x0 data 0x52', '0x52', '0x50'],
    ['an acknowledge', 'ICC_IAR1 read cpu 0x0 value 0x1b', '0x1b', '0x1a'],
    ['the interrupt that is signalled', 'HPPI update: irq 27 group 2 prio 160', 'irq 27', 'irq 26'],
    ['the read pointer of the queue', 'ITS read: offset 0x90 data 0x60', '0x60', '0x80'],
    ['an input line', 'interrupt 27 level changed to 1', 'interrupt 27', 'interrupt 26'],
  ])('one number changed behind a reset diverges: %s', async (_what, text, from, to) => {
    const at = log.indexOf(text, log.lastIndexOf(PROBE));
    expect(at).toBeGreaterThan(0);
    const { verdict } = await traceOf(
      log.slice(0, at) + text.replace(from, to) + log.slice(at + text.length),
    );
    expect(verdict.diverged).toBeGreaterThan(0);
  });
});

it('a register that is read at its reset value once is no reset where the rest contradicts it', async () => {
  const log = small('all-events');
  const text = 'redistributor 0x0 read: offset 0x14 data 0x0';
  expect(log.includes(text)).toBe(false);
  // The guest sets GICR_WAKER and goes on: what follows is not of a GIC that has been reset.
  const lines = log.split('\n');
  const at = lines.findIndex((line) => line.includes('ICC_IAR1 read'));
  const stamp = /^.*?(?=gicv3_)/.exec(lines[at]!)![0];
  lines.splice(
    at - 1,
    0,
    `${stamp}gicv3_redist_read GICv3 redistributor 0x0 read: offset 0x14 data 0x6 size 4 secure 0`,
  );
  const { verdict } = await traceOf(lines.join('\n'));
  expect(verdict.diverged).toBeGreaterThan(0);
  expect(shown().resets).toEqual([]);
});

describe.each(['loadvm', 'loadvm-11'])('%s', (name) => {
  const log = small(name);

  describe('recorded live, and QEMU reports that it was stopped', () => {
    /** Seconds and microseconds of each line. */
    const times = log.split('\n').flatMap((line) => {
      const [, epoch, date, micros] = /^(?:\d+@(\d+)|(\S+T[\d:]+))\.(\d+)/.exec(line) ?? [];
      if (micros === undefined) return [];
      return [
        {
          seconds: date === undefined ? Number(epoch) : Date.parse(`${date}Z`) / 1000,
          micros: Number(micros),
        },
      ];
    });
    const pause = (n: number) =>
      times[n]!.seconds - times[n - 1]!.seconds + (times[n]!.micros - times[n - 1]!.micros) / 1e6;

    /** The recording, with the stop in the pause before it goes on differently; without it if `stops` is false. */
    async function live(text: string, stops = true) {
      await traceOf(log);
      let at = shown().resets[0]![0] - 1;
      while (pause(at) < 0.01) at--;
      const { seconds, micros } = times[at - 1]!;
      const stop = { seconds, micros: micros + 1, by: 'unknown', rule: 'state-after-stop' } as const;
      const resets = stops ? [stop] : [];
      async function* stream() {
        yield Buffer.from(text);
      }
      await importToTrace('qemu', temp.path('live'), { force: true, machine: () => ({}), resets }, stream());
      return replayTrace(temp.path('live'));
    }

    it('nothing differs; without the report something may', async () => {
      const verdict = await live(log);
      expect(verdict.first).toBeNull();
      expect(verdict.unknown['state-after-stop']).toBe(1);
      // The state that loadvm-11 loads differs in nothing that the log shows.
      expect((await live(log, false)).diverged > 0).toBe(name === 'loadvm');
    });

    it.each([
      ['an acknowledge', 'ICC_IAR1 read cpu 0x0 value 0x1b', 'value 0x1a'],
      ['a priority', 'HPPI update: irq 27 group 2 prio 160', 'prio 168'],
    ])('one number changed behind the stop diverges: %s', async (_what, text, to) => {
      const at = log.lastIndexOf(text);
      const changed = text.replace(/(value|prio) \S+$/, to);
      expect(changed).not.toBe(text);
      const verdict = await live(`${log.slice(0, at)}${changed}${log.slice(at + text.length)}`);
      expect(verdict.diverged).toBeGreaterThan(0);
    });
  });

  it('the state that was loaded is unknown, and learnt: nothing differs, nothing is found', async () => {
    const { start, verdict } = await traceOf(log);
    expect([start, verdict.first]).toEqual(['reset', null]);
    const { resets, findings } = shown();
    expect([findings, resets.map(([, rule]) => rule)]).toEqual([[], ['load-from-state']]);
  });

  it('a register of which nothing is learnt is unknown from there on, and known before', async () => {
    await traceOf(log);
    const [[line]] = shown().resets as [[number, string]];
    const lines = log.trimEnd().split('\n');
    const read = (data: number) =>
      `gicv3_dist_read GICv3 distributor read: offset 0x10 data 0x${data} size 4 secure 0`;
    const at = (n: number) => {
      const stamp = /^.*?(?=gicv3_)/.exec(lines[n]!)![0];
      return lines.toSpliced(n, 0, `${stamp}${read(1)}`).join('\n');
    };
    expect((await traceOf(at(lines.length - 8))).verdict.first).toBeNull();
    expect((await traceOf(at(line - 8))).verdict.diverged).toBeGreaterThan(0);
  });

  it('one number changed is not taken for a state that was loaded', async () => {
    // In front of where it was.
    const text = 'HPPI update: irq 27 group 2 prio 160';
    const at = log.indexOf(text);
    const { verdict } = await traceOf(
      `${log.slice(0, at)}${text.replace('27', '26')}${log.slice(at + text.length)}`,
    );
    expect(verdict.diverged).toBeGreaterThan(0);
  });
});

describe('-incoming', () => {
  const log = small('incoming-11');

  it('begins in mid-life; a queue of unknown size begins again where its write pointer is 0', async () => {
    const { start, verdict } = await traceOf(log);
    expect([start, verdict.first]).toEqual(['mid-life', null]);
    expect(log).toContain('ITS write: offset 0x88 data 0x0');
    expect(shown()).toEqual({ resets: [], findings: [] });
  });
});
