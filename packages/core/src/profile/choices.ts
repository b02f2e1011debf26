// Every choice that the architecture leaves to an implementation and that the model makes, with what it is when an
// implementation does as IHI 0069 says, or, where that says nothing, what a driver must be ready for. A profile
// deviates from these by name and with evidence.

/** When a Redistributor looks at an LPI's configuration byte. All are legal (IHI 0069, "LPI configuration tables"). */
export type LpiConfigPolicy =
  /** Once, then cached until INV, INVALL or a change of mapping: the least that the architecture promises. */
  | 'until-invalidated'
  /** Each time the LPI becomes pending, and for all pending LPIs at each invalidation or rescan. */
  | 'on-pend-and-rescan'
  /** At every arbitration: a write to the byte acts at once. */
  | 'live';

/** What an ITS does with a command that it cannot execute (IHI 0069, "ITS command errors"). */
export type ItsErrorPolicy = 'stall' | 'ignore' | 'serror';

/** What of the Non-secure instances of ICC_AP1R0_EL1 and ICC_AP1R1_EL1 can be written. */
export type NonSecureAp1r = 'all' | 'non-secure range' | 'none';

/** Reserved locations: of the widths listed. */
export interface AcceptedRange {
  readonly frame: 'GICD' | 'GICR' | 'GITS';
  readonly from: number;
  readonly bytes: number;
  readonly widths: readonly number[];
}

