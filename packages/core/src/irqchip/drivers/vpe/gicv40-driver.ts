// Residency of vPEs on GICv4.0: GICR_VPROPBASER and GICR_VPENDBASER name the vPE's own tables.
import { GICR, packFields, unpackField } from '../../../spec/index.ts';
import { VPE_ID_BITS, type Vpe, VpeDriver } from './vpe-driver.ts';

const { GICR_VPROPBASER, GICR_VPENDBASER } = GICR;

export abstract class Gicv40Driver extends VpeDriver {
  protected makeResident({ config, table }: Vpe, pe: number): void {
    const { bus } = this;
    bus.write(
      'GICR_VPROPBASER',
      pe,
      packFields(GICR_VPROPBASER, { Physical_Address: config, IDbits: VPE_ID_BITS }),
    );
    const resident = { Valid: 1, IDAI: 1, PendingLast: 1, Physical_Address: table };
    bus.write('GICR_VPENDBASER', pe, packFields(GICR_VPENDBASER, resident));
  }

  protected endResidency({ table }: Vpe, pe: number): boolean {
    const { bus } = this;
    bus.write('GICR_VPENDBASER', pe, packFields(GICR_VPENDBASER, { Physical_Address: table }));
    const isDone = (value: bigint) => unpackField(GICR_VPENDBASER, 'Dirty', value) === 0;
    return unpackField(GICR_VPENDBASER, 'PendingLast', bus.poll('GICR_VPENDBASER', pe, isDone)) === 1;
  }
}
