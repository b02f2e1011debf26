// gictrace fuzz: runs stimuli from a seed on the simulator and on QEMU or KVM, and shrinks the first difference.
import { EXIT_CODES, GicTraceError } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import { STIMULI_BELOW, totalOf } from '@gictrace/core/record';
import { MUTATIONS } from '@gictrace/core/testing';
import {
  type Difference,
  type FuzzResult,
  type FuzzTarget,
  fuzz,
  kvmTarget,
  qemuTarget,
  saveRecording,
} from '@gictrace/replayer/fuzz';
import type { Command } from 'commander';
import { countLines, FORCE, grouped, json, print, VERSION, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';
import { fuzzOnGicv5, gicv5Faults } from './fuzz-gicv5.ts';
import { isKvm, kvmCommand } from './on-kvm.ts';
import { isQemu, qemuOptions } from './on-qemu.ts';

export interface FuzzVerbOptions {
  readonly on: string;
  readonly force?: boolean;
  readonly seed: number;
  readonly steps: number;
  readonly seeds: number;
  readonly gic?: number;
  readonly pes: number;
  readonly security: number;
  readonly wild: number;
  readonly plant?: string;
  readonly timeout?: number;
  readonly output?: string;
  readonly shrink: boolean;
  readonly json?: boolean;
}

const LINES_MAX = 120;

export function addFuzz(program: Command, exit: (code: number) => void): void {
  program
    .command('fuzz')
    .summary('compare a real QEMU or KVM and the simulator with random stimuli')
    .description(
      'Makes legal and illegal stimuli from a seed, runs them on the simulator with the profile of that QEMU or of KVM and on QEMU or KVM itself, and shrinks the first difference to a few stimuli. Exit code 0: no difference; 1: a difference; 3: QEMU or KVM failed.',
    )
    .option('--on <backend>', 'qemu, or qemu:COMMAND; kvm, or kvm:COMMAND', 'qemu')
    .option('--seed <n>', 'the first seed', wholeNumber('--seed', 0, 0xffff_ffff), 1)
    .option(
      '--seeds <n>',
      'number of seeds; stops at the first difference',
      wholeNumber('--seeds', 1, 1_000_000),
      1,
    )
    .option('--steps <n>', 'stimuli per seed', wholeNumber('--steps', 1, 1_000_000), 1000)
    .option('--gic <version>', '3, 4 or 5 (QEMU: 4; KVM has 3)', wholeNumber('--gic', 3, 5))
    .option('--pes <n>', 'PEs', wholeNumber('--pes', 1, 16), 3)
    .option('--security <n>', 'Security states: 1 or 2', wholeNumber('--security', 1, 2), 1)
    .option(
      '--wild <n>',
      'one stimulus in this many is arbitrary, legal or not; 0: none',
      wholeNumber('--wild', 0, 1000),
      6,
    )
    .option('--plant <fault>', 'plant this fault into the simulator, to see it found; list prints the faults')
    .option('--no-shrink', 'print the difference as it was found, without shrinking it')
    .option(
      '--timeout <seconds>',
      'QEMU (20) or KVM (60) has failed if it sends nothing for this long',
      wholeNumber('--timeout', 1, 86_400),
    )
    .option(
      '-o, --output <trace>',
      'write the difference as a trace: the stimuli, and what the simulator does',
    )
    .option('--force', FORCE)
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  gictrace fuzz --on qemu --seed 1 --seeds 100 --steps 1000 -o difference.gictrace\n  gictrace fuzz --on kvm --seeds 200 --steps 1000\n  gictrace fuzz --on qemu:/opt/qemu-11.1/qemu-system-aarch64 --gic 5 --seeds 100 --steps 5000\n',
    )
    .action(async (options: FuzzVerbOptions) => {
      if (options.plant === 'list') {
        if (options.gic === 5) print(gicv5Faults(options.json === true));
        else print(options.json ? json(mutations()) : mutationsText());
        return;
      }
      if (options.gic === 5) {
        await fuzzOnGicv5(options, exit);
        return;
      }
      if (options.plant !== undefined && MUTATIONS[options.plant]?.onQemu === 'never')
        throw new GicTraceError(
          'usage',
          `'${options.plant}' concerns hardware that QEMU's machine does not have`,
          {},
          '--plant list prints the faults that QEMU can reveal',
        );
      if (options.plant !== undefined && (MUTATIONS[options.plant]?.securityStates ?? 1) > options.security)
        throw new GicTraceError(
          'usage',
          `'${options.plant}' shows with two Security states only`,
          {},
          'add --security 2',
        );
      const target = await targetOf(options);
      const progress = new Progress('runs');
      try {
        const result = await fuzzSeeds(target, options, (runs) => progress.update(runs));
        progress.end();
        if (options.output !== undefined) saveRecording(result, options.output, VERSION, options.force);
        print(
          options.json ? json(plain(result)) : fuzzText(result, target.name, options.seed, options.seeds),
        );
        exit(result.difference === null ? 0 : result.difference.crash === null ? 1 : EXIT_CODES.backend);
      } finally {
        progress.end();
        await target.close();
      }
    });
}

