// Stimuli from a seed: legal ones in an order that gets somewhere, and illegal ones among them. Pure: the same
// configuration, options and seed give the same stimuli, whatever the GIC answers.
import type { GicConfig } from '../config.ts';
import { NO_PE, RECORDS, type RecordBatch } from '../record/index.ts';
import {
  type CommandName,
  encodeCommand,
  GICD,
  GICR,
  GITS,
  ITS_COMMANDS,
  type OperandSpec,
  type RegisterSpec,
  SYSREGS,
  type SysregName,
} from '../spec/index.ts';
import { contain, InUse } from './contain.ts';
import {
  DEVICES,
  EVENTS,
  FIRST_LPI,
  FIRST_SPI,
  GUEST_MEMORY,
  LPIS,
  SPIS,
  UNMAPPED_DEVICE,
  VPES,
} from './guest-memory.ts';
import { type GeneratorOptions, Script, truncated } from './script.ts';

/** Size of a device table entry, in its lowest byte. */
const DTE_SIZE = 0x3e;
/** Interrupts that are remembered, to be ended. */
export const RECENT = 4;
/** Registers that the Distributor has for SPIs and a Redistributor for its PE's own interrupts. */
const INTERRUPT_REGISTERS = [
  'IGROUPR',
  'ISENABLER',
  'ICENABLER',
  'ISPENDR',
  'ICPENDR',
  'ISACTIVER',
  'ICACTIVER',
  'IPRIORITYR',
  'ICFGR',
] as const;

const tables = [GICD, GICR, GITS] as const;
const registers: readonly { readonly name: string; readonly spec: RegisterSpec }[][] = tables.map((table) =>
  Object.entries(table).map(([name, spec]) => ({ name, spec: spec as RegisterSpec })),
);
const sysregNames = Object.keys(SYSREGS) as SysregName[];
const commandNames = Object.keys(ITS_COMMANDS) as CommandName[];

export class StimulusGenerator extends Script {
  private readonly wild: number;
  private readonly contained: boolean;
  private readonly takenIntids: readonly number[];
  private readonly inUse = new InUse();
  /** What was made pending lately. */
  private readonly recent: number[] = [];

  constructor(config: GicConfig, seed: number, options: GeneratorOptions = {}) {
    super(config, seed, options);
    this.wild = options.wild ?? 6;
    this.contained = options.contained ?? false;
    this.takenIntids = options.takenIntids ?? [];
  }

  /** Appends the next stimulus to a batch that has room. */
  next(batch: RecordBatch): void {
    const from = batch.count;
    this.append(batch);
    if (this.contained) for (let i = from; i < batch.count; i++) contain(batch, i, this.inUse);
  }

  private append(batch: RecordBatch): void {
    const scripted = this.script.shift();
    if (scripted !== undefined) {
      scripted(batch);
      return;
    }
    if (this.wild > 0 && this.random.once(this.wild)) this.anything(batch);
    else this.sensible(batch);
  }

  /** Interrupts flow again, and the ITS has its queue again: what is written at random ends both before long. */
  private revive(batch: RecordBatch): void {
    this.write('GICD', 0, GICD.GICD_CTLR.offset, 4, 3);
    this.config.pes.forEach((_, pe) => {
      for (const [name, value] of [
        ['ICC_PMR_EL1', 0xf0],
        ['ICC_IGRPEN0_EL1', 1],
        ['ICC_IGRPEN1_EL1', 1],
      ] as const)
        this.script.push((to) => this.sysreg(to, true, name, value, 0, pe));
    });
    if (this.config.its.length > 0) this.setUpIts();
    this.next(batch);
  }

  private intid(): number {
    const r = this.random;
    return r.pick([
      r.below(16),
      16 + r.below(16),
      32 + r.below(8),
      32 + r.below(8),
      FIRST_LPI + r.below(LPIS),
    ]);
  }

  /** An interrupt that may be acknowledged soon. */
  private remember(intid: number): void {
    this.recent.push(intid);
    if (this.recent.length > RECENT) this.recent.shift();
  }

