// What a profile is: every IMPLEMENTATION DEFINED and CONSTRAINED UNPREDICTABLE choice that the model makes, as
// data. The model reads these; it never asks which implementation it is playing.

/** When a Redistributor looks at an LPI's configuration byte. Both are legal (IHI 0069, "LPI configuration tables"). */
export type LpiConfigPolicy =
  /** Once, then cached until INV, INVALL or a change of mapping: the least that the architecture promises. */
  | 'until-invalidated'
  /** Each time the LPI becomes pending, and for all pending LPIs at each invalidation or rescan. */
  | 'on-pend-and-rescan'
  /** At every arbitration: a write to the byte acts at once. */
  | 'live';

export interface Profile {
  readonly name: string;
  readonly doc: string;
  readonly lpiConfig: LpiConfigPolicy;
  /** A rescan for the best LPI, which re-reads configuration, also follows the acknowledge or clearing of that LPI. */
  readonly rescanOnClear: boolean;
  /** INV and INVALL re-read the configuration of every pending LPI of the Redistributor, not only the one named. */
  readonly invReloadsAll: boolean;
  /** INVALL concerns every Redistributor, not only that of the collection. */
  readonly invallReachesAll: boolean;
  /** GICR_CTLR.CES: EnableLPIs can be cleared again; otherwise it is RES1 once set. */
  readonly ctlrCes: boolean;
  /** The PENDBASER register accepts writes while GICR_CTLR.EnableLPIs is 1. */
  readonly pendbaserWritableWhileEnabled: boolean;
  /** GICR_CTLR.IR: GICR_INVLPIR, GICR_INVALLR and GICR_SYNCR exist, also without GICR_TYPER.DirectLPI. */
  readonly ctlrIr: boolean;
  /** EnableLPIs going to 0 makes a Redistributor drop what it holds of LPIs; the pending table keeps what is pending. */
  readonly disableForgets: boolean;
  /** GICR_PENDBASER.PTZ reads back what was written. */
  readonly ptzReadsBack: boolean;
  /** With GICR_PENDBASER.PTZ = 1 the pending table is taken to be zero and not read. */
  readonly ptzTrusted: boolean;
  /** GICR_PROPBASER and GICR_PENDBASER keep what is written to reserved bits. */
  readonly baserKeepsReserved: boolean;
  /** GICD_IROUTER keeps what is written to reserved bits: Interrupt_Routing_Mode too, where GICD_TYPER.No1N is 1. */
  readonly irouterKeepsReserved: boolean;
  /** GITS_CREADR accepts writes while GICD_CTLR.DS is 1. */
  readonly creadrWritable: boolean;
  /** GITS_CTLR.Quiescent always reads 1. */
  readonly alwaysQuiescent: boolean;
  /** What an ITS does with a command error: go on with the next command, or stall. */
  readonly itsErrors: 'ignore' | 'stall';
  /** A failing lookup of the collection leaves the effect of DISCARD undone. */
  readonly discardNeedsCollection: boolean;
  /** A sleeping PE (GICR_WAKER.ProcessorSleep) gets no interrupt. */
  readonly wakerGates: boolean;
  /** GICR_WAKER at reset. */
  readonly wakerReset: number;
  /** GICD_ICFGR and GICR_ICFGR writes take effect on what is signalled at once. */
  readonly icfgrSettles: boolean;
  /** GICD_STATUSR and GICR_STATUSR exist; otherwise RAZ/WI. */
  readonly statusr: boolean;
  /** Read-only registers to which a write of this width is reported as one to a reserved location: `NAME:bytes`. */
  readonly reportedWrites: readonly string[];
}
