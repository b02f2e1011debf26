// Memory-mapped registers as text: from a frame, an offset and a value to Arm's name, and to the fields, or to the INTIDs
// that an array element concerns. Derived from spec/ only.
import {
  FRAMES,
  type FrameName,
  intidSpan,
  type RegisterPlace,
  type RegisterSpec,
  registerAt,
} from '../spec/index.ts';
import { type DecodedField, decodeFields, fieldsText, hexText } from './field.ts';

/** A run of INTIDs to which an array element gives the same value. */
export interface IntidRun {
  readonly first: number;
  readonly last: number;
  readonly value: number;
}

export interface DecodedRegister extends RegisterPlace {
  readonly fields: readonly DecodedField[];
  /** For an array over INTIDs: the runs of INTIDs whose bits are not zero. */
  readonly intids: readonly IntidRun[];
}

/** The size of what a name stands for. The elements of byte arrays are named by the 32-bit register that contains them. */
function namedBytes(spec: RegisterSpec): number {
  return spec.bytes === 8 ? 8 : 4;
}

/** Runs of INTIDs in the `width` (up to 4) bytes accessed; none for a register that is not an array over INTIDs. */
function intidRuns(place: RegisterPlace, offset: number, width: number, low: number): IntidRun[] {
  const { spec, element } = place;
  const bits = spec.bitsPerIntid;
  const span = intidSpan(spec, element, offset, width);
  if (span === undefined || bits === undefined || bits === 64) return [];
  const start = span.first;
  const runs: { first: number; last: number; value: number }[] = [];
  for (let k = 0; k < (Math.min(width, 4) * 8) / bits; k++) {
    const value = (low >>> (k * bits)) & (2 ** bits - 1);
    const previous = runs.at(-1);
    if (previous !== undefined && previous.value === value) previous.last++;
    else runs.push({ first: start + k, last: start + k, value });
  }
  return runs.filter((run) => run.value !== 0);
}

function runText(spec: RegisterSpec, run: IntidRun): string {
  const range = run.first === run.last ? `${run.first}` : `${run.first}-${run.last}`;
  if (spec.bitsPerIntid === 1) return range;
  return `${range}=${spec.bitsPerIntid === 8 ? `0x${run.value.toString(16)}` : run.value}`;
}

/**
 * Decodes an access of `width` bytes. Fields that the access does not reach are left out. Undefined at a
 * reserved location.
 */
export function decodeRegister(
  frame: number | FrameName,
  offset: number,
  value: bigint,
  width?: number,
): DecodedRegister | undefined {
  const place = registerAt(frame, offset);
  if (place === undefined) return undefined;
  const bytes = width ?? place.spec.bytes;
  const from = (offset % namedBytes(place.spec)) * 8;
  const inPlace = BigInt.asUintN(64, value << BigInt(from));
  return {
    ...place,
    fields: decodeFields(
      place.spec.fields,
      Number(inPlace & 0xffff_ffffn),
      Number(inPlace >> 32n),
      from,
      from + bytes * 8,
    ),
    intids: intidRuns(place, offset, bytes, Number(value & 0xffff_ffffn)),
  };
}

/** A register's name, with the bits accessed if they are not the whole register: `GICR_TYPER[63:32]`. */
export function registerLabel(frame: number | FrameName, offset: number, width: number): string {
  const place = registerAt(frame, offset);
  const frameName = typeof frame === 'number' ? FRAMES[frame] : frame;
  if (place === undefined) return `${frameName ?? `frame ${frame}`}+0x${offset.toString(16)}`;
  const bytes = namedBytes(place.spec);
  const from = (offset % bytes) * 8;
  return width === bytes && from === 0 ? place.label : `${place.label}[${from + width * 8 - 1}:${from}]`;
}

/** The meaning of a value there: `{RWP DS}`, `{INTID 34 36-38}`; empty if there is nothing to print. */
export function meaningText(
  frame: number | FrameName,
  offset: number,
  width: number,
  low: number,
  high: number,
): string {
  const place = registerAt(frame, offset);
  if (place === undefined) return '';
  const { spec } = place;
  const runs = intidRuns(place, offset, width, low);
  if (runs.length > 0) return ` {INTID ${runs.map((run) => runText(spec, run)).join(' ')}}`;
  const from = (offset % namedBytes(spec)) * 8;
  // An access that starts within a register carries its bits from bit 0: shift them to their place.
  const upper = from >= 32;
  const inLow = upper ? 0 : (low << from) >>> 0;
  const inHigh = upper ? (low << (from - 32)) >>> 0 : high;
  const text = fieldsText(spec.fields, inLow, inHigh, from, from + width * 8);
  return text === '' ? '' : ` {${text}}`;
}

/** An access's register and value: `GICD_ISENABLER1 0x10000 {INTID 48}`. */
export function registerText(
  frame: number | FrameName,
  offset: number,
  width: number,
  low: number,
  high = 0,
): string {
  return `${registerLabel(frame, offset, width)} ${hexText(low, high)}${meaningText(frame, offset, width, low, high)}`;
}
