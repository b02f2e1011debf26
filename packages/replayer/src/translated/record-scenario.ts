// Records a scenario that a design's driver runs on the simulator, as a trace of the operations, of what the driver, devices
// and PEs did for each, and of what the GIC answered. Each record names the operation that caused it.
import { GicTraceError, VERSION } from '@gictrace/core';
import { type Design, pushOperation, type Run, Translation } from '@gictrace/core/irqchip';
import type { Machine } from '@gictrace/core/model';
import { RecordBatch } from '@gictrace/core/record';
import { type AnyTraceHeader, type Scenario, TraceWriter } from '@gictrace/recorder';
import { ofScenario } from './designs.ts';

export interface RecordScenarioOptions {
  /** The version that the header names; that of this package if absent. */
  readonly version?: string | undefined;
  /** The name of the scenario's file, for the header. */
  readonly source: string;
  /** The files from which the scenario was read, which are never written. */
  readonly inputs?: readonly string[];
  /** Whether a file at `output` that gictrace did not write may be replaced. */
  readonly force?: boolean;
  /** Called with each machine of the run first, to plant a fault. */
  readonly machine?: (machine: Machine) => void;
  /** The run is given up when it has more records than this, because a fault may make drivers wait for ever. */
  readonly recordsMax?: number;
}

/** Writes the trace to `output`. @throws GicTraceError `usage` if it cannot be written. */
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
  const header = {
    writer: { name: 'gictrace', version },
    config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: `scenario on ${design.name}`, name: source, provenance: {} },
    losses: [],
    seed: scenario.seeds.length === 0 ? null : scenario.seeds.join(','),
    options: { blocks: scenario.blocks },
  } as AnyTraceHeader;
  const writer = new TraceWriter(output, header, { inputs, force });
  let open = true;
  try {
    /** Record number + 1 of the current operation. */
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
      translation.take(operation);
    }
    const run = translation.finish();
    writer.close({});
    open = false;
    return run;
  } finally {
    if (open) writer.abort();
  }
}
