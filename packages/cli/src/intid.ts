// The INTID that an option names: a number, or the type and ID of an interrupt of a GICv5.
import { GICV5_TYPES, gicv5Intid, isGicv5Intid } from '@gictrace/core/spec';
import { InvalidOption } from './context.ts';

const TYPED = new RegExp(`^(${Object.keys(GICV5_TYPES).join('|')}) ?(0x[\\da-f]+|\\d+)$`, 'i');
const ID_MAX = 0xff_ffff;

/** The INTID that a text names: `8193`, `0x2001`; of a GICv5 `PPI 27`, or `0x2000001b`. Undefined for another text. */
export function intidNamed(text: string): number | undefined {
  const typed = TYPED.exec(text.trim());
  if (typed !== null && Number(typed[2]) <= ID_MAX)
    return gicv5Intid(GICV5_TYPES[typed[1]!.toUpperCase() as keyof typeof GICV5_TYPES], Number(typed[2]));
  if (!/^(\d+|0x[\da-f]+)$/i.test(text)) return undefined;
  const intid = Number(text);
  return intid <= ID_MAX || (intid < 2 ** 32 && isGicv5Intid(intid)) ? intid : undefined;
}

/** The value of `--intid`. @throws InvalidOption for a text that names no INTID. */
export function intidOf(text: string): number {
  const intid = intidNamed(text);
  if (intid !== undefined) return intid;
  throw new InvalidOption(
    `--intid takes a whole number below 2^24, or an INTID of GICv5 such as 'PPI 27', not '${text}'`,
  );
}
