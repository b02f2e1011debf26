// Imports a source into a trace file: writes an importer's records, with snapshots of the model's state if it keeps one.
import { basename } from 'node:path';
import { atPlace, type GicConfig, type Gicv5Config, VERSION } from '@gictrace/core';
import { STATE_VERSION } from '@gictrace/core/model';
import type { RecordBatch } from '@gictrace/core/record';
import { type KeptSource, keptSource } from './importers/common/kept-source.ts';
import { type ExactFacts, ExactSource } from './importers/common/learn/exact.ts';
import type { Missing, Start } from './importers/common/learn/unknowns.ts';
import { Losses } from './importers/common/losses.ts';
import { putWithinRange } from './importers/common/range.ts';
import { textBytes } from './importers/common/source.ts';
import { type FtraceOptions, type FtraceSink, importFtrace } from './importers/ftrace/index.ts';
import { importJsonl } from './importers/jsonl/index.ts';
import { type Gicv5Options, importGicv5 } from './importers/qemu-gicv5/index.ts';
import {
  canReadBeside,
  type ImportOptions,
  type ImportSinkAgain,
  type ImportStats,
  importQemu,
  importQemuBeside,
  importQemuLive,
  type KnownMachine,
  type Provenance,
  type SourceShows,
  type ToldReset,
} from './importers/qemu-trace/index.ts';
import { type TargetOptions, targetOf } from './output/index.ts';
import {
  type AnyTraceHeader,
  LABELS,
  MISSING,
  SHOWS,
  START,
  TELLS_RESERVED,
  TRACE_OUTPUT,
  type TraceHeader,
  type TraceSummary,
  TraceWriter,
} from './trace/index.ts';

type AnyConfig = GicConfig | Gicv5Config;

export interface ImportReport<C extends AnyConfig = GicConfig> {
  readonly stats: ImportStats;
  readonly summary: TraceSummary;
  readonly config: C;
  readonly provenance: Provenance;
  /** How the source begins. */
  readonly start: Start;
  /** The sorts of stimuli that the source lacks. */
  readonly missing: readonly Missing[];
}

/** A log: its path (`-` is standard input), or a source whose beginning has been read to find its format. */
export type LogInput = string | KeptSource;
const pathOf = (input: LogInput) => (typeof input === 'string' ? input : input.path);

/** Options of every import. */
export interface ImportInto extends Pick<TargetOptions, 'force'> {
  /** The version that the header names; that of this package if absent. */
  readonly version?: string | undefined;
  readonly progress?: (lines: number) => void;
  /** What is known about the GIC from outside the log. Called when the header is written. */
  readonly machine?: () => KnownMachine;
  /** Resets of the machine that are known from outside the log, in order. */
  readonly resets?: ToldReset[];
  /** Whether the log contains the guest memory that the GIC reads. Called when the header is written. */
  readonly memory?: () => boolean;
  /** Labels by which traces of a fleet are grouped, such as the version of the kernel. They are kept in the header. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Further contents of the footer. Called at the end. */
  readonly meta?: () => Record<string, unknown>;
}

/** What every QEMU log lacks, depending on whether it contains guest memory. */
const QEMU_LOSSES = {
  without: [
    'guest memory, but for stores that a plugin logs',
    'ICC_SRE_EL1 accesses',
    'operands of SYNC, VSYNC and INVALL',
    'outcomes of ITS commands',
  ],
  with: ['guest memory, but for what the GIC looks at', 'ICC_SRE_EL1 accesses', 'outcomes of ITS commands'],
} as const;

/** What an ftrace log does not contain; what has a sort, only if the log lacks that sort of stimuli. */
const FTRACE_MEMORY = 'guest memory: LPI configuration, pending tables, ITS commands and tables';
const FTRACE_LOSSES: readonly { readonly what: string; readonly unless?: Missing }[] = [
  { what: 'accesses to system registers: acknowledges, EOIs, priority masks' },
  { what: 'SGIs', unless: 'SGIs' },
  { what: 'messages of devices', unless: 'MSIs' },
  { what: 'input lines', unless: 'SPI lines' },
  { what: 'highest-priority pending interrupts and interrupt lines of PEs' },
  { what: 'whether a location is reserved' },
];

