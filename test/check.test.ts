// The checker on real recordings: what it finds there is known, and what is planted it finds.
import { Checker, type Finding } from '@gictrace/core/check';
import { eachEvent, Machine, mappedDevices, step } from '@gictrace/core/model';
import { RECORD_WORDS, RECORDS, RecordBatch, STIMULI_BELOW } from '@gictrace/core/record';
import { encodeCommand, GITS } from '@gictrace/core/spec';
import { sourceFacts, TraceReader } from '@gictrace/recorder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

/** What is found in each recording, and why it is so. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  'linux-gicv3-mrops': [],
  'linux-gicv3-plugin-head': [],
  'linux-gicv3-spi-head': [],
  'gicv3-active': [],
  'its-introspection': [],
  // The test raises an interrupt of a device that it has not mapped, to see that nothing happens.
  'its-trigger': ['command-error'],
  'linux-gicv4-kvm': [],
  'linux-gicv3-qemu-11': [],
  'linux-secure-direct-head': [],
  'el3-bare-metal': [],
  'tfa-uboot-linux': [],
};

describe.each(Object.entries(KNOWN))('%s', (name, expected) => {
  const trace = temp.path(`${name}.gictrace`);
  beforeAll(() => imported(recording(`${name}.log.gz`), trace));
  it(`has ${expected.length === 0 ? 'nothing' : expected.join(', ')}`, () => {
    const reader = TraceReader.open(trace);
    const checker = new Checker(reader.header.config, sourceFacts(reader.header));
    for (const { batch } of reader.batches()) checker.take(batch);
    reader.close();
    expect(checker.finish().map((one) => one.rule)).toEqual(expected);
  });
});

describe('a DISCARD planted into a real boot', () => {
  const RUNG = RECORDS['doorbell.rung'].id;
  const PROXY = 0xffff;

  /** Runs the recording; wherever a doorbell is pending and its vPE away, calls back, and plants what that answers. */
  function planted(plant: (machine: Machine, intid: number, nth: number) => number[][]): readonly Finding[] {
    const reader = TraceReader.open(temp.path('linux-gicv4-kvm.gictrace'));
    const machine = new Machine(reader.header.config);
    const checker = new Checker(reader.header.config);
    const shown = new RecordBatch(65_536);
    machine.sink = { batch: shown, events: true, full: () => shown.clear() };
    const one = new RecordBatch(1);
    let nth = 0;
    const give = (batch: RecordBatch, i: number) => {
      one.clear();
      one.copy(batch, i);
      checker.take(one);
      if (batch.kind[i]! < STIMULI_BELOW) step(machine, batch, i);
    };
    const extra = new RecordBatch(1);
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count; i++) {
        shown.clear();
        give(batch, i);
        for (let k = 0; k < shown.count; k++) {
          if (shown.kind[k] !== RUNG) continue;
          const intid = shown.words[k * RECORD_WORDS]!;
          if (!machine.state.lpiPending.some((pending) => pending.has(intid))) continue;
          for (const [kind, ...words] of plant(machine, intid, nth++)) {
            extra.clear();
            extra.push(kind!, 0, batch.timeNs[i]!);
            words.forEach((word, n) => {
              extra.words[n] = word;
            });
            give(extra, 0);
          }
          break;
        }
      }
    reader.close();
    return checker.finish();
  }

  /** A command in the slot that comes next, and the write that runs it. */
  function run(machine: Machine, name: 'DISCARD' | 'CLEAR', eventId: number): number[][] {
    const { cbaser, cwriter } = machine.state;
    const at = (cwriter[0]! & 0xf_ffe0) >>> 0;
    const base = (cbaser[0]! & 0xffff_f000) >>> 0;
    const words = encodeCommand(name, { DeviceID: PROXY, EventID: eventId });
    const bytes = ((cbaser[0]! & 0xff) + 1) * 4096;
    return [
      [RECORDS['queue.write'].id, 0, base + at, cbaser[1]! & 0xf_ffff, ...words],
      [RECORDS['mmio.write'].id, 2, 0, GITS.GITS_CWRITER.offset, 8, (at + 32) % bytes, 0],
    ];
  }
  const proxyEvent = (machine: Machine, intid: number): number => {
    const device = mappedDevices(machine, 0).find((one) => one.deviceId === PROXY);
    let found = -1;
    if (device !== undefined)
      eachEvent(machine, device, (eventId, ite) => {
        if (ite.physical && ite.intid === intid) found = eventId;
      });
    return found;
  };

  it('is found, with the message that rang and the time until the vPE ran again', () => {
    let plants = 0;
    const found = planted((machine, intid, nth) => {
      const event = nth === 1 ? proxyEvent(machine, intid) : -1;
      if (event < 0) return [];
      plants++;
      return run(machine, 'DISCARD', event);
    });
    expect(plants).toBe(1);
    const lost = found.filter((one) => one.rule === 'lost-doorbell');
    expect(lost).toHaveLength(1);
    expect(lost[0]!.related[0]!.text).toMatch(/^rung by .*(msi\.write|its)/);
    expect(lost[0]!.lastedNs === null || lost[0]!.lastedNs > 0).toBe(true);
  });

  it('is not one if it is a CLEAR', () => {
    const found = planted((machine, intid, nth) => {
      const event = nth === 1 ? proxyEvent(machine, intid) : -1;
      return event < 0 ? [] : run(machine, 'CLEAR', event);
    });
    expect(found.filter((one) => one.rule === 'lost-doorbell')).toEqual([]);
  });
});