  private sensible(batch: RecordBatch): void {
    const r = this.random;
    const hasIts = this.config.its.length > 0;
    if (this.reconfigures && r.once(120)) return this.revive(batch);
    // The registers of interrupts that can come, and of the interfaces that they come to.
    if (this.reconfigures && r.once(4))
      return r.once(3) ? this.cpuInterface(batch) : this.interruptRegister(batch);
    switch (r.below(hasIts ? 12 : 7)) {
      case 0: {
        const spi = r.once(2);
        const intid = spi ? 32 + r.below(8) : 16 + r.below(16);
        if (this.takenIntids.includes(intid)) return this.sensible(batch);
        const level = r.below(2);
        if (level) this.remember(intid);
        this.push(batch, RECORDS['wire.set'].id, spi ? NO_PE : this.pe(), intid, level);
        return;
      }
      case 1:
      case 2:
        this.sysreg(
          batch,
          false,
          r.pick(['ICC_IAR1_EL1', 'ICC_IAR1_EL1', 'ICC_IAR0_EL1', 'ICC_HPPIR1_EL1', 'ICC_RPR_EL1']),
        );
        return;
      case 3:
        this.sysreg(
          batch,
          true,
          r.pick(['ICC_EOIR1_EL1', 'ICC_EOIR1_EL1', 'ICC_EOIR0_EL1', 'ICC_DIR_EL1']),
          this.reconfigures && this.recent.length > 0 && r.once(2) ? r.pick(this.recent) : this.intid(),
        );
        return;
      case 4: {
        const intid = r.below(16);
        this.remember(intid);
        this.sysreg(
          batch,
          true,
          r.pick(['ICC_SGI1R_EL1', 'ICC_SGI0R_EL1']),
          ((intid << 24) | r.below(4)) >>> 0,
          r.once(6) ? 0x100 : 0,
        );
        return;
      }
      case 5:
        this.registerAccess(batch, true);
        return;
      case 6:
        this.virtualInterface(batch);
        return;
      case 7:
      case 8:
        this.push(
          batch,
          RECORDS['msi.write'].id,
          NO_PE,
          0,
          this.deviceIds[r.below(DEVICES)]!,
          r.below(EVENTS),
          4,
        );
        return;
      case 9:
        this.configuration(batch);
        return;
      default:
        this.someCommand(batch);
        return;
    }
  }

  /** A register of SPIs 32 to 39, or of a PE's SGIs and PPIs, with a value that it can have. */
  private interruptRegister(batch: RecordBatch): void {
    const r = this.random;
    const write = !r.once(3);
    if (r.once(6)) {
      const offset = GICD.GICD_IROUTER.offset + 8 * (FIRST_SPI + r.below(SPIS));
      const { affinity } = r.pick(this.config.pes);
      const route = affinity & 0xff_ffff;
      this.mmio(batch, write, 0, 0, offset, 8, write ? route : 0, write ? affinity >>> 24 : 0);
      return;
    }
    const spi = r.once(2);
    const name = r.pick(INTERRUPT_REGISTERS);
    if (name === 'ICFGR' && spi && write && !r.once(4)) return this.configure(batch);
    const { offset } = spi ? GICD[`GICD_${name}`] : GICR[`GICR_${name}`];
    const frame = spi ? 0 : 1;
    const pe = spi ? 0 : this.pe();
    if (name === 'IPRIORITYR') {
      const at = offset + (spi ? FIRST_SPI + r.below(SPIS) : r.below(32));
      this.mmio(batch, write, frame, pe, at, 1, r.below(32) * 8);
      return;
    }
    const isConfig = name === 'ICFGR';
    // Two bits an interrupt, or one; SGIs have the first of the two registers.
    const at = offset + (isConfig ? (spi ? 8 : 4) : spi ? 4 : 0);
    const bits = isConfig ? r.word() & 0xaaaa_aaaa : spi ? r.below(2 ** SPIS) : 1 << r.below(32);
    this.mmio(batch, write, frame, pe, at, 4, bits >>> 0);
  }

  /** SPIs 32 to 47 configured as software must: while they are disabled (IHI 0069, "GICD_ICFGR<n>"). */
  private configure(batch: RecordBatch): void {
    const r = this.random;
    const enable = GICD.GICD_ISENABLER.offset + 4;
    this.write('GICD', 0, GICD.GICD_ICENABLER.offset + 4, 4, 0xffff);
    this.write('GICD', 0, GICD.GICD_ICFGR.offset + 8, 4, r.word() & 0xaaaa_aaaa);
    this.write('GICD', 0, enable, 4, r.below(3) === 0 ? r.below(2 ** SPIS) : 0xffff);
    this.append(batch);
  }

