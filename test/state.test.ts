// The three properties of the event-sourced model, on real recordings: state is the fold of the events; a snapshot
// restored at any record goes on as the straight run does; the same stimuli give the same state.
import { type EventSink, fold, GicState, Machine, step } from '@gictrace/core/model';
import { RecordBatch, STIMULI_BELOW } from '@gictrace/core/record';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allBatches, imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

describe.each(['its-trigger', 'linux-gicv3-plugin-head', 'linux-gicv3-spi-head'])('%s', (name) => {
  let trace: ReturnType<typeof allBatches>;
  beforeAll(async () => {
    const path = temp.path(name);
    await imported(recording(`${name}.log.gz`), path);
    trace = allBatches(path);
    trace.reader.close();
  });

  const run = (machine: Machine, from: number, to: number) => {
    let record = 0;
    for (const batch of trace.batches)
      for (let i = 0; i < batch.count; i++, record++)
        if (record >= from && record < to && batch.kind[i]! < STIMULI_BELOW) step(machine, batch, i);
  };
  const total = () => trace.batches.reduce((sum, batch) => sum + batch.count, 0);

  it('folding the events over an empty state gives the state of the run', () => {
    const machine = new Machine(trace.reader.header.config);
    const folded = new GicState(trace.reader.header.config);
    const batch = new RecordBatch(1024);
    const drain = () => {
      fold(folded, batch);
      batch.clear();
    };
    const sink: EventSink = { batch, events: true, full: drain };
    machine.sink = sink;
    run(machine, 0, total());
    drain();
    expect(folded.digest()).toBe(machine.state.digest());
    expect(folded.digest()).not.toBe(new GicState(trace.reader.header.config).digest());
  });

  it('snapshot, restore and continue equals the straight run, at any record', () => {
    const straight = new Machine(trace.reader.header.config);
    run(straight, 0, total());
    const end = straight.state.digest();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: total() }), (at) => {
        const before = new Machine(trace.reader.header.config);
        run(before, 0, at);
        const after = new Machine(trace.reader.header.config);
        after.state.restore(before.state.save());
        after.invalidate();
        expect(after.state.digest()).toBe(before.state.digest());
        run(after, at, total());
        expect(after.state.digest()).toBe(end);
      }),
      { numRuns: 12, seed: 1 },
    );
  });
});
