// The virtual CPU interface: handlers, by register name, of the hypervisor's ICH system registers and of the virtual
// machine's ICV system registers (IHI 0069, "Virtual interrupt handling and prioritization").

import { RECORDS, UNITS } from '../record/index.ts';
import {
  fieldReader,
  fieldReaders,
  fieldWriter,
  isSpecial,
  LPI_FIRST,
  mask,
  maskHigh,
  packFields,
  SPECIAL_FIRST,
  SPECIAL_INTIDS,
  SPURIOUS,
  SYSREGS,
} from '../spec/index.ts';
import { GROUP0, GROUP1NS } from './arbitration.ts';
import type { Machine } from './machine.ts';
import { IDLE, NMI_VIRTUAL } from './state.ts';
import {
  best,
  canPreemptVirtual,
  eoiStatus,
  HCR,
  isVirtualNmi,
  LR_HIGH,
  LR_IS_VLPI,
  lrGroup,
  lrState,
  maintenanceState,
  rankedPriority,
  rankVirtual,
  settleVirtual,
  VMCR,
  virtualBinaryPoint,
  virtualGroupPriorityMask,
  virtualPriorityMask,
  virtualRunningPriority,
} from './virtual-arbitration.ts';
import {
  listRegisters,
  NO_LR,
  virtualPreemptionBits,
  virtualPriorityBits,
  vmcrReset,
  vtrOf,
} from './virtual-state.ts';
import { clearResidentVlpi } from './vlpi.ts';

const ACKNOWLEDGED = RECORDS['virq.acknowledged'].id;
const DROPPED = RECORDS['virq.dropped'].id;
const DEACTIVATED = RECORDS['virq.deactivated'].id;
const UNIT_ICH = UNITS.indexOf('ICH');

const HCR_ENCODING = SYSREGS.ICH_HCR_EL2.encoding;
const VMCR_ENCODING = SYSREGS.ICH_VMCR_EL2.encoding;
const vtrFields = fieldReaders(SYSREGS.ICH_VTR_EL2);
const LR0 = SYSREGS.ICH_LR0_EL2.encoding;
const AP0R0 = SYSREGS.ICH_AP0R0_EL2.encoding;
const AP1R0 = SYSREGS.ICH_AP1R0_EL2.encoding;
/** The bits of ICH_HCR_EL2 that a write can change: all that are not reserved, including TC to TDIR and DVIM. */
const HCR_WRITABLE = Object.values(HCR).reduce((all, one) => (all | one) >>> 0, 0);
const VMCR_WRITABLE = mask(
  SYSREGS.ICH_VMCR_EL2,
  ...(['VENG0', 'VENG1', 'VCBPR', 'VEOIM', 'VBPR1', 'VBPR0', 'VPMR'] as const),
);
const withBinaryPoint0 = fieldWriter(SYSREGS.ICH_VMCR_EL2, 'VBPR0');
const withBinaryPoint1 = fieldWriter(SYSREGS.ICH_VMCR_EL2, 'VBPR1');
const withPriorityMask = fieldWriter(SYSREGS.ICH_VMCR_EL2, 'VPMR');
const eoiCount = fieldReader(SYSREGS.ICH_HCR_EL2, 'EOIcount');
const withEoiCount = fieldWriter(SYSREGS.ICH_HCR_EL2, 'EOIcount');
const INTID = mask(SYSREGS.ICV_EOIR1_EL1, 'INTID');
const BINARY_POINT = mask(SYSREGS.ICV_BPR0_EL1, 'BinaryPoint');
const ENABLE = mask(SYSREGS.ICV_IGRPEN0_EL1, 'Enable');
const CTLR_CBPR = mask(SYSREGS.ICV_CTLR_EL1, 'CBPR');
const CTLR_EOIMODE = mask(SYSREGS.ICV_CTLR_EL1, 'EOImode');

/** Deactivates a physical interrupt, as the EOI of a list register with HW does. The physical side provides this. */
export type DeactivatePhysical = (m: Machine, pe: number, intid: number) => void;

function store(m: Machine, pe: number, register: number, value: number, old: number): void {
  m.changeRegister(UNIT_ICH, pe, register, value >>> 0, 0, old, 0);
}

function storeLr(m: Machine, pe: number, n: number, low: number, high: number): void {
  const { lr } = m.state.virtual;
  const at = 32 * pe + 2 * n;
  m.changeRegister(UNIT_ICH, pe, LR0 + n, low >>> 0, high >>> 0, lr[at]!, lr[at + 1]!);
}

