// What a hypervisor saves of a GIC, and in which order it must be restored, as data: the order of KVM's interface (Linux,
// Documentation/virt/kvm/devices/arm-vgic-v3.rst and arm-vgic-its.rst). It knows no model.

/** Steps of a restore, in order. */
export const STEPS = [
  'GICD',
  'GICR',
  'ICC',
  'ICH',
  'wires',
  'memory',
  'GITS',
  'tables',
  'GITS_CTLR',
] as const;
export type Step = (typeof STEPS)[number];

export interface SavedItem {
  readonly step: Step;
  /** The register as Arm spells it, with its number in an array; a description for `wires` and `memory`. */
  readonly name: string;
  /** Index of the PE or ITS. */
  readonly instance: number;
  /** Offset in the frame, system-register encoding, INTID, or address. */
  readonly at: number;
  /** Bytes of the register; 0 if the item is not a register. */
  readonly width: number;
  readonly low: number;
  readonly high: number;
  /** A long stretch of `memory` in which all bytes are known to be equal, in pages of 4,096 bytes. Precedes single pages. */
  readonly stretch?: { readonly pages: number; readonly byte: number };
  /** Another page of `memory`: 4,096 bytes, and one bit per byte that says whether it is known. */
  readonly page?: { readonly data: Uint8Array; readonly known: Uint8Array };
}

/** Which steps must not come before which. */
export const ORDER_RULES: readonly {
  readonly id: string;
  readonly first: (item: SavedItem) => boolean;
  readonly later: (item: SavedItem) => boolean;
  /** Whether the rule holds only within one Redistributor or ITS. */
  readonly sameInstance: boolean;
  readonly why: string;
}[] = [
  {
    id: 'gic-before-its',
    first: (item) => ['GICD', 'GICR', 'ICC'].includes(item.step),
    later: (item) => ['GITS', 'tables', 'GITS_CTLR'].includes(item.step),
    sameInstance: false,
    why: 'the ITS needs the Redistributors: their registers come before its own',
  },
  {
    id: 'tables-before-enablelpis',
    first: (item) => item.name === 'GICR_PROPBASER' || item.name === 'GICR_PENDBASER',
    later: (item) => item.name.startsWith('GICR_CTLR'),
    sameInstance: true,
    why: 'GICR_PROPBASER and GICR_PENDBASER are locked once EnableLPIs is 1: written after it they are lost',
  },
  {
    id: 'memory-before-enablelpis',
    first: (item) => item.step === 'memory',
    later: (item) => item.name === 'GICR_CTLR (EnableLPIs)',
    sameInstance: false,
    why: 'the pending table is read from guest memory when EnableLPIs becomes 1',
  },
  {
    id: 'cbaser-before-creadr',
    first: (item) => item.name === 'GITS_CBASER',
    later: (item) => item.name === 'GITS_CREADR',
    sameInstance: true,
    why: 'a write of GITS_CBASER clears GITS_CREADR',
  },
  {
    id: 'baser-before-tables',
    first: (item) => item.name.startsWith('GITS_BASER'),
    later: (item) => item.step === 'tables',
    sameInstance: true,
    why: 'the tables are found through GITS_BASER<n>',
  },
  {
    id: 'memory-before-tables',
    first: (item) => item.step === 'memory',
    later: (item) => item.step === 'tables',
    sameInstance: false,
    why: 'the tables are read from guest memory',
  },
  {
    id: 'all-before-enabled',
    first: (item) => item.step === 'GITS' || item.step === 'tables',
    later: (item) => item.step === 'GITS_CTLR',
    sameInstance: true,
    why: 'once GITS_CTLR.Enabled is 1 the ITS runs commands, and its registers are locked',
  },
];
