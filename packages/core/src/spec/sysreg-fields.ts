// The fields of the ICC, ICV and ICH system registers, shared by the registers that have the same layout.
import { flag, hex, minus1, naming, oneOf, uint } from './declare.ts';

export const INTID = [naming('INTID', uint('INTID', 0, 24, 'interrupt identifier'))];
/** Like {@link INTID}, for the virtual CPU interface. */
export const VIRTUAL_INTID = [naming('vINTID', uint('INTID', 0, 24, 'interrupt identifier'))];
export const SGI = [
  hex('TargetList', 0, 16, 'a bit an Aff0'),
  uint('Aff1', 16, 8, 'affinity level 1'),
  naming('INTID', uint('INTID', 24, 4, 'the SGI')),
  uint('Aff2', 32, 8, 'affinity level 2'),
  flag('IRM', 40, 'all PEs but the own'),
  uint('RS', 44, 4, 'range selector: Aff0 from 16 × RS'),
  uint('Aff3', 48, 8, 'affinity level 3'),
];
export const PRIORITY_MASK = [hex('Priority', 0, 8, 'only higher priorities are signalled')];
export const BINARY_POINT = [uint('BinaryPoint', 0, 3, 'split of group priority and subpriority')];
export const ENABLE = [flag('Enable', 0, 'the group is enabled')];
/** ICC_AP0R<n>, ICH_AP0R<n>, and those of Group 1 except the first. */
export const ACTIVE_PRIORITIES = [hex('P', 0, 32, 'one bit per group priority: it is active')];
/** ICC_AP1R0, ICV_AP1R0, ICH_AP1R0: these contain the active NMI too. */
export const ACTIVE_PRIORITIES_NMI = [...ACTIVE_PRIORITIES, flag('NMI', 63, 'an NMI is active')];
export const RUNNING_PRIORITY = [
  hex('Priority', 0, 8, 'running priority; 0xff when idle'),
  flag('NMI_NS', 62, 'a Non-secure NMI is active'),
  flag('NMI', 63, 'an NMI is active'),
];
export const VIRTUAL_RUNNING_PRIORITY = [
  hex('Priority', 0, 8, 'running priority; 0xff when idle'),
  flag('NMI', 63, 'an NMI is active'),
];

const INTID_BITS = { 0: '16', 1: '24' };
const CAPABILITIES = [
  minus1('PRIbits', 8, 3, 'priority bits'),
  oneOf('IDbits', 11, 3, INTID_BITS, 'INTID bits'),
  flag('SEIS', 14, 'local SErrors'),
  flag('A3V', 15, 'non-zero Aff3 in SGIs'),
];
const EXTENSIONS = [
  flag('RSS', 18, 'SGI range selector: Aff0 up to 255'),
  flag('ExtRange', 19, 'extended INTID ranges'),
];
export const ICC_CTLR = [
  flag('CBPR', 0, 'one binary point for both groups'),
  flag('EOImode', 1, 'EOI drops the priority only'),
  flag('PMHE', 6, 'priority mask hint'),
  ...CAPABILITIES,
  ...EXTENSIONS,
];
export const ICV_CTLR = [
  flag('CBPR', 0, 'one binary point for both groups'),
  flag('EOImode', 1, 'EOI drops the priority only'),
  ...CAPABILITIES,
  ...EXTENSIONS,
];
export const ICC_CTLR_EL3 = [
  flag('CBPR_EL1S', 0, 'one binary point for both groups, Secure EL1'),
  flag('CBPR_EL1NS', 1, 'one binary point for both groups, Non-secure EL1 and EL2'),
  flag('EOImode_EL3', 2, 'EOI drops the priority only, at EL3'),
  flag('EOImode_EL1S', 3, 'EOI drops the priority only, at Secure EL1'),
  flag('EOImode_EL1NS', 4, 'EOI drops the priority only, at Non-secure EL1 and EL2'),
  flag('RM', 5, 'routing modifier: 1020 and 1021 at EL3'),
  flag('PMHE', 6, 'priority mask hint'),
  ...CAPABILITIES,
  flag('nDS', 17, 'security cannot be disabled'),
  ...EXTENSIONS,
];
export const SRE_EL1 = [
  flag('SRE', 0, 'the system registers are in use'),
  flag('DFB', 1, 'no FIQ bypass'),
  flag('DIB', 2, 'no IRQ bypass'),
];
/** ICC_SRE_EL2 and ICC_SRE_EL3. */
export const SRE = [...SRE_EL1, flag('Enable', 3, 'lower Exception levels may access their ICC_SRE')];
export const IGRPEN1_EL3 = [
  flag('EnableGrp1NS', 0, 'Non-secure Group 1 is enabled'),
  flag('EnableGrp1S', 1, 'Secure Group 1 is enabled'),
];

