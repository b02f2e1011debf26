// The sorts of hostile inputs: how each is made from a seed, and the command lines that it is given to.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { VERB_NAMES } from '../../packages/cli/src/verbs.ts';
import { writeAny } from './any.ts';
import type { Outcome } from './harness.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import { spoilCases, spoilDatabase, spoilDataset } from './stores.ts';
import { mutateJsonLines, mutateText, mutateYaml, partOf } from './texts.ts';
import {
  CASE_LINES,
  COSTS,
  DATABASE_LINES,
  DATASET_LINES,
  type Files,
  type Line,
  OF_TRACES,
  RULES,
} from './verbs.ts';

export interface Seeds {
  /** Good traces. Their mutants are given to every verb that reads traces. */
  readonly traces: readonly string[];
  /** Good logs, plain, .gz or .xz, with their format. */
  readonly logs: readonly { readonly path: string; readonly format: string }[];
  readonly scenarios: readonly string[];
}

/** What an attempt is made with. */
export interface Bench {
  readonly folder: string;
  readonly seeds: Seeds;
  /** A name for an output. What has such a name is removed after the attempt. */
  readonly out: (suffix: string) => string;
  /** Runs a command line on an input, and judges it. */
  readonly run: (line: Line, read?: string) => Promise<Outcome>;
  /** Runs a command line that has to succeed: what was written must be readable. */
  readonly read: (words: readonly string[], path: string) => Promise<void>;
  /** Says what is tried now: the file, what it was made from, and how. */
  readonly trying: (input: string, source: string, what: string) => void;
}

type Attempt = (bench: Bench, random: Random) => Promise<void>;

/** How the names of logs end, by their formats. */
export const END_OF: Readonly<Record<string, string>> = { qemu: '.log', ftrace: '.txt', jsonl: '.jsonl' };
const FAULTY = fileURLToPath(new URL('../adapters/faulty.mjs', import.meta.url));
const ADAPTER_SECONDS = '5';

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

/** Runs lines, and reads what they write. */
async function runAll({ run, read }: Bench, lines: readonly Line[], input?: string): Promise<void> {
  for (const line of lines) {
    const { code } = await run(line, input);
    const { writes } = line;
    if (writes !== undefined && code !== undefined && code < 2 && existsSync(writes[0]))
      await read(writes[1](writes[0]), writes[0]);
  }
}

async function everyVerb(bench: Bench, hostile: string, good: string, random: Random): Promise<void> {
  const files: Files = { hostile, good, out: bench.out, random };
  for (const verb of VERB_NAMES) await runAll(bench, OF_TRACES[verb]?.(files) ?? []);
}

export async function tryTrace(bench: Bench, path: string, good: string, random: Random): Promise<void> {
  await everyVerb(bench, path, good, random);
}

export async function tryLog(bench: Bench, path: string, format: string, random: Random): Promise<void> {
  const trace = bench.out('i.gictrace');
  const words = ['import', ...(random.chance(0.8) ? [format] : []), path, '-o', trace];
  const { code } = await bench.run({ words });
  if (code !== 0) return;
  await bench.read(['info', '--verify', trace], trace);
  if (random.chance(0.2)) await tryTrace(bench, trace, trace, random);
}

export async function tryScenario(bench: Bench, path: string, random: Random): Promise<void> {
  const trace = bench.out('s.gictrace');
  const { code } = await bench.run({ words: ['record', path, '-o', trace] });
  if (code === 0) await bench.read(['info', '--verify', trace], trace);
  if (random.chance(0.3)) await bench.run({ words: ['compare', path] });
}

/** Traces and other files that are made of the good ones once, when they are first needed. */
class Made {
  private readonly bench: Bench;
  private readonly known = new Map<string, Promise<string>>();
  private readonly folder: string;

  constructor(bench: Bench) {
    this.bench = bench;
    this.folder = join(bench.folder, 'made');
    mkdirSync(this.folder, { recursive: true });
  }

  /** What `words` writes for a name. */
  of(name: string, words: (path: string) => readonly string[]): Promise<string> {
    let made = this.known.get(name);
    if (made === undefined) {
      const path = join(this.folder, name);
      made = this.bench.run({ words: words(path) }).then(() => {
        if (existsSync(path)) return path;
        throw new Error(`not made: ${words(path).join(' ')}`);
      });
      this.known.set(name, made);
    }
    return made;
  }

  /** A good trace: a golden one, or one that a part of a log gives. */
  async trace(random: Random): Promise<string> {
    const { seeds } = this.bench;
    if (seeds.logs.length > 0 && random.chance(0.4)) {
      const { path, format } = random.pick(seeds.logs);
      const log = join(this.folder, `${basename(path)}${END_OF[format]}`);
      if (!existsSync(log)) writeFileSync(log, firstLines(textOf(path)), 'latin1');
      const name = `${basename(path)}.gictrace`;
      return await this.of(name, (out) => ['import', format, log, '-o', out]);
    }
    return random.pick(seeds.traces);
  }

