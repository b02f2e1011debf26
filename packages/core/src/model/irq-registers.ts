// The register arrays over INTIDs that the Distributor and the Redistributors have in common: bitmaps, priorities,
// configuration and access control, as each Security state sees them (IHI 0069, "GICD_IGROUPR<n>" to "GICD_INMIR<n>E").
import { IRQ_ATTRIBUTES, PEND_CAUSES, RECORDS } from '../record/index.ts';
import type { Machine } from './machine.ts';
import { takeUp } from './overlooked.ts';
import type { GicState, IrqBits } from './state.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const CAUSE_SOFTWARE = PEND_CAUSES.indexOf('software');
const ATTRIBUTE_PRIORITY = IRQ_ATTRIBUTES.indexOf('priority');
const ATTRIBUTE_NSACR = IRQ_ATTRIBUTES.indexOf('nsacr');
const ALL = 0xffff_ffff;

/** Levels of Non-secure access to a Secure interrupt, from the least on (IHI 0069, "GICD_NSACR<n>"). */
export const NSACR_SET_PENDING = 1;
export const NSACR_CLEAR_PENDING = 2;
export const NSACR_ROUTE = 3;
/** The level from which on a Non-secure read shows Secure SPIs, by register, and a write reaches them. Others never do. */
export const NSACR_TO_READ = {
  ISPENDR: NSACR_SET_PENDING,
  ICPENDR: NSACR_CLEAR_PENDING,
  ISACTIVER: NSACR_CLEAR_PENDING,
  ICACTIVER: NSACR_CLEAR_PENDING,
} as const;
export const NSACR_TO_WRITE = {
  ISPENDR: NSACR_SET_PENDING,
  ICPENDR: NSACR_CLEAR_PENDING,
  IROUTER: NSACR_ROUTE,
} as const;

/** A set of interrupts with its own registers: where their state is, and which names it has. */
export interface IrqBank {
  bits(state: GicState): IrqBits;
  /** One byte per interrupt. */
  priorities(state: GicState): Uint8Array;
  nsacr(state: GicState): Uint8Array;
  /** The word of state for element `n` of a bitmap register; -1 if the element is RAZ/WI. */
  word(state: GicState, instance: number, n: number): number;
  /** The INTID of bit 0 of a word of state. */
  firstIntid(state: GicState, word: number): number;
  /** The PE that events about these interrupts name. */
  owner(instance: number): number;
  /** Whether NSACR widens what Non-secure accesses to the registers reach. Otherwise it is about sending SGIs. */
  readonly nsacrWidens: boolean;
  /** Whether the n-th half of a word has a fixed configuration: that of SGIs, and under some profiles that of PPIs. */
  isFixed(n: number, m: Machine): boolean;
}

type Read = (m: Machine, instance: number, n: number) => void;
type Write = (m: Machine, instance: number, n: number, low: number) => void;
export interface IrqRegister {
  readonly read: Read;
  readonly write: Write;
}

/** Emits an event for each bit that changes in a word of 32 interrupts. */
function changeBits(
  m: Machine,
  name: keyof IrqBits,
  pe: number,
  firstIntid: number,
  old: number,
  wanted: number,
): void {
  let changed = old ^ wanted;
  while (changed !== 0) {
    const bit = 31 - Math.clz32(changed & -changed);
    changed &= changed - 1;
    const set = ((wanted >>> bit) & 1) === 1;
    const intid = firstIntid + bit;
    if (name === 'pending') {
      if (set) m.emit(IRQ_PENDED, pe, intid, CAUSE_SOFTWARE);
      else m.emit(IRQ_UNPENDED, pe, intid);
    } else if (name === 'active') m.emit(set ? IRQ_ACTIVATED : IRQ_DEACTIVATED, pe, intid);
    else {
      const attribute = IRQ_ATTRIBUTES.indexOf(name as (typeof IRQ_ATTRIBUTES)[number]);
      m.emit(IRQ_CHANGED, pe, intid, attribute, set ? 1 : 0);
    }
  }
}

/** Spreads 16 bits to the odd bits of a word (GICD_ICFGR). */
function spread(bits: number): number {
  let word = 0;
  for (let k = 0; k < 16; k++) if ((bits >> k) & 1) word |= 2 << (2 * k);
  return word >>> 0;
}

