// The names of the values of enum fields. Records store the index, so names may only be appended.
import type { Identifier } from '../spec/index.ts';

export { FRAMES } from '../spec/index.ts';
/** Interrupt groups as the CPU interface sees them: Group 0, Secure Group 1, Non-secure Group 1. */
export const GROUPS = ['0', '1S', '1NS'] as const;
/**
 * The unit that contains a stored register: a frame, the physical CPU interface, the virtual one, or, with two Security
 * states, the Secure instances of banked ICC registers.
 */
export const UNITS = ['GICD', 'GICR', 'GITS', 'ICC', 'ICH', 'ICC_S', 'IRS', 'ITS', 'IWB'] as const;
/** The states in which a PE executes. */
export const SECURITY_STATES = ['Non-secure', 'Secure', 'EL3'] as const;
/** Who requested a reset of the machine. */
export const RESET_CAUSES = ['unknown', 'guest', 'host'] as const;
/**
 * The parts of an access on which two lines of a source can disagree. A re-recording says by `ended` that an EOI names
 * another interrupt than the one that its PE acknowledged last, and by `state` that a stored state differs.
 */
export const CONFLICTS = [
  'value',
  'address',
  'width',
  'pe',
  'direction',
  'missing',
  'ended',
  'state',
] as const;
export const IRQ_ATTRIBUTES = [
  'group',
  'grpmod',
  'enable',
  'priority',
  'edge',
  'nsacr',
  'nmi',
  'HM',
  'overlooked',
] as const;
/** The parts of the state of a GIC that a source can reveal later (`state.known`). */
export const KNOWN_STATE = [
  'register',
  'group',
  'grpmod',
  'enable',
  'priority',
  'edge',
  'level',
  'pending',
  'active',
  'route',
  'LPI pending',
  'LPI configuration',
  'cached LPI configuration',
] as const;
/** By index into KNOWN_STATE: all but `register` are attributes of an interrupt, so the record names its INTID. */
export const ATTRIBUTE_NAMES: Readonly<Record<number, Identifier>> = Object.fromEntries(
  KNOWN_STATE.flatMap((what, index) => (what === 'register' ? [] : [[index, 'INTID']])),
);
/** How a source shows that another source begins (`source.seam`). */
export const SEAMS = ['file', 'hppi', 'threads'] as const;
export const PEND_CAUSES = [
  'wire',
  'software',
  'sgi',
  'msi',
  'its-command',
  'table',
  'moved',
  'doorbell',
  'list-register',
  'unseen',
] as const;
export const DROP_REASONS = [
  'its-disabled',
  'deviceid-out-of-range',
  'device-unmapped',
  'eventid-out-of-range',
  'event-unmapped',
  'collection-unmapped',
  'intid-out-of-range',
  'lpis-disabled',
  'table-unreadable',
  'vpe-unmapped',
  'vintid-out-of-range',
] as const;
/** Software actions that the architecture calls UNPREDICTABLE or CONSTRAINED UNPREDICTABLE. */
export const UNPREDICTABLE = [
  'vpendbaser-while-valid',
  'lpi-table-while-enabled',
  'cbaser-while-enabled',
  'baser-while-enabled',
  'cwriter-out-of-range',
  'map-over-mapping',
  'move-to-disabled-lpis',
  'vmapp-over-mapping',
  'vsgi-configures-and-clears',
  'configured-while-enabled',
  'pending-table-not-zero',
  'virtual-pending-table-not-zero',
  'list-registers-same-vintid',
] as const;
/** By index into UNPREDICTABLE: what the field `detail` names; for all others it is a register offset. */
export const UNPREDICTABLE_NAMES: Readonly<Record<number, Identifier>> = {
  [UNPREDICTABLE.indexOf('map-over-mapping')]: 'EventID',
  [UNPREDICTABLE.indexOf('move-to-disabled-lpis')]: 'INTID',
  [UNPREDICTABLE.indexOf('vmapp-over-mapping')]: 'vPEID',
  [UNPREDICTABLE.indexOf('vsgi-configures-and-clears')]: 'vPEID',
  [UNPREDICTABLE.indexOf('configured-while-enabled')]: 'INTID',
  [UNPREDICTABLE.indexOf('pending-table-not-zero')]: 'INTID',
  [UNPREDICTABLE.indexOf('virtual-pending-table-not-zero')]: 'vPEID',
  [UNPREDICTABLE.indexOf('list-registers-same-vintid')]: 'vINTID',
};
/** How a device sends messages. `device-masked` has a mask of its own and sends no messages while it is masked. */
export const DEVICE_KINDS = ['msi-x', 'multi-msi', 'platform', 'device-masked'] as const;
/** What drivers allocate, and what can be refused; `any` stands for all of them. */
export const ALLOCATIONS = [
  'any',
  'collections',
  'domain',
  'device',
  'ITT',
  'LPI range',
  'column map',
  'vectors',
  'IOMMU mapping',
  'DevID',
  'property table',
  'vPE tables',
  'slots',
] as const;
/** The parts that can be left behind when a machine is migrated. */
export const MIGRATED_PARTS = [
  'nothing',
  'Distributor',
  'Redistributors',
  'CPU interfaces',
  'memory',
  'ITS',
  'host',
] as const;
/** Why a vCPU left guest mode, as Linux names the exception that KVM took (kvm_arm.h, kvm_arm_exception_type). */
export const VCPU_EXITS = ['IRQ', 'SERROR', 'TRAP', 'IL', 'HYP_GONE', 'unknown'] as const;
/** The types of lines of the ioctl KVM_IRQ_LINE (KVM_ARM_IRQ_TYPE_CPU, _SPI, _PPI), as `kvm_irq_line` names them. */
export const IRQ_LINES = ['CPU', 'VGIC SPI', 'VGIC PPI'] as const;
/** The purposes of Linux's IPIs on arm64, as its trace events name them. */
export const IPI_REASONS = [
  'other',
  'Rescheduling interrupts',
  'Function call interrupts',
  'CPU stop interrupts',
  'CPU stop (for crash dump) interrupts',
  'Timer broadcast interrupts',
  'IRQ work interrupts',
  'CPU wake-up interrupts',
  'CPU backtrace interrupts',
  'KGDB roundup interrupts',
  'CPU stop NMIs',
] as const;
/** The state of an interrupt in a list register (ICH_LR<n>_EL2.State). */
export const LIST_REGISTER_STATES = ['invalid', 'pending', 'active', 'pending and active'] as const;
/** What of its CPU interface a PE can have written where a source shows only the effects (`cpuif.unseen`). */
export const CPUIF_PARTS = ['an ICC_PPI register', 'ICC_CR0_EL1 or ICC_PCR_EL1'] as const;
/** Why an IRS presents no interrupt for an IAFFID. */
export const IRS_REFUSALS = ['no such PE', 'IRS disabled'] as const;
/** The tables of an ITS of GICv5 of which it may keep entries. */
export const ITS_TABLES = ['L2_DTE', 'L2_ITTE'] as const;