  /** A good database: of a trace, of a comparison of designs, of a diff. */
  database(random: Random): Promise<string> {
    const { traces, scenarios } = this.bench.seeds;
    const trace = traces[random.below(4) * (traces.length >> 2)]!;
    return random.pick([
      () => this.of(`${basename(trace)}.db`, (out) => ['load', trace, '-o', out]),
      () => this.of(`${basename(trace)}.db`, (out) => ['load', trace, '-o', out]),
      () => this.of('diff.db', (out) => ['diff', traces[0]!, traces[1]!, '-o', out]),
      () => this.of('runs.db', (out) => ['compare', scenarios[0]!, '--on', 'its,mbi', '-o', out]),
    ])();
  }

  dataset(): Promise<string> {
    const { traces } = this.bench.seeds;
    return this.of('set', (out) => ['export', '--to', 'parquet', '--jobs', '1', out, traces[0]!, traces[1]!]);
  }

  /** A folder of golden cases. */
  async cases(): Promise<string> {
    const folder = join(this.folder, 'cases');
    if (!existsSync(folder)) {
      mkdirSync(folder);
      const scenario = this.bench.seeds.scenarios[0]!;
      writeFileSync(join(folder, 'a.yaml'), readFileSync(scenario));
      writeFileSync(join(folder, 'a.case.yaml'), 'on: its\nignore: [timing]\nrename: true\n');
      writeFileSync(join(folder, 'a.rules.yaml'), RULES);
      const { code } = await this.bench.run({ words: ['golden', 'update', folder] });
      if (code !== 0) throw new Error('the golden cases are not good');
    }
    return folder;
  }
}

const FIRST_LINES = 1500;
const firstLines = (text: string) => `${text.split('\n', FIRST_LINES).join('\n')}\n`;

const made = new WeakMap<Bench, Made>();
function madeBy(bench: Bench): Made {
  let one = made.get(bench);
  if (one === undefined) {
    one = new Made(bench);
    made.set(bench, one);
  }
  return one;
}

