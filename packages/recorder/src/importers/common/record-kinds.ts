// Numbers of the record kinds and of the frames, by the names that importers use for them.
import { RECORDS } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';

// Stimuli.
export const MMIO_READ = RECORDS['mmio.read'].id;
export const MMIO_WRITE = RECORDS['mmio.write'].id;
export const SYSREG_READ = RECORDS['sysreg.read'].id;
export const SYSREG_WRITE = RECORDS['sysreg.write'].id;
export const MSI_WRITE = RECORDS['msi.write'].id;
export const WIRE_SET = RECORDS['wire.set'].id;
export const PE_RESET = RECORDS['pe.reset'].id;
export const GIC_RESET = RECORDS['gic.reset'].id;

// What guest memory holds.
export const MEM_WRITE = RECORDS['mem.write'].id;
export const MEM_KNOWN = RECORDS['mem.known'].id;
export const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
export const QUEUE_WRITE = RECORDS['queue.write'].id;
export const STATE_KNOWN = RECORDS['state.known'].id;

// Observables.
export const HPPI = RECORDS.hppi.id;
export const VHPPI = RECORDS.vhppi.id;
export const MAINTENANCE = RECORDS.maintenance.id;
export const SGI_SENT = RECORDS['sgi.sent'].id;
export const ITS_COMMAND = RECORDS['its.command'].id;
export const DTE_READ = RECORDS['dte.read'].id;
export const DTE_WRITE = RECORDS['dte.write'].id;
export const CTE_READ = RECORDS['cte.read'].id;
export const CTE_WRITE = RECORDS['cte.write'].id;
export const ITE_READ = RECORDS['ite.read'].id;
export const ITE_WRITE = RECORDS['ite.write'].id;
export const VTE_READ = RECORDS['vte.read'].id;
export const VTE_WRITE = RECORDS['vte.write'].id;
export const CONFLICT = RECORDS['source.conflict'].id;

export const FRAME_GICD = FRAMES.indexOf('GICD');
export const FRAME_GICR = FRAMES.indexOf('GICR');
export const FRAME_GITS = FRAMES.indexOf('GITS');
