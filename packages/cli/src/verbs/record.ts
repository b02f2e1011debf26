// `gictrace record SCENARIO`: a scenario, done by a design's driver, as a trace.
import { basename } from 'node:path';
import { DESIGNS, FATE_NAMES, FAULT_NAMES, GicTraceError } from '@gictrace/core';
import { libraryScenarios, scenarioNamed } from '@gictrace/recorder';
import { designNamed, recordScenario } from '@gictrace/replayer';
import type { Command } from 'commander';
import { countLines, grouped, json, note, print, VERSION } from '../context.ts';

interface Options {
  readonly on: string;
  readonly output: string;
  readonly json?: boolean;
}

export function addRecord(program: Command): void {
  program
    .command('record')
    .summary('run a scenario through an irqchip driver and record it')
    .description(
      'Runs the operations of a scenario through the driver of a design, on the simulator, and records what driver, devices and PEs did and what the GIC answered. docs/scenarios.md describes the language.',
    )
    .argument('<scenario>', 'the scenario: YAML or JSON, or the name of one that ships (gictrace scenarios)')
    .requiredOption('-o, --output <trace>', 'the trace to write')
    .option('--on <design>', `one of ${Object.keys(DESIGNS).join(', ')}; perhaps with @PROFILE`, 'its')
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  gictrace record storm -o storm.gictrace --on direct-lpi && gictrace replay storm.gictrace\n',
    )
    .action((path: string, options: Options) => {
      const design = designNamed(options.on);
      const scenario = scenarioNamed(path);
      if (scenario === undefined) throw noScenario(path);
      const run = recordScenario(scenario, design, options.output, {
        version: VERSION,
        source: basename(path),
      });
      const operations = Object.fromEntries(run.operations);
      const unsupported = Object.fromEntries([...run.unsupported, ...run.exhausted, ...run.failed]);
      const { fired } = run.deliveries;
      if (options.json) {
        print(
          json({
            scenario: scenario.name,
            design: design.name,
            operations,
            deliveries: run.deliveries,
            unsupported,
          }),
        );
      } else {
        print(`${scenario.name}: ${grouped(scenario.operations.length)} operations on ${design.name}`);
        for (const line of countLines(operations)) print(line);
        if (fired > 0) print(`${grouped(fired)} messages:`);
        const counted = [...FATE_NAMES, ...FAULT_NAMES].filter((name) => run.deliveries[name] > 0);
        const fates = Object.fromEntries(counted.map((name) => [name, run.deliveries[name]]));
        for (const line of countLines(fates)) print(line);
        for (const [why, n] of Object.entries(unsupported)) print(`not done: ${grouped(n)} × ${why}`);
      }
      note(`wrote ${options.output}`);
    });
}

function noScenario(path: string): GicTraceError {
  return new GicTraceError(
    'usage',
    'is no scenario: neither a .yaml or .json file nor the name of one that ships',
    { path },
    `scenarios that ship: ${libraryScenarios().join(', ')}`,
  );
}
