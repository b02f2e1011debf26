// What the value change dumps of all GICs share.
import type { RecordBatch } from '@gictrace/core/record';
import type { Follower } from '../timeline/follower.ts';
import type { Lifetime, LifetimeStep } from '../timeline/lifetimes.ts';
import type { ExportClock } from './clock.ts';
import type { ExportSource, ExportSummary } from './source.ts';
import type { VcdWriter } from './vcd-writer.ts';

/** Says what the dump was made from, and what its times are. */
export function introduce(vcd: VcdWriter, { name, header, timed }: ExportSource): void {
  vcd.comment(`gictrace export of ${name}, from ${header.source.name} (${header.source.kind})`);
  vcd.comment(
    timed
      ? 'times are those of the source, in nanoseconds since the trace began'
      : 'the source contains no times: the time is the number of the record, not nanoseconds',
  );
}

/** The key of an input line. SPIs belong to no PE. */
export function wireKey(intid: number, pe: number): string {
  return `${pe}.${intid}`;
}

/**
 * Tracks what each PE runs: the last interrupt that it acknowledged among those that it has not ended; `none` if none.
 * `showsUndecided`: it is x for all PEs while an interrupt is handled of which the source does not say where.
 */
export function runs(
  vcd: VcdWriter,
  pes: readonly { readonly running: number }[],
  none: number,
  showsUndecided = false,
): (step: LifetimeStep, lifetime: Lifetime) => void {
  const stacks: Lifetime[][] = pes.map(() => []);
  const places = new Map<Lifetime, number>();
  const somewhere = new Set<Lifetime>();
  const show = (pe: number) => {
    if (somewhere.size > 0) vcd.unknown(pes[pe]!.running);
    else vcd.change(pes[pe]!.running, stacks[pe]!.at(-1)?.intid ?? none);
  };
  return (step, lifetime) => {
    if (step === 'acknowledged') {
      if (showsUndecided && lifetime.pe < 0) {
        somewhere.add(lifetime);
        for (const pe of pes.keys()) show(pe);
      }
      if (stacks[lifetime.pe] === undefined) return;
      stacks[lifetime.pe]!.push(lifetime);
      places.set(lifetime, lifetime.pe);
    } else if (step !== 'eoi' && step !== 'ended') return;
    if (step !== 'acknowledged' && somewhere.delete(lifetime)) for (const pe of pes.keys()) show(pe);
    const pe = places.get(lifetime);
    if (pe === undefined) return;
    const stack = stacks[pe]!;
    if (step !== 'acknowledged') {
      stack.splice(stack.lastIndexOf(lifetime), 1);
      places.delete(lifetime);
    }
    show(pe);
  };
}

/** Writes what changes with each record: what the follower finds, and then what the record itself contains. */
export function changesOf(
  vcd: VcdWriter,
  source: ExportSource,
  clock: ExportClock,
  follower: Follower,
  contained: (batch: RecordBatch, i: number) => void,
): ExportSummary {
  let records = 0;
  vcd.begin();
  for (const { batch, first } of source.batches())
    for (let i = 0; i < batch.count; i++, records++) {
      vcd.at(clock.at(first + i, batch.timeNs[i]!));
      follower.take(batch, first, i);
      contained(batch, i);
    }
  follower.finish();
  vcd.finish();
  const { signals, changes } = vcd;
  return {
    records,
    time: clock.unit,
    untimed: clock.untimed,
    late: clock.late,
    wrote: { signals, changes },
  };
}
