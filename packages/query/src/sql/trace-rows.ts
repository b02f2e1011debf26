// Writes the rows of a database of traces: records and events from their batches, and typed rows by the names of their
// columns. It writes to a row log, and knows neither the database nor the thread that inserts.
import { CHECKS } from '@gictrace/core/check';
import {
  fieldOffsets,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  type RecordKind,
  RULES,
} from '@gictrace/core/record';
import { ALL_SYSREGS, FRAMES, registerAt } from '@gictrace/core/spec';
import type { RowLog } from '../database/row-log.ts';
import type { Sql } from '../database/table.ts';
import { DERIVED_TABLES, type DerivedName, type DerivedRow, RECORDS_PER_TRACE } from './derived-tables.ts';
import { DERIVED_PLACES, EVENT_TABLES, KIND_TABLES } from './schema.ts';

/** The position of a field in a record's words, and how it is read. */
interface Getter {
  readonly at: number;
  readonly form: 'word' | 'signed' | 'doubleword';
}
/** For a record kind: the index of its table, and its fields. */
interface Layout {
  readonly table: number;
  readonly fields: readonly Getter[];
}
const layouts: (Layout | undefined)[] = new Array(256).fill(undefined);
for (const kind of Object.values(RECORDS) as RecordKind[]) {
  const offsets = fieldOffsets(kind);
  layouts[kind.id] = {
    table: KIND_TABLES.get(kind.id)!,
    fields: kind.fields.map(({ type }, k) => ({
      at: offsets[k]!,
      form: type === 'u64' || type === 'pa' ? 'doubleword' : type === 'i32' ? 'signed' : 'word',
    })),
  };
}
const COMMON_OF_RECORDS = 7;
const COMMON_OF_EVENTS = 4;
/** The columns of each table of typed rows that are taken from a row by name. */
const columnsOf = Object.fromEntries(
  Object.entries(DERIVED_TABLES).map(([name, { key, columns }]) => [
    name,
    Object.keys(columns).filter((column) => key !== 'id' || column !== 'record'),
  ]),
) as Record<DerivedName, string[]>;

/** Writes the rows of traces to a log. */
export class TraceRows {
  private readonly log: RowLog;
  /** The number of the trace to which rows belong. */
  trace = 0;

  constructor(log: RowLog) {
    this.log = log;
  }

  /** Adds record `i` of a batch: a stimulus, operation or observable. */
  record(batch: RecordBatch, i: number, record: number): void {
    const { log } = this;
    const { table, fields } = layouts[batch.kind[i]!]!;
    const at = log.begin(table, COMMON_OF_RECORDS + fields.length);
    const line = batch.line[i]!;
    const cause = batch.cause[i]!;
    log.integer(at, this.trace * RECORDS_PER_TRACE + record);
    this.time(at + 1, batch.timeNs[i]!);
    this.pe(at + 2, batch.pe[i]!);
    log.word(at + 3, batch.flags[i]!);
    log.word(at + 4, batch.rule[i]!);
    if (line === 0) log.nothing(at + 5);
    else log.word(at + 5, line);
    if (cause === 0) log.nothing(at + 6);
    else log.word(at + 6, cause - 1);
    this.fields(batch, i, fields, at + COMMON_OF_RECORDS);
  }

  /** Adds event `i` of a batch, which is number `sequence` of those that the record `stimulus` caused. */
  event(batch: RecordBatch, i: number, stimulus: number, sequence: number, timeNs: number): void {
    const { log } = this;
    const { table, fields } = layouts[batch.kind[i]!]!;
    const at = log.begin(table, COMMON_OF_EVENTS + fields.length);
    log.integer(at, this.trace * RECORDS_PER_TRACE + stimulus);
    log.word(at + 1, sequence);
    this.time(at + 2, timeNs);
    this.pe(at + 3, batch.pe[i]!);
    this.fields(batch, i, fields, at + COMMON_OF_EVENTS);
  }

  /** Deletes the events of this trace that have been added. */
  forgetEvents(): void {
    for (const table of EVENT_TABLES) this.log.deleteFrom(table, this.trace * RECORDS_PER_TRACE);
  }

  /** Adds a typed row: its values by the names of the table's columns. */
  add<Name extends DerivedName>(name: Name, row: DerivedRow<Name>): void {
    const { log } = this;
    const columns = columnsOf[name];
    const { key } = DERIVED_TABLES[name];
    const values = row as Readonly<Record<string, Sql>>;
    let at = log.begin(DERIVED_PLACES[name], columns.length + (key === 'none' ? 0 : 1));
    if (key === 'trace') log.integer(at++, this.trace);
    else if (key === 'id') log.integer(at++, this.trace * RECORDS_PER_TRACE + (values.record as number));
    for (const column of columns) log.value(at++, values[column]!);
  }

  /** Adds the names of registers, rules and checks, so that views need no functions. */
  reference(): void {
    for (const [frame, name] of FRAMES.entries())
      for (let offset = 0; offset < 0x4_0000; offset += 4) {
        const place = registerAt(name, offset);
        if (place !== undefined) this.add('registers', { frame, offset, name: place.label });
      }
    for (const [name, { encoding }] of Object.entries(ALL_SYSREGS)) this.add('sysregs', { encoding, name });
    for (const [name, { id, class: of, doc }] of Object.entries(RULES))
      this.add('rules', { rule: id, name, class: of, doc });
    for (const [rule, { severity, doc, hint, source, ...rest }] of Object.entries(CHECKS)) {
      const from = 'document' in rest ? `${rest.document}, "${source}"` : source;
      this.add('checks', { rule, severity, doc, hint, source: from });
    }
  }

  private time(cell: number, timeNs: number): void {
    if (Number.isNaN(timeNs)) this.log.nothing(cell);
    else this.log.integer(cell, Math.round(timeNs));
  }

  private pe(cell: number, pe: number): void {
    if (pe < 0) this.log.nothing(cell);
    else this.log.word(cell, pe);
  }

  private fields(batch: RecordBatch, i: number, fields: readonly Getter[], to: number): void {
    const { log } = this;
    const w = batch.words;
    const base = i * RECORD_WORDS;
    for (let k = 0; k < fields.length; k++) {
      const { at, form } = fields[k]!;
      const low = w[base + at]!;
      if (form === 'word') log.word(to + k, low);
      else if (form === 'signed') log.integer(to + k, low | 0);
      else log.doubleword(to + k, low, w[base + at + 1]!);
    }
  }
}
