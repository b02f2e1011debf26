// The public views: what people query, with a word on each column. Names and columns are a contract.
import {
  FRAMES,
  GROUPS,
  RECORD_FLAGS,
  RECORDS,
  type RecordField,
  type RecordKind,
  type RecordName,
} from '@gictrace/core';
import { WAIT_GATES } from '../timeline/waits.ts';
import { column, RECORDS_PER_TRACE, tableName } from './schema.ts';

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
  trace: 'number of the trace (see traces)',
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

export const VIEWS: readonly View[] = [
  {
    name: 'traces',
    doc: 'The traces in this database.',
    columns: {
      trace: 'number of the trace',
      name: 'file name',
      records: 'records in it',
      source: 'what it was made from',
      source_kind: 'kind of source',
      profile: 'profile of the GIC',
      architecture: '3 or 4',
      pes: 'PEs',
      its: 'ITSs',
      events:
        '`simulated` if the events were derived by running the stimuli on the simulator at load, `recorded` if the trace holds them',
      content_digest: 'SHA-256 of the content',
      semantic_digest: 'SHA-256 of stimuli and observables, without host time',
      header: "the trace's header as JSON",
      path: 'the file, which gic_state reads; null where it was not loaded from one',
      end_ns: 'the latest time of its records; null where the source tells no time',
    },
    sql: 'SELECT * FROM t_traces',
  },
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
    name: 'its_commands',
    doc: 'Commands that the ITSs executed; an operand that the source does not show is null.',
    columns: {
      trace: key.trace,
      record: key.record,
      time_ns: key.time_ns,
      its: 'ITS',
      slot: 'slot of the queue',
      op: 'command',
      DeviceID: 'DeviceID',
      EventID: 'EventID',
      pINTID: 'physical INTID',
      vINTID: 'virtual INTID',
      ICID: 'collection',
      RDbase: 'processor number',
      vPEID: 'vPE',
      Size: 'EventID bits less one (MAPD)',
      ITT_addr: 'interrupt translation table (MAPD)',
      V: 'Valid',
      outcome: 'EXECUTED or the command error; null where the source does not tell',
      operation,
    },
    sql: `SELECT ${TRACE}, time_ns, its, slot, op, DeviceID, EventID, pINTID, vINTID, ICID, RDbase, vPEID, Size, ITT_addr, V, outcome, operation FROM t_commands`,
  },
  {
    name: 'msis',
    doc: 'Message-signalled interrupts that reached an ITS.',
    columns: {
      trace: key.trace,
      record: key.record,
      time_ns: key.time_ns,
      its: 'ITS',
      DeviceID: 'DeviceID',
      EventID: 'EventID',
      INTID: 'LPI (or vINTID) that it was translated to; null if it was dropped',
      virtual: '1: translated to a virtual interrupt; null if it was not translated',
      pe: 'PE that it was sent to',
      outcome:
        '`pended`; `coalesced` with one that was pending already; why it was dropped; null where neither source nor simulator tells',
    },
    sql: `SELECT ${TRACE}, time_ns, its, DeviceID, EventID, INTID, virtual, pe, outcome FROM t_msis`,
  },
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
  {
    name: 'interrupts',
    doc: 'One row for each life of an interrupt. Moments are record numbers, and times with _ns; null: not seen.',
    columns: {
      trace: key.trace,
      INTID: 'interrupt',
      pe: 'PE that took it, or for which it was pending',
      cause:
        'wire, still asserted, software, sgi, msi, its-command, table, moved, doorbell; unknown where it was not seen',
      asserted: 'the wire went up, or the message or write came',
      pended: 'it became pending',
      signalled: 'an interrupt line of the PE went up for it',
      acknowledged: 'the PE read ICC_IAR',
      eoi: 'priority drop',
      deactivated: 'it ceased to be active (LPIs have no active state)',
      withdrawn: 'it ceased to be pending without an acknowledge',
      asserted_ns: 'time',
      pended_ns: 'time',
      signalled_ns: 'time',
      acknowledged_ns: 'time',
      eoi_ns: 'time',
      deactivated_ns: 'time',
      outcome: 'complete, withdrawn, pending at end, active at end, no EOI seen',
      withdrawn_by: 'by what: an ITS command, a register that was written, `wire`; null where it is not told',
      moved_to: 'PE to which its pending state was moved, where another life goes on; null: it was not',
      withdrawn_ns: 'time',
      latency_ns: 'from pending to acknowledge',
      service_ns: 'from acknowledge to EOI',
    },
    sql: 'SELECT *, acknowledged_ns - pended_ns AS latency_ns, eoi_ns - acknowledged_ns AS service_ns FROM t_interrupts',
  },
  {
    name: 'waits',
    doc: 'For what pending interrupts wait: a row for each interval in which one gate holds one. That a line of an idle PE is up until the PE acknowledges is no row: `interrupts` has it.',
    columns: {
      trace: key.trace,
      INTID: 'interrupt',
      pe: 'PE that it is for; null: none, or not told',
      pended: 'record at which it became pending: with trace, INTID and PE its life in interrupts',
      from_record: 'record behind which the gate holds it',
      to_record: 'record behind which it does not any more; null: it does at the end of the trace',
      from_ns: 'time',
      to_ns: 'time; of the end of the trace where to_record is null',
      gate: Object.entries(WAIT_GATES)
        .map(([gate, doc]) => `\`${gate}\`: ${doc}`)
        .join('; '),
      priority: 'its priority, 0 (highest) to 255; null where it is not known',
      PMR: 'ICC_PMR of the PE',
      running: 'running priority of the PE; 255: idle',
      behind: 'the interrupt that it is behind',
      handled: 'interrupt that the PE handles: acknowledged last, and its EOI is not seen yet; null: none',
      handled_priority: 'priority of that',
      handled_since: 'record of its acknowledge',
      waited_ns: 'how long; null where it is not told',
    },
    sql: 'SELECT *, to_ns - from_ns AS waited_ns FROM t_waits',
  },
  {
    name: 'vinterrupts',
    doc: 'One row for each life of a virtual interrupt. Moments are record numbers, and times with _ns; null: not seen.',
    columns: {
      trace: key.trace,
      vINTID: 'virtual interrupt',
      vPEID: 'vPE; null where no vPE table entry was seen',
      VPT_addr: 'virtual pending table: what a vPE is known by in GICv4.0',
      pe: 'PE on which the virtual machine took it',
      LR: 'list register; null for a vLPI',
      cause: 'as in interrupts; list-register: put there by the hypervisor',
      resident: '1: the vPE was resident when it became pending; null for a list register',
      pended: 'it became pending in the virtual pending table',
      doorbell: 'its doorbell was rung',
      signalled: 'the virtual interrupt line went up for it',
      acknowledged: 'the virtual machine read ICV_IAR',
      eoi: 'virtual priority drop',
      withdrawn: 'it ceased to be pending without an acknowledge',
      pended_ns: 'time',
      doorbell_ns: 'time',
      signalled_ns: 'time',
      acknowledged_ns: 'time',
      eoi_ns: 'time',
      outcome: 'complete, withdrawn, pending at end, active at end, no EOI seen',
      withdrawn_by: 'by what: an ITS command, or a register that was written; null where it is not told',
      moved: '1: its pending state was moved to another vPE, where another life goes on',
      withdrawn_ns: 'time',
      latency_ns: 'from pending to acknowledge',
    },
    sql: 'SELECT *, acknowledged_ns - pended_ns AS latency_ns FROM t_vinterrupts',
  },
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
  {
    name: 'mappings',
    doc: 'What each event of each device was mapped to, over time.',
    columns: {
      trace: key.trace,
      its: 'ITS',
      DeviceID: 'DeviceID',
      EventID: 'EventID',
      INTID: 'LPI, or vINTID; null where the source does not show it',
      virtual: '1: a virtual interrupt (VMAPTI, VMAPI)',
      ICID: 'collection; null if virtual',
      vPEID: 'vPE; null if physical',
      pe: 'PE of the collection or of the vPE; null while it is unmapped',
      from_record: 'record of the command that made it so',
      to_record: 'record of the command that ended it; null: still so at the end',
      from_ns: 'time',
      to_ns: 'time',
      made_by: 'command',
      ended_by: 'command',
    },
    sql: 'SELECT trace, its, DeviceID, EventID, INTID, virtual, ICID, vPEID, pe, from_record, to_record, from_ns, to_ns, made_by, ended_by FROM t_mappings',
  },
  {
    name: 'findings',
    doc: 'What software did wrong though nothing failed (see docs/check.md).',
    columns: {
      trace: key.trace,
      rule: 'check that found it',
      severity: 'error, warning or note',
      record: 'number of the record',
      line: 'line of the source',
      time_ns: key.time_ns,
      pe: key.pe,
      text: 'what was found',
      lasted_ns: 'how long it lasted; null where it did not end, or is not told',
      related: 'what led to it and what ended it, as a JSON list of {record, line, time_ns, text}',
    },
    sql: 'SELECT * FROM t_findings',
  },
  {
    name: 'checks',
    doc: 'The checks that make findings.',
    columns: {
      rule: 'name',
      severity: 'error, warning or note',
      doc: 'what is wrong',
      source: 'where it is written',
    },
    sql: 'SELECT * FROM t_checks',
  },
  {
    name: 'rules',
    doc: 'The rules by which importers fill what a source does not show.',
    columns: { rule: 'number', name: 'name', class: 'inferred, assumed or unknown', doc: 'what it does' },
    sql: 'SELECT * FROM t_rules',
  },
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
