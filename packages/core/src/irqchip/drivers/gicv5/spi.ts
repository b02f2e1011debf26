// SPIs of a GICv5 for messages: a frame like that of GICv2m raises input lines of the IRS. GICv5 has no register that makes
// an SPI pending, so such a frame is a hypothesis; what is done to the SPI is Linux's driver.
import { GICV5_TYPES, gicv5Id, gicv5Intid } from '../../../spec/index.ts';
import { exhausted, failed, type Result } from '../../driver.ts';
import { MSI_SETSPI_NS } from '../../port.ts';
import { GICV5, type Gicv5Device, Gicv5Driver, onGicv5 } from './lpi-driver.ts';

/** The SPIs that the frame raises, as on QEMU's virt machine. */
const FIRST = 80;
const COUNT = 64;

class SpiDriver extends Gicv5Driver {
  private readonly taken = new Set<number>();

  /** A region of a power of two that is aligned to its size, so that MultiMSI works. */
  protected take(_device: number, count: number): readonly number[] | Result {
    const size = 2 ** Math.ceil(Math.log2(count));
    for (let first = 0; first + size <= COUNT; first += size) {
      const ids = Array.from({ length: size }, (_, n) => FIRST + first + n);
      if (ids.some((id) => this.taken.has(id))) continue;
      if (!this.ledger.allocate('vectors', 'SPI regions')) return failed('vectors');
      for (const id of ids) this.taken.add(id);
      return ids.slice(0, count).map((id) => this.start(id));
    }
    return exhausted('SPIs');
  }

  /** gicv5_irq_spi_domain_alloc; a message is an edge. */
  private start(id: number): number {
    const intid = gicv5Intid(GICV5_TYPES.SPI, id);
    this.irs.prioritise(intid);
    this.irs.trigger(id, false);
    return intid;
  }

  protected give(_id: number, { intids }: Gicv5Device): void {
    const first = gicv5Id(intids[0]!);
    const size = 2 ** Math.ceil(Math.log2(intids.length));
    for (let n = 0; n < size; n++) this.taken.delete(first + n);
    this.ledger.give('SPI regions');
  }

  protected messageOf(_device: number, _vector: number, intid: number) {
    return { address: this.bus.addresses.v2m + MSI_SETSPI_NS, data: gicv5Id(intid) };
  }
}

export const gicv5Spi = onGicv5(
  {
    name: 'gicv5-spi',
    doc: 'SPIs of a GICv5, raised by a frame like that of GICv2m: 64 from SPI 80 on.',
    source: 'drivers/irqchip/irq-gic-v5.c and irq-gic-v5-irs.c; the frame is that of GICv2m',
    hardware: GICV5,
  },
  SpiDriver,
);
