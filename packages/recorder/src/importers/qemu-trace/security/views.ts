// Evaluates the register values of a segment: whether SCR_EL3.FIQ is 1, so that Non-secure software sees priorities
// shifted, and which instances EL3 accesses (SCR_EL3.NS). Follows one PE's registers through the accesses of one
// segment.
import { type Machine, peekSysreg } from '@gictrace/core/model';
import { SYSREGS, type SysregName } from '@gictrace/core/spec';
import { type Access, EL3, NON_SECURE, SECURE, STATES } from './segment.ts';

const PMR = SYSREGS.ICC_PMR_EL1.encoding;
const RPR = SYSREGS.ICC_RPR_EL1.encoding;
/** Registers that contain priorities. */
export const SHIFTED: ReadonlySet<number> = new Set([PMR, RPR]);
export const BANKED: ReadonlySet<number> = new Set(
  (
    [
      'ICC_BPR1_EL1',
      'ICC_CTLR_EL1',
      'ICC_IGRPEN1_EL1',
      'ICC_AP1R0_EL1',
      'ICC_AP1R1_EL1',
      'ICC_AP1R2_EL1',
      'ICC_AP1R3_EL1',
    ] satisfies SysregName[]
  ).map((name) => SYSREGS[name].encoding),
);
/** Registers whose value depends on the state of the reader. */
const TELLING: ReadonlySet<number> = new Set([...SHIFTED, ...BANKED]);
const IDLE = 0xff;
/** The weight of a value that a state could not have read. */
const WRONG_VALUE = 3;

/** A priority as Non-secure software sees it with SCR_EL3.FIQ = `fiq`. */
function shown(value: number, fiq: number): number {
  if (fiq === 0 || value === IDLE) return value;
  return value < 0x80 ? 0 : (value << 1) & 0xff;
}

function written(before: number, value: number, fiq: number, implemented: number): number {
  if (fiq === 0) return value & implemented;
  return before < 0x80 ? before : (0x80 | (value >> 1)) & implemented;
}

/** Whether what a PE is signalled after a write to its mask is impossible with this mask. */
function contradicts(mask: number, { before, after }: Access): boolean {
  if (after === undefined || after.priority === IDLE) return false;
  if (after.fiq + after.irq > 0) return after.priority >= mask;
  const wasUp =
    before.fiq + before.irq > 0 && before.intid === after.intid && before.priority === after.priority;
  return wasUp && after.priority < mask;
}

/** How many of the values that Non-secure software sees contradict SCR_EL3.FIQ = `fiq`. */
export function wrongWithFiq(m: Machine, pe: number, accesses: readonly Access[], fiq: number): number {
  const implemented = (0xff << (8 - m.state.config.priorityBits)) & 0xff;
  const running = peekSysreg(m, pe, RPR, true, false);
  let mask = m.state.pmr[pe]!;
  let isAsBefore = true;
  let wrong = 0;
  for (const access of accesses) {
    const { register, write, low } = access;
    if (register === PMR && write) {
      mask = written(mask, low & 0xff, fiq, implemented);
      if (contradicts(mask, access)) wrong++;
    } else if (register === PMR) {
      if (low !== shown(mask, fiq)) wrong++;
    } else if (register === RPR && isAsBefore) {
      if (low !== shown(running, fiq)) wrong++;
    } else if (!TELLING.has(register)) isAsBefore = false;
  }
  return wrong;
}

/**
 * Whether Non-secure software sets a priority mask that it cannot set with SCR_EL3.FIQ = 1, because the current mask is
 * in the Secure half. If it could not, none of its own interrupts would ever be signalled to it.
 */
export function setsOutOfReach(m: Machine, pe: number, accesses: readonly Access[]): boolean {
  return (
    m.state.pmr[pe]! < 0x80 &&
    accesses.some(({ register, write, low }) => register === PMR && write && (low & 0xff) !== 0)
  );
}

/** The weight, against each state, of the values that are read before anything is written. */
export function againstByValues(
  m: Machine,
  pe: number,
  accesses: readonly Access[],
  fiqIsOpen: boolean,
): [number, number, number] {
  const against: [number, number, number] = [0, 0, 0];
  for (const { register, write, low } of accesses) {
    if (write || !TELLING.has(register)) break;
    const asSecure = peekSysreg(m, pe, register, true, false);
    const shows = [false, false, false];
    shows[SECURE] = asSecure === low;
    shows[NON_SECURE] =
      peekSysreg(m, pe, register, false, false) === low ||
      (fiqIsOpen && !BANKED.has(register) && (asSecure === low || shown(asSecure, 1) === low));
    shows[EL3] = [true, false].some((bank) => peekSysreg(m, pe, register, bank, true) === low);
    if (shows.includes(true)) for (const state of STATES) if (!shows[state]) against[state] += WRONG_VALUE;
  }
  return against;
}

/**
 * From which access of a segment at EL3 on SCR_EL3.NS differs from `bank` (1: it is 1). Chooses the one that leaves the
 * fewest wrong values, and the first of equals. Returns the number of accesses if it does not change.
 */
export function bankChangesAt(m: Machine, pe: number, accesses: readonly Access[], bank: number): number {
  let best = accesses.length;
  let least = wrongFrom(m, pe, accesses, best, bank);
  for (let from = 0; from < accesses.length && least > 0; from++) {
    if (!BANKED.has(accesses[from]!.register)) continue;
    const wrong = wrongFrom(m, pe, accesses, from, bank);
    if (wrong < least) {
      best = from;
      least = wrong;
    }
  }
  return best;
}

function wrongFrom(m: Machine, pe: number, accesses: readonly Access[], from: number, bank: number): number {
  /** By register: what was written to each instance, as it would be read back. */
  const held = [new Map<number, number>(), new Map<number, number>()];
  let wrong = 0;
  accesses.forEach(({ register, write, low }, n) => {
    if (!BANKED.has(register)) return;
    const at = n >= from ? 1 - bank : bank;
    if (write) held[at]!.set(register, low);
    else if (low !== (held[at]!.get(register) ?? peekSysreg(m, pe, register, at === 0, true))) wrong++;
  });
  return wrong;
}