describe('faults planted into a real boot', () => {
  const MMIO_WRITE = RECORDS['mmio.write'].id;
  const MSI_WRITE = RECORDS['msi.write'].id;
  const SYSREG_WRITE = RECORDS['sysreg.write'].id;
  const [GICD, GICR, GITS_FRAME] = [0, 1, 2];

  /** What is found in a recording if `change` may drop a record (by an empty list) or put stimuli behind it. */
  function planted(
    name: string,
    change: (machine: Machine, batch: RecordBatch, i: number) => number[][] | 'drop' | undefined,
  ): readonly Finding[] {
    const reader = TraceReader.open(temp.path(`${name}.gictrace`));
    const machine = new Machine(reader.header.config);
    const checker = new Checker(reader.header.config, sourceFacts(reader.header));
    const one = new RecordBatch(1);
    const give = () => {
      checker.take(one);
      if (one.kind[0]! < STIMULI_BELOW) step(machine, one, 0);
    };
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count; i++) {
        const plants = change(machine, batch, i);
        if (plants === 'drop') continue;
        one.clear();
        one.copy(batch, i);
        give();
        for (const [kind, pe, ...words] of plants ?? []) {
          one.clear();
          one.push(kind!, pe!, batch.timeNs[i]!);
          words.forEach((word, n) => {
            one.words[n] = word;
          });
          give();
        }
      }
    reader.close();
    return checker.finish();
  }
  /** Calls back at the `nth` message, when the guest is at work. */
  const atMessage = (nth: number, plant: (machine: Machine) => number[][]) => {
    let n = 0;
    return (machine: Machine, batch: RecordBatch, i: number) =>
      batch.kind[i] === MSI_WRITE && n++ === nth ? plant(machine) : undefined;
  };
  const rulesOf = (found: readonly Finding[]) => [...new Set(found.map((one) => one.rule))];

  it('an SGI to no PE, an SPI to an absent PE, an EOI of another interrupt, a reserved write', () => {
    const found = planted(
      'linux-gicv3-mrops',
      atMessage(20, () => [
        [SYSREG_WRITE, 0, 0xc65d, 0x0300_8000, 0],
        [MMIO_WRITE, 0, GICD!, 0, 0x6100 + 8 * 100, 8, 0x77, 0],
        [MMIO_WRITE, 0, GICD!, 0, 0x110, 4, 1 << 4, 0],
        [MMIO_WRITE, 0, GICD!, 0, 0x210, 4, 1 << 4, 0],
        [SYSREG_WRITE, 3, 0xc661, 8500, 0],
        [MMIO_WRITE, 0, GICD!, 0, 0x6008, 8, 1, 0],
      ]),
    );
    expect(rulesOf(found)).toEqual(
      expect.arrayContaining(['sgi-to-no-pe', 'spi-to-absent-pe', 'eoi-without-acknowledge']),
    );
  });

  it('tables that overlap, an ITS that is not quiescent, a PE that sleeps with a message', () => {
    const found = planted(
      'linux-gicv3-mrops',
      atMessage(20, (machine) => {
        const { cbaser, cwriter } = machine.state;
        const at = (cwriter[0]! & 0xf_ffe0) >>> 0;
        const base = (cbaser[0]! & 0xffff_f000) >>> 0;
        const [device] = mappedDevices(machine, 0);
        const words = encodeCommand('MAPD', { DeviceID: 0x7f, Size: 4, ITT_addr: device!.ittAddress, V: 1 });
        return [
          [RECORDS['queue.write'].id, 0, 0, base + at, cbaser[1]! & 0xf_ffff, ...words],
          [MMIO_WRITE, 0, GITS_FRAME!, 0, GITS.GITS_CWRITER.offset, 8, at + 32, 0],
          [MMIO_WRITE, 0, GITS_FRAME!, 0, 0, 4, 0, 0],
          [MMIO_WRITE, 0, GITS_FRAME!, 0, 0, 4, 1, 0],
          ...[0, 1, 2, 3].map((pe) => [MMIO_WRITE, 0, GICR!, pe, 0x14, 4, 2, 0]),
        ];
      }),
    );
    expect(rulesOf(found)).toEqual(expect.arrayContaining(['tables-overlap', 'not-quiescent']));
  });
});
