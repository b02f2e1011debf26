// What Linux does to an ITS before its first command: it allocates tables and the queue, and enables the ITS.
import { GITS, mask, packFields } from '../spec/index.ts';
import type { Bus } from './bus.ts';

/** GITS_BASER<n>.Page_Size: 64 KB. */
const PAGES_OF_64_KB = 2;
const PAGE = 0x1_0000;
const QUIESCENT = mask(GITS.GITS_CTLR, 'Quiescent');
const ENABLED = mask(GITS.GITS_CTLR, 'Enabled');

/** Table sizes in pages of 64 KB: a flat device table for 16-bit DeviceIDs, and one page each for collections and vPEs. */
export const DEVICE_TABLE_PAGES = 8;
export const COLLECTION_TABLE_PAGES = 1;
export const VPE_TABLE_PAGES = 1;

/** Sets up an ITS with tables of these many pages of 64 KB, for GITS_BASER0 on. Returns their addresses, below 2^48. */
export function setUpIts(bus: Bus, pages: readonly number[], its = 0): readonly number[] {
  const tables = pages.map((n) => bus.memory(n * PAGE));
  bus.write('GITS_CTLR', its, 0);
  bus.poll('GITS_CTLR', its, (value) => (value & QUIESCENT) !== 0);
  tables.forEach((address, n) => {
    const fields = { Valid: 1, Page_Size: PAGES_OF_64_KB, Size: pages[n]!, Physical_Address_47_16: address };
    bus.write('GITS_BASER', its, packFields(GITS.GITS_BASER.views['64 KB pages'], fields), n);
  });
  bus.openQueue(its);
  bus.write('GITS_CTLR', its, ENABLED);
  return tables;
}
