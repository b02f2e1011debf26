// The private tables of a database of traces: one for each record kind, from core's declarations, and the tables that are
// derived from records. Their names may change; people query the views (views.ts).
import { RECORDS, type RecordField, type RecordKind, type RecordName } from '@gictrace/core/record';
import { type Columns, integer, orNull, small } from '../database/columns.ts';
import { type TypedTable, tableOf } from '../database/table.ts';
import { DERIVED_TABLES } from './derived-tables.ts';

/** The columns that all stimuli, operations and observables have, before their fields. */
const RECORD_COLUMNS: Columns = {
  id: integer(''),
  time_ns: orNull(integer('')),
  pe: orNull(small('')),
  flags: small(''),
  rule: small(''),
  line: orNull(integer('')),
  operation: orNull(integer('')),
};
/** The columns that all events have, before their fields: many events for one record, in order. */
const EVENT_COLUMNS: Columns = {
  id: integer(''),
  seq: small(''),
  time_ns: orNull(integer('')),
  pe: orNull(small('')),
};

/** Types of fields whose values may not fit into a signed integer of 32 bits. */
const WIDE: ReadonlySet<RecordField['type']> = new Set(['u32', 'u64', 'pa']);

/** The private table of a record kind. */
export function tableName(kind: RecordName): string {
  return `k_${kind.replaceAll('.', '_')}`;
}

/** The column of a field. SQL names are not case-sensitive, so fields keep their spelling, in quotes. */
export function column(field: RecordField): string {
  return `"${field.name}"`;
}

const kinds = Object.entries(RECORDS) as [RecordName, RecordKind][];

function tableOfKind(name: RecordName, kind: RecordKind): TypedTable {
  const fields = Object.fromEntries(
    kind.fields.map((field) => [field.name, WIDE.has(field.type) ? integer(field.doc) : small(field.doc)]),
  );
  return kind.class === 'event'
    ? tableOf(tableName(name), { ...EVENT_COLUMNS, ...fields })
    : tableOf(tableName(name), { ...RECORD_COLUMNS, ...fields }, 'id');
}

const ofRecords = kinds.filter(([, kind]) => kind.class !== 'event');
const ofEvents = kinds.filter(([, kind]) => kind.class === 'event');
const derived = Object.values(DERIVED_TABLES);

/** All tables of a database of traces. A row log names a table by its index here. */
export const TABLES: readonly TypedTable[] = [
  ...[...ofRecords, ...ofEvents].map(([name, kind]) => tableOfKind(name, kind)),
  ...derived.map(({ table }) => table),
];

/** The index of a record kind's table, by the kind's id. */
export const KIND_TABLES: ReadonlyMap<number, number> = new Map(
  [...ofRecords, ...ofEvents].map(([, kind], place) => [kind.id, place]),
);
/** The indices of the tables of events. */
export const EVENT_TABLES: readonly number[] = ofEvents.map((_, k) => ofRecords.length + k);
/** The indices of the derived tables. */
export const DERIVED_PLACES = Object.fromEntries(
  Object.keys(DERIVED_TABLES).map((name, k) => [name, ofRecords.length + ofEvents.length + k]),
) as Readonly<Record<keyof typeof DERIVED_TABLES, number>>;
