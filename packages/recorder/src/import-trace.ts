// From a source to a trace file: an importer's records, with snapshots of the model's state where it keeps one.
import { basename } from 'node:path';
import { type GicConfig, VERSION } from '@gictrace/core';
import { STATE_VERSION } from '@gictrace/core/model';
import type { RecordBatch } from '@gictrace/core/record';
import { type KeptSource, keptSource } from './importers/common/kept-source.ts';
import { ExactSource } from './importers/common/learn/exact.ts';
import type { Missing, Start } from './importers/common/learn/unknowns.ts';
import { Losses } from './importers/common/losses.ts';
import { type FtraceOptions, type FtraceSink, importFtrace } from './importers/ftrace/index.ts';
import { importJsonl } from './importers/jsonl/index.ts';
import {
  type ImportOptions,
  type ImportSink,
  type ImportStats,
  importQemu,
  importQemuLive,
  type KnownMachine,
  type Provenance,
  type ToldReset,
} from './importers/qemu-trace/index.ts';
import { type TargetOptions, targetOf } from './output/index.ts';
import {
  MISSING,
  SHOWS,
  START,
  TELLS_RESERVED,
  TRACE_OUTPUT,
  type TraceHeader,
  type TraceSummary,
  TraceWriter,
} from './trace/index.ts';

export interface ImportReport {
  readonly stats: ImportStats;
  readonly summary: TraceSummary;
  readonly config: GicConfig;
  readonly provenance: Provenance;
  /** How the source begins, and the sorts of stimuli that it lacks. */
  readonly start: Start;
  readonly missing: readonly Missing[];
}

/** A log: by its path (`-` is standard input), or as a source that has been looked at. */
export type LogInput = string | KeptSource;
const pathOf = (input: LogInput) => (typeof input === 'string' ? input : input.path);

/** What every import is told besides. */
export interface ImportInto extends Pick<TargetOptions, 'force'> {
  /** Version of gictrace that the header names; its own when absent. */
  readonly version?: string | undefined;
  readonly progress?: (lines: number) => void;
  /** What is known of the GIC but by the log; asked when the header is written. */
  readonly machine?: () => KnownMachine;
  /** Resets of the machine that are known but by the log, in order. */
  readonly resets?: ToldReset[];
  /** Whether the log tells what guest memory holds where the GIC looks at it; asked when the header is written. */
  readonly memory?: () => boolean;
  /** What else the footer is to hold; asked at the end. */
  readonly meta?: () => Record<string, unknown>;
}

/** What every QEMU log leaves out, by whether it tells of guest memory. */
const QEMU_LOSSES = {
  without: [
    'guest memory, but for stores that a plugin logs',
    'ICC_SRE_EL1 accesses',
    'operands of SYNC, VSYNC and INVALL',
    'outcomes of ITS commands',
  ],
  with: ['guest memory, but for what the GIC looks at', 'ICC_SRE_EL1 accesses', 'outcomes of ITS commands'],
} as const;

/** What no ftrace log tells. */
const FTRACE_LOSSES = [
  'guest memory: LPI configuration, pending tables, ITS commands and tables',
  'accesses to system registers: acknowledges, EOIs, priority masks, SGIs',
  'highest-priority pending interrupts and interrupt lines',
  'wires, but for those of a virtual machine that KVM reports',
  'whether a location is reserved',
];

/** The writer of an import: begins when the configuration is decided, and leaves nothing if the import fails. */
class Target {
  writer: TraceWriter | undefined;
  decided: Pick<ImportReport, 'config' | 'provenance' | 'start' | 'missing'> | undefined;
  private source: ExactSource | undefined;
  private readonly out: string;
  private readonly version: string;
  private readonly rules: TargetOptions;
  private readonly meta: () => Record<string, unknown>;

  /** `inputs`: the files that are imported, which are never written. */
  constructor(
    out: string,
    inputs: readonly string[],
    { version = VERSION, force = false }: ImportInto,
    meta: () => Record<string, unknown> = () => ({}),
  ) {
    this.out = out;
    this.version = version;
    this.rules = { inputs, force };
    // Before a long log is read: an output that may not be written is refused at once.
    targetOf(out, TRACE_OUTPUT, this.rules);
    this.meta = meta;
  }

