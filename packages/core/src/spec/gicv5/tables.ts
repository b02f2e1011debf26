// Entries of the tables in guest memory. Linux clears and links them, QEMU reads those of interrupt state. Pure data.
import { flag, hex, oneOf, pa, uint } from '../declare.ts';
import type { FieldSpec } from '../shape.ts';
import { BOTH, DRIVERS, QEMU } from './evidence.ts';

export interface Gicv5Entry {
  /** Bytes of an entry; for the interrupt state table the least, see IRS_IST_CFGR.ISTSZ. */
  readonly bytes: 4 | 8;
  readonly fields: readonly FieldSpec[];
  readonly source: string;
}

const L2SZ = { 0: '4KB', 1: '16KB', 2: '64KB' };

export const GICV5_ENTRIES = {
  /** Level 1 of a two-level interrupt state table: an entry for each level-2 table. */
  L1_ISTE: {
    bytes: 8,
    fields: [flag('VALID', 0, 'the level-2 table exists'), pa('L2_ADDR', 12, 40, 12, 'level-2 table')],
    source: BOTH,
  },
  /** The state of an LPI. */
  L2_ISTE: {
    bytes: 4,
    fields: [
      flag('PENDING', 0, 'pending'),
      flag('ACTIVE', 1, 'active'),
      oneOf('HM', 2, 1, { 0: 'edge', 1: 'level' }, 'handling mode'),
      flag('ENABLE', 3, 'enabled'),
      oneOf('IRM', 4, 1, { 0: 'targeted', 1: '1 of N' }, 'routing mode'),
      uint('HWU', 9, 2, 'for use by the IRS'),
      uint('PRIORITY', 11, 5, 'priority'),
      uint('IAFFID', 16, 16, 'interrupt affinity identifier of the target'),
    ],
    source: QEMU,
  },
  /** Level 1 of a two-level device table. */
  L1_DTE: {
    bytes: 8,
    fields: [
      flag('VALID', 0, 'the level-2 table exists'),
      pa('L2_ADDR', 3, 49, 3, 'level-2 table'),
      uint('SPAN', 60, 4, 'how much of the level-2 table is in use'),
    ],
    source: DRIVERS,
  },
  /** A device. */
  L2_DTE: {
    bytes: 8,
    fields: [
      flag('VALID', 0, 'the device is mapped'),
      oneOf('ITT_L2SZ', 1, 2, L2SZ, 'size of a level-2 interrupt translation table'),
      pa('ITT_ADDR', 3, 49, 3, 'interrupt translation table'),
      flag('ITT_DSWE', 57, 'software errors of the device are reported'),
      oneOf('ITT_STRUCTURE', 58, 1, { 0: 'linear', 1: 'two-level' }, 'structure of that table'),
      uint('EVENT_ID_BITS', 59, 5, 'bits of an EventID'),
    ],
    source: DRIVERS,
  },
  /** Level 1 of a two-level interrupt translation table. */
  L1_ITTE: {
    bytes: 8,
    fields: [
      flag('VALID', 0, 'the level-2 table exists'),
      pa('L2_ADDR', 3, 49, 3, 'level-2 table'),
      uint('SPAN', 60, 4, 'how much of the level-2 table is in use'),
    ],
    source: DRIVERS,
  },
  /** An event of a device. */
  L2_ITTE: {
    bytes: 8,
    fields: [
      uint('LPI_ID', 0, 24, 'ID of the LPI'),
      oneOf('DAC', 28, 2, { 0: 'S', 1: 'NS', 2: 'EL3', 3: 'Realm' }, 'interrupt domain of the event'),
      flag('VIRTUAL', 30, 'a virtual LPI'),
      flag('VALID', 31, 'the event is mapped'),
      hex('VM_ID', 32, 16, 'virtual machine'),
    ],
    source: DRIVERS,
  },
} as const satisfies Record<string, Gicv5Entry>;
