// A QEMU that is recorded while it runs: a guest of a few instructions that powers off, one that goes on for ever and is
// interrupted or killed, and commands that cannot be recorded.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { RECORD_WORDS, RESET_CAUSES, recordName } from '@gictrace/core/record';
import { TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { QEMUS } from './qemus.ts';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const BIN = fileURLToPath(new URL('../packages/cli/bin/gictrace.js', import.meta.url));

/** Writes GICD_CTLR, reads GICD_TYPER, and then ends as `end` says. */
function guest(name: string, end: readonly number[]): string {
  const code = Uint32Array.of(
    0xd2a1_0000, // movz x0, #0x800, lsl #16
    0x5280_0041, // movz w1, #2
    0xb900_0001, // str w1, [x0]
    0xb940_0402, // ldr w2, [x0, #4]
    ...end,
  );
  const path = temp.path(name);
  writeFileSync(path, Buffer.from(code.buffer));
  return path;
}
const POWER_OFF = [
  0xd2b0_8000, // movz x0, #0x8400, lsl #16
  0xf280_0100, // movk x0, #8: SYSTEM_OFF
  0xd400_0002, // hvc #0
];
const RESET = [POWER_OFF[0]!, 0xf280_0120, POWER_OFF[2]!]; // #9: SYSTEM_RESET
/** Writes 4,096 times A to the console. */
const CONSOLE = [
  0xd2a1_2003, // movz x3, #0x900, lsl #16
  0x5280_0821, // movz w1, #'A'
  0x5282_0004, // movz w4, #0x1000
  0x3900_0061, // strb w1, [x3]
  0x7100_0484, // subs w4, w4, #1
  0x54ff_ffc1, // b.ne, back to the store
];
const FOR_EVER = [0x1400_0000]; // b .
/** Reads GICD_TYPER 65,536 times: more than is held back until the GIC is known. */
const WRITES = [
  0xd2a0_0023, // movz x3, #1, lsl #16
  0xb940_0402, // ldr w2, [x0, #4]
  0xf100_0463, // subs x3, x3, #1
  0x54ff_ffc1, // b.ne, back to the read
];

const machine = (image: string) => [
  ...['-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-nographic', '-monitor', 'none'],
  // The network card that virt has by default wants an option ROM that is in a package of its own.
  ...['-nic', 'none'],
  ...['-device', `loader,file=${image},addr=0x40200000,cpu-num=0,force-raw=on`],
];
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that has ended may wait for its parent.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('gictrace-live-'));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
const later = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
/**
 * Waits until the trace is being written, which is some while after the guest has started; not for ever, since with a guest
 * that asks little of its GIC that is only when it ends.
 */
async function written(trace: string): Promise<void> {
  for (let i = 0; i < 300 && !existsSync(`${trace}.partial`); i++) await later(20);
  // The guest gets where it stays.
  await later(1000);
}

