// The findings of docs/findings.md, each by its sequence: what each QEMU does, and what the simulator does by the
// architecture. Where a later version is right, it does as the architecture says.
import { GicTraceError } from '@gictrace/core';
import { type Answers, Simulator } from '@gictrace/core/backend';
import { Guest } from '@gictrace/core/conformance';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import {
  type CommandName,
  encodeCommand,
  FRAMES,
  GICD,
  GICR,
  GITS,
  SYSREGS,
  type SysregName,
} from '@gictrace/core/spec';
import { GUEST_MEMORY } from '@gictrace/core/testing';
import { QemuBackend } from '@gictrace/replayer';
import { fuzzConfig } from '@gictrace/replayer/fuzz';
import { describe, expect, it } from 'vitest';
import { QEMUS } from './qemus.ts';

/** A sequence of stimuli, mostly of PE 0. */
class Sequence {
  readonly batch = new RecordBatch(64);
  private flags = 0;

  /** What follows is Secure, from EL3, or neither: RECORD_FLAGS. */
  as(flags: number): this {
    this.flags = flags;
    return this;
  }

  private add(kind: keyof typeof RECORDS, pe: number, ...words: number[]): this {
    const i = this.batch.push(RECORDS[kind].id, pe, Number.NaN);
    this.batch.words.set(
      words.map((word) => word >>> 0),
      i * RECORD_WORDS,
    );
    this.batch.flags[i] = this.flags;
    return this;
  }
  write(
    frame: (typeof FRAMES)[number],
    offset: number,
    low: number,
    width = 4,
    high = 0,
    instance = 0,
  ): this {
    return this.add('mmio.write', 0, FRAMES.indexOf(frame), instance, offset, width, low, high);
  }
  read(frame: (typeof FRAMES)[number], offset: number, width = 4): this {
    return this.add('mmio.read', 0, FRAMES.indexOf(frame), 0, offset, width);
  }
  set(name: SysregName, low: number, high = 0): this {
    return this.add('sysreg.write', 0, SYSREGS[name].encoding, low, high);
  }
  get(name: SysregName): this {
    return this.add('sysreg.read', 0, SYSREGS[name].encoding);
  }
  zero(address: number, length: number): this {
    return this.add('mem.known', -1, address, 0, length, 0);
  }
  store(address: number, byte: number): this {
    return this.add('mem.write', 0, address, 0, 1, byte);
  }
  queue(slot: number, name: CommandName, operands: Readonly<Record<string, number>>): this {
    const address = GUEST_MEMORY.queue + 32 * slot;
    return this.add('queue.write', 0, 0, address, 0, ...encodeCommand(name, operands));
  }
  wire(intid: number, level: number): this {
    return this.add('wire.set', 0, intid, level);
  }
  /** Group 1 on, and PPI 27 enabled in it with priority 0x80. */
  groupOne(): this {
    return this.write('GICD', GICD.GICD_CTLR.offset, 2)
      .write('GICR', GICR.GICR_WAKER.offset, 0)
      .write('GICR', GICR.GICR_IGROUPR.offset, 1 << 27)
      .write('GICR', GICR.GICR_ISENABLER.offset, 1 << 27)
      .write('GICR', GICR.GICR_IPRIORITYR.offset + 27, 0x80, 1)
      .set('ICC_IGRPEN1_EL1', 1);
  }
}

interface Outcome {
  /** What each stimulus returned; a reason where it was skipped. */
  readonly values: (bigint | string)[];
  /** By stimulus: kinds of observables shown. */
  readonly shown: number[][];
  /** By stimulus: the last hppi of PE 0. */
  readonly lines: (string | undefined)[];
}

