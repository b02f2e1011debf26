// The public views: what people query, with a word on each column. Names and columns are a contract.
import {
  GROUPS,
  RECORD_FLAGS,
  RECORDS,
  type RecordField,
  type RecordKind,
  type RecordName,
} from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { docsOf } from '../database/columns.ts';
import { DERIVED_TABLES, type DerivedName, RECORDS_PER_TRACE, TRACE_NUMBER } from './derived-tables.ts';
import { column, tableName } from './schema.ts';

export interface View {
  readonly name: string;
  readonly doc: string;
  /** Column → what it holds. */
  readonly columns: Readonly<Record<string, string>>;
  readonly sql: string;
}

const TRACE = `id / ${RECORDS_PER_TRACE} AS trace, id % ${RECORDS_PER_TRACE} AS record`;
const cases = (expression: string, values: readonly string[]) =>
  `CASE ${expression} ${values.map((value, k) => `WHEN ${k} THEN '${value}'`).join(' ')} END`;

const key = {
  trace: TRACE_NUMBER,
  record: 'number of the record in the trace',
  time_ns: 'nanoseconds since the trace began; null where the source does not tell',
  pe: 'index of the PE; null where none is concerned or the source does not tell',
};
const operation = 'number of the record of the operation that it is due to; null where the trace holds none';

const kinds = Object.entries(RECORDS) as [RecordName, RecordKind][];

/** A field as people read it: enums by name. */
function shown(field: RecordField): string {
  return field.type === 'enum' ? cases(column(field), field.values!) : column(field);
}

function union(className: RecordKind['class']): string {
  return kinds
    .filter(([, kind]) => kind.class === className)
    .map(
      ([name]) =>
        `SELECT ${TRACE}, time_ns, pe, '${name}' AS kind, line, (SELECT name FROM t_rules r WHERE r.rule = k.rule) AS rule, flags, operation FROM ${tableName(name)} k`,
    )
    .join(' UNION ALL ');
}

/** A field of an operation, or null where that operation has none of the name. */
function ofOperation(kind: RecordKind, name: string): string {
  const field = kind.fields.find((one) => one.name === name);
  return `${field === undefined ? 'NULL' : column(field)} AS ${name}`;
}

function eventFields(kind: RecordKind): string {
  const pairs = kind.fields.map((field) => `'${field.name} ' || ${shown(field)}`);
  return pairs.length === 0 ? "''" : pairs.join(" || ', ' || ");
}

/** A value that the source does not tell (RECORD_FLAGS.valueUnknown) is none. */
const TOLD = `CASE WHEN flags & ${RECORD_FLAGS.valueUnknown} THEN NULL ELSE value END AS value`;
const mmioOf = (name: 'mmio.read' | 'mmio.write') =>
  `SELECT ${TRACE}, time_ns, pe, ${cases('frame', FRAMES)} AS frame, instance, (SELECT r.name FROM t_registers r WHERE r.frame = k.frame AND r."offset" = k."offset" & ~3) AS register, "offset", width, ${TOLD}, '${name === 'mmio.read' ? 'read' : 'write'}' AS direction, (flags & 1) AS reserved, line, (SELECT name FROM t_rules r WHERE r.rule = k.rule) AS rule FROM ${tableName(name)} k`;
const sysregOf = (name: 'sysreg.read' | 'sysreg.write') =>
  `SELECT ${TRACE}, time_ns, pe, (SELECT s.name FROM t_sysregs s WHERE s.encoding = register) AS register, ${TOLD}, '${name === 'sysreg.read' ? 'read' : 'write'}' AS direction, line FROM ${tableName(name)} k`;

/** A view's column that is computed: its SQL, and what it holds. */
type Computed = Readonly<Record<string, readonly [sql: string, doc: string]>>;

/** The view of a table of what is derived: its columns, as they are declared, and some that are computed of them. */
function viewOf(of: DerivedName, doc: string, computed: Computed = {}): View {
  const { table, key: by, columns } = DERIVED_TABLES[of];
  const docs = docsOf(columns);
  const { record, ...others } = docs;
  const named = by === 'id' ? others : docs;
  const front = by === 'id' ? [TRACE] : by === 'trace' ? ['trace'] : [];
  const list = [
    ...front,
    ...Object.keys(named).map((name) => `"${name}"`),
    ...Object.entries(computed).map(([name, [sql]]) => `${sql} AS ${name}`),
  ];
  return {
    name: of,
    doc,
    columns: {
      ...(by === 'none' ? {} : { trace: key.trace }),
      ...(by === 'id' ? { record: record! } : {}),
      ...named,
      ...Object.fromEntries(Object.entries(computed).map(([name, [, holds]]) => [name, holds])),
    },
    sql: `SELECT ${list.join(', ')} FROM ${table.name}`,
  };
}

