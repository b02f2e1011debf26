// Loads traces into a database. SQLite is a cache of traces: it is made anew in a temporary file and renamed.
// Where a trace holds no events, the simulator derives them from the stimuli, and the database says so.
import {
  CHECKS,
  Checks,
  type Finding,
  FRAMES,
  type GicConfig,
  Machine,
  outcomeName,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  RULES,
  registerAt,
  STIMULI_BELOW,
  SYSREGS,
  step,
} from '@gictrace/core';
import type Database from 'better-sqlite3';
import { makeDatabase } from './database-file.ts';
import { Inserter } from './insert.ts';
import { type Life, type LifeStep, Lives, type Moment } from './lives.ts';
import { commandColumns, Mappings } from './mappings.ts';
import { MODULES } from './modules/index.ts';
import { Msis } from './msis.ts';
import {
  DERIVED_TABLES,
  EVENT_TABLES,
  putFields,
  RECORD_TABLES,
  RECORDS_PER_TRACE,
  sqlTime,
} from './schema.ts';
import { Spurious } from './spurious.ts';
import { StateKeeper } from './states.ts';
import { acknowledgeRegister, isInterrupt, toldBy } from './told.ts';
import { VIEWS } from './views.ts';
import { tellsOfVirtual, VirtualLives } from './virtual-lives.ts';
import { Waits } from './waits.ts';
import { Withdrawals } from './withdrawals.ts';

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
const FIRST_SPECIAL = 1020;
const LAST_SPECIAL = 1023;

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

export interface LoadOptions {
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
  return makeDatabase(path, (db) => {
    const loader = new Loader(db, options);
    let traces = 0;
    for (const source of sources) loader.load(source, ++traces);
    loader.finish();
    return { traces, records: loader.records, rows: loader.rows };
  });
}

class Loader {
  private readonly db: Database.Database;
  private readonly options: LoadOptions;
  /** By record kind. */
  private readonly inserters: (Inserter | undefined)[] = new Array(256).fill(undefined);
  private readonly commands: Inserter;
  private readonly msis: Inserter;
  private readonly interrupts: Inserter;
  private readonly vinterrupts: Inserter;
  private readonly mappings: Inserter;
  private readonly findings: Inserter;
  private readonly waits: Inserter;
  private readonly spurious: Inserter;
  records = 0;
  private readonly shown = new RecordBatch(4096);

  constructor(db: Database.Database, options: LoadOptions) {
    this.db = db;
    this.options = options;
    for (const table of [
      ...RECORD_TABLES.values(),
      ...EVENT_TABLES.values(),
      ...Object.values(DERIVED_TABLES),
    ])
      db.exec(table.ddl);
    db.exec('BEGIN');
    for (const [id, table] of [...RECORD_TABLES, ...EVENT_TABLES])
      this.inserters[id] = new Inserter(db, table);
    this.commands = new Inserter(db, DERIVED_TABLES.commands);
    this.msis = new Inserter(db, DERIVED_TABLES.msis);
    this.interrupts = new Inserter(db, DERIVED_TABLES.interrupts);
    this.vinterrupts = new Inserter(db, DERIVED_TABLES.vinterrupts);
    this.mappings = new Inserter(db, DERIVED_TABLES.mappings);
    this.findings = new Inserter(db, DERIVED_TABLES.findings);
    this.waits = new Inserter(db, DERIVED_TABLES.waits);
    this.spurious = new Inserter(db, DERIVED_TABLES.spurious);
    this.reference();
  }

  get rows(): number {
    let sum =
      this.commands.rows + this.msis.rows + this.interrupts.rows + this.vinterrupts.rows + this.mappings.rows;
    sum += this.waits.rows + this.spurious.rows;
    for (const inserter of this.inserters) sum += inserter?.rows ?? 0;
    return sum;
  }

