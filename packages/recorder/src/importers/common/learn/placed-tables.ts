// Tables whose place is not in the source are put where no machine has memory.
import type { GicState } from '@gictrace/core/model';
import { GICR } from '@gictrace/core/spec';
import type { Knowing } from './knowing.ts';
import type { Unknowns } from './unknowns.ts';

const IDBITS_ALL = 0x1f;
/** GICR_PROPBASER.IDbits: INTIDs of 16 bits. */
const IDBITS_16 = 0xf;

/** High words of addresses where no machine has memory, for tables whose place is not in the source. */
export const PLACED = {
  configuration: 0x4_1000,
  pending: 0x4_2000,
  queue: 0x4_3000,
  devices: 0x8100,
  collections: 0x8200,
  vpes: 0x8300,
} as const;

/**
 * If the tables of a PE's LPIs are unknown, puts them where no guest has memory, with one configuration table for all
 * PEs.
 */
export function placeTables(state: GicState, unknowns: Unknowns, knowing: Knowing, pe: number): void {
  for (let one = 0; one < state.peCount; one++)
    if (unknowns.isPartUnknown('propbaser', one) && (state.propbaser[2 * one]! & IDBITS_ALL) === 0)
      knowing.register(
        'GICR',
        one,
        GICR.GICR_PROPBASER.offset,
        IDBITS_16,
        'lpi-tables-placed',
        PLACED.configuration,
      );
  if (
    unknowns.isPartUnknown('pendbaser', pe) &&
    (state.pendbaser[2 * pe]! | state.pendbaser[2 * pe + 1]!) === 0
  )
    knowing.register(
      'GICR',
      pe,
      GICR.GICR_PENDBASER.offset,
      (pe * 0x1_0000) >>> 0,
      'lpi-tables-placed',
      PLACED.pending,
    );
}
