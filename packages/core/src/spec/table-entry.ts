// Entries of the tables in guest memory. The LPI configuration byte is architected; the layout of ITS table
// entries is IMPLEMENTATION DEFINED, so each layout has a name and a profile chooses. Pure data.
import { type FieldSpec, flag, pa, uint } from './shape.ts';

/** LPI configuration table entry (IHI 0069, "LPI Configuration tables"). */
export const LPI_CONFIG: readonly FieldSpec[] = [
  flag('Enable', 0, 'the LPI is enabled'),
  uint('Priority', 2, 6, 'priority bits 7:2'),
];

/** A level-1 entry of a two-level table: architected (IHI 0069, "GITS_BASER<n>"). */
export const LEVEL1_ENTRY: readonly FieldSpec[] = [
  pa('Physical_Address', 12, 40, 12, 'level-2 table'),
  flag('Valid', 63, 'the level-2 table exists'),
];

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

/** The entries as QEMU's ITS keeps them in guest memory; observed there. */
export const QEMU_LAYOUT = {
  dte: {
    bytes: 8,
    fields: [
      flag('Valid', 0, 'mapped'),
      uint('Size', 1, 5, 'EventID bits less one'),
      pa('ITT_addr', 6, 44, 8, 'interrupt translation table'),
    ],
  },
  cte: { bytes: 8, fields: [flag('Valid', 0, 'mapped'), uint('RDbase', 1, 16, 'processor number')] },
  ite: {
    bytes: 12,
    fields: [
      flag('Valid', 0, 'mapped'),
      flag('inttype', 1, 'physical'),
      uint('INTID', 2, 24, 'pINTID or vINTID'),
      uint('ICID', 32, 16, 'collection'),
      uint('vPEID', 48, 16, 'vPE'),
      uint('doorbell', 64, 24, 'doorbell pINTID'),
    ],
  },
  vte: {
    bytes: 8,
    fields: [
      flag('Valid', 0, 'mapped'),
      uint('VPT_size', 1, 5, 'vINTID bits less one'),
      pa('VPT_addr', 6, 36, 16, 'virtual pending table'),
      uint('RDbase', 42, 16, 'processor number'),
    ],
  },
} as const satisfies TableLayout;