/** What a header says besides of an import. */
type HeaderRest = Pick<TraceHeader, 'clock' | 'losses' | 'options'> & {
  readonly kind: string;
  readonly name: string;
};

/** The output of an import. It begins when the configuration is known, and leaves nothing if the import fails. */
class Target<C extends AnyConfig = GicConfig> {
  writer: TraceWriter | undefined;
  decided: Pick<ImportReport<C>, 'config' | 'provenance' | 'start' | 'missing'> | undefined;
  private source: ExactSource | undefined;
  private readonly out: string;
  private readonly version: string;
  private readonly labels: ImportInto['labels'];
  private readonly rules: TargetOptions;
  private readonly meta: () => Record<string, unknown>;

  /** `inputs` are the files that are imported, which are never written. */
  constructor(
    out: string,
    inputs: readonly string[],
    { version = VERSION, force = false, labels }: ImportInto,
    meta: () => Record<string, unknown> = () => ({}),
  ) {
    this.out = out;
    this.version = version;
    this.labels = labels;
    this.rules = { inputs, force };
    // An output that may not be written is refused before a long log is read.
    targetOf(out, TRACE_OUTPUT, this.rules);
    this.meta = meta;
  }

  begin(config: C, provenance: Provenance, rest: HeaderRest): void {
    const header = this.header(config, provenance, rest);
    this.writer = new TraceWriter(this.out, header, { ...this.rules, isOverlapped: true });
  }

  /** Gives the trace another header, of the same configuration. */
  rehead(provenance: Provenance, rest: HeaderRest): void {
    this.writer!.rehead(this.header(this.decided!.config, provenance, rest));
  }

  private header(config: C, provenance: Provenance, rest: HeaderRest): AnyTraceHeader {
    const { kind, name, ...header } = rest;
    const { options } = header;
    this.decided = {
      config,
      provenance,
      start: options[START] === 'mid-life' ? 'mid-life' : 'reset',
      missing: (options[MISSING] as readonly Missing[] | undefined) ?? [],
    };
    return {
      writer: { name: 'gictrace', version: this.version },
      config,
      source: { kind, name, provenance },
      ...(config.architecture === 5 ? {} : { stateVersion: STATE_VERSION }),
      seed: null,
      ...header,
      options: { ...options, ...(this.labels === undefined ? {} : { [LABELS]: this.labels }) },
    } as AnyTraceHeader;
  }

  /** The source, which delivers its next bytes only when the writer has room. */
  async *paced(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      yield chunk;
      await this.writer?.settled();
    }
  }

  readonly record = (batch: RecordBatch, i: number): void => this.writer!.record(batch, i);

  /** A sink of records that are taken as they are, but for what follows from commands that the source does not show. */
  exact(
    config: GicConfig,
    shows: readonly string[] | undefined,
    facts: ExactFacts = { start: 'reset', missing: [] },
  ): void {
    this.source = new ExactSource(config, shows, facts, new Losses(), this.record);
  }

  readonly recordExact = (batch: RecordBatch, i: number): void =>
    (this.source ?? this.writer!).record(batch, i);

  /** What was written is void, and the trace begins again. */
  again(): void {
    this.writer?.abort();
    this.writer = undefined;
  }

  async run(work: () => Promise<ImportStats>): Promise<ImportReport<C>> {
    try {
      const stats = await work();
      this.source?.end();
      const losses = Object.entries(stats.losses).map(([what, count]) => ({ what, count }));
      const summary = this.writer!.close({
        losses,
        meta: { lines: stats.lines, events: stats.events, ...this.meta() },
      });
      return { stats, summary, ...this.decided! };
    } catch (error) {
      this.writer?.abort();
      const [only, ...others] = this.rules.inputs ?? [];
      throw only === undefined || others.length > 0 ? error : atPlace(error, { path: only });
    }
  }
}

