// Which interrupt a PE is told of, and whether its IRQ or FIQ line is up (IHI 0069, "Interrupt prioritization").
// Derives and emits `hppi`; changes nothing else.
import { GROUPS } from '../record/index.ts';
import type { Machine } from './machine.ts';
import { CONFIG_UNKNOWN, type GicState, IDLE, SPURIOUS } from './state.ts';

export const GROUP0 = GROUPS.indexOf('0');
export const GROUP1S = GROUPS.indexOf('1S');
export const GROUP1NS = GROUPS.indexOf('1NS');

const CTLR_ENABLE_GRP0 = 1;
const CTLR_ENABLE_GRP1NS = 2;
const CTLR_ENABLE_GRP1S = 4;
const CTLR_CBPR = 1;
const GICR_CTLR_ENABLE_LPIS = 1;
const LPI_ENABLE = 1;
const LPI_PRIORITY = 0xfc;

/** Of 32 interrupts, those whose group the Distributor forwards. */
function forwarded(state: GicState, group: number, grpmod: number): number {
  const ctlr = state.gicdCtlr[0]!;
  const secureGroup1 = state.singleSecurity ? 0 : grpmod;
  let mask = 0;
  if (ctlr & CTLR_ENABLE_GRP1NS) mask |= group;
  if (ctlr & CTLR_ENABLE_GRP1S) mask |= ~group & secureGroup1;
  if (ctlr & CTLR_ENABLE_GRP0) mask |= ~group & ~secureGroup1;
  return mask;
}

/** The group of an SGI, PPI (of `pe`) or SPI. */
export function groupOf(state: GicState, pe: number, intid: number): number {
  const bits = intid < 32 ? state.ppi : state.spi;
  const word = intid < 32 ? pe : intid >> 5;
  const bit = 1 << (intid & 31);
  if (bits.group[word]! & bit) return GROUP1NS;
  return !state.singleSecurity && bits.grpmod[word]! & bit ? GROUP1S : GROUP0;
}

/** The PE to which an SPI is routed, or -1 where there is none with that affinity. */
export function routedPe(state: GicState, intid: number): number {
  const affinity = ((state.routeHigh[intid]! & 0xff) << 24) | (state.routeLow[intid]! & 0xff_ffff);
  const pes = state.config.pes;
  for (let pe = 0; pe < pes.length; pe++) if (pes[pe]!.affinity === affinity >>> 0) return pe;
  return -1;
}

/** Finds the best SPI for every PE. */
function rankSpis(m: Machine): void {
  const { state, spiBest, spiBestPriority } = m;
  const { spi } = state;
  spiBestPriority.fill(IDLE);
  for (let word = 1; word < spi.enable.length; word++) {
    let pend =
      (spi.pending[word]! | (~spi.edge[word]! & spi.level[word]!)) &
      spi.enable[word]! &
      ~spi.active[word]! &
      forwarded(state, spi.group[word]!, spi.grpmod[word]!);
    while (pend !== 0) {
      const bit = 31 - Math.clz32(pend & -pend);
      pend &= pend - 1;
      const intid = 32 * word + bit;
      const pe = routedPe(state, intid);
      // Ascending INTIDs: of equal priorities the first stays. IHI 0069 leaves that choice open.
      if (pe >= 0 && state.spiPriority[intid]! < spiBestPriority[pe]!) {
        spiBest[pe] = intid;
        spiBestPriority[pe] = state.spiPriority[intid]!;
      }
    }
  }
}

/** Priority of an LPI from its configuration byte: LPIs are Non-secure Group 1, so two Security states shift it. */
function lpiPriority(state: GicState, config: number): number {
  return state.singleSecurity ? config & LPI_PRIORITY : ((config & LPI_PRIORITY) >> 1) | 0x80;
}

/** Finds the best LPI of a PE. */
function rankLpis(m: Machine, pe: number): void {
  const { state } = m;
  let best = 0;
  let bestPriority = IDLE;
  const configs = state.lpiConfig[pe]!;
  for (const intid of state.lpiPending[pe]!) {
    const config = configs.get(intid);
    if (config === undefined || config >= CONFIG_UNKNOWN || (config & LPI_ENABLE) === 0) continue;
    const priority = lpiPriority(state, config);
    if (priority < bestPriority || (priority === bestPriority && intid < best)) {
      best = intid;
      bestPriority = priority;
    }
  }
  m.lpiBest[pe] = best;
  m.lpiBestPriority[pe] = bestPriority;
  m.lpiDirty[pe] = 0;
}

