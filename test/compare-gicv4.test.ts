// Linux's driver of GICv4.0 held against later kernels than that of test/compare.test.ts, each of which runs a guest of two
// vPEs: its commands and accesses, and what it writes to the registers that say where tables are.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DESIGNS, type Operation, Translation } from '@gictrace/core/irqchip';
import { RECORDS } from '@gictrace/core/record';
import { FRAMES, registerAt } from '@gictrace/core/spec';
import { compareTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

/** Addresses of tables, which each driver chooses: bits 51 to 12. */
const ADDRESS = 0xf_ffff_ffff_f000n;
/** By offset in the log: the registers that have attributes of tables beside their addresses. */
const NAMES: Readonly<Record<string, string>> = {
  '0x70': 'GICR_PROPBASER',
  '0x78': 'GICR_PENDBASER',
  '0x20070': 'GICR_VPROPBASER',
  '0x20078': 'GICR_VPENDBASER',
};

/** What the kernel wrote, without addresses, by register: each value once. */
function recordedValues(log: string): Record<string, string[]> {
  const found = new Set<string>();
  const text = gunzipSync(readFileSync(log)).toString();
  for (const [, offset, data] of text.matchAll(
    /redistributor 0x\d+ write: offset (0x\w+) data (0x\w+) size 8/g,
  ))
    if (NAMES[offset!] !== undefined)
      found.add(`${NAMES[offset!]} ${(BigInt(data!) & ~ADDRESS).toString(16)}`);
  return byRegister(found);
}

/** What the design writes when PEs come online and a vPE is resident twice. */
function sentValues(): Record<string, string[]> {
  const found = new Set<string>();
  const run = new Translation(DESIGNS['vpe-proxy']!, 2, {
    stimulus: ({ kind, words }) => {
      if (kind[0] !== RECORDS['mmio.write'].id || words[0] !== FRAMES.indexOf('GICR')) return;
      const name = registerAt(words[0], words[2]!)?.name;
      const value = (BigInt(words[5]!) << 32n) | BigInt(words[4]!);
      if (Object.values(NAMES).includes(name ?? '')) found.add(`${name} ${(value & ~ADDRESS).toString(16)}`);
    },
  });
  const resident: Operation[] = [
    { op: 'vpe.schedule', vpe: 0, pe: 0 },
    { op: 'vpe.deschedule', vpe: 0, pe: 0 },
  ];
  for (const operation of [
    { op: 'pe.online', pe: 0 },
    { op: 'pe.online', pe: 1 },
    { op: 'vpe.map', vpe: 0, pe: 0 },
    ...resident,
    ...resident,
  ] satisfies Operation[])
    run.take(operation);
  run.finish();
  return byRegister(found);
}

function byRegister(found: Iterable<string>): Record<string, string[]> {
  const by: Record<string, string[]> = {};
  for (const one of [...found].sort()) {
    const [name, value] = one.split(' ') as [string, string];
    by[name] = [...(by[name] ?? []), value];
  }
  return by;
}

describe.each([
  ['6.12', 1005, 3938],
  ['7.3', 1008, 3934],
])('Linux %s with a guest on a GICv4', (version, commands, accesses) => {
  const log = recording(`small/linux-${version}-gicv4-kvm.log.gz`);

  it('sends the same commands in the same order, and makes as many accesses to each register', async () => {
    const trace = temp.path(`${version}.gictrace`);
    await imported(log, trace);
    const { alignments, lift } = compareTrace(trace, ['vpe-proxy']);
    const held = alignments.get('vpe-proxy')!;
    expect(held.commands).toEqual({ recorded: commands, sent: commands, same: commands, first: null });
    expect([held.accesses.recorded, held.accesses.sent]).toEqual([accesses, accesses]);
    for (const [name, { recorded, sent }] of held.registers) expect(sent, name).toBe(recorded);
    expect([...lift.unlifted]).toEqual([]);
    expect(lift.operations).toBeGreaterThan(1000);
  });

  it('gives the tables of LPIs and vPEs the same attributes', () => {
    expect(sentValues()).toEqual(recordedValues(log));
  });
});
