// Loads traces into a database. SQLite is a cache of traces: it is made anew in a temporary file and renamed.
// Where a trace holds no events, the simulator derives them from the stimuli, and the database says so.
import {
  actOf,
  Checks,
  type Finding,
  type GicConfig,
  isInterrupt,
  isSpecial,
  Machine,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  STIMULI_BELOW,
  step,
  takenOrEnded,
} from '@gictrace/core';
import type { TargetOptions } from '@gictrace/recorder';
import { makeDatabase } from '../database/file.ts';
import { Inserter } from '../database/insert.ts';
import { StateKeeper } from '../database/state/snapshots.ts';
import { type Life, type LifeStep, Lives, type Moment } from '../timeline/lifetimes.ts';
import { Mappings } from '../timeline/mappings.ts';
import { Msis } from '../timeline/msis.ts';
import { Spurious } from '../timeline/spurious.ts';
import { tellsOfVirtual, VirtualLives } from '../timeline/virtual-lifetimes.ts';
import { Waits } from '../timeline/waits.ts';
import { Withdrawals } from '../timeline/withdrawals.ts';
import { DERIVED_TABLES, RECORDS_PER_TRACE, sqlTime } from './schema.ts';
import { TraceRows } from './trace-rows.ts';

const FIRST_EVENT = 96;
const HPPI = RECORDS.hppi.id;
const ITS_COMMAND = RECORDS['its.command'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const IRQ_ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const IRQ_DROPPED = RECORDS['irq.dropped'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const PE_ONLINE = RECORDS['op.pe.online'].id;
const PE_OFFLINE = RECORDS['op.pe.offline'].id;

/** A trace as the loader takes it. */
export interface LoadSource {
  readonly name: string;
  /** Absolute path of the trace file, which gic_state reads; absent where there is none. */
  readonly path?: string;
  readonly header: {
    readonly config: GicConfig;
    readonly source: { readonly kind: string; readonly name: string };
  };
  readonly contentDigest: string | null;
  readonly semanticDigest: string | null;
  /** Batches in order, each reused after the next is asked for. */
  readonly batches: Iterable<{ readonly batch: RecordBatch; readonly first: number }>;
}

export interface LoadOptions extends TargetOptions {
  readonly progress?: (records: number) => void;
}

export interface LoadSummary {
  readonly traces: number;
  readonly records: number;
  readonly rows: number;
}

/** Makes the database at `path` (an existing one of ours is replaced) and loads the traces into it. */
export function loadTraces(
  path: string,
  sources: Iterable<LoadSource>,
  options: LoadOptions = {},
): LoadSummary {
  return makeDatabase(
    path,
    (db) => {
      const rows = new TraceRows(db);
      const loader = new Loader(rows, options);
      let traces = 0;
      for (const source of sources) loader.load(source, ++traces);
      rows.finish();
      return { traces, records: loader.records, rows: rows.rows };
    },
    options,
  );
}

class Loader {
  private readonly rows: TraceRows;
  private readonly options: LoadOptions;
  records = 0;
  private readonly shown = new RecordBatch(4096);

  constructor(rows: TraceRows, options: LoadOptions) {
    this.rows = rows;
    this.options = options;
  }

  load(source: LoadSource, trace: number): void {
    const { config } = source.header;
    const { rows } = this;
    const machine = new Machine(config);
    const waits = new Waits(trace, machine, (row) => rows.of('waits').add(row));
    const spurious = new Spurious(trace, waits, machine.state, (row) => rows.of('spurious').add(row));
    const withdrawals = new Withdrawals();
    const seen = (step: LifeStep, life: Life, at: Moment) => {
      waits.seen(step, life, at);
      spurious.seen(step, life, at);
    };
    const lives = new Lives(trace, machine.state, (row) => rows.of('interrupts').add(row), seen, withdrawals);
    const virtualLives = new VirtualLives(trace, (row) => rows.of('vinterrupts').add(row), withdrawals);
    const mappings = new Mappings(trace, config, (row) => rows.of('mappings').add(row));
    // Findings are kept until the source has shown the moments that they point at.
    let found: Finding[] = [];
    const checks = new Checks(machine, (finding) => found.push(finding));
    const msis = new Msis((row) => rows.of('msis').add(row));
    const base = trace * RECORDS_PER_TRACE;
    const { shown } = this;
    let recordedEvents = false;
    let now = { record: 0, timeNs: Number.NaN };
    let seq = 0;
    // What the source shows this stimulus to have acknowledged or ended, and whether the simulator did the same.
    let told = -1;
    let agreed = false;
    const drain = () => {
      checks.emitted(shown);
      for (let i = 0; i < shown.count; i++) {
        const kind = shown.kind[i]!;
        const takes = kind === IRQ_ACKNOWLEDGED || kind === IRQ_DROPPED;
        if (takes && shown.words[i * RECORD_WORDS] === told) agreed = true;
        if (!takes || told < 0 || shown.words[i * RECORD_WORDS] === told)
          lives.take(shown, i, now.record, now.timeNs);
        else if (kind === IRQ_ACKNOWLEDGED) waits.disagreed(shown.pe[i]!);
        if (tellsOfVirtual(kind)) virtualLives.take(shown, i, now.record, now.timeNs);
        if (kind >= FIRST_EVENT && !recordedEvents)
          rows.event(shown, i, base + now.record, seq++, now.timeNs);
      }
      shown.clear();
    };
    machine.sink = { batch: shown, events: true, full: drain };
    let records = 0;
    let endNs = Number.NaN;
    const states = source.path === undefined ? undefined : new StateKeeper();
    for (const { batch, first } of source.batches) {
      states?.offer(first, machine.state);
      for (let i = 0; i < batch.count; i++) {
        const record = first + i;
        const kind = batch.kind[i]!;
        const timeNs = batch.timeNs[i]!;
        if (kind >= FIRST_EVENT) {
          if (!recordedEvents) {
            recordedEvents = true;
            rows.forgetEvents(base);
            seq = 0;
          }
          rows.event(batch, i, base + now.record, seq++, timeNs);
          continue;
        }
        rows.record(batch, i, base + record);
        // Sources of several threads do not tell their times in order.
        if (!(timeNs <= endNs) && !Number.isNaN(timeNs)) endNs = timeNs;
        if (kind < STIMULI_BELOW) {
          now = { record, timeNs };
          seq = 0;
          msis.close();
          told = takenOrEnded(batch, i);
          agreed = false;
          withdrawals.begin(batch, i);
          checks.stimulus(batch, i, record);
          step(machine, batch, i);
          if (kind === MSI_WRITE) msis.begin(batch, i, base + record, shown);
          const emitted = shown.count > 0;
          if (emitted) drain();
          checks.settled();
          if (isInterrupt(told) && !agreed) {
            if (kind === SYSREG_READ) {
              waits.disagreed(batch.pe[i]!);
              lives.acknowledged(told, batch.pe[i]!, record, timeNs);
            } else lives.dropped(told, batch.pe[i]!, record, timeNs);
          }
          if (kind === SYSREG_READ) {
            const act = actOf(batch, i);
            const answer = told < 0 ? machine.low : told;
            if (act?.does === 'acknowledge' && !act.isVirtual && isSpecial(answer))
              spurious.read(batch.pe[i]!, act, answer, record, timeNs);
          } else if (kind === PE_RESET) waits.reset(batch.pe[i]!);
          if (emitted) waits.settled(record, timeNs);
          continue;
        }
        checks.observable(batch, i, record);
        msis.observe(batch, i);
        if (kind === ITS_COMMAND) {
          if (rows.command(batch, i, base + record)) {
            const at = i * RECORD_WORDS;
            const w = batch.words;
            mappings.take(w[at]!, w, at + 4, w[at + 3]!, record, timeNs, now.record);
          }
        } else if (kind === HPPI) lives.take(batch, i, record, timeNs);
        else if (kind === PE_ONLINE || kind === PE_OFFLINE) waits.online(batch.pe[i]!, kind === PE_ONLINE);
      }
      if (found.length > 1) {
        // The last may belong to a stimulus whose observables are in the next batch.
        for (const finding of found.splice(0, found.length - 1)) rows.finding(trace, finding);
      }
      records += batch.count;
      this.records += batch.count;
      this.options.progress?.(this.records);
    }
    msis.close();
    waits.finish(records, endNs);
    lives.finish();
    virtualLives.finish();
    mappings.finish();
    checks.end();
    for (const finding of found) rows.finding(trace, finding);
    found = [];
    const traces = new Inserter(rows.db, DERIVED_TABLES.traces);
    traces.add([
      trace,
      source.name,
      records,
      source.header.source.name,
      source.header.source.kind,
      config.profile,
      config.architecture,
      config.pes.length,
      config.its.length,
      recordedEvents ? 'recorded' : 'simulated',
      source.contentDigest,
      source.semanticDigest,
      JSON.stringify(source.header),
      source.path ?? null,
      sqlTime(endNs),
    ]);
    traces.flush();
    states?.store(rows.db, trace);
  }
}
