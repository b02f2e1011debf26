// How long accesses took in a recording: the time from an access of a PE to the next record of the same PE. It is an upper
// bound of the cost of an access, because the PE did other things, too; the lower quartile of many is a good estimate.
import type { CostModel } from '@gictrace/core/irqchip';
import { RECORDS, type RecordBatch } from '@gictrace/core/record';

const WRITE = RECORDS['mmio.write'].id;
const READ = RECORDS['mmio.read'].id;
/** Fewer samples say nothing. */
const SAMPLES_MIN = 32;
/** Samples that are kept; the first ones of a recording. */
const SAMPLES_MAX = 100_000;
/** Accesses that are further apart have nothing to do with each other (ns). */
const GAP_MAX = 1_000_000;

export class MeasuredTimes {
  private readonly samples = { mmio_writes: [] as number[], mmio_reads: [] as number[] };
  private readonly last = new Map<number, { readonly kind: number; readonly time: number }>();

  take(batch: RecordBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const time = batch.timeNs[i]!;
      if (Number.isNaN(time)) continue;
      const pe = batch.pe[i]!;
      const before = this.last.get(pe);
      this.last.set(pe, { kind: batch.kind[i]!, time });
      if (before?.kind !== WRITE && before?.kind !== READ) continue;
      const ns = time - before.time;
      const list = before.kind === WRITE ? this.samples.mmio_writes : this.samples.mmio_reads;
      if (ns > 0 && ns <= GAP_MAX && list.length < SAMPLES_MAX) list.push(ns);
    }
  }

  /** The model with the times of the recording in place of its own, where there are enough of them. */
  into(model: CostModel): CostModel {
    const ns = { ...model.ns };
    const measured: Record<string, number> = {};
    for (const [name, list] of Object.entries(this.samples)) {
      if (list.length < SAMPLES_MIN) continue;
      list.sort((a, b) => a - b);
      ns[name as keyof typeof this.samples] = list[Math.floor(list.length / 4)]!;
      measured[name] = list.length;
    }
    return { ...model, ns, measured };
  }
}
