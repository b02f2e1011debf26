// Applies the events of the virtual side: the only writer of that state (see apply).
import { invariant } from '../errors.ts';
import { NO_PE, RECORDS, type RecordName } from '../record/index.ts';
import { GICR } from '../spec/index.ts';
import { SYSREGS } from '../spec/sysreg.ts';
import { CONFIG_LOST, CONFIG_UNKNOWN, type GicState, NMI_VIRTUAL } from './state.ts';
import { RESIDENT_WORDS, VHPPI_WORDS } from './virtual-state.ts';

const VHPPI = RECORDS.vhppi.id;
const MAINTENANCE = RECORDS.maintenance.id;
const VLPI_PENDED = RECORDS['vlpi.pended'].id;
const VLPI_CLEARED = RECORDS['vlpi.cleared'].id;
const VLPI_LOADED = RECORDS['vlpi.loaded'].id;
const VLPI_FORGOTTEN = RECORDS['vlpi.forgotten'].id;
const VPE_RESIDENT = RECORDS['vpe.resident'].id;

const HCR = SYSREGS.ICH_HCR_EL2.encoding;
const VMCR = SYSREGS.ICH_VMCR_EL2.encoding;
const LR0 = SYSREGS.ICH_LR0_EL2.encoding;
const AP0R0 = SYSREGS.ICH_AP0R0_EL2.encoding;
const AP1R0 = SYSREGS.ICH_AP1R0_EL2.encoding;

/** Stores a register of the virtual CPU interface. List registers and active priorities have consecutive numbers. */
export function applyVirtualRegister(
  state: GicState,
  pe: number,
  register: number,
  low: number,
  high: number,
): void {
  const { virtual } = state;
  if (register === HCR) virtual.hcr[pe] = low;
  else if (register === VMCR) virtual.vmcr[pe] = low;
  else if (register >= LR0 && register < LR0 + 16) {
    virtual.lr[32 * pe + 2 * (register - LR0)] = low;
    virtual.lr[32 * pe + 2 * (register - LR0) + 1] = high;
  } else if (register >= AP0R0 && register < AP0R0 + 4) virtual.ap0r[4 * pe + register - AP0R0] = low;
  else if (register >= AP1R0 && register < AP1R0 + 4) {
    virtual.ap1r[4 * pe + register - AP1R0] = low;
    if (register === AP1R0)
      state.nmiActive[pe] = (state.nmiActive[pe]! & ~NMI_VIRTUAL) | (high !== 0 ? NMI_VIRTUAL : 0);
  } else invariant(false, `no such stored register ${register} of the virtual interface`);
}

/** Stores a register of the VLPI frame. Returns false if the register is not in that frame. */
export function applyVlpiFrame(
  state: GicState,
  pe: number,
  register: number,
  low: number,
  high: number,
): boolean {
  const { virtual } = state;
  switch (register) {
    case GICR.GICR_VPROPBASER.offset:
      virtual.vpropbaser[2 * pe] = low;
      virtual.vpropbaser[2 * pe + 1] = high;
      return true;
    case GICR.GICR_VPENDBASER.offset:
      virtual.vpendbaser[2 * pe] = low;
      virtual.vpendbaser[2 * pe + 1] = high;
      return true;
    case GICR.GICR_VSGIR.offset:
      virtual.vsgir[pe] = low;
      return true;
    default:
      return false;
  }
}

/** Flips a vLPI's bit in its virtual pending table, whose address is at `words[at]`. */
function writeTable(state: GicState, words: Uint32Array, at: number, pending: boolean): void {
  const intid = words[at + 2]!;
  const address = words[at + 1]! * 2 ** 32 + words[at]! + (intid >>> 3);
  const byte = state.memory.readByte(address);
  const bit = 1 << (intid & 7);
  state.memory.writeByte(address, pending ? byte | bit : byte & ~bit);
}

/** The kinds of events and observables that change no state. */
type Inert = Extract<
  RecordName,
  | 'its.command'
  | `${'dte' | 'cte' | 'ite' | 'vte'}.${'read' | 'write'}`
  | 'sgi.sent'
  | 'source.conflict'
  | `${'irq' | 'virq'}.${'acknowledged' | 'dropped'}`
  | 'virq.deactivated'
  | `msi.${'translated' | 'dropped' | 'undecided'}`
  | 'vmsi.translated'
  | 'doorbell.rung'
  | 'access.reserved'
  | 'memory.assumed'
  | 'serror.raised'
  | 'behaviour.unpredictable'
>;
/** The kinds that are applied here, or change nothing. A kind that `apply` does not handle either does not compile. */
type Applied =
  | 'vhppi'
  | 'maintenance'
  | 'vlpi.pended'
  | 'vlpi.cleared'
  | 'vlpi.loaded'
  | 'vlpi.forgotten'
  | 'vpe.resident';

/** Applies one event or observable of the virtual side. Others change nothing. */
export function applyVirtual(
  state: GicState,
  kind: (typeof RECORDS)[Applied | Inert]['id'],
  pe: number,
  words: Uint32Array,
  at: number,
): void {
  const { virtual } = state;
  switch (kind) {
    case VHPPI:
      for (let k = 0; k < VHPPI_WORDS; k++) virtual.hppi[VHPPI_WORDS * pe + k] = words[at + k]!;
      return;
    case MAINTENANCE:
      virtual.maintenance[pe] = words[at]!;
      return;
    case VLPI_PENDED:
      writeTable(state, words, at, true);
      if (pe === NO_PE) return;
      virtual.pending[pe]!.add(words[at + 2]!);
      virtual.config[pe]!.set(words[at + 2]!, words[at + 5] !== 0 ? words[at + 4]! : CONFIG_UNKNOWN);
      return;
    case VLPI_CLEARED:
      writeTable(state, words, at, false);
      if (pe === NO_PE) return;
      virtual.pending[pe]!.delete(words[at + 2]!);
      if (state.profile.lpiConfig !== 'until-invalidated') virtual.config[pe]!.delete(words[at + 2]!);
      return;
    case VLPI_LOADED:
      virtual.pending[pe]!.add(words[at]!);
      // If it is not known, the byte says why: 0 for not known yet, 1 for no longer known.
      virtual.config[pe]!.set(
        words[at]!,
        words[at + 2] !== 0 ? words[at + 1]! : words[at + 1] === 0 ? CONFIG_UNKNOWN : CONFIG_LOST,
      );
      return;
    case VLPI_FORGOTTEN:
      if (words[at] !== 0) virtual.config[pe]!.delete(words[at]!);
      else
        for (const intid of [...virtual.config[pe]!.keys()])
          if (!virtual.pending[pe]!.has(intid)) virtual.config[pe]!.delete(intid);
      return;
    case VPE_RESIDENT:
      for (let k = 0; k < RESIDENT_WORDS; k++)
        virtual.resident[RESIDENT_WORDS * pe + k] = words[at + 3] !== 0 ? words[at + k]! : 0;
      virtual.pending[pe]!.clear();
      virtual.config[pe]!.clear();
      return;
    default:
      kind satisfies (typeof RECORDS)[Inert]['id'];
      return;
  }
}
