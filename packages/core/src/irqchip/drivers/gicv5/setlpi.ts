// LPIs of a GICv5 without an ITS: a device writes the LPI into the SETLPI frame of an IRS. No driver does this. What it would
// do follows from Linux's driver of the IRS, and is Direct LPI as GICv5 has it.
import { GICV5_TYPES, gicv5Id, gicv5Intid } from '../../../spec/index.ts';
import type { Result } from '../../driver.ts';
import { GICV5, type Gicv5Device, Gicv5Driver, onGicv5 } from './lpi-driver.ts';

class SetlpiDriver extends Gicv5Driver {
  protected take(_device: number, count: number): readonly number[] | Result {
    const ids = this.takeLpis(count);
    return Array.isArray(ids) ? ids.map((id) => gicv5Intid(GICV5_TYPES.LPI, id)) : ids;
  }

  protected give(_id: number, { intids }: Gicv5Device): void {
    // What the device has sent must have arrived before its LPIs are somebody else's.
    this.irs.sync();
    for (const intid of intids) this.irs.giveLpi(gicv5Id(intid));
  }

  protected messageOf(_device: number, _vector: number, intid: number) {
    return { address: this.bus.addresses.setlpi, data: gicv5Id(intid) };
  }
}

export const gicv5Setlpi = onGicv5(
  {
    name: 'gicv5-setlpi',
    doc: 'LPIs of a GICv5 without an ITS: the message is the LPI, written to the SETLPI frame. A move rewrites no message.',
    source: 'deduced from drivers/irqchip/irq-gic-v5.c and irq-gic-v5-irs.c; no code exists',
    hardware: { ...GICV5, setlpi: true },
  },
  SetlpiDriver,
);