  begin(
    config: GicConfig,
    provenance: Provenance,
    rest: Pick<TraceHeader, 'clock' | 'losses' | 'options'> & {
      readonly kind: string;
      readonly name: string;
    },
  ): void {
    const { kind, name, ...header } = rest;
    const { options } = header;
    this.decided = {
      config,
      provenance,
      start: options[START] === 'mid-life' ? 'mid-life' : 'reset',
      missing: (options[MISSING] as readonly Missing[] | undefined) ?? [],
    };
    const all: TraceHeader = {
      writer: { name: 'gictrace', version: this.version },
      config,
      source: { kind, name, provenance },
      stateVersion: STATE_VERSION,
      seed: null,
      ...header,
    };
    this.writer = new TraceWriter(this.out, all, { ...this.rules, isOverlapped: true });
  }

  /** A source that gives its next bytes when the writer has room. */
  async *paced(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      yield chunk;
      await this.writer?.settled();
    }
  }

  readonly record = (batch: RecordBatch, i: number): void => this.writer!.record(batch, i);

  /** A sink of records that are taken as they are, but for what follows from commands that the source does not show. */
  exact(config: GicConfig, shows: readonly string[] | undefined): void {
    this.source = new ExactSource(config, shows, new Losses(), this.record);
  }

  readonly recordExact = (batch: RecordBatch, i: number): void =>
    (this.source ?? this.writer!).record(batch, i);

  async run(work: () => Promise<ImportStats>): Promise<ImportReport> {
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
      throw error;
    }
  }
}

/** Options as a header can hold them: addresses of 64 bits as text. */
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
 * Imports QEMU trace logs into a trace: several are those of processes that go on with one GIC, the source of a migration
 * and then its destination. Nothing is left under the final name if it fails. `live`: the bytes of a log that is being
 * written, which `paths` names then.
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
    machine,
    memory,
    resets,
    meta,
    ...importing
  } = options;
  const inputs = Array.isArray(paths) ? (paths as readonly LogInput[]) : [paths as LogInput];
  const list = inputs.map(pathOf);
  const target = new Target(out, live === undefined ? list : [], options, meta);
  const sink: ImportSink = {
    begin: (config, provenance, { start, missing, shows }) =>
      target.begin(config, provenance, {
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
      }),
    record: target.record,
    snapshot: (state) => target.writer!.snapshot(state.save(), state.digest()),
    ...progressOf(options),
  };
  return target.run(async () => {
    if (live !== undefined)
      return importQemuLive(list[0]!, target.paced(live), importing, sink, machine, resets);
    const sources = inputs.map((input) => (typeof input === 'string' ? keptSource(input) : input));
    try {
      const paced = sources.map((one) => ({ name: one.name, open: () => target.paced(one.open()) }));
      return await importQemu(paced, importing, sink);
    } finally {
      for (const source of sources) source.close();
    }
  });
}

/** The bytes of a source that has been looked at; of a path the importer opens them itself. */
const opened = (input: LogInput): [] | [AsyncIterable<Buffer>] =>
  typeof input === 'string' ? [] : [input.open()];

/** Imports the text of an ftrace log into a trace, as `importToTrace` does. */
export function importFtraceToTrace(
  input: LogInput,
  out: string,
  options: FtraceOptions & ImportInto = {},
): Promise<ImportReport> {
  const { version: _version, force: _force, progress: _progress, ...importing } = options;
  const path = pathOf(input);
  const target = new Target(out, [path], options);
  const sink: FtraceSink = {
    begin: (config, provenance) => {
      target.begin(config, provenance, {
        kind: 'ftrace',
        name: nameOf(path),
        clock: { name: 'clock of the trace, from its first line', unitNs: 1000 },
        losses: inherent(FTRACE_LOSSES),
        options: { ...plainOptions(importing), [SHOWS]: [], [TELLS_RESERVED]: false },
      });
      target.exact(config, []);
    },
    record: target.recordExact,
    ...progressOf(options),
  };
  return target.run(() => importFtrace(path, importing, sink, ...opened(input)));
}

/**
 * Imports JSON lines into a trace, as `importToTrace` does. `config` stands in for the configuration of a header line.
 */
export function importJsonlToTrace(
  input: LogInput,
  out: string,
  options: ImportInto & { readonly config?: GicConfig },
): Promise<ImportReport> {
  const path = pathOf(input);
  const target = new Target(out, [path], options);
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
          if (!learnt) target.exact(config, shows);
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
