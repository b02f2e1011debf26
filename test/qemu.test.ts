// A real QEMU as a backend: recordings replayed, what is altered found, failures told cleanly, and a bounded share of
// differential fuzzing.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type GicConfig, GicTraceError } from '@gictrace/core';
import type { Answers, Backend } from '@gictrace/core/backend';
import { Machine, step } from '@gictrace/core/model';
import { qemuProfile } from '@gictrace/core/profile';
import {
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  SECURITY_STATES,
  STIMULI_BELOW,
} from '@gictrace/core/record';
import { GICR, SYSREGS } from '@gictrace/core/spec';
import { StimulusGenerator } from '@gictrace/core/testing';
import { recover, TraceReader, TraceWriter } from '@gictrace/recorder';
import { foresee, foreseeTrace, QemuBackend, replayTraceOn, type Verdict } from '@gictrace/replayer';
import { fuzzConfig, fuzzQemu, Recording, saveRecording } from '@gictrace/replayer/fuzz';
import { main } from 'gictrace';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { QEMUS } from './qemus.ts';
import { allBatches, imported, processesWith, recording, scratch } from './support.ts';

const LOGS = ['gicv3-active', 'its-introspection', 'its-trigger'] as const;
// The recordings are of QEMU 7.2: its GICD_TYPER.ITLinesNumber is one too low, and it has no GICD_TYPER2.
const RECORDED_TYPER = 0x37a_0007;
/** GICD_TYPER.SecurityExtn. */
const TWO_STATES = 0x400;
const isOfToday = (version: string): boolean => Number.parseInt(version, 10) >= 10;
const typerOf = (version: string): number => (isOfToday(version) ? RECORDED_TYPER + 1 : RECORDED_TYPER);

/**
 * A recording as a trace whose reads of GICD_TYPER and GICD_TYPER2 return what QEMU `version` has there.
 * @param security Bits of GICD_TYPER that the recording has besides. @param most So many records of it.
 * @returns How many reads of GICD_TYPER those are.
 */
async function importedFor(
  version: string,
  log: string,
  path: string,
  security = 0,
  most = Number.POSITIVE_INFINITY,
): Promise<number> {
  const own = scratch();
  await imported(recording(`${log}.log.gz`), own.path('recorded.gictrace'));
  const { batches, reader } = allBatches(own.path('recorded.gictrace'));
  const writer = new TraceWriter(path, reader.header);
  let reads = 0;
  let records = 0;
  for (const batch of batches)
    for (let i = 0; i < batch.count && records++ < most; i++) {
      const at = i * RECORD_WORDS;
      const [frame, , offset, , value] = batch.words.subarray(at, at + 5);
      if (batch.kind[i] === RECORDS['mmio.read'].id && frame === 0 && offset === 0x4) {
        expect(value).toBe(RECORDED_TYPER | security);
        batch.words[at + 4] = typerOf(version) | security;
        reads++;
      }
      if (batch.kind[i] === RECORDS['mmio.read'].id && frame === 0 && offset === 0xc) {
        expect([value, batch.flags[i]! & RECORD_FLAGS.reserved]).toEqual([0, RECORD_FLAGS.reserved]);
        if (isOfToday(version)) batch.flags[i]! &= ~RECORD_FLAGS.reserved;
      }
      writer.record(batch, i);
    }
  writer.close({ meta: {} });
  reader.close();
  own.dispose();
  return reads;
}

async function replayedOn(
  command: string,
  trace: string,
  wrap: (backend: QemuBackend) => Backend = (one) => one,
): Promise<Verdict> {
  const backend = new QemuBackend({ command, foresight: foreseeTrace(trace), timeoutMs: 3000 });
  try {
    return await replayTraceOn(trace, wrap(backend), { version: 'test', batchRecords: 64 });
  } finally {
    await backend.close();
  }
}

