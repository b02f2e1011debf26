// Names of interrupts in Perfetto, from the text of /proc/interrupts in the forms that Linux has printed it.
import { readFileSync } from 'node:fs';
import { exportTrace, readInterruptNames } from '@gictrace/query';
import { afterAll, describe, expect, it } from 'vitest';
import { decodePerfetto } from '../packages/query/src/testing/foreign-formats.ts';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

/** The number of the message is that of the device shifted, or stands beside the device (with per-device MSI domains). */
const text = (isOld: boolean) => `           CPU0       CPU1       CPU2       CPU3
 11:      12034       9120       8111       7012     GICv3  26 Level     arch_timer
 13:          0          0          0          0     GICv3  33 Level     uart-pl011
 14:          1          0          0          0     GICv3  35 Edge      rtc-pl031
 19:          0          0          0          0  9030000.pl061   3 Edge      GPIO Key Poweroff
 47:        231          0          0          0   ${isOld ? 'ITS-MSI 32769' : 'ITS-PCI-MSIX-0000:00:02.0   1'} Edge      virtio1-req.0
IPI0:      2222       1811       1234       1022       Rescheduling interrupts
IPI1:        31         33         20         21       Function call interrupts
Err:          0
`;

describe('names of interrupts', () => {
  it.each([true, false])('are read from both forms (older: %s), and nothing else is', (isOld) => {
    const names = readInterruptNames(text(isOld), 'interrupts');
    expect(names.count).toBe(6);
    expect([0, 1, 2, 26, 33, 35, 3].map((intid) => names.of(intid))).toEqual([
      ...['Rescheduling interrupts', 'Function call interrupts', undefined],
      ...['arch_timer', 'uart-pl011', 'rtc-pl031', undefined],
    ]);
    expect(names.ofMessage(0x10, 1)).toBe('virtio1-req.0');
    expect([names.ofMessage(0x10, 0), names.ofMessage(0x8, 1)]).toEqual([undefined, undefined]);
  });

  it.each([
    ['ITS-MSI', 'ITS-MSI 134250497', 'ITS-MSI 134217728', 'ITS-MSI 32768'],
    [
      'a domain for each device',
      'ITS-PCI-MSIX-0001:00:02.0 1',
      'ITS-PCI-MSI-10000:01:00.0 3',
      'ITS-PCI-MSIX-0000:00:02.0 0',
    ],
  ])('PCI domains: %s', (form, inOne, other, inZero) => {
    const line = (chip: string, action: string) => ` 47: 231 0 ${chip} Edge ${action}\n`;
    const one = readInterruptNames(line(inOne, 'nvme0q1'), 'interrupts');
    expect([one.count, one.ofMessage(0x10, 1)]).toEqual([1, 'nvme0q1']);
    // Two devices with one number: which of them has the DeviceID is not in the text.
    const text = line(inOne, 'nvme0q1') + line(inZero, 'nvme1q0') + line(other, 'eth0');
    const both = readInterruptNames(text, 'interrupts');
    expect([both.ofMessage(0x10, 0), both.ofMessage(0x10, 1)]).toEqual([undefined, undefined]);
    expect([both.count, form === 'ITS-MSI' ? both.ofMessage(0, 0) : both.ofMessage(0x100, 3)]).toEqual([
      1,
      'eth0',
    ]);
  });

  it.each(['', 'not it\n', ' 11: 5 IO-APIC 2-edge timer\n', ' 1: x GICv3 27 Level a\n'])(
    'refuses %j',
    (other) => {
      expect(() => readInterruptNames(other, 'f')).toThrow(/names no interrupt of a GIC/);
    },
  );

  it('are those of slices, and of the LPIs to which messages were translated', {
    timeout: 120_000,
  }, async () => {
    const trace = temp.path('kvm.gictrace');
    await imported(recording('linux-gicv4-kvm.log.gz'), trace);
    const out = temp.path('kvm.pftrace');
    exportTrace(trace, 'perfetto', out, undefined, false, readInterruptNames(text(false), 'interrupts'));
    const { events } = decodePerfetto(readFileSync(out));
    const begun = events.filter(({ name }) => name?.startsWith('INTID '));
    // What a message was translated to is an argument of it, which test/export.test.ts compares with the database.
    const messages = events.filter(
      ({ name, track }) => track.name === 'DeviceID 0x10' && /^EventID 1\b/.test(name!),
    );
    expect(new Set(messages.map(({ name }) => name))).toEqual(new Set(['EventID 1 virtio1-req.0']));
    const lpis = new Set(messages.map(({ more }) => Number(more.INTID)));
    expect(lpis.size).toBeGreaterThan(0);
    const known: Readonly<Record<number, string>> = {
      ...{ 0: 'Rescheduling interrupts', 1: 'Function call interrupts', 26: 'arch_timer' },
      ...Object.fromEntries([...lpis].map((intid) => [intid, 'virtio1-req.0'])),
    };
    const named = new Set(begun.map(({ name }) => name!));
    for (const name of named) {
      const intid = Number(/^INTID (\d+)/.exec(name)![1]);
      expect(name).toBe(known[intid] === undefined ? `INTID ${intid}` : `INTID ${intid} ${known[intid]}`);
    }
    const [lpi] = lpis;
    expect([...named]).toEqual(expect.arrayContaining(['INTID 26 arch_timer', `INTID ${lpi} virtio1-req.0`]));
    expect([...named].some((name) => /^INTID \d+$/.test(name))).toBe(true);
  });
});
