// A QEMU with a GICv5 that is recorded while it runs: a guest of a few instructions that powers off, one that is interrupted,
// and a QEMU that has no GICv5.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { QEMUS } from './qemus.ts';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const BIN = fileURLToPath(new URL('../packages/cli/bin/gictrace.js', import.meta.url));
const WITH = QEMUS.filter(({ version }) => Number.parseInt(version, 10) >= 11);
const WITHOUT = QEMUS.filter(({ version }) => Number.parseInt(version, 10) < 11);

// Without such a QEMU one test is skipped, and test/qemus.ts says what is missing.
it.skipIf(WITH.length > 0)('a QEMU with a GICv5', (test) => test.skip());
it.skipIf(WITHOUT.length > 0)('a QEMU without a GICv5', (test) => test.skip());

/** Writes IRS_CR0.IRSEN and reads IRS_CR0 and IRS_IDR1, at the place of virt; then ends as `end` says. */
function guest(name: string, end: readonly number[]): string {
  const path = temp.path(name);
  const code = Uint32Array.of(
    0xd2a1_0020, // movz x0, #0x801, lsl #16
    0x5280_0021, // movz w1, #1
    0xb900_8001, // str w1, [x0, #0x80]
    0xb940_8002, // ldr w2, [x0, #0x80]
    0xb940_0402, // ldr w2, [x0, #4]
    ...end,
  );
  writeFileSync(path, Buffer.from(code.buffer));
  return path;
}
const POWER_OFF = [0xd2b0_8000, 0xf280_0100, 0xd400_0002]; // SYSTEM_OFF by hvc
const FOR_EVER = [0x1400_0000]; // b .
const machine = (image: string, ...more: readonly string[]) => [
  ...[
    '-M',
    'virt,gic-version=x-5',
    '-cpu',
    'max',
    '-smp',
    '2',
    '-display',
    'none',
    '-nodefaults',
    '-nic',
    'none',
  ],
  ...['-device', `loader,file=${image},addr=0x40200000,cpu-num=0,force-raw=on`],
  ...more,
];

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
function record(
  trace: string,
  command: readonly string[],
  watch?: (child: ChildProcess) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, [BIN, 'record', 'qemu', '-o', trace, '--json', '--', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  if (watch !== undefined) setTimeout(() => watch(child), 4000);
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
}
const NOTE = 'guest memory is not recorded: gictrace does not read it where the GIC is a GICv5\n';
const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('gictrace-live-'));

describe.each(WITH)('a QEMU $release with a GICv5', ({ command }) => {
  it('is recorded until its guest powers off, and the recording replays', async () => {
    const before = folders();
    const trace = temp.path('off.gictrace');
    const { code, out, err } = await record(trace, [command, ...machine(guest('off.bin', POWER_OFF))]);
    expect([code, err]).toEqual([0, `${NOTE}wrote ${trace}\n`]);
    expect(JSON.parse(out)).toMatchObject({
      config: { architecture: 5, pes: [{}, {}], profile: 'qemu-11.1' },
      start: 'reset',
      qemu: { code: 0, interrupted: false, ended: 'guest-shutdown' },
    });
    const { diverged, compared } = replayTrace(trace);
    expect([diverged, compared['mmio.read'], compared['mmio.write']]).toEqual([0, 2, 1]);
    // A read of IRS_CR0 has QEMU calculate for each PE.
    expect(compared['irs.hppi']).toBe(2);
    expect(folders()).toEqual(before);
  });

  it('is recorded until gictrace is interrupted', async () => {
    const trace = temp.path('on.gictrace');
    const ended = await record(
      trace,
      [command, ...machine(guest('on.bin', FOR_EVER), '-d', 'int')],
      (child) => child.kill('SIGINT'),
    );
    expect([ended.code, JSON.parse(ended.out).qemu.interrupted]).toEqual([0, true]);
    expect(ended.err).toContain('the QEMU command has -d');
    expect(replayTrace(trace)).toMatchObject({ diverged: 0, compared: { 'mmio.write': 1 } });
  });
});

describe.each(WITHOUT)('a QEMU $release', ({ command }) => {
  it('has no GICv5, and says so', async () => {
    const { code, err } = await record(temp.path('no.gictrace'), [
      command,
      ...machine(guest('no.bin', POWER_OFF)),
    ]);
    expect(code).toBe(3);
    expect(err).toContain('and no access to a GIC was seen');
  });
});
