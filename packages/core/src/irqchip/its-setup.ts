// What Linux does to an ITS before its first command: tables, the queue, and on.
import { GITS } from '../spec/index.ts';
import type { Bus } from './bus.ts';

/** GITS_BASER<n>: pages of 64 KB, valid. The address is below 2^48. */
const PAGES_OF_64_KB = 0x200;
const VALID = 0x8000_0000;
const QUIESCENT = 0x8000_0000;
const PAGE = 0x1_0000;

/** A flat device table for 16-bit DeviceIDs, and a page each of collections and vPEs. */
export const DEVICE_TABLE_PAGES = 8;
export const COLLECTION_TABLE_PAGES = 1;
export const VPE_TABLE_PAGES = 1;

/** Sets up an ITS with tables of so many pages, for GITS_BASER0 on. Returns their addresses. */
export function setUpIts(bus: Bus, pages: readonly number[], its = 0): readonly number[] {
  const tables = pages.map((n) => bus.memory(n * PAGE));
  bus.write('GITS', its, GITS.GITS_CTLR.offset, 4, 0);
  bus.poll('GITS', its, GITS.GITS_CTLR.offset, 4, (low) => (low & QUIESCENT) !== 0);
  tables.forEach((address, n) => {
    bus.write(
      'GITS',
      its,
      GITS.GITS_BASER.offset + 8 * n,
      8,
      (address % 2 ** 32) | PAGES_OF_64_KB | (pages[n]! - 1),
      VALID + Math.floor(address / 2 ** 32),
    );
  });
  bus.openQueue(its);
  bus.write('GITS', its, GITS.GITS_CTLR.offset, 4, 1);
  return tables;
}
