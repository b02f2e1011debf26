// The private tables, made from core's declaration of the record kinds: one a kind, a column a field. Views are
// what people query (views.ts); these names may change.
import {
  fieldOffsets,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  type RecordField,
  type RecordKind,
  type RecordName,
} from '@gictrace/core';

/** Marks a database as ours (SQLite's application_id): "GICT". */
export const APPLICATION_ID = 0x47494354;
export const SCHEMA_VERSION = 5;

/** A row's key: the trace's number times this, plus the record's number. */
export const RECORDS_PER_TRACE = 2 ** 40;

/** What a value of SQLite can be bound from. */
export type Sql = number | bigint | string | null;

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly ddl: string;
}

const common = [
  'id INTEGER PRIMARY KEY',
  'time_ns INTEGER',
  'pe INTEGER',
  'flags INTEGER NOT NULL',
  'rule INTEGER NOT NULL',
  'line INTEGER',
  'operation INTEGER',
];
const commonColumns = ['id', 'time_ns', 'pe', 'flags', 'rule', 'line', 'operation'];

/** The private table of a record kind. */
export function tableName(kind: RecordName): string {
  return `k_${kind.replaceAll('.', '_')}`;
}

/** A field's column: SQL names are not case-sensitive, so fields keep their spelling, in quotes. */
export function column(field: RecordField): string {
  return `"${field.name}"`;
}

/** Tables of stimuli and observables: their records are numbered. */
export const RECORD_TABLES: ReadonlyMap<number, Table> = new Map(
  (Object.entries(RECORDS) as [RecordName, RecordKind][])
    .filter(([, kind]) => kind.class !== 'event')
    .map(([name, kind]) => [
      kind.id,
      {
        name: tableName(name),
        columns: [...commonColumns, ...kind.fields.map(column)],
        ddl: `CREATE TABLE ${tableName(name)} (${[...common, ...kind.fields.map((field) => `${column(field)} INTEGER NOT NULL`)].join(', ')}) STRICT`,
      },
    ]),
);

/** Events of the model: many for one record, in order. */
export const EVENT_TABLES: ReadonlyMap<number, Table> = new Map(
  (Object.entries(RECORDS) as [RecordName, RecordKind][])
    .filter(([, kind]) => kind.class === 'event')
    .map(([name, kind]) => [
      kind.id,
      {
        name: tableName(name),
        columns: ['id', 'seq', 'time_ns', 'pe', ...kind.fields.map(column)],
        ddl: `CREATE TABLE ${tableName(name)} (${[
          'id INTEGER NOT NULL',
          'seq INTEGER NOT NULL',
          'time_ns INTEGER',
          'pe INTEGER',
          ...kind.fields.map((field) => `${column(field)} INTEGER NOT NULL`),
        ].join(', ')}) STRICT`,
      },
    ]),
);

const table = (name: string, columns: readonly (readonly [string, string])[], rest = ''): Table => ({
  name,
  columns: columns.map(([column]) => `"${column}"`),
  ddl: `CREATE TABLE ${name} (${columns.map(([column, type]) => `"${column}" ${type}`).join(', ')}${rest}) STRICT`,
});

