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
