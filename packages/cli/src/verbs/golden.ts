// `gictrace golden check|update|review DIR`: compares golden traces with the traces that their inputs produce now.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { GicTraceError } from '@gictrace/core';
import { OutputFile, type Ownership } from '@gictrace/recorder/output';
import type { Command } from 'commander';
import { FORCE, grouped, json, note, print } from '../context.ts';
import { findCases, type GoldenCase } from '../golden/cases.ts';
import { covered, faultsNamed, type KillScore, killsOf, scoreOf, type Tried } from '../golden/kills.ts';
import { annotations, junit, writeSummary } from '../golden/report.ts';
import { type CaseResult, checkCase, updateCase, worstFirst } from '../golden/run.ts';
import { Progress } from '../progress.ts';
import { diffText } from './diff-text.ts';

/** Cases whose differences are printed, and lines of each. */
const SHOWN = 3;
const LINES_MAX = 40;

const inCi = () => (process.env.CI ?? '') !== '' && process.env.CI !== 'false';

/** The lines to print for a case that is not the same, at most `max`. */
function detail({ diff, message }: CaseResult, max = LINES_MAX): string[] {
  if (diff === null) return [message];
  const lines = [...diffText(diff)];
  if (lines.length <= max) return lines;
  return [...lines.slice(0, max), `… and ${lines.length - max} more lines: gictrace diff ${diff.a.path} NEW`];
}

function refuseInCi(what: string): void {
  if (inCi())
    throw new GicTraceError(
      'usage',
      `golden ${what} writes golden files, and CI is set`,
      {},
      'run it by hand and commit what it writes',
    );
}

function selected(dir: string, names: readonly string[]): GoldenCase[] {
  const cases = findCases(dir);
  for (const name of names)
    if (!cases.some((one) => one.name === name))
      throw new GicTraceError(
        'usage',
        `there is no case '${name}'`,
        { path: dir },
        `cases: ${cases.map((one) => one.name).join(', ')}`,
      );
  return names.length === 0 ? cases : cases.filter((one) => names.includes(one.name));
}

interface CheckOptions {
  readonly junit?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly mutate?: string;
}

/** Checks cases. With `mutate`, also plants faults for those that are the same without any, and judges what they detect. */
async function checked(
  cases: readonly GoldenCase[],
  all: readonly GoldenCase[],
  mutate: string | undefined,
): Promise<{ results: (CaseResult & { readonly told?: readonly string[] })[]; score?: KillScore }> {
  const faults = mutate === undefined ? [] : faultsNamed(mutate === 'all' ? [] : mutate.split(','));
  const results = await checkAll(cases);
  if (mutate === undefined) return { results };
  const tried: Tried[] = [];
  const progress = new Progress('cases');
  for (const result of results.filter(({ status }) => status === 'same')) {
    tried.push({ result, kills: await killsOf(result.case, faults) });
    progress.update(tried.length);
  }
  progress.end();
  const count = (list: readonly GoldenCase[], place: string) =>
    list.filter((one) => one.place === place).length;
  const same = tried.map(({ result }) => result.case);
  const held = covered(tried, faults, (place) => count(same, place) === count(all, place));
  const told = held.map((result, k) => {
    const { by } = tried[k]!.kills;
    return { ...result, told: Object.keys(by).filter((name) => by[name] === 'told') };
  });
  const rest = results.filter(({ status }) => status !== 'same');
  return {
    results: worstFirst([...rest, ...told]),
    score: scoreOf(
      tried.map(({ kills }) => kills),
      faults,
    ),
  };
}

/** The kill score for people. */
function scoreText({ faults, told, pairs, toldPairs, withoutBackend, byFault }: KillScore): string[] {
  const rows = Object.entries(byFault);
  const width = Math.max(...rows.map(([name]) => name.length));
  const nobody = rows.filter(([, row]) => row.told === 0).map(([name]) => name);
  return [
    '',
    `kill score: ${told} of ${faults} faults are detected by a case; of ${grouped(pairs)} pairs in which a fault changes what a case compares, ${grouped(toldPairs)} are detected`,
    ...rows.map(
      ([name, row]) =>
        `  ${name.padEnd(width)}  detected by ${grouped(row.told).padStart(5)}${row.hidden === 0 ? '' : `, hidden by ${grouped(row.hidden)}`}`,
    ),
    ...(nobody.length === 0 ? [] : [`detected by no case: ${nobody.join(', ')}`]),
    ...(withoutBackend === 0
      ? []
      : [`${grouped(withoutBackend)} cases have no backend in which a fault could be planted`]),
  ];
}

async function checkAll(cases: readonly GoldenCase[]): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of cases) results.push(await checkCase(one));
  return worstFirst(results);
}

