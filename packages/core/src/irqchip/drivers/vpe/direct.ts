// Doorbells by Direct LPI: registers of the Redistributor invalidate, clear or set an LPI.
import type { Bus } from '../../bus.ts';
import type { Design, Ledger } from '../../driver.ts';
import { Gicv40Driver } from './gicv40-driver.ts';
import { type DoorbellCommand, GICV40, LINUX, type Vpe } from './vpe-driver.ts';

class DirectDriver extends Gicv40Driver {
  constructor(bus: Bus, ledger: Ledger) {
    super(bus, ledger, { directLpi: true });
  }

  protected act(vpe: Vpe, command: DoorbellCommand): void {
    if (command === 'INV') this.invalidate(vpe.doorbell, vpe.pe);
    else if (command === 'CLEAR') this.clear(vpe, vpe.pe);
    else this.bus.write('GICR_SETLPIR', vpe.pe, vpe.doorbell);
  }
  private clear(vpe: Vpe, pe: number): void {
    this.bus.write('GICR_CLRLPIR', pe, vpe.doorbell);
    this.waitForSync(pe);
  }

  protected moved(vpe: Vpe, from: number): void {
    this.clear(vpe, from);
  }
  /** its_vpe_db_proxy_unmap. */
  protected override release(vpe: Vpe): void {
    this.clear(vpe, vpe.pe);
  }
}

export const vpeDirect: Design = {
  name: 'vpe-direct',
  doc: 'Doorbells by Direct LPI.',
  serves: 'vpes',
  masks: 'both',
  profile: 'architecture',
  hardware: { ...GICV40, directLpi: true },
  source: LINUX,
  make: (bus, ledger) => new DirectDriver(bus, ledger),
};
