// gictrace fuzz: stimuli from a seed to the simulator and to a real QEMU, and the first difference in few stimuli.
import { EXIT_CODES, GicTraceError } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import { STIMULI_BELOW } from '@gictrace/core/record';
import { MUTATIONS } from '@gictrace/core/testing';
import { type Difference, type FuzzResult, fuzzQemu, saveRecording } from '@gictrace/replayer/fuzz';
import type { Command } from 'commander';
import { FORCE, grouped, json, print, VERSION, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';
import { isQemu, qemuOptions } from './on-qemu.ts';

interface Options {
  readonly on: string;
  readonly force?: boolean;
  readonly seed: number;
  readonly steps: number;
  readonly seeds: number;
  readonly gic: number;
  readonly pes: number;
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
    .summary('give a real QEMU and the simulator the same random stimuli')
    .description(
      'Makes legal and illegal stimuli from a seed, gives them to the simulator with the profile qemu-virt and to a real QEMU, and shrinks the first difference to a few stimuli. Exit code 0: none; 1: a difference; 3: QEMU failed.',
    )
    .option('--on <backend>', 'qemu, or qemu:COMMAND', 'qemu')
    .option('--seed <n>', 'the first seed', wholeNumber('--seed', 0, 0xffff_ffff), 1)
    .option(
      '--seeds <n>',
      'how many seeds, up to the first difference',
      wholeNumber('--seeds', 1, 1_000_000),
      1,
    )
    .option('--steps <n>', 'stimuli of a seed', wholeNumber('--steps', 1, 1_000_000), 1000)
    .option('--gic <version>', '3 or 4', wholeNumber('--gic', 3, 4), 4)
    .option('--pes <n>', 'PEs', wholeNumber('--pes', 1, 16), 3)
    .option(
      '--wild <n>',
      'one stimulus in so many is anything at all; 0: none',
      wholeNumber('--wild', 0, 1000),
      6,
    )
    .option('--plant <fault>', 'the simulator has this fault, which must be found; list: which there are')
    .option('--no-shrink', 'show what differs as it was found')
    .option(
      '--timeout <seconds>',
      'QEMU has failed if it is silent for so long (20)',
      wholeNumber('--timeout', 1, 86_400),
    )
    .option('-o, --output <trace>', 'write what differs as a trace: the stimuli, and what the simulator does')
    .option('--force', FORCE)
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  gictrace fuzz --on qemu --seed 1 --seeds 100 --steps 1000 -o difference.gictrace\n',
    )
    .action(async (options: Options) => {
      if (options.plant === 'list') {
        print(options.json ? json(mutations()) : mutationsText());
        return;
      }
      if (options.plant !== undefined && MUTATIONS[options.plant]?.onQemu === 'never')
        throw new GicTraceError(
          'usage',
          `'${options.plant}' is about what QEMU's machine does not have`,
          {},
          '--plant list names those that QEMU can tell',
        );
      if (!isQemu(options.on))
        throw new GicTraceError('usage', `cannot fuzz '${options.on}'`, {}, 'give --on qemu');
      const progress = new Progress('runs');
      try {
        const result = await fuzzSeeds(options, (runs) => progress.update(runs));
        progress.end();
        if (options.output !== undefined) saveRecording(result, options.output, VERSION, options.force);
        print(options.json ? json(plain(result)) : fuzzText(result, options.seed, options.seeds));
        exit(result.difference === null ? 0 : result.difference.crash === null ? 1 : EXIT_CODES.backend);
      } finally {
        progress.end();
      }
    });
}

/** Faults that QEMU can tell. */
const mutations = () =>
  Object.entries(MUTATIONS)
    .filter(([, { onQemu }]) => onQemu !== 'never')
    .map(([name, { doc, heading }]) => ({ name, doc, heading }));

const mutationsText = () =>
  mutations()
    .map(({ name, doc, heading }) => `${name}  ${doc} (IHI 0069, "${heading}")`)
    .join('\n');

/** Tries seeds up to the first difference; the result of the last one, with the steps and comparisons of all. */
async function fuzzSeeds(options: Options, progress: (runs: number) => void): Promise<FuzzResult> {
  const { seed, seeds, steps, gic, pes, wild, shrink, on, timeout, plant } = options;
  let runs = 0;
  let before: FuzzResult | undefined;
  for (let n = 0; ; n++) {
    const result = await fuzzQemu({
      ...qemuOptions(on, timeout),
      ...{ seed: (seed + n) >>> 0, steps, gic: gic as 3 | 4, pes, wild, whole: !shrink },
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
  };
}

const total = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);

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

function fuzzText(result: FuzzResult, from: number, seeds: number): string {
  const { seed, steps, difference, compared } = result;
  const which = seeds === 1 ? `seed ${seed}` : `seeds ${from} to ${seed}`;
  if (difference === null)
    return `SAME: ${which}, ${grouped(steps)} stimuli, ${grouped(total(compared))} comparisons, none differs`;
  const { verdict, crash } = difference;
  const lines = linesOf(difference);
  const out = [
    `${crash === null ? 'DIFFERS' : 'QEMU ENDED'}: seed ${seed}, at stimulus ${difference.after}; ${difference.stimuli} stimuli are left of them after ${difference.tests} runs:`,
    ...lines.slice(-LINES_MAX),
  ];
  if (lines.length > LINES_MAX) out.splice(1, 0, `  (${lines.length - LINES_MAX} lines before)`);
  if (crash !== null) out.push(`QEMU: ${crash.message}`);
  if (verdict?.first)
    out.push(`simulator: ${verdict.first.recorded}`, `QEMU:      ${verdict.first.replayed}`);
  return out.join('\n');
}
