// The rows of a database of traces: its tables, what goes into them, its indices and views.
import {
  CHECKS,
  type Finding,
  FRAMES,
  outcomeName,
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  RULES,
  registerAt,
  SYSREGS,
} from '@gictrace/core';
import type Database from 'better-sqlite3';
import { Inserter } from '../database/insert.ts';
import { commandColumns } from '../timeline/mappings.ts';
import { MODULES } from './modules/index.ts';
import { DERIVED_TABLES, EVENT_TABLES, putFields, RECORD_TABLES, sqlTime } from './schema.ts';
import { VIEWS } from './views.ts';

const DERIVED = [
  'commands',
  'msis',
  'interrupts',
  'vinterrupts',
  'mappings',
  'findings',
  'waits',
  'spurious',
] as const;

export class TraceRows {
  readonly db: Database.Database;
  /** By record kind. */
  private readonly inserters: (Inserter | undefined)[] = new Array(256).fill(undefined);
  private readonly derived: Readonly<Record<(typeof DERIVED)[number], Inserter>>;

  constructor(db: Database.Database) {
    this.db = db;
    db.exec('BEGIN');
    for (const table of [
      ...RECORD_TABLES.values(),
      ...EVENT_TABLES.values(),
      ...Object.values(DERIVED_TABLES),
    ])
      db.exec(table.ddl);
    for (const [id, table] of [...RECORD_TABLES, ...EVENT_TABLES])
      this.inserters[id] = new Inserter(db, table);
    this.derived = Object.fromEntries(
      DERIVED.map((name) => [name, new Inserter(db, DERIVED_TABLES[name])]),
    ) as typeof this.derived;
    this.reference();
  }

  /** Rows of records, events, and of what is derived from them. */
  get rows(): number {
    let sum = 0;
    for (const inserter of [...this.inserters, ...Object.values(this.derived)]) sum += inserter?.rows ?? 0;
    return sum;
  }

  /** A table of what is derived: its rows are added whole. */
  of(name: (typeof DERIVED)[number]): Inserter {
    return this.derived[name];
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

  /** No more rows: indices and views. */
  finish(): void {
    for (const inserter of [...this.inserters, ...Object.values(this.derived)]) inserter?.flush();
    this.db.exec('CREATE INDEX i_interrupts ON t_interrupts (trace, asserted)');
    this.db.exec('CREATE INDEX i_interrupts_intid ON t_interrupts (trace, INTID, pended)');
    this.db.exec('CREATE INDEX i_vinterrupts_intid ON t_vinterrupts (trace, vINTID, pended)');
    for (const view of [...VIEWS, ...MODULES]) this.db.exec(`CREATE VIEW "${view.name}" AS ${view.sql}`);
    this.db.exec('COMMIT');
  }

  finding(trace: number, { rule, at, pe, text, lastedNs, related }: Finding): void {
    const moment = ({ record, line, timeNs }: { record: number; line: number; timeNs: number }) => ({
      record,
      line: line > 0 ? line : null,
      time_ns: sqlTime(timeNs),
    });
    const { record, line, time_ns } = moment(at);
    this.derived.findings.add([
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

  record(batch: RecordBatch, i: number, id: number): void {
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

  event(batch: RecordBatch, i: number, id: number, seq: number, timeNs: number): void {
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
  forgetEvents(base: number): void {
    for (const [id, { name }] of EVENT_TABLES) {
      const inserter = this.inserters[id]!;
      inserter.flush();
      inserter.rows -= this.db.prepare(`DELETE FROM ${name} WHERE id >= ?`).run(base).changes;
    }
  }

  /** Adds an ITS command; answers whether nothing speaks against its having been executed. */
  command(batch: RecordBatch, i: number, id: number): boolean {
    const at = i * RECORD_WORDS;
    const w = batch.words;
    const told = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) === 0;
    const { op, columns } = commandColumns(w, at + 4, w[at + 3]!);
    this.derived.commands.add([
      id,
      sqlTime(batch.timeNs[i]!),
      w[at]!,
      w[at + 1]!,
      op,
      ...columns,
      told ? outcomeName(w[at + 2]!) : null,
      batch.cause[i] === 0 ? null : batch.cause[i]! - 1,
    ]);
    return !told || w[at + 2] === 0;
  }
}
