// A trace as a value change dump (IEEE 1364, "Value change dump (VCD) files"), for waveform viewers: what each PE was
// signalled, what it runs, input lines, residency of vPEs. There are two passes; the first finds the signals, and only the
// list of signals is kept in memory.
import type { GicConfig } from '@gictrace/core';
import { KIND, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { intidClass, SPURIOUS } from '@gictrace/core/spec';
import { isGicv5Header } from '@gictrace/recorder';
import type { OutputFile } from '@gictrace/recorder/output';
import { Follower } from '../timeline/follower.ts';
import type { Residency } from '../timeline/observer.ts';
import { ExportClock } from './clock.ts';
import type { ExportSource, ExportSummary } from './source.ts';
import { changesOf, introduce, runs, wireKey } from './vcd-common.ts';
import { exportGicv5Vcd } from './vcd-gicv5.ts';
import { findSignals } from './vcd-signals.ts';
import { VcdWriter } from './vcd-writer.ts';

interface PeSignals {
  readonly irq: number;
  readonly fiq: number;
  readonly hppi: number;
  readonly running: number;
  readonly virtual?: { readonly irq: number; readonly fiq: number };
  readonly vpe?: { readonly resident: number; readonly id: number; readonly table: number };
}

export function exportVcd(source: ExportSource, out: OutputFile): ExportSummary {
  const { header } = source;
  return isGicv5Header(header)
    ? exportGicv5Vcd(source, header.config, out)
    : exportGicv3(source, header.config, out);
}

function exportGicv3(source: ExportSource, config: GicConfig, out: OutputFile): ExportSummary {
  const clock = new ExportClock(source.timed);
  const vcd = new VcdWriter(out);
  const found = findSignals(source);
  introduce(vcd, source);
  vcd.comment('x: not recorded yet; z: none; INTID 1023: no interrupt');
  const { pes, wires } = declare(vcd, config, found);

  const follower = new Follower(config, {
    lifetime: runs(vcd, pes, SPURIOUS),
    residency: (what) => resides(vcd, pes, what),
  });
  return changesOf(vcd, source, clock, follower, (batch, i) => recorded(vcd, pes, wires, batch, i));
}

function declare(vcd: VcdWriter, config: GicConfig, found: ReturnType<typeof findSignals>) {
  const wires = new Map<string, number>();
  const wiresOf = (pe: number) => {
    for (const wire of found.wires.filter((one) => one.pe === pe).sort((a, b) => a.intid - b.intid))
      wires.set(
        wireKey(wire.intid, pe),
        vcd.declare(`${intidClass(wire.intid).replace(' ', '_')}${wire.intid}`, 1),
      );
  };
  const pes: PeSignals[] = [];
  const width = Math.max(config.intidBits, found.intidBits);
  vcd.scope('gic', () => {
    for (const pe of config.pes.keys())
      vcd.scope(`PE${pe}`, () => {
        pes.push({
          irq: vcd.declare('IRQ', 1),
          fiq: vcd.declare('FIQ', 1),
          hppi: vcd.declare('hppi_INTID', width),
          running: vcd.declare('running_INTID', width),
          ...(found.virtual.has(pe)
            ? { virtual: { irq: vcd.declare('vIRQ', 1), fiq: vcd.declare('vFIQ', 1) } }
            : {}),
          ...(found.residency.has(pe)
            ? {
                vpe: {
                  resident: vcd.declare('vPE_resident', 1),
                  id: vcd.declare('vPEID', 16),
                  table: vcd.declare('VPT_addr', 52),
                },
              }
            : {}),
        });
        wiresOf(pe);
      });
    if (found.wires.some(({ pe }) => pe < 0)) vcd.scope('wires', () => wiresOf(-1));
  });
  return { pes, wires };
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
  const kind = batch.kind[i]!;
  if (kind === KIND['wire.set']) {
    const wire = wires.get(wireKey(w[at]!, batch.pe[i]!));
    if (wire !== undefined) vcd.change(wire, w[at + 1]!);
    return;
  }
  const pe = pes[batch.pe[i]!];
  if (pe === undefined) return;
  if (kind === KIND.hppi) {
    vcd.change(pe.hppi, w[at]!);
    vcd.change(pe.fiq, w[at + 3]!);
    vcd.change(pe.irq, w[at + 4]!);
  } else if (kind === KIND.vhppi && pe.virtual !== undefined) {
    vcd.change(pe.virtual.fiq, w[at + 4]!);
    vcd.change(pe.virtual.irq, w[at + 5]!);
  }
}

function resides(vcd: VcdWriter, pes: readonly PeSignals[], what: Residency): void {
  const vpe = pes[what.pe]?.vpe;
  if (vpe === undefined) return;
  vcd.change(vpe.resident, what.resident ? 1 : 0);
  if (!what.resident) {
    vcd.none(vpe.id);
    vcd.none(vpe.table);
    return;
  }
  if (what.vpeid === null) vcd.unknown(vpe.id);
  else vcd.change(vpe.id, what.vpeid);
  vcd.change(vpe.table, what.table);
}
