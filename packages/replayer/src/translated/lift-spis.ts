// Lifts the operations of devices that raise SPIs: by messages (GICv3-MBI), by a frame that pulses input lines (GICv2m), or by
// input lines of their own. The source contains no device, so each SPI is one of one vector.
//
// Linux moves an SPI that is enabled in four steps: it writes GICD_ICENABLER, waits for RWP, writes GICD_IROUTER, and writes
// GICD_ISENABLER. A write of GICD_ICENABLER is therefore held back until it is known whether the same PE goes on so.
import type { Operation } from '@gictrace/core/irqchip';
import type { Machine } from '@gictrace/core/model';
import { NO_PE, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICD, SPI_FIRST } from '@gictrace/core/spec';
import { type Collector, count } from './lift-parts.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const GICD_FRAME = FRAMES.indexOf('GICD');
/** INTIDs from here on are not SPIs of the plain range. */
const SPIS_END = 1020;

/** What is inferred for each SPI that is lifted. */
export const SPI_DEVICE = 'device: an SPI is a device of one vector';

interface Spi {
  isActive: boolean;
  isEnabled: boolean;
  pe: number;
}
/** A write of GICD_ICENABLER: is it a mask, or the beginning of a move? */
interface Disabled {
  readonly intid: number;
  /** The PE that wrote it. */
  readonly by: number;
  to: number | undefined;
}

export class SpiLift {
  private readonly to: Collector;
  private readonly spis = new Map<number, Spi>();
  private disabled: Disabled[] = [];
  /** An SPI that has been enabled for the first time, and after which no other operation has come. */
  private starting: { readonly intid: number; readonly pe: number } | undefined;

  constructor(to: Collector) {
    this.to = to;
  }

  /** Takes a stimulus before it runs. */
  stimulus(batch: RecordBatch, i: number, machine: Machine): void {
    const kind = batch.kind[i];
    const at = i * RECORD_WORDS;
    const w = batch.words;
    const by = batch.pe[i]!;
    if (kind === WIRE_SET) {
      if (batch.pe[i] === NO_PE) this.line(w[at]!, w[at + 1] !== 0, machine);
      return;
    }
    if (kind === SYSREG_READ || kind === SYSREG_WRITE) return this.settle(by);
    if (kind !== MMIO_WRITE && kind !== MMIO_READ) return;
    const isGicd = w[at] === GICD_FRAME;
    // While it waits for RWP, a PE reads GICD_CTLR. Linux reads GICD_ISENABLER before it begins a move.
    if (kind === MMIO_READ && isGicd && w[at + 2] === GICD.GICD_CTLR.offset) return;
    if (kind === MMIO_READ || !isGicd) return this.settle(by);
    this.write(w[at + 2]!, w[at + 3]!, w[at + 4]!, by, machine);
  }

  finish(): void {
    for (const { by } of [...this.disabled]) this.settle(by);
    this.started();
  }

  reset(): void {
    this.finish();
    this.spis.clear();
    this.disabled = [];
  }

  /**
   * Adds an operation. Linux routes an SPI after it has enabled it for the first time (irq_startup), as a move: that is where
   * it is activated.
   */
  private add(operation: Operation): void {
    const { starting } = this;
    if (starting !== undefined && operation.op === 'set_affinity' && operation.device === starting.intid)
      return this.started(operation.pe);
    this.started();
    this.to.add(operation);
  }

  private started(pe = this.starting?.pe ?? 0): void {
    const { starting } = this;
    if (starting === undefined) return;
    this.starting = undefined;
    this.to.add({ op: 'activate', device: starting.intid, vector: 0, pe });
    this.to.add({ op: 'unmask', device: starting.intid, vector: 0 });
  }

