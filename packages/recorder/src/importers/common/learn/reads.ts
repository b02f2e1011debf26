// Learns from register reads: if the model has another value, and that part of its state is unknown, the model takes
// the value that was read.
import {
  type GicState,
  groupOf,
  hasInterrupt,
  type Machine,
  NSACR_TO_READ,
  privateIndex,
  sharedIndex,
} from '@gictrace/core/model';
import { RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { GICD, GICR, GITS, isPrivate, type RegisterTable, SYSREGS } from '@gictrace/core/spec';
import { AP0R, AP1R } from '../cpu-registers.ts';
import { FRAME_GICD, FRAME_GICR, FRAME_GITS, MMIO_READ } from '../record-kinds.ts';
import { FORWARD } from './explain.ts';
import type { Knowing } from './knowing.ts';
import type { NonSecureAccess } from './non-secure.ts';
import { placeTables } from './placed-tables.ts';
import {
  ATTRIBUTE_OF,
  arrayOf,
  eachInterrupt,
  type RegisterArray,
  registerAt,
  routedIntid,
} from './registers.ts';
import type { Attribute, ItsPart, PePart, Unknowns } from './unknowns.ts';

const ENABLE_LPIS = 1;
const RULE = 'state-from-read';
const GROUP_1NS = 2;
const IGRPEN1 = SYSREGS.ICC_IGRPEN1_EL1.encoding;
const IGRPEN1_EL3 = SYSREGS.ICC_IGRPEN1_EL3.encoding;

const PE_REGISTERS: Readonly<Record<string, PePart>> = {
  GICR_CTLR: 'gicrCtlr',
  GICR_WAKER: 'waker',
  GICR_PROPBASER: 'propbaser',
  GICR_PENDBASER: 'pendbaser',
};
const ITS_REGISTERS: Readonly<Record<string, ItsPart>> = {
  GITS_CTLR: 'ctlr',
  GITS_CBASER: 'cbaser',
  GITS_CWRITER: 'cwriter',
  GITS_CREADR: 'creadr',
  GITS_BASER: 'baser',
};
const SYSREG_PARTS = new Map<number, PePart>([
  [SYSREGS.ICC_PMR_EL1.encoding, 'pmr'],
  [SYSREGS.ICC_CTLR_EL1.encoding, 'ctlr'],
  [SYSREGS.ICC_BPR0_EL1.encoding, 'bpr'],
  [SYSREGS.ICC_BPR1_EL1.encoding, 'bpr'],
  [SYSREGS.ICC_IGRPEN0_EL1.encoding, 'igrpen0'],
  [SYSREGS.ICC_IGRPEN1_EL1.encoding, 'igrpen1'],
  ...[...AP0R, ...AP1R].map((encoding) => [encoding, 'active'] as const),
]);
/** Registers of the virtual CPU interface that hold what was written. */
const VIRTUAL: ReadonlySet<number> = new Set([
  SYSREGS.ICH_HCR_EL2.encoding,
  SYSREGS.ICH_VMCR_EL2.encoding,
  SYSREGS.ICH_AP0R0_EL2.encoding,
  SYSREGS.ICH_AP1R0_EL2.encoding,
  ...Array.from({ length: 16 }, (_, n) => SYSREGS.ICH_LR0_EL2.encoding + n),
]);
/** Registers that identify a unit, and those from which everything in them is learnt when they are read. */
const CLOSED =
  /^GIC[DR]_(CTLR|TYPER2?|IIDR|PIDR\d|WAKER|PROPBASER|PENDBASER)$|^GITS_(CTLR|TYPER|IIDR|PIDR\d|CBASER|CWRITER|BASER)$/;
const RPR = SYSREGS.ICC_RPR_EL1.encoding;

/** Bits of GITS_CREADR that are zero where the pointer is that of a command and the ITS has not stalled. */
const CREADR_REST = 0x1e;

export class Reads {
  private readonly state: GicState;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;
  private readonly access: NonSecureAccess;
  private readonly learnt = new Set<string>();
  /** The state was that after a reset once, and not one that the source does not show since. */
  private isFromReset: boolean;
  /** Words of register frames that the source has written since. */
  private readonly written = new Set<string>();

  constructor(m: Machine, unknowns: Unknowns, knowing: Knowing, access: NonSecureAccess) {
    this.state = m.state;
    this.unknowns = unknowns;
    this.knowing = knowing;
    this.access = access;
    this.isFromReset = unknowns.start === 'reset';
  }

  /** The GIC was reset, or has another state from here on. */
  reset(isStateUnknown: boolean): void {
    this.isFromReset = !isStateUnknown;
    this.written.clear();
  }

  /** A frame register was read to hold this value. Returns whether something was learnt. */
  mmio(
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low: number,
    high: number,
    isSecure: boolean,
  ): boolean {
    const name = registerAt(frame, offset);
    if (name === undefined) return false;
    const before = this.knowing.batch.count;
    if (frame === FRAME_GITS) this.its(name, instance, offset, width, low, high);
    else {
      const array = arrayOf(name);
      const owner = frame === FRAME_GICR ? instance : -1;
      if (frame === FRAME_GICR && instance >= this.state.peCount) return false;
      if (array !== undefined)
        eachInterrupt(frame, offset, width, low, (intid, value) => {
          if (!hasInterrupt(this.state, intid) || isPrivate(intid) !== owner >= 0) return;
          if (this.state.singleSecurity || isSecure) this.interrupt(array, owner, intid, value);
          else this.nonSecure(array, owner, intid, value);
        });
      else if (frame === FRAME_GICD) this.distributor(name, offset, width, low, high, isSecure);
      else this.redistributor(name, instance, offset, width, low, high);
    }
    return this.knowing.batch.count > before;
  }

  /**
   * Whether what record `i` of a group reads may have changed by stimuli that are missing from the source. For most
   * registers, everything that may have changed is learnt from the value read, so a difference that remains has another
   * reason.
   */
  isOpen(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const [frame, , offset, , value] = group.words.subarray(w, w + 5) as unknown as number[] as [
      number,
      number,
      number,
      number,
      number,
    ];
    if (group.kind[i] !== MMIO_READ) {
      const part = SYSREG_PARTS.get(frame);
      return part === undefined || part === 'active' || !this.state.singleSecurityOfPes;
    }
    const name = registerAt(frame, offset);
    if (name === undefined) return true;
    // A source that lacks some writes may lack some of GITS_CWRITER, but the read pointer is always that of a command.
    if (name === 'GITS_CREADR' && (value & CREADR_REST) !== 0) return false;
    const array = arrayOf(name);
    if (array !== undefined) return ATTRIBUTE_OF[array] === 'pending' || ATTRIBUTE_OF[array] === 'active';
    return !CLOSED.test(name) && !(frame === FRAME_GICD && routedIntid(offset) >= 0);
  }

  /**
   * Whether what record `i` of a group reads depends on state that is not known from the source. Of what the source has
   * all stimuli for, and has shown once, a different value has another reason.
   */
  isUnknown(group: RecordBatch, i: number): boolean {
    const { state, unknowns } = this;
    const w = i * RECORD_WORDS;
    const { words } = group;
    const pe = group.pe[i]!;
    if (group.kind[i] !== MMIO_READ) {
      const register = words[w]!;
      const part =
        register === IGRPEN1_EL3 ? 'igrpen1' : register === RPR ? 'active' : SYSREG_PARTS.get(register);
      if (part === undefined || pe < 0 || pe >= state.peCount) return false;
      // Each Security state has active priorities of its own, and sees those of the other one.
      if (part === 'active' && !state.singleSecurityOfPes && unknowns.start === 'mid-life') return true;
      return unknowns.isPartUnknown(part, pe);
    }
    const [frame, instance, offset, width] = [words[w]!, words[w + 1]!, words[w + 2]!, words[w + 3]!];
    const name = registerAt(frame, offset);
    if (name === undefined) return false;
    if (frame === FRAME_GITS) {
      const part = ITS_REGISTERS[name];
      return part !== undefined && unknowns.isItsUnknown(part, instance);
    }
    if (frame === FRAME_GICR && instance >= state.peCount) return false;
    const array = arrayOf(name);
    if (array === undefined) {
      const routed = frame === FRAME_GICD ? routedIntid(offset) : -1;
      if (routed >= 0) return hasInterrupt(state, routed) && unknowns.isUnknown('route', -1, routed);
      if (name === 'GICD_CTLR') return unknowns.unknownForwarding !== 0;
      const part = frame === FRAME_GICR ? PE_REGISTERS[name] : undefined;
      return part !== undefined && unknowns.isPartUnknown(part, instance);
    }
    const owner = frame === FRAME_GICR ? instance : -1;
    const isSecure = state.singleSecurity || (group.flags[i]! & RECORD_FLAGS.secure) !== 0;
    let isUnknown = false;
    eachInterrupt(frame, offset, width, words[w + 4]!, (intid) => {
      if (!hasInterrupt(state, intid) || isPrivate(intid) !== owner >= 0) return;
      const attribute = ATTRIBUTE_OF[array];
      const is = (one: Attribute) => unknowns.isUnknown(one, owner, intid);
      isUnknown ||=
        is(attribute) || (!isSecure && this.access.reaches(owner, intid, leastOf(array)) === undefined);
      if (attribute === 'pending') isUnknown ||= is('level') || is('edge');
    });
    return isUnknown;
  }

  /** Notes that record `i` of a group writes a frame register. */
  wrote(group: RecordBatch, i: number): void {
    if (this.unknowns.any) this.written.add(wordOf(group, i));
  }

  /**
   * Whether record `i` of a group reads a register whose state is never learnt, such as GICD_NSACR<n>, and that the
   * source has not written. What it held when the log began is not in the source.
   */
  isUnlearnt(group: RecordBatch, i: number): boolean {
    if (group.kind[i] !== MMIO_READ) return false;
    const w = i * RECORD_WORDS;
    const [frame, offset] = [group.words[w]!, group.words[w + 2]!];
    const sort = (['GICD writes', 'GICR writes', 'GITS writes'] as const)[frame];
    if (this.isFromReset && !(sort !== undefined && this.unknowns.missing.has(sort))) return false;
    const name = registerAt(frame, offset);
    if (name === undefined || arrayOf(name) !== undefined || CLOSED.test(name)) return false;
    if (name in ITS_REGISTERS || (frame === FRAME_GICD && routedIntid(offset) >= 0)) return false;
    const table: RegisterTable = frame === FRAME_GICD ? GICD : frame === FRAME_GICR ? GICR : GITS;
    return table[name]!.access === 'RW' && !this.written.has(wordOf(group, i));
  }

  private interrupt(array: RegisterArray, pe: number, intid: number, field: number): void {
    const { state, unknowns, knowing } = this;
    const attribute = ATTRIBUTE_OF[array];
    const own = isPrivate(intid);
    const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
    const bits = own ? state.ppi : state.spi;
    const bit = (name: keyof typeof bits) => (bits[name][index >> 5]! >>> (index & 31)) & 1;
    const set = (
      what: 'pending' | 'level' | 'priority' | 'edge' | 'enable' | 'group' | 'grpmod' | 'active',
      value: number,
    ) => {
      if (!unknowns.isUnknown(what, pe, intid)) return false;
      knowing.interrupt(what, pe, intid, value, RULE);
      return true;
    };
    if (attribute === 'priority') {
      const stored = (own ? state.ppiPriority : state.spiPriority)[index]!;
      if (stored !== field) set('priority', field);
    } else if (attribute === 'edge') {
      if (bit('edge') !== field >> 1) set('edge', field >> 1);
    } else if (attribute !== 'pending') {
      if (bit(attribute) !== field) set(attribute, field);
    } else {
      const pending = bit('pending') | (bit('level') & ~bit('edge') & 1);
      if (pending === field) return;
      if (field === 1) {
        if (intid < 16 || bit('edge') === 1 || !set('level', 1)) set('pending', 1);
      } else {
        if (bit('pending') === 1) set('pending', 0);
        if (bit('level') === 1 && bit('edge') === 0) set('level', 0);
      }
    }
  }

  /**
   * Non-secure software reads 0 of an interrupt that is not its own, and priorities shifted. Only a bit that is set
   * reveals something: the interrupt is in Non-secure Group 1, unless GICD_NSACR<n> shows it to Non-secure software.
   */
  private nonSecure(array: RegisterArray, pe: number, intid: number, field: number): void {
    if (field === 0) return;
    const { unknowns, knowing, state } = this;
    const attribute = ATTRIBUTE_OF[array];
    if (attribute === 'grpmod') return;
    const isGranted = this.access.grants(intid, leastOf(array));
    if (groupOf(state, pe, intid) !== GROUP_1NS && isGranted !== true) {
      if (isGranted === undefined || !unknowns.isUnknown('group', pe, intid)) return;
      knowing.interrupt('group', pe, intid, 1, RULE);
    }
    this.interrupt(array, pe, intid, attribute === 'priority' ? 0x80 | (field >> 1) : field);
  }

  private distributor(
    name: string,
    offset: number,
    width: number,
    low: number,
    high: number,
    isSecure: boolean,
  ): void {
    const { state, unknowns, knowing } = this;
    const routed = routedIntid(offset);
    if (routed >= 0) {
      if (width === 8 && hasInterrupt(state, routed) && unknowns.isUnknown('route', -1, routed))
        knowing.interrupt('route', -1, routed, low, RULE, high);
    } else if (name === 'GICD_CTLR') {
      // With two Security states, Non-secure software sees the enable of its own interrupts at the same bit position.
      const seen = state.singleSecurity || isSecure ? 0xff : FORWARD[GROUP_1NS]!;
      const bits = unknowns.unknownForwarding & seen;
      const ctlr = (state.gicdCtlr[0]! & ~bits) | (low & bits);
      if (ctlr >>> 0 !== state.gicdCtlr[0])
        knowing.register('GICD', 0, GICD.GICD_CTLR.offset, ctlr >>> 0, RULE);
    }
  }

  private redistributor(
    name: string,
    pe: number,
    offset: number,
    width: number,
    low: number,
    high: number,
  ): void {
    const part = PE_REGISTERS[name];
    if (part === undefined || !this.unknowns.isPartUnknown(part, pe)) return;
    const { state } = this;
    const offsetOf = GICR[name as keyof typeof GICR].offset;
    const pair = part === 'propbaser' ? state.propbaser : part === 'pendbaser' ? state.pendbaser : undefined;
    if (pair === undefined) {
      if (part === 'gicrCtlr' && low & ENABLE_LPIS) placeTables(state, this.unknowns, this.knowing, pe);
      this.knowing.register('GICR', pe, offsetOf, low, RULE);
    } else {
      const [l, h] = halves(offset, width, low, high, pair[2 * pe]!, pair[2 * pe + 1]!);
      this.knowing.register('GICR', pe, offsetOf, l, RULE, h);
    }
  }

  private its(name: string, its: number, offset: number, width: number, low: number, high: number): void {
    const part = ITS_REGISTERS[name];
    if (part === undefined || !this.unknowns.isItsUnknown(part, its)) return;
    const { state } = this;
    const register = GITS[name as keyof typeof GITS].offset;
    if (part === 'ctlr' || part === 'cwriter' || part === 'creadr') {
      if (offset === register) this.knowing.register('GITS', its, register, low, RULE);
    } else if (part === 'cbaser') {
      const [l, h] = halves(offset, width, low, high, state.cbaser[2 * its]!, state.cbaser[2 * its + 1]!);
      this.knowing.register('GITS', its, register, l, RULE, h);
    } else {
      const n = (offset - register) >> 3;
      const at = 16 * its + 2 * n;
      const [l, h] = halves(offset, width, low, high, state.baser[at]!, state.baser[at + 1]!);
      this.knowing.register('GITS', its, register + 8 * n, l, RULE, h);
    }
  }

  /**
   * A system register was read to hold this value. Returns whether something was learnt. Not for registers whose read
   * has side effects.
   */
  sysreg(pe: number, register: number, low: number, high: number, isSecure: boolean): boolean {
    const { unknowns, knowing, state } = this;
    if (!state.singleSecurityOfPes) return this.ofTwoStates(pe, register, low, isSecure);
    if (register === RPR) {
      if (!unknowns.isPartUnknown('active', pe)) return false;
      for (const registers of [AP0R, AP1R])
        for (const one of registers) knowing.register('ICC', pe, one, 0, RULE);
      const bit = low >> state.preemptionShift;
      if (low !== 0xff) knowing.register('ICC', pe, AP1R[bit >> 5]!, (1 << (bit & 31)) >>> 0, RULE);
      return true;
    }
    if (VIRTUAL.has(register)) {
      if (!unknowns.isPartUnknown('virtual', pe)) return false;
      knowing.register('ICH', pe, register, low, RULE, high);
      return true;
    }
    const part = SYSREG_PARTS.get(register);
    if (part === undefined || !unknowns.isPartUnknown(part, pe)) return false;
    knowing.register('ICC', pe, register, low, RULE);
    return true;
  }

  /**
   * With two Security states: registers that both states share, and enables that each state has its own of. What has
   * been learnt once is known.
   */
  private ofTwoStates(pe: number, register: number, low: number, isSecure: boolean): boolean {
    const part = register === IGRPEN1_EL3 ? 'igrpen1' : SYSREG_PARTS.get(register);
    const isOwn = part === 'igrpen1';
    // Non-secure software may see the priority mask shifted.
    if (!isOwn && part !== 'igrpen0' && !(part === 'pmr' && isSecure)) return false;
    const key = `${pe} ${register} ${isOwn && isSecure}`;
    if (this.unknowns.start !== 'mid-life' || this.learnt.has(key)) return false;
    this.learnt.add(key);
    if (register === IGRPEN1_EL3) {
      this.knowing.register('ICC', pe, IGRPEN1, low & 1, RULE);
      this.knowing.register('ICC_S', pe, IGRPEN1, (low >> 1) & 1, RULE);
    } else this.knowing.register(isOwn && isSecure ? 'ICC_S' : 'ICC', pe, register, low, RULE);
    return true;
  }
}

/** The level of GICD_NSACR<n> from which on a Non-secure read of a register shows Secure SPIs. */
function leastOf(array: RegisterArray): number | undefined {
  return (NSACR_TO_READ as Partial<Record<RegisterArray, number>>)[array];
}

/** The word of a frame that an access reaches first. */
function wordOf(group: RecordBatch, i: number): string {
  const [frame, instance, offset] = group.words.subarray(i * RECORD_WORDS, i * RECORD_WORDS + 3);
  return `${frame} ${instance} ${offset! & ~3}`;
}

/** A 64-bit register of which one half, or both, were read. */
function halves(
  offset: number,
  width: number,
  low: number,
  high: number,
  oldLow: number,
  oldHigh: number,
): readonly [number, number] {
  if (width === 8) return [low, high];
  return offset & 4 ? [oldLow, low] : [low, oldHigh];
}
