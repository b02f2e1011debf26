import { PLAIN } from '../hardware.ts';
import { profile } from '../shape.ts';

const ITS = 'arch/arm64/kvm/vgic/vgic-its.c';
const MMIO = 'arch/arm64/kvm/vgic/vgic-mmio-v3.c';

export const kvm = profile(
  'kvm',
  "KVM's vgic-v3 with its virtual ITS, as a guest sees it: one Security state, tables in kernel memory.",
  PLAIN,
  {
    ctlrCes: { value: true, evidence: `${MMIO}: GICR_CTLR reads CES and IR (implementation revision 3)` },
    ctlrIr: { value: true, evidence: `${MMIO}: GICR_CTLR reads CES and IR (implementation revision 3)` },
    statusr: { value: false, evidence: `${MMIO}: GICD_STATUSR and GICR_STATUSR are RAZ/WI` },
    cwriterKeepsOutOfRange: {
      value: false,
      evidence: `${ITS}: a write of GITS_CWRITER beyond the queue is dropped`,
    },
    retry: {
      value: false,
      evidence: `${ITS}: GITS_CWRITER keeps its offset bits only; the queue never stalls`,
    },
    alwaysQuiescent: {
      value: true,
      evidence: `${ITS}: Quiescent is set whenever GITS_CREADR equals GITS_CWRITER, which is the case after every write`,
    },
    itsErrors: { value: 'ignore', evidence: `${ITS}: the error code of a command is computed and dropped` },
    mapOverMapping: {
      value: 'ignored',
      evidence: `${ITS}: MAPTI of an event that is mapped returns at once`,
    },
    mapcMovesPending: {
      value: true,
      evidence: `${ITS}: MAPC retargets the LPIs of the collection, whose pending state is kept by LPI and not by PE`,
    },
    mapdDropsEvents: {
      value: true,
      evidence: `${ITS}: MAPD frees the device with its entries; the ITT in guest memory is only read at restore`,
    },
    wakerGates: { value: false, evidence: `${MMIO}: GICR_WAKER is RAZ/WI` },
    wakerReset: { value: 0, evidence: `${MMIO}: GICR_WAKER is RAZ/WI` },
  },
);
