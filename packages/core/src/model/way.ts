// The conditions on the way of an interrupt to a PE, each by itself and whether or not the interrupt is pending: what
// `why` follows over a trace, so that it can name the record at which one of them changed. This file only reads state. The
// masking reason (gate.ts) is the first of these conditions that is not met.
import { GICR, isPrivate, LPI_CONFIG, LPI_FIRST, mask } from '../spec/index.ts';
import { configTableAddress } from './apply.ts';
import {
  chooseOneOfN,
  GROUP1NS,
  groupOf,
  isForwarded,
  isGroupEnabled,
  isNmi,
  isOneOfN,
  routedPe,
  sleeps,
} from './arbitration.ts';
import { priorityOf } from './gate.ts';
import { hasInterrupt, privateIndex, sharedIndex } from './intid.ts';
import type { Machine } from './machine.ts';
import { CONFIG_UNKNOWN } from './state.ts';

const ENABLE_LPIS = mask(GICR.GICR_CTLR, 'EnableLPIs');
const PROCESSOR_SLEEP = mask(GICR.GICR_WAKER, 'ProcessorSleep');
const LPI_ENABLE = mask(LPI_CONFIG, 'Enable');

/** The conditions, as they are called in answers. A value of 0 blocks, except for those that say otherwise. */
export const CONDITIONS = {
  'LPIs enabled': 'GICR_CTLR.EnableLPIs of the PE',
  enabled: 'its own enable bit; for an LPI that of the configuration that the Redistributor has cached',
  'enabled in memory':
    'for an LPI: the enable bit of its byte in the LPI configuration table; -1 if it is unknown',
  active: 'whether it is active: 1 blocks',
  group: 'its interrupt group, by its place in GROUPS',
  forwarded: 'whether GICD_CTLR enables its group',
  route: 'the PE to which an SPI is routed: -1 blocks',
  priority: 'its priority; -1 if it is unknown',
  'group enabled at the PE': 'ICC_IGRPEN of its group at the PE',
  awake: 'whether the PE is awake, by GICR_WAKER.ProcessorSleep, if a sleeping PE is signalled nothing',
  'asked to sleep': 'GICR_WAKER.ProcessorSleep: it blocks only if a sleeping PE is signalled nothing',
  'above the priority mask': 'whether its priority is higher than ICC_PMR of the PE',
} as const;
export type Condition = keyof typeof CONDITIONS;
export const CONDITION_NAMES = Object.keys(CONDITIONS) as readonly Condition[];

/**
 * The conditions of interrupt `intid` for PE `pe`, in the order of {@link CONDITION_NAMES}; -1 where there is none.
 * For an SPI, those of the Distributor are the same for every PE. `out` receives them and is returned.
 */
export function conditionsOf(m: Machine, pe: number, intid: number, out: number[]): number[] {
  const { state } = m;
  const isLpi = intid >= LPI_FIRST;
  const own = isPrivate(intid);
  if (!isLpi && !hasInterrupt(state, intid)) return out.fill(-1);
  const group = isLpi ? GROUP1NS : groupOf(state, pe, intid);
  const priority = priorityOf(m, pe, intid);
  const index = isLpi ? 0 : own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  const bits = own ? state.ppi : state.spi;
  const bit = (bitmap: Uint32Array) => (bitmap[index >> 5]! >>> (index & 31)) & 1;
  out[0] = isLpi ? ((state.gicrCtlr[pe]! & ENABLE_LPIS) === 0 ? 0 : 1) : -1;
  if (isLpi) {
    const config = state.lpiConfig[pe]!.get(intid);
    const address = configTableAddress(state, pe) + intid - LPI_FIRST;
    const isKnown = state.memory.isKnown(address);
    out[2] = isKnown ? state.memory.readByte(address) & LPI_ENABLE : -1;
    if (m.profile.lpiConfig === 'live') out[1] = out[2];
    else out[1] = config === undefined || config >= CONFIG_UNKNOWN ? -1 : config & LPI_ENABLE;
    out[3] = -1;
  } else {
    out[1] = bit(bits.enable);
    out[2] = -1;
    out[3] = bit(bits.active);
  }
  out[4] = group;
  out[5] = isForwarded(state, pe, intid) ? 1 : 0;
  const nmi = isNmi(state, pe, intid);
  if (isLpi || own) out[6] = -1;
  else out[6] = isOneOfN(state, index) ? chooseOneOfN(m, group, priority, nmi) : routedPe(state, index);
  out[7] = priority;
  out[8] = isGroupEnabled(state, pe, group) ? 1 : 0;
  out[9] = sleeps(m, pe) ? 0 : 1;
  out[10] = (state.gicrWaker[pe]! & PROCESSOR_SLEEP) === 0 ? 0 : 1;
  const pmr = state.pmr[pe]!;
  out[11] = priority < 0 ? -1 : (nmi ? pmr >= priority : priority < pmr) ? 1 : 0;
  return out;
}