async function run(
  backend: QemuBackend | Simulator,
  sequence: Pick<Sequence, 'batch'>,
  profile = 'qemu-virt',
  gic: 3 | 4 = 4,
  security: 1 | 2 = 1,
): Promise<Outcome> {
  const out: Outcome = { values: [], shown: [], lines: [] };
  const answers: Answers = {
    answered: (low, high) => {
      out.values.push((BigInt(high) << 32n) | BigInt(low >>> 0));
      out.shown.push([]);
      out.lines.push(undefined);
    },
    skipped: (reason) => {
      out.values.push(reason);
      out.shown.push([]);
      out.lines.push(undefined);
    },
    shown: (batch, i) => {
      if (batch.kind[i]! >= 96) return;
      out.shown.at(-1)!.push(batch.kind[i]!);
      const w = batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
      if (batch.kind[i] === RECORDS.hppi.id && batch.pe[i] === 0)
        out.lines[out.lines.length - 1] = `INTID ${w[0]} FIQ ${w[3]} IRQ ${w[4]}`;
    },
  };
  try {
    await backend.reset({ ...fuzzConfig(gic, 2, 'qemu-virt', security), profile });
    await backend.run(sequence.batch, answers);
  } finally {
    await backend.close();
  }
  return out;
}

const byArchitecture = (sequence: Sequence) => run(new Simulator('test'), sequence, 'architecture');

// Without QEMU the file holds one test that is skipped: a file without tests is an error.
it.skipIf(QEMUS.length > 0)('QEMU', (test) => test.skip());

