// State that a source reveals later (`state.known`): emits the events that give the state this value, without the side
// effects of an access. State that the configuration does not have is ignored.
import { IRQ_ATTRIBUTES, KNOWN_STATE, NO_PE, PEND_CAUSES, RECORDS, UNITS } from '../record/index.ts';
import { GICD, GICR, GITS, isPrivate, LPI_FIRST } from '../spec/index.ts';
import { SYSREGS } from '../spec/sysreg.ts';
import { AP0R, AP1R } from './active-priorities.ts';
import { configTableAddress } from './apply.ts';
import { hasInterrupt, privateIndex, sharedIndex } from './intid.ts';
import { intidLimit, setLpiPending } from './lpi.ts';
import type { Machine } from './machine.ts';
import type { IrqBits } from './state.ts';

const REG_CHANGED = RECORDS['reg.changed'].id;
const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const LPI_CONFIGURED = RECORDS['lpi.configured'].id;
const MEM_MARKED = RECORDS['mem.marked'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const CAUSE_UNSEEN = PEND_CAUSES.indexOf('unseen');

const LR0 = SYSREGS.ICH_LR0_EL2.encoding;
const AP0R0 = SYSREGS.ICH_AP0R0_EL2.encoding;
const AP1R0 = SYSREGS.ICH_AP1R0_EL2.encoding;
const inRange = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n);

/** By unit: the registers for which the state keeps a value of their own. */
const REGISTERS: Readonly<Record<(typeof UNITS)[number], ReadonlySet<number>>> = {
  GICD: new Set([GICD.GICD_CTLR.offset]),
  GICR: new Set([
    GICR.GICR_CTLR.offset,
    GICR.GICR_WAKER.offset,
    GICR.GICR_PROPBASER.offset,
    GICR.GICR_PENDBASER.offset,
    GICR.GICR_VPROPBASER.offset,
  ]),
  GITS: new Set([
    GITS.GITS_CTLR.offset,
    GITS.GITS_CBASER.offset,
    GITS.GITS_CWRITER.offset,
    GITS.GITS_CREADR.offset,
    ...inRange(0, 8).map((n) => GITS.GITS_BASER.offset + 8 * n),
  ]),
  ICC: new Set(
    [
      SYSREGS.ICC_PMR_EL1,
      SYSREGS.ICC_BPR0_EL1,
      SYSREGS.ICC_BPR1_EL1,
      SYSREGS.ICC_CTLR_EL1,
      SYSREGS.ICC_IGRPEN0_EL1,
      SYSREGS.ICC_IGRPEN1_EL1,
      SYSREGS.ICC_CTLR_EL3,
      ...AP0R,
      ...AP1R,
    ].map(({ encoding }) => encoding),
  ),
  ICC_S: new Set(
    [SYSREGS.ICC_BPR1_EL1, SYSREGS.ICC_CTLR_EL1, SYSREGS.ICC_IGRPEN1_EL1, ...AP1R].map(
      ({ encoding }) => encoding,
    ),
  ),
  ICH: new Set([
    SYSREGS.ICH_HCR_EL2.encoding,
    SYSREGS.ICH_VMCR_EL2.encoding,
    ...inRange(LR0, 16),
    ...inRange(AP0R0, 4),
    ...inRange(AP1R0, 4),
  ]),
  // Only a GICv5 has one.
  IRS: new Set(),
  ITS: new Set(),
  IWB: new Set(),
};

function knowRegister(
  m: Machine,
  unit: number,
  instance: number,
  register: number,
  low: number,
  high: number,
): void {
  const name = UNITS[unit];
  if (name === undefined || !REGISTERS[name].has(register)) return;
  const instances = name === 'GICD' ? 1 : name === 'GITS' ? m.state.itsCount : m.state.peCount;
  if (instance >= instances) return;
  m.emit(
    REG_CHANGED,
    name === 'GICD' || name === 'GITS' ? NO_PE : instance,
    unit,
    instance,
    register,
    low,
    high,
  );
}

function knowInterrupt(
  m: Machine,
  pe: number,
  what: (typeof KNOWN_STATE)[number],
  intid: number,
  low: number,
  high: number,
): void {
  const { state } = m;
  const own = isPrivate(intid);
  if (!hasInterrupt(state, intid) || (own && (pe < 0 || pe >= state.peCount))) return;
  const owner = own ? pe : NO_PE;
  const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  const has = (name: keyof IrqBits) =>
    (((own ? state.ppi : state.spi)[name][index >> 5]! >>> (index & 31)) & 1) === 1;
  switch (what) {
    case 'level':
      if (has('level') !== (low !== 0)) m.emit(WIRE_CHANGED, owner, intid, low === 0 ? 0 : 1);
      return;
    case 'pending':
      if (has('pending') === (low !== 0)) return;
      if (low !== 0) m.emit(IRQ_PENDED, owner, intid, CAUSE_UNSEEN);
      else m.emit(IRQ_UNPENDED, owner, intid);
      return;
    case 'active':
      if (has('active') !== (low !== 0)) m.emit(low === 0 ? IRQ_DEACTIVATED : IRQ_ACTIVATED, owner, intid);
      return;
    case 'route':
      if (!own) m.emit(IRQ_ROUTED, NO_PE, intid, low, high);
      return;
    case 'group':
    case 'grpmod':
    case 'enable':
    case 'edge':
    case 'priority':
      m.emit(
        IRQ_CHANGED,
        owner,
        intid,
        IRQ_ATTRIBUTES.indexOf(what),
        what === 'priority' ? low & 0xff : low === 0 ? 0 : 1,
      );
      return;
    default:
  }
}

/** Sets the configuration byte in memory and, if the LPI is pending, in the Redistributor's cache. */
function knowLpiConfig(m: Machine, pe: number, intid: number, byte: number): void {
  const address = configTableAddress(m.state, pe) + intid - LPI_FIRST;
  m.emit(MEM_MARKED, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), 1, 1, byte);
  if (m.state.lpiConfig[pe]!.has(intid)) m.emit(LPI_CONFIGURED, pe, intid, byte, 1);
}

/** Takes the fields of a `state.known` record, which are at `w[at]`. */
export function knowState(m: Machine, pe: number, w: Uint32Array, at: number): void {
  const what = KNOWN_STATE[w[at]!];
  const intid = w[at + 4]!;
  if (what === 'register') knowRegister(m, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 5]!, w[at + 6]!);
  else if (what === 'LPI pending' || what === 'LPI configuration' || what === 'cached LPI configuration') {
    if (intid < LPI_FIRST || intid >= intidLimit(m) || pe < 0 || pe >= m.state.peCount) return;
    if (what === 'cached LPI configuration') {
      if (m.state.lpiConfig[pe]!.has(intid)) m.emit(LPI_CONFIGURED, pe, intid, w[at + 5]! & 0xff, 1);
    } else if (what === 'LPI configuration') knowLpiConfig(m, pe, intid, w[at + 5]! & 0xff);
    else if (w[at + 5] !== 0) setLpiPending(m, pe, intid, 'unseen');
    else if (m.state.lpiPending[pe]!.has(intid)) m.emit(LPI_CLEARED, pe, intid);
  } else if (what !== undefined) knowInterrupt(m, pe, what, intid, w[at + 5]!, w[at + 6]!);
}
