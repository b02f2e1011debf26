// What the parts of lifting share: where they report operations, and what they count.
import type { Operation } from '@gictrace/core/irqchip';
import { NO_PE, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICR, mask, SYSREGS } from '@gictrace/core/spec';

export interface LiftStats {
  operations: number;
  /** What was inferred, and how often. */
  readonly inferred: Map<string, number>;
  /** What belongs to no operation, by name. */
  readonly unlifted: Map<string, number>;
}

export function count(map: Map<string, number>, key: string, n = 1): void {
  map.set(key, (map.get(key) ?? 0) + n);
}

/** Operations of devices whose interrupts do not go through an ITS, in order. */
export class Collector {
  readonly operations: Operation[] = [];
  readonly stats: LiftStats = { operations: 0, inferred: new Map(), unlifted: new Map() };
  private readonly online = new Set<number>();

  add(operation: Operation): void {
    this.operations.push(operation);
  }

  /** The machine is reset and its operating system starts again. If nothing was done before, that is where it begins. */
  reboot(): void {
    this.online.clear();
    if (this.operations.length > 0) this.add({ op: 'probe', reset: true });
  }

  /** A PE takes interrupts from now on, unless it already does. */
  comesOnline(pe: number): void {
    if (this.online.has(pe)) return;
    this.online.add(pe);
    this.add({ op: 'pe.online', pe });
  }

  goesOffline(pe: number): void {
    if (this.online.delete(pe)) this.add({ op: 'pe.offline', pe });
  }

  /** An interrupt is routed to a PE, which must be online by then. */
  routed(pe: number): void {
    if (this.online.has(pe)) return;
    count(this.stats.inferred, 'PE online: an interrupt is routed to it');
    this.comesOnline(pe);
  }
}

const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const GICR_FRAME = FRAMES.indexOf('GICR');
const SLEEP = mask(GICR.GICR_WAKER, 'ProcessorSleep');
const ENABLE = mask(SYSREGS.ICC_IGRPEN1_EL1, 'Enable');

/**
 * Notes PEs that come and go, by what they do to GICR_WAKER and ICC_IGRPEN1_EL1. Whose ICC_IGRPEN1_EL1 it is, a log may
 * leave unknown.
 */
export function followPes(to: Collector, batch: RecordBatch, i: number): void {
  const at = i * RECORD_WORDS;
  const w = batch.words;
  if (batch.kind[i] === SYSREG_WRITE && w[at] === SYSREGS.ICC_IGRPEN1_EL1.encoding) {
    if ((w[at + 1]! & ENABLE) !== 0 && batch.pe[i] !== NO_PE) to.comesOnline(batch.pe[i]!);
    return;
  }
  if (batch.kind[i] !== MMIO_WRITE || w[at] !== GICR_FRAME || w[at + 2] !== GICR.GICR_WAKER.offset) return;
  if ((w[at + 4]! & SLEEP) !== 0) to.goesOffline(w[at + 1]!);
  else to.comesOnline(w[at + 1]!);
}
