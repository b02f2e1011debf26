// Records a scenario: its operations, done by a design's driver on the simulator, as a trace of the operations, of what
// the driver, devices and PEs did for each, and of what the GIC answered. Each record names the operation it is due to.
import {
  type Design,
  GicTraceError,
  type Operation,
  pushOperation,
  RecordBatch,
  type Run,
  Translation,
} from '@gictrace/core';
import { type Scenario, TraceWriter } from '@gictrace/recorder';
import { ofScenario } from './designs.ts';

export interface RecordScenarioOptions {
  /** Version of the tool, and name of the scenario's file, for the header. */
  readonly version: string;
  readonly source: string;
}

/** What a trace cannot tell: it is of one machine, from reset on. */
function refuse(operations: readonly Operation[]): void {
  const migrated = operations.find((one) => one.op === 'migrate' && one.without !== 'nothing');
  if (migrated?.op === 'migrate')
    throw new GicTraceError(
      'usage',
      `the scenario leaves the ${migrated.without} behind in a migration, which a trace of one machine cannot tell`,
      {},
      'gictrace compare runs it',
    );
}

/** Writes the trace at `output`. Throws a GicTraceError (`usage`) if it cannot be written. */
export function recordScenario(
  scenario: Scenario,
  asked: Design,
  output: string,
  { version, source }: RecordScenarioOptions,
): Run {
  refuse(scenario.operations);
  const design = ofScenario(asked, scenario);
  const { config } = new Translation(design, scenario.pes, {}, scenario.blocks).run;
  const writer = new TraceWriter(output, {
    writer: { name: 'gictrace', version },
    config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: `scenario on ${design.name}`, name: source, provenance: {} },
    losses: [],
    seed: scenario.seeds.length === 0 ? null : scenario.seeds.join(','),
    options: { blocks: scenario.blocks },
  });
  let open = true;
  try {
    /** Record number + 1 of the operation at work. */
    let cause = 0;
    const put = (batch: RecordBatch, i: number) => {
      batch.cause[i] = cause;
      writer.record(batch, i);
    };
    const translation = new Translation(
      design,
      scenario.pes,
      { stimulus: (batch) => put(batch, 0), emitted: put },
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
