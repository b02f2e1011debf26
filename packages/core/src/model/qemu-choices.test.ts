// Choices that differential fuzzing against QEMU has added, each under the profile that makes it and another, and what
// the versions of QEMU do otherwise than each other.
import { describe, expect, it } from 'vitest';
import { configOf, PLAIN, PROFILES, qemuProfile } from '../profile/index.ts';
import { FRAMES, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import { GICD, GICR, SYSREGS, type SysregName } from '../spec/index.ts';
import { Driver, featured, TYPER, testConfig } from './driver.test-support.ts';
import { Machine, step } from './index.ts';

class Guest {
  readonly machine: Machine;
  readonly shown = new RecordBatch(4096);
  private readonly batch = new RecordBatch(1);

  constructor(profile: string) {
    const hardware = { ...PLAIN, architecture: 4, virtualLpis: '4.0' } as const;
    this.machine = new Machine(configOf(profile, hardware, 2));
    this.machine.sink = { batch: this.shown, events: true, full: () => this.shown.clear() };
  }

  private give(kind: keyof typeof RECORDS, pe: number, words: readonly number[]): this {
    this.batch.clear();
    this.batch.push(RECORDS[kind].id, pe, Number.NaN);
    this.batch.words.set(words);
    this.shown.clear();
    step(this.machine, this.batch, 0);
    return this;
  }
  write(
    frame: (typeof FRAMES)[number],
    instance: number,
    offset: number,
    low: number,
    width = 4,
    high = 0,
  ): this {
    return this.give('mmio.write', 0, [FRAMES.indexOf(frame), instance, offset, width, low, high]);
  }
  read(frame: (typeof FRAMES)[number], instance: number, offset: number, width = 4): this {
    return this.give('mmio.read', 0, [FRAMES.indexOf(frame), instance, offset, width]);
  }
  set(name: SysregName, low: number, high = 0): this {
    return this.give('sysreg.write', 0, [SYSREGS[name].encoding, low, high]);
  }
  get(name: SysregName): this {
    return this.give('sysreg.read', 0, [SYSREGS[name].encoding]);
  }
  store(address: number, byte: number): this {
    return this.give('mem.write', 0, [address, 0, 1, byte]);
  }
  /** PEs that an SGI was sent to by the last stimulus. */
  get sgis(): number[] {
    const out: number[] = [];
    for (let i = 0; i < this.shown.count; i++)
      if (this.shown.kind[i] === RECORDS['sgi.sent'].id) out.push(this.shown.pe[i]!);
    return out;
  }
  /** The INTID and priority that the last stimulus made PE 0's best; undefined: it did not. */
  get best(): readonly [number, number] | undefined {
    for (let i = this.shown.count - 1; i >= 0; i--)
      if (this.shown.kind[i] === RECORDS.hppi.id && this.shown.pe[i] === 0)
        return [this.shown.words[i * RECORD_WORDS]!, this.shown.words[i * RECORD_WORDS + 2]!];
    return undefined;
  }
}

describe.each(['architecture', 'qemu-virt'] as const)('%s', (profile) => {
  const qemu = profile === 'qemu-virt';

  it('ICC_SGI1R_EL1 and an SGI in Group 0', () => {
    const guest = new Guest(profile).write('GICR', 1, GICR.GICR_IGROUPR.offset, 0);
    expect(guest.set('ICC_SGI1R_EL1', 0x0500_0002).sgis).toEqual(qemu ? [] : [1]);
    guest.write('GICR', 1, GICR.GICR_IGROUPR.offset, 0xffff_ffff);
    expect(guest.set('ICC_SGI1R_EL1', 0x0500_0002).sgis).toEqual([1]);
    expect(guest.set('ICC_SGI0R_EL1', 0x0600_0002).sgis).toEqual([]);
  });

  it('ICH_LR<n>_EL2.NMI', () => {
    const guest = new Guest(profile).set('ICH_LR0_EL2', 5, 0x1800_0000).get('ICH_LR0_EL2');
    expect(guest.machine.high >>> 0).toBe(qemu ? 0x1800_0000 : 0x1000_0000);
  });

  it('what belongs to features that are not there', () => {
    const guest = new Guest(profile);
    expect(guest.read('GICD', 0, GICD.GICD_INMIR.offset).machine.reserved).toBe(qemu);
    expect(guest.read('GICR', 0, GICR.GICR_INMIR.offset).machine.reserved).toBe(qemu);
    // Registers over extended PPIs.
    expect(guest.read('GICR', 0, GICR.GICR_ISENABLER.offset).machine.reserved).toBe(false);
    expect(guest.read('GICR', 0, GICR.GICR_ISENABLER.offset + 4).machine.reserved).toBe(true);
    expect(guest.write('GICR', 0, GICR.GICR_IPRIORITYR.offset + 32, 1, 1).machine.reserved).toBe(true);
    // Routes of SGIs and PPIs.
    expect(guest.read('GICD', 0, 0x6000, 8).machine.reserved).toBe(!qemu);
    expect(guest.read('GICD', 0, 0x6000, 1).machine.reserved).toBe(true);
    expect(guest.write('GICD', 0, 0xd80, 1).machine.reserved).toBe(!qemu);
    expect(guest.write('GICR', 0, GICR.GICR_TYPER.offset + 4, 1).machine.reserved).toBe(qemu);
    expect(guest.write('GICR', 0, GICR.GICR_TYPER.offset, 1).machine.reserved).toBe(false);
  });

  it('EnableLPIs is set again', () => {
    const table = 0x4100_0000;
    const guest = new Guest(profile)
      .write('GICD', 0, GICD.GICD_CTLR.offset, 3)
      .set('ICC_IGRPEN1_EL1', 1)
      .set('ICC_PMR_EL1', 0xf0)
      .store(0x4200_0400, 1)
      .store(table, 0x41)
      .write('GICR', 0, GICR.GICR_PROPBASER.offset, table | 0xf, 8)
      .write('GICR', 0, GICR.GICR_PENDBASER.offset, 0x4200_0000, 8)
      .write('GICR', 0, GICR.GICR_CTLR.offset, 1);
    expect(guest.best).toEqual([8192, 0x40]);
    guest.store(table, 0x21).write('GICR', 0, GICR.GICR_CTLR.offset, 1);
    expect(guest.best).toEqual(qemu ? [8192, 0x20] : undefined);
  });
});

it('ICH_VTR_EL2.nV4 is set without GICv4', () => {
  for (const architecture of [3, 4] as const) {
    const config = configOf('architecture', { ...PLAIN, architecture }, 1);
    const machine = new Machine({ ...config, architecture });
    const batch = new RecordBatch(1);
    batch.push(RECORDS['sysreg.read'].id, 0, Number.NaN);
    batch.words[0] = SYSREGS.ICH_VTR_EL2.encoding;
    step(machine, batch, 0);
    expect((machine.low >>> 20) & 1).toBe(architecture === 3 ? 1 : 0);
  }
});

const VERSIONS = ['qemu-7.2', 'qemu-10.0', 'qemu-11.1'] as const;

it.each(VERSIONS)('every deviation of %s differs from the architecture', (name) => {
  expect(PROFILES[name]!.deviations.length).toBeGreaterThan(25);
  for (const { choice, value } of PROFILES[name]!.deviations)
    expect(value, choice).not.toEqual(PROFILES.architecture![choice]);
});

it('qemu-virt is another name of qemu-7.2; versions have the profile that is not newer', () => {
  expect(PROFILES['qemu-virt']).toBe(PROFILES['qemu-7.2']);
  expect(Object.keys(PROFILES)).not.toContain('qemu-virt');
  expect(
    ['7.2.22', '8.2.0', '9.0.4', '9.1.0', '10.0.13', '10.1.2', '10.2.0', '11.1.3', '12.0'].map(qemuProfile),
  ).toEqual([...Array(3).fill('qemu-7.2'), ...Array(3).fill('qemu-10.0'), ...Array(3).fill('qemu-11.1')]);
});

describe.each(VERSIONS)('%s', (profile) => {
  const is72 = profile === 'qemu-7.2';
  const guest = () => new Guest(profile);

  it('reserved bits of ICC_PMR_EL1', () => {
    const g = guest()
      .set('ICC_PMR_EL1', 0x1_00f7 | 0)
      .get('ICC_PMR_EL1');
    expect(g.machine.low).toBe(is72 ? 0x1_00f0 : 0xf0);
    const masked = guest()
      .write('GICD', 0, GICD.GICD_CTLR.offset, 2)
      .write('GICR', 0, GICR.GICR_IGROUPR.offset, 0xffff_ffff)
      .write('GICR', 0, GICR.GICR_ISENABLER.offset, 1)
      .set('ICC_IGRPEN1_EL1', 1)
      .set('ICC_PMR_EL1', 0x100)
      .write('GICR', 0, GICR.GICR_ISPENDR.offset, 1)
      .get('ICC_IAR1_EL1');
    expect(masked.machine.low).toBe(is72 ? 0 : 1023);
  });

  it('GICD_INMIR<n> and GICR_INMIR0, without NMIs', () => {
    for (const [frame, offset] of [
      ['GICD', GICD.GICD_INMIR.offset + 4],
      ['GICR', GICR.GICR_INMIR.offset],
    ] as const) {
      const g = guest().write(frame, 0, offset, 0xffff_ffff);
      expect(g.machine.reserved).toBe(is72);
      expect([g.read(frame, 0, offset).machine.reserved, g.machine.low]).toEqual([is72, 0]);
    }
  });

  it('GICD_TYPER2', () => {
    const { offset } = GICD.GICD_TYPER2;
    const g = guest().read('GICD', 0, offset);
    expect([g.machine.low, g.machine.reserved]).toEqual([0, profile !== 'qemu-11.1']);
    expect(g.write('GICD', 0, offset, 1).machine.reserved).toBe(true);
    expect(g.read('GICD', 0, offset, 2).machine.reserved).toBe(true);
  });

  it('ICH_LR<n>_EL2.NMI, without NMIs', () => {
    const g = guest().set('ICH_LR0_EL2', 1, 0x0800_0000).get('ICH_LR0_EL2');
    expect(g.machine.high).toBe(is72 ? 0x0800_0000 : 0);
  });

  it('the Non-secure ICC_AP1R0_EL1 with two Security states', () => {
    const g = featured(profile, { pes: 1, set: TYPER.SecurityExtn });
    g.secure = false;
    g.el3 = false;
    g.write(0, 'ICC_AP1R0_EL1', 0x1234_5678);
    expect(g.read(0, 'ICC_AP1R0_EL1')).toBe(is72 ? 0 : 0x1234_0000);
  });

  it('has as many INTIDs as GICD_TYPER says', () => {
    const { hardware } = PROFILES[profile]!;
    expect(configOf(profile, hardware, 1).gicd.typer & 0x1f).toBe(is72 ? 7 : 8);
  });
});

describe('a vPE that is resident elsewhere than its table entry says', () => {
  /** Its vLPI is cleared where the entry says, gets another priority, and comes again where the vPE is. */
  const again = (profile: string, byte: number): number => {
    const g = new Driver(profile, 2, testConfig(profile, 2, { architecture: 4, virtualLpis: '4.0' }));
    g.enable().its().virtual();
    g.mapVirtual(1, 0, 0, 8192);
    g.mapVirtual(2, 0, 0, 8192);
    g.enableVirtual(0);
    g.enableVirtual(1);
    const config = g.vconf(0);
    g.store(config, 0x41);
    g.command('VMOVP', { vPEID: 0, RDbase: 1 });
    g.msi(1, 0);
    g.schedule(0, 0);
    g.command('CLEAR', { DeviceID: 1, EventID: 0 });
    g.store(config, byte);
    g.command('VMOVP', { vPEID: 0, RDbase: 0 });
    g.msi(2, 0);
    return g.machine.state.virtual.config[0]!.get(8192)!;
  };
  it('QEMU holds what it had found, unless the new priority is higher', () => {
    expect([0xe1, 0x21, 0xe0].map((byte) => again('qemu-virt', byte))).toEqual([0x41, 0x21, 0x41]);
    // The architecture's GIC goes on with what it had read until it is told to look again.
    expect([0xe1, 0x21, 0xe0].map((byte) => again('architecture', byte))).toEqual([0x41, 0x41, 0x41]);
  });
});
