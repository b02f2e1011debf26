// The work that a trace may make the model do. A few records can name tables with millions of entries and then tell the GIC
// to walk through them thousands of times. The model counts such work, and gives up at a limit that it names. This file
// knows nothing of GICs.
import { GicTraceError } from '../errors.ts';

/** What a machine may spend at once, in units. A unit is a step of a loop, about 10 ns; an event in a loop is EVENT_WORK. */
const UNITS_MAX = 2 ** 24;
/**
 * What each stimulus adds to it. A Redistributor of QEMU or KVM can have 57,344 LPIs pending (16 bits of INTID), and looks
 * at each when it ranks them. Even if they become pending one by one and are all acknowledged, half of that is the average.
 */
const UNITS_PER_STIMULUS = 2 ** 15;
/** The most pages of 4 KiB that may be stored one by one: 128 MiB. Long stretches of one byte take no page. */
const PAGES_MAX = 2 ** 15;
/** Sizes that the sets of pending and cached LPIs may reach over all PEs, about 100 bytes each. */
const HELD_MAX = 2 ** 20;

/** What an event costs that is emitted in a loop over a table. */
export const EVENT_WORK = 16;
/** What an LPI costs that becomes pending: more is derived from it, and kept of it, than of any other event. */
export const PENDED_WORK = 96;
/** What a page costs that is looked through byte by byte. */
export const PAGE_WORK = 512;

/** What a machine may still spend. Each stimulus adds to it, up to a maximum. */
export class WorkBudget {
  private left = UNITS_MAX;

  /** A stimulus begins. */
  begin(): void {
    this.left = Math.min(this.left + UNITS_PER_STIMULUS, UNITS_MAX);
  }

  /** Counts work that is about to be done. @throws GicTraceError `limit` if it is too much. */
  spend(units: number): void {
    this.left -= units;
    if (this.left < 0)
      throw new GicTraceError(
        'limit',
        `it makes the GIC do more work than gictrace simulates: over ${grouped(UNITS_MAX)} steps through its tables at once, and ${grouped(UNITS_PER_STIMULUS)} for each access`,
      );
  }

  /** Checks how many pages of guest memory are stored. @throws GicTraceError `limit` if there are too many. */
  pages(count: number): void {
    if (count > PAGES_MAX)
      throw new GicTraceError(
        'limit',
        `it stores into more guest memory than gictrace keeps: over ${grouped(PAGES_MAX)} different pages of 4 KiB`,
      );
  }

  /** Checks how many LPIs are pending or cached. @throws GicTraceError `limit` if there are too many. */
  held(count: number): void {
    if (count > HELD_MAX)
      throw new GicTraceError(
        'limit',
        `it makes more LPIs pending than gictrace keeps: over ${grouped(HELD_MAX)} in all Redistributors`,
      );
  }
}

function grouped(n: number): string {
  return `${n}`.replace(/\B(?=(\d{3})+$)/g, ',');
}
