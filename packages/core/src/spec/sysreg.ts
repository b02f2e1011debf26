// The ICC, ICV and ICH system registers of AArch64 (IHI 0069, "System register index"). Pure data.
import { type FieldSpec, flag, minus1, uint } from './shape.ts';

export interface SysregSpec {
  /** op0:op1:CRn:CRm:op2 packed into 16 bits; bit 16 set for an ICV register, which shares the encoding of its ICC twin. */
  readonly encoding: number;
  readonly access: 'RO' | 'RW' | 'WO';
  readonly fields: readonly FieldSpec[];
  readonly doc: string;
}

const INTID = [uint('INTID', 0, 24, 'interrupt identifier')];
const SGI = [
  uint('TargetList', 0, 16, 'a bit an Aff0'),
  uint('Aff1', 16, 8, 'affinity level 1'),
  uint('INTID', 24, 4, 'the SGI'),
  uint('Aff2', 32, 8, 'affinity level 2'),
  flag('IRM', 40, 'all PEs but the own'),
  uint('RS', 44, 4, 'range selector: Aff0 from 16 × RS'),
  uint('Aff3', 48, 8, 'affinity level 3'),
];
const CTLR = [
  flag('CBPR', 0, 'one binary point for both groups'),
  flag('EOImode', 1, 'EOI drops priority only'),
  flag('PMHE', 6, 'priority mask hint'),
  minus1('PRIbits', 8, 3, 'priority bits'),
  uint('IDbits', 11, 3, '0: 16 INTID bits, 1: 24'),
  flag('SEIS', 14, 'local SErrors'),
  flag('A3V', 15, 'non-zero Aff3 in SGIs'),
  flag('RSS', 18, 'range selector'),
  flag('ExtRange', 19, 'extended INTID ranges'),
];
const LR = [
  uint('vINTID', 0, 32, 'virtual INTID'),
  uint('pINTID', 32, 13, 'physical INTID, where HW; else bit 41 asks for a maintenance interrupt'),
  uint('Priority', 48, 8, 'priority'),
  flag('NMI', 59, 'non-maskable'),
  flag('Group', 60, 'virtual Group 1'),
  flag('HW', 61, 'a physical interrupt'),
  uint('State', 62, 2, '0 invalid, 1 pending, 2 active, 3 both'),
];