/** Does something to QEMU when it is given its batch number `when`. */
const disturbed =
  (when: number, act: (pid: number) => void) =>
  (backend: QemuBackend): Backend => {
    let batches = 0;
    return {
      reset: (config: GicConfig) => backend.reset(config),
      run: (stimuli: RecordBatch, answers: Answers) => {
        if (batches++ === when) act(backend.pid!);
        return backend.run(stimuli, answers);
      },
      snapshot: () => backend.snapshot(),
      restore: () => backend.restore(),
      close: () => backend.close(),
    };
  };

it('without QEMU: one line that says what to install', async () => {
  const folder = scratch();
  let text = '';
  const { write } = process.stderr;
  process.stderr.write = ((chunk: string) => {
    text += chunk;
    return true;
  }) as typeof write;
  try {
    const trace = folder.path('none.gictrace');
    await imported(recording('its-trigger.log.gz'), trace);
    expect(await main(['replay', trace, '--on', 'qemu:no-such-qemu'])).toBe(3);
  } finally {
    process.stderr.write = write;
    folder.dispose();
  }
  expect(text).toMatch(/^gictrace: no-such-qemu is not installed.*apt-get install qemu-system-arm\)\n$/);
});

describe.each(QEMUS)('QEMU $release', ({ command, version }) => {
  const profile = qemuProfile(version);
  const folder = scratch();
  const typerReads = new Map<string, number>();
  /** The beginning of a boot of Linux. */
  const part = folder.path('part.gictrace');
  const onQemu = (trace: string, wrap?: (backend: QemuBackend) => Backend) =>
    replayedOn(command, trace, wrap);

  beforeAll(async () => {
    for (const log of LOGS)
      typerReads.set(log, await importedFor(version, log, folder.path(`${log}.gictrace`)));
    const whole = folder.path('boot.gictrace');
    await importedFor(version, 'linux-gicv3-mrops', whole);
    const reader = TraceReader.open(whole);
    const writer = new TraceWriter(part, { ...reader.header });
    let records = 0;
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count && records < 58_000; i++, records++) writer.record(batch, i);
    writer.close({ meta: {} });
    reader.close();
  });
  afterAll(() => folder.dispose());

  it.each(LOGS)('%s replays without a divergence and without a skip', async (log) => {
    const verdict = await onQemu(folder.path(`${log}.gictrace`));
    expect(verdict.first).toBeNull();
    expect(verdict.diverged).toBe(0);
    expect(verdict.skipped).toEqual({});
    const { reader } = allBatches(folder.path(`${log}.gictrace`));
    expect(verdict.records).toBe(reader.footer!.records);
    reader.close();
  });

  it('as recorded, each read of GICD_TYPER diverges where QEMU has another value, and nothing else', async () => {
    const trace = folder.path('as-recorded.gictrace');
    await imported(recording('its-trigger.log.gz'), trace);
    const verdict = await onQemu(trace);
    const differs = typerOf(version) !== RECORDED_TYPER;
    expect(typerReads.get('its-trigger')).toBeGreaterThan(0);
    expect(verdict.diverged).toBe(differs ? typerReads.get('its-trigger') : 0);
    expect(verdict.first?.recorded.includes('GICD_TYPER') ?? false).toBe(differs);
  });

  it('the beginning of a boot of Linux replays: MSIs, wires, SGIs and all PEs', async () => {
    const kinds = new Set(allBatches(part).batches.flatMap((batch) => [...batch.kind.slice(0, batch.count)]));
    for (const name of ['msi.write', 'wire.set', 'sgi.sent', 'sysreg.write', 'mem.known'] as const)
      expect(kinds, name).toContain(RECORDS[name].id);
    // A configuration byte that an interrupt shows only after the GIC has looked at it.
    expect(foreseeTrace(part).fills.size).toBeGreaterThan(0);
    expect([...foreseeTrace(part).deviceIds].sort((a, b) => a - b)).toEqual([8, 16]);
    const verdict = await onQemu(part);
    expect(verdict.first).toBeNull();
    expect(verdict.diverged).toBe(0);
    expect(verdict.skipped).toEqual({});
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    '%s leaves no QEMU and no folder behind',
    async (signal) => {
      const own = scratch();
      const bin = fileURLToPath(new URL('../packages/cli/bin/gictrace.js', import.meta.url));
      const child = spawn(process.execPath, [bin, 'replay', part, '--on', `qemu:${command}`], {
        env: { ...process.env, TMPDIR: own.path('') },
        stdio: 'ignore',
      });
      const ended = new Promise<NodeJS.Signals | null>((resolve) => {
        child.once('exit', (_code, by) => resolve(by));
      });
      const folders = () => readdirSync(own.path('')).filter((name) => name.startsWith('gictrace-qemu-'));
      for (let n = 0; n < 200 && !folders().some((name) => existsSync(own.path(`${name}/log`))); n++)
        await pause(50);
      expect(folders()).toHaveLength(1);
      child.kill(signal);
      expect(await ended).toBe(signal);
      for (let n = 0; n < 100 && folders().length > 0; n++) await pause(50);
      expect(folders()).toEqual([]);
      // QEMU ends by itself when nobody listens to it any more.
      const left = () => processesWith(own.path(''));
      for (let n = 0; n < 100 && left().length > 0; n++) await pause(50);
      expect(left()).toEqual([]);
      own.dispose();
    },
  );

  it('a recorded value or observable that is altered is found, and nothing else', async () => {
    const { batches, reader } = allBatches(folder.path('its-trigger.gictrace'));
    const all = batches.flatMap((batch) => Array.from({ length: batch.count }, (_, i) => ({ batch, i })));
    const of = (name: keyof typeof RECORDS) =>
      all.filter(({ batch, i }) => batch.kind[i] === RECORDS[name].id);
    const altered = [
      { name: 'mmio.read', word: 4, nth: 20 },
      { name: 'sysreg.read', word: 1, nth: 1 },
      { name: 'ite.read', word: 5, nth: 2 },
      { name: 'its.command', word: 1, nth: 5 },
    ] as const;
    for (const { name, word, nth } of altered) {
      const { batch, i } = of(name)[nth]!;
      const at = i * RECORD_WORDS + word;
      batch.words[at]! ^= 1;
      const path = folder.path(`altered-${name}.gictrace`);
      const writer = new TraceWriter(path, reader.header);
      for (const one of batches) for (let k = 0; k < one.count; k++) writer.record(one, k);
      writer.close({ meta: {} });
      batch.words[at]! ^= 1;
      const verdict = await onQemu(path);
      // What follows in the same stream of the same stimulus is not compared with what was altered.
      expect(verdict.diverged, name).toBeGreaterThanOrEqual(1);
      expect(verdict.diverged, name).toBeLessThan(4);
      expect(verdict.first!.kind).toBe(name);
      expect(verdict.first!.record).toBe(all.findIndex((one) => one.batch === batch && one.i === i));
    }
    reader.close();
  });

  it('QEMU that is killed, at any moment: a backend failure that says where', async () => {
    const trace = folder.path('its-trigger.gictrace');
    for (const when of [0, 1, 5, 9]) {
      const error: unknown = await onQemu(
        trace,
        disturbed(when, (pid) => process.kill(pid, 'SIGKILL')),
      ).catch((e) => e);
      expect(error).toBeInstanceOf(GicTraceError);
      const { code, line } = error as GicTraceError;
      expect(code).toBe('backend');
      expect(line).toMatch(/QEMU was ended by SIGKILL|connection to QEMU broke/);
      expect(line).toMatch(/sent last: record \d+: /);
      expect(line).not.toMatch(/\n/);
    }
  });

  it('QEMU that hangs: a backend failure after the time that was given', async () => {
    const trace = folder.path('its-trigger.gictrace');
    const error: unknown = await onQemu(
      trace,
      disturbed(3, (pid) => process.kill(pid, 'SIGSTOP')),
    ).catch((e) => e);
    expect((error as GicTraceError).code).toBe('backend');
    expect((error as GicTraceError).line).toMatch(/has not answered for 3 s/);
  });

  it('leaves what was re-recorded, which can be recovered, and no process and no folder', async () => {
    const trace = folder.path('its-trigger.gictrace');
    const output = folder.path('again.gictrace');
    const backend = new QemuBackend({ command, foresight: foreseeTrace(trace) });
    let pid = 0;
    let log = '';
    const wrapped = disturbed(8, (own) => {
      pid = own;
      log = backend.folder!;
      expect(existsSync(log)).toBe(true);
      process.kill(own, 'SIGKILL');
    })(backend);
    const run = replayTraceOn(trace, wrapped, { version: 'test', batchRecords: 64, output });
    await expect(run).rejects.toThrow(GicTraceError);
    await backend.close();
    expect(existsSync(output)).toBe(false);
    expect(existsSync(`${output}.partial`)).toBe(true);
    // Under the very name that the writer of the recovered trace works under.
    expect(recover(`${output}.partial`, output).recovered.records).toBeGreaterThan(100);
    const recovered = TraceReader.open(output);
    recovered.verify();
    recovered.close();
    expect(() => process.kill(pid, 0)).toThrow();
    expect(existsSync(log)).toBe(false);
  });

  it('what the machine cannot do is skipped by name', async () => {
    const config = fuzzConfig(3, 2, profile);
    const batch = new RecordBatch(16);
    const give = (kind: keyof typeof RECORDS, pe: number, ...words: number[]) => {
      const i = batch.push(RECORDS[kind].id, pe, Number.NaN);
      batch.words.set(words, i * RECORD_WORDS);
    };
    give('mmio.read', 0, 0, 0, 0x8, 4);
    give('mmio.write', 0, 0, 0, 0x102, 4, 1);
    give('mmio.read', 0, 1, 5, 0, 4);
    give('mem.write', 0, 0x1000, 0, 4, 1);
    give('msi.write', -1, 0, 9, 0, 4);
    give('wire.set', -1, 900, 1);
    give('sysreg.read', 7, 0xc660);
    give('sysreg.read', 0, 0x1234);
    give('pe.reset', 1);
    give('mmio.read', 0, 0, 0, 0x8, 4);
    const backend = new QemuBackend({ command, foresight: foresee(config, []) });
    await backend.reset(config);
    const answers: string[] = [];
    await backend.run(batch, {
      answered: (low) => answers.push(`0x${low.toString(16)}`),
      skipped: (reason) => answers.push(reason),
      shown: () => undefined,
    });
    await backend.close();
    expect(answers[0]).toBe('0x43b');
    expect(answers.slice(1, 8).map((text) => text.slice(0, 20))).toEqual([
      'unaligned access: a ',
      'no such frame in thi',
      'the machine has no R',
      'msi.write: QEMU has ',
      'the machine has no s',
      'no such PE in this m',
      'no PE of this machin',
    ]);
    expect(answers.slice(8)).toEqual(['0x0', '0x43b']);
  });

  it('identification registers that differ are told', async () => {
    const config = fuzzConfig(4, 2, profile);
    const other = { ...config, gicd: { ...config.gicd, iidr: 0x1234 } };
    const backend = new QemuBackend({ command });
    await backend.reset(config);
    expect(backend.differences).toEqual([]);
    await backend.reset(other);
    expect(backend.differences).toEqual(['GICD_IIDR: 0x43b here, 0x1234 in the trace']);
    await backend.close();
  });

  it.each([
    'el3-bare-metal',
    'el3-with-truth-markers',
    'tfa-uboot-linux',
    'linux-secure-direct-head',
  ] as const)(
    '%s, with two Security states, replays without a divergence and without a skip',
    async (log) => {
      const path = folder.path(`${log}.gictrace`);
      await importedFor(version, log, path, TWO_STATES, 12_000);
      const verdict = await onQemu(path);
      expect(verdict.first).toBeNull();
      expect(verdict.diverged).toBe(0);
      expect(verdict.skipped).toEqual({});
      expect(verdict.compared.hppi).toBeGreaterThan(100);
    },
  );

  it('accesses that are made from another Security state than recorded return something else', async () => {
    const path = folder.path('el3.gictrace');
    await importedFor(version, 'el3-bare-metal', path, TWO_STATES);
    const { batches, reader } = allBatches(path);
    /** The trace with the flags of some reads changed. */
    const changed = async (
      name: string,
      kind: number,
      change: (flags: number, words: Uint32Array) => number,
    ) => {
      const to = folder.path(`${name}.gictrace`);
      const writer = new TraceWriter(to, reader.header);
      let reads = 0;
      for (const batch of batches)
        for (let i = 0; i < batch.count; i++) {
          const before = batch.flags[i]!;
          if (batch.kind[i] === kind) {
            batch.flags[i] = change(before, batch.words.subarray(i * RECORD_WORDS));
            if (batch.flags[i] !== before) reads++;
          }
          writer.record(batch, i);
          batch.flags[i] = before;
        }
      writer.close({ meta: {} });
      expect(reads, name).toBeGreaterThan(0);
      return onQemu(to);
    };
    // GICD_CTLR has a view of its own for Non-secure accesses.
    const mmio = await changed('non-secure', RECORDS['mmio.read'].id, (flags, [frame, , offset]) =>
      frame === 0 && offset === 0 ? flags & ~RECORD_FLAGS.secure : flags,
    );
    expect(mmio.first?.kind).toBe('mmio.read');
    expect(mmio.first?.recorded).toMatch(/GICD_CTLR/);
    // Acknowledged from Non-secure state what only Secure software can.
    const sysreg = await changed('acknowledged', RECORDS['sysreg.read'].id, (flags, [register]) =>
      register === SYSREGS.ICC_IAR0_EL1.encoding || register === SYSREGS.ICC_IAR1_EL1.encoding
        ? flags & ~(RECORD_FLAGS.secure | RECORD_FLAGS.el3)
        : flags,
    );
    expect(sysreg.first).not.toBeNull();
    reader.close();
  });

  it('a pe.switch, and an access from another state, decide whether an interrupt is an FIQ or an IRQ', async () => {
    const config = fuzzConfig(3, 2, profile, 2);
    const batch = new RecordBatch(16);
    const give = (kind: keyof typeof RECORDS, pe: number, flags: number, ...words: number[]) => {
      const i = batch.push(RECORDS[kind].id, pe, Number.NaN);
      batch.words.set(words, i * RECORD_WORDS);
      batch.flags[i] = flags;
    };
    const { secure, el3 } = RECORD_FLAGS;
    const [NON_SECURE, SECURE, EL3] = ['Non-secure', 'Secure', 'EL3'].map((name) =>
      SECURITY_STATES.indexOf(name as (typeof SECURITY_STATES)[number]),
    );
    give('mmio.write', 0, secure, 0, 0, 0, 4, 7);
    give('mmio.write', 0, secure, 1, 0, GICR.GICR_IGRPMODR.offset, 4, 1 << 27);
    give('mmio.write', 0, secure, 1, 0, GICR.GICR_ISENABLER.offset, 4, 1 << 27);
    give('sysreg.write', 0, secure | el3, SYSREGS.ICC_PMR_EL1.encoding, 0xf0);
    give('sysreg.write', 0, secure | el3, SYSREGS.ICC_IGRPEN1_EL3.encoding, 3);
    give('wire.set', 0, 0, 27, 1);
    give('pe.switch', 0, 0, SECURE!, 1);
    give('pe.switch', 0, 0, NON_SECURE!, 1);
    // Shifted, since SCR_EL3.FIQ is 1; the interrupt is an FIQ all the while.
    give('sysreg.read', 0, 0, SYSREGS.ICC_PMR_EL1.encoding);
    give('pe.switch', 0, 0, NON_SECURE!, 0);
    give('sysreg.read', 0, 0, SYSREGS.ICC_PMR_EL1.encoding);
    give('sysreg.read', 0, secure, SYSREGS.ICC_HPPIR1_EL1.encoding);
    give('pe.switch', 0, 0, EL3!, 1);
    give('pe.reset', 0, 0);
    const backend = new QemuBackend({ command, foresight: foresee(config, []) });
    const answers: string[] = [];
    try {
      await backend.reset(config);
      await backend.run(batch, {
        answered: (low) => answers.push(`0x${low.toString(16)}`),
        skipped: (reason) => answers.push(reason),
        shown: (shown, i) => {
          const [intid, , , fiq] = shown.words.subarray(i * RECORD_WORDS, i * RECORD_WORDS + 4);
          if (shown.kind[i] === RECORDS.hppi.id) answers.push(`${intid} is an ${fiq ? 'FIQ' : 'IRQ'}`);
        },
      });
    } finally {
      await backend.close();
    }
    expect(answers.slice(5)).toEqual([
      ...['0x0', '27 is an FIQ', '0x0', '27 is an IRQ', '0x0', '27 is an FIQ', '0xe0', '0x0', '0xf0'],
      ...['0x1b', '27 is an IRQ', '0x0', '27 is an FIQ'],
      'pe.reset: with two Security states this machine has no PSCI, which resets a PE',
    ]);
  });

  it('every location of a GICv4 reads as on the simulator', async () => {
    const config = fuzzConfig(4, 2, profile);
    const machine = new Machine(config);
    const backend = new QemuBackend({ command });
    await backend.reset(config);
    const wrong: string[] = [];
    let compared = 0;
    for (const [frame, bytes] of [0x1_0000, 0x2_1000, 0x1_0000].entries())
      for (const width of [1, 2, 4, 8]) {
        let batch = new RecordBatch(4096);
        const flush = async () => {
          const sent = batch;
          let i = 0;
          await backend.run(sent, {
            answered: (low, high, reserved) => {
              step(machine, sent, i);
              compared++;
              if (machine.low >>> 0 !== low || machine.high >>> 0 !== high || machine.reserved !== reserved)
                wrong.push(`${frame}+0x${sent.words[i * RECORD_WORDS + 2]!.toString(16)}:${width}`);
              i++;
            },
            skipped: () => i++,
            shown: () => undefined,
          });
          batch = new RecordBatch(4096);
        };
        for (let offset = 0; offset < bytes; offset += width) {
          const i = batch.push(RECORDS['mmio.read'].id, 0, Number.NaN);
          batch.words.set([frame, 0, offset, width], i * RECORD_WORDS);
          if (batch.full) await flush();
        }
        await flush();
      }
    await backend.close();
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(450_000);
  });

  it.each([3, 4] as const)('GICv%i: random stimuli do the same on the simulator', async (gic) => {
    let compared = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const { difference, compared: counts } = await fuzzQemu({
        command,
        seed,
        steps: 700,
        gic,
        whole: true,
      });
      expect(difference?.verdict?.first ?? difference?.crash ?? null, `seed ${seed}`).toBeNull();
      for (const n of Object.values(counts)) compared += n;
    }
    expect(compared).toBeGreaterThan(3000);
  });

  it.each([3, 4] as const)('GICv%i, two Security states: random stimuli do the same', async (gic) => {
    let compared = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const { difference, compared: counts } = await fuzzQemu({
        ...{ command, seed, steps: 700, gic, security: 2, whole: true },
      });
      expect(difference?.verdict?.first ?? difference?.crash ?? null, `seed ${seed}`).toBeNull();
      for (const n of Object.values(counts)) compared += n;
    }
    expect(compared).toBeGreaterThan(3000);
  });

  it('a trace of accesses and their values alone is replayed without the log of QEMU', async () => {
    // Accesses to Distributor and Redistributors, with what they return; of nothing else is told.
    const config = fuzzConfig(4, 3, profile);
    const generator = new StimulusGenerator(config, 7, { contained: true, reconfigures: true, wild: 3 });
    const all = new RecordBatch(20_000);
    const drawn = new RecordBatch(4096);
    while (all.count < 6000) {
      drawn.clear();
      generator.next(drawn);
      for (let i = 0; i < drawn.count; i++) {
        const isAccess =
          drawn.kind[i] === RECORDS['mmio.read'].id || drawn.kind[i] === RECORDS['mmio.write'].id;
        if (isAccess && drawn.words[i * RECORD_WORDS]! < 2) all.copy(drawn, i);
      }
    }
    const made = new Recording(config);
    for (let i = 0; i < all.count; i++) made.take(all, i);
    const write = (name: string, change: (batch: RecordBatch, i: number) => void): string => {
      const path = folder.path(name);
      const writer = new TraceWriter(path, {
        writer: { name: 'test', version: '0' },
        ...{ config, clock: { name: 'none', unitNs: 1 }, source: { kind: 'test', name, provenance: {} } },
        ...{ losses: [], seed: null, options: { shows: [], reserved: false } },
      });
      for (const batch of made.batches)
        for (let i = 0; i < batch.count; i++)
          if (batch.kind[i]! < STIMULI_BELOW) {
            change(batch, i);
            writer.record(batch, i);
          }
      writer.close({});
      return path;
    };
    const run = async (path: string, options: { output?: string } = {}) => {
      const foresight = foreseeTrace(path);
      expect(foresight.unwatched).toBe(true);
      const backend = new QemuBackend({ command, foresight });
      try {
        expect((await backend.reset(config)).observables).toEqual([]);
        return await replayTraceOn(path, backend, { version: 'test', ...options });
      } finally {
        await backend.close();
      }
    };
    const plain = await run(write('accesses.gictrace', () => undefined));
    expect([plain.first, plain.diverged]).toEqual([null, 0]);
    expect(plain.compared['mmio.read']).toBeGreaterThan(1500);
    let reads = 0;
    const wrong = await run(
      write('changed.gictrace', (batch, i) => {
        if (batch.kind[i] === RECORDS['mmio.read'].id && ++reads === 1000)
          batch.words[i * RECORD_WORDS + 4]! ^= 1;
      }),
    );
    expect(wrong.diverged).toBe(1);
    // A replay that is recorded anew has what QEMU shows, hence its log.
    const again = folder.path('again.gictrace');
    const quiet = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    const code = await main([
      'replay',
      folder.path('accesses.gictrace'),
      '--on',
      `qemu:${command}`,
      '-o',
      again,
    ]);
    quiet.mockRestore();
    expect(code).toBe(0);
    const { batches, reader } = allBatches(again);
    reader.close();
    expect(batches.some((batch) => batch.kind.includes(RECORDS.hppi.id))).toBe(true);
  });

  it('a difference is found and shrunk', async () => {
    // The simulator as the architecture has it: it differs from QEMU soon.
    const result = await fuzzQemu({ command, seed: 1, steps: 200, gic: 3, profile: 'architecture' });
    expect(result.difference).not.toBeNull();
    const { stimuli, after, tests, recording: small, verdict } = result.difference!;
    expect(tests).toBeGreaterThan(5);
    expect(stimuli).toBe(3);
    expect(after).toBeGreaterThan(50);
    expect(verdict!.first).not.toBeNull();
    let given = 0;
    for (const batch of small.batches)
      for (let i = 0; i < batch.count; i++) if (batch.kind[i]! < STIMULI_BELOW) given++;
    expect(given).toBeGreaterThanOrEqual(stimuli);
    // As a trace it shows the same again.
    const path = folder.path('difference.gictrace');
    saveRecording(result, path, 'test');
    const again = await onQemu(path);
    expect(again.first!.kind).toBe(verdict!.first!.kind);
    expect(again.first!.recorded).toBe(verdict!.first!.recorded);
  });
});
