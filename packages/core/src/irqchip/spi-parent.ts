// The GIC below a design that hands out SPIs: what Linux's GICv3 driver does to the Distributor for each
// (drivers/irqchip/irq-gic-v3.c, irq-gic-common.c).
import { GICD } from '../spec/index.ts';
import type { Bus } from './bus.ts';

const RWP = 0x8000_0000;

export class SpiParent {
  private readonly bus: Bus;
  constructor(bus: Bus) {
    this.bus = bus;
  }

  private poke(offset: number, intid: number): void {
    this.bus.write('GICD', 0, offset + 4 * (intid >>> 5), 4, 2 ** (intid & 31));
  }
  private waitForRwp(): void {
    this.bus.poll('GICD', 0, GICD.GICD_CTLR.offset, 4, (low) => (low & RWP) === 0);
  }

  /** Edge-triggered: read; and if it was not, written, read back, and waited for. */
  setEdge(intid: number): void {
    const offset = GICD.GICD_ICFGR.offset + 4 * (intid >>> 4);
    const before = this.bus.read('GICD', 0, offset, 4) >>> 0;
    const after = (before | (2 << (2 * (intid & 15)))) >>> 0;
    if (after === before) return;
    this.bus.write('GICD', 0, offset, 4, after);
    this.bus.read('GICD', 0, offset, 4);
    this.waitForRwp();
  }

  mask(intid: number): void {
    this.poke(GICD.GICD_ICENABLER.offset, intid);
    this.waitForRwp();
  }

  unmask(intid: number): void {
    this.poke(GICD.GICD_ISENABLER.offset, intid);
  }

  setPending(intid: number, pending: boolean): void {
    this.poke((pending ? GICD.GICD_ISPENDR : GICD.GICD_ICPENDR).offset, intid);
  }

  /** An SPI that is enabled is disabled for the time of its move. */
  setAffinity(intid: number, pe: number): void {
    const { bus } = this;
    const word = bus.read('GICD', 0, GICD.GICD_ISENABLER.offset + 4 * (intid >>> 5), 4);
    const enabled = ((word >>> (intid & 31)) & 1) !== 0;
    if (enabled) this.mask(intid);
    const { affinity } = bus.machine.state.config.pes[pe]!;
    bus.write(
      'GICD',
      0,
      GICD.GICD_IROUTER.offset + 8 * (intid - 32),
      8,
      affinity & 0xff_ffff,
      affinity >>> 24,
    );
    if (enabled) this.unmask(intid);
    else this.waitForRwp();
  }
}
