// INTIDs of GICv5: 32 bits, of which bits 31:29 are the type and bits 23:0 the ID within the type. They are declared only
// here. An INTID of GICv3 has at most 24 bits, so the type alone tells the two apart.

/** The types of interrupts (QEMU, Linux). */
export const GICV5_TYPES = { PPI: 1, LPI: 2, SPI: 3 } as const;
export type Gicv5Type = keyof typeof GICV5_TYPES;

const TYPE_LSB = 29;
const ID_MASK = 0xff_ffff;
const names = new Map<number, Gicv5Type>(
  Object.entries(GICV5_TYPES).map(([name, type]) => [type, name as Gicv5Type]),
);

/** PPIs that the CPU interface has room for: two registers of 64 bits (QEMU, Linux). */
export const GICV5_PPIS = 128;
/** The least significant bit of the type in an INTID; a field of an instruction with a type has it there too. */
export const GICV5_TYPE_LSB = TYPE_LSB;
/** The bits of an INTID that are the type and the ID; the other bits are reserved. */
export const GICV5_INTID_MASK = 0xe0ff_ffff;

/** The INTID of an interrupt: a type and an ID of up to 24 bits. */
export function gicv5Intid(type: number, id: number): number {
  return ((type << TYPE_LSB) | (id & ID_MASK)) >>> 0;
}

/** Bits 31:29 of an INTID: see {@link GICV5_TYPES}; other values are reserved. */
export function gicv5Type(intid: number): number {
  return intid >>> TYPE_LSB;
}

/** Bits 23:0 of an INTID. */
export function gicv5Id(intid: number): number {
  return intid & ID_MASK;
}

/** The name of a type, or undefined for a reserved one. */
export function gicv5TypeName(type: number): Gicv5Type | undefined {
  return names.get(type);
}

/** Whether a number is an INTID of a GICv5: its type is not reserved. */
export function isGicv5Intid(intid: number): boolean {
  return names.has(intid >>> TYPE_LSB);
}

/** An INTID as people write it: `PPI 27`; a number with a reserved type in hexadecimal. */
export function gicv5IntidText(intid: number): string {
  const type = names.get(intid >>> TYPE_LSB);
  return type === undefined ? `0x${(intid >>> 0).toString(16)}` : `${type} ${intid & ID_MASK}`;
}

/** The interrupt domains, by the architecture's number: that of IRS_IDR0.INT_DOM (QEMU). */
export const DOMAINS = ['S', 'NS', 'EL3', 'Realm'] as const;
export type Domain = (typeof DOMAINS)[number];

/** The priority of which a PE is never signalled anything: no interrupt has it. QEMU prints it where nothing is pending. */
export const GICV5_IDLE_PRIORITY = 0xff;
