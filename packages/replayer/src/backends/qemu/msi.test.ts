// MSIs from PCI functions on many buses: which can be had, and that each comes with the DeviceID of the trace.
import { RECORDS, RecordBatch, type Verdict } from '@gictrace/core/record';
import { FRAMES, GITS } from '@gictrace/core/spec';
import { StimulusGenerator } from '@gictrace/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Recording, replayed } from '../../fuzz/differ.ts';
import { fuzzConfig } from '../../fuzz/targets.ts';
import { QemuBackend } from './backend.ts';
import { MAINTENANCE_INTID } from './machine.ts';
import { MsiDevices } from './msi.ts';
import { qemuVersion } from './process.ts';

const hasQemu = (() => {
  try {
    return qemuVersion().startsWith('7.2.');
  } catch {
    return false;
  }
})();
if (!hasQemu) process.stderr.write('SKIPPED: MSIs by PCI functions of QEMU 7.2, which is not installed\n');

const config = fuzzConfig(3, 1);
const TABLE = 0x5000_0000;

/** The simulator's recording of an ITS with an empty device table, and of an MSI from each of these DeviceIDs. */
function looksAt(deviceIds: readonly number[]): Recording {
  const recording = new Recording(config);
  recording.powerOn();
  const batch = new RecordBatch(1);
  const stimulus = (kind: keyof typeof RECORDS, words: readonly number[]) => {
    batch.clear();
    batch.push(RECORDS[kind].id, kind === 'mmio.write' ? 0 : -1, Number.NaN);
    batch.words.set(words);
    recording.take(batch, 0);
  };
  const gits = FRAMES.indexOf('GITS');
  // 8 pages of 64 KB: 65,536 entries.
  stimulus('mmio.write', [gits, 0, GITS.GITS_BASER.offset, 8, TABLE + 0x207, 0x8000_0000]);
  stimulus('mmio.write', [gits, 0, GITS.GITS_CTLR.offset, 4, 1, 0]);
  for (const id of deviceIds) stimulus('msi.write', [0, id, 5, 4]);
  stimulus('mmio.write', [gits, 0, GITS.GITS_CTLR.offset, 4, 0, 0]);
  return recording;
}

async function onQemu(
  recording: Recording,
  of: typeof config,
  deviceIds: readonly number[],
): Promise<Verdict> {
  const backend = new QemuBackend({ foresight: { deviceIds, fills: new Map() } });
  try {
    return await replayed(of, recording, backend, await backend.reset(of));
  } finally {
    await backend.close();
  }
}

describe('DeviceIDs', () => {
  const possible = (ids: readonly number[]) => {
    const devices = new MsiDevices(ids, true);
    return ids.filter((id) => devices.possible(id, 1, 4) === undefined);
  };

  it('of eight buses besides bus 0 can be had, but not those of the host bridge', () => {
    expect(possible([0, 1, 7, 8, 0xff, 0x100, 0x1f8, 0xff08, 0xffff, 0x1_0000])).toEqual([
      0, 8, 0xff, 0x100, 0x1f8, 0xff08, 0xffff,
    ]);
    const first = Array.from({ length: 12 }, (_, n) => (n + 1) << 8);
    expect(possible(first)).toEqual(first.slice(0, 8));
    expect(new MsiDevices([1], true).possible(1, 0, 4)).toContain('host bridge');
  });

  it('on bus 0 leave no place for other buses if there are all of them', () => {
    const all = Array.from({ length: 248 }, (_, n) => n + 8);
    expect(possible([...all, 0x100])).toEqual(all);
  });

  it('of other buses do not change what is on bus 0', () => {
    expect(new MsiDevices([8, 16], true).args.join(' ')).not.toContain('root-port');
  });
});

describe.skipIf(!hasQemu)('on QEMU', () => {
  it('MSIs come with the DeviceIDs of the trace', async () => {
    const id = fc.oneof(fc.constantFrom(0, 8, 0x1f, 0xf8), fc.nat(0xffff));
    const lists = fc.array(id, { minLength: 6, maxLength: 14 });
    const drawn = fc.sample(lists, { numRuns: 3, seed: 5 });
    for (const ids of [[0, 8, 0xff, 0x100, 0x1f8, 0xff00, 0xff08, 0xffff, 0x107], ...drawn]) {
      const devices = new MsiDevices(ids, true);
      const there = ids.filter((each) => devices.possible(each, 5, 4) === undefined);
      const verdict = await onQemu(looksAt(ids), config, ids);
      expect(verdict.first).toBeNull();
      expect([verdict.compared['dte.read'], there.length > 4]).toEqual([there.length, true]);
    }
  });

  it('random stimuli with devices on other buses show no difference', async () => {
    const deviceIds = [0, 0x100, 0x1f8, 0xff08] as const;
    let msis = 0;
    for (const seed of [1, 2, 3]) {
      const generator = new StimulusGenerator(config, seed, {
        ...{ deviceIds, contained: true, reconfigures: true, takenIntids: [MAINTENANCE_INTID] },
      });
      const recording = new Recording(config, { maintenanceIntid: MAINTENANCE_INTID });
      const batch = new RecordBatch(1);
      for (let n = 0; n < 700 && !recording.outside; n++) {
        batch.clear();
        generator.next(batch);
        if (batch.kind[0] === RECORDS['msi.write'].id && batch.words[1]! > 255) msis++;
        recording.take(batch, 0);
      }
      expect((await onQemu(recording, config, deviceIds)).first, `seed ${seed}`).toBeNull();
    }
    expect(msis).toBeGreaterThan(20);
  });
});