const LATENCY = [
  'acknowledged_ns - pended_ns',
  'from pending to acknowledge, in nanoseconds; null where either time is',
] as const;

export const VIEWS: readonly View[] = [
  viewOf('traces', 'The traces in this database.'),
  {
    name: 'operations',
    doc: 'What an operating system asked of its irqchip driver, and what devices and PEs did meanwhile: of traces that were recorded from a scenario.',
    columns: {
      trace: key.trace,
      record: key.record,
      op: 'the operation',
      pe: 'the PE that it names',
      device: 'DeviceID',
      vector: 'vector of the device, 0-based',
      vpe: 'vPEID',
      fields: 'all fields as text',
    },
    sql: kinds
      .filter(([, kind]) => kind.class === 'operation')
      .map(
        ([name, kind]) =>
          `SELECT ${TRACE}, '${name.slice('op.'.length)}' AS op, pe, ${['device', 'vector', 'vpe'].map((field) => ofOperation(kind, field)).join(', ')}, ${eventFields(kind)} AS fields FROM ${tableName(name)}`,
      )
      .join(' UNION ALL '),
  },
  {
    name: 'stimuli',
    doc: 'What the outside world did to the GIC.',
    columns: {
      ...key,
      kind: 'kind of stimulus',
      line: '1-based line of the source; null where there is none',
      rule: 'the rule that inferred it; null: shown by the source',
      flags: 'bits: 1 reserved location, 2 value not shown, 4 Secure, 8 told twice by the source',
      operation,
    },
    sql: union('stimulus'),
  },
  {
    name: 'observables',
    doc: 'What was seen of the GIC: compared by replay.',
    columns: {
      ...key,
      kind: 'kind of observable',
      line: 'line of the source',
      rule: 'rule that inferred it',
      flags: 'as in stimuli',
      operation,
    },
    sql: union('observable'),
  },
  {
    name: 'mmio',
    doc: 'Accesses to register frames.',
    columns: {
      ...key,
      frame: 'GICD, GICR or GITS',
      instance: 'GICR: the PE whose Redistributor it is; GITS: the ITS',
      register: 'register, with the number in an array; null at a reserved location',
      offset: 'byte offset in the frame',
      width: 'bytes',
      value: 'signed 64-bit; see gic_hex(); null where the source does not tell',
      direction: 'read or write',
      reserved: '1: reported as an access to a reserved location',
      line: 'line of the source',
      rule: 'rule that inferred part of it',
    },
    sql: `${mmioOf('mmio.read')} UNION ALL ${mmioOf('mmio.write')}`,
  },
  {
    name: 'sysregs',
    doc: 'Accesses to ICC, ICV and ICH system registers.',
    columns: {
      ...key,
      register: 'system register',
      value: 'signed 64-bit; see gic_hex(); null where the source does not tell',
      direction: 'read or write',
      line: 'line of the source',
    },
    sql: `${sysregOf('sysreg.read')} UNION ALL ${sysregOf('sysreg.write')}`,
  },
  {
    ...viewOf(
      'commands',
      'Commands that the ITSs executed; an operand that the source does not show is null.',
    ),
    name: 'its_commands',
  },
  viewOf('msis', 'Message-signalled interrupts that reached an ITS.'),
  {
    name: 'hppi',
    doc: 'What each PE was told: the highest-priority pending interrupt and the interrupt lines.',
    columns: {
      ...key,
      INTID: 'interrupt; 1023: none',
      group: 'group: 0, 1S or 1NS',
      priority: '255: none',
      FIQ: 'FIQ line',
      IRQ: 'IRQ line',
    },
    sql: `SELECT ${TRACE}, time_ns, pe, INTID, ${cases('"group"', GROUPS)} AS "group", priority, FIQ, IRQ FROM k_hppi`,
  },
  {
    name: 'events',
    doc: 'What happened inside the GIC, each with the stimulus that caused it.',
    columns: {
      trace: key.trace,
      record: 'number of the stimulus that caused it',
      seq: 'order among the events of that stimulus',
      time_ns: key.time_ns,
      pe: key.pe,
      kind: 'kind of event',
      INTID: 'interrupt concerned, where there is one',
      fields: 'all fields as text',
    },
    sql: kinds
      .filter(([, kind]) => kind.class === 'event')
      .map(
        ([name, kind]) =>
          `SELECT ${TRACE}, seq, time_ns, pe, '${name}' AS kind, ${kind.fields.some((field) => field.name === 'INTID') ? 'INTID' : 'NULL'} AS INTID, ${eventFields(kind)} AS fields FROM ${tableName(name)}`,
      )
      .join(' UNION ALL '),
  },
  viewOf(
    'interrupts',
    'One row for each lifetime of an interrupt. Moments are record numbers, and times with _ns; null: not seen.',
    {
      latency_ns: LATENCY,
      service_ns: [
        'eoi_ns - acknowledged_ns',
        'from acknowledge to EOI, in nanoseconds; null where either time is',
      ],
    },
  ),
  viewOf(
    'waits',
    'For what pending interrupts wait: a row for each interval in which an interrupt waits for one reason. That an interrupt is signalled to an idle PE until the PE acknowledges it is no row here: `interrupts` has it.',
    {
      waited_ns: ['to_ns - from_ns', 'how long, in nanoseconds; null where either time is'],
    },
  ),
  viewOf(
    'vinterrupts',
    'One row for each lifetime of a virtual interrupt. Moments are record numbers, and times with _ns; null: not seen.',
    { latency_ns: LATENCY },
  ),
  {
    name: 'vhppi',
    doc: "What each PE's virtual machine was told: the best virtual interrupt and the virtual interrupt lines.",
    columns: {
      ...key,
      LR: 'list register of the candidate; 16: the vLPI; -1: none',
      vLPI: 'best pending vLPI; 1023: none',
      group: 'group of that vLPI',
      priority: 'its priority; 255: none',
      vFIQ: 'virtual FIQ line',
      vIRQ: 'virtual IRQ line',
    },
    sql: `SELECT ${TRACE}, time_ns, pe, LR, vLPI, ${cases('"group"', GROUPS)} AS "group", priority, vFIQ, vIRQ FROM k_vhppi`,
  },
  viewOf('mappings', 'What each event of each device was mapped to, over time.'),
  viewOf('findings', 'Software errors that cause no visible failure (see docs/check.md).'),
  viewOf('checks', 'The checks that make findings.'),
  viewOf('rules', 'The rules by which importers fill what a source does not show.'),
];

