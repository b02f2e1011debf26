// Records a scenario: its operations, done by a design's driver on the simulator, as a trace of what the driver,
// devices and PEs did and of what the GIC answered.
import { type Design, type Run, Translation } from '@gictrace/core';
import { type Scenario, TraceWriter } from '@gictrace/recorder';

export interface RecordScenarioOptions {
  /** Version of the tool, and name of the scenario's file, for the header. */
  readonly version: string;
  readonly source: string;
}

/** Writes the trace at `output`. Throws a GicTraceError (`usage`) if it cannot be written. */
export function recordScenario(
  scenario: Scenario,
  design: Design,
  output: string,
  { version, source }: RecordScenarioOptions,
): Run {
  const config = new Translation(design, scenario.pes).run.config;
  const writer = new TraceWriter(output, {
    writer: { name: 'gictrace', version },
    config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: `scenario on ${design.name}`, name: source, provenance: {} },
    losses: [],
    seed: scenario.seeds.length === 0 ? null : scenario.seeds.join(','),
    options: {},
  });
  let open = true;
  try {
    const translation = new Translation(design, scenario.pes, {
      stimulus: (batch) => writer.record(batch, 0),
      emitted: (batch, i) => writer.record(batch, i),
    });
    for (const operation of scenario.operations) translation.take(operation);
    const run = translation.finish();
    writer.close({});
    open = false;
    return run;
  } finally {
    if (open) writer.abort();
  }
}
