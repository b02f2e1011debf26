// Places in a QEMU's RAM for the level-2 interrupt state tables whose addresses a source does not contain. While a table is
// valid, each of its level-1 entries has one place: QEMU keeps the LPIs of the second level there.
import { GicTraceError } from '@gictrace/core';

/** The most bytes of a level-2 table (L2SZ), and the distance of two places. */
export const LEVEL2_BYTES = 0x1_0000;
/** The fewest LPIs of a level-2 table: 4 KiB of entries of 16 bytes. */
const LPIS_MIN = 256;

/** Counts the places that a trace may need. */
export class Level2Count {
  private places = 0;
  private readonly seen = new Set<number>();

  /** IRS_IST_BASER is written: another table may be valid from here on. */
  otherTable(): void {
    this.seen.clear();
  }

  /** IRS_MAP_L2_ISTR is written with the ID of an LPI. */
  mapped(id: number): void {
    const block = Math.floor(id / LPIS_MIN);
    if (this.seen.has(block)) return;
    this.seen.add(block);
    this.places++;
  }

  get bytes(): number {
    return this.places * LEVEL2_BYTES;
  }
}

export class Level2Places {
  private next: number;
  private readonly to: number;
  private readonly has = new Set<number>();

  /** The places are from one address to another. */
  constructor(from: number, to: number) {
    this.next = from;
    this.to = to;
  }

  /** The table ceases to be valid. */
  clear(): void {
    this.has.clear();
  }

  /**
   * A place for the level-2 table of a level-1 entry; undefined if that has one.
   * @throws GicTraceError `limit` if there is no room.
   */
  take(level1: number): number | undefined {
    if (this.has.has(level1)) return undefined;
    if (this.next + LEVEL2_BYTES > this.to)
      throw new GicTraceError(
        'limit',
        'it maps more level-2 interrupt state tables than QEMU can be given RAM for',
      );
    this.has.add(level1);
    const place = this.next;
    this.next += LEVEL2_BYTES;
    return place;
  }
}