/** Functions for SQL, as people call them. */
export const FUNCTIONS: Readonly<Record<string, string>> = {
  'gic_hex(value [, digits])': 'a value in hex; negative values as unsigned 64-bit',
  'gic_register(frame, offset)': "the register at an offset: gic_register('GICD', 4)",
  'gic_decode(frame, offset, value)': 'the fields of a register value that are not zero',
  'gic_sysreg(encoding)': 'the name of a system register',
  'gic_sysreg_decode(name, value)': 'the fields of a system-register value that are not zero',
  'gic_command(dw0, dw1, dw2, dw3)': 'an ITS command with its operands',
};

/** Functions that answer with rows, as people call them. */
export const TABLE_FUNCTIONS: Readonly<
  Record<string, { readonly doc: string; readonly columns: Readonly<Record<string, string>> }>
> = {
  'gic_state(trace, record)': {
    doc: "The state of the GIC behind a record, by the simulator: replayed from the nearest of the states that the database keeps. Reads the trace's records from its file, which must be where it was when it was loaded, and unchanged. What record 1000 changed: `SELECT * FROM gic_state(1, 1000) EXCEPT SELECT * FROM gic_state(1, 999)`. With two Security states registers are shown as a Secure access reads them.",
    columns: {
      kind: 'register: each that can be read; interrupt: each SGI, PPI and SPI, and each LPI that is pending or cached; mapping: each event in the tables of an ITS; pe: what a PE is told',
      name: 'register; `INTID n`; `DeviceID 0x… EventID n`; what of the PE',
      instance: 'PE, or for GITS registers and mappings the ITS; null: one for all',
      value: 'value of the register as a read shows it, signed 64 bits; INTID',
      text: 'the same in words: fields that are not zero; enabled, pending, active, asserted …; target',
    },
  },
};
