// Every choice that the architecture leaves to an implementation and that the model makes. The default of each is what
// IHI 0069 says or, if it says nothing, the behaviour that a driver must be ready for. A profile deviates from these by
// name and with evidence.

/** When a Redistributor reads an LPI's configuration byte. All policies are legal (IHI 0069, "LPI configuration tables"). */
export type LpiConfigPolicy =
  /** Once; then it is cached until INV, INVALL or a change of mapping. This is the least that the architecture promises. */
  | 'until-invalidated'
  /** Each time the LPI becomes pending, and for all pending LPIs at each invalidation or rescan. */
  | 'on-pend-and-rescan'
  /** At every arbitration: a write to the byte acts at once. */
  | 'live';

/** What an ITS does with a command that it cannot execute (IHI 0069, "ITS command errors"). */
export type ItsErrorPolicy = 'stall' | 'ignore' | 'serror';

/** Which bits of the Non-secure instances of ICC_AP1R0_EL1 and ICC_AP1R1_EL1 can be written. */
export type NonSecureAp1r = 'all' | 'non-secure range' | 'none';

/** Reserved locations that accept accesses of the listed widths. */
export interface AcceptedRange {
  readonly frame: 'GICD' | 'GICR' | 'GITS';
  readonly from: number;
  readonly bytes: number;
  readonly widths: readonly number[];
}

export interface Choice<T> {
  /** The value by the architecture. */
  readonly architecture: T;
  readonly doc: string;
  /** Heading of IHI 0069. */
  readonly source: string;
}

const choice = <T>(architecture: T, doc: string, source: string): Choice<T> => ({
  architecture,
  doc,
  source,
});