export const ICH_HCR = [
  flag('En', 0, 'the virtual CPU interface is enabled'),
  flag('UIE', 1, 'interrupt when one list register or none is valid'),
  flag('LRENPIE', 2, 'interrupt when an EOI found no list register'),
  flag('NPIE', 3, 'interrupt when no list register is pending'),
  flag('VGrp0EIE', 4, 'interrupt when virtual Group 0 is enabled'),
  flag('VGrp0DIE', 5, 'interrupt when virtual Group 0 is disabled'),
  flag('VGrp1EIE', 6, 'interrupt when virtual Group 1 is enabled'),
  flag('VGrp1DIE', 7, 'interrupt when virtual Group 1 is disabled'),
  flag('vSGIEOICount', 8, 'EOIs of virtual SGIs do not count'),
  flag('TC', 10, 'trap the common registers'),
  flag('TALL0', 11, 'trap the Group 0 registers'),
  flag('TALL1', 12, 'trap the Group 1 registers'),
  flag('TSEI', 13, 'trap local SErrors'),
  flag('TDIR', 14, 'trap ICC_DIR_EL1'),
  flag('DVIM', 15, 'mask directly injected virtual interrupts'),
  uint('EOIcount', 27, 5, 'EOIs without a list register'),
];
export const ICH_VTR = [
  minus1('ListRegs', 0, 5, 'list registers'),
  flag('DVIM', 18, 'ICH_HCR_EL2.DVIM'),
  flag('TDS', 19, 'ICH_HCR_EL2.TDIR'),
  flag('nV4', 20, 'no direct injection'),
  flag('A3V', 21, 'non-zero Aff3 in SGIs'),
  flag('SEIS', 22, 'local SErrors'),
  oneOf('IDbits', 23, 3, INTID_BITS, 'virtual INTID bits'),
  minus1('PREbits', 26, 3, 'virtual preemption bits'),
  minus1('PRIbits', 29, 3, 'virtual priority bits'),
];
export const ICH_MISR = [
  flag('EOI', 0, 'an EOI that asked for it'),
  flag('U', 1, 'underflow'),
  flag('LRENP', 2, 'an EOI found no list register'),
  flag('NP', 3, 'no list register is pending'),
  flag('VGrp0E', 4, 'virtual Group 0 is enabled'),
  flag('VGrp0D', 5, 'virtual Group 0 is disabled'),
  flag('VGrp1E', 6, 'virtual Group 1 is enabled'),
  flag('VGrp1D', 7, 'virtual Group 1 is disabled'),
];
/** ICH_EISR_EL2 and ICH_ELRSR_EL2. */
export const LR_STATUS = [hex('Status', 0, 16, 'one bit per list register')];
export const ICH_VMCR = [
  flag('VENG0', 0, 'virtual Group 0 is enabled'),
  flag('VENG1', 1, 'virtual Group 1 is enabled'),
  flag('VAckCtl', 2, 'virtual AckCtl'),
  flag('VFIQEn', 3, 'virtual Group 0 is signalled as FIQ'),
  flag('VCBPR', 4, 'one binary point for both groups'),
  flag('VEOIM', 9, 'EOI drops the priority only'),
  uint('VBPR1', 18, 3, 'virtual binary point, Group 1'),
  uint('VBPR0', 21, 3, 'virtual binary point, Group 0'),
  hex('VPMR', 24, 8, 'virtual priority mask'),
];
export const ICH_LR = [
  naming('vINTID', uint('vINTID', 0, 32, 'virtual INTID'), { unlessZero: true }),
  naming(
    { by: 'HW', is: { 1: 'INTID' } },
    uint('pINTID', 32, 13, 'physical INTID, where HW; else bit 41 asks for a maintenance interrupt at EOI'),
  ),
  hex('Priority', 48, 8, 'priority'),
  flag('NMI', 59, 'non-maskable'),
  flag('Group', 60, 'virtual Group 1'),
  flag('HW', 61, 'a physical interrupt'),
  oneOf('State', 62, 2, { 0: 'invalid', 1: 'pending', 2: 'active', 3: 'pending-active' }, 'state'),
];
