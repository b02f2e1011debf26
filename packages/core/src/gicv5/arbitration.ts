// Which interrupt a PE is signalled: the best PPI of its CPU interface against what the IRS forwards to it. Every stimulus ends
// with `settle`, which looks again for what the stimulus concerned.
import { IRS_REFUSALS, NO_PE, RECORDS } from '../record/index.ts';
import { DOMAINS, GICV5_TYPES, gicv5Intid } from '../spec/gicv5/index.ts';
import { ISTE } from './ist.ts';
import { AGAIN, type Gicv5Machine, NON_SECURE } from './machine.ts';
import { type Gicv5State, IDLE, PPI_WORDS, PPIS } from './state.ts';

const IRS_HPPI = RECORDS['irs.hppi'].id;
const PPI_HPPI = RECORDS['ppi.hppi'].id;
const SIGNAL = RECORDS['cpuif.signal'].id;
const REFUSED = RECORDS['irs.refused'].id;
const NO_SUCH_PE = IRS_REFUSALS.indexOf('no such PE');
const IRS_DISABLED = IRS_REFUSALS.indexOf('IRS disabled');
const IRSEN = 1;
const { PPI, LPI, SPI } = GICV5_TYPES;
const CR0_EN = 1;
const WANTED = ISTE.pending | ISTE.enable;
const DECIDING = WANTED | ISTE.active;
const IAFFID = 0xffff;
/** What looking at an SPI word or an LPI costs. */
const LOOK_WORK = 1;

/** An interrupt and its priority; 0 and IDLE if there is none. */
export interface Candidate {
  intid: number;
  priority: number;
}

const best: Candidate = { intid: 0, priority: IDLE };

function none(): Candidate {
  best.intid = 0;
  best.priority = IDLE;
  return best;
}

function offer(intid: number, priority: number): void {
  if (priority >= best.priority) return;
  best.intid = intid;
  best.priority = priority;
}

/** The best interrupt that the IRS has for a PE: pending, enabled and not active. */
function bestOfIrs(m: Gicv5Machine, pe: number): Candidate {
  const { state } = m;
  const { iaffid } = state.config.pes[pe]!;
  none();
  if (state.pendingLpis.size > 0) bestLpi(m, iaffid);
  const { enable, pending, active } = state.spi;
  m.budget.spend(LOOK_WORK * enable.length);
  for (let word = 0; word < enable.length; word++) {
    let bits = enable[word]! & pending[word]! & ~active[word]!;
    for (; bits !== 0; bits &= bits - 1) {
      const spi = 32 * word + 31 - Math.clz32(bits & -bits);
      if ((state.spiTarget[spi]! & IAFFID) === iaffid)
        offer(gicv5Intid(SPI, state.spiBase + spi), state.spiPriority[spi]!);
    }
  }
  return best;
}

function bestLpi(m: Gicv5Machine, iaffid: number): void {
  const { lpis, pendingLpis } = m.state;
  const isLowest = m.profile.equalPriorities === 'lowest INTID';
  const { table } = pendingLpis;
  m.budget.spend(LOOK_WORK * table.length);
  for (let slot = 0; slot < table.length; slot++) {
    const id = table[slot]!;
    if (id < 0) continue;
    const iste = lpis.get(id)!;
    if ((iste & DECIDING) !== WANTED || iste >>> ISTE.iaffidLsb !== iaffid) continue;
    const priority = (iste & ISTE.priorityMask) >>> ISTE.priorityLsb;
    const intid = gicv5Intid(LPI, id);
    if (isLowest && priority === best.priority && intid < best.intid) best.intid = intid;
    else offer(intid, priority);
  }
}

/** The best PPI of a PE: pending, enabled and not active. */
function bestPpi(m: Gicv5Machine, pe: number): Candidate {
  const { ppi, ppiPriority } = m.state;
  none();
  for (let word = 0; word < PPI_WORDS; word++) {
    const at = pe * PPI_WORDS + word;
    let bits = ppi.enable[at]! & ppi.pending[at]! & ~ppi.active[at]!;
    for (; bits !== 0; bits &= bits - 1) {
      const id = 32 * word + 31 - Math.clz32(bits & -bits);
      offer(gicv5Intid(PPI, id), ppiPriority[pe * PPIS + id]! & 0x1f);
    }
  }
  return best;
}

