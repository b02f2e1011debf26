// A scenario that a design's driver runs on the simulator, as records: each operation, and what the driver, devices and PEs
// did for it, and what the GIC answered, each of which names the operation that caused it.
import { type Design, pushOperation, type Run, Translation } from '@gictrace/core/irqchip';
import type { Machine } from '@gictrace/core/model';
import { RecordBatch } from '@gictrace/core/record';
import type { Scenario } from '@gictrace/recorder';
import { ofScenario } from './designs.ts';

export interface ScenarioSink {
  /** Called first. */
  begin(design: Design, config: Run['config']): void;
  /** Takes record `i` of a batch that is reused after the call. */
  record(batch: RecordBatch, i: number): void;
  /** Called with each machine of the run first, to plant a fault. */
  readonly machine?: ((machine: Machine) => void) | undefined;
}

/** Runs a scenario on a design and hands on the records. */
export function scenarioRecords(scenario: Scenario, asked: Design, sink: ScenarioSink): Run {
  const design = ofScenario(asked, scenario);
  const { config } = new Translation(design, scenario.pes, {}, scenario.blocks).run;
  sink.begin(design, config);
  let records = 0;
  /** Record number + 1 of the current operation. */
  let cause = 0;
  const put = (batch: RecordBatch, i: number) => {
    batch.cause[i] = cause;
    sink.record(batch, i);
    records++;
  };
  const { machine } = sink;
  const translation = new Translation(
    design,
    scenario.pes,
    { stimulus: (batch) => put(batch, 0), emitted: put, ...(machine === undefined ? {} : { machine }) },
    scenario.blocks,
  );
  const told = new RecordBatch(1);
  for (const operation of scenario.operations) {
    told.clear();
    pushOperation(told, operation);
    sink.record(told, 0);
    cause = ++records;
    translation.take(operation);
  }
  return translation.finish();
}
