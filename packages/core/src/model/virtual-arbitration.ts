// Virtual arbitration: the highest-priority pending virtual interrupt of a PE, and whether its vIRQ, vFIQ or maintenance
// line is asserted (IHI 0069, "Virtual interrupt handling"). This file derives and emits `vhppi` and `maintenance`, and
// changes nothing else.

import { RECORDS, SECURITY_STATES } from '../record/index.ts';
import {
  fieldReader,
  LPI_CONFIG,
  LPI_FIRST,
  mask,
  maskHigh,
  masks,
  SPURIOUS,
  SYSREGS,
} from '../spec/index.ts';
import { GROUP0, GROUP1NS } from './arbitration.ts';
import type { Machine } from './machine.ts';
import { CONFIG_UNKNOWN, type GicState, IDLE, NMI_VIRTUAL } from './state.ts';
import { listRegisters, NO_LR, VHPPI_WORDS, virtualPreemptionBits } from './virtual-state.ts';

const VHPPI = RECORDS.vhppi.id;
const MAINTENANCE = RECORDS.maintenance.id;
const NON_SECURE = SECURITY_STATES.indexOf('Non-secure');

/** In place of the number of a list register: the highest-priority pending virtual interrupt is the vLPI. */
export const LR_IS_VLPI = 16;

export const HCR = masks(SYSREGS.ICH_HCR_EL2);
export const VMCR = masks(SYSREGS.ICH_VMCR_EL2);
export const MISR = masks(SYSREGS.ICH_MISR_EL2);
const STATE = maskHigh(SYSREGS.ICH_LR0_EL2, 'State');
/** Bits of the high word of a list register. */
export const LR_HIGH = {
  pINTID: maskHigh(SYSREGS.ICH_LR0_EL2, 'pINTID'),
  /** Bit 41, if HW is 0: an EOI raises a maintenance interrupt. */
  EOI: 0x200,
  NMI: maskHigh(SYSREGS.ICH_LR0_EL2, 'NMI'),
  Group: maskHigh(SYSREGS.ICH_LR0_EL2, 'Group'),
  HW: maskHigh(SYSREGS.ICH_LR0_EL2, 'HW'),
  Pending: STATE & 0x4000_0000,
  Active: (STATE & 0x8000_0000) >>> 0,
} as const;

const LPI_ENABLE = mask(LPI_CONFIG, 'Enable');
const LPI_PRIORITY = mask(LPI_CONFIG, 'Priority');
const priorityOf = fieldReader(SYSREGS.ICH_LR0_EL2, 'Priority');
const stateOf = fieldReader(SYSREGS.ICH_LR0_EL2, 'State');
const binaryPoint0 = fieldReader(SYSREGS.ICH_VMCR_EL2, 'VBPR0');
const binaryPoint1 = fieldReader(SYSREGS.ICH_VMCR_EL2, 'VBPR1');
export const virtualPriorityMask = fieldReader(SYSREGS.ICH_VMCR_EL2, 'VPMR');
/** Masks of a virtual SGI's configuration byte: Group 1, and the priority. */
const SGI_GROUP1 = 2;
const SGI_PRIORITY = 0xf0;

export function lrPriority(high: number): number {
  return priorityOf(0, high);
}
export function lrGroup(high: number): number {
  return high & LR_HIGH.Group ? GROUP1NS : GROUP0;
}
/** ICH_LR<n>_EL2.State: 0 invalid, 1 pending, 2 active, 3 both. */
export function lrState(high: number): number {
  return stateOf(0, high);
}

/** The binary point of a group in ICH_VMCR_EL2. */
export function virtualBinaryPoint(vmcr: number, group: number): number {
  return group === GROUP0 ? binaryPoint0(vmcr) : binaryPoint1(vmcr);
}

/** The mask of the group priority within a virtual priority. */
export function virtualGroupPriorityMask(vmcr: number, group: number): number {
  const common = group !== GROUP0 && (vmcr & VMCR.VCBPR) !== 0;
  const point = virtualBinaryPoint(vmcr, common ? GROUP0 : group) - (group !== GROUP0 && !common ? 1 : 0);
  return (0xff << (point + 1)) & 0xff;
}

