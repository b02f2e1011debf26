// A campaign: mutants of good traces, logs and scenarios from a seed, each given to every verb. What breaks the promise is
// collected, and kept with the seed that makes it again.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { VERB_NAMES } from '../../packages/cli/src/verbs.ts';
import { writeAny } from './any.ts';
import { Harness, type Outcome } from './harness.ts';
import { mutate, mutateText } from './mutate.ts';
import { Random } from './random.ts';
import { type Files, OF_TRACES } from './verbs.ts';

export interface Seeds {
  /** Good traces. Their mutants are given to every verb that reads traces. */
  readonly traces: readonly string[];
  /** Good logs, plain, .gz or .xz, with their format. */
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
  /** Exit codes by verb. */
  readonly codes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly slowestMs: number;
  readonly found: readonly Found[];
}

const MAY_REFUSE = / no profile '| more (work|guest memory|LPIs pending) than gictrace /;

/** How the names of logs end, by their formats. */
const END_OF: Readonly<Record<string, string>> = { qemu: '.log', ftrace: '.txt', jsonl: '.jsonl' };

const texts = new Map<string, string>();
function textOf(path: string): string {
  const known = texts.get(path);
  if (known !== undefined) return known;
  const bytes = path.endsWith('.xz')
    ? execFileSync('xz', ['-dc', path], { maxBuffer: 2 ** 28 })
    : readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  texts.set(path, text);
  return text;
}

export async function campaign(seeds: Seeds, options: CampaignOptions): Promise<Campaign> {
  const { folder, first, count } = options;
  mkdirSync(folder, { recursive: true });
  const harness = new Harness(folder, options.slack ?? 1);
  const codes: Record<string, Record<string, number>> = {};
  const found: Found[] = [];
  const until = performance.now() + 1000 * (options.seconds ?? Number.POSITIVE_INFINITY);
  let inputs = 0;
  let lines = 0;
  let asProcesses = 0;
  let slowestMs = 0;
  let input = '';
  let what = '';
  let source = '';
  let seed = first;
  // Which lines run as processes decides nothing else.
  const sample = new Random(first);
  const out = (suffix: string) => join(folder, `out${suffix}`);

  /** Runs one line and notes what is wrong with it. */
  const run = async (words: readonly string[], read = input, typed?: string): Promise<Outcome> => {
    const bytes = statSync(read, { throwIfNoEntry: false })?.size ?? 0;
    const outcome = await harness.run(words, bytes, typed);
    lines++;
    slowestMs = Math.max(slowestMs, outcome.ms);
    const of = (codes[words[0]!] ??= {});
    of[`${outcome.code}`] = (of[`${outcome.code}`] ?? 0) + 1;
    if (outcome.fault !== undefined) blame(words, outcome.fault);
    else if (sample.chance(options.processes ?? 0)) {
      asProcesses++;
      const differs = harness.asProcess(words, bytes, outcome, typed);
      if (differs !== undefined) blame(words, differs);
    }
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
  /** What was written must be readable. Text, which the model runs, may name a profile that this version does not know, as
   * any header may, or reach a limit of the model. */
  const read = async (words: readonly string[], path: string): Promise<void> => {
    const outcome = await run(words, path);
    if (outcome.fault === undefined && outcome.code !== 0 && !MAY_REFUSE.test(outcome.err))
      blame(words, `what was written cannot be read: ${outcome.err}`);
  };
  const everyVerb = async (files: Files) => {
    for (const verb of VERB_NAMES)
      for (const { words, input: typed, writes } of OF_TRACES[verb]?.(files) ?? []) {
        const { code } = await run(words, input, typed);
        if (
          writes !== undefined &&
          code !== undefined &&
          code < 2 &&
          statSync(writes[0], { throwIfNoEntry: false })
        )
          await read(writes[1](writes[0]), writes[0]);
      }
  };

  const tryTrace = (path: string, good: string, random: Random) =>
    everyVerb({ hostile: path, good, out, random });
  const tryLog = async (path: string, format: string, random: Random) => {
    const trace = out('i.gictrace');
    const { code } = await run(['import', format, path, '-o', trace]);
    if (code !== 0) return;
    await read(['info', '--verify', trace], trace);
    if (random.chance(0.2)) await tryTrace(trace, trace, random);
  };
  const tryScenario = async (path: string) => {
    const { code } = await run(['record', path, '-o', out('s.gictrace')]);
    if (code === 0) await read(['info', '--verify', out('s.gictrace')], out('s.gictrace'));
    await run(['compare', path]);
  };
  /** Makes the input of a seed, and tries it. */
  const tryMutant = async (random: Random) => {
    const sort = random.below(10);
    if (sort < 1) {
      source = 'none';
      input = join(folder, 'in.gictrace');
      what = writeAny(input, random);
      await tryTrace(input, seeds.traces[0]!, random);
    } else if (sort < 7 || seeds.logs.length === 0) {
      source = random.pick(seeds.traces);
      const mutant = mutate(readFileSync(source), random);
      what = mutant.what;
      input = join(folder, 'in.gictrace');
      writeFileSync(input, mutant.bytes);
      await tryTrace(input, source, random);
    } else if (sort < 9 || seeds.scenarios.length === 0) {
      const { path, format } = random.pick(seeds.logs);
      source = path;
      what = `a ${format} log`;
      input = join(folder, `in${END_OF[format]}`);
      writeFileSync(input, mutateText(textOf(path), random), 'latin1');
      await tryLog(input, format, random);
    } else {
      source = random.pick(seeds.scenarios);
      what = 'a scenario';
      input = join(folder, 'in.yaml');
      writeFileSync(input, mutateText(textOf(source), random), 'latin1');
      await tryScenario(input);
    }
  };
  /** Tries a file as it is. */
  const tryFile = async (path: string, random: Random) => {
    source = input = path;
    what = 'as it is';
    const format = Object.entries(END_OF).find(([, end]) => path.endsWith(end))?.[0];
    if (format !== undefined) await tryLog(path, format, random);
    else if (path.endsWith('.yaml')) await tryScenario(path);
    else await tryTrace(path, seeds.traces[0] ?? path, random);
  };

  try {
    const { files } = options;
    const last = first + (files?.length ?? count);
    for (; seed < last && performance.now() < until; seed++) {
      inputs++;
      if (files === undefined) await tryMutant(new Random(seed));
      else await tryFile(files[seed - first]!, new Random(seed));
      for (const name of readdirSync(folder))
        if (name.startsWith('out')) rmSync(join(folder, name), { recursive: true, force: true });
      options.progress?.(inputs, lines);
    }
  } finally {
    harness.stop();
  }
  return { inputs, lines, asProcesses, codes, slowestMs, found };
}
