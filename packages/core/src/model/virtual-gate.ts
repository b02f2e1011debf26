// The masking reason of a pending virtual interrupt: what keeps it from being signalled to the virtual machine, in the order
// from the interrupt to the virtual CPU interface (IHI 0069, "Virtual interrupt handling"). This file only reads state.
import { LPI_CONFIG, LPI_FIRST, mask, SYSREGS } from '../spec/index.ts';
import { GROUP0, GROUP1NS } from './arbitration.ts';
import type { Machine } from './machine.ts';
import { CONFIG_UNKNOWN } from './state.ts';
import {
  canPreemptVirtual,
  HCR,
  LR_IS_VLPI,
  lrGroup,
  lrPriority,
  lrState,
  VMCR,
  virtualPriorityMask,
  virtualRunningPriority,
} from './virtual-arbitration.ts';
import { listRegisters, VHPPI_WORDS } from './virtual-state.ts';
import { NO_TABLE, residentTable } from './vlpi.ts';

const LPI_ENABLE = mask(LPI_CONFIG, 'Enable');
const LPI_PRIORITY = mask(LPI_CONFIG, 'Priority');
const SGI_GROUP1 = 2;
const SGI_PRIORITY = 0xf0;
const LR0 = SYSREGS.ICH_LR0_EL2.encoding;

/** The masking reasons of virtual interrupts, beginning with those nearest to the interrupt. */
export const VIRTUAL_GATES = {
  'vPE not resident': 'its vPE is resident on no PE, so it is pending only in the virtual pending table',
  'virtual configuration unknown': 'the source does not contain the configuration byte of the vLPI',
  'disabled in the virtual machine': 'the Enable bit of its configuration byte is 0',
  'virtual group disabled': 'ICV_IGRPEN of its group (ICH_VMCR_EL2.VENG) is 0',
  'virtual interface off': 'ICH_HCR_EL2.En of the PE is 0',
  'virtual priority mask': 'ICV_PMR (ICH_VMCR_EL2.VPMR) is not above its priority',
  'virtual running priority': 'the virtual machine runs at its priority or a higher one',
  'behind a virtual interrupt': 'another virtual interrupt is the highest-priority pending one',
  'signalled to the virtual machine':
    'nothing blocks it: a virtual interrupt line is asserted for it, and the virtual machine has not acknowledged it yet',
} as const;
export type VirtualGate = keyof typeof VIRTUAL_GATES;

/** The masking reason of a vLPI or vSGI that is pending in the virtual pending table at `table`; `pe` is -1 if nowhere resident. */
export function virtuallyHeldBy(
  m: Machine,
  table: number,
  vintid: number,
): { gate: VirtualGate; pe: number } {
  const { state } = m;
  let pe = -1;
  for (let one = 0; one < state.peCount && pe < 0; one++)
    if (table !== NO_TABLE && residentTable(m, one) === table) pe = one;
  if (pe < 0) return { gate: 'vPE not resident', pe };
  const config = state.virtual.config[pe]!.get(vintid);
  if (config === undefined || config >= CONFIG_UNKNOWN) return { gate: 'virtual configuration unknown', pe };
  if ((config & LPI_ENABLE) === 0) return { gate: 'disabled in the virtual machine', pe };
  const isLpi = vintid >= LPI_FIRST;
  const group = isLpi || config & SGI_GROUP1 ? GROUP1NS : GROUP0;
  const priority = config & (isLpi ? LPI_PRIORITY : SGI_PRIORITY);
  return atVirtualInterface(m, pe, group, priority, LR_IS_VLPI, vintid);
}

/** The masking reason of the interrupt that is pending in list register `n` of a PE. */
export function listRegisterHeldBy(m: Machine, pe: number, n: number): { gate: VirtualGate; pe: number } {
  const high = m.state.virtual.lr[32 * pe + 2 * n + 1]!;
  return atVirtualInterface(m, pe, lrGroup(high), lrPriority(high), n, -1);
}

function atVirtualInterface(
  m: Machine,
  pe: number,
  group: number,
  priority: number,
  list: number,
  vintid: number,
): { gate: VirtualGate; pe: number } {
  const { virtual } = m.state;
  const vmcr = virtual.vmcr[pe]!;
  if ((vmcr & (group === GROUP0 ? VMCR.VENG0 : VMCR.VENG1)) === 0)
    return { gate: 'virtual group disabled', pe };
  if ((virtual.hcr[pe]! & HCR.En) === 0) return { gate: 'virtual interface off', pe };
  if (priority >= virtualPriorityMask(vmcr)) return { gate: 'virtual priority mask', pe };
  const at = VHPPI_WORDS * pe;
  const isBest = virtual.hppi[at] === list && (list !== LR_IS_VLPI || virtual.hppi[at + 1] === vintid);
  if (!canPreemptVirtual(m.state, pe, group, priority, false))
    return {
      gate:
        virtualRunningPriority(m.state, pe) <= priority
          ? 'virtual running priority'
          : 'behind a virtual interrupt',
      pe,
    };
  return { gate: isBest ? 'signalled to the virtual machine' : 'behind a virtual interrupt', pe };
}

/** The list register of a PE in which a vINTID is pending, or -1. */
export function pendingListRegister(m: Machine, pe: number, vintid: number): number {
  const { lr } = m.state.virtual;
  for (let n = 0; n < listRegisters(m.state.config); n++)
    if (lr[32 * pe + 2 * n] === vintid && (lrState(lr[32 * pe + 2 * n + 1]!) & 1) !== 0) return n;
  return -1;
}

/** The number of the list register with this encoding; -1 if it is another register. */
export function listRegisterOf(encoding: number): number {
  return encoding >= LR0 && encoding < LR0 + 16 ? encoding - LR0 : -1;
}
