// A campaign: mutants of good traces, logs and scenarios from a seed, each given to every verb. What breaks the promise is
// collected, and kept with the seed that makes it again.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { VERB_NAMES } from '../../packages/cli/src/verbs.ts';
import { Harness, type Outcome } from './harness.ts';
import { mutate, mutateText } from './mutate.ts';
import { Random } from './random.ts';
import { type Files, OF_TRACES } from './verbs.ts';

export interface Seeds {
  /** Good traces. Their mutants are given to every verb that reads traces. */
  readonly traces: readonly string[];
  /** Good logs, plain or .gz, with their format. */
  readonly logs: readonly { readonly path: string; readonly format: string }[];
  readonly scenarios: readonly string[];
}

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
  /** Ends after this many seconds at the latest. */
  readonly seconds?: number;
  /** How much slower this machine is than one that does nothing else. */
  readonly slack?: number;
  /** Where inputs that break the promise are kept. */
  readonly keep?: string;
  readonly heard?: (found: Found) => void;
  readonly progress?: (inputs: number, lines: number) => void;
}

export interface Campaign {
  readonly inputs: number;
  readonly lines: number;
  /** Exit codes by verb. */
  readonly codes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly slowestMs: number;
  readonly found: readonly Found[];
}

const textOf = (path: string) => {
  const bytes = readFileSync(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
};

export async function campaign(seeds: Seeds, options: CampaignOptions): Promise<Campaign> {
  const { folder, first, count } = options;
  mkdirSync(folder, { recursive: true });
  const harness = new Harness(folder, options.slack ?? 1);
  const codes: Record<string, Record<string, number>> = {};
  const found: Found[] = [];
  const until = performance.now() + 1000 * (options.seconds ?? Number.POSITIVE_INFINITY);
  let inputs = 0;
  let lines = 0;
  let slowestMs = 0;
  let input = '';
  let what = '';
  let source = '';
  let seed = first;
  const out = (suffix: string) => join(folder, `out${suffix}`);

  /** Runs one line and notes what is wrong with it. */
  const run = async (words: readonly string[], read = input): Promise<Outcome> => {
    const outcome = await harness.run(words, statSync(read, { throwIfNoEntry: false })?.size ?? 0);
    lines++;
    slowestMs = Math.max(slowestMs, outcome.ms);
    const of = (codes[words[0]!] ??= {});
    of[`${outcome.code}`] = (of[`${outcome.code}`] ?? 0) + 1;
    if (outcome.fault !== undefined) blame(words, outcome.fault);
    return outcome;
  };
  const blame = (words: readonly string[], fault: string) => {
    const one = { seed, source: basename(source), what, line: words.join(' '), fault };
    found.push(one);
    options.heard?.(one);
    if (options.keep !== undefined) {
      mkdirSync(options.keep, { recursive: true });
      writeFileSync(join(options.keep, `${seed}-${words[0]}-${basename(input)}`), readFileSync(input));
    }
  };
  /** What was written must be readable. */
  const read = async (words: readonly string[], path: string, mayRefuse = false): Promise<void> => {
    const outcome = await run(words, path);
    if (outcome.fault === undefined && outcome.code !== 0 && !(mayRefuse && outcome.code === 2))
      blame(words, `what was written cannot be read: ${outcome.err}`);
  };
  const everyVerb = async (files: Files) => {
    for (const verb of VERB_NAMES)
      for (const { words, writes, mayRefuse } of OF_TRACES[verb]?.(files) ?? []) {
        const { code } = await run(words);
        if (
          writes !== undefined &&
          code !== undefined &&
          code < 2 &&
          statSync(writes[0], { throwIfNoEntry: false })
        )
          await read(writes[1](writes[0]), writes[0], mayRefuse === true);
      }
  };

  try {
    for (; seed < first + count && performance.now() < until; seed++) {
      const random = new Random(seed);
      const sort = random.below(10);
      inputs++;
      if (sort < 7 || seeds.logs.length === 0) {
        source = random.pick(seeds.traces);
        const mutant = mutate(readFileSync(source), random);
        what = mutant.what;
        input = join(folder, 'in.gictrace');
        writeFileSync(input, mutant.bytes);
        await everyVerb({ hostile: input, good: source, out });
      } else if (sort < 9 || seeds.scenarios.length === 0) {
        const { path, format } = random.pick(seeds.logs);
        source = path;
        what = `a ${format} log`;
        input = join(folder, 'in.log');
        writeFileSync(input, mutateText(textOf(path), random), 'latin1');
        const trace = out('i.gictrace');
        const { code } = await run(['import', format, input, '-o', trace]);
        if (code === 0) {
          await read(['info', '--verify', trace], trace);
          if (random.chance(0.2)) await everyVerb({ hostile: trace, good: trace, out });
        }
      } else {
        source = random.pick(seeds.scenarios);
        what = 'a scenario';
        input = join(folder, 'in.yaml');
        writeFileSync(input, mutateText(textOf(source), random), 'latin1');
        const { code } = await run(['record', input, '-o', out('s.gictrace')]);
        if (code === 0) await read(['info', '--verify', out('s.gictrace')], out('s.gictrace'));
        await run(['compare', input]);
      }
      for (const name of readdirSync(folder))
        if (name.startsWith('out')) rmSync(join(folder, name), { recursive: true, force: true });
      options.progress?.(inputs, lines);
    }
  } finally {
    harness.stop();
  }
  return { inputs, lines, codes, slowestMs, found };
}
