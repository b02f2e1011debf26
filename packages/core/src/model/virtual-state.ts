// The state of the virtual side of a GIC: each PE's virtual CPU interface (ICH registers), its resident vPE, and the
// pending vLPIs of that vPE. The pending state of vPEs that are not resident is only in guest memory, in their virtual
// pending tables. This file has only state.

import type { GicConfig } from '../config.ts';
import { fieldReader, mask, packFields, SYSREGS } from '../spec/index.ts';
import type { Arena, Slot } from './arena.ts';

/** The most list registers that the architecture permits. */
export const LR_MAX = 16;
/** ICH_VTR_EL2 if the configuration has no value for it. */
const VTR_DEFAULT = Number(
  packFields(SYSREGS.ICH_VTR_EL2, { PRIbits: 5, PREbits: 5, IDbits: 1, A3V: 1, TDS: 1, ListRegs: 4 }),
);
/** nV4: direct injection of virtual interrupts is not supported. */
const VTR_NV4 = mask(SYSREGS.ICH_VTR_EL2, 'nV4');
const listRegistersOf = fieldReader(SYSREGS.ICH_VTR_EL2, 'ListRegs');
const priorityBitsOf = fieldReader(SYSREGS.ICH_VTR_EL2, 'PRIbits');
const preemptionBitsOf = fieldReader(SYSREGS.ICH_VTR_EL2, 'PREbits');
/** Words of what a PE's virtual machine is signalled: LR, vLPI, group, priority, vFIQ, vIRQ. */
export const VHPPI_WORDS = 6;
/** Words of a resident vPE: VPT_addr, vPEID, valid, VCONF_addr, IDbits, as in the event vpe.resident. */
export const RESIDENT_WORDS = 7;
export const NO_LR = 0xffff_ffff;

/** ICH_VTR_EL2. */
export function vtrOf(config: GicConfig): number {
  return config.vtr ?? (config.architecture === 3 ? VTR_DEFAULT | VTR_NV4 : VTR_DEFAULT) >>> 0;
}
export function listRegisters(config: GicConfig): number {
  return Math.min(LR_MAX, listRegistersOf(vtrOf(config)));
}
export function virtualPriorityBits(config: GicConfig): number {
  return priorityBitsOf(vtrOf(config));
}
/** At most 7: the lowest bit of a priority belongs to no group. The field of ICH_VTR_EL2 has room for 8. */
export function virtualPreemptionBits(config: GicConfig): number {
  return Math.min(7, preemptionBitsOf(vtrOf(config)));
}

/** ICH_VMCR_EL2 at reset: Group 0 as FIQ, both binary points at their minimum. */
export function vmcrReset(config: GicConfig): number {
  const minimum = 7 - virtualPreemptionBits(config);
  return Number(packFields(SYSREGS.ICH_VMCR_EL2, { VFIQEn: 1, VBPR1: minimum + 1, VBPR0: minimum }));
}

export interface VirtualState {
  readonly hcr: Uint32Array;
  readonly vmcr: Uint32Array;
  /** Active virtual priorities of Group 0 and of Group 1, four words per PE. */
  readonly ap0r: Uint32Array;
  readonly ap1r: Uint32Array;
  /** List registers: sixteen pairs of words per PE. */
  readonly lr: Uint32Array;
  /** GICR_VPROPBASER and GICR_VPENDBASER: a pair of words per PE. */
  readonly vpropbaser: Uint32Array;
  readonly vpendbaser: Uint32Array;
  /** See {@link RESIDENT_WORDS}. */
  readonly resident: Uint32Array;
  /** See {@link VHPPI_WORDS}. */
  readonly hppi: Uint32Array;
  readonly maintenance: Uint32Array;
  /** vPEID + 1 of the last write to GICR_VSGIR. */
  readonly vsgir: Uint32Array;
  /** The pending vLPIs and vSGIs of each PE's resident vPE, and the configuration that the Redistributor has cached. */
  readonly pending: Set<number>[];
  readonly config: Map<number, number>[];
  reset(config: GicConfig): void;
}

/** Reserves space in an arena. */
export function planVirtual(arena: Arena, pes: number): Slot<VirtualState> {
  const plan = {
    hcr: arena.words(pes),
    vmcr: arena.words(pes),
    ap0r: arena.words(4 * pes),
    ap1r: arena.words(4 * pes),
    lr: arena.words(2 * LR_MAX * pes),
    vpropbaser: arena.words(2 * pes),
    vpendbaser: arena.words(2 * pes),
    resident: arena.words(RESIDENT_WORDS * pes),
    hppi: arena.words(VHPPI_WORDS * pes),
    maintenance: arena.words(pes),
    vsgir: arena.words(pes),
  };
  return {
    get(): VirtualState {
      const pending = Array.from({ length: pes }, () => new Set<number>());
      const config = Array.from({ length: pes }, () => new Map<number, number>());
      const vmcr = plan.vmcr.get();
      const hppi = plan.hppi.get();
      return {
        hcr: plan.hcr.get(),
        vmcr,
        ap0r: plan.ap0r.get(),
        ap1r: plan.ap1r.get(),
        lr: plan.lr.get(),
        vpropbaser: plan.vpropbaser.get(),
        vpendbaser: plan.vpendbaser.get(),
        resident: plan.resident.get(),
        hppi,
        maintenance: plan.maintenance.get(),
        vsgir: plan.vsgir.get(),
        pending,
        config,
        reset(gic) {
          for (let pe = 0; pe < pes; pe++) {
            vmcr[pe] = vmcrReset(gic);
            hppi.set([NO_LR, 1023, 0, 255, 0, 0], VHPPI_WORDS * pe);
            pending[pe]!.clear();
            config[pe]!.clear();
          }
        },
      };
    },
  };
}