function tell(results: readonly CaseResult[]): void {
  const bad = results.filter((result) => result.status !== 'same');
  for (const { case: one, status, message } of bad) print(`${status.padEnd(8)} ${one.name}: ${message}`);
  const withDiff = bad.filter((result) => result.diff !== null);
  for (const result of withDiff.slice(0, SHOWN)) {
    print(`\n${result.case.name}:`);
    for (const line of detail(result)) print(`  ${line}`.trimEnd());
  }
  if (withDiff.length > SHOWN)
    print(`\n${grouped(withDiff.length - SHOWN)} more differ: gictrace golden check DIR CASE`);
  const same = results.length - bad.length;
  print(
    `${bad.length === 0 ? '' : '\n'}${grouped(same)} of ${grouped(results.length)} golden cases the same`,
  );
}

const JUNIT: Ownership = {
  what: 'a JUnit report',
  recognises: (head) => head.subarray(0, 256).includes('<testsuites'),
};

/** `dir`: the folder of the cases, whose files are inputs. */
function writeJunit(path: string, text: string, force: boolean, dir: string): void {
  const inputs = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name));
  const out = new OutputFile(path, JUNIT, { force, inputs });
  try {
    out.write(Buffer.from(text));
    out.commit();
  } finally {
    out.discard();
  }
}

function addCheckVerb(golden: Command, exit: (code: number) => void): void {
  golden
    .command('check')
    .summary('compare what the inputs give now with the golden traces')
    .description(
      'Writes nothing beside the cases. Exit code 1: a case differs, has no golden trace, or is obsolete.',
    )
    .argument('<dir>', 'the folder of the cases')
    .argument('[case...]', 'only these')
    .option('--junit <file>', 'write JUnit XML')
    .option('--force', FORCE)
    .option(
      '--mutate <faults>',
      'also plant faults into the simulator, which the cases must detect: all, or names (docs/golden.md) separated by commas',
    )
    .option('--json', 'answer as JSON')
    .action(async (dir: string, names: string[], options: CheckOptions) => {
      const { results, score } = await checked(selected(dir, names), findCases(dir), options.mutate);
      if (options.junit !== undefined)
        writeJunit(
          options.junit,
          junit(results, (result) => detail(result).join('\n')),
          options.force === true,
          dir,
        );
      if (options.json) {
        const cases = results.map(({ case: one, ...rest }) => ({
          name: one.name,
          input: one.input ?? null,
          trace: one.trace,
          ...rest,
        }));
        print(json(score === undefined ? cases : { cases, score }));
      } else {
        tell(results);
        if (score !== undefined) for (const line of scoreText(score)) print(line);
      }
      if (process.env.GITHUB_ACTIONS === 'true') {
        if (!options.json) for (const line of annotations(results)) print(line);
        writeSummary(results, SHOWN);
      }
      exit(results.every((result) => result.status === 'same') ? 0 : 1);
    });
}

export function addGolden(program: Command, exit: (code: number) => void): void {
  const golden = program
    .command('golden')
    .summary('keep golden traces, and compare new ones with them')
    .description(
      'A case is a scenario or a recording with its golden trace, the text of that trace, and optionally rules that say what may differ; see docs/golden.md.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  gictrace golden update cases\n  gictrace golden check cases --junit golden.xml\n  gictrace golden review cases\n',
    );
  addCheckVerb(golden, exit);
  golden
    .command('update')
    .summary('write the golden files again, and remove obsolete ones')
    .argument('<dir>', 'the folder of the cases')
    .argument('[case...]', 'only these')
    .action(async (dir: string, names: string[]) => {
      refuseInCi('update');
      let failed = false;
      for (const { case: one, status, message } of await checkAll(selected(dir, names))) {
        if (status === 'same') continue;
        if (status === 'failed') {
          failed = true;
          print(`failed ${one.name}: ${message}`);
          continue;
        }
        await updateCase(one);
        print(
          `${one.input === undefined ? 'removed' : status === 'missing' ? 'made' : 'updated'} ${one.name}`,
        );
      }
      exit(failed ? 1 : 0);
    });
  golden
    .command('review')
    .summary('review the cases that are not the same, one after the other')
    .argument('<dir>', 'the folder of the cases')
    .action(async (dir: string) => {
      refuseInCi('review');
      const pending = (await checkAll(findCases(dir))).filter((result) => result.status !== 'same');
      const input = createInterface({ input: process.stdin });
      const answers = input[Symbol.asyncIterator]();
      let left = 0;
      try {
        for (const [k, result] of pending.entries()) {
          print(`\n${k + 1} of ${pending.length}: ${result.case.name}, ${result.status}: ${result.message}`);
          if (result.diff !== null) for (const line of detail(result)) print(`  ${line}`.trimEnd());
          note('accept? y: yes, n: no, q: leave');
          const { value } = (await answers.next()) as { value: string | undefined };
          const answer = value?.trim().toLowerCase() ?? 'q';
          if (answer === 'q') {
            left += pending.length - k;
            break;
          }
          if (answer === 'y' && result.status !== 'failed') {
            await updateCase(result.case);
            print(`accepted ${result.case.name}`);
          } else left++;
        }
      } finally {
        input.close();
      }
      print(
        pending.length === 0
          ? 'nothing is pending'
          : `${grouped(left)} of ${grouped(pending.length)} still pending`,
      );
      exit(left === 0 ? 0 : 1);
    });
}
