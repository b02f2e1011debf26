// Records a scenario that a design's driver runs on the simulator, as a trace.
import { GicTraceError, VERSION } from '@gictrace/core';
import type { Design, Run } from '@gictrace/core/irqchip';
import type { Machine } from '@gictrace/core/model';
import { type AnyTraceHeader, type Scenario, TraceWriter } from '@gictrace/recorder';
import { scenarioRecords } from './scenario-records.ts';

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
  let writer: TraceWriter | undefined;
  let open = true;
  try {
    const run = scenarioRecords(scenario, asked, {
      machine,
      begin: (design, config) => {
        const header = {
          writer: { name: 'gictrace', version },
          config,
          clock: { name: 'none', unitNs: 1 },
          source: { kind: `scenario on ${design.name}`, name: source, provenance: {} },
          losses: [],
          seed: scenario.seeds.length === 0 ? null : scenario.seeds.join(','),
          options: { blocks: scenario.blocks },
        } as AnyTraceHeader;
        writer = new TraceWriter(output, header, { inputs, force });
      },
      record: (batch, i) => {
        if (writer!.records >= recordsMax)
          throw new GicTraceError('backend', `does not end within ${recordsMax} records`);
        writer!.record(batch, i);
      },
    });
    writer!.close({});
    open = false;
    return run;
  } finally {
    if (open) writer?.abort();
  }
}
