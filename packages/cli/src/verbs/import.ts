// gictrace import [FORMAT] FILE…: converts logs to a trace.
import { existsSync } from 'node:fs';
import { type GicConfig, GicTraceError, type Gicv5Config, PES_MAX } from '@gictrace/core';
import { GICV5_PROFILES } from '@gictrace/core/gicv5';
import { PROFILES } from '@gictrace/core/profile';
import {
  detectFormat,
  type FtraceOptions,
  type ImportInto,
  type ImportReport,
  importFtraceToTrace,
  importGicv5ToTrace,
  importJsonlToTrace,
  importToTrace,
  keptSource,
  LOG_FORMATS,
  type LogFormat,
  type LogInput,
  TraceReader,
} from '@gictrace/recorder';
import type { Command } from 'commander';
import { countLines, FORCE, grouped, InvalidOption, json, print, VERSION, wholeNumber } from '../context.ts';
import { interruptible } from '../interrupt.ts';
import { Progress } from '../progress.ts';
import { sourceKind, sourceLines } from './source-text.ts';

interface Options {
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly pes?: number;
  readonly gic?: number;
  readonly its?: boolean;
  readonly priorityBits?: number;
  readonly start?: 'reset' | 'mid-life';
  readonly gicd?: bigint;
  readonly gicr?: NonNullable<FtraceOptions['gicr']>;
  readonly gits?: readonly bigint[];
  readonly gicrStride?: number;
  readonly of?: string;
  readonly vm?: string;
  readonly profile?: string;
  readonly like?: string;
  readonly label: readonly (readonly [string, string])[];
}

/** Which options a format takes. */
const FORMATS = {
  qemu: ['pes', 'gic', 'its', 'priorityBits', 'profile', 'start'],
  gicv5: ['pes', 'profile', 'start'],
  ftrace: ['pes', 'gicd', 'gicr', 'gits', 'gicrStride', 'of', 'vm', 'profile', 'start'],
  jsonl: ['like'],
} as const satisfies { readonly [format in LogFormat]: readonly (keyof Options)[] };
const COMMON = ['output', 'force', 'json', 'label'];

export function addImport(program: Command): void {
  program
    .command('import')
    .summary('convert a log to a trace')
    .description(
      `Converts a log to a trace. The format is recognised; it may also be named before the file: ${Object.entries(
        LOG_FORMATS,
      )
        .map(([name, what]) => `${name} (${what})`)
        .join(
          ', ',
        )}. FILE may be plain, .gz, .xz or .zst; - reads standard input. Several logs of QEMU become one trace, if they are from processes that continue with one GIC: the source of a migration, then its destination. docs/import.md describes the formats.`,
    )
    .argument('<files...>', 'the log, or -, optionally preceded by its format')
    .requiredOption('-o, --output <trace>', 'the trace to write')
    .option('--force', FORCE)
    .option('--pes <n>', 'number of PEs, if the log does not show it', wholeNumber('--pes', 1, PES_MAX))
    .option(
      '--gic <version>',
      'qemu: GIC version, if the log does not show it: 3 or 4',
      wholeNumber('--gic', 3, 4),
    )
    .option('--its', 'qemu: there is an ITS, even if the log does not show one')
    .option('--no-its', 'qemu: there is no ITS')
    .option('--priority-bits <n>', 'qemu: implemented priority bits', wholeNumber('--priority-bits', 4, 8))
    .option(
      '--start <how>',
      'qemu, ftrace: how the log begins, if that cannot be inferred: reset, or mid-life (the GIC is in use)',
      start,
    )
    .option('--gicd <address>', 'ftrace: the Distributor, as the log prints addresses', address('--gicd'))
    .option(
      '--gicr <addresses>',
      'ftrace: the first Redistributor of each region, optionally with the number of Redistributors: ADDRESS[:N],…',
      regions,
    )
    .option('--gicr-stride <bytes>', 'ftrace: distance from one Redistributor to the next', stride)
    .option('--gits <addresses>', 'ftrace: the ITSs: ADDRESS,…', addresses)
    .option('--of <side>', 'ftrace: whose GIC the trace is of: host, or guest (of KVM)')
    .option(
      '--vm <id>',
      'ftrace: the virtual machine, if there are several: the id of its process or of a vCPU thread (or of all its vCPU threads: PID,PID,…), or the address of its struct kvm, as the log prints them',
    )
    .option(
      '--profile <profile>',
      'profile for replay. qemu: the version, if the log does not show it (qemu-7.2, qemu-10.0, qemu-11.1). ftrace: architecture for a host, kvm for a guest, unless given',
    )
    .option('--like <trace>', 'jsonl: a trace of the same GIC, if the lines have no header')
    .option(
      '--label <name=value>',
      'a label by which traces are grouped, kept in the trace; may be given more than once: kernel=6.12',
      label,
      [],
    )
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  gictrace import trace.log.gz -o boot.gictrace\n  gictrace import source.log destination.log -o migration.gictrace\n',
    )
    .action(async (files: readonly string[], options: Options) => {
      const progress = new Progress('lines');
      try {
        const into = {
          version: VERSION,
          ...(options.force ? { force: true } : {}),
          ...(options.label.length === 0 ? {} : { labels: Object.fromEntries(options.label) }),
          progress: (lines: number) => progress.update(lines),
        };
        const report = await interruptible(() => importLogs(files, options, into));
        progress.end();
        if (options.json) {
          print(
            json({
              trace: options.output,
              ...report.summary,
              lines: report.stats.lines,
              config: report.config,
              provenance: report.provenance,
              start: report.start,
              missing: report.missing,
              losses: report.stats.losses,
            }),
          );
        } else tell(options.output, report);
      } finally {
        progress.end();
      }
    });
}

