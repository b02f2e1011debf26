// The names that enum fields of records store by index. Append only: a trace holds the index.
import type { Identifier } from '../spec/index.ts';

export { FRAMES } from '../spec/index.ts';
/** Interrupt groups as the CPU interface sees them: Group 0, Secure Group 1, Non-secure Group 1. */
export const GROUPS = ['0', '1S', '1NS'] as const;
/** Where a stored register is: a frame, the physical CPU interface, the virtual one, or the Secure instance of a banked ICC
 * register where there are two Security states. */
export const UNITS = ['GICD', 'GICR', 'GITS', 'ICC', 'ICH', 'ICC_S'] as const;
/** How a PE executes. */
export const SECURITY_STATES = ['Non-secure', 'Secure', 'EL3'] as const;
/** Who asked for a reset of the machine. */
export const RESET_CAUSES = ['unknown', 'guest', 'host'] as const;
/** What two lines of a source can disagree on. */
export const CONFLICTS = ['value', 'address', 'width', 'pe', 'direction', 'missing'] as const;
export const IRQ_ATTRIBUTES = ['group', 'grpmod', 'enable', 'priority', 'edge', 'nsacr', 'nmi'] as const;
/** What a source can show of the state of a GIC after the fact (`state.known`). */
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
/** What is an attribute of an interrupt names it; by index. */
export const ATTRIBUTE_NAMES: Readonly<Record<number, Identifier>> = Object.fromEntries(
  KNOWN_STATE.flatMap((what, index) => (what === 'register' ? [] : [[index, 'INTID']])),
);
/** How a source shows that another one begins (`source.seam`). */
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
/** What software did that the architecture calls UNPREDICTABLE or CONSTRAINED UNPREDICTABLE. */
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
] as const;
/** What the detail of each of these names; of the others it is a register offset. By index. */
export const UNPREDICTABLE_NAMES: Readonly<Record<number, Identifier>> = {
  [UNPREDICTABLE.indexOf('map-over-mapping')]: 'EventID',
  [UNPREDICTABLE.indexOf('move-to-disabled-lpis')]: 'INTID',
  [UNPREDICTABLE.indexOf('vmapp-over-mapping')]: 'vPEID',
  [UNPREDICTABLE.indexOf('vsgi-configures-and-clears')]: 'vPEID',
  [UNPREDICTABLE.indexOf('configured-while-enabled')]: 'INTID',
};
/** How a device sends messages: `device-masked` has a mask of its own, and holds messages back while masked. */
export const DEVICE_KINDS = ['msi-x', 'multi-msi', 'platform', 'device-masked'] as const;
/** What drivers allocate and can be refused; `any` counts them all. */
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
/** What is left behind when a machine is migrated. */
export const MIGRATED_PARTS = [
  'nothing',
  'Distributor',
  'Redistributors',
  'CPU interfaces',
  'memory',
  'ITS',
] as const;
