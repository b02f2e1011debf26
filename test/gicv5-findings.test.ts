// The findings of docs/findings.md about QEMU's GICv5, each by its sequence: what QEMU does, what the simulator does with
// QEMU's profile, which is the same, and what it does by the architecture.
import { GicTraceError } from '@gictrace/core';
import { Gicv5Machine, gicv5Step } from '@gictrace/core/gicv5';
import { FRAMES, NO_PE, RECORD_WORDS, RECORDS, RecordBatch, type RecordName } from '@gictrace/core/record';
import { GICV5_SYSREGS, GICV5_TYPES, type Gicv5SysregName, gicv5Intid, IRS } from '@gictrace/core/spec';
import { fuzzGicv5, Gicv5Qemu, qemuGicv5Config } from '@gictrace/replayer/fuzz';
import { describe, expect, it } from 'vitest';
import { QEMUS } from './qemus.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const PES = 2;
const spi = (id: number) => gicv5Intid(GICV5_TYPES.SPI, id);
const ppi = (id: number) => gicv5Intid(GICV5_TYPES.PPI, id);

class Sequence {
  readonly batch = new RecordBatch(64);

  add(kind: RecordName, pe: number, ...words: number[]): this {
    const at = this.batch.push(RECORDS[kind].id, pe, Number.NaN) * RECORD_WORDS;
    this.batch.words.set(
      words.map((word) => word >>> 0),
      at,
    );
    return this;
  }
  write(register: keyof typeof IRS, value: number): this {
    return this.add('mmio.write', 0, FRAMES.indexOf('IRS'), 1, IRS[register].offset, 4, value);
  }
  read(register: keyof typeof IRS | number): this {
    const offset = typeof register === 'number' ? register : IRS[register].offset;
    return this.add('mmio.read', 0, FRAMES.indexOf('IRS'), 1, offset, 4);
  }
  set(name: Gicv5SysregName, low = 0, high = 0, pe = 0): this {
    return this.add('sysreg.write', pe, GICV5_SYSREGS[name].encoding, low, high);
  }
  get(name: Gicv5SysregName, pe = 0): this {
    return this.add('sysreg.read', pe, GICV5_SYSREGS[name].encoding);
  }

  /** The IRS and the CPU interface of PE 0 on, after PPIs have been touched. */
  on(): this {
    this.set('ICC_PPI_ENABLER0_EL1').set('ICC_CR0_EL1', 1).set('ICC_PCR_EL1', 31);
    return this.write('IRS_CR0', 1).read('IRS_CR0');
  }
  /** An SPI of priority 4 that PE 0 takes. */
  spi(id: number): this {
    return this.set('GIC_CDPRI', spi(id), 4 << 3).set('GIC_CDEN', spi(id));
  }
}

const isRead = (kind: number) => kind === MMIO_READ || kind === SYSREG_READ;

/** The values that the last reads returned on QEMU, with its profile, and by the architecture. */
async function reads(command: string, of: number, { batch }: Sequence): Promise<string[][]> {
  const qemu = await Gicv5Qemu.start(qemuGicv5Config(PES), { command });
  const values: string[][] = [[]];
  try {
    await qemu.run(batch, (i, { value, skipped }) => {
      expect(skipped).toBeUndefined();
      if (isRead(batch.kind[i]!)) values[0]!.push(value.toString(16));
    });
  } finally {
    qemu.close();
  }
  for (const profile of ['qemu-11.1', 'gicv5-architecture']) {
    const machine = new Gicv5Machine(qemuGicv5Config(PES, profile));
    const own: string[] = [];
    for (let i = 0; i < batch.count; i++) {
      gicv5Step(machine, batch, i);
      if (isRead(batch.kind[i]!))
        own.push(((BigInt(machine.high) << 32n) | BigInt(machine.low >>> 0)).toString(16));
    }
    values.push(own);
  }
  return values.map((list) => list.slice(-of));
}

const GICV5 = QEMUS.filter(({ version }) => Number.parseInt(version, 10) >= 11);

// Without such a QEMU the file holds one test that is skipped: a file without tests is an error.
it.skipIf(GICV5.length > 0)('GICv5 of QEMU 11', (test) => test.skip());

