// Stimuli of the physical side: input lines, SGIs, the registers of interrupts, and the CPU interface.
import { NO_PE, RECORDS, type RecordBatch } from '../record/index.ts';
import { GICD, GICR, LPI_FIRST, SPI_FIRST } from '../spec/index.ts';
import { LPIS, RECENT, SPIS } from './guest-memory.ts';
import type { Pieces } from './pieces.ts';

const WIRE_SET = RECORDS['wire.set'].id;
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
/** And with two Security states. */
const SECURITY_REGISTERS = [...INTERRUPT_REGISTERS, 'IGROUPR', 'IGRPMODR', 'IGRPMODR', 'NSACR'] as const;
/** GICD_ICFGR<n> and GICR_ICFGR<n>: the bits that say edge-triggered, of two an interrupt. */
const EDGE_BITS = 0xaaaa_aaaa;

export class Interrupts {
  private readonly g: Pieces;
  /** Interrupts that were made pending recently. They may have been acknowledged, and are ended later. */
  private readonly recent: number[] = [];

  constructor(g: Pieces) {
    this.g = g;
  }

  /** Any INTID that can be pending. */
  intid(): number {
    const r = this.g.random;
    return r.pick([
      r.below(16),
      16 + r.below(16),
      32 + r.below(8),
      32 + r.below(8),
      LPI_FIRST + r.below(LPIS),
    ]);
  }

  private remember(intid: number): void {
    this.recent.push(intid);
    if (this.recent.length > RECENT) this.recent.shift();
  }

  /** Changes the input line of an SPI or PPI. Returns false if something else drives that line. */
  line(batch: RecordBatch): boolean {
    const { g } = this;
    const r = g.random;
    const spi = r.once(2);
    const intid = spi ? 32 + r.below(8) : 16 + r.below(16);
    if (g.takenIntids.includes(intid)) return false;
    const level = r.below(2);
    if (level) this.remember(intid);
    g.push(batch, WIRE_SET, spi ? NO_PE : g.pe(), intid, level);
    return true;
  }

  acknowledge(batch: RecordBatch): void {
    const name = this.g.random.pick([
      'ICC_IAR1_EL1',
      'ICC_IAR1_EL1',
      'ICC_IAR0_EL1',
      'ICC_HPPIR1_EL1',
      'ICC_RPR_EL1',
    ]);
    this.g.sysreg(batch, false, name);
  }

  end(batch: RecordBatch): void {
    const { g } = this;
    const r = g.random;
    const name = r.pick(['ICC_EOIR1_EL1', 'ICC_EOIR1_EL1', 'ICC_EOIR0_EL1', 'ICC_DIR_EL1']);
    const known = g.reconfigures && this.recent.length > 0 && r.once(2);
    g.sysreg(batch, true, name, known ? r.pick(this.recent) : this.intid());
  }

  /** Generates an SGI for some of the first PEs, or for all other PEs. */
  sgi(batch: RecordBatch): void {
    const { g } = this;
    const r = g.random;
    const intid = r.below(16);
    this.remember(intid);
    const name = g.security
      ? r.pick(['ICC_SGI1R_EL1', 'ICC_SGI0R_EL1', 'ICC_ASGI1R_EL1'])
      : r.pick(['ICC_SGI1R_EL1', 'ICC_SGI0R_EL1']);
    const low = ((intid << 24) | r.below(4)) >>> 0;
    g.sysreg(batch, true, name, low, r.once(6) ? 0x100 : 0);
  }

  /**
   * Writes a register of SPIs 32 to 39, or of a PE's SGIs and PPIs, with a legal value. Returns false if it only extended
   * the script.
   */
  register(batch: RecordBatch): boolean {
    const { g } = this;
    const r = g.random;
    const write = !r.once(3);
    if (r.once(6)) {
      const offset = GICD.GICD_IROUTER.offset + 8 * (SPI_FIRST + r.below(SPIS));
      const { affinity } = r.pick(g.config.pes);
      const route = affinity & 0xff_ffff;
      g.mmio(batch, write, 0, 0, offset, 8, write ? route : 0, write ? affinity >>> 24 : 0);
      return true;
    }
    const spi = r.once(2);
    const name = g.security ? r.pick(SECURITY_REGISTERS) : r.pick(INTERRUPT_REGISTERS);
    if (name === 'ICFGR' && spi && write && !r.once(4)) {
      this.configure();
      return false;
    }
    const { offset } = spi ? GICD[`GICD_${name}`] : GICR[`GICR_${name}`];
    const frame = spi ? 0 : 1;
    const pe = spi ? 0 : g.pe();
    if (name === 'IPRIORITYR') {
      const at = offset + (spi ? SPI_FIRST + r.below(SPIS) : r.below(32));
      g.mmio(batch, write, frame, pe, at, 1, r.below(32) * 8);
      return true;
    }
    const isConfig = name === 'ICFGR';
    if (name === 'NSACR') {
      g.mmio(batch, write, frame, pe, offset + (spi ? 8 : 0), 4, r.word());
      return true;
    }
    // The register has two bits or one bit per interrupt. The first of a Redistributor's two registers is for SGIs.
    const at = offset + (isConfig ? (spi ? 8 : 4) : spi ? 4 : 0);
    const bits = isConfig ? r.word() & EDGE_BITS : spi ? r.below(2 ** SPIS) : 1 << r.below(32);
    g.mmio(batch, write, frame, pe, at, 4, bits >>> 0);
    return true;
  }

  /** Configures SPIs 32 to 47 while they are disabled, as software must (IHI 0069, "GICD_ICFGR<n>"). */
  private configure(): void {
    const { g } = this;
    const r = g.random;
    g.writeNext('GICD_ICENABLER', 0xffff, { element: 1 });
    g.writeNext('GICD_ICFGR', (r.word() & EDGE_BITS) >>> 0, { element: 2 });
    const enabled = r.below(3) === 0 ? r.below(2 ** SPIS) : 0xffff;
    g.writeNext('GICD_ISENABLER', enabled, { element: 1 });
  }

  /** Writes a register of the CPU interface that decides what is signalled or how an interrupt ends. */
  cpuInterface(batch: RecordBatch): void {
    const { g } = this;
    const r = g.random;
    if (g.security !== undefined && r.once(4)) {
      const name = r.pick(['ICC_CTLR_EL3', 'ICC_IGRPEN1_EL3', 'ICC_IGRPEN0_EL1', 'ICC_IGRPEN1_EL1'] as const);
      // Mostly with the groups enabled.
      const value = name === 'ICC_CTLR_EL3' || r.once(4) ? r.below(32) : 3;
      return g.sysreg(batch, !r.once(3), name, value);
    }
    const name = r.pick([
      'ICC_PMR_EL1',
      'ICC_BPR0_EL1',
      'ICC_BPR1_EL1',
      'ICC_CTLR_EL1',
      'ICC_AP1R0_EL1',
    ] as const);
    if (name === 'ICC_AP1R0_EL1' || r.once(4)) return g.sysreg(batch, false, name);
    // Mostly, the priority mask does not block everything.
    const value = name === 'ICC_PMR_EL1' ? 8 * r.pick([r.below(32), 30, 31, 31]) : r.below(8);
    g.sysreg(batch, true, name, name === 'ICC_CTLR_EL1' ? value & 3 : value);
  }
}