/** Gathers the odd bits of a word into 16 bits. */
function gather(word: number): number {
  let bits = 0;
  for (let k = 0; k < 16; k++) if ((word >>> (2 * k + 1)) & 1) bits |= 1 << k;
  return bits;
}

/**
 * A priority as a Non-secure access sees it. Its priorities are the half from 0x80 on, and it sees them shifted left by one
 * (IHI 0069, "Software accesses of interrupt priority").
 */
export function nonSecureView(priority: number): number {
  return (priority << 1) & 0xff;
}
export function fromNonSecureView(byte: number): number {
  return 0x80 | (byte >>> 1);
}

/**
 * The interrupts of a word that the access reaches. A Secure access reaches all of them. A Non-secure access reaches those
 * of Non-secure Group 1, and those whose NSACR is at least `nsacr`; 0 means that NSACR gives no access.
 */
function reach(m: Machine, bank: IrqBank, word: number, nsacr = 0): number {
  if (m.secure) return ALL;
  let mask = bank.bits(m.state).group[word]!;
  if (nsacr > 0 && bank.nsacrWidens) {
    const access = bank.nsacr(m.state);
    for (let bit = 0; bit < 32; bit++) if (access[32 * word + bit]! >= nsacr) mask |= 1 << bit;
  }
  return mask;
}

/** Whether the access reaches the interrupt with this index; see `reach`. */
export function reaches(m: Machine, bank: IrqBank, index: number, nsacr = 0): boolean {
  return m.secure || ((reach(m, bank, index >> 5, nsacr) >>> (index & 31)) & 1) === 1;
}

