// The public views, with the documentation of each column. Names and columns are a contract.
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
  /** What each column contains. */
  readonly columns: Readonly<Record<string, string>>;
  readonly sql: string;
}

const TRACE = `id / ${RECORDS_PER_TRACE} AS trace, id % ${RECORDS_PER_TRACE} AS record`;
const cases = (expression: string, values: readonly string[]) =>
  `CASE ${expression} ${values.map((value, k) => `WHEN ${k} THEN '${value}'`).join(' ')} END`;

const key = {
  trace: TRACE_NUMBER,
  record: 'number of the record in the trace',
  time_ns: 'nanoseconds since the trace began; null if the source does not contain the time',
  pe: 'index of the PE; null if no PE is concerned, or if it is unknown',
};
const operation = 'record number of the operation that caused it; null if the trace contains no operations';

const kinds = Object.entries(RECORDS) as [RecordName, RecordKind][];

/** The SQL for a field, with enums by name. */
function named(field: RecordField): string {
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

/** The SQL for a field of an operation, or null if the operation has no field of that name. */
function ofOperation(kind: RecordKind, name: string): string {
  const field = kind.fields.find((one) => one.name === name);
  return `${field === undefined ? 'NULL' : column(field)} AS ${name}`;
}

function eventFields(kind: RecordKind): string {
  const pairs = kind.fields.map((field) => `'${field.name} ' || ${named(field)}`);
  return pairs.length === 0 ? "''" : pairs.join(" || ', ' || ");
}

/** A value that the source does not contain (RECORD_FLAGS.valueUnknown) is null. */
const VALUE = `CASE WHEN flags & ${RECORD_FLAGS.valueUnknown} THEN NULL ELSE value END AS value`;
const mmioOf = (name: 'mmio.read' | 'mmio.write') =>
  `SELECT ${TRACE}, time_ns, pe, ${cases('frame', FRAMES)} AS frame, instance, (SELECT r.name FROM t_registers r WHERE r.frame = k.frame AND r."offset" = k."offset" & ~3) AS register, "offset", width, ${VALUE}, '${name === 'mmio.read' ? 'read' : 'write'}' AS direction, (flags & 1) AS reserved, line, (SELECT name FROM t_rules r WHERE r.rule = k.rule) AS rule FROM ${tableName(name)} k`;
const sysregOf = (name: 'sysreg.read' | 'sysreg.write') =>
  `SELECT ${TRACE}, time_ns, pe, (SELECT s.name FROM t_sysregs s WHERE s.encoding = register) AS register, ${VALUE}, '${name === 'sysreg.read' ? 'read' : 'write'}' AS direction, line FROM ${tableName(name)} k`;

/** Computed columns of a view: the SQL, and what the column contains. */
type Computed = Readonly<Record<string, readonly [sql: string, doc: string]>>;

/** The view of a derived table: its columns as they are declared, and columns that are computed from them. */
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
  'from pending to acknowledge, in nanoseconds; null if either time is null',
] as const;

