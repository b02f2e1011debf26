// State that a source reveals later (`state.known`): emits the events that give the state this value, without the side
// effects of an access. State that the configuration does not have is ignored.
import { IRQ_ATTRIBUTES, KNOWN_STATE, NO_PE, PEND_CAUSES, RECORDS, UNITS } from '../record/index.ts';
import { GICV5_SYSREGS, GICV5_TYPES, gicv5Id, gicv5Type } from '../spec/gicv5/index.ts';
import { activatePpi, enablePpi, pendPpi } from './cpu-interface.ts';
import { pendSpi } from './interrupts.ts';
import { ISTE, readIste, writeIste } from './ist.ts';
import type { Gicv5Machine } from './machine.ts';
import { PPIS } from './state.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const ENABLE = IRQ_ATTRIBUTES.indexOf('enable');
const PRIORITY = IRQ_ATTRIBUTES.indexOf('priority');
const UNSEEN = PEND_CAUSES.indexOf('unseen');
const UNIT_ICC = UNITS.indexOf('ICC');
const { PPI, LPI, SPI } = GICV5_TYPES;

const REGISTERS: ReadonlySet<number> = new Set(
  (['ICC_CR0_EL1', 'ICC_PCR_EL1', 'ICC_APR_EL1', 'ICC_ICSR_EL1'] as const).map(
    (name) => GICV5_SYSREGS[name].encoding,
  ),
);

/** A `state.known` with its fields at `words[at]`. */
export function knowState(m: Gicv5Machine, pe: number, words: Uint32Array, at: number): void {
  const what = KNOWN_STATE[words[at]!];
  const intid = words[at + 4]!;
  const low = words[at + 5]!;
  if (what === 'register') {
    const [unit, instance, register] = [words[at + 1]!, words[at + 2]!, words[at + 3]!];
    if (unit !== UNIT_ICC || !m.isPe(instance) || !REGISTERS.has(register)) return;
    m.changeIcc(instance, register, low, words[at + 6]!);
    m.touchSignal(instance);
  } else if (gicv5Type(intid) === PPI) knowPpi(m, pe, what, intid, low);
  else if (gicv5Type(intid) === SPI) knowSpi(m, what, intid, low);
  else if (gicv5Type(intid) === LPI) knowLpi(m, what, gicv5Id(intid), low);
}

function knowPpi(m: Gicv5Machine, pe: number, what: string | undefined, intid: number, value: number): void {
  const id = gicv5Id(intid);
  if (!m.isPe(pe) || id >= PPIS) return;
  if (what === 'enable') enablePpi(m, pe, id, value !== 0);
  else if (what === 'active') activatePpi(m, pe, id, value !== 0);
  else if (what === 'pending') pendPpi(m, pe, id, value !== 0, UNSEEN);
  else if (what === 'priority') m.emit(IRQ_CHANGED, pe, intid, PRIORITY, value & 0x1f);
  else return;
  m.touchPpis(pe);
}

function knowSpi(m: Gicv5Machine, what: string | undefined, intid: number, value: number): void {
  const spi = m.state.spiIndex(gicv5Id(intid));
  if (spi < 0) return;
  const before = m.state.spiTarget[spi]! & 0xffff;
  if (what === 'enable') m.emit(IRQ_CHANGED, NO_PE, intid, ENABLE, value ? 1 : 0);
  else if (what === 'priority') m.emit(IRQ_CHANGED, NO_PE, intid, PRIORITY, value & 0x1f);
  else if (what === 'pending') pendSpi(m, spi, value !== 0, UNSEEN);
  else if (what === 'active') m.emit(value ? IRQ_ACTIVATED : IRQ_DEACTIVATED, NO_PE, intid);
  else if (what === 'route') {
    m.emit(IRQ_ROUTED, NO_PE, intid, value & 0xffff);
    m.recalculate(before);
  } else return;
  m.recalculate(m.state.spiTarget[spi]! & 0xffff);
}

/** The state of an LPI is its ISTE; `enable`, `priority`, `pending`, `active` and `route` are parts of it. */
function knowLpi(m: Gicv5Machine, what: string | undefined, id: number, value: number): void {
  const old = readIste(m, id);
  if (old < 0) return;
  const flag = (mask: number) => (value ? old | mask : old & ~mask);
  const iste =
    what === 'enable'
      ? flag(ISTE.enable)
      : what === 'pending'
        ? flag(ISTE.pending)
        : what === 'active'
          ? flag(ISTE.active)
          : what === 'priority'
            ? (old & ~ISTE.priorityMask) | ((value & 0x1f) << ISTE.priorityLsb)
            : what === 'route'
              ? (old & 0xffff) | (value << ISTE.iaffidLsb)
              : old;
  if (iste >>> 0 === old) return;
  writeIste(m, id, iste >>> 0);
  m.recalculate(old >>> ISTE.iaffidLsb);
  if (what === 'route') m.recalculate(value & 0xffff);
}