/** The best pending and enabled LPI of a PE, or 0. */
export function bestLpi(m: Machine, pe: number): number {
  if (m.lpiDirty[pe]) rankLpis(m, pe);
  return m.lpiBestPriority[pe] === IDLE ? 0 : m.lpiBest[pe]!;
}

/** Running priority: the highest active one; 0xff when idle (IHI 0069, "ICC_RPR_EL1"). */
export function runningPriority(state: GicState, pe: number): number {
  for (let i = 0; i < 4; i++) {
    const active = state.ap0r[4 * pe + i]! | state.ap1r[4 * pe + i]!;
    if (active !== 0) {
      const lowest = 31 - Math.clz32(active & -active);
      return ((32 * i + lowest) << (8 - state.config.priorityBits)) & 0xff;
    }
  }
  return IDLE;
}

/** The bits of a priority that are its group priority, by the binary point of the interrupt's group. */
export function groupPriorityMask(state: GicState, pe: number, group: number): number {
  const common = group !== GROUP0 && (state.ctlr[pe]! & CTLR_CBPR) !== 0;
  const point = group === GROUP0 || common ? state.bpr0[pe]! : state.bpr1[pe]! - (group === GROUP1NS ? 1 : 0);
  return (0xff << (point + 1)) & 0xff;
}

/** Whether the PE's highest-priority pending interrupt is signalled to it now. */
export function canPreempt(m: Machine, pe: number, group: number, priority: number): boolean {
  const { state } = m;
  if (priority === IDLE) return false;
  const enabled = group === GROUP0 ? state.igrpen0[pe]! : state.igrpen1[pe]!;
  if (enabled === 0 || priority >= state.pmr[pe]!) return false;
  if (m.profile.wakerGates && (state.gicrWaker[pe]! & 2) !== 0) return false;
  const running = runningPriority(state, pe);
  if (running === IDLE) return true;
  const mask = groupPriorityMask(state, pe, group);
  return (priority & mask) < (running & mask);
}

function arbitrate(m: Machine, pe: number): void {
  const { state } = m;
  let intid = SPURIOUS;
  let priority = IDLE;
  const { ppi } = state;
  let pend =
    (ppi.pending[pe]! | (~ppi.edge[pe]! & ppi.level[pe]!)) &
    ppi.enable[pe]! &
    ~ppi.active[pe]! &
    forwarded(state, ppi.group[pe]!, ppi.grpmod[pe]!);
  while (pend !== 0) {
    const bit = 31 - Math.clz32(pend & -pend);
    pend &= pend - 1;
    const own = state.ppiPriority[32 * pe + bit]!;
    if (own < priority) {
      intid = bit;
      priority = own;
    }
  }
  if (m.spiBestPriority[pe]! < priority) {
    intid = m.spiBest[pe]!;
    priority = m.spiBestPriority[pe]!;
  }
  let group = intid === SPURIOUS ? GROUP0 : groupOf(state, pe, intid);
  if (state.gicrCtlr[pe]! & GICR_CTLR_ENABLE_LPIS && state.gicdCtlr[0]! & CTLR_ENABLE_GRP1NS) {
    if (m.lpiDirty[pe]) rankLpis(m, pe);
    if (m.lpiBestPriority[pe]! < priority) {
      intid = m.lpiBest[pe]!;
      priority = m.lpiBestPriority[pe]!;
      group = GROUP1NS;
    }
  }
  const signalled = canPreempt(m, pe, group, priority);
  // With one Security state Group 0 is FIQ and Group 1 is IRQ. With two, a PE is taken to run Non-secure:
  // then both Secure groups are FIQs (IHI 0069, "Interrupt grouping and security").
  const isFiq = group !== GROUP1NS;
  const fiq = signalled && isFiq ? 1 : 0;
  const irq = signalled && !isFiq ? 1 : 0;
  if (
    intid !== state.hppiIntid[pe] ||
    group !== state.hppiGroup[pe] ||
    priority !== state.hppiPriority[pe] ||
    fiq !== state.fiq[pe] ||
    irq !== state.irq[pe]
  )
    m.emitHppi(pe, intid, group, priority, fiq, irq);
}

/** Arbitrates anew for every PE that an event since the last call may concern. */
export function settle(m: Machine): void {
  if (!m.anyDirty) return;
  m.anyDirty = false;
  const { peDirty } = m;
  if (m.spisDirty) {
    m.spisDirty = false;
    rankSpis(m);
    peDirty.fill(1);
  }
  for (let pe = 0; pe < peDirty.length; pe++) {
    if (peDirty[pe] === 0) continue;
    peDirty[pe] = 0;
    arbitrate(m, pe);
  }
}