/** Tables that the loader derives. */
export const DERIVED_TABLES = {
  traces: table('t_traces', [
    ['trace', 'INTEGER PRIMARY KEY'],
    ['name', 'TEXT NOT NULL'],
    ['records', 'INTEGER NOT NULL'],
    ['source', 'TEXT NOT NULL'],
    ['source_kind', 'TEXT NOT NULL'],
    ['profile', 'TEXT NOT NULL'],
    ['architecture', 'INTEGER NOT NULL'],
    ['pes', 'INTEGER NOT NULL'],
    ['its', 'INTEGER NOT NULL'],
    ['events', 'TEXT NOT NULL'],
    ['content_digest', 'TEXT'],
    ['semantic_digest', 'TEXT'],
    ['header', 'TEXT NOT NULL'],
    ['path', 'TEXT'],
    ['end_ns', 'INTEGER'],
  ]),
  states: table(
    't_states',
    [
      ['trace', 'INTEGER NOT NULL'],
      ['record', 'INTEGER NOT NULL'],
      ['layout', 'INTEGER NOT NULL'],
      ['state', 'BLOB NOT NULL'],
    ],
    ', PRIMARY KEY (trace, record)',
  ),
  commands: table('t_commands', [
    ['id', 'INTEGER NOT NULL'],
    ['time_ns', 'INTEGER'],
    ['its', 'INTEGER NOT NULL'],
    ['slot', 'INTEGER NOT NULL'],
    ['op', 'TEXT NOT NULL'],
    ['DeviceID', 'INTEGER'],
    ['EventID', 'INTEGER'],
    ['pINTID', 'INTEGER'],
    ['vINTID', 'INTEGER'],
    ['ICID', 'INTEGER'],
    ['RDbase', 'INTEGER'],
    ['vPEID', 'INTEGER'],
    ['Size', 'INTEGER'],
    ['ITT_addr', 'INTEGER'],
    ['V', 'INTEGER'],
    ['outcome', 'TEXT'],
    ['operation', 'INTEGER'],
  ]),
  msis: table('t_msis', [
    ['id', 'INTEGER NOT NULL'],
    ['time_ns', 'INTEGER'],
    ['its', 'INTEGER NOT NULL'],
    ['DeviceID', 'INTEGER NOT NULL'],
    ['EventID', 'INTEGER NOT NULL'],
    ['INTID', 'INTEGER'],
    ['virtual', 'INTEGER'],
    ['pe', 'INTEGER'],
    ['outcome', 'TEXT'],
  ]),
  vinterrupts: table('t_vinterrupts', [
    ['trace', 'INTEGER NOT NULL'],
    ['vINTID', 'INTEGER NOT NULL'],
    ['vPEID', 'INTEGER'],
    ['VPT_addr', 'INTEGER'],
    ['pe', 'INTEGER'],
    ['LR', 'INTEGER'],
    ['cause', 'TEXT'],
    ['resident', 'INTEGER'],
    ['pended', 'INTEGER'],
    ['doorbell', 'INTEGER'],
    ['signalled', 'INTEGER'],
    ['acknowledged', 'INTEGER'],
    ['eoi', 'INTEGER'],
    ['withdrawn', 'INTEGER'],
    ['pended_ns', 'INTEGER'],
    ['doorbell_ns', 'INTEGER'],
    ['signalled_ns', 'INTEGER'],
    ['acknowledged_ns', 'INTEGER'],
    ['eoi_ns', 'INTEGER'],
    ['outcome', 'TEXT'],
    ['withdrawn_by', 'TEXT'],
    ['moved', 'INTEGER'],
    ['withdrawn_ns', 'INTEGER'],
  ]),
  findings: table('t_findings', [
    ['trace', 'INTEGER NOT NULL'],
    ['rule', 'TEXT NOT NULL'],
    ['severity', 'TEXT NOT NULL'],
    ['record', 'INTEGER NOT NULL'],
    ['line', 'INTEGER'],
    ['time_ns', 'INTEGER'],
    ['pe', 'INTEGER'],
    ['text', 'TEXT NOT NULL'],
    ['lasted_ns', 'INTEGER'],
    ['related', 'TEXT NOT NULL'],
  ]),
  checks: table('t_checks', [
    ['rule', 'TEXT PRIMARY KEY'],
    ['severity', 'TEXT NOT NULL'],
    ['doc', 'TEXT NOT NULL'],
    ['source', 'TEXT NOT NULL'],
  ]),
  interrupts: table('t_interrupts', [
    ['trace', 'INTEGER NOT NULL'],
    ['INTID', 'INTEGER NOT NULL'],
    ['pe', 'INTEGER'],
    ['cause', 'TEXT'],
    ['asserted', 'INTEGER'],
    ['pended', 'INTEGER'],
    ['signalled', 'INTEGER'],
    ['acknowledged', 'INTEGER'],
    ['eoi', 'INTEGER'],
    ['deactivated', 'INTEGER'],
    ['withdrawn', 'INTEGER'],
    ['asserted_ns', 'INTEGER'],
    ['pended_ns', 'INTEGER'],
    ['signalled_ns', 'INTEGER'],
    ['acknowledged_ns', 'INTEGER'],
    ['eoi_ns', 'INTEGER'],
    ['deactivated_ns', 'INTEGER'],
    ['outcome', 'TEXT NOT NULL'],
    ['withdrawn_by', 'TEXT'],
    ['moved_to', 'INTEGER'],
    ['withdrawn_ns', 'INTEGER'],
  ]),
  waits: table('t_waits', [
    ['trace', 'INTEGER NOT NULL'],
    ['INTID', 'INTEGER NOT NULL'],
    ['pe', 'INTEGER'],
    ['pended', 'INTEGER'],
    ['from_record', 'INTEGER NOT NULL'],
    ['to_record', 'INTEGER'],
    ['from_ns', 'INTEGER'],
    ['to_ns', 'INTEGER'],
    ['gate', 'TEXT NOT NULL'],
    ['priority', 'INTEGER'],
    ['PMR', 'INTEGER'],
    ['running', 'INTEGER'],
    ['behind', 'INTEGER'],
    ['handled', 'INTEGER'],
    ['handled_priority', 'INTEGER'],
    ['handled_since', 'INTEGER'],
  ]),
  spurious: table('t_spurious', [
    ['trace', 'INTEGER NOT NULL'],
    ['record', 'INTEGER NOT NULL'],
    ['time_ns', 'INTEGER'],
    ['pe', 'INTEGER'],
    ['register', 'TEXT NOT NULL'],
    ['INTID', 'INTEGER NOT NULL'],
    ['why', 'TEXT NOT NULL'],
    ['signalled_INTID', 'INTEGER'],
    ['signalled', 'INTEGER'],
    ['gone', 'INTEGER'],
    ['gone_by', 'TEXT'],
  ]),
  mappings: table('t_mappings', [
    ['trace', 'INTEGER NOT NULL'],
    ['its', 'INTEGER NOT NULL'],
    ['DeviceID', 'INTEGER NOT NULL'],
    ['EventID', 'INTEGER NOT NULL'],
    ['INTID', 'INTEGER'],
    ['virtual', 'INTEGER NOT NULL'],
    ['ICID', 'INTEGER'],
    ['vPEID', 'INTEGER'],
    ['pe', 'INTEGER'],
    ['from_record', 'INTEGER NOT NULL'],
    ['to_record', 'INTEGER'],
    ['from_ns', 'INTEGER'],
    ['to_ns', 'INTEGER'],
    ['made_by', 'TEXT NOT NULL'],
    ['ended_by', 'TEXT'],
    ['from_stimulus', 'INTEGER'],
    ['to_stimulus', 'INTEGER'],
  ]),
  registers: table(
    't_registers',
    [
      ['frame', 'INTEGER NOT NULL'],
      ['offset', 'INTEGER NOT NULL'],
      ['name', 'TEXT NOT NULL'],
    ],
    ', PRIMARY KEY (frame, offset)',
  ),
  sysregs: table('t_sysregs', [
    ['encoding', 'INTEGER PRIMARY KEY'],
    ['name', 'TEXT NOT NULL'],
  ]),
  rules: table('t_rules', [
    ['rule', 'INTEGER PRIMARY KEY'],
    ['name', 'TEXT NOT NULL'],
    ['class', 'TEXT NOT NULL'],
    ['doc', 'TEXT NOT NULL'],
  ]),
} as const satisfies Record<string, Table>;

