// The profiles that exist, by name.
import type { Profile } from './shape.ts';

export type { LpiConfigPolicy, Profile } from './shape.ts';

/** The architecture, strictly: what IHI 0069 promises and no more. */
const architecture: Profile = {
  name: 'architecture',
  doc: 'IHI 0069 as written; where it leaves a choice, the one that a driver must be ready for.',
  lpiConfig: 'until-invalidated',
  rescanOnClear: false,
  invReloadsAll: false,
  invallReachesAll: false,
  ctlrCes: false,
  pendbaserWritableWhileEnabled: false,
  ctlrIr: false,
  disableForgets: true,
  ptzReadsBack: false,
  ptzTrusted: true,
  baserKeepsReserved: false,
  irouterKeepsReserved: false,
  creadrWritable: false,
  alwaysQuiescent: false,
  itsErrors: 'stall',
  discardNeedsCollection: true,
  wakerGates: true,
  wakerReset: 0x6,
  icfgrSettles: true,
  statusr: true,
  reportedWrites: [],
};

/** QEMU 7.2's GICv3 and ITS on its `virt` machine, as observed in recordings and by probing. */
const qemuVirt: Profile = {
  name: 'qemu-virt',
  doc: "QEMU 7.2's arm-gicv3 and arm-gicv3-its on the virt machine without the Security Extensions.",
  lpiConfig: 'on-pend-and-rescan',
  rescanOnClear: true,
  invReloadsAll: true,
  invallReachesAll: true,
  ctlrCes: true,
  pendbaserWritableWhileEnabled: true,
  ctlrIr: false,
  disableForgets: false,
  ptzReadsBack: true,
  ptzTrusted: false,
  baserKeepsReserved: true,
  irouterKeepsReserved: true,
  creadrWritable: true,
  alwaysQuiescent: true,
  itsErrors: 'ignore',
  discardNeedsCollection: true,
  wakerGates: false,
  wakerReset: 0x6,
  icfgrSettles: false,
  statusr: false,
  // Seen with kvm-unit-tests' its-introspection; an 8-byte write is not reported.
  reportedWrites: ['GITS_TYPER:4'],
};

export const PROFILES: Readonly<Record<string, Profile>> = { architecture, 'qemu-virt': qemuVirt };
