// What becomes of each register when a GIC is saved and restored. A register that is not listed here does not compile, so
// that whoever adds one decides. `save` is held to this table by coverage.test.ts.
import type { GICD, GICR, GITS } from '../spec/index.ts';

/**
 * - `saved`: `save` has it, and a restore writes it back.
 * - `state of …`: another register holds the same state.
 * - `constant`: identification, which the configuration gives.
 * - `action`: a write does something, and the register holds nothing.
 * - `not modelled`: it reads as zero, or has no effect.
 * - `not saved`: it holds state that a restore loses.
 */
export type Coverage = 'saved' | `state of ${string}` | 'constant' | 'action' | 'not modelled' | 'not saved';

type CoverageOf<T> = { readonly [K in keyof T]: Coverage };

export const GICD_COVERAGE: CoverageOf<typeof GICD> = {
  GICD_CTLR: 'saved',
  GICD_TYPER: 'constant',
  GICD_IIDR: 'constant',
  GICD_TYPER2: 'constant',
  GICD_STATUSR: 'not modelled',
  GICD_SETSPI_NSR: 'action',
  GICD_CLRSPI_NSR: 'action',
  GICD_SETSPI_SR: 'action',
  GICD_CLRSPI_SR: 'action',
  GICD_IGROUPR: 'saved',
  GICD_ISENABLER: 'saved',
  GICD_ICENABLER: 'state of GICD_ISENABLER',
  GICD_ISPENDR: 'saved',
  GICD_ICPENDR: 'state of GICD_ISPENDR',
  GICD_ISACTIVER: 'saved',
  GICD_ICACTIVER: 'state of GICD_ISACTIVER',
  GICD_IPRIORITYR: 'saved',
  GICD_ITARGETSR: 'not modelled',
  GICD_ICFGR: 'saved',
  GICD_IGRPMODR: 'saved',
  GICD_NSACR: 'not saved',
  GICD_SGIR: 'action',
  GICD_CPENDSGIR: 'not modelled',
  GICD_SPENDSGIR: 'not modelled',
  GICD_INMIR: 'not saved',
  GICD_IGROUPRE: 'not saved',
  GICD_ISENABLERE: 'not saved',
  GICD_ICENABLERE: 'state of GICD_ISENABLERE',
  GICD_ISPENDRE: 'not saved',
  GICD_ICPENDRE: 'state of GICD_ISPENDRE',
  GICD_ISACTIVERE: 'not saved',
  GICD_ICACTIVERE: 'state of GICD_ISACTIVERE',
  GICD_IPRIORITYRE: 'not saved',
  GICD_ICFGRE: 'not saved',
  GICD_IGRPMODRE: 'not saved',
  GICD_NSACRE: 'not saved',
  GICD_INMIRE: 'not saved',
  GICD_IROUTER: 'saved',
  GICD_IROUTERE: 'not saved',
  GICD_PIDR: 'constant',
};

export const GICR_COVERAGE: CoverageOf<typeof GICR> = {
  GICR_CTLR: 'saved',
  GICR_IIDR: 'constant',
  GICR_TYPER: 'constant',
  GICR_STATUSR: 'not modelled',
  GICR_WAKER: 'saved',
  GICR_MPAMIDR: 'constant',
  GICR_PARTIDR: 'not modelled',
  GICR_SETLPIR: 'action',
  GICR_CLRLPIR: 'action',
  GICR_PROPBASER: 'saved',
  GICR_PENDBASER: 'saved',
  GICR_INVLPIR: 'action',
  GICR_INVALLR: 'action',
  GICR_SYNCR: 'constant',
  GICR_PIDR: 'constant',
  GICR_IGROUPR: 'saved',
  GICR_ISENABLER: 'saved',
  GICR_ICENABLER: 'state of GICR_ISENABLER',
  GICR_ISPENDR: 'saved',
  GICR_ICPENDR: 'state of GICR_ISPENDR',
  GICR_ISACTIVER: 'saved',
  GICR_ICACTIVER: 'state of GICR_ISACTIVER',
  GICR_IPRIORITYR: 'saved',
  GICR_ICFGR: 'saved',
  GICR_IGRPMODR: 'saved',
  GICR_NSACR: 'not saved',
  GICR_INMIR: 'not saved',
  GICR_VPROPBASER: 'not saved',
  GICR_VPENDBASER: 'not saved',
  GICR_VSGIR: 'action',
  GICR_VSGIPENDR: 'action',
};

export const GITS_COVERAGE: CoverageOf<typeof GITS> = {
  GITS_CTLR: 'saved',
  GITS_IIDR: 'constant',
  GITS_TYPER: 'constant',
  GITS_MPAMIDR: 'constant',
  GITS_PARTIDR: 'not modelled',
  GITS_MPIDR: 'constant',
  GITS_STATUSR: 'not modelled',
  GITS_UMSIR: 'not modelled',
  GITS_CBASER: 'saved',
  GITS_CWRITER: 'saved',
  GITS_CREADR: 'saved',
  GITS_BASER: 'saved',
  GITS_PIDR: 'constant',
  GITS_TRANSLATER: 'action',
  GITS_SGIR: 'action',
};