function setVmcr(m: Machine, pe: number, value: number): void {
  store(m, pe, VMCR_ENCODING, value, m.state.virtual.vmcr[pe]!);
}

/** A value of ICH_VMCR_EL2 with a binary point inserted. A value that is too small becomes the minimum. */
function withBinaryPoint(m: Machine, vmcr: number, group: number, value: number): number {
  const minimum = 7 - virtualPreemptionBits(m.state.config) + (group === GROUP0 ? 0 : 1);
  const point = Math.max(value & BINARY_POINT, minimum);
  return group === GROUP0 ? withBinaryPoint0(vmcr, point) : withBinaryPoint1(vmcr, point);
}

function priorityMaskBits(m: Machine): number {
  return (0xff << (8 - virtualPriorityBits(m.state.config))) & 0xff;
}

/** The bit in the high word of ICH_AP1R0_EL2 and of ICV_RPR_EL1 that says that an NMI is active. */
const NMI_HIGH = maskHigh(SYSREGS.ICH_AP1R0_EL2, 'NMI');

/** The high word of an active-priorities register, by its encoding. */
function activeHigh(m: Machine, pe: number, register: number): number {
  return register === AP1R0 && m.state.nmiActive[pe]! & NMI_VIRTUAL ? NMI_HIGH : 0;
}

/** Stores an active-priorities register. Only ICH_AP1R0_EL2 has a high word, and only if there are NMIs. */
function storeActive(m: Machine, pe: number, register: number, low: number, high: number): void {
  const { ap0r, ap1r } = m.state.virtual;
  const old = register >= AP1R0 ? ap1r[4 * pe + register - AP1R0]! : ap0r[4 * pe + register - AP0R0]!;
  const kept = register === AP1R0 && m.state.hasNmi ? (high & NMI_HIGH) >>> 0 : 0;
  m.changeRegister(UNIT_ICH, pe, register, low >>> 0, kept, old, activeHigh(m, pe, register));
}

function activate(m: Machine, pe: number, group: number, priority: number, nmi: boolean): void {
  const { virtual, config } = m.state;
  if (nmi) {
    storeActive(m, pe, AP1R0, virtual.ap1r[4 * pe]!, NMI_HIGH);
    return;
  }
  const masked = priority & virtualGroupPriorityMask(virtual.vmcr[pe]!, group);
  const bit = masked >> (8 - virtualPreemptionBits(config));
  const registers = group === GROUP0 ? virtual.ap0r : virtual.ap1r;
  const old = registers[4 * pe + (bit >> 5)]!;
  const register = (group === GROUP0 ? AP0R0 : AP1R0) + (bit >> 5);
  storeActive(m, pe, register, old | (1 << (bit & 31)), activeHigh(m, pe, register));
}

/** Two list registers that are not invalid must not have the same vINTID (IHI 0069, "ICH_LR<n>_EL2"). */
function noteSameVintid(m: Machine, pe: number, vintid: number): void {
  const { lr } = m.state.virtual;
  let found = 0;
  for (let n = 0; n < listRegisters(m.state.config); n++)
    if (lr[32 * pe + 2 * n] === vintid && lrState(lr[32 * pe + 2 * n + 1]!) !== 0) found++;
  if (found > 1) m.unpredictable('list-registers-same-vintid', pe, vintid);
}

/**
 * What ICV_IAR0, ICV_IAR1 or ICV_NMIAR1 reads, and its effects. As on the physical side, virtual PEs are assumed to use
 * NMIs if the GIC has them.
 */
function acknowledge(m: Machine, pe: number, wanted: number, nmiRegister = false): number {
  const { state } = m;
  rankVirtual(m, pe);
  if (best.lr === -1 || best.group !== wanted) return SPURIOUS;
  if (!canPreemptVirtual(state, pe, best.group, best.priority, best.nmi)) return SPURIOUS;
  const { lr: n, vlpi, group, priority, nmi } = best;
  if (n === LR_IS_VLPI) {
    if (nmiRegister) return SPURIOUS;
    activate(m, pe, group, priority, false);
    m.emit(ACKNOWLEDGED, pe, vlpi, group, priority, NO_LR);
    clearResidentVlpi(m, pe, vlpi);
    return vlpi;
  }
  const at = 32 * pe + 2 * n;
  const low = state.virtual.lr[at]!;
  const high = state.virtual.lr[at + 1]!;
  const special = isSpecial(low);
  // A special INTID in a list register is returned unchanged, and the register becomes invalid.
  if (special) storeLr(m, pe, n, low, high & ~LR_HIGH.Pending);
  else if (nmi !== nmiRegister) return nmi ? SPECIAL_INTIDS.nonMaskable : SPURIOUS;
  else {
    noteSameVintid(m, pe, low);
    activate(m, pe, group, priority, nmi);
    m.emit(ACKNOWLEDGED, pe, low, group, priority, n);
    storeLr(m, pe, n, low, (high & ~LR_HIGH.Pending) | LR_HIGH.Active);
  }
  return low;
}

