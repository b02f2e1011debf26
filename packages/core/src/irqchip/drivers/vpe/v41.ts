// GICv4.1's default doorbells: each vPE has one, which hardware clears when the vPE becomes resident.
import { PLAIN } from '../../../profile/index.ts';
import { GICR, NO_DOORBELL, packFields, unpackField } from '../../../spec/index.ts';
import type { Bus } from '../../bus.ts';
import type { Design, Ledger } from '../../driver.ts';
import { VPE_TABLE_PAGES } from '../../its-setup.ts';
import { type DoorbellCommand, LINUX, type Vpe, VpeDriver } from './vpe-driver.ts';

const VPROPBASER = GICR.GICR_VPROPBASER.views['GICv4.1'];
const VPENDBASER = GICR.GICR_VPENDBASER.views['GICv4.1'];
/** GICR_VPROPBASER.Page_Size: 64 KB. */
const PAGES_OF_64_KB = 2;
const VTE_DOUBLEWORDS = 4;

class V41Driver extends VpeDriver {
  constructor(bus: Bus, ledger: Ledger) {
    super(bus, ledger);
    const table = packFields(VPROPBASER, {
      Valid: 1,
      Entry_Size: VTE_DOUBLEWORDS,
      Page_Size: PAGES_OF_64_KB,
      Size: VPE_TABLE_PAGES,
      Physical_Address: this.vpeTable,
    });
    for (let pe = 0; pe < bus.pes; pe++) bus.write('GICR_VPROPBASER', pe, table);
  }

  protected act(vpe: Vpe, command: DoorbellCommand): void {
    // There is nothing to clear or set: hardware clears the default doorbell when the vPE becomes resident.
    if (command !== 'INV') return;
    this.bus.command('INVDB', { vPEID: vpe.id });
    this.bus.command('VSYNC', { vPEID: vpe.id });
  }

  protected moved(): void {}

  protected override mapOperands({ config, doorbell }: Vpe): Readonly<Record<string, number>> {
    return { Alloc: 1, PTZ: 1, VCONF_addr: config, Default_Doorbell_pINTID: doorbell };
  }
  protected override moveOperands({ doorbell }: Vpe): Readonly<Record<string, number>> {
    return { DB: 1, Default_Doorbell_pINTID: doorbell };
  }
  protected override eventDoorbell(): number {
    return NO_DOORBELL;
  }

  protected makeResident({ id }: Vpe, pe: number): void {
    const resident = packFields(VPENDBASER, { Valid: 1, VGrp0En: 1, VGrp1En: 1, vPEID: id });
    this.bus.write('GICR_VPENDBASER', pe, resident);
  }

  protected endResidency({ id, doorbellMasked }: Vpe, pe: number): boolean {
    const Doorbell = doorbellMasked === true ? 0 : 1;
    this.bus.write('GICR_VPENDBASER', pe, packFields(VPENDBASER, { vPEID: id, Doorbell }));
    const isDone = (value: bigint) => unpackField(VPENDBASER, 'Dirty', value) === 0;
    return unpackField(VPENDBASER, 'PendingLast', this.bus.poll('GICR_VPENDBASER', pe, isDone)) === 1;
  }
}

export const vpeV41: Design = {
  name: 'vpe-v41',
  doc: 'GICv4.1 default doorbells.',
  serves: 'vpes',
  profile: 'architecture',
  hardware: { ...PLAIN, architecture: 4, virtualLpis: '4.1' },
  source: LINUX,
  make: (bus, ledger) => new V41Driver(bus, ledger),
};
