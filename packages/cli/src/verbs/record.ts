// `gictrace record SCENARIO`: runs a scenario through a design's driver and records a trace. `gictrace record qemu`:
// records a running QEMU. `gictrace record kvm`: records the KVM of this host.
import { basename } from 'node:path';
import { EXIT_CODES, GicTraceError } from '@gictrace/core';
import { DESIGNS, FAULT_NAMES, OUTCOME_NAMES } from '@gictrace/core/irqchip';
import { type LiveReport, libraryScenarios, recordQemu, scenarioNamed } from '@gictrace/recorder';
import { designNamed, recordScenario } from '@gictrace/replayer';
import type { Command } from 'commander';
import { countLines, FORCE, grouped, json, note, print, VERSION, wholeNumber } from '../context.ts';
import { ownSignals } from '../interrupt.ts';
import { Progress } from '../progress.ts';
import { type KvmOptions, recordKvmVerb } from './record-kvm.ts';
import { sourceLines } from './source-text.ts';

interface Options extends KvmOptions {
  readonly on: string;
  readonly memory: boolean;
}

/** The word that stands for a QEMU in place of a scenario. */
const QEMU = 'qemu';
/** The word that stands for KVM. */
const KVM = 'kvm';

export function addRecord(program: Command, exit: (code: number) => void): void {
  program
    .command('record')
    .summary('record a scenario run by an irqchip driver, or a QEMU or KVM while it runs')
    .description(
      'Runs the operations of a scenario through the driver of a design, on the simulator, and records what driver, devices and PEs did and what the GIC answered. docs/scenarios.md describes the language. With the word qemu in place of a scenario and a QEMU command after --, runs that QEMU without touching its console, and records its GIC until it ends or is interrupted. With the word kvm, records what the GIC of KVM guests on this arm64 host is given (docs/kvm.md), while a command after -- runs or until it is interrupted.',
    )
    .argument(
      '<scenario>',
      'the scenario: a YAML or JSON file, or the name of one that ships (gictrace scenarios); or qemu; or kvm',
    )
    .argument('[command...]', 'for qemu: its command line; for kvm: what to run meanwhile')
    .requiredOption('-o, --output <trace>', 'the trace to write')
    .option('--force', FORCE)
    .option('--on <design>', `one of ${Object.keys(DESIGNS).join(', ')}; optionally with @PROFILE`, 'its')
    .option('--no-memory', 'for qemu: leave guest memory out, and infer what it contained')
    .option('--vm <pid or name>', 'for kvm: the virtual machine, if several run')
    .option('--plain', 'for kvm: tracepoints alone, without probes')
    .option(
      '--buffer-kib <n>',
      'for kvm: the ring buffer of each CPU (8192)',
      wholeNumber('--buffer-kib', 4, 1 << 20),
    )
    .option('--script', 'for kvm: write the shell script that records, for a host without gictrace')
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  gictrace record storm -o storm.gictrace --on direct-lpi && gictrace replay storm.gictrace\n  gictrace record qemu -o boot.gictrace -- qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a57 -nographic -kernel vmlinuz\n  gictrace record kvm -o guest.gictrace --vm 4711\n',
    )
    .action(async (path: string, command: readonly string[], options: Options) => {
      if (path === QEMU) {
        exit(await live(command, options));
        return;
      }
      if (path === KVM) {
        exit(await recordKvmVerb(command, options));
        return;
      }
      if (command.length > 0) throw tooMuch(command);
      const design = designNamed(options.on);
      const scenario = scenarioNamed(path);
      if (scenario === undefined) throw noScenario(path);
      const run = recordScenario(scenario, design, options.output, {
        version: VERSION,
        source: basename(path),
        inputs: [path],
        force: options.force === true,
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
        const counted = [...OUTCOME_NAMES, ...FAULT_NAMES].filter((name) => run.deliveries[name] > 0);
        const outcomes = Object.fromEntries(counted.map((name) => [name, run.deliveries[name]]));
        for (const line of countLines(outcomes)) print(line);
        for (const [why, n] of Object.entries(unsupported)) print(`not done: ${grouped(n)} × ${why}`);
      }
      note(`wrote ${options.output}`);
    });
}

function tooMuch(command: readonly string[]): GicTraceError {
  return new GicTraceError(
    'usage',
    `a scenario takes no command ('${command[0]}')`,
    {},
    'gictrace record qemu -o TRACE -- COMMAND records a QEMU',
  );
}

/** Records a QEMU. Returns 0 if QEMU exited normally, or because gictrace was told to stop. */
async function live(command: readonly string[], options: Options): Promise<number> {
  // The guest's console belongs to the user, so no progress is drawn over it.
  const isShared = process.stdout.isTTY === true;
  const progress = new Progress('lines');
  const report = await ownSignals(() =>
    recordQemu(command, options.output, {
      version: VERSION,
      force: options.force === true,
      guestMemory: options.memory,
      note: (text) => note(text),
      ...(isShared ? {} : { progress: (lines: number) => progress.update(lines) }),
    }),
  ).finally(() => progress.end());
  const { imported, interrupted, guest } = report;
  if (options.json)
    print(
      json({
        trace: options.output,
        ...imported.summary,
        lines: imported.stats.lines,
        config: imported.config,
        losses: imported.stats.losses,
        start: imported.start,
        qemu: { code: report.code, signal: report.signal, interrupted, ...guest },
      }),
    );
  else
    print(
      `${options.output}: ${grouped(imported.summary.records)} records from ${grouped(imported.stats.lines)} lines; ${ending(report)}`,
    );
  if (!options.json)
    for (const line of sourceLines(imported.start, imported.missing)) print(`the recording ${line}`);
  note(`wrote ${options.output}`);
  if (interrupted || report.code === 0) return 0;
  note(`QEMU ${ending(report)}: what it did until then has been recorded`);
  return EXIT_CODES.backend;
}

function ending({ code, signal, interrupted, guest }: LiveReport): string {
  if (interrupted) return 'interrupted';
  const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
  return guest.ended === null ? how : `${how} (${guest.ended})`;
}

function noScenario(path: string): GicTraceError {
  return new GicTraceError(
    'usage',
    'is not a scenario: neither a .yaml or .json file nor the name of a scenario that ships',
    { path },
    `scenarios that ship: ${libraryScenarios().join(', ')}`,
  );
}
