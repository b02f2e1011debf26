// Whether an INTID that a person named is one of the GIC at hand. Without this check the answer would be about an interrupt
// that the GIC cannot have, and false.
import { GicTraceError } from './errors.ts';
import { anyIntidText, GICV5_TYPES, isGicv5Intid } from './spec/index.ts';

/**
 * Checks that an INTID is of the GIC architecture of a trace: GICv5 has a type in each INTID, GICv3 and GICv4 in none.
 * @throws GicTraceError `usage` if it is not.
 */
export function checkIntidOf(architecture: 3 | 4 | 5, intid: number): void {
  if (isGicv5Intid(intid) === (architecture === 5)) return;
  const [hint, rule] =
    architecture === 5
      ? [`such as 'PPI ${intid}'`, `has a type: ${Object.keys(GICV5_TYPES).join(', ')}`]
      : ['such as 27 or 8193', 'is a number without a type'];
  throw new GicTraceError(
    'usage',
    `${anyIntidText(intid)} is no interrupt of the trace: an INTID of GICv${architecture} ${rule}`,
    {},
    hint,
  );
}