/** The register arrays of a bank, by the part of their names that the banks have in common. */
export function irqRegisters(bank: IrqBank) {
  const change = (m: Machine, name: keyof IrqBits, instance: number, word: number, wanted: number) =>
    changeBits(
      m,
      name,
      bank.owner(instance),
      bank.firstIntid(m.state, word),
      bank.bits(m.state)[name][word]!,
      wanted,
    );

  /** Of the interrupts of a word that a write names, those that were overlooked are taken up. */
  const takeUpAll = (m: Machine, instance: number, word: number, named: number) => {
    for (let left = bank.bits(m.state).overlooked[word]! & named; left !== 0; left &= left - 1)
      takeUp(m, bank.owner(instance), bank.firstIntid(m.state, word) + 31 - Math.clz32(left & -left));
  };

  const bitmap = (name: keyof IrqBits, set: boolean, readNsacr = 0, writeNsacr = 0): IrqRegister => ({
    read: (m, instance, n) => {
      const word = bank.word(m.state, instance, n);
      if (word < 0) return;
      const bits = bank.bits(m.state);
      const value =
        name === 'pending'
          ? bits.pending[word]! | (~bits.edge[word]! & bits.level[word]!)
          : bits[name][word]!;
      m.low = (value & reach(m, bank, word, readNsacr)) >>> 0;
    },
    write: (m, instance, n, low) => {
      const word = bank.word(m.state, instance, n);
      if (word < 0) return;
      const old = bank.bits(m.state)[name][word]!;
      const bits = low & reach(m, bank, word, writeNsacr);
      change(m, name, instance, word, set ? old | bits : old & ~bits);
      if (set) takeUpAll(m, instance, word, bits);
    },
  });

  /** A bitmap in which a write replaces all bits. Accesses for which `exists` does not hold see RAZ/WI. */
  const plain = (name: keyof IrqBits, exists: (m: Machine) => boolean): IrqRegister => ({
    read: (m, instance, n) => {
      const word = bank.word(m.state, instance, n);
      if (word >= 0 && exists(m)) m.low = (bank.bits(m.state)[name][word]! & reach(m, bank, word)) >>> 0;
    },
    write: (m, instance, n, low) => {
      const word = bank.word(m.state, instance, n);
      if (word < 0 || !exists(m)) return;
      const mask = reach(m, bank, word);
      change(m, name, instance, word, (bank.bits(m.state)[name][word]! & ~mask) | (low & mask));
      takeUpAll(m, instance, word, mask);
    },
  });

  /** The index of the interrupt to which element `n` of a byte array belongs, or -1. */
  const indexOf = (m: Machine, instance: number, n: number): number => {
    const word = bank.word(m.state, instance, n >> 5);
    return word < 0 || !reaches(m, bank, 32 * word + (n & 31)) ? -1 : 32 * word + (n & 31);
  };
  const intidOf = (m: Machine, index: number): number => bank.firstIntid(m.state, index >> 5) + (index & 31);

  const priority: IrqRegister = {
    read: (m, instance, n) => {
      const index = indexOf(m, instance, n);
      if (index < 0) return;
      const stored = bank.priorities(m.state)[index]!;
      m.low = m.secure ? stored : nonSecureView(stored);
    },
    write: (m, instance, n, low) => {
      const index = indexOf(m, instance, n);
      if (index < 0) return;
      const kept = low & m.profile.prioritiesKept;
      const value = m.secure ? kept : fromNonSecureView(kept);
      if (value !== bank.priorities(m.state)[index])
        m.emit(IRQ_CHANGED, bank.owner(instance), intidOf(m, index), ATTRIBUTE_PRIORITY, value);
    },
  };

  const configuration: IrqRegister = {
    read: (m, instance, n) => {
      const word = bank.word(m.state, instance, n >> 1);
      if (word < 0) return;
      const edge = bank.bits(m.state).edge[word]! & reach(m, bank, word);
      m.low = spread((edge >>> (16 * (n & 1))) & 0xffff);
    },
    write: (m, instance, n, low) => {
      const word = bank.word(m.state, instance, n >> 1);
      if (word < 0 || bank.isFixed(n, m)) return;
      const shift = 16 * (n & 1);
      const mask = (0xffff << shift) & reach(m, bank, word);
      const { edge, enable } = bank.bits(m.state);
      const wanted = (edge[word]! & ~mask) | ((gather(low) << shift) & mask);
      for (let hit = (edge[word]! ^ wanted) & enable[word]!; hit !== 0; hit &= hit - 1)
        m.unpredictable(
          'configured-while-enabled',
          instance,
          intidOf(m, 32 * word + 31 - Math.clz32(hit & -hit)),
        );
      change(m, 'edge', instance, word, wanted);
    },
  };

  /** Only for Secure accesses, and RAZ/WI with one Security state: two bits per interrupt, 16 interrupts per element. */
  const accessControl: IrqRegister = {
    read: (m, instance, n) => {
      const word = bank.word(m.state, instance, n >> 1);
      if (word < 0 || !twoStatesSecure(m)) return;
      const first = 32 * word + 16 * (n & 1);
      let value = 0;
      for (let k = 15; k >= 0; k--) value = (value << 2) | bank.nsacr(m.state)[first + k]!;
      m.low = value >>> 0;
    },
    write: (m, instance, n, low) => {
      const word = bank.word(m.state, instance, n >> 1);
      if (word < 0 || !twoStatesSecure(m)) return;
      const first = 32 * word + 16 * (n & 1);
      for (let k = 0; k < 16; k++) {
        const value = (low >>> (2 * k)) & 3;
        if (value !== bank.nsacr(m.state)[first + k])
          m.emit(IRQ_CHANGED, bank.owner(instance), intidOf(m, first + k), ATTRIBUTE_NSACR, value);
      }
    },
  };

  return {
    IGROUPR: plain('group', (m) => m.secure),
    IGRPMODR: plain('grpmod', twoStatesSecure),
    ISENABLER: bitmap('enable', true),
    ICENABLER: bitmap('enable', false),
    ISPENDR: bitmap('pending', true, NSACR_TO_READ.ISPENDR, NSACR_TO_WRITE.ISPENDR),
    ICPENDR: bitmap('pending', false, NSACR_TO_READ.ICPENDR, NSACR_TO_WRITE.ICPENDR),
    ISACTIVER: bitmap('active', true, NSACR_TO_READ.ISACTIVER),
    ICACTIVER: bitmap('active', false, NSACR_TO_READ.ICACTIVER),
    IPRIORITYR: priority,
    ICFGR: configuration,
    NSACR: accessControl,
    INMIR: plain('nmi', (m) => m.state.hasNmi),
  } as const;
}

/** Whether this is a Secure access with two Security states. */
function twoStatesSecure(m: Machine): boolean {
  return m.secure && !m.state.singleSecurity;
}
