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
 * Tracks what each PE runs: the last interrupt that it acknowledged among those that it has not ended; `none` if none. It is x
 * where another interrupt was acknowledged later, is not known to have ended, and the source does not say on which PE it is.
 */
export function runs(
  vcd: VcdWriter,
  pes: readonly { readonly running: number }[],
  none: number,
): (step: LifetimeStep, lifetime: Lifetime) => void {
  const stacks: { readonly lifetime: Lifetime; readonly since: number }[][] = pes.map(() => []);
  const places = new Map<Lifetime, number>();
  /** What runs on an unknown PE, and since which acknowledge; 0: none was lost. */
  const somewhere = new Map<Lifetime, number>();
  let lost = 0;
  let acknowledges = 0;
  const show = (pe: number) => {
    const top = stacks[pe]!.at(-1);
    const since = top?.since ?? 0;
    if (lost > since || [...somewhere.values()].some((one) => one > since)) vcd.unknown(pes[pe]!.running);
    else vcd.change(pes[pe]!.running, top?.lifetime.intid ?? none);
  };
  const showAll = () => {
    for (const pe of pes.keys()) show(pe);
  };
  return (step, lifetime) => {
    if (step === 'lost') {
      lost = ++acknowledges;
      showAll();
    } else if (step === 'acknowledged') {
      acknowledges++;
      const stack = stacks[lifetime.pe];
      if (stack === undefined) {
        somewhere.set(lifetime, acknowledges);
        showAll();
        return;
      }
      stack.push({ lifetime, since: acknowledges });
      places.set(lifetime, lifetime.pe);
      show(lifetime.pe);
    } else if (step === 'eoi' || step === 'ended') {
      if (somewhere.delete(lifetime)) showAll();
      const pe = places.get(lifetime);
      if (pe === undefined) return;
      const stack = stacks[pe]!;
      stack.splice(
        stack.findLastIndex((one) => one.lifetime === lifetime),
        1,
      );
      places.delete(lifetime);
      show(pe);
    }
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