export const CHOICES = {
  lpiConfig: choice<LpiConfigPolicy>(
    'until-invalidated',
    'when a Redistributor reads the configuration byte of an LPI',
    'LPI configuration tables',
  ),
  lpiConfigWhenMapped: choice<boolean>(
    false,
    'the configuration of an LPI is read when MAPTI or MAPI maps its event and when it is invalidated, at once, and not when it becomes pending; it moves with the LPI',
    'LPI configuration tables',
  ),
  rescanOnClear: choice<boolean>(
    false,
    'when the highest-priority pending LPI is acknowledged or cleared, the Redistributor looks for the next one and reads configurations again',
    'LPI configuration tables',
  ),
  invReloadsAll: choice<boolean>(
    false,
    'INV and INVALL make the Redistributor read the configuration of every pending LPI again, not only that of the LPI named',
    'INV',
  ),
  invallReachesAll: choice<boolean>(
    false,
    'INVALL applies to every Redistributor, not only to that of the collection',
    'INVALL',
  ),
  ctlrCes: choice<boolean>(
    false,
    'GICR_CTLR.CES: EnableLPIs can be cleared again; otherwise it is RES1 once set',
    'GICR_CTLR',
  ),
  enableAgainRescans: choice<boolean>(
    false,
    'if EnableLPIs is 1 already, writing 1 makes the Redistributor read the pending table and configurations again',
    'GICR_CTLR',
  ),
  pendbaserWritableWhileEnabled: choice<boolean>(
    false,
    'GICR_PROPBASER and GICR_PENDBASER accept writes while GICR_CTLR.EnableLPIs is 1',
    'GICR_PENDBASER',
  ),
  ctlrIr: choice<boolean>(
    false,
    'GICR_CTLR.IR: GICR_INVLPIR, GICR_INVALLR and GICR_SYNCR exist even without GICR_TYPER.DirectLPI',
    'GICR_CTLR',
  ),
  invalidateHasV: choice<boolean>(
    true,
    'V of GICR_INVLPIR and GICR_INVALLR says that the write concerns a vPE, even if GICR_TYPER.RVPEID is 0, where it is RES0',
    'GICR_INVALLR',
  ),
  disableForgets: choice<boolean>(
    true,
    'clearing EnableLPIs makes a Redistributor drop what it has cached about LPIs; the pending table keeps their pending state',
    'GICR_CTLR',
  ),
  ptzTrusted: choice<boolean>(
    true,
    'if GICR_PENDBASER.PTZ is 1, the pending table is assumed to be zero and is not read',
    'GICR_PENDBASER',
  ),
  baserKeepsReserved: choice<boolean>(
    false,
    'GICR_PROPBASER and GICR_PENDBASER keep what is written to reserved bits',
    'GICR_PENDBASER',
  ),
  irouterKeepsReserved: choice<boolean>(
    false,
    'GICD_IROUTER<n> keeps what is written to reserved bits, and to Interrupt_Routing_Mode even if GICD_TYPER.No1N is 1',
    'GICD_IROUTER<n>',
  ),
  ptzReadsBack: choice<boolean>(false, 'GICR_PENDBASER.PTZ reads back what was written', 'GICR_PENDBASER'),
  creadrWritable: choice<boolean>(false, 'GITS_CREADR accepts writes while GICD_CTLR.DS is 1', 'GITS_CREADR'),
  pesKeepSecurity: choice<boolean>(
    false,
    'once GICD_CTLR.DS has been set, the CPU interfaces still have two Security states: banked registers, SCR_EL3.FIQ that shifts priorities, and Group 1 that is signalled as FIQ in Secure state and at EL3',
    'ICC_CTLR_EL3',
  ),
  cwriterKeepsOutOfRange: choice<boolean>(
    true,
    'GITS_CWRITER accepts an offset beyond the queue, and the queue then does not run; otherwise the write is ignored',
    'GITS_CWRITER',
  ),
  ctlrGroup1Only: choice<boolean>(
    false,
    'with one Security state, GICD_CTLR has EnableGrp1 only, which enables both groups; EnableGrp0 and E1NWF are RAZ/WI',
    'GICD_CTLR',
  ),
  resetsToGroup1: choice<boolean>(false, 'interrupts are in Group 1 after a reset', 'GICD_IGROUPR<n>'),
  spisResetToEdge: choice<boolean>(false, 'SPIs are edge-triggered after a reset', 'GICD_ICFGR<n>'),
  sgisResetEnabled: choice<boolean>(false, 'SGIs are enabled after a reset', 'GICR_ISENABLER0'),
  prioritiesKept: choice<number>(
    0xff,
    'the bits of a priority that GICD_IPRIORITYR<n> and GICR_IPRIORITYR<n> keep',
    'GICD_IPRIORITYR<n>',
  ),
  ppisConfigurable: choice<boolean>(
    true,
    'GICR_ICFGR1 can be written: PPIs can be made edge-triggered or level-sensitive',
    'GICR_ICFGR1',
  ),
  irmWritable: choice<boolean>(
    true,
    'if GICD_TYPER.No1N is 0, GICD_IROUTER<n>.Interrupt_Routing_Mode exists; otherwise RAZ/WI',
    'GICD_IROUTER<n>',
  ),
  routesByAff3: choice<boolean>(true, 'GICD_IROUTER<n>.Aff3 exists; otherwise RAZ/WI', 'GICD_IROUTER<n>'),
  overlooksPending: choice<boolean>(
    false,
    'an interrupt that is pending and enabled when GICD_CTLR enables the Distributor, or when GICD_IROUTER<n> names a PE after it named none, is not signalled until it is made pending, enabled or active, or is given a group, once more; an LPI, until its message comes once more or its configuration is read again',
    'GICD_CTLR',
  ),
  latchEndsWithActive: choice<boolean>(
    false,
    'the acknowledge of a level-sensitive interrupt that software has made pending leaves it pending and active; an EOI or ICC_DIR_EL1 that deactivates it ends both, and with them what software made pending meanwhile',
    'GICD_ISPENDR<n>',
  ),
  wakerWritable: choice<boolean>(true, 'GICR_WAKER can be written', 'GICR_WAKER'),
  anyAttributes: choice<boolean>(
    true,
    'the registers with addresses of tables keep any memory attributes, GITS_BASER<n> any page size, and GITS_CBASER any address; otherwise Outer Shareable, Non-cacheable and outer attributes are replaced, pages are of 64 KB, and the queue is aligned to 64 KB',
    'GITS_BASER<n>',
  ),
  cbaserResetsCwriter: choice<boolean>(
    false,
    'a write of GITS_CBASER sets GITS_CWRITER to 0, too',
    'GITS_CBASER',
  ),
  collectionsIndirect: choice<boolean>(
    true,
    'the collection table can have two levels; otherwise GITS_BASER<n>.Indirect of it is RAZ/WI',
    'GITS_BASER<n>',
  ),
  gicdStatusrOnes: choice<boolean>(false, 'GICD_STATUSR reads as ones', 'GICD_STATUSR'),
  enableNeedsTables: choice<boolean>(
    false,
    'GITS_CTLR.Enabled stays 0 while GITS_CBASER, or the register of the device table or of the collection table, is not valid, which is UNPREDICTABLE',
    'GITS_CTLR',
  ),
  propbaserShared: choice<boolean>(
    false,
    'all Redistributors share one GICR_PROPBASER, which a Redistributor can write while its LPIs are disabled',
    'GICR_PROPBASER',
  ),
  mapcOrphans: choice<boolean>(
    false,
    'MAPC with V = 0 takes the events out of the collection for good: they stay mapped, but have no target, even if the collection is mapped again',
    'MAPC',
  ),
  discardKeepsPending: choice<boolean>(
    false,
    'an LPI that is pending, enabled and forwarded by the Distributor is still delivered after DISCARD of its event, or MAPD of its device, unless the Distributor has been disabled meanwhile, or the LPI, as INVALL or GICR_INVLPIR has read',
    'DISCARD',
  ),
  disableDropsPending: choice<boolean>(
    false,
    'clearing EnableLPIs drops the pending state of LPIs, which is not in the pending table',
    'GICR_CTLR',
  ),
  retry: choice<boolean>(true, 'GITS_CWRITER.Retry starts a stalled queue again', 'GITS_CWRITER'),
  alwaysQuiescent: choice<boolean>(false, 'GITS_CTLR.Quiescent always reads 1', 'GITS_CTLR'),
  quiescentWhenDone: choice<boolean>(
    false,
    'GITS_CTLR.Quiescent reads 1 whenever GITS_CREADR equals GITS_CWRITER, whether the ITS is enabled or not',
    'GITS_CTLR',
  ),
  itsErrors: choice<ItsErrorPolicy>(
    'stall',
    'what an ITS does after a command error: stall, continue with the next command, or continue and raise an SError',
    'ITS command errors',
  ),
  discardNeedsCollection: choice<boolean>(
    true,
    'DISCARD fails if the collection is unmapped, and the event stays mapped',
    'DISCARD',
  ),
  unmapChecksSize: choice<boolean>(
    true,
    'MAPD with V = 0 fails if its Size is out of range, and the device stays mapped',
    'MAPD',
  ),
  clearNeedsCollection: choice<boolean>(
    true,
    'CLEAR fails if the collection is unmapped, and the LPI stays pending',
    'CLEAR',
  ),
  mapOverMapping: choice<'replaces' | 'ignored'>(
    'replaces',
    'the effect of MAPTI, MAPI, VMAPTI and VMAPI on an event that is mapped already, which is UNPREDICTABLE',
    'MAPTI',
  ),
  mapcMovesPending: choice<boolean>(
    false,
    'if MAPC maps a collection to another PE, its pending LPIs move too',
    'MAPC',
  ),
  mapdDropsEvents: choice<boolean>(
    false,
    'MAPD of a mapped device drops its events and their pending state, instead of leaving them in the ITT',
    'MAPD',
  ),
  vsyncChecks: choice<boolean>(
    true,
    'VSYNC looks up its vPE, so a vPE that does not exist is an error',
    'VSYNC',
  ),
  wakerGates: choice<boolean>(
    true,
    'a sleeping PE (GICR_WAKER.ProcessorSleep) is signalled no interrupt',
    'GICR_WAKER',
  ),
  wakerReset: choice<number>(0x6, 'GICR_WAKER at reset', 'GICR_WAKER'),
  wakerNonSecure: choice<boolean>(
    false,
    'with two Security states, Non-secure software can access GICR_WAKER too',
    'GICR_WAKER',
  ),
  resetKeepsLines: choice<boolean>(
    true,
    'a reset of the GIC leaves the levels of its input lines as the devices drive them',
    'GICD_ISPENDR<n>',
  ),
  ctlrEl3SecureBits: choice<boolean>(
    true,
    'ICC_CTLR_EL3.EOImode_EL1S and CBPR_EL1S read the values of Secure EL1, not those of Non-secure EL1',
    'ICC_CTLR_EL3',
  ),
  eoiReachesSecure: choice<boolean>(
    false,
    'with two Security states an EOI by Non-secure software deactivates the interrupt whose INTID it names even if that is Secure; so does a virtual EOI with ICH_LR<n>_EL2.HW',
    'ICC_EOIR1_EL1',
  ),
  nonSecureAp1r: choice<NonSecureAp1r>(
    'all',
    'with two Security states, which bits of the Non-secure instances of ICC_AP1R0_EL1 and ICC_AP1R1_EL1 can be written: all, those of Non-secure priorities, or none',
    'ICC_AP1R<n>_EL1',
  ),
  pmrKeepsReserved: choice<boolean>(
    false,
    'ICC_PMR_EL1 keeps what is written to bits 31:8, so the mask may be above every priority value',
    'ICC_PMR_EL1',
  ),
  icfgrSettles: choice<boolean>(
    true,
    'writes of GICD_ICFGR and GICR_ICFGR change at once what is signalled',
    'GICD_ICFGR<n>',
  ),
  statusr: choice<boolean>(true, 'GICD_STATUSR and GICR_STATUSR exist; otherwise RAZ/WI', 'GICD_STATUSR'),
  reportedWrites: choice<readonly string[]>(
    [],
    'read-only registers for which a write of the given width is reported as an access to a reserved location: NAME:bytes, or NAME+offset:bytes for one half',
    'GITS_TYPER',
  ),
  alsoReserved: choice<readonly string[]>(
    [],
    'registers that are RAZ/WI and reported as reserved locations if the feature to which they belong is missing',
    'GICD_INMIR<n>',
  ),
  alsoAccepted: choice<readonly AcceptedRange[]>(
    [],
    'reserved locations that are RAZ/WI but not reported as reserved',
    'Distributor register map',
  ),
  sgi1ReachesGroup0: choice<boolean>(
    true,
    'with one Security state, a write to ICC_SGI1R_EL1 also makes an SGI pending that is in Group 0 on the target PE',
    'Use of control registers for SGI forwarding',
  ),
  groupZeroNmis: choice<boolean>(
    false,
    'an interrupt of Group 0 with the non-maskable property is an NMI; ICC_AP0R0_EL1 has a bit for it, which does not count as a running priority',
    'GICD_INMIR<n>',
  ),
  nmiIsNoIrq: choice<boolean>(
    false,
    'an NMI, physical or virtual, is signalled by a line of its own, and neither IRQ nor FIQ is asserted for it',
    'GICD_INMIR<n>',
  ),
  rprNmiNonSecure: choice<boolean>(
    false,
    'with one Security state, ICC_RPR_EL1 reports an active NMI in NMI_NS, not in NMI',
    'ICC_RPR_EL1',
  ),
  lrNmiKeepsPriority: choice<boolean>(
    false,
    'a virtual NMI has the priority in ICH_LR<n>_EL2.Priority; otherwise its priority is 0',
    'ICH_LR<n>_EL2',
  ),
  lrKeepsNmi: choice<boolean>(
    false,
    'ICH_LR<n>_EL2.NMI keeps what is written even if virtual NMIs are not supported',
    'ICH_LR<n>_EL2',
  ),
  hcrWritable: choice<number>(0xf800_fdff, 'bits of ICH_HCR_EL2 that can be written', 'ICH_HCR_EL2'),
  vgrp0dByGroup1: choice<boolean>(
    false,
    'ICH_MISR_EL2.VGrp0D follows the enable of Group 1, not of Group 0',
    'ICH_MISR_EL2',
  ),
} as const;

export type ChoiceName = keyof typeof CHOICES;
export type Choices = {
  readonly [K in ChoiceName]: (typeof CHOICES)[K] extends Choice<infer T> ? T : never;
};