  /** Names of registers and rules, so that views need no functions. */
  private reference(): void {
    const registers = new Inserter(this.db, DERIVED_TABLES.registers);
    FRAMES.forEach((frame, index) => {
      for (let offset = 0; offset < 0x4_0000; offset += 4) {
        const place = registerAt(frame, offset);
        if (place !== undefined) registers.add([index, offset, place.label]);
      }
    });
    registers.flush();
    const sysregs = new Inserter(this.db, DERIVED_TABLES.sysregs);
    for (const [name, spec] of Object.entries(SYSREGS)) sysregs.add([spec.encoding, name]);
    sysregs.flush();
    const rules = new Inserter(this.db, DERIVED_TABLES.rules);
    for (const [name, rule] of Object.entries(RULES)) rules.add([rule.id, name, rule.class, rule.doc]);
    rules.flush();
    const checks = new Inserter(this.db, DERIVED_TABLES.checks);
    for (const [name, { severity, doc, source }] of Object.entries(CHECKS))
      checks.add([name, severity, doc, source]);
    checks.flush();
  }

  load(source: LoadSource, trace: number): void {
    const { config } = source.header;
    const machine = new Machine(config);
    const waits = new Waits(trace, machine, (row) => this.waits.add(row));
    const spurious = new Spurious(trace, waits, machine.state, (row) => this.spurious.add(row));
    const withdrawals = new Withdrawals();
    const seen = (step: LifeStep, life: Life, at: Moment) => {
      waits.seen(step, life, at);
      spurious.seen(step, life, at);
    };
    const lives = new Lives(trace, machine.state, (row) => this.interrupts.add(row), seen, withdrawals);
    const virtualLives = new VirtualLives(trace, (row) => this.vinterrupts.add(row), withdrawals);
    const mappings = new Mappings(trace, config, (row) => this.mappings.add(row));
    // Findings are kept until the source has shown the moments that they point at.
    let found: Finding[] = [];
    const checks = new Checks(machine, (finding) => found.push(finding));
    const msis = new Msis((row) => this.msis.add(row));
    const base = trace * RECORDS_PER_TRACE;
    const { shown } = this;
    let recordedEvents = false;
    let now = { record: 0, timeNs: Number.NaN };
    let seq = 0;
    // What the source shows this stimulus to have acknowledged or ended, and whether the simulator did the same.
    let told = -1;
    let agreed = false;
    const drain = () => {
      for (let i = 0; i < shown.count; i++) {
        const kind = shown.kind[i]!;
        checks.emitted(shown, i);
        const takes = kind === IRQ_ACKNOWLEDGED || kind === IRQ_DROPPED;
        if (takes && shown.words[i * RECORD_WORDS] === told) agreed = true;
        if (!takes || told < 0 || shown.words[i * RECORD_WORDS] === told)
          lives.take(shown, i, now.record, now.timeNs);
        else if (kind === IRQ_ACKNOWLEDGED) waits.disagreed(shown.pe[i]!);
        if (tellsOfVirtual(kind)) virtualLives.take(shown, i, now.record, now.timeNs);
        if (kind >= FIRST_EVENT && !recordedEvents)
          this.event(shown, i, base + now.record, seq++, now.timeNs);
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
            this.forgetEvents(base);
            seq = 0;
          }
          this.event(batch, i, base + now.record, seq++, timeNs);
          continue;
        }
        this.record(batch, i, base + record);
        // Sources of several threads do not tell their times in order.
        if (!(timeNs <= endNs) && !Number.isNaN(timeNs)) endNs = timeNs;
        if (kind < STIMULI_BELOW) {
          now = { record, timeNs };
          seq = 0;
          msis.close();
          told = toldBy(batch, i);
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
            const register = acknowledgeRegister(batch, i);
            const answer = told < 0 ? machine.low : told;
            if (register !== undefined && answer >= FIRST_SPECIAL && answer <= LAST_SPECIAL)
              spurious.read(batch.pe[i]!, register, answer, record, timeNs);
          } else if (kind === PE_RESET) waits.reset(batch.pe[i]!);
          if (emitted) waits.settled(record, timeNs);
          continue;
        }
        checks.shown(batch, i, record);
        msis.observe(batch, i);
        if (kind === ITS_COMMAND) this.command(batch, i, base + record, mappings, record, now.record);
        else if (kind === HPPI) lives.take(batch, i, record, timeNs);
        else if (kind === PE_ONLINE || kind === PE_OFFLINE) waits.online(batch.pe[i]!, kind === PE_ONLINE);
      }
      if (found.length > 1) {
        // The last may belong to a stimulus whose observables are in the next batch.
        for (const finding of found.splice(0, found.length - 1)) this.finding(trace, finding);
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
    for (const finding of found) this.finding(trace, finding);
    found = [];
    const traces = new Inserter(this.db, DERIVED_TABLES.traces);
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
    states?.store(this.db, trace);
  }

  finish(): void {
    for (const inserter of [
      ...this.inserters.filter((one) => one !== undefined),
      this.commands,
      this.msis,
      this.interrupts,
      this.vinterrupts,
      this.findings,
      this.mappings,
      this.waits,
      this.spurious,
    ])
      inserter.flush();
    this.db.exec('CREATE INDEX i_interrupts ON t_interrupts (trace, asserted)');
    this.db.exec('CREATE INDEX i_interrupts_intid ON t_interrupts (trace, INTID, pended)');
    this.db.exec('CREATE INDEX i_vinterrupts_intid ON t_vinterrupts (trace, vINTID, pended)');
    for (const view of [...VIEWS, ...MODULES]) this.db.exec(`CREATE VIEW "${view.name}" AS ${view.sql}`);
    this.db.exec('COMMIT');
  }

  private finding(trace: number, { rule, at, pe, text, lastedNs, related }: Finding): void {
    const moment = ({ record, line, timeNs }: { record: number; line: number; timeNs: number }) => ({
      record,
      line: line > 0 ? line : null,
      time_ns: sqlTime(timeNs),
    });
    const { record, line, time_ns } = moment(at);
    this.findings.add([
      trace,
      rule,
      CHECKS[rule].severity,
      record,
      line,
      time_ns,
      pe < 0 ? null : pe,
      text,
      lastedNs === null ? null : sqlTime(lastedNs),
      JSON.stringify(related.map((one) => ({ ...moment(one), text: one.text }))),
    ]);
  }

  private record(batch: RecordBatch, i: number, id: number): void {
    const inserter = this.inserters[batch.kind[i]!]!;
    const row = inserter.values;
    const at = inserter.begin();
    row[at] = id;
    row[at + 1] = sqlTime(batch.timeNs[i]!);
    row[at + 2] = batch.pe[i]! < 0 ? null : batch.pe[i]!;
    row[at + 3] = batch.flags[i]!;
    row[at + 4] = batch.rule[i]!;
    row[at + 5] = batch.line[i] === 0 ? null : batch.line[i]!;
    row[at + 6] = batch.cause[i] === 0 ? null : batch.cause[i]! - 1;
    putFields(batch, i, row, at + 7);
  }

  private event(batch: RecordBatch, i: number, id: number, seq: number, timeNs: number): void {
    const inserter = this.inserters[batch.kind[i]!]!;
    const row = inserter.values;
    const at = inserter.begin();
    row[at] = id;
    row[at + 1] = seq;
    row[at + 2] = sqlTime(timeNs);
    row[at + 3] = batch.pe[i]! < 0 ? null : batch.pe[i]!;
    putFields(batch, i, row, at + 4);
  }

  /** The trace turns out to hold events: those that were derived before its first are not wanted. */
  private forgetEvents(base: number): void {
    for (const [id, { name }] of EVENT_TABLES) {
      const inserter = this.inserters[id]!;
      inserter.flush();
      inserter.rows -= this.db.prepare(`DELETE FROM ${name} WHERE id >= ?`).run(base).changes;
    }
  }

  private command(
    batch: RecordBatch,
    i: number,
    id: number,
    mappings: Mappings,
    record: number,
    stimulus: number,
  ): void {
    const at = i * RECORD_WORDS;
    const w = batch.words;
    const time = batch.timeNs[i]!;
    const told = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) === 0;
    const { op, columns } = commandColumns(w, at + 4, w[at + 3]!);
    this.commands.add([
      id,
      sqlTime(time),
      w[at]!,
      w[at + 1]!,
      op,
      ...columns,
      told ? outcomeName(w[at + 2]!) : null,
      batch.cause[i] === 0 ? null : batch.cause[i]! - 1,
    ]);
    // Where the source does not tell the outcome, nothing speaks against the command having been executed.
    if (!told || w[at + 2] === 0) mappings.take(w[at]!, w, at + 4, w[at + 3]!, record, time, stimulus);
  }
}