function highestPending(m: Machine, pe: number, wanted: number): number {
  rankVirtual(m, pe);
  if (best.lr === -1 || best.group !== wanted) return SPURIOUS;
  return best.lr === LR_IS_VLPI ? best.vlpi : m.state.virtual.lr[32 * pe + 2 * best.lr]!;
}

/** The list register that contains this active interrupt, or -1. */
function findActive(m: Machine, pe: number, intid: number): number {
  const { lr } = m.state.virtual;
  for (let n = 0; n < listRegisters(m.state.config); n++) {
    const at = 32 * pe + 2 * n;
    if (lr[at + 1]! & LR_HIGH.Active && lr[at] === intid) return n;
  }
  return -1;
}

function countEoi(m: Machine, pe: number): void {
  const hcr = m.state.virtual.hcr[pe]!;
  store(m, pe, HCR_ENCODING, withEoiCount(hcr, eoiCount(hcr) + 1), hcr);
}

/** In place of a priority: the priority of an NMI was dropped. */
const DROPPED_NMI = -1;

/**
 * Drops the highest active virtual priority: first that of an NMI, then that of Group 0 if both groups have the same.
 * Returns the priority, {@link DROPPED_NMI} or IDLE.
 */
function drop(m: Machine, pe: number, intid: number): number {
  const { virtual, config } = m.state;
  if (m.state.nmiActive[pe]! & NMI_VIRTUAL) {
    storeActive(m, pe, AP1R0, virtual.ap1r[4 * pe]!, 0);
    m.emit(DROPPED, pe, intid, GROUP1NS, 0);
    return DROPPED_NMI;
  }
  for (let i = 0; i < 4; i++) {
    const zero = virtual.ap0r[4 * pe + i]!;
    const one = virtual.ap1r[4 * pe + i]!;
    if ((zero | one) === 0) continue;
    const bit0 = zero === 0 ? 32 : 31 - Math.clz32(zero & -zero);
    const bit1 = one === 0 ? 32 : 31 - Math.clz32(one & -one);
    const group = bit0 <= bit1 ? GROUP0 : GROUP1NS;
    const old = group === GROUP0 ? zero : one;
    storeActive(m, pe, (group === GROUP0 ? AP0R0 : AP1R0) + i, old & (old - 1), 0);
    const dropped = ((32 * i + Math.min(bit0, bit1)) << (8 - virtualPreemptionBits(config))) & 0xff;
    m.emit(DROPPED, pe, intid, group, dropped);
    return dropped;
  }
  return IDLE;
}

