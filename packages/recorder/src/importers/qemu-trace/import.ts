// Imports a trace log of QEMU: lines → tokens → groups → records, with the configuration decided and what
// the log does not say learnt. Streams: memory does not grow with the log.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import type { GicState } from '@gictrace/core/model';
import { RECORDS, type RecordBatch, type RecordName } from '@gictrace/core/record';
import { Identity, type ImportOptions, type KnownMachine, type Provenance } from '../common/identity.ts';
import type { ImportStats } from '../common/import-stats.ts';
import { PLACED } from '../common/learn/explain.ts';
import { Learner } from '../common/learn/learner.ts';
import type { Missing, Start } from '../common/learn/unknowns.ts';
import { eachLine } from '../common/lines.ts';
import { Losses } from '../common/losses.ts';
import { withinRange } from '../common/range.ts';
import { Assembler, type AssemblerOptions, type MachineReset, type ToldReset } from './assemble.ts';
import { GIC_PREFIX } from './events.ts';
import type { GroupSink } from './group.ts';
import { GroupQueue } from './group-queue.ts';
import { findResets } from './reset-places.ts';
import { ResetSurvey } from './resets.ts';
import { SecurityStates } from './security/states.ts';
import { type LogSurvey, Survey } from './survey.ts';
import { eventNames, newToken, tokenize } from './tokenize.ts';

/** Lines that are looked at for the GIC's configuration before records go out. */
const LINES_HELD = 300_000;
/** So many differences that nothing explains are not of one line that is wrong. */
const DOUBTS = 10;
/** Lines before the end of a log that are watched for effects that are cut off. */
const LINES_WATCHED = 400;
/** Records from one snapshot to the next, about. */
const SNAPSHOT_RECORDS = 65_536;
/** A log without a line about a GIC in its first so many lines is another tool's. */
const FOREIGN_MAX = 200_000;

export interface ImportSink {
  /** The configuration is decided: records follow. `facts`: what is known of the log as a whole. */
  begin(config: GicConfig, provenance: Provenance, facts: SourceShows): void;
  /** Takes record `i` of a batch that is reused after the call. */
  record(batch: RecordBatch, i: number): void;
  /** The state that holds before the next record; called now and then, on a boundary between stimuli. */
  snapshot?(state: GicState): void;
  /** Called now and then with the number of lines read. */
  progress?(lines: number): void;
}

/** What a log as a whole shows. */
export interface SourceShows {
  readonly start: Start;
  /** Sorts of stimuli that were at work and that the log has no line of. */
  readonly missing: readonly Missing[];
  /** Kinds of observables that it has lines of; undefined where that is not known beforehand, and all count. */
  readonly shows: readonly RecordName[] | undefined;
}

/** One log: its bytes, which can be had from the beginning again. */
export interface LogSource {
  readonly name: string;
  open(): AsyncIterable<Buffer>;
}

/**
 * Imports logs, one behind the other, of processes that go on with the same GIC. Each is read twice: first to see what it
 * has at all.
 * @throws GicTraceError `input` if one cannot be read or is no QEMU trace log.
 */
export async function importQemu(
  sources: readonly LogSource[],
  options: ImportOptions,
  sink: ImportSink,
): Promise<ImportStats> {
  const identity = new Identity();
  const survey = new Survey();
  const restarts = new ResetSurvey();
  const surveyed = new Reading(sources, identity, new Losses(), {
    sink: {
      group: (batch) => {
        survey.group(batch);
        restarts.group(batch);
      },
    },
    threadSurvey: survey.threads,
    pastInterrupt: () => survey.pastInterrupt(),
  });
  await surveyed.read();
  const found = survey.finish(surveyed.assembler.counts, options.start);
  const total = surveyed.place.line;
  const pass = async (
    into: ImportSink,
    missing: ReadonlySet<Missing>,
    resets: readonly MachineReset[],
    { until, most } = { until: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY },
  ) => {
    const losses = new Losses();
    const take = new Taking(identity, losses, into, () => reading.place);
    const reading: Reading = new Reading(sources, identity, losses, {
      sink: { group: (batch, isLast) => take.group(batch, isLast) },
      line: (lines) => {
        if (lines > total - LINES_WATCHED) take.watch();
        if (lines >= until || take.contradictions.length > most) throw ENOUGH;
      },
      threads: found.threads,
      resets,
      fromReset: found.start === 'reset',
      queue: PLACED.queue * 2 ** 32,
      unwritten: missing.has('GITS writes'),
      unnumbered: !found.numbersCommands,
      unprinted: !found.printsOperands,
      ...(sink.progress === undefined ? {} : { progress: sink.progress }),
    });
    const listsCommands = into === NOWHERE && found.numbersCommands && found.shows.includes('its.command');
    take.begin(options, {}, { ...found, missing, listsCommands });
    if (into === NOWHERE) take.watch();
    await reading.read().catch((error: unknown) => {
      if (error !== ENOUGH) throw error;
    });
    take.end();
    return { stats: reading.stats(take.records), contradictions: take.contradictions };
  };
  let { missing } = found;
  const contradicted = async (tried: readonly MachineReset[], until: number, most: number) =>
    (await pass(NOWHERE, missing, tried, { until, most })).contradictions;
  const resets = await findResets(restarts, total, contradicted);
  if (found.doubtful.size > 0) {
    // Whether the accesses are missing, or there were none, shows in what the rest of the log makes of it.
    const { contradictions } = await pass(NOWHERE, missing, resets);
    if (contradictions.length >= DOUBTS) missing = new Set([...missing, ...found.doubtful]);
  }
  return (await pass(sink, missing, resets)).stats;
}

