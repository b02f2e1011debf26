// Doorbells by Direct LPI: registers of the Redistributor invalidate, clear or set an LPI.
import { GICR, mask } from '../../../spec/index.ts';
import type { Design } from '../../driver.ts';
import { Gicv40Driver } from './gicv40-driver.ts';
import { type DoorbellCommand, GICV40, LINUX, type Vpe } from './vpe-driver.ts';

const BUSY = mask(GICR.GICR_SYNCR, 'Busy');

class DirectDriver extends Gicv40Driver {
  private writeAndWait(register: 'GICR_INVLPIR' | 'GICR_CLRLPIR', pe: number, vpe: Vpe): void {
    this.bus.write(register, pe, vpe.doorbell);
    this.bus.poll('GICR_SYNCR', pe, (value) => (value & BUSY) === 0);
  }

  protected act(vpe: Vpe, command: DoorbellCommand): void {
    if (command === 'INV') this.writeAndWait('GICR_INVLPIR', vpe.pe, vpe);
    else if (command === 'CLEAR') this.writeAndWait('GICR_CLRLPIR', vpe.pe, vpe);
    else this.bus.write('GICR_SETLPIR', vpe.pe, vpe.doorbell);
  }

  protected moved(vpe: Vpe, from: number): void {
    this.writeAndWait('GICR_CLRLPIR', from, vpe);
  }
}

export const vpeDirect: Design = {
  name: 'vpe-direct',
  doc: 'Doorbells by Direct LPI.',
  serves: 'vpes',
  profile: 'architecture',
  hardware: { ...GICV40, directLpi: true },
  source: LINUX,
  make: (bus, ledger) => new DirectDriver(bus, ledger),
};
