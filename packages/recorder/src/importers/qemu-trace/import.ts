// Imports QEMU trace logs: lines → tokens → groups → records. Decides the configuration and learns what the log does
// not contain. Streams, so that memory does not grow with the log.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import type { GicState } from '@gictrace/core/model';
import { RECORDS, type RecordBatch, type RecordName } from '@gictrace/core/record';
import { Identity, type ImportOptions, type KnownMachine, type Provenance } from '../common/identity.ts';
import type { ImportStats } from '../common/import-stats.ts';
import { Learner } from '../common/learn/learner.ts';
import { PLACED } from '../common/learn/placed-tables.ts';
import type { Missing, Start } from '../common/learn/unknowns.ts';
import { Losses } from '../common/losses.ts';
import { withinRange } from '../common/range.ts';
import { SGI_SENT } from '../common/record-kinds.ts';
import type { MachineReset, ToldReset } from './assemble.ts';
import { GroupQueue } from './group-queue.ts';
import { LINES_WATCHED, type LogSource, Reading, surveying, taking } from './reading.ts';
import { findResets } from './reset-places.ts';
import { ResetSurvey } from './resets.ts';
import { SecurityStates } from './security/states.ts';
import { type LogSurvey, Survey } from './survey.ts';

/** Lines that are examined for the GIC's configuration before records are handed on. */
const LINES_HELD = 300_000;
/** This many unexplained differences cannot all come from one wrong line. */
const DOUBTS = 10;
/** A log begins in mid-life if that leaves this many times fewer differences than a reset does. */
const DOUBTS_FACTOR = 3;
/** The address assumed for the command queue until a log reveals it. */
export const QUEUE = PLACED.queue * 2 ** 32;
/** The approximate number of records from one snapshot to the next. */
const SNAPSHOT_RECORDS = 65_536;

export interface ImportSink {
  /** The configuration is decided, and records follow. `facts`: what is known about the log as a whole. */
  begin(config: GicConfig, provenance: Provenance, facts: SourceShows): void;
  /** Takes record `i` of a batch that is reused after the call. */
  record(batch: RecordBatch, i: number): void;
  /** The state before the next record. Called from time to time, between stimuli. */
  snapshot?(state: GicState): void;
  /** Called from time to time with the number of lines read. */
  progress?(lines: number): void;
  /**
   * Everything since `begin` is void, and the import begins again. Only for importers that begin before they know
   * enough.
   */
  again?(): void;
  /** What is known about the log at its end, if less was known when the import began. */
  facts?(provenance: Provenance, facts: SourceShows): void;
  /** Waits while more has arrived than memory should hold. For importers whose source does not wait. */
  settled?(): Promise<void>;
}

/** What a log contains as a whole. */
export interface SourceShows {
  readonly start: Start;
  /** Kinds of stimuli that occurred and for which the log has no line. */
  readonly missing: readonly Missing[];
  /**
   * Kinds of observables that the log has lines of; undefined if that is not known beforehand, and then all kinds
   * count.
   */
  readonly shows: readonly RecordName[] | undefined;
}

/** What the first reading of the logs has found. */
export interface Surveyed {
  readonly identity: Identity;
  readonly found: LogSurvey;
  readonly restarts: ResetSurvey;
  /** The total number of lines. */
  readonly total: number;
}

/**
 * Imports consecutive logs of processes that continue with the same GIC. Each log is read twice: first to find out what
 * it contains at all.
 * @throws GicTraceError `input` if a log cannot be read or is not a QEMU trace log.
 */
export async function importQemu(
  sources: readonly LogSource[],
  options: ImportOptions,
  sink: ImportSink,
): Promise<ImportStats> {
  return importSurveyed(sources, await surveyLogs(sources, options), options, sink);
}

/** Reads logs for the first time. */
async function surveyLogs(sources: readonly LogSource[], options: ImportOptions): Promise<Surveyed> {
  const identity = new Identity();
  const survey = new Survey();
  const restarts = new ResetSurvey();
  const surveyed = new Reading(sources, identity, new Losses(), surveying(survey, restarts));
  await surveyed.read();
  const found = survey.finish(surveyed.assembler.counts, options.start);
  identity.showShifted(found.isShifted);
  return { identity, found, restarts, total: surveyed.place.line };
}

/** Imports logs that have been read once. */
export async function importSurveyed(
  sources: readonly LogSource[],
  surveyed: Surveyed,
  options: ImportOptions,
  sink: ImportSink,
): Promise<ImportStats> {
  const reader = new Rereading(sources, surveyed, options, sink.progress?.bind(sink));
  const found = await reader.decide(surveyed.found);
  return (await reader.pass(sink, found)).stats;
}

/** How a log is read: as beginning where, without which stimuli, and with which resets. */
interface Hypothesis {
  readonly found: LogSurvey;
  readonly missing: ReadonlySet<Missing>;
  readonly resets: readonly MachineReset[];
}

/** Reads surveyed logs again, once for each hypothesis that the survey leaves open, and then for good. */
class Rereading {
  private readonly sources: readonly LogSource[];
  private readonly surveyed: Surveyed;
  private readonly options: ImportOptions;
  private readonly progress: ((lines: number) => void) | undefined;

  constructor(
    sources: readonly LogSource[],
    surveyed: Surveyed,
    options: ImportOptions,
    progress: ((lines: number) => void) | undefined,
  ) {
    this.progress = progress;
    this.sources = sources;
    this.surveyed = surveyed;
    this.options = options;
  }

