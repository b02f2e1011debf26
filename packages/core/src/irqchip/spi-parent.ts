// The GIC driver below a design that allocates SPIs: what Linux's GICv3 driver does to the Distributor for each SPI
// (drivers/irqchip/irq-gic-v3.c, irq-gic-common.c), since Linux 5.19, which waits for RWP only after it has disabled one.
import { GICD, mask, packFields } from '../spec/index.ts';
import type { Bus } from './bus.ts';

const RWP = mask(GICD.GICD_CTLR, 'RWP');

type Bitmap = 'GICD_ISENABLER' | 'GICD_ICENABLER' | 'GICD_ISPENDR' | 'GICD_ICPENDR';

export class SpiParent {
  private readonly bus: Bus;
  constructor(bus: Bus) {
    this.bus = bus;
  }

  private poke(register: Bitmap, intid: number): void {
    this.bus.write(register, 0, 2 ** (intid & 31), intid >>> 5);
  }
  private waitForRwp(): void {
    this.bus.poll('GICD_CTLR', 0, (value) => (value & RWP) === 0);
  }

  /** Makes an SPI edge-triggered: reads its configuration and, if it changes, writes it and reads it back. */
  setEdge(intid: number): void {
    const element = intid >>> 4;
    const before = this.bus.read('GICD_ICFGR', 0, element);
    const after = (before | (2 << (2 * (intid & 15)))) >>> 0;
    if (after === before) return;
    this.bus.write('GICD_ICFGR', 0, after, element);
    this.bus.read('GICD_ICFGR', 0, element);
  }

  mask(intid: number): void {
    this.poke('GICD_ICENABLER', intid);
    this.waitForRwp();
  }

  unmask(intid: number): void {
    this.poke('GICD_ISENABLER', intid);
  }

  setPending(intid: number, pending: boolean): void {
    this.poke(pending ? 'GICD_ISPENDR' : 'GICD_ICPENDR', intid);
  }

  /** Routes an SPI to a PE. If the SPI is enabled, it is disabled meanwhile. */
  setAffinity(intid: number, pe: number): void {
    const { bus } = this;
    const word = bus.read('GICD_ISENABLER', 0, intid >>> 5);
    const enabled = ((word >>> (intid & 31)) & 1) !== 0;
    if (enabled) this.mask(intid);
    bus.write('GICD_IROUTER', 0, routeTo(bus.affinity(pe)), intid - GICD.GICD_IROUTER.firstNumber);
    if (enabled) this.unmask(intid);
  }
}

function routeTo(affinity: number): bigint {
  return packFields(GICD.GICD_IROUTER, {
    Aff0: affinity & 0xff,
    Aff1: (affinity >>> 8) & 0xff,
    Aff2: (affinity >>> 16) & 0xff,
    Aff3: affinity >>> 24,
  });
}