  /** A register of the CPU interface that decides what is signalled, and how an interrupt ends. */
  private cpuInterface(batch: RecordBatch): void {
    const r = this.random;
    const name = r.pick([
      'ICC_PMR_EL1',
      'ICC_BPR0_EL1',
      'ICC_BPR1_EL1',
      'ICC_CTLR_EL1',
      'ICC_AP1R0_EL1',
    ] as const);
    if (name === 'ICC_AP1R0_EL1' || r.once(4)) return this.sysreg(batch, false, name);
    // Mostly a mask that lets something through.
    const value = name === 'ICC_PMR_EL1' ? 8 * r.pick([r.below(32), 30, 31, 31]) : r.below(8);
    this.sysreg(batch, true, name, name === 'ICC_CTLR_EL1' ? value & 3 : value);
  }

  /** An LPI or vLPI configuration byte. */
  private configuration(batch: RecordBatch): void {
    const r = this.random;
    const table = r.once(2) ? GUEST_MEMORY.propbase : GUEST_MEMORY.vconf + 0x10000 * r.below(VPES);
    this.push(
      batch,
      RECORDS['mem.write'].id,
      0,
      table + r.below(LPIS),
      0,
      1,
      (r.below(16) << 4) | r.below(4),
    );
  }

  /** A command whose operands mostly exist; it runs with the stimulus after it. */
  private someCommand(batch: RecordBatch): void {
    const r = this.random;
    const name = r.pick(commandNames);
    const operands: Record<string, number> = {};
    for (const operand of ITS_COMMANDS[name].operands as readonly OperandSpec[])
      operands[operand.name] = this.operand(operand);
    this.queue(encodeCommand(name, operands));
    this.next(batch);
  }

  private operand(spec: OperandSpec): number {
    const r = this.random;
    const unit = 2 ** (spec.shift ?? 0);
    if (this.wild > 0 && r.once(24)) return (r.word() % 2 ** Math.min(spec.width, 31)) * unit;
    switch (spec.name) {
      case 'DeviceID':
        return this.deviceIds[r.below(DEVICES + 1)] ?? UNMAPPED_DEVICE;
      case 'EventID':
        return r.below(EVENTS + 1);
      case 'pINTID':
        return this.reconfigures && r.once(8) ? r.below(FIRST_LPI) : FIRST_LPI + r.below(LPIS);
      case 'vINTID':
        return spec.width === 4 ? r.below(16) : FIRST_LPI + r.below(LPIS);
      case 'Dbell_pINTID':
      case 'Default_Doorbell_pINTID':
        return r.once(3) ? 1023 : FIRST_LPI + r.below(LPIS);
      case 'ICID':
      case 'RDbase':
      case 'RDbase1':
      case 'RDbase2':
        return r.below(this.config.pes.length);
      case 'vPEID':
        return r.below(VPES);
      case 'ITT_addr':
        return GUEST_MEMORY.itt + 0x1000 * r.below(DEVICES);
      case 'VPT_addr':
        return GUEST_MEMORY.vpt + 0x10000 * r.below(VPES);
      case 'VCONF_addr':
        return GUEST_MEMORY.vconf + 0x10000 * r.below(VPES);
      case 'Size':
        return 2;
      case 'VPT_size':
        return r.pick([15, 13]);
      case 'V':
        return r.once(5) ? 0 : 1;
      default:
        return r.below(2 ** Math.min(spec.width, 8)) * unit;
    }
  }

