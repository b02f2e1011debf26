// What a hypervisor saves of a GIC and in which order it must be put back, as data: the order of KVM's interface
// (Linux, Documentation/virt/kvm/devices/arm-vgic-v3.rst and arm-vgic-its.rst). Knows no model.

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
  /** Register as Arm spells it, with its number in an array; for `wires` and `memory` what it is. */
  readonly name: string;
  /** PE or ITS. */
  readonly instance: number;
  /** Offset in the frame, system-register encoding, INTID, or address. */
  readonly at: number;
  /** Bytes of the register; 0 where there is none. */
  readonly width: number;
  readonly low: number;
  readonly high: number;
  /** For a long stretch of `memory` that is known to be one byte throughout: its 4,096-byte pages. Comes before single pages. */
  readonly stretch?: { readonly pages: number; readonly byte: number };
  /** For another page of `memory`: 4,096 bytes, and a bit a byte that is known. */
  readonly page?: { readonly data: Uint8Array; readonly known: Uint8Array };
}

/** What must not come before what. */
export const ORDER_RULES: readonly {
  readonly id: string;
  readonly first: (item: SavedItem) => boolean;
  readonly later: (item: SavedItem) => boolean;
  /** Of the same Redistributor or ITS only. */
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