/** Thrown where a log need not be read on. */
const ENOUGH = new Error('enough');
/** Where records go that are made to see whether they agree. */
const NOWHERE: ImportSink = { begin: () => undefined, record: () => undefined };

/**
 * Imports a log while it is written, which can be read once only: nothing in it is looked for beforehand, and all that
 * QEMU can show counts as shown. `machine`: what is known of the GIC when its configuration is decided. `toldResets`: of
 * the machine, in order, put there before the first line behind each is read.
 */
export async function importQemuLive(
  name: string,
  source: AsyncIterable<Buffer>,
  options: ImportOptions,
  sink: ImportSink,
  machine: () => KnownMachine = () => ({}),
  toldResets: ToldReset[] = [],
): Promise<ImportStats> {
  const identity = new Identity();
  const losses = new Losses();
  const held = new GroupQueue<boolean>();
  const start = options.start ?? 'reset';
  let begun = false;
  const reading: Reading = new Reading([{ name, open: () => source }], identity, losses, {
    sink: { group: (batch, isLast) => (begun ? take.group(batch, isLast) : held.push(batch, isLast)) },
    fromReset: start === 'reset',
    toldResets,
    ...(start === 'reset' ? {} : { queue: PLACED.queue * 2 ** 32 }),
    line: (lines) => {
      if (!begun && (identity.complete || lines >= LINES_HELD)) begin();
    },
    ...(sink.progress === undefined ? {} : { progress: sink.progress }),
  });
  const take = new Taking(identity, losses, sink, () => reading.place);
  const begin = () => {
    take.begin(options, machine(), { start, missing: new Set(), shows: undefined });
    begun = true;
    held.drain((batch, isLast) => take.group(batch, isLast));
  };
  await reading.read();
  if (!begun) begin();
  take.end();
  return reading.stats(take.records);
}

interface ReadingOptions extends AssemblerOptions {
  readonly sink: GroupSink;
  readonly progress?: (lines: number) => void;
  /** Called behind each line about a GIC. */
  readonly line?: (lines: number) => void;
}

/** Reads logs, line by line, into groups of records. */
class Reading {
  readonly assembler: Assembler;
  private readonly sources: readonly LogSource[];
  private readonly losses: Losses;
  private readonly options: ReadingOptions;
  private readonly token = newToken();
  private name = '';
  private lines = 0;
  private known = 0;

  constructor(sources: readonly LogSource[], identity: Identity, losses: Losses, options: ReadingOptions) {
    this.sources = sources;
    this.losses = losses;
    this.options = options;
    this.assembler = new Assembler(identity, losses, options.sink, options);
  }

  /** Where it is. */
  get place(): { readonly path: string; readonly line: number } {
    return { path: this.name, line: this.lines };
  }

  async read(): Promise<void> {
    for (const [n, source] of this.sources.entries()) {
      this.name = source.name;
      const [lines, known] = [this.lines, this.known];
      if (n > 0) this.assembler.boundary();
      await eachLine(source.open(), (bytes, from, to) => this.line(bytes, from, to)).catch(
        (error: unknown) => {
          if (error instanceof GicTraceError && error.place.path === undefined)
            throw new GicTraceError(error.code, error.message, { path: this.name }, error.hint);
          throw error;
        },
      );
      if (this.lines === lines)
        throw new GicTraceError(
          'input',
          'is empty',
          { path: this.name },
          'record with qemu -trace "gicv3_*" -D FILE',
        );
      if (this.known === known) throw notALog(this.name, '');
    }
    this.assembler.end();
    const { malformed, firstMalformed } = this.assembler;
    if (malformed > 0)
      this.losses.add(`lines cut or malformed, the first at line ${firstMalformed}`, malformed);
  }

