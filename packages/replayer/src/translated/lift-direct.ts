// Lifts the operations of devices that raise LPIs through GICR_SETLPIR, without an ITS (Direct LPI). The source contains no
// device, so each LPI is one of one vector; its DeviceID is the INTID minus 8192.
//
// Such a driver moves an LPI in these steps: it disables it on the old PE (GICR_INVLPIR), clears it there (GICR_CLRLPIR),
// perhaps sets it on the new PE (GICR_SETLPIR), and enables it there (GICR_INVLPIR). What begins like a move is held back until
// it is known whether the same PE goes on so.
import { configTableAddress, type Machine } from '@gictrace/core/model';
import { NO_PE, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICR, LPI_FIRST } from '@gictrace/core/spec';
import { type Collector, count } from './lift-parts.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const GICR_FRAME = FRAMES.indexOf('GICR');

interface Lpi {
  /** The PE whose Redistributor software last named. */
  pe: number;
  isEnabled: boolean;
}
interface Held {
  readonly intid: number;
  readonly by: number;
  /** What it is, if it is no move: it was masked, or configured with the same value. */
  readonly op: 'mask' | 'reconfigure';
  readonly wasEnabled: boolean;
  isCleared: boolean;
  /** The PE on which it was set pending after that. */
  to: number | undefined;
}

export class DirectLift {
  private readonly to: Collector;
  private readonly lpis = new Map<number, Lpi>();
  /** LPIs whose configuration byte was written since the last invalidation. */
  private readonly written = new Set<number>();
  private held: Held | undefined;

  constructor(to: Collector) {
    this.to = to;
  }

  /** Takes a stimulus before it runs. */
  stimulus(batch: RecordBatch, i: number, machine: Machine): void {
    const kind = batch.kind[i];
    const at = i * RECORD_WORDS;
    const w = batch.words;
    if (kind === MEM_WRITE) return this.stored(w[at + 1]! * 2 ** 32 + w[at]!, w[at + 2]!, machine);
    if (kind === MMIO_READ || kind !== MMIO_WRITE || w[at] !== GICR_FRAME) return;
    const by = batch.pe[i]!;
    const pe = w[at + 1]!;
    const intid = w[at + 4]!;
    switch (w[at + 2]) {
      case GICR.GICR_SETLPIR.offset:
        return this.set(intid, pe, by);
      case GICR.GICR_CLRLPIR.offset:
        return this.clear(intid, pe, by);
      case GICR.GICR_INVLPIR.offset:
        this.written.delete(intid);
        return this.invalidated(intid, pe, by, machine);
      case GICR.GICR_INVALLR.offset:
        for (const one of this.written) this.invalidated(one, pe, by, machine);
        this.written.clear();
        return;
    }
  }

  finish(): void {
    this.settle();
  }

  reset(): void {
    this.finish();
    this.lpis.clear();
    this.written.clear();
  }

  private stored(address: number, bytes: number, { state }: Machine): void {
    const first = address - configTableAddress(state, 0);
    for (let k = 0; k < bytes; k++)
      if (first + k >= 0 && first + k < 2 ** 24 && state.memory.isKnown(address + k))
        this.written.add(LPI_FIRST + first + k);
  }

  private vector(intid: number): { readonly device: number; readonly vector: number } {
    return { device: intid - LPI_FIRST, vector: 0 };
  }

  private set(intid: number, pe: number, by: number): void {
    const lpi = this.lpis.get(intid);
    if (intid < LPI_FIRST || lpi === undefined) {
      count(this.to.stats.unlifted, 'messages of LPIs that nobody has configured');
      return;
    }
    if (by === NO_PE) {
      this.settle();
      this.to.add({ op: 'fire', ...this.vector(intid) });
      return;
    }
    const { held } = this;
    if (held?.intid === intid && held.by === by && held.isCleared && pe !== lpi.pe) {
      held.to = pe;
      return;
    }
    this.settle();
    this.moved(intid, lpi, pe);
    this.to.add({ op: 'set_pending', ...this.vector(intid), pending: true });
  }

  private clear(intid: number, pe: number, by: number): void {
    const lpi = this.lpis.get(intid);
    if (lpi === undefined) return;
    const { held } = this;
    if (held?.intid === intid && held.by === by && pe === lpi.pe && !held.isCleared) {
      held.isCleared = true;
      return;
    }
    this.settle();
    this.moved(intid, lpi, pe);
    this.to.add({ op: 'set_pending', ...this.vector(intid), pending: false });
  }

  private moved(intid: number, lpi: Lpi, pe: number): void {
    if (lpi.pe === pe) return;
    lpi.pe = pe;
    this.to.routed(pe);
    this.to.add({ op: 'set_affinity', ...this.vector(intid), pe });
  }

  private invalidated(intid: number, pe: number, by: number, { state }: Machine): void {
    if (intid < LPI_FIRST) return;
    const address = configTableAddress(state, 0) + intid - LPI_FIRST;
    const isKnown = state.memory.isKnown(address);
    const isEnabled = isKnown && (state.memory.readByte(address) & 1) !== 0;
    const of = this.vector(intid);
    const lpi = this.lpis.get(intid);
    if (lpi === undefined) {
      count(this.to.stats.inferred, 'device: an LPI is a device of one vector');
      // Linux first invalidates an LPI when it unmasks it for the first time.
      if (!isKnown) count(this.to.stats.inferred, 'unmask: the first invalidation of an LPI');
      const on = isEnabled || !isKnown;
      this.lpis.set(intid, { pe, isEnabled: on });
      this.to.routed(pe);
      this.to.add({ op: 'alloc', device: of.device, count: 1 });
      this.to.add({ op: 'activate', ...of, pe });
      this.to.add({ op: on ? 'unmask' : 'mask', ...of });
      return;
    }
    const { held } = this;
    const isMove = held?.to === undefined ? pe !== lpi.pe : pe === held.to;
    if (held?.intid === intid && held.by === by && held.isCleared && isEnabled && isMove) {
      this.held = undefined;
      lpi.isEnabled = true;
      this.moved(intid, lpi, pe);
      if (!held.wasEnabled) this.to.add({ op: 'unmask', ...of });
      return;
    }
    this.settle();
    this.moved(intid, lpi, pe);
    if (isEnabled) {
      this.to.add({ op: lpi.isEnabled ? 'reconfigure' : 'unmask', ...of });
      lpi.isEnabled = true;
      return;
    }
    if (!isKnown)
      count(this.to.stats.inferred, 'reconfigure: an invalidation whose byte is not in the source');
    const op = isKnown && lpi.isEnabled ? 'mask' : 'reconfigure';
    this.held = { intid, by, op, wasEnabled: lpi.isEnabled, isCleared: false, to: undefined };
    if (isKnown) lpi.isEnabled = false;
  }

  /** What was held back is no move, or one of an LPI that stays masked. */
  private settle(): void {
    const { held } = this;
    if (held === undefined) return;
    this.held = undefined;
    const lpi = this.lpis.get(held.intid)!;
    const of = this.vector(held.intid);
    if (held.to !== undefined) {
      if (held.op === 'mask') this.to.add({ op: 'mask', ...of });
      return this.moved(held.intid, lpi, held.to);
    }
    this.to.add({ op: held.op, ...of });
    if (held.isCleared) this.to.add({ op: 'set_pending', ...of, pending: false });
  }
}
