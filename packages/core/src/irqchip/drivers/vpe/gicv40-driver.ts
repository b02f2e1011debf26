// Residency of vPEs on GICv4.0 (its_vpe_schedule, its_vpe_deschedule): GICR_VPROPBASER and GICR_VPENDBASER name the vPE's
// own tables.
import { GICR, packFields, unpackField } from '../../../spec/index.ts';
import { CACHED } from '../../its-node.ts';
import { VPE_ID_BITS, type Vpe, VpeDriver } from './vpe-driver.ts';

const { GICR_VPROPBASER, GICR_VPENDBASER } = GICR;
/** Write-back, allocated by reads only, for a table that hardware does not write (GICR_VPROPBASER_RaWb). */
const READ_ALLOCATED = { ...CACHED, InnerCache: 3 } as const;
const VALID = packFields(GICR_VPENDBASER, { Valid: 1 });

export abstract class Gicv40Driver extends VpeDriver {
  /** A vLPI that comes before the first vPE is scheduled must not be out of range, and no vPE may be left resident. */
  protected override firstOnline(pe: number): void {
    this.bus.write('GICR_VPROPBASER', pe, packFields(GICR_VPROPBASER, { IDbits: VPE_ID_BITS }));
    this.clearValid(pe);
  }

  protected makeResident({ config, table, idai }: Vpe, pe: number): void {
    const { bus } = this;
    bus.write(
      'GICR_VPROPBASER',
      pe,
      packFields(GICR_VPROPBASER, { ...READ_ALLOCATED, Physical_Address: config, IDbits: VPE_ID_BITS }),
    );
    const resident = { ...CACHED, Valid: 1, IDAI: idai ? 1 : 0, PendingLast: 1, Physical_Address: table };
    bus.write('GICR_VPENDBASER', pe, packFields(GICR_VPENDBASER, resident));
  }

  protected endResidency(vpe: Vpe, pe: number): void {
    const value = this.clearValid(pe);
    vpe.idai = unpackField(GICR_VPENDBASER, 'IDAI', value) === 1;
    vpe.pendingLast = unpackField(GICR_VPENDBASER, 'PendingLast', value) === 1;
  }

  /** its_clear_vpend_valid: reads GICR_VPENDBASER, clears Valid, and polls until it is no longer dirty. */
  private clearValid(pe: number): bigint {
    const before = this.bus.read('GICR_VPENDBASER', pe);
    this.bus.write('GICR_VPENDBASER', pe, before & ~VALID);
    const isDone = (value: bigint) => unpackField(GICR_VPENDBASER, 'Dirty', value) === 0;
    return this.bus.poll('GICR_VPENDBASER', pe, isDone);
  }
}