/** A time as SQLite has it: whole nanoseconds; null where the source does not tell. */
export function sqlTime(timeNs: number): number | null {
  return Number.isNaN(timeNs) ? null : Math.round(timeNs);
}

/** A 64-bit word as SQLite has it: signed. */
export function signed64(low: number, high: number): number | bigint {
  if (high < 0x20_0000) return high * 2 ** 32 + low;
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
}

interface Getter {
  readonly at: number;
  readonly wide: boolean;
  readonly signed: boolean;
}
/** By record kind. */
const getters: (readonly Getter[] | undefined)[] = new Array(256).fill(undefined);
for (const kind of Object.values(RECORDS) as RecordKind[]) {
  const offsets = fieldOffsets(kind);
  getters[kind.id] = kind.fields.map((field, k) => ({
    at: offsets[k]!,
    wide: field.type === 'u64' || field.type === 'pa',
    signed: field.type === 'i32',
  }));
}

/** Puts the fields of record `i` into `row` from `to` on. */
export function putFields(batch: RecordBatch, i: number, row: Sql[], to: number): void {
  const base = i * RECORD_WORDS;
  const fields = getters[batch.kind[i]!]!;
  for (let k = 0; k < fields.length; k++) {
    const { at, wide, signed } = fields[k]!;
    const low = batch.words[base + at]!;
    row[to + k] = wide ? signed64(low, batch.words[base + at + 1]!) : signed ? low | 0 : low;
  }
}
