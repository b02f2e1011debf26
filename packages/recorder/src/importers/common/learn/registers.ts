// Maps an access to a register frame to the interrupts it concerns and to the field for each.
import { firstIntidOf, frameMap, GICD, GICR, GITS } from '@gictrace/core/spec';
import { FRAME_GICD } from '../record-kinds.ts';

const maps = [frameMap(GICD, 0x1_0000), frameMap(GICR, 0x4_0000), frameMap(GITS, 0x3_0000)];

/** The name of the register at an offset, from the frame's table; undefined if there is none, as in a frame of GICv5. */
export function registerAt(frame: number, offset: number): string | undefined {
  const map = maps[frame];
  const index = map?.find(offset) ?? -1;
  return index < 0 ? undefined : map!.names[index];
}

/**
 * Calls back for each interrupt that an access of `width` bytes covers, with the field of the value that belongs to it.
 */
export function eachInterrupt(
  frame: number,
  offset: number,
  width: number,
  low: number,
  visit: (intid: number, value: number) => void,
): void {
  const map = maps[frame];
  const index = map?.find(offset) ?? -1;
  if (map === undefined || index < 0) return;
  const spec = map.specs[index]!;
  const bits = spec.bitsPerIntid;
  if (bits === undefined || bits > 8) return;
  const first = firstIntidOf(spec, map.element(index, offset));
  if (first === undefined) return;
  const mask = 2 ** bits - 1;
  for (let k = 0; k < (8 * width) / bits; k++) visit(first + k, (low >>> (k * bits)) & mask);
}

/** The SPI whose GICD_IROUTER<n> is at an offset of the Distributor, or -1. */
export function routedIntid(offset: number): number {
  const map = maps[FRAME_GICD]!;
  const index = map.find(offset);
  if (index < 0 || map.specs[index]!.bitsPerIntid !== 64) return -1;
  return firstIntidOf(map.specs[index]!, map.element(index, offset)) ?? -1;
}

/** The interrupt attribute that a register array holds, by the part of the name that GICD and GICR registers share. */
export const ATTRIBUTE_OF = {
  IGROUPR: 'group',
  IGRPMODR: 'grpmod',
  ISENABLER: 'enable',
  ICENABLER: 'enable',
  ISPENDR: 'pending',
  ICPENDR: 'pending',
  ISACTIVER: 'active',
  ICACTIVER: 'active',
  IPRIORITYR: 'priority',
  ICFGR: 'edge',
} as const;
export type RegisterArray = keyof typeof ATTRIBUTE_OF;

/**
 * The array that a Distributor or Redistributor register belongs to, extended ranges included; undefined for other
 * registers.
 */
export function arrayOf(name: string): RegisterArray | undefined {
  const short = name.replace(/^GIC[DR]_/, '').replace(/E$/, '');
  return Object.hasOwn(ATTRIBUTE_OF, short) ? (short as RegisterArray) : undefined;
}
