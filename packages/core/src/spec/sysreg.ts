// The ICC, ICV and ICH system registers of AArch64 (IHI 0069, "System register index"). Pure data.
import type { FieldSpec, InterruptAct } from './shape.ts';
import * as F from './sysreg-fields.ts';

export interface SysregSpec {
  /** op0:op1:CRn:CRm:op2 packed into 16 bits; bit 16 set for an ICV register, which shares the encoding of its ICC twin. */
  readonly encoding: number;
  readonly access: 'RO' | 'RW' | 'WO';
  readonly fields: readonly FieldSpec[];
  /** What an access does with the interrupt that its value names. */
  readonly does?: InterruptAct;
  /** The group, for a register that acts for one group. */
  readonly group?: 0 | 1;
  readonly doc: string;
}

export const SYSREGS = {
  ICC_PMR_EL1: {
    encoding: 0xc230,
    access: 'RW',
    fields: F.PRIORITY_MASK,
    doc: 'Interrupt Priority Mask Register',
  },
  ICC_IAR0_EL1: {
    encoding: 0xc640,
    access: 'RO',
    fields: F.INTID,
    does: 'acknowledge',
    group: 0,
    doc: 'Interrupt Acknowledge Register 0',
  },
  ICC_EOIR0_EL1: {
    encoding: 0xc641,
    access: 'WO',
    fields: F.INTID,
    does: 'end',
    group: 0,
    doc: 'End Of Interrupt Register 0',
  },
  ICC_HPPIR0_EL1: {
    encoding: 0xc642,
    access: 'RO',
    fields: F.INTID,
    does: 'show',
    group: 0,
    doc: 'Highest Priority Pending Interrupt Register 0',
  },
  ICC_BPR0_EL1: { encoding: 0xc643, access: 'RW', fields: F.BINARY_POINT, doc: 'Binary Point Register 0' },
  ICC_AP0R0_EL1: {
    encoding: 0xc644,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Active Priorities Group 0 Registers',
  },
  ICC_AP0R1_EL1: {
    encoding: 0xc645,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Active Priorities Group 0 Registers',
  },
  ICC_AP0R2_EL1: {
    encoding: 0xc646,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Active Priorities Group 0 Registers',
  },
  ICC_AP0R3_EL1: {
    encoding: 0xc647,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Active Priorities Group 0 Registers',
  },
  ICC_AP1R0_EL1: {
    encoding: 0xc648,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES_NMI,
    doc: 'Active Priorities Group 1 Registers',
  },
  ICC_AP1R1_EL1: {
    encoding: 0xc649,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Active Priorities Group 1 Registers',
  },
  ICC_AP1R2_EL1: {
    encoding: 0xc64a,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Active Priorities Group 1 Registers',
  },
  ICC_AP1R3_EL1: {
    encoding: 0xc64b,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Active Priorities Group 1 Registers',
  },
  ICC_NMIAR1_EL1: {
    encoding: 0xc64d,
    access: 'RO',
    fields: F.INTID,
    does: 'acknowledge',
    group: 1,
    doc: 'Non-maskable Interrupt Acknowledge Register 1',
  },
  ICC_DIR_EL1: {
    encoding: 0xc659,
    access: 'WO',
    fields: F.INTID,
    does: 'deactivate',
    doc: 'Deactivate Interrupt Register',
  },
  ICC_RPR_EL1: {
    encoding: 0xc65b,
    access: 'RO',
    fields: F.RUNNING_PRIORITY,
    doc: 'Running Priority Register',
  },
  ICC_SGI1R_EL1: {
    encoding: 0xc65d,
    access: 'WO',
    fields: F.SGI,
    does: 'generate',
    group: 1,
    doc: 'Software Generated Interrupt Group 1 Register',
  },
  ICC_ASGI1R_EL1: {
    encoding: 0xc65e,
    access: 'WO',
    fields: F.SGI,
    does: 'generate',
    group: 1,
    doc: 'Alias Software Generated Interrupt Group 1 Register',
  },
  ICC_SGI0R_EL1: {
    encoding: 0xc65f,
    access: 'WO',
    fields: F.SGI,
    does: 'generate',
    group: 0,
    doc: 'Software Generated Interrupt Group 0 Register',
  },
  ICC_IAR1_EL1: {
    encoding: 0xc660,
    access: 'RO',
    fields: F.INTID,
    does: 'acknowledge',
    group: 1,
    doc: 'Interrupt Acknowledge Register 1',
  },
  ICC_EOIR1_EL1: {
    encoding: 0xc661,
    access: 'WO',
    fields: F.INTID,
    does: 'end',
    group: 1,
    doc: 'End Of Interrupt Register 1',
  },
  ICC_HPPIR1_EL1: {
    encoding: 0xc662,
    access: 'RO',
    fields: F.INTID,
    does: 'show',
    group: 1,
    doc: 'Highest Priority Pending Interrupt Register 1',
  },
  ICC_BPR1_EL1: { encoding: 0xc663, access: 'RW', fields: F.BINARY_POINT, doc: 'Binary Point Register 1' },
  ICC_CTLR_EL1: {
    encoding: 0xc664,
    access: 'RW',
    fields: F.ICC_CTLR,
    doc: 'Interrupt Controller Control Register',
  },
  ICC_SRE_EL1: { encoding: 0xc665, access: 'RW', fields: F.SRE_EL1, doc: 'System Register Enable Register' },
  ICC_IGRPEN0_EL1: {
    encoding: 0xc666,
    access: 'RW',
    fields: F.ENABLE,
    doc: 'Interrupt Group 0 Enable Register',
  },
  ICC_IGRPEN1_EL1: {
    encoding: 0xc667,
    access: 'RW',
    fields: F.ENABLE,
    doc: 'Interrupt Group 1 Enable Register',
  },
  ICC_SRE_EL2: {
    encoding: 0xe64d,
    access: 'RW',
    fields: F.SRE,
    doc: 'System Register Enable Register (EL2)',
  },
  ICC_SRE_EL3: {
    encoding: 0xf665,
    access: 'RW',
    fields: F.SRE,
    doc: 'System Register Enable Register (EL3)',
  },
  ICC_CTLR_EL3: { encoding: 0xf664, access: 'RW', fields: F.ICC_CTLR_EL3, doc: 'Control Register (EL3)' },
  ICC_IGRPEN1_EL3: {
    encoding: 0xf667,
    access: 'RW',
    fields: F.IGRPEN1_EL3,
    doc: 'Interrupt Group 1 Enable Register (EL3)',
  },
  ICH_AP0R0_EL2: {
    encoding: 0xe640,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Hypervisor Active Priorities Group 0 Registers',
  },
  ICH_AP0R1_EL2: {
    encoding: 0xe641,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Hypervisor Active Priorities Group 0 Registers',
  },
  ICH_AP0R2_EL2: {
    encoding: 0xe642,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Hypervisor Active Priorities Group 0 Registers',
  },
  ICH_AP0R3_EL2: {
    encoding: 0xe643,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Hypervisor Active Priorities Group 0 Registers',
  },
  ICH_AP1R0_EL2: {
    encoding: 0xe648,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES_NMI,
    doc: 'Hypervisor Active Priorities Group 1 Registers',
  },
  ICH_AP1R1_EL2: {
    encoding: 0xe649,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Hypervisor Active Priorities Group 1 Registers',
  },
  ICH_AP1R2_EL2: {
    encoding: 0xe64a,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Hypervisor Active Priorities Group 1 Registers',
  },
  ICH_AP1R3_EL2: {
    encoding: 0xe64b,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Hypervisor Active Priorities Group 1 Registers',
  },
  ICH_HCR_EL2: { encoding: 0xe658, access: 'RW', fields: F.ICH_HCR, doc: 'Hypervisor Control Register' },
  ICH_VTR_EL2: { encoding: 0xe659, access: 'RO', fields: F.ICH_VTR, doc: 'VGIC Type Register' },
  ICH_MISR_EL2: {
    encoding: 0xe65a,
    access: 'RO',
    fields: F.ICH_MISR,
    doc: 'Maintenance Interrupt State Register',
  },
  ICH_EISR_EL2: {
    encoding: 0xe65b,
    access: 'RO',
    fields: F.LR_STATUS,
    doc: 'End of Interrupt Status Register',
  },
  ICH_ELRSR_EL2: {
    encoding: 0xe65d,
    access: 'RO',
    fields: F.LR_STATUS,
    doc: 'Empty List Register Status Register',
  },
  ICH_VMCR_EL2: {
    encoding: 0xe65f,
    access: 'RW',
    fields: F.ICH_VMCR,
    doc: 'Virtual Machine Control Register',
  },
  ICH_LR0_EL2: { encoding: 0xe660, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR1_EL2: { encoding: 0xe661, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR2_EL2: { encoding: 0xe662, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR3_EL2: { encoding: 0xe663, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR4_EL2: { encoding: 0xe664, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR5_EL2: { encoding: 0xe665, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR6_EL2: { encoding: 0xe666, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR7_EL2: { encoding: 0xe667, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR8_EL2: { encoding: 0xe668, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR9_EL2: { encoding: 0xe669, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR10_EL2: { encoding: 0xe66a, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR11_EL2: { encoding: 0xe66b, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR12_EL2: { encoding: 0xe66c, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR13_EL2: { encoding: 0xe66d, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR14_EL2: { encoding: 0xe66e, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICH_LR15_EL2: { encoding: 0xe66f, access: 'RW', fields: F.ICH_LR, doc: 'List Registers' },
  ICV_PMR_EL1: {
    encoding: 0x1c230,
    access: 'RW',
    fields: F.PRIORITY_MASK,
    doc: 'Virtual Interrupt Priority Mask Register',
  },
  ICV_IAR0_EL1: {
    encoding: 0x1c640,
    access: 'RO',
    fields: F.VIRTUAL_INTID,
    does: 'acknowledge',
    group: 0,
    doc: 'Virtual Interrupt Acknowledge Register 0',
  },
  ICV_EOIR0_EL1: {
    encoding: 0x1c641,
    access: 'WO',
    fields: F.VIRTUAL_INTID,
    does: 'end',
    group: 0,
    doc: 'Virtual End Of Interrupt Register 0',
  },
  ICV_HPPIR0_EL1: {
    encoding: 0x1c642,
    access: 'RO',
    fields: F.VIRTUAL_INTID,
    does: 'show',
    group: 0,
    doc: 'Virtual Highest Priority Pending Interrupt Register 0',
  },
  ICV_BPR0_EL1: {
    encoding: 0x1c643,
    access: 'RW',
    fields: F.BINARY_POINT,
    doc: 'Virtual Binary Point Register 0',
  },
  ICV_AP0R0_EL1: {
    encoding: 0x1c644,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Virtual Active Priorities Group 0 Registers',
  },
  ICV_AP0R1_EL1: {
    encoding: 0x1c645,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Virtual Active Priorities Group 0 Registers',
  },
  ICV_AP0R2_EL1: {
    encoding: 0x1c646,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Virtual Active Priorities Group 0 Registers',
  },
  ICV_AP0R3_EL1: {
    encoding: 0x1c647,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Virtual Active Priorities Group 0 Registers',
  },
  ICV_AP1R0_EL1: {
    encoding: 0x1c648,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES_NMI,
    doc: 'Virtual Active Priorities Group 1 Registers',
  },
  ICV_AP1R1_EL1: {
    encoding: 0x1c649,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Virtual Active Priorities Group 1 Registers',
  },
  ICV_AP1R2_EL1: {
    encoding: 0x1c64a,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Virtual Active Priorities Group 1 Registers',
  },
  ICV_AP1R3_EL1: {
    encoding: 0x1c64b,
    access: 'RW',
    fields: F.ACTIVE_PRIORITIES,
    doc: 'Virtual Active Priorities Group 1 Registers',
  },
  ICV_NMIAR1_EL1: {
    encoding: 0x1c64d,
    access: 'RO',
    fields: F.VIRTUAL_INTID,
    does: 'acknowledge',
    group: 1,
    doc: 'Virtual Non-maskable Interrupt Acknowledge Register 1',
  },
  ICV_DIR_EL1: {
    encoding: 0x1c659,
    access: 'WO',
    fields: F.VIRTUAL_INTID,
    does: 'deactivate',
    doc: 'Virtual Deactivate Interrupt Register',
  },
  ICV_RPR_EL1: {
    encoding: 0x1c65b,
    access: 'RO',
    fields: F.VIRTUAL_RUNNING_PRIORITY,
    doc: 'Virtual Running Priority Register',
  },
  ICV_IAR1_EL1: {
    encoding: 0x1c660,
    access: 'RO',
    fields: F.VIRTUAL_INTID,
    does: 'acknowledge',
    group: 1,
    doc: 'Virtual Interrupt Acknowledge Register 1',
  },
  ICV_EOIR1_EL1: {
    encoding: 0x1c661,
    access: 'WO',
    fields: F.VIRTUAL_INTID,
    does: 'end',
    group: 1,
    doc: 'Virtual End Of Interrupt Register 1',
  },
  ICV_HPPIR1_EL1: {
    encoding: 0x1c662,
    access: 'RO',
    fields: F.VIRTUAL_INTID,
    does: 'show',
    group: 1,
    doc: 'Virtual Highest Priority Pending Interrupt Register 1',
  },
  ICV_BPR1_EL1: {
    encoding: 0x1c663,
    access: 'RW',
    fields: F.BINARY_POINT,
    doc: 'Virtual Binary Point Register 1',
  },
  ICV_CTLR_EL1: {
    encoding: 0x1c664,
    access: 'RW',
    fields: F.ICV_CTLR,
    doc: 'Virtual Interrupt Controller Control Register',
  },
  ICV_IGRPEN0_EL1: {
    encoding: 0x1c666,
    access: 'RW',
    fields: F.ENABLE,
    doc: 'Virtual Interrupt Group 0 Enable Register',
  },
  ICV_IGRPEN1_EL1: {
    encoding: 0x1c667,
    access: 'RW',
    fields: F.ENABLE,
    doc: 'Virtual Interrupt Group 1 Enable Register',
  },
} as const satisfies Record<string, SysregSpec>;

export type SysregName = keyof typeof SYSREGS;

const names = new Map<number, SysregName>();
for (const [name, spec] of Object.entries(SYSREGS)) names.set(spec.encoding, name as SysregName);

/** The register with this encoding (see {@link SysregSpec}), or undefined. */
export function sysregName(encoding: number): SysregName | undefined {
  return names.get(encoding);
}

/** Packs an encoding. */
export function sysregEncoding(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
}