const ATTEMPTS: Readonly<Record<string, readonly [weight: number, Attempt]>> = {
  'any records': [
    8,
    async (bench, random) => {
      const input = join(bench.folder, 'in.gictrace');
      bench.trying(input, 'none', writeAny(input, random));
      await tryTrace(bench, input, bench.seeds.traces[0]!, random);
    },
  ],
  trace: [
    46,
    async (bench, random) => {
      const source = await madeBy(bench).trace(random);
      const { bytes, what } = mutate(readFileSync(source), random);
      const input = join(bench.folder, 'in.gictrace');
      writeFileSync(input, bytes);
      bench.trying(input, source, what);
      await tryTrace(bench, input, source, random);
    },
  ],
  log: [
    24,
    async (bench, random) => {
      const { path, format } = random.pick(bench.seeds.logs);
      const part = partOf(textOf(path), random);
      const isJson = format === 'jsonl' && random.chance(0.7);
      const input = join(bench.folder, `in${END_OF[format]}`);
      writeFileSync(input, (isJson ? mutateJsonLines : mutateText)(part, random), 'latin1');
      bench.trying(input, path, `a ${format} log`);
      await tryLog(bench, input, format, random);
    },
  ],
  'JSON lines': [
    5,
    async (bench, random) => {
      const source = await madeBy(bench).trace(random);
      const lines = bench.out('.jsonl');
      const { code } = await bench.run({ words: ['export', source, '--to', 'jsonl', '-o', lines] });
      if (code !== 0) return;
      const input = join(bench.folder, 'in.jsonl');
      writeFileSync(input, mutateJsonLines(readFileSync(lines, 'utf8'), random));
      bench.trying(input, source, 'JSON lines');
      if (random.chance(0.2)) {
        // The header of a trace, hostile too, and records without one.
        const like = join(bench.folder, 'like.gictrace');
        writeFileSync(like, mutate(readFileSync(source), random).bytes);
        writeFileSync(input, readFileSync(input, 'utf8').replace(/^.*\n/, ''));
        const trace = bench.out('i.gictrace');
        const { code: again } = await bench.run({
          words: ['import', 'jsonl', input, '--like', like, '-o', trace],
        });
        if (again === 0) await bench.read(['info', '--verify', trace], trace);
      } else await tryLog(bench, input, 'jsonl', random);
    },
  ],
  scenario: [
    6,
    async (bench, random) => {
      const source = random.pick(bench.seeds.scenarios);
      const input = join(bench.folder, 'in.yaml');
      writeFileSync(input, mutateYaml(textOf(source), random), 'latin1');
      bench.trying(input, source, 'a scenario');
      await tryScenario(bench, input, random);
    },
  ],
  database: [
    6,
    async (bench, random) => {
      const source = await madeBy(bench).database(random);
      const input = join(bench.folder, 'in.db');
      rmSync(input, { force: true });
      cpSync(source, input);
      bench.trying(input, source, spoilDatabase(input, random));
      await runAll(
        bench,
        DATABASE_LINES({ hostile: input, good: bench.seeds.traces[0]!, out: bench.out, random }),
      );
    },
  ],
  dataset: [
    2,
    async (bench, random) => {
      const source = await madeBy(bench).dataset();
      const input = bench.out('.set');
      cpSync(source, input, { recursive: true });
      bench.trying(input, source, spoilDataset(input, random));
      await runAll(
        bench,
        DATASET_LINES({ hostile: input, good: bench.seeds.traces[2]!, out: bench.out, random }),
      );
    },
  ],
  'golden cases': [
    2,
    async (bench, random) => {
      const source = await madeBy(bench).cases();
      const input = bench.out('.cases');
      cpSync(source, input, { recursive: true });
      bench.trying(input, source, spoilCases(input, random, mutateYaml));
      await runAll(bench, CASE_LINES({ hostile: input, good: source, out: bench.out, random }));
    },
  ],
  options: [
    1.5,
    async (bench, random) => {
      // Files that options name.
      const good = random.pick(bench.seeds.traces);
      const isRules = random.chance(0.5);
      const input = join(bench.folder, isRules ? 'in.rules.yaml' : 'in.json');
      writeFileSync(input, isRules ? mutateYaml(RULES, random) : mutateJsonLines(COSTS, random));
      bench.trying(input, 'none', isRules ? 'rules' : 'costs');
      const words = isRules
        ? ['diff', good, random.pick(bench.seeds.traces), '--rules', input]
        : ['compare', bench.seeds.scenarios[0]!, '--on', 'its', '--cost-model', input];
      await bench.run({ words });
    },
  ],
  adapter: [
    0.5,
    async (bench, random) => {
      const good = random.pick(bench.seeds.traces);
      const how = random.pick(['bent', 'bent', 'bent', 'cut', 'twice', 'garbage', 'exit', 'kill']);
      const command = `exec:${process.execPath} '${FAULTY}' ${how} ${random.below(20)} ${random.below(1e6)}`;
      bench.trying(good, 'none', `an adapter: ${how}`);
      const trace = bench.out('a.gictrace');
      const words = ['replay', good, '--on', command, '--timeout', ADAPTER_SECONDS, '-o', trace];
      const { code } = await bench.run({ words });
      // What it re-recorded until then stays, and is named.
      if (code === 3) rmSync(`${trace}.partial`, { force: true });
      else if (code !== undefined && code < 2) await bench.read(['info', '--verify', trace], trace);
    },
  ],
};

const TOTAL = Object.values(ATTEMPTS).reduce((sum, [weight]) => sum + weight, 0);

/** Makes the input of a seed, and tries it. */
export async function attempt(bench: Bench, random: Random): Promise<string> {
  let at = (random.below(2 ** 20) / 2 ** 20) * TOTAL;
  for (const [name, [weight, one]] of Object.entries(ATTEMPTS)) {
    at -= weight;
    if (at >= 0) continue;
    await one(bench, random);
    return name;
  }
  return 'none';
}

/** Tries a file, or a folder of golden cases or of a dataset, as it is. */
export async function tryFile(bench: Bench, path: string, random: Random): Promise<void> {
  bench.trying(path, path, 'as it is');
  const good = bench.seeds.traces[0] ?? path;
  const files: Files = { hostile: path, good, out: bench.out, random };
  const plain = path.replace(/\.(gz|xz)$/, '');
  const format = Object.entries(END_OF).find(([, end]) => plain.endsWith(end))?.[0];
  if (statSync(path).isDirectory()) {
    const isDataset = readdirSync(path).some((name) => name.includes('='));
    await runAll(bench, (isDataset ? DATASET_LINES : CASE_LINES)(files));
  } else if (format !== undefined) await tryLog(bench, path, format, random);
  else if (path.endsWith('.rules.yaml')) await bench.run({ words: ['diff', good, good, '--rules', path] });
  else if (path.endsWith('.json'))
    await bench.run({
      words: ['compare', bench.seeds.scenarios[0] ?? '', '--on', 'its', '--cost-model', path],
    });
  else if (path.endsWith('.yaml')) await tryScenario(bench, path, random);
  else if (path.endsWith('.db')) await runAll(bench, DATABASE_LINES(files));
  else await tryTrace(bench, path, good, random);
}
