// INTIDs of all architectures, for whoever reads records and does not know of which GIC they are: an INTID of GICv5 has its type
// in bits 31:29, which are 0 in GICv3.
import {
  GICV5_INTID_MASK,
  GICV5_TYPES,
  type Gicv5Type,
  gicv5Intid,
  gicv5IntidText,
  gicv5Type,
  gicv5TypeName,
  isGicv5Intid,
} from './gicv5/index.ts';
import { type IntidClass, intidClass } from './intid.ts';

/** The class of an INTID. */
export function anyIntidClass(intid: number): IntidClass {
  return isGicv5Intid(intid) ? gicv5TypeName(gicv5Type(intid))! : intidClass(intid);
}

/** An INTID as people write it: `INTID 27`; `PPI 27` on GICv5. */
export function anyIntidText(intid: number): string {
  return isGicv5Intid(intid) ? gicv5IntidText(intid) : `INTID ${intid}`;
}

const NAMED = new RegExp(`^(?:(INTID|${Object.keys(GICV5_TYPES).join('|')})\\s*)?(0x[\\da-f]+|\\d+)$`, 'i');
/** An INTID of GICv3, and an ID of GICv5, have at most 24 bits. */
const ID_MAX = 0xff_ffff;

/** The form of a text that names an INTID, for messages. */
export const INTID_FORM = "a whole number below 2^24, or an INTID of GICv5 such as 'PPI 27'";

/**
 * The INTID that a text names: `8193`, `0x2001` or `INTID 8193`; of GICv5 `PPI 27`, or all its bits (`0x2000001b`). Undefined
 * for any other text, and for a number that no INTID has. Which GIC it is of, `checkIntidOf` checks.
 */
export function intidNamed(text: string): number | undefined {
  const found = NAMED.exec(text.trim());
  if (found === null) return undefined;
  const number = Number(found[2]);
  const type = found[1]?.toUpperCase() ?? 'INTID';
  if (type !== 'INTID')
    return number <= ID_MAX ? gicv5Intid(GICV5_TYPES[type as Gicv5Type], number) : undefined;
  if (number <= ID_MAX) return number;
  const isWhole = number < 2 ** 32 && (number & GICV5_INTID_MASK) >>> 0 === number;
  return isWhole && isGicv5Intid(number) ? number : undefined;
}