describe.each(QEMUS)('QEMU $release', ({ command, release }) => {
  const onQemu = (sequence: Pick<Sequence, 'batch'>, gic: 3 | 4 = 4) =>
    run(new QemuBackend({ command, timeoutMs: 20_000 }), sequence, 'qemu-virt', gic);
  /** Whether this is 7.2: what only that one does was mended in 10.0. */
  const is72 = release === '7.2';

  it('ends with a failed assertion if ICC_BPR1_EL1 is written with a reserved bit and 0 below', async () => {
    const crash = () =>
      new Sequence()
        .groupOne()
        .set('ICC_PMR_EL1', 0xf0)
        .set('ICC_BPR1_EL1', 8)
        .wire(27, 1)
        .get('ICC_IAR1_EL1');
    const error: unknown = await onQemu(crash()).catch((e) => e);
    expect(error).toBeInstanceOf(GicTraceError);
    expect((error as GicTraceError).message).toMatch(/SIGABRT.*icc_gprio_mask: Assertion `bpr > 0' failed/);
    expect((await byArchitecture(crash())).values.at(-1)).toBe(27n);
  });

  it('changes GICD_IROUTER32 if ICC_EOIR1_EL1 is written with an LPI', async () => {
    const { offset } = GICD.GICD_IROUTER;
    // Later versions have another bitmap, of NMIs, in between.
    const overIrouter32 = is72 ? 13_280 : 14_304;
    const sequence = new Sequence()
      .groupOne()
      .set('ICC_PMR_EL1', 0xf0)
      .write('GICD', offset, 0xffff_ffff, 8, 0xffff_ffff)
      .wire(27, 1)
      .get('ICC_IAR1_EL1')
      .read('GICD', offset, 8)
      .set('ICC_EOIR1_EL1', overIrouter32)
      .read('GICD', offset, 8);
    const { values } = await onQemu(sequence);
    expect(values.slice(9)).toEqual([27n, 0xffff_ffff_ffff_ffffn, 0n, 0xffff_ffff_ffff_fffen]);
    const simulator = await run(new Simulator('test'), sequence);
    expect(simulator.values[10]).toBe(simulator.values[12]);
  });

  it('keeps a binary point below the minimum, by a reserved bit', async () => {
    const sequence = new Sequence()
      .set('ICC_BPR0_EL1', 8)
      .get('ICC_BPR0_EL1')
      .set('ICV_BPR0_EL1', 9)
      .get('ICV_BPR0_EL1');
    expect((await onQemu(sequence)).values).toEqual([0n, 0n, 0n, 1n]);
    expect((await byArchitecture(sequence)).values).toEqual([0n, 2n, 0n, 2n]);
  });

  it('masks nothing if a reserved bit of ICC_PMR_EL1 is set (7.2)', async () => {
    const sequence = new Sequence().groupOne().set('ICC_PMR_EL1', 0x100).get('ICC_PMR_EL1').wire(27, 1);
    const qemu = await onQemu(sequence);
    expect(qemu.values[7]).toBe(is72 ? 0x100n : 0n);
    expect(qemu.lines.at(-1)).toBe(`INTID 27 FIQ 0 IRQ ${is72 ? 1 : 0}`);
    const simulator = await byArchitecture(sequence);
    expect(simulator.values[7]).toBe(0n);
    expect(simulator.lines.at(-1)).toBe('INTID 27 FIQ 0 IRQ 0');
  });

  it('does not make an SGI of Group 0 pending by ICC_SGI1R_EL1', async () => {
    const sequence = new Sequence().set('ICC_SGI1R_EL1', 0x0900_0001).read('GICR', GICR.GICR_ISPENDR.offset);
    expect((await onQemu(sequence)).values[1]).toBe(0n);
    expect((await byArchitecture(sequence)).values[1]).toBe(0x200n);
  });

  it('keeps reserved bits of GITS_CWRITER and GITS_CREADR', async () => {
    const { offset } = GITS.GITS_CWRITER;
    const sequence = new Sequence().write('GITS', offset, 0, 8, 0x1234_5678).read('GITS', offset, 8);
    expect((await onQemu(sequence)).values[1]).toBe(0x1234_5678_0000_0000n);
    expect((await byArchitecture(sequence)).values[1]).toBe(0n);
    const creadr = GITS.GITS_CREADR.offset;
    const other = new Sequence().write('GITS', creadr, 0, 8, 0x1234_5678).read('GITS', creadr, 8);
    expect((await onQemu(other)).values[1]).toBe(0x1234_5678_0000_0000n);
  });

  it('refuses VMAPTI for a device whose table entry has 32 EventID bits', async () => {
    const { devices, queue, itt, vpes } = GUEST_MEMORY;
    const valid = 0x8000_0000;
    const sequence = new Sequence()
      .zero(devices, 0x1000)
      .zero(itt, 0x1000)
      .write('GITS', GITS.GITS_BASER.offset, devices | 0x207, 8, valid)
      .write('GITS', GITS.GITS_BASER.offset + 16, vpes | 0x200, 8, valid)
      .write('GITS', GITS.GITS_CBASER.offset, queue, 8, valid)
      .write('GITS', GITS.GITS_CTLR.offset, 1)
      .queue(0, 'MAPD', { DeviceID: 8, Size: 2, ITT_addr: itt, V: 1 })
      .queue(1, 'VMAPTI', { DeviceID: 8, EventID: 0, vPEID: 0, vINTID: 8192, Dbell_pINTID: 1023 })
      .write('GITS', GITS.GITS_CWRITER.offset, 0x20)
      .store(devices + 8 * 8, 0x3f)
      .write('GITS', GITS.GITS_CWRITER.offset, 0x40);
    expect((await onQemu(sequence)).shown.at(-1)).not.toContain(RECORDS['ite.write'].id);
    const simulator = await run(new Simulator('test'), sequence);
    expect(simulator.shown.at(-1)).toContain(RECORDS['ite.write'].id);
  });

  it('lets Non-secure software deactivate a Secure interrupt by an EOI', async () => {
    const { secure, el3 } = RECORD_FLAGS;
    const active = GICR.GICR_ISACTIVER.offset;
    const sequence = new Sequence()
      .as(secure)
      .write('GICD', GICD.GICD_CTLR.offset, 7)
      .write('GICR', GICR.GICR_WAKER.offset, 0)
      .write('GICR', GICR.GICR_IGROUPR.offset, 1 << 27)
      .write('GICR', GICR.GICR_ISENABLER.offset, 1 << 27)
      .write('GICR', GICR.GICR_IPRIORITYR.offset + 27, 0x80, 1)
      .write('GICR', active, 1 << 28)
      .as(secure | el3)
      .set('ICC_PMR_EL1', 0xf0)
      .set('ICC_IGRPEN1_EL3', 3)
      .as(0)
      .wire(27, 1)
      .write('GICR', GICR.GICR_ICACTIVER.offset, 1 << 28)
      .get('ICC_IAR1_EL1')
      .as(secure)
      .read('GICR', active)
      .as(0)
      .set('ICC_EOIR1_EL1', 28)
      .as(secure)
      .read('GICR', active);
    const qemu = await run(new QemuBackend({ command, timeoutMs: 20_000 }), sequence, 'qemu-virt', 3, 2);
    expect(qemu.values.slice(10)).toEqual([27n, 0x1800_0000n, 0n, 0x800_0000n]);
    const simulator = await run(new Simulator('test'), sequence, 'architecture', 3, 2);
    expect(simulator.values.slice(10)).toEqual([27n, 0x1800_0000n, 0n, 0x1800_0000n]);
  });

  it('notices vLPIs of a vPE that is resident on another PE than it is mapped to only as it clears the last best', async () => {
    const config = { ...fuzzConfig(4, 2, 'qemu-virt'), profile: 'qemu-virt' };
    /** Up to the CLEAR of one of two events whose vLPIs became pending while the vPE was mapped elsewhere. */
    const upToClear = (eventId: number) => {
      const guest = new Guest(config);
      const batch = new RecordBatch(128);
      guest.tap = (one) => batch.copy(one, 0);
      const command = (name: 'INT' | 'CLEAR', event: number) =>
        guest.command(name, { DeviceID: 16, EventID: event });
      guest.itsOnly().virtual(1);
      for (const event of [1, 4]) guest.mapVirtual(16, event, 0, 8192 + event);
      guest.schedule(0, 0);
      command('INT', 4);
      command('CLEAR', 4);
      guest.command('VMOVP', { vPEID: 0, RDbase: 1, SequenceNumber: 0, ITSList: 0 });
      command('INT', 1);
      command('INT', 4);
      guest.mapVpe(0, 0);
      command('CLEAR', eventId);
      return { batch };
    };
    const { id } = RECORDS.vhppi;
    expect((await onQemu(upToClear(4))).shown.at(-1)).toContain(id);
    expect((await onQemu(upToClear(1))).shown.at(-1)).not.toContain(id);
    for (const eventId of [1, 4])
      expect((await run(new Simulator('test'), upToClear(eventId))).shown.at(-1)).not.toContain(id);
  });

  it('has 32 SPIs more than GICD_TYPER.ITLinesNumber says (7.2)', async () => {
    const sequence = new Sequence()
      .read('GICD', GICD.GICD_TYPER.offset)
      .write('GICD', GICD.GICD_ISENABLER.offset + 4 * 8, 0xffff_ffff)
      .read('GICD', GICD.GICD_ISENABLER.offset + 4 * 8);
    const { values } = await onQemu(sequence);
    expect((values[0] as bigint) & 0x1fn).toBe(is72 ? 7n : 8n);
    expect(values[2]).toBe(0xffff_ffffn);
    expect((await byArchitecture(sequence)).values[2]).toBe(0n);
  });

  it('says that virtual Group 0 is disabled while Group 1 is', async () => {
    const [VENG0, VENG1] = [1, 2];
    const sequence = new Sequence().set('ICH_HCR_EL2', 0x21); // En, VGrp0DIE
    for (const vmcr of [0, VENG0, VENG1, VENG0 | VENG1])
      sequence.set('ICH_VMCR_EL2', vmcr).get('ICH_MISR_EL2');
    const reads = ({ values }: Outcome) => values.filter((_, n) => n % 2 === 0).slice(1);
    expect(reads(await onQemu(sequence))).toEqual([0x20n, 0x20n, 0n, 0n]);
    expect(reads(await byArchitecture(sequence))).toEqual([0x20n, 0n, 0x20n, 0n]);
  });

  it('keeps ICH_LR<n>_EL2.NMI, which it does not implement (7.2)', async () => {
    const sequence = new Sequence().set('ICH_LR0_EL2', 1, 0x0800_0000).get('ICH_LR0_EL2');
    expect((await onQemu(sequence)).values[1]).toBe(is72 ? 0x0800_0000_0000_0001n : 1n);
    expect((await byArchitecture(sequence)).values[1]).toBe(1n);
  });
});
