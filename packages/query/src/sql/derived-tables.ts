// The tables that are derived from the records of a trace, with the columns that the timeline declares, and the tables of
// names that views use.
import { bytes, type Columns, integer, internal, orNull, type RowOf, text } from '../database/columns.ts';
import { type TypedTable, tableOf } from '../database/table.ts';
import { COMMAND_COLUMNS } from '../timeline/commands.ts';
import { FINDING_COLUMNS } from '../timeline/findings.ts';
import { INTERRUPT_COLUMNS } from '../timeline/lifetimes.ts';
import { MAPPING_COLUMNS } from '../timeline/mappings.ts';
import { MSI_COLUMNS } from '../timeline/msis.ts';
import { SPURIOUS_COLUMNS } from '../timeline/spurious.ts';
import { VIRTUAL_INTERRUPT_COLUMNS } from '../timeline/virtual-lifetimes.ts';
import { WAIT_COLUMNS } from '../timeline/waits.ts';

/** The key of a row is the trace's number times this, plus the record's number. */
export const RECORDS_PER_TRACE = 2 ** 40;

/** What precedes a row's columns: nothing; the number of the trace; or the key of its record, in place of `record`. */
type Key = 'none' | 'trace' | 'id';

interface DerivedTable<C extends Columns> {
  readonly table: TypedTable;
  readonly key: Key;
  readonly columns: C;
}

export const TRACE_NUMBER = 'number of the trace (see traces)';

function derived<C extends Columns>(
  name: string,
  key: Key,
  columns: C,
  primaryKey?: string,
): DerivedTable<C> {
  const { record: _, ...others } = columns;
  const all: Columns =
    key === 'trace'
      ? { trace: integer(TRACE_NUMBER), ...columns }
      : key === 'id'
        ? { id: internal(integer('')), ...others }
        : columns;
  return { table: tableOf(name, all, primaryKey), key, columns };
}

export const TRACE_COLUMNS = {
  trace: integer('number of the trace, from 1'),
  name: text('file name'),
  records: integer('records in it'),
  source: text('what it was made from'),
  source_kind: text('kind of source'),
  profile: text('profile of the GIC'),
  architecture: integer('GIC architecture: 3, 4 or 5'),
  pes: integer('PEs'),
  its: integer('ITSs'),
  events: text(
    '`simulated` if the events were derived by running the stimuli on the simulator at load, `recorded` if the trace contains them',
  ),
  content_digest: orNull(text('SHA-256 of the content; null for a trace that was not closed')),
  semantic_digest: orNull(
    text('SHA-256 of stimuli and observables, without host time; null for a trace that was not closed'),
  ),
  header: text("the trace's header as JSON"),
  path: orNull(
    text('path of the trace file, which gic_state reads; null if the trace was not loaded from a file'),
  ),
  end_ns: orNull(
    integer(
      'the latest time of its records, in nanoseconds since it began; null if the source contains no times',
    ),
  ),
} as const;

export const LABEL_COLUMNS = {
  label: text('name of the label'),
  value: text('its value'),
} as const;

const STATE_COLUMNS = {
  record: integer('the state is that before this record'),
  layout: integer('version of its layout'),
  state: bytes('state of the simulator, deflated'),
} as const;

export const CHECK_COLUMNS = {
  rule: orNull(text('name')),
  severity: text('error, warning or note'),
  doc: text('what is wrong'),
  hint: text('what software has to do instead'),
  source: text('where it is written'),
} as const;

export const RULE_COLUMNS = {
  rule: integer('number'),
  name: text('name'),
  class: text('inferred, assumed or unknown'),
  doc: text('what it does'),
} as const;

const REGISTER_COLUMNS = {
  frame: integer('register frame, by its place in FRAMES'),
  offset: integer('byte offset in the frame'),
  name: text('register, with the number in an array'),
} as const;

const SYSREG_COLUMNS = {
  encoding: integer('packed encoding'),
  name: text('system register'),
} as const;

/** The tables that the loader fills from typed rows, in the order in which they are created. */
export const DERIVED_TABLES = {
  traces: derived('t_traces', 'none', TRACE_COLUMNS, 'trace'),
  labels: derived('t_labels', 'trace', LABEL_COLUMNS, 'trace, label'),
  states: derived('t_states', 'trace', STATE_COLUMNS, 'trace, record'),
  commands: derived('t_commands', 'id', COMMAND_COLUMNS),
  msis: derived('t_msis', 'id', MSI_COLUMNS),
  vinterrupts: derived('t_vinterrupts', 'trace', VIRTUAL_INTERRUPT_COLUMNS),
  findings: derived('t_findings', 'trace', FINDING_COLUMNS),
  checks: derived('t_checks', 'none', CHECK_COLUMNS, 'rule'),
  interrupts: derived('t_interrupts', 'trace', INTERRUPT_COLUMNS),
  waits: derived('t_waits', 'trace', WAIT_COLUMNS),
  spurious: derived('t_spurious', 'trace', SPURIOUS_COLUMNS),
  mappings: derived('t_mappings', 'trace', MAPPING_COLUMNS),
  registers: derived('t_registers', 'none', REGISTER_COLUMNS, 'frame, offset'),
  sysregs: derived('t_sysregs', 'none', SYSREG_COLUMNS, 'encoding'),
  rules: derived('t_rules', 'none', RULE_COLUMNS, 'rule'),
} as const;
export type DerivedName = keyof typeof DERIVED_TABLES;
/** A row of such a table. */
export type DerivedRow<Name extends DerivedName> = RowOf<(typeof DERIVED_TABLES)[Name]['columns']>;
