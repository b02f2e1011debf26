// gictrace batch MANIFEST -- VERB…: runs a verb for each trace of a list, in processes of their own, and gathers their
// results. What a process does and what its exit code means is the verb's business.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT_CODES, GicTraceError } from '@gictrace/core';
import { type BatchResult, resultsFile, writeResults } from '@gictrace/query';
import { readText } from '@gictrace/recorder/input';
import { OutputFile, type TargetOptions } from '@gictrace/recorder/output';
import type { Command } from 'commander';
import { FORCE, grouped, json, print, wholeNumber } from '../context.ts';
import { endsWithUs, interruptible } from '../interrupt.ts';
import { junitXml } from '../junit.ts';
import { Progress } from '../progress.ts';
import { VERB_NAMES } from '../verbs.ts';

const BIN = fileURLToPath(new URL('../../bin/gictrace.js', import.meta.url));
/** The most characters of a process's output that are kept: its first, and its last. */
const OUTPUT_MAX = 32_768;

interface Options {
  readonly jobs: number;
  readonly junit?: string;
  readonly parquet?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function addBatch(program: Command, exit: (code: number) => void): void {
  program
    .command('batch')
    .summary('run a verb for each trace of a list, and gather the results')
    .description(
      'Runs gictrace VERB for each file that the manifest names (one a line; # begins a comment; - is standard input), several at a time, each in a process of its own. In the arguments {} is the file, and {name} its name without folder and extension; without a {}, the file comes right after the verb. Exit code: the highest of all.',
    )
    .argument('<manifest>', 'the list')
    .argument('<verb...>', 'after --: the verb and its arguments')
    .option('--jobs <n>', 'processes at a time', wholeNumber('--jobs', 1, 1024), availableParallelism())
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--parquet <file>', 'write the results as a Parquet file: path, exit, outcome, seconds, output')
    .option('--force', FORCE)
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  gictrace batch traces.txt --junit replay.xml -- replay --on qemu\n  gictrace batch logs.txt -- import {} -o traces/{name}.gictrace\n',
    )
    .action(async (manifest: string, command: readonly string[], options: Options) => {
      const [verb, ...rest] = command;
      if (verb === undefined || !VERB_NAMES.includes(verb) || verb === 'batch' || verb === 'shell')
        throw new GicTraceError(
          'usage',
          `batch cannot run '${verb ?? ''}'`,
          {},
          'gictrace batch MANIFEST -- replay --on qemu',
        );
      const paths = pathsOf(manifest);
      const target = { inputs: [...paths, manifest], force: options.force === true };
      const outputs: OutputFile[] = [];
      const opened = (output: OutputFile) => {
        outputs.push(output);
        return output;
      };
      let results: BatchResult[];
      try {
        // Before the runs, which may take hours.
        const junit = options.junit === undefined ? undefined : opened(junitFile(options.junit, target));
        const parquet =
          options.parquet === undefined ? undefined : opened(resultsFile(options.parquet, target));
        results = await interruptible(() => runAll(paths, verb, rest, options.jobs));
        if (junit !== undefined) writeJunit(junit, verb, results);
        if (parquet !== undefined) writeResults(parquet, command.join(' '), results);
      } finally {
        for (const output of outputs) output.discard();
      }
      if (options.json) print(json({ verb, results }));
      else tell(results);
      exit(Math.max(0, ...results.map((one) => (one.exit < 0 ? EXIT_CODES.backend : one.exit))));
    });
}

/** The files that a manifest names. Relative ones are relative to its folder. */
function pathsOf(manifest: string): string[] {
  const text = manifest === '-' ? readFileSync(0, 'utf8') : readText(manifest, { code: 'input' });
  const folder = manifest === '-' ? '.' : dirname(manifest);
  const paths = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => (folder === '.' ? line : resolve(folder, line)));
  if (paths.length === 0)
    throw new GicTraceError('input', 'names no file', { path: manifest }, 'one path a line');
  return paths;
}

/** The arguments of one process. */
function argumentsFor(path: string, verb: string, rest: readonly string[]): string[] {
  const name = basename(path)
    .replace(/\.(gz|xz|zst)$/, '')
    .replace(/\.[^.]+$/, '');
  const isPlaced = rest.some((one) => one.includes('{}'));
  const filled = rest.map((one) => one.replaceAll('{name}', name).replaceAll('{}', path));
  return isPlaced ? [verb, ...filled] : [verb, path, ...filled];
}

async function runAll(
  paths: readonly string[],
  verb: string,
  rest: readonly string[],
  jobs: number,
): Promise<BatchResult[]> {
  const progress = new Progress('files');
  const results: BatchResult[] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let k = next++; k < paths.length; k = next++) {
      results[k] = await run(paths[k]!, argumentsFor(paths[k]!, verb, rest));
      progress.update(++done);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, paths.length) }, worker));
  } finally {
    progress.end();
  }
  return results;
}

function run(path: string, args: readonly string[]): Promise<BatchResult> {
  const begun = performance.now();
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const release = endsWithUs(() => child.kill());
    let output = '';
    let left = 0;
    const hear = (data: Buffer) => {
      output += data.toString('utf8');
      const over = output.length - 2 * OUTPUT_MAX;
      if (over <= 0) return;
      left += over;
      output = output.slice(0, OUTPUT_MAX) + output.slice(-OUTPUT_MAX);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', (error) => {
      release();
      failed(error);
    });
    child.on('close', (code) => {
      release();
      const exit = code ?? -1;
      done({
        path,
        exit,
        outcome: exit === 0 ? 'passed' : exit === 1 ? 'found' : 'failed',
        seconds: (performance.now() - begun) / 1000,
        output:
          left === 0
            ? output
            : `${output.slice(0, OUTPUT_MAX)}\n[${grouped(left)} characters left out]\n${output.slice(OUTPUT_MAX)}`,
      });
    });
  });
}

/** The line of an output that says most: the first. */
const firstLine = (output: string) => output.split('\n').find((line) => line.trim() !== '') ?? '';

function junitFile(path: string, options: TargetOptions): OutputFile {
  return new OutputFile(
    path,
    { what: 'JUnit XML', recognises: (head) => head.toString('latin1').includes('<testsuites') },
    options,
  );
}

function writeJunit(out: OutputFile, verb: string, results: readonly BatchResult[]): void {
  const cases = results.map(({ path: name, seconds, outcome, exit, output }) => ({
    name,
    seconds,
    ...(outcome === 'passed'
      ? {}
      : {
          problem: {
            tag: outcome === 'found' ? ('failure' as const) : ('error' as const),
            type: `exit ${exit}`,
            message: firstLine(output),
            text: output,
          },
        }),
  }));
  out.write(Buffer.from(junitXml(`gictrace ${verb}`, verb, cases)));
  out.commit();
}

function tell(results: readonly BatchResult[]): void {
  for (const { path, exit, outcome, output } of results)
    if (outcome !== 'passed') print(`${path}: exit ${exit}: ${firstLine(output)}`);
  const count = (outcome: BatchResult['outcome']) => results.filter((one) => one.outcome === outcome).length;
  const files = results.length === 1 ? '1 file' : `${grouped(results.length)} files`;
  print(
    `${files}: ${grouped(count('passed'))} with exit code 0, ${grouped(count('found'))} with 1, ${grouped(count('failed'))} with another`,
  );
}
