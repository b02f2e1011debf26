// Software-generated interrupts: the PEs on which a write of ICC_SGI0R, ICC_SGI1R or ICC_ASGI1R makes an SGI pending (IHI
// 0069, "ICC_SGI1R_EL1" and "Use of control registers for SGI forwarding").

import { NO_PE, PEND_CAUSES, RECORDS } from '../record/index.ts';
import { fieldReader, maskHigh, SYSREGS } from '../spec/index.ts';
import { GROUP0, GROUP1NS, GROUP1S, groupOf } from './arbitration.ts';
import { privateIndex } from './intid.ts';
import type { Machine } from './machine.ts';
import { takeUp } from './overlooked.ts';

const SGI_SENT = RECORDS['sgi.sent'].id;
const PENDED = RECORDS['irq.pended'].id;
/** IRM: all PEs except the one that writes. */
const SGI_IRM = maskHigh(SYSREGS.ICC_SGI1R_EL1, 'IRM');
const targetList = fieldReader(SYSREGS.ICC_SGI1R_EL1, 'TargetList');
const intidOf = fieldReader(SYSREGS.ICC_SGI1R_EL1, 'INTID');
const rangeSelector = fieldReader(SYSREGS.ICC_SGI1R_EL1, 'RS');
const aff1 = fieldReader(SYSREGS.ICC_SGI1R_EL1, 'Aff1');
const aff2 = fieldReader(SYSREGS.ICC_SGI1R_EL1, 'Aff2');
const aff3 = fieldReader(SYSREGS.ICC_SGI1R_EL1, 'Aff3');
const CAUSE_SGI = PEND_CAUSES.indexOf('sgi');

/** What a register requests: Group 0, or Group 1 of the writer's or of the other Security state. */
export type SgiRequest = 'group-0' | 'own-group-1' | 'other-group-1';

/**
 * The group that a write requests. With one Security state, the register for the other state means Group 0. If the PEs keep two
 * states nevertheless, the Distributor takes a request for Secure Group 1 as one for Group 0.
 */
function wantedGroup(m: Machine, request: SgiRequest): number {
  if (request === 'group-0') return GROUP0;
  if (m.state.singleSecurityOfPes) return request === 'own-group-1' ? GROUP1NS : GROUP0;
  if ((request === 'own-group-1') !== m.secure) return GROUP1NS;
  return m.state.singleSecurity ? GROUP0 : GROUP1S;
}

/** Whether a request for group `wanted` makes an SGI pending that is in group `own` on the target PE. */
function reachesGroup(m: Machine, wanted: number, own: number): boolean {
  if (wanted === own) return true;
  // A request for Group 1 (Secure Group 1 with two Security states) reaches Group 0 too.
  if (own !== GROUP0) return false;
  return m.state.singleSecurity ? wanted === GROUP1NS && m.profile.sgi1ReachesGroup0 : wanted === GROUP1S;
}

/** Whether the access may send this SGI to a PE. For a Non-secure access, the target's GICR_NSACR decides. */
function maySend(m: Machine, to: number, intid: number, own: number): boolean {
  if (m.secure || m.state.singleSecurity || own === GROUP1NS) return true;
  return m.state.ppiNsacr[privateIndex(m.state, to, intid)]! >= (own === GROUP0 ? 1 : 2);
}

/** Whether a PE's affinity is Aff3.Aff2.Aff1.(16·RS + n) for one of the bits n in a target list. */
function inTargetList(affinity: number, cluster: number, range: number, targets: number): boolean {
  const aff0 = affinity & 0xff;
  return (affinity & ~0xff) === cluster && aff0 >> 4 === range && ((targets >> (aff0 & 0xf)) & 1) === 1;
}

/** A PE wrote one of the three registers. */
export function generateSgi(m: Machine, pe: number, low: number, high: number, request: SgiRequest): void {
  const { state } = m;
  const intid = intidOf(low);
  const targets = targetList(low);
  const cluster = (aff3(low, high) << 24) | (aff2(low, high) << 16) | (aff1(low) << 8);
  const range = rangeSelector(low, high);
  const toAllOthers = (high & SGI_IRM) !== 0;
  const wanted = wantedGroup(m, request);
  for (let to = 0; to < state.peCount; to++) {
    if (toAllOthers ? to === pe : !inTargetList(state.config.pes[to]!.affinity, cluster, range, targets))
      continue;
    const own = groupOf(state, to, intid);
    if (!reachesGroup(m, wanted, own) || !maySend(m, to, intid, own)) continue;
    m.emit(SGI_SENT, to, intid);
    m.emit(PENDED, to, intid, CAUSE_SGI);
    takeUp(m, to, intid);
  }
}

const REQUESTS: readonly (readonly [number, SgiRequest])[] = [
  [SYSREGS.ICC_SGI0R_EL1.encoding, 'group-0'],
  [SYSREGS.ICC_SGI1R_EL1.encoding, 'own-group-1'],
  [SYSREGS.ICC_ASGI1R_EL1.encoding, 'other-group-1'],
];

/**
 * A PE that the source does not name wrote one of the three registers. Returns false for another register, and if it
 * matters which PE wrote: with IRM ("all but self"), and with two Security states.
 */
export function sgiFromAnywhere(m: Machine, register: number, low: number, high: number): boolean {
  const request = REQUESTS.find(([encoding]) => encoding === register)?.[1];
  if (request === undefined || high & SGI_IRM || !m.state.singleSecurityOfPes) return false;
  generateSgi(m, NO_PE, low, high, request);
  return true;
}
