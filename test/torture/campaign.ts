// A campaign: mutants of good traces, logs and scenarios from a seed, each given to every verb. What breaks the promise is
// collected, and kept with the seed that makes it again.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { attempt, type Bench, type Seeds, tryFile } from './attempts.ts';
import { Harness } from './harness.ts';
import { Random } from './random.ts';

export interface Found {
  readonly seed: number;
  readonly source: string;
  readonly what: string;
  readonly line: string;
  readonly fault: string;
}

export interface CampaignOptions {
  readonly folder: string;
  /** The seeds of the inputs: from `first`, `count` of them. */
  readonly first: number;
  readonly count: number;
  /** Tries these files as they are, in place of mutants. */
  readonly files?: readonly string[];
  /** Ends after this many seconds at the latest. */
  readonly seconds?: number;
  /** How much slower this machine is than one that does nothing else. */
  readonly slack?: number;
  /** The share of command lines that are also run as processes of their own. */
  readonly processes?: number;
  /** Where inputs that break the promise are kept. */
  readonly keep?: string;
  readonly heard?: (found: Found) => void;
  readonly progress?: (inputs: number, lines: number) => void;
}

export interface Campaign {
  readonly inputs: number;
  readonly lines: number;
  /** Command lines that were also run as processes of their own. */
  readonly asProcesses: number;
  /** Inputs by their sort. */
  readonly sorts: Readonly<Record<string, number>>;
  /** How often each verb ended with each exit code, and the time of a processor that it took. */
  readonly verbs: Readonly<
    Record<string, { readonly codes: Readonly<Record<string, number>>; readonly ms: number }>
  >;
  readonly slowest: { readonly ms: number; readonly line: string };
  readonly found: readonly Found[];
}

const MAY_REFUSE = / no profile '| more (work|guest memory|LPIs pending) than gictrace /;

export async function campaign(seeds: Seeds, options: CampaignOptions): Promise<Campaign> {
  const { folder, first, count } = options;
  mkdirSync(folder, { recursive: true });
  const harness = new Harness(folder, options.slack ?? 1);
  const verbs: Record<string, { codes: Record<string, number>; ms: number }> = {};
  const sorts: Record<string, number> = {};
  const found: Found[] = [];
  const until = performance.now() + 1000 * (options.seconds ?? Number.POSITIVE_INFINITY);
  let inputs = 0;
  let lines = 0;
  let asProcesses = 0;
  let slowest = { ms: 0, line: '' };
  let input = '';
  let what = '';
  let source = '';
  let seed = first;
  // Which lines run as processes decides nothing else.
  const sample = new Random(first);
  const blame = (words: readonly string[], fault: string) => {
    const one = { seed, source: basename(source), what, line: words.join(' '), fault };
    found.push(one);
    options.heard?.(one);
    if (options.keep !== undefined && statSync(input, { throwIfNoEntry: false })?.isFile()) {
      mkdirSync(options.keep, { recursive: true });
      writeFileSync(join(options.keep, `${seed}-${words[0]}-${basename(input)}`), readFileSync(input));
    }
  };
  /** Runs one line and notes what is wrong with it. */
  const run: Bench['run'] = async ({ words, input: typed }, read = input) => {
    const bytes = statSync(read, { throwIfNoEntry: false })?.size ?? 0;
    const outcome = await harness.run(words, bytes, typed);
    lines++;
    if (outcome.ms > slowest.ms) slowest = { ms: outcome.ms, line: `seed ${seed}: ${words.join(' ')}` };
    const verb = (verbs[words[0]!] ??= { codes: {}, ms: 0 });
    verb.codes[`${outcome.code}`] = (verb.codes[`${outcome.code}`] ?? 0) + 1;
    verb.ms += outcome.ms;
    if (outcome.fault !== undefined) blame(words, outcome.fault);
    else if (sample.chance(options.processes ?? 0)) {
      asProcesses++;
      const differs = harness.asProcess(words, bytes, outcome, typed);
      if (differs !== undefined) blame(words, differs);
    }
    return outcome;
  };
  const bench: Bench = {
    folder,
    seeds,
    out: (suffix) => join(folder, `out${suffix}`),
    run,
    // `import jsonl` runs the model over what `export` wrote without it: it refuses a profile that this version lacks, and what
    // reaches a limit.
    read: async (words, path) => {
      const outcome = await run({ words }, path);
      if (outcome.fault === undefined && outcome.code !== 0 && !MAY_REFUSE.test(outcome.err))
        blame(words, `what was written cannot be read: ${outcome.err}`);
    },
    trying: (...now) => {
      [input, source, what] = now;
    },
  };

  try {
    const { files } = options;
    const last = first + (files?.length ?? count);
    for (; seed < last && performance.now() < until; seed++) {
      inputs++;
      input = source = what = '';
      if (files === undefined) {
        const sort = await attempt(bench, new Random(seed));
        sorts[sort] = (sorts[sort] ?? 0) + 1;
      } else await tryFile(bench, files[seed - first]!, new Random(seed));
      for (const name of readdirSync(folder))
        if (name.startsWith('out')) rmSync(join(folder, name), { recursive: true, force: true });
      options.progress?.(inputs, lines);
    }
  } finally {
    harness.stop();
  }
  return { inputs, lines, asProcesses, sorts, verbs, slowest, found };
}