/** The virtual running priority: the highest active one, or 0xff when idle (IHI 0069, "ICV_RPR_EL1"). */
export function virtualRunningPriority(state: GicState, pe: number): number {
  if (state.nmiActive[pe]! & NMI_VIRTUAL) return 0;
  const { ap0r, ap1r } = state.virtual;
  for (let i = 0; i < 4; i++) {
    const active = ap0r[4 * pe + i]! | ap1r[4 * pe + i]!;
    if (active !== 0)
      return (
        ((32 * i + 31 - Math.clz32(active & -active)) << (8 - virtualPreemptionBits(state.config))) & 0xff
      );
  }
  return IDLE;
}

/** Whether a virtual interrupt of this group and priority is signalled now. The priority mask does not apply to an NMI. */
export function canPreemptVirtual(
  state: GicState,
  pe: number,
  group: number,
  priority: number,
  nmi: boolean,
): boolean {
  const vmcr = state.virtual.vmcr[pe]!;
  if ((state.virtual.hcr[pe]! & HCR.En) === 0) return false;
  if (!nmi && priority >= virtualPriorityMask(vmcr)) return false;
  const running = virtualRunningPriority(state, pe);
  if (running === IDLE) return true;
  const mask = virtualGroupPriorityMask(vmcr, group);
  if ((priority & mask) !== (running & mask)) return (priority & mask) < (running & mask);
  return nmi && (state.nmiActive[pe]! & NMI_VIRTUAL) === 0;
}

/** Whether a list register contains a virtual NMI: one of Group 1, if the GIC has NMIs (IHI 0069, "ICH_LR<n>_EL2"). */
export function isVirtualNmi(state: GicState, high: number): boolean {
  return state.hasNmi && (high & LR_HIGH.NMI) !== 0 && lrGroup(high) !== GROUP0;
}

/** The effective priority of a list register. For a virtual NMI it is the highest, unless the profile says otherwise. */
export function rankedPriority(state: GicState, high: number): number {
  return isVirtualNmi(state, high) && !state.profile.lrNmiKeepsPriority ? 0 : lrPriority(high);
}

function groupEnabled(vmcr: number, group: number): boolean {
  return (vmcr & (group === GROUP0 ? VMCR.VENG0 : VMCR.VENG1)) !== 0;
}

/** The highest-priority pending virtual interrupt of a PE. Every call of `rankVirtual` overwrites it. */
export const best = {
  ...{ lr: -1, vlpi: SPURIOUS, vlpiGroup: 0, vlpiPriority: IDLE, group: 0, priority: IDLE },
  nmi: false,
};

/** The group of a vLPI or vSGI by its configuration byte. */
function configGroup(intid: number, config: number): number {
  return intid >= LPI_FIRST || config & SGI_GROUP1 ? GROUP1NS : GROUP0;
}

/** Fills {@link best}: the best vLPI of the resident vPE, and the best among that and the list registers. */
export function rankVirtual(m: Machine, pe: number): void {
  const { state } = m;
  const { virtual, config } = state;
  best.vlpi = SPURIOUS;
  best.vlpiGroup = 0;
  best.vlpiPriority = IDLE;
  const configs = virtual.config[pe]!;
  m.budget.spend(virtual.pending[pe]!.size);
  for (const intid of virtual.pending[pe]!) {
    const byte = configs.get(intid);
    if (byte === undefined || byte >= CONFIG_UNKNOWN || (byte & LPI_ENABLE) === 0) continue;
    const priority = byte & (intid >= LPI_FIRST ? LPI_PRIORITY : SGI_PRIORITY);
    if (priority < best.vlpiPriority || (priority === best.vlpiPriority && intid < best.vlpi)) {
      best.vlpi = intid;
      best.vlpiPriority = priority;
      best.vlpiGroup = configGroup(intid, byte);
    }
  }
  best.lr = -1;
  best.priority = IDLE;
  best.nmi = false;
  const vmcr = virtual.vmcr[pe]!;
  if ((vmcr & (VMCR.VENG0 | VMCR.VENG1)) === 0) return;
  const count = listRegisters(config);
  for (let n = 0; n < count; n++) {
    const high = virtual.lr[32 * pe + 2 * n + 1]!;
    if (lrState(high) !== 1 || !groupEnabled(vmcr, lrGroup(high))) continue;
    const priority = rankedPriority(state, high);
    const nmi = isVirtualNmi(state, high);
    if (priority < best.priority || (priority === best.priority && nmi && !best.nmi)) {
      best.priority = priority;
      best.nmi = nmi;
      best.group = lrGroup(high);
      best.lr = n;
    }
  }
  // A vLPI is pending for a PE in Non-secure state only.
  const isNonSecure = state.singleSecurityOfPes || state.security[pe] === NON_SECURE;
  if (isNonSecure && best.vlpiPriority < best.priority && groupEnabled(vmcr, best.vlpiGroup)) {
    best.priority = best.vlpiPriority;
    best.group = best.vlpiGroup;
    best.lr = LR_IS_VLPI;
    best.nmi = false;
  }
}

