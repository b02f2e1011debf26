// The ranges of INTIDs and their meaning (IHI 0069, "INTIDs"). They are declared only here; those of GICv5 are in
// gicv5/intid.ts.

/** The ranges of INTIDs, both ends included; INTIDs between them are reserved. GICD_TYPER.IDbits limits LPIs further. */
export const INTID_RANGES = {
  SGI: { first: 0, last: 15 },
  PPI: { first: 16, last: 31 },
  SPI: { first: 32, last: 1019 },
  special: { first: 1020, last: 1023 },
  'extended PPI': { first: 1056, last: 1119 },
  'extended SPI': { first: 4096, last: 5119 },
  LPI: { first: 8192, last: 0xffff_ffff },
} as const;

export type IntidClass = keyof typeof INTID_RANGES | 'reserved';

export const SPI_FIRST = INTID_RANGES.SPI.first;
export const EPPI_FIRST = INTID_RANGES['extended PPI'].first;
export const ESPI_FIRST = INTID_RANGES['extended SPI'].first;
export const LPI_FIRST = INTID_RANGES.LPI.first;
/** The first special INTID, which follows the last SPI. */
export const SPECIAL_FIRST = INTID_RANGES.special.first;
const SPECIAL_LAST = INTID_RANGES.special.last;
const EPPI_LAST = INTID_RANGES['extended PPI'].last;
const ESPI_LAST = INTID_RANGES['extended SPI'].last;

/** What a read of IAR or HPPIR returns in place of an interrupt (IHI 0069, "Special INTIDs"). */
export const SPECIAL_INTIDS = {
  /** The interrupt is to be handled in Secure state. */
  secure: 1020,
  /** The interrupt is to be handled in Non-secure state. */
  nonSecure: 1021,
  /** The interrupt is non-maskable; or legacy operation. */
  nonMaskable: 1022,
  /** There is no pending interrupt that the PE could acknowledge. */
  spurious: 1023,
} as const;
/** INTID 1023: no interrupt. */
export const SPURIOUS: number = SPECIAL_INTIDS.spurious;

/** The doorbell INTID that means that there is no doorbell (IHI 0069, "VMAPTI"). */
export const NO_DOORBELL = SPURIOUS;

/** The class of an INTID. */
export function intidClass(intid: number): IntidClass {
  for (const [name, { first, last }] of Object.entries(INTID_RANGES))
    if (intid >= first && intid <= last) return name as IntidClass;
  return 'reserved';
}

/** Whether an INTID stands for an interrupt: it is neither special nor reserved. */
export function isInterrupt(intid: number): boolean {
  return (
    (intid >= 0 && intid < SPECIAL_FIRST) ||
    intid >= LPI_FIRST ||
    (intid >= EPPI_FIRST && intid <= EPPI_LAST) ||
    (intid >= ESPI_FIRST && intid <= ESPI_LAST)
  );
}

/** Whether a read of IAR or HPPIR that returned this INTID returned no interrupt: 1020 to 1023. */
export function isSpecial(intid: number): boolean {
  return intid >= SPECIAL_FIRST && intid <= SPECIAL_LAST;
}

/** Whether an INTID is that of an SGI, a PPI or an extended PPI: each PE has its own. */
export function isPrivate(intid: number): boolean {
  return intid < SPI_FIRST || (intid >= EPPI_FIRST && intid <= EPPI_LAST);
}

/** Whether an INTID is that of an SPI or of an extended SPI: all PEs share it. */
export function isSpi(intid: number): boolean {
  return (intid >= SPI_FIRST && intid < SPECIAL_FIRST) || (intid >= ESPI_FIRST && intid <= ESPI_LAST);
}
