// Finds the register at an offset of a frame.
import { GICD } from './gicd.ts';
import { GICR } from './gicr.ts';
import { IRS, ITS, ITS_TRANSLATE, IWB, SETLPI } from './gicv5/index.ts';
import { GITS } from './gits.ts';
import { elementName, frameMap } from './lookup.ts';
import type { RegisterSpec } from './shape.ts';

/** The register frames: three of GICv3, then those of GICv5. Records store the index, so frames may only be appended. */
export const FRAMES = ['GICD', 'GICR', 'GITS', 'IRS', 'ITS', 'IWB', 'ITS_TRANSLATE', 'SETLPI'] as const;
export type FrameName = (typeof FRAMES)[number];

const maps = [
  frameMap(GICD, 0x1_0000),
  frameMap(GICR, 0x4_0000),
  frameMap(GITS, 0x3_0000),
  frameMap(IRS, 0x1_0000),
  frameMap(ITS, 0x1_0000),
  frameMap(IWB, 0x1_0000),
  frameMap(ITS_TRANSLATE, 0x1_0000),
  frameMap(SETLPI, 0x1_0000),
];

export interface RegisterPlace {
  /** The name of the register or register array in its declaration: `GICD_ISENABLER`. */
  readonly name: string;
  readonly spec: RegisterSpec;
  /** The element of a register array; 0 for a single register. */
  readonly element: number;
  /** The element's name as Arm writes it: `GICD_ISENABLER2`, `GICD_IROUTER36`, `GITS_BASER0`. */
  readonly label: string;
}

/** The register at a byte offset of a frame (index into FRAMES, or its name); undefined at a reserved location. */
export function registerAt(frame: number | FrameName, offset: number): RegisterPlace | undefined {
  const map = maps[typeof frame === 'number' ? frame : FRAMES.indexOf(frame)];
  const index = map?.find(offset) ?? -1;
  if (map === undefined || index < 0) return undefined;
  const spec = map.specs[index]!;
  const name = map.names[index]!;
  const element = map.element(index, offset);
  return { name, spec, element, label: elementName(name, spec, element) };
}
