// INTIDs of all architectures, for whoever reads records and does not know of which GIC they are: an INTID of GICv5 has its type
// in bits 31:29, which are 0 in GICv3.
import { gicv5IntidText, gicv5Type, gicv5TypeName, isGicv5Intid } from './gicv5/index.ts';
import { type IntidClass, intidClass } from './intid.ts';

/** The class of an INTID. */
export function anyIntidClass(intid: number): IntidClass {
  return isGicv5Intid(intid) ? gicv5TypeName(gicv5Type(intid))! : intidClass(intid);
}

/** An INTID as people write it: `INTID 27`; `PPI 27` on GICv5. */
export function anyIntidText(intid: number): string {
  return isGicv5Intid(intid) ? gicv5IntidText(intid) : `INTID ${intid}`;
}