export const VIEWS: readonly View[] = [
  viewOf('traces', 'The traces in this database.'),
  viewOf('labels', 'Labels that traces were given (`gictrace import --label NAME=VALUE`).'),
  {
    name: 'operations',
    doc: 'What an operating system asked of its irqchip driver, and what devices and PEs did meanwhile, in traces that were recorded from a scenario.',
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
      line: '1-based line of the source; null if there is none',
      rule: 'the rule that inferred it; null if the source contains it',
      flags: 'bits: 1 reserved location, 2 value unknown, 4 Secure, 8 twice in the source',
      operation,
    },
    sql: union('stimulus'),
  },
  {
    name: 'observables',
    doc: 'What the GIC did as seen from outside. Replay compares these.',
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
      frame: 'GICD, GICR or GITS; IRS on GICv5',
      instance:
        'GICR: the PE whose Redistributor it is; GITS: the ITS; IRS: four times the IRS, plus the interrupt domain',
      register: 'register, with the number in an array; null at a reserved location',
      offset: 'byte offset in the frame',
      width: 'bytes',
      value: 'signed 64-bit; see gic_hex(); null if the source does not contain it',
      direction: 'read or write',
      reserved: '1 if reported as an access to a reserved location',
      line: 'line of the source',
      rule: 'rule that inferred part of it',
    },
    sql: `${mmioOf('mmio.read')} UNION ALL ${mmioOf('mmio.write')}`,
  },
  {
    name: 'sysregs',
    doc: 'Accesses to ICC, ICV and ICH system registers, and the GIC and GICR instructions of GICv5.',
    columns: {
      ...key,
      register: 'system register',
      value: 'signed 64-bit; see gic_hex(); null if the source does not contain it',
      direction: 'read or write',
      line: 'line of the source',
    },
    sql: `${sysregOf('sysreg.read')} UNION ALL ${sysregOf('sysreg.write')}`,
  },
  {
    ...viewOf(
      'commands',
      'Commands that the ITSs executed. An operand that the source does not contain is null.',
    ),
    name: 'its_commands',
  },
  viewOf(
    'msis',
    'Message-signalled interrupts that reached an ITS. Not included are events that reach an ITS of a GICv5 in another way: from an IWB, or by ITS_GEN_EVENTR.',
  ),
  {
    name: 'hppi',
    doc: 'What each PE was signalled: the highest-priority pending interrupt and the interrupt lines.',
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
    doc: 'What happened inside the GIC. Each event has the stimulus that caused it.',
    columns: {
      trace: key.trace,
      record: 'number of the stimulus that caused it',
      seq: 'order among the events of that stimulus',
      time_ns: key.time_ns,
      pe: key.pe,
      kind: 'kind of event',
      INTID: 'the interrupt concerned, if there is one',
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
    'One row for each lifetime of an interrupt. Moments are record numbers, and times in the columns that end in _ns; null if not seen.',
    {
      latency_ns: LATENCY,
      service_ns: [
        'eoi_ns - acknowledged_ns',
        'from acknowledge to EOI, in nanoseconds; null if either time is null',
      ],
    },
  ),
  viewOf(
    'waits',
    'What pending interrupts wait for: one row for each interval in which an interrupt waits for one reason. There is no row for an interrupt that is signalled to an idle PE until the PE acknowledges it; `interrupts` has that.',
    {
      waited_ns: ['to_ns - from_ns', 'how long, in nanoseconds; null if either time is null'],
    },
  ),
  viewOf(
    'vinterrupts',
    'One row for each lifetime of a virtual interrupt. Moments are record numbers, and times in the columns that end in _ns; null if not seen.',
    { latency_ns: LATENCY },
  ),
  {
    name: 'vhppi',
    doc: "What each PE's virtual machine was signalled: the highest-priority pending virtual interrupt and the virtual interrupt lines.",
    columns: {
      ...key,
      LR: 'list register of the highest-priority pending virtual interrupt; 16 for the vLPI; -1 for none',
      vLPI: 'highest-priority pending vLPI; 1023 for none',
      group: 'group of that vLPI',
      priority: 'its priority; 255: none',
      vFIQ: 'virtual FIQ line',
      vIRQ: 'virtual IRQ line',
    },
    sql: `SELECT ${TRACE}, time_ns, pe, LR, vLPI, ${cases('"group"', GROUPS)} AS "group", priority, vFIQ, vIRQ FROM k_vhppi`,
  },
  viewOf(
    'mappings',
    'What each event of each device was mapped to over time, by ITS commands. There are none for a GICv5, whose ITSs have no commands: software writes the tables to memory, and `msis` has what became of each message. The events `its.cached` and `its.forgotten` are about the entries that an ITS keeps.',
  ),
  viewOf('findings', 'Software errors that cause no visible failure (see docs/check.md).'),
  viewOf('checks', 'The checks that produce findings.'),
  viewOf('rules', 'The rules by which importers infer what a source does not contain.'),
];

/** Functions for SQL, as they are called. */
export const FUNCTIONS: Readonly<Record<string, string>> = {
  'gic_hex(value [, digits])': 'a value in hex; negative values as unsigned 64-bit',
  'gic_register(frame, offset)': "the register at an offset: gic_register('GICD', 4)",
  'gic_decode(frame, offset, value)': 'the fields of a register value that are not zero',
  'gic_intid(INTID)': 'an INTID as people write it: `PPI 27` on GICv5, otherwise `INTID 27`',
  'gic_sysreg(encoding)': 'the name of a system register',
  'gic_sysreg_decode(name, value)': 'the fields of a system-register value that are not zero',
  'gic_command(dw0, dw1, dw2, dw3)': 'an ITS command with its operands',
};

/** Table functions, as they are called. */
export const TABLE_FUNCTIONS: Readonly<
  Record<string, { readonly doc: string; readonly columns: Readonly<Record<string, string>> }>
> = {
  'gic_state(trace, record)': {
    doc: "The state of the GIC after a record, according to the simulator. It is replayed from the nearest state that the database keeps, and reads the records from the trace's file, which must still be at its path and unchanged. What record 1000 changed: `SELECT * FROM gic_state(1, 1000) EXCEPT SELECT * FROM gic_state(1, 999)`. With two Security states, registers have the values that a Secure access reads.",
    columns: {
      kind: '`register`: each register that can be read; `interrupt`: each SGI, PPI and SPI (on GICv5, SPIs that are not as after a reset), and each LPI that is pending or cached; `mapping`: each event in the tables of an ITS; `pe`: what a PE is signalled',
      name: 'register; `INTID n`; `DeviceID 0x… EventID n`; for a PE, the name of the value',
      instance: 'PE, or the ITS for GITS registers and mappings; null if it is common to all PEs',
      value: 'value that a read of the register returns, signed 64 bits; INTID',
      text: 'the same as text: fields that are not zero; enabled, pending, active, asserted …; target',
    },
  },
};