export interface Choice<T> {
  /** By the architecture. */
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
    'when a Redistributor looks at the configuration byte of an LPI',
    'LPI configuration tables',
  ),
  rescanOnClear: choice<boolean>(
    false,
    'a rescan for the best LPI, which re-reads configuration, also follows the acknowledge or clearing of that LPI',
    'LPI configuration tables',
  ),
  invReloadsAll: choice<boolean>(
    false,
    'INV and INVALL re-read the configuration of every pending LPI of the Redistributor, not only the one named',
    'INV',
  ),
  invallReachesAll: choice<boolean>(
    false,
    'INVALL concerns every Redistributor, not only that of the collection',
    'INVALL',
  ),
  ctlrCes: choice<boolean>(
    false,
    'GICR_CTLR.CES: EnableLPIs can be cleared again; otherwise it is RES1 once set',
    'GICR_CTLR',
  ),
  enableAgainRescans: choice<boolean>(
    false,
    'a write of 1 to EnableLPIs where it is 1 already has the Redistributor read the pending table and configurations again',
    'GICR_CTLR',
  ),
  pendbaserWritableWhileEnabled: choice<boolean>(
    false,
    'GICR_PROPBASER and GICR_PENDBASER accept writes while GICR_CTLR.EnableLPIs is 1',
    'GICR_PENDBASER',
  ),
  ctlrIr: choice<boolean>(
    false,
    'GICR_CTLR.IR: GICR_INVLPIR, GICR_INVALLR and GICR_SYNCR exist, also without GICR_TYPER.DirectLPI',
    'GICR_CTLR',
  ),
  disableForgets: choice<boolean>(
    true,
    'EnableLPIs going to 0 makes a Redistributor drop what it holds of LPIs; the pending table keeps what is pending',
    'GICR_CTLR',
  ),
  ptzTrusted: choice<boolean>(
    true,
    'with GICR_PENDBASER.PTZ = 1 the pending table is taken to be zero and not read',
    'GICR_PENDBASER',
  ),
  baserKeepsReserved: choice<boolean>(
    false,
    'GICR_PROPBASER and GICR_PENDBASER keep what is written to reserved bits',
    'GICR_PENDBASER',
  ),
  irouterKeepsReserved: choice<boolean>(
    false,
    'GICD_IROUTER<n> keeps what is written to reserved bits: Interrupt_Routing_Mode too, where GICD_TYPER.No1N is 1',
    'GICD_IROUTER<n>',
  ),
  ptzReadsBack: choice<boolean>(false, 'GICR_PENDBASER.PTZ reads back what was written', 'GICR_PENDBASER'),
  creadrWritable: choice<boolean>(false, 'GITS_CREADR accepts writes while GICD_CTLR.DS is 1', 'GITS_CREADR'),
  cwriterKeepsOutOfRange: choice<boolean>(
    true,
    'GITS_CWRITER takes an offset beyond the queue, which then does not run; otherwise the write is ignored',
    'GITS_CWRITER',
  ),
  retry: choice<boolean>(true, 'GITS_CWRITER.Retry starts a stalled queue again', 'GITS_CWRITER'),
  alwaysQuiescent: choice<boolean>(false, 'GITS_CTLR.Quiescent always reads 1', 'GITS_CTLR'),
  itsErrors: choice<ItsErrorPolicy>(
    'stall',
    'what an ITS does with a command error: stall, go on with the next command, or go on and raise an SError',
    'ITS command errors',
  ),
  discardNeedsCollection: choice<boolean>(
    true,
    'an unmapped collection makes DISCARD fail, so that the event stays mapped',
    'DISCARD',
  ),
  mapOverMapping: choice<'replaces' | 'ignored'>(
    'replaces',
    'MAPTI, MAPI, VMAPTI and VMAPI onto an event that is mapped already: UNPREDICTABLE',
    'MAPTI',
  ),
  mapcMovesPending: choice<boolean>(
    false,
    'LPIs that are pending follow a collection that MAPC maps to another PE',
    'MAPC',
  ),
  mapdDropsEvents: choice<boolean>(
    false,
    'MAPD drops the events of a device that was mapped, with their pending state, instead of leaving them in the ITT',
    'MAPD',
  ),
  vsyncChecks: choice<boolean>(
    true,
    'VSYNC looks its vPE up, so that one that does not exist is an error',
    'VSYNC',
  ),
  wakerGates: choice<boolean>(
    true,
    'a sleeping PE (GICR_WAKER.ProcessorSleep) gets no interrupt',
    'GICR_WAKER',
  ),
  wakerReset: choice<number>(0x6, 'GICR_WAKER at reset', 'GICR_WAKER'),
  wakerNonSecure: choice<boolean>(
    false,
    'with two Security states GICR_WAKER is accessible to Non-secure software, too',
    'GICR_WAKER',
  ),
  resetKeepsLines: choice<boolean>(
    true,
    'a reset of the GIC leaves the levels of its input lines as devices drive them',
    'GICD_ISPENDR<n>',
  ),
  ctlrEl3SecureBits: choice<boolean>(
    true,
    'ICC_CTLR_EL3.EOImode_EL1S and CBPR_EL1S read as those of Secure EL1, not of Non-secure EL1',
    'ICC_CTLR_EL3',
  ),
  nonSecureAp1r: choice<NonSecureAp1r>(
    'all',
    'with two Security states, what of the Non-secure instances of ICC_AP1R0_EL1 and ICC_AP1R1_EL1 can be written: all, the priorities that are Non-secure, or none',
    'ICC_AP1R<n>_EL1',
  ),
  pmrKeepsReserved: choice<boolean>(
    false,
    'ICC_PMR_EL1 keeps what is written to bits 31:8, so that a mask may be lower than every priority',
    'ICC_PMR_EL1',
  ),
  icfgrSettles: choice<boolean>(
    true,
    'GICD_ICFGR and GICR_ICFGR writes take effect on what is signalled at once',
    'GICD_ICFGR<n>',
  ),
  statusr: choice<boolean>(true, 'GICD_STATUSR and GICR_STATUSR exist; otherwise RAZ/WI', 'GICD_STATUSR'),
  reportedWrites: choice<readonly string[]>(
    [],
    'read-only registers to which a write of this width is reported as one to a reserved location: NAME:bytes, or NAME+offset:bytes for one half',
    'GITS_TYPER',
  ),
  alsoReserved: choice<readonly string[]>(
    [],
    'registers that are RAZ/WI without the feature that they belong to, and that are reported as reserved locations',
    'GICD_INMIR<n>',
  ),
  alsoAccepted: choice<readonly AcceptedRange[]>(
    [],
    'reserved locations that are RAZ/WI and not reported as reserved',
    'Distributor register map',
  ),
  sgi1ReachesGroup0: choice<boolean>(
    true,
    'with one Security state a write to ICC_SGI1R_EL1 makes an SGI pending that its target has in Group 0',
    'Use of control registers for SGI forwarding',
  ),
  groupZeroNmis: choice<boolean>(
    false,
    'an interrupt of Group 0 with the non-maskable property is an NMI; ICC_AP0R0_EL1 has a bit for it, which is no running priority',
    'GICD_INMIR<n>',
  ),
  nmiIsNoIrq: choice<boolean>(
    false,
    'an NMI, or a virtual one, is signalled by a line of its own, so that neither IRQ nor FIQ is up for it',
    'GICD_INMIR<n>',
  ),
  rprNmiNonSecure: choice<boolean>(
    false,
    'with one Security state ICC_RPR_EL1 tells of an active NMI in NMI_NS, not in NMI',
    'ICC_RPR_EL1',
  ),
  lrNmiKeepsPriority: choice<boolean>(
    false,
    'a virtual NMI is ranked by ICH_LR<n>_EL2.Priority; otherwise its priority is 0',
    'ICH_LR<n>_EL2',
  ),
  lrKeepsNmi: choice<boolean>(
    false,
    'ICH_LR<n>_EL2.NMI keeps what is written without the non-maskable property of virtual interrupts',
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