/**
 * Bytes of text from which on two threads are faster: a million lines. Of a log of 6 million lines each thread takes about
 * half. Of one of 600,000 lines the threads together take a seventh more than one does, because both start and what they
 * run is compiled for each.
 */
const LONG_BYTES = 100e6;

/** Whether a source is a long file, which any thread can read. */
function isLong({ isFile, path }: KeptSource): boolean {
  return isFile === true && textBytes(path) >= LONG_BYTES;
}

/** Options in the form for a header: 64-bit addresses as text. */
const plainOptions = (options: FtraceOptions): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(options, (_key, value: unknown) =>
      typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
    ),
  ) as Record<string, unknown>;
const nameOf = (path: string) => (path === '-' ? '-' : basename(path));
const inherent = (losses: readonly string[]) => losses.map((what) => ({ what, count: null }));
const progressOf = ({ progress }: ImportInto) => (progress === undefined ? {} : { progress });

/**
 * Imports QEMU trace logs into a trace. Several logs are those of processes that continue with one GIC: the source of a
 * migration and then its destination. If the import fails, nothing is left under the final name. `live` is the stream of a
 * log that is being written; `paths` then names it.
 */
export function importToTrace(
  paths: LogInput | readonly LogInput[],
  out: string,
  options: ImportOptions & ImportInto = {},
  live?: AsyncIterable<Buffer>,
): Promise<ImportReport> {
  const {
    version: _version,
    force: _force,
    progress: _progress,
    labels: _labels,
    machine,
    memory,
    resets,
    meta,
    ...importing
  } = options;
  const inputs = Array.isArray(paths) ? (paths as readonly LogInput[]) : [paths as LogInput];
  const list = inputs.map(pathOf);
  const target = new Target(out, live === undefined ? list : [], options, meta);
  const header = ({ start, missing, shows }: SourceShows): HeaderRest => ({
    kind: 'qemu-trace',
    name: list.map(nameOf).join(', '),
    clock: { name: 'host wall clock of QEMU, from its first line', unitNs: 1000 },
    losses: inherent(QEMU_LOSSES[memory?.() ? 'with' : 'without']),
    options: {
      ...importing,
      [START]: start,
      ...(missing.length === 0 ? {} : { [MISSING]: missing }),
      ...(shows === undefined ? {} : { [SHOWS]: shows }),
    },
  });
  const sink: ImportSinkAgain = {
    begin: (config, provenance, facts) => target.begin(config, provenance, header(facts)),
    facts: (provenance, facts) => target.rehead(provenance, header(facts)),
    record: target.record,
    snapshot: (state) => target.writer!.snapshot(state.save(), state.digest()),
    again: () => target.again(),
    settled: async () => target.writer?.settled(),
    ...progressOf(options),
  };
  return target.run(async () => {
    if (live !== undefined)
      return importQemuLive(list[0]!, target.paced(live), importing, sink, machine, resets);
    const sources = inputs.map((input) => (typeof input === 'string' ? keptSource(input) : input));
    try {
      const paced = sources.map((one) => ({ name: one.name, open: () => target.paced(one.open()) }));
      const [only] = sources;
      if (sources.length === 1 && isLong(only!) && canReadBeside())
        return await importQemuBeside(only!.path, paced[0]!, importing, sink);
      return await importQemu(paced, importing, sink);
    } finally {
      for (const source of sources) source.close();
    }
  });
}

/** The stream of a source that is already open. For a path, the importer opens the file itself. */
const opened = (input: LogInput): [] | [AsyncIterable<Buffer>] =>
  typeof input === 'string' ? [] : [input.open()];

