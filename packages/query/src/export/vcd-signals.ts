// The first pass of a value change dump: finds the signals for which a trace has values.
import { KIND, RECORD_WORDS } from '@gictrace/core/record';
import { FRAMES, SPURIOUS } from '@gictrace/core/spec';
import type { ExportSource } from './source.ts';

const GICR = FRAMES.indexOf('GICR');
/** GICR_VPENDBASER, whose Valid bit makes a vPE resident: offset 0x78 of VLPI_base (IHI 0069, "GICR_VPENDBASER"). */
const VPENDBASER = 0x2_0078;

export interface FoundSignals {
  /** Input lines that were ever high. PE -1: the line belongs to no PE. */
  readonly wires: readonly { readonly intid: number; readonly pe: number }[];
  /** PEs whose virtual interrupt lines the source contains. */
  readonly virtual: ReadonlySet<number>;
  /** PEs on which software made vPEs resident. */
  readonly residency: ReadonlySet<number>;
  /** The number of bits of the largest INTID in the trace. */
  readonly intidBits: number;
}

export function findSignals(source: ExportSource): FoundSignals {
  const wires = new Map<string, { intid: number; pe: number }>();
  const virtual = new Set<number>();
  const residency = new Set<number>();
  let largest = SPURIOUS;
  for (const { batch } of source.batches())
    for (let i = 0; i < batch.count; i++) {
      const kind = batch.kind[i]!;
      const at = i * RECORD_WORDS;
      const w = batch.words;
      const pe = batch.pe[i]!;
      if (kind === KIND.hppi) largest = Math.max(largest, w[at]!);
      else if (kind === KIND.vhppi) virtual.add(pe);
      else if (kind === KIND['vpe.resident']) residency.add(pe);
      else if (kind === KIND['wire.set'] && w[at + 1] !== 0)
        wires.set(`${pe}.${w[at]}`, { intid: w[at]!, pe });
      else if (kind === KIND['mmio.write'] && w[at] === GICR && w[at + 2]! >>> 3 === VPENDBASER >>> 3)
        residency.add(w[at + 1]!);
    }
  return {
    wires: [...wires.values()],
    virtual,
    residency,
    intidBits: 32 - Math.clz32(largest),
  };
}
