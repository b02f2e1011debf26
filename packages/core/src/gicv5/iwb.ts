// The IWB: input wires become events of the ITS that it is connected to. Firmware has enabled it and assigned all wires to the
// Non-secure domain: software of that domain cannot.
import { FRAMES, NO_PE, RECORDS } from '../record/index.ts';
import { IWB } from '../spec/gicv5/index.ts';
import { translate } from './its.ts';
import type { IwbBits } from './its-state.ts';
import { type Gicv5Machine, NON_SECURE } from './machine.ts';

const ACCESS_RESERVED = RECORDS['access.reserved'].id;
const IWB_CHANGED = RECORDS['iwb.changed'].id;
const FRAME_IWB = FRAMES.indexOf('IWB');
const ENABLED_AND_IDLE = 3;
const IS_IDLE = 1;

const bit = (words: Uint32Array, index: number) => (words[index >> 5]! >>> (index & 31)) & 1;

/** The IWB of a frame, or -1: `instance` is 4 × IWB + interrupt domain. */
function iwbOf(m: Gicv5Machine, instance: number): number {
  const iwb = instance >>> 2;
  return (instance & 3) === NON_SECURE && iwb < m.state.its.iwbs.length ? iwb : -1;
}

/** The words of IWB_WENABLER<n> or IWB_WTMR<n>, and n; undefined elsewhere. */
function wiresAt(bits: IwbBits, offset: number): readonly [words: Uint32Array, n: number] | undefined {
  for (const [words, { offset: first }] of [
    [bits.enable, IWB.IWB_WENABLER],
    [bits.mode, IWB.IWB_WTMR],
  ] as const) {
    const n = (offset - first) / 4;
    if (n >= 0 && n < words.length && Number.isInteger(n)) return [words, n];
  }
  return undefined;
}

export function readIwb(m: Gicv5Machine, instance: number, offset: number, width: number): void {
  m.low = 0;
  m.high = 0;
  const iwb = iwbOf(m, instance);
  if (iwb < 0) {
    m.unsupported = true;
    return;
  }
  const value = width === 4 ? readWord(m, iwb, offset) : undefined;
  if (value === undefined) reserved(m, instance, offset, width, false);
  else m.low = value >>> 0;
}

function readWord(m: Gicv5Machine, iwb: number, offset: number): number | undefined {
  const { idr0, iidr, aidr } = m.state.config.iwb![iwb]!;
  switch (offset) {
    case IWB.IWB_IDR0.offset:
      return idr0;
    case IWB.IWB_IIDR.offset:
      return iidr;
    case IWB.IWB_AIDR.offset:
      return aidr;
    case IWB.IWB_CR0.offset:
      return ENABLED_AND_IDLE;
    case IWB.IWB_WENABLE_STATUSR.offset:
      return IS_IDLE;
    case IWB.IWB_WRESAMPLER.offset:
      return 0;
    default: {
      const found = wiresAt(m.state.its.iwbs[iwb]!, offset);
      return found?.[0][found[1]];
    }
  }
}

export function writeIwb(
  m: Gicv5Machine,
  instance: number,
  offset: number,
  width: number,
  value: number,
): void {
  const iwb = iwbOf(m, instance);
  if (iwb < 0) {
    m.unsupported = true;
    return;
  }
  const bits = m.state.its.iwbs[iwb]!;
  const found = width === 4 ? wiresAt(bits, offset) : undefined;
  if (found !== undefined) {
    const [words, n] = found;
    const old = words[n]!;
    if (old !== value >>> 0) m.changeIwb(iwb, offset, value >>> 0);
    // A wire that becomes enabled is looked at: one that is high and level-sensitive is asserted.
    if (words === bits.enable)
      for (let k = 0; k < 32; k++) if (((value & ~old) >>> k) & 1) sample(m, iwb, 32 * n + k);
  } else if (width === 4 && offset === IWB.IWB_WRESAMPLER.offset) {
    const wire = value & 0xffff;
    if (wire < 32 * bits.enable.length) sample(m, iwb, wire);
  } else if (width !== 4 || offset !== IWB.IWB_CR0.offset) reserved(m, instance, offset, width, true);
}

/** An enabled, level-sensitive wire: its level is what the interrupt is. */
function sample(m: Gicv5Machine, iwb: number, wire: number): void {
  const { enable, mode, level } = m.state.its.iwbs[iwb]!;
  if (bit(enable, wire) === 0 || bit(mode, wire) === 0) return;
  send(m, iwb, wire, bit(level, wire) !== 0 ? 'SET_LEVEL' : 'CLEAR');
}

/** An input wire goes to a level. */
export function setWire(m: Gicv5Machine, iwb: number, wire: number, level: number): void {
  const bits = m.state.its.iwbs[iwb];
  if (bits === undefined || wire >= 32 * bits.level.length) {
    m.unsupported = true;
    return;
  }
  if (bit(bits.level, wire) === level) return;
  m.emit(IWB_CHANGED, NO_PE, iwb, wire, level);
  if (bit(bits.enable, wire) === 0) return;
  if (bit(bits.mode, wire) !== 0) sample(m, iwb, wire);
  else if (level !== 0) send(m, iwb, wire, 'SET_EDGE');
}

function send(m: Gicv5Machine, iwb: number, wire: number, how: 'SET_EDGE' | 'SET_LEVEL' | 'CLEAR'): void {
  const { its, deviceId } = m.state.config.iwb![iwb]!;
  translate(m, its, deviceId, wire, how);
}

function reserved(m: Gicv5Machine, instance: number, offset: number, width: number, write: boolean): void {
  m.reserved = true;
  m.emit(ACCESS_RESERVED, NO_PE, FRAME_IWB, instance, offset, width, write ? 1 : 0);
}