/** Imports the text of an ftrace log into a trace, as `importToTrace` does. */
export function importFtraceToTrace(
  input: LogInput,
  out: string,
  options: FtraceOptions & ImportInto = {},
): Promise<ImportReport> {
  const { version: _version, force: _force, progress: _progress, labels: _labels, ...importing } = options;
  const path = pathOf(input);
  const target = new Target(out, [path], options);
  const sink: FtraceSink = {
    begin: (config, provenance, facts) => {
      const { start, missing, showsMemory } = facts;
      const lacks = FTRACE_LOSSES.filter(({ unless }) => unless === undefined || missing.includes(unless));
      target.begin(config, provenance, {
        kind: 'ftrace',
        name: nameOf(path),
        clock: { name: 'clock of the trace, from its first line', unitNs: 1000 },
        losses: inherent([...(showsMemory ? [] : [FTRACE_MEMORY]), ...lacks.map(({ what }) => what)]),
        options: {
          ...plainOptions(importing),
          [SHOWS]: [],
          [TELLS_RESERVED]: false,
          [START]: start,
          ...(missing.length === 0 ? {} : { [MISSING]: missing }),
        },
      });
      // KVM reports the lines of its timers at each entry to the guest, changed or not.
      target.exact(config, [], { ...facts, repeatsLevels: true });
    },
    record: target.recordExact,
    ...progressOf(options),
  };
  return target.run(async () => {
    const source = typeof input === 'string' ? keptSource(input) : input;
    try {
      return await importFtrace(
        { name: source.name, open: () => target.paced(source.open()) },
        importing,
        sink,
      );
    } finally {
      if (typeof input === 'string') source.close();
    }
  });
}

/**
 * Imports JSON lines into a trace, as `importToTrace` does. `config` replaces the configuration of a header line.
 */
export function importJsonlToTrace(
  input: LogInput,
  out: string,
  options: ImportInto & { readonly config?: AnyConfig },
): Promise<ImportReport<AnyConfig>> {
  const path = pathOf(input);
  const target = new Target<AnyConfig>(out, [path], options);
  return target.run(async () => {
    const stats = await importJsonl(
      path,
      {
        begin: ({ config, clock, source, shows, reserved, learnt }) => {
          target.begin(
            config,
            { configuration: options.config === undefined ? 'log' : 'option' },
            {
              kind: 'jsonl',
              name: source ?? nameOf(path),
              clock,
              losses: [],
              options: {
                ...(shows === undefined ? {} : { [SHOWS]: shows }),
                ...(reserved ? {} : { [TELLS_RESERVED]: false }),
              },
            },
          );
          // A GICv5 has no commands of which the source could lack one.
          if (!learnt && config.architecture !== 5) target.exact(config, shows);
        },
        record: target.recordExact,
        ...progressOf(options),
      },
      options.config,
      ...opened(input),
    );
    return { ...stats, events: {}, losses: {} };
  });
}

/** What every log of a QEMU with a GICv5 lacks. */
const GICV5_LOSSES = [
  'guest memory: interrupt state tables',
  'registers and values of writes to ICC registers; only their effects',
  'reads of ICC registers',
  'GSB SYS and GSB ACK',
  'the PE of accesses and instructions, but where their effects decide it',
];

/** Imports a log of a QEMU with a GICv5 into a trace, as `importToTrace` does. */
export function importGicv5ToTrace(
  input: LogInput,
  out: string,
  options: Gicv5Options & ImportInto = {},
): Promise<ImportReport<Gicv5Config>> {
  const { pes, profile, start } = options;
  const path = pathOf(input);
  const target = new Target<Gicv5Config>(out, [path], options, options.meta);
  const importing = {
    ...(pes === undefined ? {} : { pes }),
    ...(profile === undefined ? {} : { profile }),
    ...(start === undefined ? {} : { start }),
  };
  return target.run(async () => {
    const source = typeof input === 'string' ? keptSource(input) : input;
    try {
      let records = 0;
      const stats = await importGicv5(source, importing, {
        begin: (config, provenance, facts) =>
          target.begin(config, provenance, {
            kind: 'qemu-trace',
            name: nameOf(path),
            clock: { name: 'host wall clock of QEMU, from its first line', unitNs: 1000 },
            losses: inherent(GICV5_LOSSES),
            options: {
              ...(pes === undefined ? {} : { pes }),
              [START]: facts.start,
              [SHOWS]: facts.shows,
            },
          }),
        record: (batch, i) => {
          records++;
          putWithinRange(batch, i, target.record);
        },
        ...progressOf(options),
      });
      return { ...stats, records };
    } finally {
      if (typeof input === 'string') source.close();
    }
  });
}