/** What is fuzzed. @throws GicTraceError `usage` if there is no such thing, `backend` if it is not there. */
async function targetOf({ on, timeout, gic, pes, security }: FuzzVerbOptions): Promise<FuzzTarget> {
  if (isQemu(on))
    return qemuTarget({
      ...qemuOptions(on, timeout),
      gic: (gic ?? 4) as 3 | 4,
      pes,
      security: security as 1 | 2,
    });
  if (!isKvm(on)) throw new GicTraceError('usage', `cannot fuzz '${on}'`, {}, 'give --on qemu or --on kvm');
  if (gic === 4 || security === 2)
    throw new GicTraceError(
      'usage',
      "KVM's GIC is a GICv3 with one Security state",
      {},
      'leave --gic and --security out',
    );
  return kvmTarget({ command: kvmCommand(on), version: VERSION, timeoutMs: 1000 * (timeout ?? 60), pes });
}

/** Faults that a comparison with QEMU can reveal. */
const mutations = () =>
  Object.entries(MUTATIONS)
    .filter(([, { onQemu }]) => onQemu !== 'never')
    .map(([name, { doc, heading }]) => ({ name, doc, heading }));

const mutationsText = () =>
  mutations()
    .map(({ name, doc, heading }) => `${name}  ${doc} (IHI 0069, "${heading}")`)
    .join('\n');

/** Tries seeds up to the first difference. Returns the result of the last seed, with the steps and comparisons of all. */
async function fuzzSeeds(
  target: FuzzTarget,
  options: FuzzVerbOptions,
  progress: (runs: number) => void,
): Promise<FuzzResult> {
  const { seed, seeds, steps, security, wild, shrink, plant } = options;
  let runs = 0;
  let before: FuzzResult | undefined;
  for (let n = 0; ; n++) {
    const result = await fuzz(target, {
      ...{ seed: (seed + n) >>> 0, steps, twoStates: security === 2, wild, whole: !shrink },
      ...(plant === undefined ? {} : { plant }),
      progress: () => progress(++runs),
    });
    progress(++runs);
    const all = before === undefined ? result : added(before, result);
    if (result.difference !== null || n === seeds - 1) return all;
    before = all;
  }
}

function added(a: FuzzResult, b: FuzzResult): FuzzResult {
  const sum = (x: Readonly<Record<string, number>>, y: Readonly<Record<string, number>>) => {
    const out: Record<string, number> = { ...x };
    for (const [name, n] of Object.entries(y)) out[name] = (out[name] ?? 0) + n;
    return out;
  };
  return {
    ...b,
    steps: a.steps + b.steps,
    compared: sum(a.compared, b.compared),
    skipped: sum(a.skipped, b.skipped),
    leftOut: sum(a.leftOut, b.leftOut),
    implementationChoices: sum(a.implementationChoices, b.implementationChoices),
  };
}

/** The stimuli of a difference, and what the simulator does with them, decoded. */
function linesOf({ recording }: Difference): string[] {
  return recording.batches.flatMap((batch) =>
    Array.from(
      { length: batch.count },
      (_, i) => `${batch.kind[i]! < STIMULI_BELOW ? '  ' : '      '}${recordText(batch, i)}`,
    ),
  );
}

function plain({ difference, ...rest }: FuzzResult): object {
  if (difference === null) return { ...rest, difference };
  const { recording: _recording, crash, ...found } = difference;
  return {
    ...rest,
    difference: {
      ...found,
      crash: crash?.message ?? null,
      records: linesOf(difference).map((text) => text.trim()),
    },
  };
}

function fuzzText(result: FuzzResult, name: string, from: number, seeds: number): string {
  const { seed, steps, difference, compared, leftOut, implementationChoices } = result;
  const which = seeds === 1 ? `seed ${seed}` : `seeds ${from} to ${seed}`;
  if (difference === null)
    return [
      `SAME: ${which}, ${grouped(steps)} stimuli, ${grouped(totalOf(compared))} comparisons, none differs`,
      ...(totalOf(implementationChoices) === 0
        ? []
        : ['implementation-choice:', ...countLines(implementationChoices)]),
      ...(totalOf(leftOut) === 0
        ? []
        : [
            `left out, and not among the stimuli, as ${name} cannot be judged by them:`,
            ...countLines(leftOut),
          ]),
    ].join('\n');
  const { verdict, crash } = difference;
  const lines = linesOf(difference);
  const out = [
    `${crash === null ? 'DIFFERS' : `${name} ENDED`}: seed ${seed}, at stimulus ${difference.after}; ${difference.stimuli} stimuli are left after shrinking in ${difference.tests} runs:`,
    ...lines.slice(-LINES_MAX),
  ];
  if (lines.length > LINES_MAX) out.splice(1, 0, `  (${lines.length - LINES_MAX} lines before)`);
  if (crash !== null) out.push(`${name}: ${crash.message}`);
  if (verdict?.first)
    out.push(`simulator: ${verdict.first.recorded}`, `${`${name}:`.padEnd(10)} ${verdict.first.replayed}`);
  return out.join('\n');
}