  async pass(
    into: ImportSink,
    { found, missing, resets }: Hypothesis,
    { until, most } = { until: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY },
  ) {
    const { identity, total } = this.surveyed;
    const losses = new Losses();
    const take = new Taking(identity, losses, into, () => reading.place);
    const reading: Reading = new Reading(this.sources, identity, losses, {
      sink: { group: (batch, isLast) => take.group(batch, isLast) },
      line: (lines) => {
        if (lines > total - LINES_WATCHED) take.watch();
        if (lines >= until || take.contradictions.length > most) throw ENOUGH;
      },
      ...taking(found, missing, resets, QUEUE),
      ...(this.progress === undefined ? {} : { progress: this.progress }),
    });
    const listsCommands = into === NOWHERE && found.numbersCommands && found.shows.includes('its.command');
    take.begin(this.options, {}, { ...found, missing, listsCommands });
    if (into === NOWHERE) take.watch();
    await reading.read().catch((error: unknown) => {
      if (error !== ENOUGH) throw error;
    });
    take.end();
    return { stats: reading.stats(take.records), contradictions: take.contradictions };
  }

  /** How many lines contradict a hypothesis, as far as they are counted. */
  private async doubts(hypothesis: Hypothesis): Promise<number> {
    const most = { until: Number.POSITIVE_INFINITY, most: DOUBTS - 1 };
    return (await this.pass(NOWHERE, hypothesis, most)).contradictions.length;
  }

  /** Decides what a survey leaves open by how well the log agrees with the model. */
  async decide(found: LogSurvey): Promise<Hypothesis> {
    const best = await this.settle(found);
    const { midLife } = found;
    if (midLife === undefined) return best;
    const least = await this.doubts(best);
    if (least === 0) return best;
    const other = await this.settle(midLife);
    const left = await this.doubts(other);
    // Unknown state explains wrong lines, too, but not all of them.
    return left === 0 || left * DOUBTS_FACTOR <= least ? other : best;
  }

  private async settle(found: LogSurvey): Promise<Hypothesis> {
    const { restarts, total } = this.surveyed;
    let { missing } = found;
    const contradicted = async (resets: readonly MachineReset[], until: number, most: number) =>
      (await this.pass(NOWHERE, { found, missing, resets }, { until, most })).contradictions;
    const resets = await findResets(restarts, total, contradicted);
    if (found.doubtful.length > 0) {
      // Whether the accesses are missing from the log or did not happen follows from how well the rest of the log
      // agrees with either.
      const known = missing;
      let least = await this.doubts({ found, missing, resets });
      for (const { sorts, isUsual, isRare } of found.doubtful) {
        // If other kinds are missing, few lines contradict anything.
        if (!isUsual && isRare !== true && missing.size > 0) missing = new Set([...missing, ...sorts]);
        if (least < (isUsual ? DOUBTS : 1)) continue;
        const more = new Set([...missing, ...sorts]);
        const left = await this.doubts({ found, missing: more, resets });
        if (left >= least) continue;
        missing = more;
        least = left;
      }
      if (least >= DOUBTS)
        missing = new Set([...known, ...found.doubtful.flatMap(({ sorts }) => [...sorts])]);
    }
    return { found, missing, resets };
  }
}

/** Thrown when a log need not be read any further. */
const ENOUGH = new Error('enough');
/** Where records go that are only made to see whether they agree. */
const NOWHERE: ImportSink = { begin: () => undefined, record: () => undefined };

/**
 * Imports a log while it is being written. It can be read only once, so nothing is looked up in it beforehand, and
 * everything that QEMU can print is assumed to be in it. `machine`: what is known about the GIC when its configuration
 * is decided. `toldResets`: resets of the machine, in order; each is added before the first line after it is read.
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
    ...(start === 'reset' ? {} : { queue: QUEUE }),
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

/**
 * Takes groups of records once the configuration is decided, learns what the log does not contain, and hands the
 * records on.
 */
export class Taking {
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
      isShown,
    }: Pick<LogSurvey, 'start' | 'missing'> &
      Pick<SourceShows, 'shows'> & {
        readonly listsCommands?: boolean;
        /** Whether the log contains a kind; replaces `shows`. */
        readonly isShown?: (kind: number) => boolean;
      },
  ): void {
    const { config, provenance } = this.identity.decide(options, machine);
    this.peCount = config.pes.length;
    const kinds = shows === undefined ? undefined : new Set<number>(shows.map((name) => RECORDS[name].id));
    const isKindShown = isShown ?? ((kind: number) => kinds === undefined || kinds.has(kind));
    this.learner = new Learner(
      config,
      {
        start,
        missing,
        shows: isKindShown,
        listsCommands,
      },
      this.losses,
      (batch, i) => {
        this.records++;
        this.sink.record(batch, i);
      },
    );
    this.security = new SecurityStates(
      () => this.learner!.machine,
      config.resetNonSecure !== true,
      start === 'mid-life',
      () => isKindShown(SGI_SENT),
      { group: (batch, isLast) => this.learn(batch, isLast) },
    );
    this.sink.begin(config, provenance, { start, missing: [...missing], shows });
  }

  /** Lines that differ from the model in a way that no unknown state explains. */
  get contradictions(): readonly number[] {
    return this.learner!.contradictions;
  }

  /** The end of the log is near. From here on, effects may be cut off. */
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

  /** No more groups follow. */
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