/** Runs `gictrace record qemu`; `watch` is given the process when the guest has been running. */
function record(
  trace: string,
  command: readonly string[],
  watch?: (child: ChildProcess) => void,
  options: readonly string[] = [],
): Promise<Ended> {
  const words = ['record', 'qemu', '-o', trace, '--json', ...options, '--', ...command];
  const child = spawn(process.execPath, [BIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
  if (watch !== undefined) void Promise.race([written(trace), ended]).then(() => watch(child));
  return ended;
}

describe.each(QEMUS)('a QEMU $release that runs', ({ command: program }) => {
  const qemu = (image: string) => [program, ...machine(image)];
  it('is recorded until its guest powers off, and the recording replays', async () => {
    const before = folders();
    const trace = temp.path('off.gictrace');
    const { code, out, err } = await record(trace, qemu(guest('off.bin', POWER_OFF)));
    expect([code, err]).toEqual([0, `wrote ${trace}\n`]);
    const answer = JSON.parse(out) as { records: number; qemu: unknown };
    expect(answer.qemu).toMatchObject({ code: 0, signal: null, interrupted: false, ended: 'guest-shutdown' });
    const verdict = replayTrace(trace, { version: 'test' });
    expect([verdict.diverged, verdict.compared['mmio.read'], verdict.compared['mmio.write']]).toEqual([
      0, 1, 1,
    ]);
    expect(verdict.records).toBe(answer.records);
    // QEMU says what GIC it has, though the guest has asked for none of it.
    const two = await record(
      trace,
      [...qemu(guest('two.bin', POWER_OFF)), '-M', 'gic-version=4', '-smp', '2'].map((word) =>
        word.replace('gic-version=3', 'virtualization=on'),
      ),
      (child) => child.kill(),
    );
    expect(JSON.parse(two.out)).toMatchObject({ config: { architecture: 4, pes: [{}, {}], its: [{}] } });
    expect(folders()).toEqual(before);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('and is interrupted by %s leaves a whole trace', async (signal) => {
    const before = folders();
    const trace = temp.path(`${signal}.gictrace`);
    const ended = await record(trace, qemu(guest('loop.bin', [...WRITES, ...FOR_EVER])), (child) =>
      child.kill(signal),
    );
    expect(ended.code).toBe(0);
    expect((JSON.parse(ended.out) as { qemu: { interrupted: boolean } }).qemu.interrupted).toBe(true);
    expect(replayTrace(trace, { version: 'test' }).diverged).toBe(0);
    expect(folders()).toEqual(before);
  });

  it('and dies leaves a whole trace, and exit code 3', async () => {
    const trace = temp.path('killed.gictrace');
    const image = guest('dies.bin', [...WRITES, ...FOR_EVER]);
    const pidfile = temp.path('dies.pid');
    const killed = (path: string) => process.kill(Number(readFileSync(path, 'utf8')), 'SIGKILL');
    const ended = await record(trace, [...qemu(image), '-pidfile', pidfile], () => killed(pidfile));
    expect(ended.code).toBe(3);
    expect(ended.err).toContain('was ended by SIGKILL: what it did until then has been recorded');
    expect(replayTrace(trace, { version: 'test' }).diverged).toBe(0);
  });

  it('ends when we are killed, and leaves nothing behind', async () => {
    const before = folders();
    const trace = temp.path('orphan.gictrace');
    const pidfile = temp.path('qemu.pid');
    const command = [...qemu(guest('orphan.bin', [...WRITES, ...FOR_EVER])), '-pidfile', pidfile];
    let pid = 0;
    await record(trace, command, (child) => {
      pid = Number(readFileSync(pidfile, 'utf8'));
      expect(isAlive(pid)).toBe(true);
      child.kill('SIGKILL');
    });
    for (let i = 0; i < 100 && isAlive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isAlive(pid)).toBe(false);
    expect([existsSync(trace), folders()]).toEqual([false, before]);
  });

  it('has its console untouched, and its own errors', async () => {
    const image = guest('console.bin', [...CONSOLE, ...POWER_OFF]);
    const plain = spawnSync(program, machine(image), { encoding: 'utf8' });
    expect(plain.stdout).toMatch(/^A{4096}$/);
    const failing = ['-device', 'virtio-net-pci,netdev=none'];
    for (const memory of [[], ['--no-memory']]) {
      const { out } = await record(temp.path('console.gictrace'), qemu(image), undefined, memory);
      expect(out.slice(0, out.indexOf('{'))).toBe(plain.stdout);
      const failed = await record(
        temp.path('fail.gictrace'),
        [...qemu(image), ...failing],
        undefined,
        memory,
      );
      expect(failed.err).toMatch(/qemu-system-aarch64: .*Property 'virtio-net-device.netdev'/);
    }
  });

  it("has memory of the user's own read if it is shared, and says so if it is not", async () => {
    const image = guest('own.bin', POWER_OFF);
    const own = (share: string) => [
      ...qemu(image),
      ...['-M', 'memory-backend=mine', '-m', '64'],
      ...['-object', `memory-backend-file,id=mine,size=64M,mem-path=${temp.path('ram')},share=${share}`],
    ];
    const shared = await record(temp.path('own.gictrace'), own('on'));
    expect(shared.err).not.toContain('memory');
    expect(shared.out).toContain('"bytesRead"');
    const hidden = await record(temp.path('own.gictrace'), own('off'));
    expect(hidden.err).toContain('guest memory is not recorded: none of the memory backends');
    expect([hidden.code, hidden.out.includes('"bytesRead"')]).toEqual([0, false]);
  });

  it('and that is reset goes on: the resets are in the recording', async () => {
    const trace = temp.path('resets.gictrace');
    const resetsTwice = [
      0xb940_8402, // ldr w2, [x0, #0x84]: GICD_IGROUPR1
      0xb900_8401, // str w1, [x0, #0x84]
      0xd2a8_8005, // movz x5, #0x4400, lsl #16: memory that keeps what it holds
      0xb940_00a6, // ldr w6, [x5]
      0x1100_04c6, // add w6, w6, #1
      0xb900_00a6, // str w6, [x5]
      0x7100_0cdf, // cmp w6, #3
      0x5400_0080, // b.eq, behind the reset
      ...RESET,
      ...POWER_OFF,
    ];
    const { code, out } = await record(trace, qemu(guest('resets.bin', resetsTwice)));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ start: 'reset', qemu: { resets: 2, ended: 'guest-shutdown' } });
    const verdict = replayTrace(trace, { version: 'test' });
    expect([verdict.diverged, verdict.compared['mmio.read']]).toEqual([0, 6]);
    const reader = TraceReader.open(trace);
    const course: string[] = [];
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count; i++) {
        const kind = recordName(batch.kind[i]!);
        if (kind !== 'gic.reset' && kind !== 'mmio.read') continue;
        // QEMU says it: nothing is inferred.
        expect(batch.rule[i]).toBe(0);
        const [first, , offset, , low] = batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
        course.push(kind === 'gic.reset' ? `reset by ${RESET_CAUSES[first!]}` : `${offset} ${low}`);
      }
    reader.close();
    const boot = [expect.stringMatching(/^4 /), '132 0'];
    expect(course).toEqual([...boot, 'reset by guest', ...boot, 'reset by guest', ...boot]);
  });

  it('and that goes on from a saved state: the recording begins in mid-life, guest memory included', async () => {
    const trace = temp.path('incoming.gictrace');
    const saved = temp.path('saved');
    const waits = [
      0x52b0_0003, // movz w3, #0x8000, lsl #16
      0x7100_0463, // subs w3, w3, #1
      0x54ff_ffe1, // b.ne, back to it
      0xb940_0002, // ldr w2, [x0]: GICD_CTLR, which was written before the state was saved
    ];
    const whole = qemu(guest('saved.bin', [...waits, ...POWER_OFF]));
    const headless = ['-display', 'none', '-serial', 'null', '-monitor', 'stdio'];
    const others = whole.slice(1).filter((word, n, words) => {
      const isMonitor = word === '-monitor' || words[n - 1] === '-monitor';
      return word !== '-nographic' && !isMonitor;
    });
    spawnSync(program, [...others, ...headless], {
      input: `migrate "exec:cat > ${saved}"\nquit\n`,
    });
    const { code, out, err } = await record(trace, [...whole, '-incoming', `exec:cat ${saved}`]);
    expect([code, err]).toEqual([0, `wrote ${trace}\n`]);
    expect(JSON.parse(out)).toMatchObject({ start: 'mid-life', qemu: { ended: 'guest-shutdown' } });
    const verdict = replayTrace(trace, { version: 'test' });
    expect(verdict).toMatchObject({ start: 'mid-life', diverged: 0, unknown: { 'state-from-read': 1 } });
  });

  it('and whose guest resets it says so', async () => {
    const trace = temp.path('reset.gictrace');
    const { out } = await record(trace, [...qemu(guest('reset.bin', RESET)), '-no-reboot']);
    expect(JSON.parse(out)).toMatchObject({ qemu: { code: 0, ended: 'guest-reset' } });
  });

  it('and lacks an option ROM is told how to do without', async () => {
    const missing = ['-device', 'virtio-net-pci,romfile=no-such.rom'];
    const ended = await record(temp.path('rom.gictrace'), [...qemu(guest('rom.bin', POWER_OFF)), ...missing]);
    expect(ended.code).toBe(3);
    expect(ended.err).toMatch(/exit code 1, and no access .*-nic none, or the package with no-such\.rom/);
  });

  it('and has no GICv3, or does not start, is one line and exit code 3', async () => {
    const trace = temp.path('none.gictrace');
    const other = await record(trace, [program, '-M', 'no-such-machine']);
    expect(other.code).toBe(3);
    expect(other.err).toMatch(
      /gictrace: \S*qemu-system-aarch64 ended with exit code 1, and no access to a GIC was seen/,
    );
    expect(existsSync(trace)).toBe(false);
  });
});

describe('what cannot be recorded', () => {
  it.each([
    ['no command', [], 2, /there is no QEMU command/],
    ['a log of its own', ['qemu-system-aarch64', '-D', 'x'], 2, /leave -D out/],
    ['no such program', ['no-such-qemu', '-M', 'virt'], 3, /there is no program 'no-such-qemu' \(install/],
  ] as const)('%s', async (_name, command, code, expected) => {
    const before = folders();
    const ended = await record(temp.path('bad.gictrace'), command);
    expect(ended.code).toBe(code);
    expect(ended.err).toMatch(expected);
    expect(ended.err.trimEnd()).not.toContain('\n');
    expect(folders()).toEqual(before);
  });
});