/** Makes the handlers, with the function that deactivates a physical interrupt. */
export function virtualHandlers(deactivatePhysical: DeactivatePhysical): {
  readonly reads: { readonly [name: string]: (m: Machine, pe: number) => number };
  readonly writes: { readonly [name: string]: (m: Machine, pe: number, low: number, high: number) => void };
} {
  const deactivate = (m: Machine, pe: number, n: number) => {
    const at = 32 * pe + 2 * n;
    const { lr } = m.state.virtual;
    const high = lr[at + 1]!;
    const pintid = high & LR_HIGH.pINTID;
    if (high & LR_HIGH.HW && pintid < SPECIAL_FIRST) deactivatePhysical(m, pe, pintid);
    m.emit(DEACTIVATED, pe, lr[at]!, n);
    storeLr(m, pe, n, lr[at]!, high & ~LR_HIGH.Active);
  };
  const endOfInterrupt = (m: Machine, pe: number, low: number, wanted: number) => {
    const intid = low & INTID;
    if (isSpecial(intid)) return;
    const dropped = drop(m, pe, intid);
    if (dropped === IDLE) return;
    const n = findActive(m, pe, intid);
    if (n < 0) {
      // LPIs have no active state and need no list register. The same holds for virtual SGIs if software says so.
      const uncounted = intid < 16 && (m.state.virtual.hcr[pe]! & HCR.vSGIEOICount) !== 0;
      if (intid < LPI_FIRST && !uncounted) countEoi(m, pe);
      return;
    }
    noteSameVintid(m, pe, intid);
    const high = m.state.virtual.lr[32 * pe + 2 * n + 1]!;
    const vmcr = m.state.virtual.vmcr[pe]!;
    const own = rankedPriority(m.state, high) & virtualGroupPriorityMask(vmcr, wanted);
    const fits = dropped === DROPPED_NMI ? isVirtualNmi(m.state, high) : own === dropped;
    if (lrGroup(high) !== wanted || !fits) return;
    if ((vmcr & VMCR.VEOIM) === 0 || intid >= LPI_FIRST) deactivate(m, pe, n);
  };
  const icvDir = (m: Machine, pe: number, low: number) => {
    const intid = low & INTID;
    if (intid >= SPECIAL_FIRST || (m.state.virtual.vmcr[pe]! & VMCR.VEOIM) === 0) return;
    const n = findActive(m, pe, intid);
    if (n < 0) countEoi(m, pe);
    else deactivate(m, pe, n);
  };
  const readBpr = (m: Machine, pe: number, group: number) => {
    const vmcr = m.state.virtual.vmcr[pe]!;
    const common = group !== GROUP0 && (vmcr & VMCR.VCBPR) !== 0;
    return common ? Math.min(virtualBinaryPoint(vmcr, GROUP0) + 1, 7) : virtualBinaryPoint(vmcr, group);
  };
  const writeBpr = (m: Machine, pe: number, group: number, value: number) => {
    const vmcr = m.state.virtual.vmcr[pe]!;
    if (group !== GROUP0 && vmcr & VMCR.VCBPR) return;
    setVmcr(m, pe, withBinaryPoint(m, vmcr, group, value));
  };
  const setBit = (m: Machine, pe: number, bit: number, on: boolean) => {
    const vmcr = m.state.virtual.vmcr[pe]!;
    setVmcr(m, pe, on ? vmcr | bit : vmcr & ~bit);
  };

  const reads: { [name: string]: (m: Machine, pe: number) => number } = {
    ICV_IAR0_EL1: (m, pe) => acknowledge(m, pe, GROUP0),
    ICV_IAR1_EL1: (m, pe) => acknowledge(m, pe, GROUP1NS),
    ICV_NMIAR1_EL1: (m, pe) => acknowledge(m, pe, GROUP1NS, true),
    ICV_HPPIR0_EL1: (m, pe) => highestPending(m, pe, GROUP0),
    ICV_HPPIR1_EL1: (m, pe) => highestPending(m, pe, GROUP1NS),
    ICV_RPR_EL1: (m, pe) => {
      m.high = activeHigh(m, pe, AP1R0);
      return virtualRunningPriority(m.state, pe);
    },
    ICV_PMR_EL1: (m, pe) => virtualPriorityMask(m.state.virtual.vmcr[pe]!),
    ICV_BPR0_EL1: (m, pe) => readBpr(m, pe, GROUP0),
    ICV_BPR1_EL1: (m, pe) => readBpr(m, pe, GROUP1NS),
    ICV_CTLR_EL1: (m, pe) => {
      const vmcr = m.state.virtual.vmcr[pe]!;
      const vtr = vtrOf(m.state.config);
      return Number(
        packFields(SYSREGS.ICV_CTLR_EL1, {
          A3V: vtrFields.A3V(vtr),
          IDbits: vtrFields.IDbits(vtr),
          PRIbits: vtrFields.PRIbits(vtr),
          EOImode: vmcr & VMCR.VEOIM ? 1 : 0,
          CBPR: vmcr & VMCR.VCBPR ? 1 : 0,
        }),
      );
    },
    ICV_IGRPEN0_EL1: (m, pe) => (m.state.virtual.vmcr[pe]! & VMCR.VENG0 ? 1 : 0),
    ICV_IGRPEN1_EL1: (m, pe) => (m.state.virtual.vmcr[pe]! & VMCR.VENG1 ? 1 : 0),
    ICH_HCR_EL2: (m, pe) => m.state.virtual.hcr[pe]!,
    ICH_VMCR_EL2: (m, pe) => m.state.virtual.vmcr[pe]!,
    ICH_VTR_EL2: (m) => vtrOf(m.state.config),
    ICH_MISR_EL2: maintenanceState,
    ICH_EISR_EL2: (m, pe) => eoiStatus(m.state, pe),
    ICH_ELRSR_EL2: (m, pe) => {
      let bits = 0;
      for (let n = 0; n < listRegisters(m.state.config); n++) {
        const high = m.state.virtual.lr[32 * pe + 2 * n + 1]!;
        if (lrState(high) === 0 && ((high & LR_HIGH.HW) !== 0 || (high & LR_HIGH.EOI) === 0)) bits |= 1 << n;
      }
      return bits;
    },
  };
  const writes: { [name: string]: (m: Machine, pe: number, low: number, high: number) => void } = {
    ICV_EOIR0_EL1: (m, pe, low) => endOfInterrupt(m, pe, low, GROUP0),
    ICV_EOIR1_EL1: (m, pe, low) => endOfInterrupt(m, pe, low, GROUP1NS),
    ICV_DIR_EL1: icvDir,
    ICV_PMR_EL1: (m, pe, low) => {
      const vmcr = m.state.virtual.vmcr[pe]!;
      setVmcr(m, pe, withPriorityMask(vmcr, low & priorityMaskBits(m)));
    },
    ICV_BPR0_EL1: (m, pe, low) => writeBpr(m, pe, GROUP0, low),
    ICV_BPR1_EL1: (m, pe, low) => writeBpr(m, pe, GROUP1NS, low),
    ICV_CTLR_EL1: (m, pe, low) => {
      const vmcr = m.state.virtual.vmcr[pe]! & ~(VMCR.VCBPR | VMCR.VEOIM);
      setVmcr(m, pe, vmcr | (low & CTLR_CBPR ? VMCR.VCBPR : 0) | (low & CTLR_EOIMODE ? VMCR.VEOIM : 0));
    },
    ICV_IGRPEN0_EL1: (m, pe, low) => setBit(m, pe, VMCR.VENG0, (low & ENABLE) !== 0),
    ICV_IGRPEN1_EL1: (m, pe, low) => setBit(m, pe, VMCR.VENG1, (low & ENABLE) !== 0),
    ICH_HCR_EL2: (m, pe, low) =>
      store(m, pe, HCR_ENCODING, low & m.profile.hcrWritable & HCR_WRITABLE, m.state.virtual.hcr[pe]!),
    ICH_VMCR_EL2: (m, pe, low) => {
      let vmcr = (low & VMCR_WRITABLE) | VMCR.VFIQEn;
      vmcr = withBinaryPoint(m, vmcr, GROUP0, virtualBinaryPoint(vmcr, GROUP0));
      setVmcr(m, pe, withBinaryPoint(m, vmcr, GROUP1NS, virtualBinaryPoint(vmcr, GROUP1NS)));
    },
  };
  for (let n = 0; n < 16; n++) {
    reads[`ICH_LR${n}_EL2`] = (m, pe) => {
      if (n >= listRegisters(m.state.config)) return 0;
      m.high = m.state.virtual.lr[32 * pe + 2 * n + 1]!;
      return m.state.virtual.lr[32 * pe + 2 * n]!;
    };
    writes[`ICH_LR${n}_EL2`] = (m, pe, low, high) => {
      if (n >= listRegisters(m.state.config)) return;
      // NMI is RES0 without the non-maskable property of virtual interrupts, which no profile has.
      const res0 = (~priorityMaskBits(m) & 0xff) << 16;
      storeLr(m, pe, n, low, high & ~res0 & (m.state.hasNmi || m.profile.lrKeepsNmi ? -1 : ~LR_HIGH.NMI));
    };
  }
  const implemented = (m: Machine) => 1 << Math.max(virtualPreemptionBits(m.state.config) - 5, 0);
  for (let n = 0; n < 4; n++)
    for (const [name, base, of] of [
      ['AP0R', AP0R0, (m: Machine) => m.state.virtual.ap0r],
      ['AP1R', AP1R0, (m: Machine) => m.state.virtual.ap1r],
    ] as const)
      for (const own of [`ICH_${name}${n}_EL2`, `ICV_${name}${n}_EL1`]) {
        reads[own] = (m, pe) => {
          m.high = activeHigh(m, pe, base + n);
          return of(m)[4 * pe + n]!;
        };
        writes[own] = (m, pe, low, high) => {
          if (n < implemented(m)) storeActive(m, pe, base + n, low, high);
        };
      }
  return { reads, writes };
}

/** Resets the virtual CPU interface of a PE. */
export function resetVirtualInterface(m: Machine, pe: number): void {
  const { virtual, config } = m.state;
  store(m, pe, HCR_ENCODING, 0, virtual.hcr[pe]!);
  setVmcr(m, pe, vmcrReset(config));
  for (let n = 0; n < 16; n++) storeLr(m, pe, n, 0, 0);
  for (let n = 0; n < 4; n++) {
    storeActive(m, pe, AP0R0 + n, 0, 0);
    storeActive(m, pe, AP1R0 + n, 0, 0);
  }
  settleVirtual(m);
}
