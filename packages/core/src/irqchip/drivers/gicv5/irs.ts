// Linux's irq-gic-v5.c and irq-gic-v5-irs.c: the interrupt state table, the LPIs, their configuration by GIC instructions, and
// the LPIs that serve as IPIs. The drivers of this folder use it.
import { GICV5_TYPES, gicv5Intid, IRS, packFields } from '../../../spec/index.ts';
import type { Bus } from '../../bus.ts';
import type { Ledger } from '../../driver.ts';

/** The frames of the Non-secure interrupt domain: 4 × IRS + domain. */
export const NON_SECURE = 1;
/** Of the highest number: Linux gives all interrupts the lowest priority (GICV5_IRQ_PRI_MI). */
const PRIORITY = 0x1f;
/** IPIs a PE (GICV5_IPIS_PER_CPU). */
const IPIS = 8;
/** Entries of a level-2 table of 4 KB with entries of 4 bytes. */
const LEVEL2_BITS = 10;
const LEVEL2_BYTES = 4096;
const LPI_ID_BITS = 24;
const IDLE = 1;
/** Linux's IRS_CR1 on a coherent machine. */
const ALLOCATE = {
  ...{ SH: 3, OC: 1, IC: 1, IST_RA: 1, IST_WA: 1, VMT_RA: 1, VPET_RA: 1 },
  ...{ VMD_RA: 1, VMD_WA: 1, VPED_RA: 1, VPED_WA: 1 },
} as const;

const lpi = (id: number) => gicv5Intid(GICV5_TYPES.LPI, id);

export class Irs {
  private readonly bus: Bus;
  private readonly ledger: Ledger;
  private table = 0;
  /** Level-1 entries that have a level-2 table. */
  private readonly mapped = new Set<number>();
  private readonly taken = new Set<number>();
  /** The lowest ID that may be free. */
  private lowest = 0;
  private isFirstOnline = true;

  constructor(bus: Bus, ledger: Ledger) {
    this.bus = bus;
    this.ledger = ledger;
  }

  /** gicv5_of_init, up to the IPIs. Returns whether every allocation was granted. */
  setUp(): boolean {
    const { bus } = this;
    bus.write('IRS_CR1', NON_SECURE, packFields(IRS.IRS_CR1, ALLOCATE));
    bus.write('IRS_CR0', NON_SECURE, 1);
    bus.poll('IRS_CR0', NON_SECURE, (value) => (value & 2) !== 0);
    // Priority bits; whether there are LPIs; the range of SPIs; whether VMs can be had.
    for (const name of [
      'IRS_IDR1',
      'IRS_IDR2',
      'IRS_IDR7',
      'IRS_IDR6',
      'IRS_IDR0',
      'IRS_IDR1',
      'IRS_IDR5',
    ] as const)
      bus.read(name, NON_SECURE);
    this.register(0);
    if (!this.makeTable()) return false;
    return this.makeIpis();
  }

  /** gicv5_irs_register_cpu: no 1 of N interrupts for this PE. */
  private register(pe: number): void {
    const { bus } = this;
    bus.write('IRS_PE_SELR', NON_SECURE, bus.iaffid(pe));
    bus.poll('IRS_PE_STATUSR', NON_SECURE, (value) => (value & 3) === 3);
    bus.write('IRS_PE_CR0', NON_SECURE, 1);
    bus.poll('IRS_PE_STATUSR', NON_SECURE, (value) => (value & IDLE) !== 0);
  }

  /** gicv5_irs_init_ist: two levels, level 2 in pages. */
  private makeTable(): boolean {
    const { bus } = this;
    bus.read('IRS_IST_BASER', NON_SECURE);
    bus.read('IRS_IDR2', NON_SECURE);
    if (!this.ledger.allocate('property table', 'interrupt state tables')) return false;
    this.table = bus.memory(8 * 2 ** (LPI_ID_BITS - LEVEL2_BITS));
    bus.write('IRS_IST_CFGR', NON_SECURE, packFields(IRS.IRS_IST_CFGR, { LPI_ID_BITS, STRUCTURE: 1 }));
    bus.write('IRS_IST_BASER', NON_SECURE, BigInt(this.table) | 1n);
    bus.poll('IRS_IST_STATUSR', NON_SECURE, (value) => (value & IDLE) !== 0);
    return true;
  }

