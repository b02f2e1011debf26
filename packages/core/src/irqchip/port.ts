// The hardware below a bus, and registers by name. The testbed makes a port from a machine. Drivers see neither of them.
import { FRAMES } from '../record/index.ts';
import { GICD, GICR, GITS, IRS, ITS } from '../spec/index.ts';

/** The physical addresses of the parts of the machine, as firmware describes them. */
export interface Addresses {
  readonly gicd: number;
  /** RD_base of each PE's Redistributor. */
  readonly gicr: readonly number[];
  /** The control frame of each ITS; of a GICv5, its configuration frame. */
  readonly its: readonly number[];
  /** The translation frame of each ITS of a GICv5; empty for others. */
  readonly translate: readonly number[];
  /** The SETLPI frame of a GICv5; 0 if there is none. */
  readonly setlpi: number;
  /** A GICv2m frame (Arm Server Base System Architecture, "GICv2m"). */
  readonly v2m: number;
  /** A pre-ITS: a window with four bytes per DeviceID, so that the address contains the DeviceID (Socionext SynQuacer). */
  readonly preIts: number;
}

/** Where the machines of all designs have a GICv2m frame and a pre-ITS. */
export const V2M = 0x802_0000;
export const PRE_ITS = 0x5000_0000;
/** The offset of MSI_SETSPI_NS in a GICv2m frame. */
export const MSI_SETSPI_NS = 0x40;

/** A value that was read, as two unsigned 32-bit words. */
export interface Words {
  readonly low: number;
  readonly high: number;
}

/** The hardware below a bus, which the testbed provides. Drivers have no access to it. */
export interface Port {
  readonly pes: number;
  readonly blocks: number;
  readonly addresses: Addresses;
  /** The affinity of a PE: Aff3, Aff2, Aff1 and Aff0, one byte each, as in GICR_TYPER bits 63:32. */
  affinity(pe: number): number;
  /** The interrupt affinity identifier of a PE of a GICv5, as firmware gives it. */
  iaffid(pe: number): number;
  /** Runs one stimulus, given by its record kind and words. Returns what a read returned. */
  stimulus(kind: number, pe: number, ...words: readonly number[]): Words;
}

const REGISTERS = { ...GICD, ...GICR, ...GITS, ...IRS, ...ITS };
type Registers = typeof REGISTERS;
/** A register of GICD, GICR or GITS; for a GICv5 of IRS or ITS. */
export type RegisterName = keyof Registers;
/** The value of a 64-bit register is a bigint; the value of any other register is a number. */
export type ValueOf<Name extends RegisterName> = Registers[Name]['bytes'] extends 8 ? bigint : number;

const frameOf = Object.fromEntries(
  Object.keys(REGISTERS).map((register) => [
    register,
    FRAMES.findIndex((name) => register.startsWith(`${name}_`)),
  ]),
) as Readonly<Record<RegisterName, number>>;

/** Frame, offset and width of an element of a register. */
export function placeOf(
  register: RegisterName,
  element: number,
): { readonly frame: number; readonly offset: number; readonly bytes: number } {
  const { offset, bytes } = REGISTERS[register];
  return { frame: frameOf[register], offset: offset + bytes * element, bytes };
}

/** A value of up to 64 bits as two words; a number must be a safe integer. */
export function wordsOf(value: number | bigint): Words {
  if (typeof value === 'number') return { low: value >>> 0, high: Math.floor(value / 2 ** 32) };
  return { low: Number(value & 0xffff_ffffn), high: Number(value >> 32n) };
}
