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
import { Losses } from '../common/losses.ts';
import { withinRange } from '../common/range.ts';
import type { MachineReset, ToldReset } from './assemble.ts';
import { GroupQueue } from './group-queue.ts';
import { LINES_WATCHED, type LogSource, Reading, surveying, taking } from './reading.ts';
import { findResets } from './reset-places.ts';
import { ResetSurvey } from './resets.ts';
import { SecurityStates } from './security/states.ts';
import { type LogSurvey, Survey } from './survey.ts';

const SGI_SENT = RECORDS['sgi.sent'].id;
/** Lines that are looked at for the GIC's configuration before records go out. */
const LINES_HELD = 300_000;
/** So many differences that nothing explains are not of one line that is wrong. */
const DOUBTS = 10;
/** Where the command queue is taken to be until a log shows it. */
export const QUEUE = PLACED.queue * 2 ** 32;
/** Records from one snapshot to the next, about. */
const SNAPSHOT_RECORDS = 65_536;

export interface ImportSink {
  /** The configuration is decided: records follow. `facts`: what is known of the log as a whole. */
  begin(config: GicConfig, provenance: Provenance, facts: SourceShows): void;
  /** Takes record `i` of a batch that is reused after the call. */
  record(batch: RecordBatch, i: number): void;
  /** The state that holds before the next record; called now and then, on a boundary between stimuli. */
  snapshot?(state: GicState): void;
  /** Called now and then with the number of lines read. */
  progress?(lines: number): void;
  /** All that has come since `begin` is void: it begins again. Of importers that begin before they know enough. */
  again?(): void;
  /** What is known of the log in the end, where less was known when it began. */
  facts?(provenance: Provenance, facts: SourceShows): void;
  /** Waits while more has come than should be kept in memory; for importers whose source does not wait. */
  settled?(): Promise<void>;
}

/** What a log as a whole shows. */
export interface SourceShows {
  readonly start: Start;
  /** Sorts of stimuli that were at work and that the log has no line of. */
  readonly missing: readonly Missing[];
  /** Kinds of observables that it has lines of; undefined where that is not known beforehand, and all count. */
  readonly shows: readonly RecordName[] | undefined;
}

/** What the first reading of logs has found. */
export interface Surveyed {
  readonly identity: Identity;
  readonly found: LogSurvey;
  readonly restarts: ResetSurvey;
  /** Lines in all. */
  readonly total: number;
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

/** Imports logs of which the first reading has been. */
export async function importSurveyed(
  sources: readonly LogSource[],
  { identity, found, restarts, total }: Surveyed,
  options: ImportOptions,
  sink: ImportSink,
): Promise<ImportStats> {
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
      ...taking(found, missing, resets, QUEUE),
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
  if (found.doubtful.length > 0) {
    // Whether the accesses are missing, or there were none, shows in what the rest of the log makes of it.
    const doubts = async (with_: ReadonlySet<Missing>) =>
      (await pass(NOWHERE, with_, resets, { until: Number.POSITIVE_INFINITY, most: DOUBTS - 1 }))
        .contradictions.length;
    const known = missing;
    let least = await doubts(missing);
    for (const { sorts, isUsual } of found.doubtful) {
      // With other sorts missing little contradicts.
      if (!isUsual && missing.size > 0) missing = new Set([...missing, ...sorts]);
      if (least < (isUsual ? DOUBTS : 1)) continue;
      const more = new Set([...missing, ...sorts]);
      const left = await doubts(more);
      if (left >= least) continue;
      missing = more;
      least = left;
    }
    if (least >= DOUBTS) missing = new Set([...known, ...found.doubtful.flatMap(({ sorts }) => [...sorts])]);
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

/** Takes groups of records once the configuration is decided: learns what the log does not say, and hands them on. */
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
        /** Whether the log shows a kind, in place of what `shows` says. */
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
