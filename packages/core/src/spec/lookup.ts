// Finds the register at an offset, its element, its name and its INTIDs. The map is a table with one entry per four bytes,
// made once from a frame's declaration, so that decoding an access needs no search.
import { ESPI_FIRST } from './intid.ts';
import type { RegisterSpec, RegisterTable } from './shape.ts';

/** The names of the twelve words from 0xffd0 on (IHI 0069, "Identification registers"). */
const ID_NAMES = 'PIDR4 PIDR5 PIDR6 PIDR7 PIDR0 PIDR1 PIDR2 PIDR3 CIDR0 CIDR1 CIDR2 CIDR3'.split(' ');

export interface FrameMap<Name extends string = string> {
  /** Register names in declared order. */
  readonly names: readonly Name[];
  readonly specs: readonly RegisterSpec[];
  /** Index into `names` of the register at a byte offset, or -1. */
  find(offset: number): number;
  /** The element of a register array that contains a byte offset. */
  element(index: number, offset: number): number;
}

/** Makes the map of a frame of `bytes` bytes (a multiple of 4). */
export function frameMap<T extends RegisterTable>(table: T, bytes: number): FrameMap<keyof T & string> {
  const names = Object.keys(table) as (keyof T & string)[];
  const specs = names.map((name) => table[name]!);
  const quads = new Int16Array(bytes / 4).fill(-1);
  specs.forEach((spec, index) => {
    const end = spec.offset + spec.bytes * (spec.count ?? 1);
    quads.fill(index, spec.offset >> 2, (end + 3) >> 2);
  });
  return {
    names,
    specs,
    find: (offset) => (offset >= 0 && offset < bytes ? quads[offset >> 2]! : -1),
    element: (index, offset) => Math.floor((offset - specs[index]!.offset) / specs[index]!.bytes),
  };
}

/**
 * An element's name as Arm writes it: `GICD_ISENABLER2`, `GICD_IROUTER36`, `GICD_IGROUPR0E`, `GITS_BASER0`,
 * `GICD_PIDR2`. An element of a byte array has the name of the 32-bit register that contains it.
 */
export function elementName(name: string, spec: RegisterSpec, element: number): string {
  if (spec.count === undefined) return name;
  if (name.endsWith('_PIDR')) return name.replace('PIDR', ID_NAMES[element] ?? 'PIDR');
  const number = (spec.bytes === 1 ? element >> 2 : element) + (spec.firstNumber ?? 0);
  // Arrays over extended SPIs are named with an E.
  if (spec.firstIntid === ESPI_FIRST) return `${name.slice(0, -1)}${number}E`;
  return `${name}${number}${spec.extended !== undefined && element >= spec.extended.element ? 'E' : ''}`;
}

/** The INTID of the lowest bit of an element; undefined for a register that is not an array over INTIDs. */
export function firstIntidOf(spec: RegisterSpec, element: number): number | undefined {
  if (spec.bitsPerIntid === undefined || spec.firstIntid === undefined) return undefined;
  const perElement = (spec.bytes * 8) / spec.bitsPerIntid;
  const { extended } = spec;
  return extended !== undefined && element >= extended.element
    ? extended.firstIntid + (element - extended.element) * perElement
    : spec.firstIntid + element * perElement;
}

/** The INTIDs, both ends included, that an access of `width` bytes at a byte offset of the frame reaches. */
export interface IntidSpan {
  readonly first: number;
  readonly last: number;
}

/** The INTIDs that an access to a register array reaches; undefined for a register that is not an array over INTIDs. */
export function intidSpan(
  spec: RegisterSpec,
  element: number,
  offset: number,
  width: number,
): IntidSpan | undefined {
  const base = firstIntidOf(spec, element);
  const bits = spec.bitsPerIntid;
  if (base === undefined || bits === undefined) return undefined;
  const from = ((offset - spec.offset) % spec.bytes) * 8;
  return { first: base + Math.floor(from / bits), last: base + Math.floor((from + width * 8 - 1) / bits) };
}
