// What would have opened the way of an interrupt, for each reason that can block it.
import { isPrivate, LPI_FIRST } from '@gictrace/core/spec';
import { ofPe } from './gathered.ts';
import type { Gicv3Incident } from './incidents.ts';

const BY_DROP: Readonly<Record<string, string>> = {
  'its-disabled': 'GITS_CTLR.Enabled set',
  'deviceid-out-of-range': 'a device table (GITS_BASER) with an entry for the DeviceID',
  'device-unmapped': 'MAPD of the DeviceID with V 1',
  'eventid-out-of-range': 'MAPD with more EventID bits',
  'event-unmapped': 'MAPTI or MAPI of the event',
  'collection-unmapped': 'MAPC of the collection with V 1, or MOVI of the event to a mapped one',
  'lpis-disabled': 'GICR_CTLR.EnableLPIs of the PE set, or another collection',
  'intid-out-of-range': 'an INTID within GICR_PROPBASER.IDbits',
  'vpe-unmapped': 'VMAPP of the vPE with V 1',
  'vintid-out-of-range': 'a vINTID within the size of the virtual pending table',
};

/** What would have opened the way; null if nothing can be said. */
export function openingOf({ kind, reason, intid, pe, cause }: Gicv3Incident): string | null {
  if (kind === 'dropped') return BY_DROP[reason] ?? null;
  if (kind === 'another INTID')
    return reason === 'VMAPTI'
      ? 'VMAPTI or VMOVI of the event to this vPE'
      : 'MAPTI of the event with this INTID';
  if (kind === 'withdrawn') return 'an acknowledge before it';
  if (kind === 'not ended') return `a write of ${intid} to ICC_EOIR1_EL1 (or ICC_EOIR0_EL1) by ${ofPe(pe)}`;
  if (kind === 'SGI to no PE') return 'an affinity and target list that name an existing PE';
  if (kind === 'not acknowledged') return `a read of ICC_IAR1_EL1 by ${ofPe(pe)} (ICC_IAR0_EL1 for Group 0)`;
  switch (reason) {
    case 'disabled':
      if (intid >= LPI_FIRST)
        return cause.missing?.what === 'INV'
          ? 'INV of its event, or INVALL of its collection'
          : 'Enable 1 in its configuration byte, then INV of its event';
      return isPrivate(intid)
        ? `a write of 1 to its bit of GICR_ISENABLER of ${ofPe(pe)}`
        : 'a write of 1 to its bit of GICD_ISENABLER';
    case 'LPIs disabled':
      return `GICR_CTLR.EnableLPIs of ${ofPe(pe)} set`;
    case 'group disabled in GICD_CTLR':
      return 'its group enabled in GICD_CTLR, or another group (GICD_IGROUPR)';
    case 'group disabled at the PE':
      return `ICC_IGRPEN of its group set at ${ofPe(pe)}, or another group`;
    case 'PE asleep':
      return `GICR_WAKER.ProcessorSleep of ${ofPe(pe)} cleared`;
    case 'priority mask':
      return `ICC_PMR_EL1 of ${ofPe(pe)} above its priority, or a higher priority (a lower number)`;
    case 'no PE':
      return 'GICD_IROUTER with the affinity of an existing PE';
    case 'active':
      return 'its deactivation: an EOI, or ICC_DIR_EL1 if EOImode is 1';
    case 'running priority':
      return `the EOI of the interrupt that ${ofPe(pe)} handles, or a higher priority than that one has`;
    case 'behind':
      return `an acknowledge of the interrupt ahead of it on ${ofPe(pe)}, or a higher priority than that one has`;
    default:
      return null;
  }
}