describe.each(GICV5)('GICv5 of QEMU $version', ({ command }) => {
  /** What QEMU and its profile return, and what the architecture says. */
  const expectReads = async (sequence: Sequence, theirs: string[], architecture: string[]) => {
    expect(await reads(command, theirs.length, sequence)).toEqual([theirs, theirs, architecture]);
  };

  it('10. ends if a PE acknowledges before one of its PPIs has changed', async () => {
    const sequence = new Sequence().set('ICC_PCR_EL1', 31).set('ICC_CR0_EL1', 1).get('ICC_HPPIR_EL1');
    await expectReads(sequence, ['100000000'], ['0']);
    const qemu = await Gicv5Qemu.start(qemuGicv5Config(PES), { command });
    try {
      const crash = qemu.run(sequence.get('GICR_CDIA').batch, () => undefined);
      await expect(crash).rejects.toThrow(GicTraceError);
      await expect(crash).rejects.toThrow(/gicr_cdia_read: code should not be reached/);
    } finally {
      qemu.close();
    }
  });

  it('11. GIC CDDIS enables an SPI, and GIC CDPEND makes it pending, whatever it says', async () => {
    const disabled = new Sequence().on().set('GIC_CDDIS', spi(40)).set('GIC_CDRCFG', spi(40));
    await expectReads(disabled.get('ICC_ICSR_EL1'), ['2'], ['0']);
    const unpended = new Sequence().on().set('GIC_CDPEND', spi(40), 0).set('GIC_CDRCFG', spi(40));
    await expectReads(unpended.get('ICC_ICSR_EL1'), ['4'], ['0']);
  });

  it('12. IRS_CR0.IRSEN acts when IRS_CR0 is read', async () => {
    const sequence = new Sequence().on().spi(40).set('GIC_CDPEND', spi(40), 1);
    sequence.write('IRS_CR0', 0).get('ICC_HPPIR_EL1').read('IRS_CR0').get('ICC_HPPIR_EL1');
    await expectReads(sequence, ['160000028', '2', '0'], ['0', '2', '0']);
  });

  it('13. a reset of the machine does not take back what the IRS has presented', async () => {
    const sequence = new Sequence().on().spi(40).set('GIC_CDPEND', spi(40), 1);
    sequence.add('gic.reset', NO_PE, 0).set('ICC_PPI_ENABLER0_EL1');
    sequence.set('ICC_CR0_EL1', 1).set('ICC_PCR_EL1', 31).get('ICC_HPPIR_EL1');
    await expectReads(sequence, ['160000028'], ['0']);
  });

  it('14. GIC CDDI of a PPI deactivates others', async () => {
    const sequence = new Sequence().on().set('ICC_PPI_SACTIVER0_EL1', 0x800_0008, 0xffff_ffff);
    sequence.set('GIC_CDDI', ppi(27)).get('ICC_PPI_SACTIVER0_EL1');
    await expectReads(sequence, ['8'], ['ffffffff00000008']);
  });

  it('15. a PE that is reset forgets a PPI whose input line stays high', async () => {
    const sequence = new Sequence().on().add('wire.set', 1, ppi(27), 1).get('ICC_PPI_SPENDR0_EL1', 1);
    sequence.add('pe.reset', 1).get('ICC_PPI_SPENDR0_EL1', 1);
    await expectReads(sequence, ['8000000', '0'], ['8000000', '8000000']);
  });

  it('16. IRS_DEVARCH names another architect, and reserved bits read back', async () => {
    const sequence = new Sequence().read(0xffbc).write('IRS_PE_SELR', 0xffff_0001).read('IRS_PE_SELR');
    await expectReads(sequence, ['80105a19', 'ffff0001'], ['47705a19', '1']);
  });

  it('agrees with its profile on random stimuli, and not with the architecture', async () => {
    const options = { command, pes: 3, steps: 2500 };
    for (const seed of [9001, 9002]) {
      const same = await fuzzGicv5({ ...options, seed });
      expect(same.difference).toBeNull();
      expect(same.compared).toBeGreaterThan(4000);
      expect(same.skipped).toEqual({});
    }
    const other = await fuzzGicv5({ ...options, seed: 9001, steps: 200, profile: 'gicv5-architecture' });
    expect(other.difference?.text).toContain('IRS_CR0');
  }, 60_000);
});
