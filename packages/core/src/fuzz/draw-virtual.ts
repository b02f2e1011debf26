// Stimuli of the virtual side: list registers and the registers of a guest, and with GICv4 the residency of vPEs.
import type { RecordBatch } from '../record/index.ts';
import { GICR, LPI_FIRST, maskHigh, SPECIAL_INTIDS } from '../spec/index.ts';
import type { Interrupts } from './draw-interrupts.ts';
import { GUEST_MEMORY, VPES } from './guest-memory.ts';
import type { Pieces } from './pieces.ts';

const VPENDBASER = GICR.GICR_VPENDBASER.views['GICv4.1'];
const DOORBELL = maskHigh(VPENDBASER, 'Doorbell');
/** On GICv4.0, the bits of the two group enables are part of OuterCache and reserved, and have no effect. */
const RESIDENT = maskHigh(VPENDBASER, 'Valid', 'VGrp0En', 'VGrp1En');

export function virtualInterface(g: Pieces, interrupts: Interrupts, batch: RecordBatch): void {
  const r = g.random;
  const pe = g.pe();
  switch (r.below(g.config.architecture === 4 ? 6 : 3)) {
    case 0:
      g.sysreg(
        batch,
        true,
        r.pick(['ICH_LR0_EL2', 'ICH_LR1_EL2', 'ICH_LR3_EL2']),
        r.pick([r.below(64), LPI_FIRST + r.below(4), SPECIAL_INTIDS.nonMaskable]),
        r.word(),
        pe,
      );
      return;
    case 1: {
      const name = r.pick([
        'ICV_IAR1_EL1',
        'ICV_IAR0_EL1',
        'ICV_HPPIR1_EL1',
        'ICH_MISR_EL2',
        'ICH_EISR_EL2',
        'ICH_ELRSR_EL2',
        'ICV_RPR_EL1',
      ]);
      g.sysreg(batch, false, name, 0, 0, pe);
      return;
    }
    case 2: {
      const name = r.pick([
        'ICV_EOIR1_EL1',
        'ICV_EOIR0_EL1',
        'ICV_DIR_EL1',
        'ICH_HCR_EL2',
        'ICH_VMCR_EL2',
        'ICV_CTLR_EL1',
      ]);
      g.sysreg(batch, true, name, r.once(2) ? interrupts.intid() : r.word(), 0, pe);
      return;
    }
    case 3:
      g.sysreg(batch, false, 'ICV_IAR1_EL1', 0, 0, pe);
      return;
    case 4: {
      const vpe = r.below(VPES);
      const at = GICR.GICR_VPROPBASER.offset;
      if (g.byVpeid) residency(g, batch, pe, vpe, r.once(2) ? DOORBELL : 0);
      else g.mmio(batch, true, 1, pe, at, 8, (GUEST_MEMORY.vconf + 0x10000 * vpe) | 0xf, 0);
      return;
    }
    default: {
      const vpe = r.below(VPES);
      const high = r.once(3) ? 0 : RESIDENT;
      residency(g, batch, pe, g.byVpeid ? vpe : GUEST_MEMORY.vpt + 0x10000 * vpe, high);
    }
  }
}

function residency(g: Pieces, batch: RecordBatch, pe: number, low: number, high: number): void {
  g.mmio(batch, true, 1, pe, GICR.GICR_VPENDBASER.offset, 8, low, high);
}