  private line(bytes: Buffer, from: number, to: number): void {
    const { token } = this;
    const lines = ++this.lines;
    tokenize(bytes, from, to, token);
    if (token.kind !== undefined) {
      this.known++;
      this.assembler.line(token, lines);
      this.options.line?.(lines);
    } else if (to > from) {
      const word = bytes.toString('latin1', token.nameFrom, Math.min(token.nameTo, token.nameFrom + 60));
      if (word.startsWith(GIC_PREFIX) && !word.endsWith(':')) this.losses.add(`event ${word}: not read`);
      else if (word.startsWith(GIC_PREFIX))
        this.losses.add('messages of QEMU about the guest (-d guest_errors)');
      else this.losses.add('lines of other events or of the guest');
      if (this.known === 0 && lines > FOREIGN_MAX) throw notALog(this.name, 'in its first lines');
    }
    if ((lines & 0xffff) === 0) this.options.progress?.(lines);
  }

  stats(records: number): ImportStats {
    const { counts } = this.assembler;
    const events: Record<string, number> = {};
    eventNames.forEach((event, index) => {
      if (counts[index]! > 0) events[event] = counts[index]!;
    });
    return { lines: this.lines, records, events, losses: Object.fromEntries(this.losses.counts) };
  }
}

/** Takes groups of records once the configuration is decided: learns what the log does not say, and hands them on. */
class Taking {
  records = 0;
  private readonly identity: Identity;
  private readonly losses: Losses;
  private readonly sink: ImportSink;
  private readonly place: () => { readonly path: string; readonly line: number };
  private learner: Learner | undefined;
  private security: SecurityStates | undefined;
  private peCount = 0;
  private lastSnapshot = 0;

  constructor(
    identity: Identity,
    losses: Losses,
    sink: ImportSink,
    place: () => { readonly path: string; readonly line: number },
  ) {
    this.identity = identity;
    this.losses = losses;
    this.sink = sink;
    this.place = place;
  }

  begin(
    options: ImportOptions,
    machine: KnownMachine,
    {
      start,
      missing,
      shows,
      listsCommands = false,
    }: Pick<LogSurvey, 'start' | 'missing'> &
      Pick<SourceShows, 'shows'> & { readonly listsCommands?: boolean },
  ): void {
    const { config, provenance } = this.identity.decide(options, machine);
    this.peCount = config.pes.length;
    const kinds = shows === undefined ? undefined : new Set<number>(shows.map((name) => RECORDS[name].id));
    this.learner = new Learner(
      config,
      {
        start,
        missing,
        shows: (kind) => kinds === undefined || kinds.has(kind),
        listsCommands,
      },
      this.losses,
      (batch, i) => {
        this.records++;
        this.sink.record(batch, i);
      },
    );
    const showsSent = shows === undefined || shows.includes('sgi.sent');
    this.security = new SecurityStates(
      () => this.learner!.machine,
      config.resetNonSecure !== true,
      start === 'mid-life',
      showsSent,
      { group: (batch, isLast) => this.learn(batch, isLast) },
    );
    this.sink.begin(config, provenance, { start, missing: [...missing], shows });
  }

  /** Lines at which something differs that nothing unknown explains. */
  get contradictions(): readonly number[] {
    return this.learner!.contradictions;
  }

  /** The end of the log is near: from here on it is watched for effects that are cut off. */
  watch(): void {
    this.learner!.watch();
  }

  group(batch: RecordBatch, isLast: boolean): void {
    const { identity } = this;
    if (identity.highestPe >= this.peCount)
      throw new GicTraceError(
        'input',
        `PE ${identity.highestPe} appears, but ${this.peCount} PEs were counted before`,
        this.place(),
        `give --pes ${identity.highestPe + 1}`,
      );
    this.security!.group(withinRange(batch), isLast);
  }

  /** No more groups come. */
  end(): void {
    this.security!.end();
  }

  private learn(batch: RecordBatch, isLast: boolean): void {
    const { sink } = this;
    this.learner!.take(batch, isLast);
    if (sink.snapshot !== undefined && this.records - this.lastSnapshot >= SNAPSHOT_RECORDS) {
      this.lastSnapshot = this.records;
      sink.snapshot(this.learner!.machine.state);
    }
  }
}

function notALog(path: string, where: string): GicTraceError {
  return new GicTraceError(
    'input',
    `has no line of a gicv3_ event${where ? ` ${where}` : ''}: it is not a QEMU trace log of a GICv3`,
    { path },
    'record with qemu -trace "gicv3_*" -trace "memory_region_ops_*" -D FILE',
  );
}