  private write(offset: number, bytes: number, value: number, by: number, machine: Machine): void {
    const elementOf = (register: { readonly offset: number; readonly bytes: number }, count: number) => {
      const element = (offset - register.offset) / register.bytes;
      return Number.isInteger(element) && element >= 0 && element < count ? element : -1;
    };
    if (offset === GICD.GICD_SETSPI_NSR.offset || offset === GICD.GICD_SETSPI_SR.offset)
      return this.fire(value & 0x3ff);
    const router = (offset - GICD.GICD_IROUTER.offset) / 8;
    if (bytes === 8 && Number.isInteger(router) && router >= 0 && router < SPIS_END - SPI_FIRST)
      return this.route(router + SPI_FIRST, value, by, machine);
    for (const [name, act] of [
      ['GICD_ISENABLER', (intid: number) => this.enable(intid, by, machine)],
      ['GICD_ICENABLER', (intid: number) => this.disable(intid, by)],
      ['GICD_ISPENDR', (intid: number) => this.pend(intid, true)],
      ['GICD_ICPENDR', (intid: number) => this.pend(intid, false)],
    ] as const) {
      const element = elementOf(GICD[name], 32);
      if (element < 1) continue;
      if (name === 'GICD_ISPENDR' || name === 'GICD_ICPENDR') this.settle(by);
      for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) act(32 * element + bit);
      return;
    }
    this.settle(by);
    const configuration = elementOf(GICD.GICD_ICFGR, 64);
    if (configuration < 2) return;
    for (let k = 0; k < 16; k++)
      if ((value >>> (2 * k + 1)) & 1) this.configured(16 * configuration + k, machine);
  }

  private peOf(route: number, { state }: Machine): number {
    const found = state.config.pes.findIndex((pe) => pe.affinity === (route & 0x00ff_ffff));
    if (found < 0) count(this.to.stats.unlifted, 'routes to a PE that is not there, or to any PE');
    return Math.max(0, found);
  }

  private allocated(intid: number): Spi {
    let spi = this.spis.get(intid);
    if (spi === undefined) {
      spi = { isActive: false, isEnabled: false, pe: 0 };
      this.spis.set(intid, spi);
      count(this.to.stats.inferred, SPI_DEVICE);
      this.add({ op: 'alloc', device: intid, count: 1 });
    }
    return spi;
  }

  /** An SPI is routed before it is enabled for the first time: a managed interrupt starts. */
  private activated(intid: number, spi: Spi, pe: number): void {
    spi.isActive = true;
    spi.pe = pe;
    this.to.routed(pe);
    this.add({ op: 'activate', device: intid, vector: 0, pe, managed: true });
  }

  /** An SPI is configured as edge-triggered. */
  private configured(intid: number, { state }: Machine): void {
    if (intid >= SPIS_END || ((state.spi.edge[intid >>> 5]! >>> (intid & 31)) & 1) !== 0) return;
    this.allocated(intid);
  }

  private route(intid: number, value: number, by: number, machine: Machine): void {
    const held = this.disabled.find((one) => one.intid === intid && one.by === by);
    const spi = this.spis.get(intid);
    // Setting up the Distributor routes all SPIs, of which nobody has asked for one yet.
    if (spi === undefined) return;
    const pe = this.peOf(value, machine);
    if (held !== undefined) {
      held.to = pe;
      return;
    }
    this.settle(by);
    if (!spi.isActive) return this.activated(intid, spi, pe);
    this.move(intid, spi, pe);
  }

  private move(intid: number, spi: Spi, pe: number): void {
    spi.pe = pe;
    this.to.routed(pe);
    this.add({ op: 'set_affinity', device: intid, vector: 0, pe });
  }

  private enable(intid: number, by: number, machine: Machine): void {
    if (intid >= SPIS_END) return;
    const k = this.disabled.findIndex((one) => one.intid === intid && one.by === by);
    const spi = this.allocated(intid);
    if (k >= 0 && this.disabled[k]!.to !== undefined) {
      const [{ to }] = this.disabled.splice(k, 1) as [Disabled];
      return this.move(intid, spi, to!);
    }
    this.settle(by);
    const { state } = machine;
    if (!spi.isActive) {
      this.started();
      spi.isActive = true;
      spi.pe = this.peOf(state.routeLow[intid]!, machine);
      this.to.routed(spi.pe);
      this.starting = { intid, pe: spi.pe };
    } else this.add({ op: 'unmask', device: intid, vector: 0 });
    spi.isEnabled = true;
    // A line that is high when nobody has looked at it yet is a message that has been sent.
    const isLevel = ((state.spi.edge[intid >>> 5]! >>> (intid & 31)) & 1) === 0;
    if (isLevel && this.high.delete(intid)) this.fire(intid);
  }

  private disable(intid: number, by: number): void {
    this.settle(by);
    const spi = this.spis.get(intid);
    if (spi === undefined || !spi.isActive) return;
    if (spi.isEnabled) this.disabled.push({ intid, by, to: undefined });
    else this.add({ op: 'mask', device: intid, vector: 0 });
  }

  private pend(intid: number, pending: boolean): void {
    if (this.spis.get(intid)?.isActive) this.add({ op: 'set_pending', device: intid, vector: 0, pending });
  }

  /** The PE does something else than finish a move: what it disabled, it masked. */
  private settle(by: number): void {
    for (const one of this.disabled.filter((held) => held.by === by)) this.mask(one);
  }

  private mask(one: Disabled): void {
    this.disabled.splice(this.disabled.indexOf(one), 1);
    const spi = this.spis.get(one.intid)!;
    spi.isEnabled = false;
    this.add({ op: 'mask', device: one.intid, vector: 0 });
    if (one.to !== undefined) this.move(one.intid, spi, one.to);
  }

  /** Lines that rose before their SPI was enabled for the first time, and have not fallen. */
  private readonly high = new Set<number>();

  private line(intid: number, isHigh: boolean, { state }: Machine): void {
    if (intid < SPI_FIRST || intid >= SPIS_END) return;
    const wasHigh = ((state.spi.level[intid >>> 5]! >>> (intid & 31)) & 1) !== 0;
    if (!isHigh) this.high.delete(intid);
    if (!isHigh || wasHigh) return;
    if (!this.spis.get(intid)?.isActive) this.high.add(intid);
    else {
      count(this.to.stats.inferred, 'message: the input line of an SPI rose');
      this.fire(intid);
    }
  }

  private fire(intid: number): void {
    if (!this.spis.get(intid)?.isActive) {
      count(this.to.stats.unlifted, 'messages of SPIs that nobody has enabled');
      return;
    }
    for (const held of this.disabled.filter((one) => one.intid === intid)) this.mask(held);
    this.add({ op: 'fire', device: intid, vector: 0 });
  }
}
