// LPI tables as Linux sets them up, for all designs that have LPIs: configuration and pending tables, and a first-fit
// allocator of LPI INTIDs.
import { GICR, LPI_CONFIG, LPI_FIRST, mask, packFields } from '../spec/index.ts';
import type { Bus } from './bus.ts';
import type { Ledger } from './driver.ts';
import { CACHED } from './its-node.ts';

const ID_BITS = 16;
/** Priority 0xa0, which Linux gives every LPI; bit 1 is RES1. */
const PRIORITY = 0xa2;
const ENABLE = mask(LPI_CONFIG, 'Enable');
const ENABLE_LPIS = mask(GICR.GICR_CTLR, 'EnableLPIs');

export class LpiTables {
  private readonly bus: Bus;
  private readonly ledger: Ledger;
  private readonly config: number;
  private readonly used: Uint8Array;
  private readonly ready = new Set<number>();
  /** All LPIs before this one are allocated: an index into `used`. */
  private lowest = 0;
  private readonly bytes = new Map<number, number>();

  /** `count` is the number of LPIs that the driver allocates; more than the tables can contain is a fault of the driver. */
  constructor(bus: Bus, ledger: Ledger, count = 2 ** ID_BITS - LPI_FIRST) {
    this.bus = bus;
    this.ledger = ledger;
    this.used = new Uint8Array(count);
    this.config = bus.memory(2 ** ID_BITS);
  }

  /**
   * Gives a Redistributor its tables when its PE comes online (redist_disable_lpis and its_cpu_init_lpis). It keeps them
   * when the PE goes offline again. Returns whether this was the first time.
   */
  online(pe: number): boolean {
    const { bus, config } = this;
    bus.read('GICR_TYPER', pe);
    bus.read('GICR_CTLR', pe);
    if (this.ready.has(pe)) return false;
    this.ready.add(pe);
    const pending = bus.memory(2 ** ID_BITS / 8);
    this.ledger.take('pending tables');
    bus.read('GICR_CTLR', pe);
    bus.write(
      'GICR_PROPBASER',
      pe,
      packFields(GICR.GICR_PROPBASER, { Physical_Address: config, IDbits: ID_BITS, ...CACHED }),
    );
    bus.read('GICR_PROPBASER', pe);
    bus.write(
      'GICR_PENDBASER',
      pe,
      packFields(GICR.GICR_PENDBASER, { Physical_Address: pending, ...CACHED }),
    );
    bus.read('GICR_PENDBASER', pe);
    bus.write('GICR_CTLR', pe, (bus.read('GICR_CTLR', pe) | ENABLE_LPIS) >>> 0);
    return true;
  }

  /** Allocates a run of LPIs and returns its first INTID; -1 if there is no free run, -2 if the allocation is refused. */
  take(count: number): number {
    for (let at = this.lowest; at + count <= this.used.length; at++) {
      let n = 0;
      while (n < count && !this.used[at + n]) n++;
      if (n === count) {
        if (!this.ledger.allocate('LPI range', 'LPIs', count)) return -2;
        this.used.fill(1, at, at + count);
        if (at === this.lowest) this.lowest = at + count;
        return LPI_FIRST + at;
      }
      at += n;
    }
    return -1;
  }

  give(first: number, count: number): void {
    this.lowest = Math.min(this.lowest, first - LPI_FIRST);
    this.used.fill(0, first - LPI_FIRST, first - LPI_FIRST + count);
    this.ledger.give('LPIs', count);
  }

  /** Writes the configuration byte of an LPI, which is one byte of a table. */
  configure(intid: number, enabled: boolean): void {
    this.bytes.set(intid, PRIORITY | (enabled ? ENABLE : 0));
    this.bus.store(this.config + intid - LPI_FIRST, this.bytes.get(intid)!);
  }

  isEnabled(intid: number): boolean {
    return ((this.bytes.get(intid) ?? 0) & ENABLE) !== 0;
  }
}
