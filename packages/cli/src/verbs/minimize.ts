// gictrace minimize TRACE: the few stimuli of a trace that still show something, as a trace and as a runnable repro.
import { basename, extname } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { isGicv5, TRACE_OUTPUT, TraceReader } from '@gictrace/recorder';
import { OutputFile, type Ownership, targetOf } from '@gictrace/recorder/output';
import {
  checkGicv5Forms,
  EMITTERS,
  type EmitFormat,
  linesOf,
  type MinimizeOptions,
  minimizeGicv5Trace,
  minimizeTrace,
  outcomeOf,
  type Repro,
  saveMinimized,
} from '@gictrace/replayer/minimize';
import type { Command } from 'commander';
import { FORCE, grouped, json, print, VERSION, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';
import { gicv5KeptOf, keptOf } from './minimize-keep.ts';

interface Options {
  readonly keep: string;
  readonly on?: string;
  readonly plant?: string;
  readonly exit?: number;
  readonly timeout?: number;
  readonly values: boolean;
  readonly tests?: number;
  readonly output: string;
  readonly emit?: readonly string[];
  readonly force?: boolean;
  readonly json?: boolean;
}

const LINES_MAX = 120;
/** A repro as an output. */
const REPRO: Ownership = {
  what: 'a repro of gictrace minimize',
  recognises: (head) => /gictrace minimize: a repro|^\{"gictrace":/.test(head.toString('latin1')),
};

export function addMinimize(program: Command): void {
  program
    .command('minimize')
    .summary('find the few stimuli of a trace that still show something')
    .description(
      'Leaves out stimuli as long as what --keep names is kept: first long runs, with the commands, acknowledges and operations that belong together, then single ones until none can be left out, then simplifies values. What is left is run on the simulator with the profile of the trace, and written as a trace and as a repro (docs/minimize.md). Exit code 0: done.',
    )
    .argument('<trace>', 'the trace')
    .option(
      '--keep <predicate>',
      'diverges: it and the implementation of --on differ, in the same register and kind; finding:RULE of check; lost:INTID; sql:SELECT…, which returns a row; command:COMMAND, which exits with the same code ({} stands for the trace)',
      'diverges',
    )
    .option(
      '--on <backend>',
      'for diverges: simulator, simulator@PROFILE, qemu, qemu:COMMAND, or exec:COMMAND (simulator)',
    )
    .option(
      '--plant <fault>',
      'for diverges: plant this fault into that simulator (gictrace fuzz --plant list)',
    )
    .option('--exit <code>', 'for command: the exit code that is kept', wholeNumber('--exit', 0, 255))
    .option('--no-values', 'leave values as they were recorded')
    .option('--tests <n>', 'make at most this many tests', wholeNumber('--tests', 1, 10_000_000))
    .option(
      '--timeout <seconds>',
      'an adapter (30) or QEMU (20) has failed if it sends nothing for this long',
      wholeNumber('--timeout', 1, 86_400),
    )
    .requiredOption('-o, --output <trace>', 'write what is left as a trace')
    .option(
      '--emit <format...>',
      `also write it as ${Object.keys(EMITTERS).join(', ')}, beside the trace, with the extension of the format`,
    )
    .option('--force', FORCE)
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  gictrace minimize boot.gictrace --keep diverges --on simulator@qemu-11.1 -o small.gictrace --emit vitest\n  gictrace minimize boot.gictrace --keep finding:stranded-lpi -o small.gictrace\n',
    )
    .action(async (path: string, options: Options) => {
      const formats = formatsOf(options.emit ?? []);
      const own = { force: options.force ?? false, inputs: [path] };
      targetOf(options.output, TRACE_OUTPUT, own);
      const fileOf = (format: EmitFormat) =>
        `${withoutExtension(options.output)}${EMITTERS[format].extension}`;
      for (const format of formats) targetOf(fileOf(format), REPRO, own);
      const kept = reductionOf(path, options, formats);
      const progress = new Progress('stimuli left');
      try {
        const minimized = await kept.minimize({
          isVerbatim: !options.values,
          ...(options.tests === undefined ? {} : { testsMax: options.tests }),
          progress: (_tests, stimuli) => progress.update(stimuli),
        });
        progress.end();
        const repro: Repro = {
          minimized,
          of: basename(path),
          kept: kept.words,
          check: kept.check,
          command: commandLine(path, options),
        };
        // Before anything is written: a form that is not possible is refused.
        const texts: [EmitFormat, string][] = [];
        for (const format of formats) texts.push([format, await EMITTERS[format].text(repro)]);
        saveMinimized(minimized, options.output, {
          version: VERSION,
          ...own,
        });
        const files = texts.map(([format, text]) => {
          const file = fileOf(format);
          const out = new OutputFile(file, REPRO, own);
          try {
            out.write(Buffer.from(text));
            out.commit();
          } catch (error) {
            out.discard();
            throw error;
          }
          return file;
        });
        print(options.json ? json(plain(minimized, kept.words, files)) : text(repro, files));
      } finally {
        progress.end();
      }
    });
}

/** What is to be kept of a trace, and the reduction that keeps it. @throws GicTraceError `usage` for what cannot be. */
function reductionOf(path: string, options: Options, formats: readonly EmitFormat[]) {
  const reader = TraceReader.openAny(path);
  reader.close();
  if (isGicv5(reader)) {
    checkGicv5Forms(formats);
    const { keep, ...kept } = gicv5KeptOf(path, options);
    return { ...kept, minimize: (own: MinimizeOptions) => minimizeGicv5Trace(path, keep, own) };
  }
  const { keep, ...kept } = keptOf(path, options);
  return { ...kept, minimize: (own: MinimizeOptions) => minimizeTrace(path, keep, own) };
}

function formatsOf(names: readonly string[]): EmitFormat[] {
  const formats = names.flatMap((name) => name.split(','));
  for (const name of formats)
    if (!Object.hasOwn(EMITTERS, name))
      throw new GicTraceError(
        'usage',
        `--emit does not know '${name}'`,
        {},
        `it takes ${Object.keys(EMITTERS).join(', ')}`,
      );
  return [...new Set(formats)] as EmitFormat[];
}

const withoutExtension = (path: string) => path.slice(0, path.length - extname(path).length);

/** The command line as a comment of a repro: names of files without their folders. */
function commandLine(path: string, { keep, on, plant, exit, output }: Options): string {
  const quote = (word: string) => (/^[\w.@:=/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  return [
    ...['gictrace', 'minimize', basename(path), '--keep', keep],
    ...(on === undefined ? [] : ['--on', on]),
    ...(plant === undefined ? [] : ['--plant', plant]),
    ...(exit === undefined ? [] : ['--exit', `${exit}`]),
    ...['-o', basename(output)],
  ]
    .map(quote)
    .join(' ');
}

function plain(minimized: Repro['minimized'], kept: string, files: readonly string[]): object {
  const { of, stimuli, tests, isMinimal, divergence, original, recording, config } = minimized;
  return {
    kept,
    of,
    stimuli: stimuli.length,
    minimal: isMinimal,
    tests,
    pes: config.pes.length,
    divergence,
    original,
    records: linesOf(recording).map((line) => line.trim()),
    files,
  };
}

function text(repro: Repro, files: readonly string[]): string {
  const { of, stimuli, tests, isMinimal, recording, config } = repro.minimized;
  const lines = linesOf(recording);
  const pes = config.pes.length === 1 ? '1 PE' : `${config.pes.length} PEs`;
  return [
    `MINIMIZED: ${grouped(stimuli.length)} of ${grouped(of)} stimuli, on ${pes}, after ${grouped(tests)} tests${isMinimal ? '; none can be left out' : '; --tests ended it before all were tried'}`,
    ...(lines.length > LINES_MAX ? [`  (${lines.length - LINES_MAX} lines before)`] : []),
    ...lines.slice(-LINES_MAX).map((line) => `  ${line}`),
    ...outcomeOf(repro),
    ...files.map((file) => `wrote ${file}`),
  ].join('\n');
}
