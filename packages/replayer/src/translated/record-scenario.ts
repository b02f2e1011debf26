// Records a scenario: its operations, done by a design's driver on the simulator, as a trace of the operations, of what
// the driver, devices and PEs did for each, and of what the GIC answered. Each record names the operation it is due to.
import { GicTraceError, VERSION } from '@gictrace/core';
import { type Design, type Operation, pushOperation, type Run, Translation } from '@gictrace/core/irqchip';
import type { Machine } from '@gictrace/core/model';
import { RecordBatch } from '@gictrace/core/record';
import { type Scenario, type TraceHeader, TraceWriter } from '@gictrace/recorder';
import { ofScenario } from './designs.ts';

export interface RecordScenarioOptions {
  /** Version of gictrace that the header names; its own when absent. */
  readonly version?: string | undefined;
  /** Name of the scenario's file, for the header. */
  readonly source: string;
  /** Files that the scenario was read from, which are never written. */
  readonly inputs?: readonly string[];
  /** A file at `output` that gictrace did not write may be replaced. */
  readonly force?: boolean;
  /** Given each machine of the run first: to plant a fault. */
  readonly machine?: (machine: Machine) => void;
  /** Gives up beyond so many records: with a fault, drivers may go on for ever. */
  readonly recordsMax?: number;
}

/** A trace is of one machine, from reset on: migrations are told and not done. */
function losses(operations: readonly Operation[]): { what: string; count: number }[] {
  const count = operations.filter((one) => one.op === 'migrate').length;
  return count === 0 ? [] : [{ what: 'migrations that were told of and not done', count }];
}

/** Writes the trace at `output`. Throws a GicTraceError (`usage`) if it cannot be written. */
export function recordScenario(
  scenario: Scenario,
  asked: Design,
  output: string,
  {
    version = VERSION,
    source,
    machine,
    recordsMax = Number.POSITIVE_INFINITY,
    inputs = [],
    force = false,
  }: RecordScenarioOptions,
): Run {
  const design = ofScenario(asked, scenario);
  const { config } = new Translation(design, scenario.pes, {}, scenario.blocks).run;
  const header: TraceHeader = {
    writer: { name: 'gictrace', version },
    config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: `scenario on ${design.name}`, name: source, provenance: {} },
    losses: losses(scenario.operations),
    seed: scenario.seeds.length === 0 ? null : scenario.seeds.join(','),
    options: { blocks: scenario.blocks },
  };
  const writer = new TraceWriter(output, header, { inputs, force });
  let open = true;
  try {
    /** Record number + 1 of the operation at work. */
    let cause = 0;
    const put = (batch: RecordBatch, i: number) => {
      batch.cause[i] = cause;
      if (writer.records >= recordsMax)
        throw new GicTraceError('backend', `does not end within ${recordsMax} records`);
      writer.record(batch, i);
    };
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
      writer.record(told, 0);
      cause = writer.records;
      translation.take(operation.op === 'migrate' ? { op: 'probe' } : operation);
    }
    const run = translation.finish();
    writer.close({});
    open = false;
    return run;
  } finally {
    if (open) writer.abort();
  }
}