/** ICH_EISR_EL2: list registers whose interrupt has ended and that request a maintenance interrupt for this. */
export function eoiStatus(state: GicState, pe: number): number {
  let bits = 0;
  for (let n = 0; n < listRegisters(state.config); n++) {
    const high = state.virtual.lr[32 * pe + 2 * n + 1]!;
    if (lrState(high) === 0 && (high & LR_HIGH.HW) === 0 && high & LR_HIGH.EOI) bits |= 1 << n;
  }
  return bits;
}

/** ICH_MISR_EL2. */
export function maintenanceState(m: Machine, pe: number): number {
  const { state } = m;
  const { virtual } = state;
  const hcr = virtual.hcr[pe]!;
  const vmcr = virtual.vmcr[pe]!;
  let valid = 0;
  let pending = false;
  for (let n = 0; n < listRegisters(state.config); n++) {
    const lr = lrState(virtual.lr[32 * pe + 2 * n + 1]!);
    if (lr !== 0) valid++;
    if (lr === 1) pending = true;
  }
  let misr = 0;
  if (eoiStatus(state, pe) !== 0) misr |= MISR.EOI;
  if (valid < 2 && hcr & HCR.UIE) misr |= MISR.U;
  if (hcr & HCR.LRENPIE && hcr & HCR.EOIcount) misr |= MISR.LRENP;
  if (!pending && hcr & HCR.NPIE) misr |= MISR.NP;
  if (hcr & HCR.VGrp0EIE && vmcr & VMCR.VENG0) misr |= MISR.VGrp0E;
  const group0Off = (vmcr & (m.profile.vgrp0dByGroup1 ? VMCR.VENG1 : VMCR.VENG0)) === 0;
  if (hcr & HCR.VGrp0DIE && group0Off) misr |= MISR.VGrp0D;
  if (hcr & HCR.VGrp1EIE && vmcr & VMCR.VENG1) misr |= MISR.VGrp1E;
  if (hcr & HCR.VGrp1DIE && (vmcr & VMCR.VENG1) === 0) misr |= MISR.VGrp1D;
  return misr;
}

const told = new Uint32Array(VHPPI_WORDS);

function arbitrateVirtual(m: Machine, pe: number): void {
  const { state } = m;
  rankVirtual(m, pe);
  const signalled = best.lr !== -1 && canPreemptVirtual(state, pe, best.group, best.priority, best.nmi);
  told[0] = best.lr === -1 ? NO_LR : best.lr;
  told[1] = best.vlpi;
  told[2] = best.vlpiGroup;
  told[3] = best.vlpiPriority;
  told[4] = signalled && best.group === GROUP0 ? 1 : 0;
  told[5] = signalled && best.group !== GROUP0 && !(best.nmi && m.profile.nmiIsNoIrq) ? 1 : 0;
  const { hppi } = state.virtual;
  for (let k = 0; k < VHPPI_WORDS; k++)
    if (hppi[VHPPI_WORDS * pe + k] !== told[k]) {
      m.emitWords(VHPPI, pe, told, 0, VHPPI_WORDS);
      break;
    }
  const level = state.virtual.hcr[pe]! & HCR.En && maintenanceState(m, pe) !== 0 ? 1 : 0;
  if (level !== state.virtual.maintenance[pe]) m.emit(MAINTENANCE, pe, level);
}

/** Arbitrates again for every PE whose virtual side may be concerned by events since the last call. */
export function settleVirtual(m: Machine): void {
  if (!m.anyVpeDirty) return;
  m.anyVpeDirty = false;
  for (let pe = 0; pe < m.vpeDirty.length; pe++) {
    if (m.vpeDirty[pe] === 0) continue;
    m.vpeDirty[pe] = 0;
    arbitrateVirtual(m, pe);
  }
}