  /** gicv5_smp_init: an LPI for each IPI of each PE. */
  private makeIpis(): boolean {
    const { bus } = this;
    for (let n = 0; n < IPIS * bus.pes; n++) if (this.takeLpi() < 0) return false;
    for (let ipi = 0; ipi < IPIS; ipi++)
      for (let pe = 0; pe < bus.pes; pe++) this.route(lpi(IPIS * pe + ipi), pe);
    this.enableIpis(0);
    return true;
  }

  private enableIpis(pe: number): void {
    for (let ipi = 0; ipi < IPIS; ipi++) this.enable(lpi(IPIS * pe + ipi));
  }

  /** A PE comes online. The first one set the driver up. */
  online(pe: number): void {
    if (this.isFirstOnline && pe === 0) this.isFirstOnline = false;
    else {
      this.register(pe);
      this.enableIpis(pe);
    }
  }

  /** gicv5_irq_lpi_domain_alloc for one LPI. Returns its ID; -1 if there is none, -2 if an allocation is refused. */
  takeLpi(): number {
    let id = this.lowest;
    while (this.taken.has(id)) id++;
    if (id >= 2 ** LPI_ID_BITS) return -1;
    if (!this.ledger.allocate('LPI range', 'LPIs')) return -2;
    this.taken.add(id);
    this.lowest = id + 1;
    this.mapLevel2(id);
    const intid = lpi(id);
    this.prioritise(intid);
    // Edge, and not pending, whatever its last user left.
    this.bus.instruction('GIC_CDHM', intid);
    this.bus.instruction('GIC_CDPEND', intid);
    return id;
  }

  giveLpi(id: number): void {
    this.taken.delete(id);
    this.lowest = Math.min(this.lowest, id);
    this.ledger.give('LPIs');
  }

  /** gicv5_irs_iste_alloc: the level-2 table of an LPI, which stays. The IRS makes the level-1 entry valid. */
  private mapLevel2(id: number): void {
    const { bus } = this;
    const index = id >> LEVEL2_BITS;
    if (this.mapped.has(index)) return;
    this.mapped.add(index);
    const level2 = bus.memory(LEVEL2_BYTES, LEVEL2_BYTES);
    bus.store(this.table + 8 * index, level2, 8);
    bus.write('IRS_MAP_L2_ISTR', NON_SECURE, id);
    bus.poll('IRS_IST_STATUSR', NON_SECURE, (value) => (value & IDLE) !== 0);
  }

  /** gicv5_irs_syncr: what devices sent before has arrived. */
  sync(): void {
    this.bus.write('IRS_SYNCR', NON_SECURE, packFields(IRS.IRS_SYNCR, { SYNC: 1 }));
    this.bus.poll('IRS_SYNC_STATUSR', NON_SECURE, (value) => (value & IDLE) !== 0);
  }

  /** gicv5_spi_irq_set_type. */
  trigger(spi: number, isLevel: boolean): void {
    const { bus } = this;
    const done = (value: number) => (value & 3) === 3;
    bus.write('IRS_SPI_SELR', NON_SECURE, spi);
    bus.poll('IRS_SPI_STATUSR', NON_SECURE, done);
    bus.write('IRS_SPI_CFGR', NON_SECURE, isLevel ? 1 : 0);
    bus.poll('IRS_SPI_STATUSR', NON_SECURE, done);
  }

  /** gicv5_hwirq_init. */
  prioritise(intid: number): void {
    this.bus.instruction('GIC_CDPRI', with32(intid, PRIORITY << 3));
  }
  route(intid: number, pe: number): void {
    this.bus.instruction('GIC_CDAFF', with32(intid, this.bus.iaffid(pe)));
  }
  enable(intid: number): void {
    this.bus.instruction('GIC_CDEN', intid);
  }
  /** A mask must be complete when it returns; all else may take its time. */
  disable(intid: number): void {
    this.bus.instruction('GIC_CDDIS', intid);
    this.bus.barrier();
  }
  pend(intid: number, isPending: boolean): void {
    this.bus.instruction('GIC_CDPEND', with32(intid, isPending ? 1 : 0));
  }
}

/** An operand with an INTID in its lower half. */
const with32 = (intid: number, upper: number): bigint => (BigInt(upper) << 32n) | BigInt(intid);