type AnyReport = ImportReport<GicConfig | Gicv5Config>;

/** Adds a label NAME=VALUE. */
function label(
  text: string,
  before: readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  const [, name, value] = /^([A-Za-z][\w.-]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidOption(`--label takes NAME=VALUE, as in kernel=6.12, not '${text}'`);
  if (before.some(([other]) => other === name)) throw new InvalidOption(`--label gives '${name}' twice`);
  return [...before, [name, value]];
}

async function importLogs(args: readonly string[], options: Options, into: ImportInto): Promise<AnyReport> {
  const named = Object.hasOwn(LOG_FORMATS, args[0]!) ? (args[0] as LogFormat) : undefined;
  const files = named === undefined ? args : args.slice(1);
  if (files.length === 0)
    throw new GicTraceError(
      'usage',
      'no log is given',
      {},
      `give one: gictrace import ${named} FILE -o TRACE`,
    );
  if (files.filter((file) => file === '-').length > 1)
    throw new GicTraceError('usage', 'standard input is given more than once');
  if (named !== undefined && named !== 'qemu')
    return importAs(takes(named, files, options), files, options, into);
  if (named === undefined && files.length > 1 && /^\w+$/.test(files[0]!) && !existsSync(files[0]!))
    throw new GicTraceError(
      'usage',
      `'${files[0]}' is neither a format nor a file`,
      {},
      `formats: ${Object.keys(LOG_FORMATS).join(', ')}`,
    );
  const sources = files.map(keptSource);
  try {
    // A log of QEMU says itself of which GIC it is.
    if (named !== undefined) {
      const found = await detectFormat(sources[0]!).catch(() => named);
      const of = found === 'gicv5' ? found : named;
      return await importAs(takes(of, files, options), sources, options, into);
    }
    let format: LogFormat | undefined;
    for (const source of sources) {
      const found = await detectFormat(source);
      if (format !== undefined && found !== format)
        throw new GicTraceError(
          'usage',
          `is a log of another format (${found}) than the one before it (${format})`,
          { path: source.name },
        );
      format = found;
    }
    return await importAs(takes(format!, files, options), sources, options, into);
  } finally {
    for (const source of sources) source.close();
  }
}

/** Returns the format if it takes this many logs and the given options. */
function takes(format: LogFormat, files: readonly string[], options: Options): LogFormat {
  if (format !== 'qemu' && files.length > 1)
    throw new GicTraceError('usage', `${files.length} logs are given, but ${format} takes one`);
  const known: readonly string[] = FORMATS[format];
  for (const name of Object.keys(options))
    if (!COMMON.includes(name) && !known.includes(name))
      throw new GicTraceError(
        'usage',
        `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} is not for ${format}`,
      );
  return format;
}

async function importAs(
  format: LogFormat,
  files: readonly LogInput[],
  options: Options,
  into: ImportInto,
): Promise<AnyReport> {
  const { output, pes, gic, its, priorityBits, gicd, gicr, gits, gicrStride, of, profile, like } = options;
  const profiles = Object.keys(format === 'gicv5' ? GICV5_PROFILES : PROFILES);
  if (profile !== undefined && !profiles.includes(profile))
    throw new GicTraceError(
      'usage',
      `there is no profile '${profile}'`,
      {},
      `profiles: ${profiles.join(', ')}`,
    );
  if (format === 'qemu')
    return importToTrace(files, output, {
      ...into,
      ...(pes === undefined ? {} : { pes }),
      ...(gic === undefined ? {} : { gic: gic as 3 | 4 }),
      ...(its === undefined ? {} : { its }),
      ...(priorityBits === undefined ? {} : { priorityBits }),
      ...(profile === undefined ? {} : { profile }),
      ...(options.start === undefined ? {} : { start: options.start }),
    });
  const file = files[0]!;
  if (format === 'gicv5')
    return importGicv5ToTrace(file, output, {
      ...into,
      ...(pes === undefined ? {} : { pes }),
      ...(profile === undefined ? {} : { profile }),
      ...(options.start === undefined ? {} : { start: options.start }),
    });
  if (format === 'jsonl') return importJsonlToTrace(file, output, { ...into, ...configOf(like) });
  // Does not compile if a format has no branch.
  format satisfies 'ftrace';
  if (options.vm !== undefined && !/^(\d+(,\d+)*|0x[0-9a-f]+)$/i.test(options.vm))
    throw new GicTraceError('usage', `--vm is '${options.vm}'`, {}, 'it takes PID, PID,PID,… or 0xADDRESS');
  if (of !== undefined && of !== 'host' && of !== 'guest')
    throw new GicTraceError('usage', `--of is '${of}'`, {}, 'host or guest');
  return importFtraceToTrace(file, output, {
    ...into,
    ...(pes === undefined ? {} : { pes }),
    ...(gicd === undefined ? {} : { gicd }),
    ...(gicr === undefined ? {} : { gicr }),
    ...(gits === undefined ? {} : { gits }),
    ...(gicrStride === undefined ? {} : { gicrStride }),
    ...(of === undefined ? {} : { of }),
    ...(options.vm === undefined ? {} : { vm: options.vm }),
    ...(options.start === undefined ? {} : { start: options.start }),
    ...(profile === undefined ? {} : { profile }),
  });
}

function configOf(like: string | undefined) {
  if (like === undefined) return {};
  const reader = TraceReader.openAny(like);
  try {
    return { config: reader.header.config };
  } finally {
    reader.close();
  }
}

function tell(
  output: string,
  { config, stats, summary, provenance, start: begins, missing }: AnyReport,
): void {
  print(
    `${output}: ${grouped(summary.records)} records from ${grouped(stats.lines)} lines, ${grouped(summary.bytes)} bytes (${(summary.bytes / Math.max(1, summary.records)).toFixed(2)} a record)`,
  );
  const { pes } = config;
  const rest =
    config.architecture === 5
      ? `${config.irs.length} IRS`
      : `${config.its.length === 0 ? 'no ITS' : `${config.its.length} ITS`}, ${config.priorityBits} priority bits`;
  print(
    `GICv${config.architecture}, ${pes.length} PE${pes.length === 1 ? '' : 's'}, ${rest}, profile ${config.profile}`,
  );
  const by = (origin: string) => Object.keys(provenance).filter((name) => provenance[name] === origin);
  print(`  from the log: ${by('log').concat(by('counted')).join(', ') || 'nothing'}`);
  for (const [name, origin] of Object.entries(provenance))
    if (origin.startsWith('rule ')) print(`  inferred: ${name} (${origin})`);
  if (by('option').length > 0) print(`  from options: ${by('option').join(', ')}`);
  if (by('default').length > 0)
    print(`  not in the log, taken as on QEMU's virt machine: ${by('default').join(', ')}`);
  for (const line of sourceLines(begins, missing, sourceKind(output))) print(`the log ${line}`);
  const losses = countLines(stats.losses);
  const lost = config.architecture === 5 ? 'left out of the trace, or open:' : 'left out of the trace:';
  if (losses.length > 0) print([lost, ...losses].join('\n'));
}

// ---- addresses -----------------------------------------------------------------------------------------------

function parseAddress(option: string, text: string): bigint {
  if (!/^(0x[0-9a-fA-F]{1,16}|\d{1,20})$/.test(text) || BigInt(text) >= 2n ** 64n)
    throw new InvalidOption(`${option} takes an address such as 0x8000000, not '${text}'`);
  return BigInt(text);
}

function start(text: string): 'reset' | 'mid-life' {
  if (text !== 'reset' && text !== 'mid-life')
    throw new InvalidOption(`--start takes reset or mid-life, not '${text}'`);
  return text;
}

const address = (option: string) => (text: string) => parseAddress(option, text);

function addresses(text: string): bigint[] {
  return text.split(',').map((one) => parseAddress('--gits', one));
}

function regions(text: string): NonNullable<FtraceOptions['gicr']> {
  return text.split(',').map((one) => {
    const [base, count, ...rest] = one.split(':');
    if (rest.length > 0) throw new InvalidOption(`--gicr takes ADDRESS[:N],…, not '${text}'`);
    return {
      base: parseAddress('--gicr', base!),
      ...(count === undefined ? {} : { count: wholeNumber('--gicr', 1, PES_MAX)(count) }),
    };
  });
}

function stride(text: string): number {
  const bytes = Number(parseAddress('--gicr-stride', text));
  if (bytes < 0x2_0000 || bytes % 0x1_0000 !== 0 || bytes > 0x100_0000)
    throw new InvalidOption(`--gicr-stride takes a multiple of 64 KiB from 0x20000 on, not '${text}'`);
  return bytes;
}
