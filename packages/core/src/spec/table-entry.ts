// Entries of the tables in guest memory. The architecture defines the LPI configuration byte. The layout of ITS table
// entries is IMPLEMENTATION DEFINED, so each layout has a name. Pure data.
import { flag, hex, pa, uint } from './declare.ts';
import type { FieldSpec } from './shape.ts';

/** LPI configuration table entry (IHI 0069, "LPI Configuration tables"). */
export const LPI_CONFIG = [
  flag('Enable', 0, 'the LPI is enabled'),
  { name: 'Priority', lsb: 2, width: 6, kind: 'hex', shift: 2, doc: 'priority; its bits 1:0 are 0' },
] as const satisfies readonly FieldSpec[];

/** A level-1 entry of a two-level table, as the architecture defines it (IHI 0069, "GITS_BASER<n>"). */
export const LEVEL1_ENTRY: readonly FieldSpec[] = [
  pa('Physical_Address', 12, 40, 12, 'level-2 table'),
  flag('Valid', 63, 'the level-2 table exists'),
];

/** One kind of entry. A field's `lsb` counts from the first byte, and no field crosses a doubleword. */
export interface EntryLayout {
  readonly bytes: number;
  readonly fields: readonly FieldSpec[];
}

export interface TableLayout {
  readonly dte: EntryLayout;
  readonly cte: EntryLayout;
  readonly ite: EntryLayout;
  readonly vte: EntryLayout;
}

/** The entries as QEMU's ITS keeps them in guest memory, found by observation. An entry of 12 bytes is not padded. */
export const QEMU_LAYOUT = {
  dte: {
    bytes: 8,
    fields: [
      flag('Valid', 0, 'mapped'),
      uint('Size', 1, 5, 'EventID bits less one'),
      pa('ITT_addr', 6, 44, 8, 'interrupt translation table'),
    ],
  },
  cte: { bytes: 8, fields: [flag('Valid', 0, 'mapped'), hex('RDbase', 1, 16, 'processor number')] },
  ite: {
    bytes: 12,
    fields: [
      flag('Valid', 0, 'mapped'),
      flag('inttype', 1, '1 physical, 0 virtual'),
      uint('INTID', 2, 24, 'pINTID or vINTID'),
      hex('ICID', 32, 16, 'collection'),
      hex('vPEID', 48, 16, 'vPE'),
      uint('doorbell', 64, 24, 'doorbell pINTID; 1023 where there is none'),
    ],
  },
  vte: {
    bytes: 8,
    fields: [
      flag('Valid', 0, 'mapped'),
      uint('VPT_size', 1, 5, 'vINTID bits less one'),
      pa('VPT_addr', 6, 36, 16, 'virtual pending table'),
      hex('RDbase', 42, 16, 'processor number'),
    ],
  },
} as const satisfies TableLayout;

/** Virtual SGIs of a vPE (IHI 0069, "Virtual SGIs"). */
export const VSGI_COUNT = 16;

/**
 * A vPE table entry with GICv4.1's operands of VMAPP. The architecture does not define its layout and no public model has
 * one, so gictrace defines it: the fields of the GICv4.0 entry, then the configuration table, the default doorbell,
 * whether the doorbell is requested, and a byte for each virtual SGI (bit 0 enabled, bit 1 Group 1, bits 7:4 priority).
 */
export const VTE_41 = {
  bytes: 32,
  fields: [
    ...QEMU_LAYOUT.vte.fields,
    flag('Doorbell', 58, 'the default doorbell is asked for'),
    { name: 'VCONF_addr', lsb: 64, width: 36, kind: 'pa', shift: 16, doc: 'virtual configuration table' },
    uint('Default_Doorbell_pINTID', 64 + 36, 24, 'default doorbell; 1023 where there is none'),
    ...Array.from({ length: VSGI_COUNT }, (_, n) => hex(`vSGI${n}`, 128 + 8 * n, 8, 'a virtual SGI')),
  ],
} as const satisfies EntryLayout;