  private virtualInterface(batch: RecordBatch): void {
    const r = this.random;
    const pe = this.pe();
    switch (r.below(this.config.architecture === 4 ? 6 : 3)) {
      case 0:
        this.sysreg(
          batch,
          true,
          r.pick(['ICH_LR0_EL2', 'ICH_LR1_EL2', 'ICH_LR3_EL2']),
          r.pick([r.below(64), FIRST_LPI + r.below(4), 1022]),
          r.word(),
          pe,
        );
        return;
      case 1:
        this.sysreg(
          batch,
          false,
          r.pick([
            'ICV_IAR1_EL1',
            'ICV_IAR0_EL1',
            'ICV_HPPIR1_EL1',
            'ICH_MISR_EL2',
            'ICH_EISR_EL2',
            'ICH_ELRSR_EL2',
            'ICV_RPR_EL1',
          ]),
          0,
          0,
          pe,
        );
        return;
      case 2:
        this.sysreg(
          batch,
          true,
          r.pick([
            'ICV_EOIR1_EL1',
            'ICV_EOIR0_EL1',
            'ICV_DIR_EL1',
            'ICH_HCR_EL2',
            'ICH_VMCR_EL2',
            'ICV_CTLR_EL1',
          ]),
          r.once(2) ? this.intid() : r.word(),
          0,
          pe,
        );
        return;
      case 3:
        this.sysreg(batch, false, 'ICV_IAR1_EL1', 0, 0, pe);
        return;
      case 4: {
        const vpe = r.below(VPES);
        const at = GICR.GICR_VPROPBASER.offset;
        if (this.byVpeid) this.residency(batch, pe, vpe, r.once(2) ? 0x4000_0000 : 0);
        else this.mmio(batch, true, 1, pe, at, 8, (GUEST_MEMORY.vconf + 0x10000 * vpe) | 0xf, 0);
        return;
      }
      default: {
        const vpe = r.below(VPES);
        const high = r.once(3) ? 0 : 0x8c00_0000;
        this.residency(batch, pe, this.byVpeid ? vpe : GUEST_MEMORY.vpt + 0x10000 * vpe, high);
      }
    }
  }

  private residency(batch: RecordBatch, pe: number, low: number, high: number): void {
    this.mmio(batch, true, 1, pe, GICR.GICR_VPENDBASER.offset, 8, low, high);
  }

  /** An access to a register that exists, with a width that it allows. */
  private registerAccess(batch: RecordBatch, writes: boolean): void {
    const r = this.random;
    const frame = r.below(this.config.its.length > 0 ? 3 : 2);
    const { spec } = r.pick(registers[frame]!);
    const element = r.below(Math.min(spec.count ?? 1, 12));
    const width = r.pick(spec.accessBytes);
    const offset = spec.offset + spec.bytes * element;
    const aligned = offset - (offset % width);
    this.mmio(
      batch,
      writes && r.once(2),
      frame,
      frame === 1 ? this.pe() : 0,
      aligned,
      width,
      r.word(),
      width === 8 ? r.word() : 0,
    );
  }

  /** Anything at all. */
  private anything(batch: RecordBatch): void {
    const r = this.random;
    switch (r.below(6)) {
      case 0:
      case 1:
        this.registerAccess(batch, true);
        return;
      case 2: {
        const frame = r.below(3);
        const sizes = [0x1_0000, 0x4_0000, 0x3_0000] as const;
        this.mmio(
          batch,
          r.once(2),
          frame,
          r.below(4),
          r.below(sizes[frame]!),
          r.pick([1, 2, 4, 8]),
          r.word(),
          r.word(),
        );
        return;
      }
      case 3:
        this.sysreg(batch, r.once(2), r.pick(sysregNames), r.word(), r.once(2) ? 0 : r.word());
        return;
      case 4: {
        const m = GUEST_MEMORY;
        // What holds addresses is only corrupted in its lowest byte, where tables are to stay inside RAM.
        if (this.contained && r.once(2)) {
          const entry = r.pick([m.devices, m.vpes]) + 8 * r.below(12);
          const byte = r.below(256);
          // QEMU 7.2 counts the events of a device with 32 EventID bits in 32 bits: see docs/findings.md.
          const isTooLarge = entry < m.vpes && (byte & DTE_SIZE) === DTE_SIZE;
          this.push(batch, RECORDS['mem.write'].id, 0, entry, 0, 1, isTooLarge ? byte & ~2 : byte);
          return;
        }
        const width = r.pick([1, 2, 4]);
        // Nor does a Redistributor expect its pending table to change while LPIs are enabled.
        const holders = this.contained ? [] : [m.devices, m.vpes, m.pendbase + 1024];
        const base = r.pick([...holders, m.collections, m.itt, m.vpt + 1024]);
        this.push(
          batch,
          RECORDS['mem.write'].id,
          0,
          base + r.below(96),
          0,
          width,
          truncated(r.word(), width),
        );
        return;
      }
      default: {
        const words = Uint32Array.from({ length: 8 }, () => r.word());
        words[0] = ((words[0]! & ~0xff) | r.below(0x30)) >>> 0;
        this.queue(words);
        this.next(batch);
      }
    }
  }
}
