// A trace of a GICv5 as a value change dump: what its IRS presents to each PE, the best PPI, what the PE is signalled and runs,
// and the input lines. Where the source does not say of which PE a value is, it is x for all PEs until the source says more.
import type { Gicv5Config } from '@gictrace/core';
import { KIND, RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { anyIntidClass, DOMAINS, GICV5_TYPES, gicv5Id, gicv5Type } from '@gictrace/core/spec';
import type { OutputFile } from '@gictrace/recorder/output';
import { Follower } from '../timeline/follower.ts';
import { ExportClock } from './clock.ts';
import type { ExportSource, ExportSummary } from './source.ts';
import { changesOf, introduce, runs, wireKey } from './vcd-common.ts';
import { findSignals } from './vcd-signals.ts';
import { VcdWriter } from './vcd-writer.ts';

const INTID_BITS = 32;
const NO_INTID = 0;
const NON_SECURE = DOMAINS.indexOf('NS');
const UNDECIDED = RECORD_FLAGS.peUndecided | RECORD_FLAGS.undecided;

interface PeSignals {
  readonly irq: number;
  readonly fiq: number;
  readonly nmi: number;
  readonly irs: number;
  readonly ppi: number;
  readonly running: number;
}

export function exportGicv5Vcd(source: ExportSource, config: Gicv5Config, out: OutputFile): ExportSummary {
  const clock = new ExportClock(source.timed);
  const vcd = new VcdWriter(out);
  const { wires: lines } = findSignals(source);
  introduce(vcd, source);
  vcd.comment('x: not recorded, or the source does not say of which PE it is; INTID 0: no interrupt');
  const wires = new Map<string, number>();
  const pes: PeSignals[] = [];
  const declareLines = (pe: number) => {
    for (const { intid } of lines.filter((one) => one.pe === pe).sort((a, b) => a.intid - b.intid))
      wires.set(wireKey(intid, pe), vcd.declare(`${anyIntidClass(intid)}${gicv5Id(intid)}`, 1));
  };
  vcd.scope('gic', () => {
    for (const pe of config.pes.keys())
      vcd.scope(`PE${pe}`, () => {
        pes.push({
          irq: vcd.declare('IRQ', 1),
          fiq: vcd.declare('FIQ', 1),
          nmi: vcd.declare('NMI', 1),
          irs: vcd.declare('irs_hppi_INTID', INTID_BITS),
          ppi: vcd.declare('ppi_hppi_INTID', INTID_BITS),
          running: vcd.declare('running_INTID', INTID_BITS),
        });
        declareLines(pe);
      });
    vcd.scope('wires', () => declareLines(-1));
  });
  const follower = new Follower(config, { lifetime: runs(vcd, pes, NO_INTID) });
  return changesOf(vcd, source, clock, follower, (batch, i) => recorded(vcd, pes, wires, batch, i));
}

/** Writes the changes that a record itself contains. */
function recorded(
  vcd: VcdWriter,
  pes: readonly PeSignals[],
  wires: ReadonlyMap<string, number>,
  batch: RecordBatch,
  i: number,
): void {
  const w = batch.words;
  const at = i * RECORD_WORDS;
  const isUndecided = (batch.flags[i]! & UNDECIDED) !== 0;
  const change = (signal: keyof PeSignals, value: number) => {
    if (isUndecided) for (const pe of pes) vcd.unknown(pe[signal]);
    else if (pes[batch.pe[i]!] !== undefined) vcd.change(pes[batch.pe[i]!]![signal], value);
  };
  switch (batch.kind[i]) {
    case KIND['wire.set']:
      if (isUndecided && gicv5Type(w[at]!) === GICV5_TYPES.PPI) {
        for (const pe of pes.keys()) {
          const line = wires.get(wireKey(w[at]!, pe));
          if (line !== undefined) vcd.unknown(line);
        }
      } else {
        const line = wires.get(wireKey(w[at]!, batch.pe[i]!));
        if (line !== undefined) vcd.change(line, w[at + 1]!);
      }
      return;
    case KIND['irs.hppi']:
      change('irs', w[at + 2]!);
      return;
    case KIND['ppi.hppi']:
      if (w[at] === NON_SECURE) change('ppi', w[at + 2] === 255 ? NO_INTID : w[at + 1]!);
      return;
    case KIND['cpuif.signal']:
      change('irq', w[at]!);
      change('fiq', w[at + 1]!);
      change('nmi', w[at + 2]!);
      return;
    default:
  }
}