/**
 * What a PE is signalled: the better of what the IRS forwards and its best PPI, which wins if they are equal (R_VVBPS), if the
 * CPU interface is enabled and the priority suffices (D_MSQKF): higher than the running one, and not lower than the mask.
 * The object is reused.
 */
export function signalled(m: Gicv5Machine, pe: number): Candidate {
  const { state } = m;
  none();
  if ((state.cr0[pe]! & CR0_EN) === 0) return best;
  offer(state.ppiIntid[pe]!, state.ppiBest[pe]!);
  offer(state.irsIntid[pe]!, state.irsPriority[pe]!);
  if (best.priority > state.pcr[pe]! || best.priority >= runningPriority(state, pe)) return none();
  return best;
}

/** The highest of the active priorities of a PE (D_XMBQZ); IDLE if none is active. */
export function runningPriority({ apr }: Gicv5State, pe: number): number {
  const active = apr[pe]!;
  return active === 0 ? IDLE : 31 - Math.clz32(active & -active);
}

/**
 * Looks again for what must be calculated, in the order in which it came up, and says what has changed; all of it, if the
 * implementation shows all.
 */
export function settle(m: Gicv5Machine): void {
  const { again } = m;
  for (let k = 0; k < again.length; k += 2) {
    const which = again[k + 1]!;
    if (again[k] === AGAIN.irs) lookInIrs(m, which);
    else if (again[k] === AGAIN.ppi) lookAtPpis(m, which);
    else lookAtSignal(m, which);
  }
  again.length = 0;
}

/** Nothing is presented to an IAFFID that no PE has. A disabled IRS presents nothing, or what it presented before. */
function lookInIrs(m: Gicv5Machine, iaffid: number): void {
  const { state } = m;
  const pe = state.peByIaffid.get(iaffid);
  const isEnabled = (state.irsCr0[0]! & IRSEN) !== 0;
  if (pe === undefined || !isEnabled)
    m.emit(REFUSED, NO_PE, NON_SECURE, iaffid, pe === undefined ? NO_SUCH_PE : IRS_DISABLED);
  if (pe === undefined || (!isEnabled && m.profile.disabledIrsKeepsHppi)) return;
  const { intid, priority } = isEnabled ? bestOfIrs(m, pe) : none();
  if (m.profile.showsAll || intid !== state.irsIntid[pe] || priority !== state.irsPriority[pe])
    m.emit(IRS_HPPI, pe, NON_SECURE, iaffid, intid, priority);
  lookAtSignal(m, pe);
}

function lookAtPpis(m: Gicv5Machine, pe: number): void {
  const { state } = m;
  const { intid, priority } = bestPpi(m, pe);
  const isSame = intid === state.ppiIntid[pe] && priority === state.ppiBest[pe];
  for (let domain = 0; domain < DOMAINS.length; domain++)
    if (domain !== NON_SECURE) {
      if (m.profile.showsAll) m.emit(PPI_HPPI, pe, domain, 0, IDLE);
    } else if (m.profile.showsAll || !isSame) m.emit(PPI_HPPI, pe, domain, intid, priority);
  lookAtSignal(m, pe);
}

function lookAtSignal(m: Gicv5Machine, pe: number): void {
  const signal = signalNow(m, pe);
  if (!m.profile.showsAll && signal === m.state.signal[pe]) return;
  m.emit(SIGNAL, pe, signal & 1, 0, signal >> 2);
}

/** IRQ, FIQ and NMI: an interrupt of priority 0 has Superpriority. There is no FIQ without another interrupt domain. */
function signalNow(m: Gicv5Machine, pe: number): number {
  const { priority } = signalled(m, pe);
  return priority === IDLE ? 0 : priority === 0 ? 4 : 1;
}
