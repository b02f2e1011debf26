// The hardware below a bus, and registers by name. The testbed makes a port of a machine; drivers see neither.
import { FRAMES } from '../record/index.ts';
import { GICD, GICR, GITS } from '../spec/index.ts';

/** Where firmware says that the parts of the machine are: physical addresses. */
export interface Addresses {
  readonly gicd: number;
  /** RD_base of each PE's Redistributor. */
  readonly gicr: readonly number[];
  /** The control frame of each ITS. */
  readonly its: readonly number[];
  /** A GICv2m frame (Arm Server Base System Architecture, "GICv2m"). */
  readonly v2m: number;
  /** A pre-ITS: a window in which the address says the DeviceID, four bytes each (Socionext SynQuacer). */
  readonly preIts: number;
}

/** MSI_SETSPI_NS of a GICv2m frame: an offset. */
export const MSI_SETSPI_NS = 0x40;

/** A value that was read: two words of 32 bits, unsigned. */
export interface Words {
  readonly low: number;
  readonly high: number;
}

/** The hardware below a bus, as the testbed has it. A driver holds none. */
export interface Port {
  readonly pes: number;
  readonly blocks: number;
  readonly addresses: Addresses;
  /** Of a PE: Aff3, Aff2, Aff1 and Aff0, a byte each, as in GICR_TYPER bits 63:32. */
  affinity(pe: number): number;
  /** Gives the hardware one stimulus, of a record kind and with its words. Answers what a read returned. */
  stimulus(kind: number, pe: number, ...words: readonly number[]): Words;
  /** GITS_CREADR of an ITS, looked at without an access. */
  creadr(its: number): number;
}

const REGISTERS = { ...GICD, ...GICR, ...GITS };
type Registers = typeof REGISTERS;
/** A register of GICD, GICR or GITS. */
export type RegisterName = keyof Registers;
/** A 64-bit register's value is a bigint, that of any other a number. */
export type ValueOf<Name extends RegisterName> = Registers[Name]['bytes'] extends 8 ? bigint : number;

const frameOf = Object.fromEntries(
  Object.keys(REGISTERS).map((register) => [register, FRAMES.findIndex((name) => register.startsWith(name))]),
) as Readonly<Record<RegisterName, number>>;

/** Frame, offset and width of a register's element. */
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