export const SYSREGS = {
  ICC_PMR_EL1: {
    encoding: 0xc230,
    access: 'RW',
    fields: [uint('Priority', 0, 8, 'only higher priorities are signalled')],
    doc: 'Interrupt Priority Mask Register',
  },
  ICC_IAR0_EL1: { encoding: 0xc640, access: 'RO', fields: INTID, doc: 'Interrupt Acknowledge Register 0' },
  ICC_EOIR0_EL1: { encoding: 0xc641, access: 'WO', fields: INTID, doc: 'End Of Interrupt Register 0' },
  ICC_HPPIR0_EL1: {
    encoding: 0xc642,
    access: 'RO',
    fields: INTID,
    doc: 'Highest Priority Pending Interrupt Register 0',
  },
  ICC_BPR0_EL1: {
    encoding: 0xc643,
    access: 'RW',
    fields: [uint('BinaryPoint', 0, 3, 'split of group priority and subpriority')],
    doc: 'Binary Point Register 0',
  },
  ICC_AP0R0_EL1: { encoding: 0xc644, access: 'RW', fields: [], doc: 'Active Priorities Group 0 Registers' },
  ICC_AP0R1_EL1: { encoding: 0xc645, access: 'RW', fields: [], doc: 'Active Priorities Group 0 Registers' },
  ICC_AP0R2_EL1: { encoding: 0xc646, access: 'RW', fields: [], doc: 'Active Priorities Group 0 Registers' },
  ICC_AP0R3_EL1: { encoding: 0xc647, access: 'RW', fields: [], doc: 'Active Priorities Group 0 Registers' },
  ICC_AP1R0_EL1: { encoding: 0xc648, access: 'RW', fields: [], doc: 'Active Priorities Group 1 Registers' },
  ICC_AP1R1_EL1: { encoding: 0xc649, access: 'RW', fields: [], doc: 'Active Priorities Group 1 Registers' },
  ICC_AP1R2_EL1: { encoding: 0xc64a, access: 'RW', fields: [], doc: 'Active Priorities Group 1 Registers' },
  ICC_AP1R3_EL1: { encoding: 0xc64b, access: 'RW', fields: [], doc: 'Active Priorities Group 1 Registers' },
  ICC_NMIAR1_EL1: {
    encoding: 0xc64d,
    access: 'RO',
    fields: INTID,
    doc: 'Non-maskable Interrupt Acknowledge Register 1',
  },
  ICC_DIR_EL1: { encoding: 0xc659, access: 'WO', fields: INTID, doc: 'Deactivate Interrupt Register' },
  ICC_RPR_EL1: {
    encoding: 0xc65b,
    access: 'RO',
    fields: [uint('Priority', 0, 8, 'running priority; 0xff when idle')],
    doc: 'Running Priority Register',
  },
  ICC_SGI1R_EL1: {
    encoding: 0xc65d,
    access: 'WO',
    fields: SGI,
    doc: 'Software Generated Interrupt Group 1 Register',
  },
  ICC_ASGI1R_EL1: {
    encoding: 0xc65e,
    access: 'WO',
    fields: SGI,
    doc: 'Alias Software Generated Interrupt Group 1 Register',
  },
  ICC_SGI0R_EL1: {
    encoding: 0xc65f,
    access: 'WO',
    fields: SGI,
    doc: 'Software Generated Interrupt Group 0 Register',
  },
  ICC_IAR1_EL1: { encoding: 0xc660, access: 'RO', fields: INTID, doc: 'Interrupt Acknowledge Register 1' },
  ICC_EOIR1_EL1: { encoding: 0xc661, access: 'WO', fields: INTID, doc: 'End Of Interrupt Register 1' },
  ICC_HPPIR1_EL1: {
    encoding: 0xc662,
    access: 'RO',
    fields: INTID,
    doc: 'Highest Priority Pending Interrupt Register 1',
  },
  ICC_BPR1_EL1: {
    encoding: 0xc663,
    access: 'RW',
    fields: [uint('BinaryPoint', 0, 3, 'split of group priority and subpriority')],
    doc: 'Binary Point Register 1',
  },
  ICC_CTLR_EL1: {
    encoding: 0xc664,
    access: 'RW',
    fields: CTLR,
    doc: 'Interrupt Controller Control Register',
  },
  ICC_SRE_EL1: {
    encoding: 0xc665,
    access: 'RW',
    fields: [
      flag('SRE', 0, 'system registers in use'),
      flag('DFB', 1, 'no FIQ bypass'),
      flag('DIB', 2, 'no IRQ bypass'),
    ],
    doc: 'System Register Enable Register',
  },
  ICC_IGRPEN0_EL1: {
    encoding: 0xc666,
    access: 'RW',
    fields: [flag('Enable', 0, 'Group 0 is enabled')],
    doc: 'Interrupt Group 0 Enable Register',
  },
  ICC_IGRPEN1_EL1: {
    encoding: 0xc667,
    access: 'RW',
    fields: [flag('Enable', 0, 'Group 1 is enabled')],
    doc: 'Interrupt Group 1 Enable Register',
  },
  ICC_SRE_EL2: { encoding: 0xe64d, access: 'RW', fields: [], doc: 'System Register Enable Register (EL2)' },
  ICC_SRE_EL3: { encoding: 0xf665, access: 'RW', fields: [], doc: 'System Register Enable Register (EL3)' },
  ICC_CTLR_EL3: { encoding: 0xf664, access: 'RW', fields: [], doc: 'Control Register (EL3)' },
  ICC_IGRPEN1_EL3: {
    encoding: 0xf667,
    access: 'RW',
    fields: [],
    doc: 'Interrupt Group 1 Enable Register (EL3)',
  },
  ICH_AP0R0_EL2: {
    encoding: 0xe640,
    access: 'RW',
    fields: [],
    doc: 'Hypervisor Active Priorities Group 0 Registers',
  },
  ICH_AP0R1_EL2: {
    encoding: 0xe641,
    access: 'RW',
    fields: [],
    doc: 'Hypervisor Active Priorities Group 0 Registers',
  },
  ICH_AP0R2_EL2: {
    encoding: 0xe642,
    access: 'RW',
    fields: [],
    doc: 'Hypervisor Active Priorities Group 0 Registers',
  },
  ICH_AP0R3_EL2: {
    encoding: 0xe643,
    access: 'RW',
    fields: [],
    doc: 'Hypervisor Active Priorities Group 0 Registers',
  },
  ICH_AP1R0_EL2: {
    encoding: 0xe648,
    access: 'RW',
    fields: [],
    doc: 'Hypervisor Active Priorities Group 1 Registers',
  },
  ICH_AP1R1_EL2: {
    encoding: 0xe649,
    access: 'RW',
    fields: [],
    doc: 'Hypervisor Active Priorities Group 1 Registers',
  },
  ICH_AP1R2_EL2: {
    encoding: 0xe64a,
    access: 'RW',
    fields: [],
    doc: 'Hypervisor Active Priorities Group 1 Registers',
  },
  ICH_AP1R3_EL2: {
    encoding: 0xe64b,
    access: 'RW',
    fields: [],
    doc: 'Hypervisor Active Priorities Group 1 Registers',
  },
  ICH_HCR_EL2: {
    encoding: 0xe658,
    access: 'RW',
    fields: [
      flag('En', 0, 'the virtual CPU interface is enabled'),
      flag('UIE', 1, 'underflow interrupt'),
      flag('LRENPIE', 2, 'no-pending interrupt'),
      flag('NPIE', 3, 'no LR pending interrupt'),
      flag('VGrp0EIE', 4, 'interrupt at Group 0 enable'),
      flag('VGrp0DIE', 5, 'interrupt at Group 0 disable'),
      flag('VGrp1EIE', 6, 'interrupt at Group 1 enable'),
      flag('VGrp1DIE', 7, 'interrupt at Group 1 disable'),
      flag('TC', 10, 'trap common registers'),
      flag('TALL0', 11, 'trap Group 0 registers'),
      flag('TALL1', 12, 'trap Group 1 registers'),
      uint('EOIcount', 27, 5, 'EOIs without a list register'),
    ],
    doc: 'Hypervisor Control Register',
  },
  ICH_VTR_EL2: {
    encoding: 0xe659,
    access: 'RO',
    fields: [
      minus1('ListRegs', 0, 5, 'list registers'),
      flag('TDS', 19, 'separate trap of DIR'),
      flag('nV4', 20, 'no GICv4 direct injection'),
      flag('A3V', 21, 'non-zero Aff3'),
      flag('SEIS', 22, 'local SErrors'),
      uint('IDbits', 23, 3, '0: 16 INTID bits, 1: 24'),
      minus1('PREbits', 26, 3, 'preemption bits'),
      minus1('PRIbits', 29, 3, 'priority bits'),
    ],
    doc: 'VGIC Type Register',
  },
  ICH_MISR_EL2: { encoding: 0xe65a, access: 'RO', fields: [], doc: 'Maintenance Interrupt State Register' },
  ICH_EISR_EL2: { encoding: 0xe65b, access: 'RO', fields: [], doc: 'End of Interrupt Status Register' },
  ICH_ELRSR_EL2: { encoding: 0xe65d, access: 'RO', fields: [], doc: 'Empty List Register Status Register' },
  ICH_VMCR_EL2: { encoding: 0xe65f, access: 'RW', fields: [], doc: 'Virtual Machine Control Register' },
  ICH_LR0_EL2: { encoding: 0xe660, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR1_EL2: { encoding: 0xe661, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR2_EL2: { encoding: 0xe662, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR3_EL2: { encoding: 0xe663, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR4_EL2: { encoding: 0xe664, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR5_EL2: { encoding: 0xe665, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR6_EL2: { encoding: 0xe666, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR7_EL2: { encoding: 0xe667, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR8_EL2: { encoding: 0xe668, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR9_EL2: { encoding: 0xe669, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR10_EL2: { encoding: 0xe66a, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR11_EL2: { encoding: 0xe66b, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR12_EL2: { encoding: 0xe66c, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR13_EL2: { encoding: 0xe66d, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR14_EL2: { encoding: 0xe66e, access: 'RW', fields: LR, doc: 'List Registers' },
  ICH_LR15_EL2: { encoding: 0xe66f, access: 'RW', fields: LR, doc: 'List Registers' },
  ICV_PMR_EL1: {
    encoding: 0x1c230,
    access: 'RW',
    fields: [uint('Priority', 0, 8, 'only higher priorities are signalled')],
    doc: 'Virtual Interrupt Priority Mask Register',
  },
  ICV_IAR0_EL1: {
    encoding: 0x1c640,
    access: 'RO',
    fields: INTID,
    doc: 'Virtual Interrupt Acknowledge Register 0',
  },
  ICV_EOIR0_EL1: {
    encoding: 0x1c641,
    access: 'WO',
    fields: INTID,
    doc: 'Virtual End Of Interrupt Register 0',
  },
  ICV_HPPIR0_EL1: {
    encoding: 0x1c642,
    access: 'RO',
    fields: INTID,
    doc: 'Virtual Highest Priority Pending Interrupt Register 0',
  },
  ICV_BPR0_EL1: {
    encoding: 0x1c643,
    access: 'RW',
    fields: [uint('BinaryPoint', 0, 3, 'split of group priority and subpriority')],
    doc: 'Virtual Binary Point Register 0',
  },
  ICV_AP0R0_EL1: {
    encoding: 0x1c644,
    access: 'RW',
    fields: [],
    doc: 'Virtual Active Priorities Group 0 Registers',
  },
  ICV_AP0R1_EL1: {
    encoding: 0x1c645,
    access: 'RW',
    fields: [],
    doc: 'Virtual Active Priorities Group 0 Registers',
  },
  ICV_AP0R2_EL1: {
    encoding: 0x1c646,
    access: 'RW',
    fields: [],
    doc: 'Virtual Active Priorities Group 0 Registers',
  },
  ICV_AP0R3_EL1: {
    encoding: 0x1c647,
    access: 'RW',
    fields: [],
    doc: 'Virtual Active Priorities Group 0 Registers',
  },
  ICV_AP1R0_EL1: {
    encoding: 0x1c648,
    access: 'RW',
    fields: [],
    doc: 'Virtual Active Priorities Group 1 Registers',
  },
  ICV_AP1R1_EL1: {
    encoding: 0x1c649,
    access: 'RW',
    fields: [],
    doc: 'Virtual Active Priorities Group 1 Registers',
  },
  ICV_AP1R2_EL1: {
    encoding: 0x1c64a,
    access: 'RW',
    fields: [],
    doc: 'Virtual Active Priorities Group 1 Registers',
  },
  ICV_AP1R3_EL1: {
    encoding: 0x1c64b,
    access: 'RW',
    fields: [],
    doc: 'Virtual Active Priorities Group 1 Registers',
  },
  ICV_NMIAR1_EL1: {
    encoding: 0x1c64d,
    access: 'RO',
    fields: INTID,
    doc: 'Virtual Non-maskable Interrupt Acknowledge Register 1',
  },
  ICV_DIR_EL1: {
    encoding: 0x1c659,
    access: 'WO',
    fields: INTID,
    doc: 'Virtual Deactivate Interrupt Register',
  },
  ICV_RPR_EL1: {
    encoding: 0x1c65b,
    access: 'RO',
    fields: [uint('Priority', 0, 8, 'running priority; 0xff when idle')],
    doc: 'Virtual Running Priority Register',
  },
  ICV_IAR1_EL1: {
    encoding: 0x1c660,
    access: 'RO',
    fields: INTID,
    doc: 'Virtual Interrupt Acknowledge Register 1',
  },
  ICV_EOIR1_EL1: {
    encoding: 0x1c661,
    access: 'WO',
    fields: INTID,
    doc: 'Virtual End Of Interrupt Register 1',
  },
  ICV_HPPIR1_EL1: {
    encoding: 0x1c662,
    access: 'RO',
    fields: INTID,
    doc: 'Virtual Highest Priority Pending Interrupt Register 1',
  },
  ICV_BPR1_EL1: {
    encoding: 0x1c663,
    access: 'RW',
    fields: [uint('BinaryPoint', 0, 3, 'split of group priority and subpriority')],
    doc: 'Virtual Binary Point Register 1',
  },
  ICV_CTLR_EL1: {
    encoding: 0x1c664,
    access: 'RW',
    fields: CTLR,
    doc: 'Virtual Interrupt Controller Control Register',
  },
  ICV_IGRPEN0_EL1: {
    encoding: 0x1c666,
    access: 'RW',
    fields: [flag('Enable', 0, 'Group 0 is enabled')],
    doc: 'Virtual Interrupt Group 0 Enable Register',
  },
  ICV_IGRPEN1_EL1: {
    encoding: 0x1c667,
    access: 'RW',
    fields: [flag('Enable', 0, 'Group 1 is enabled')],
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
