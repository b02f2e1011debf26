// The private tables: one for each family of record kinds, derived from core's RECORDS, and the few tables that
// the load computes. Knows nothing of views, files or loading. Names here are not an interface: views are.
import {
  fieldWords,
  GICD,
  GICR,
  GITS,
  ITS_COMMANDS,
  RECORDS,
  type RecordField,
  type RecordKind,
  RULES,
  SYSREGS,
} from '@gictrace/core';

/** `PRAGMA application_id` of our databases: "GICq". */
export const APPLICATION_ID = 0x47494371;
/** `PRAGMA user_version`: the version of private tables and views together. */
export const SCHEMA_VERSION = 1;

export interface Column {
  readonly name: string;
  readonly type: 'INTEGER' | 'TEXT';
}

/** Kinds of one noun and class with the same fields share a table: `mmio.read` and `mmio.write`. */
export interface Family {
  readonly table: string;
  readonly class: RecordKind['class'];
  readonly kinds: readonly { readonly name: string; readonly id: number }[];
  readonly fields: readonly RecordField[];
  /** SQL name of each field, and where its words start. */
  readonly columns: readonly string[];
  readonly offsets: readonly number[];
  /** All columns but `trace`, in insertion order. */
  readonly stored: readonly Column[];
}

/** Names that a field may not have in SQL, because each record has a column of that name. */
const COMMON = new Set(['trace', 'record', 'seq', 'kind', 'time_ns', 'pe', 'flags', 'rule', 'line', 'cause']);
/** Fields that SQL would make awkward to write. */
const RENAMED: Readonly<Record<string, string>> = { index: 'idx' };

/** A field's column: its own name unless SQL or a common column has it. */
export function columnOf(field: string): string {
  const name = RENAMED[field] ?? field;
  return COMMON.has(name.toLowerCase()) ? `${name}_` : name;
}

function signature(kind: RecordKind): string {
  return `${kind.class} ${kind.fields.map((field) => `${field.name}:${field.type}`).join(',')}`;
}

function makeFamilies(): Family[] {
  const groups = new Map<string, { noun: string; kinds: { name: string; id: number }[]; of: RecordKind }>();
  const nouns = new Map<string, number>();
  for (const [name, kind] of Object.entries(RECORDS) as [string, RecordKind][]) {
    const noun = name.split('.')[0]!;
    const key = `${noun} ${signature(kind)}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { noun, kinds: [{ name, id: kind.id }], of: kind });
      nouns.set(noun, (nouns.get(noun) ?? 0) + 1);
    } else group.kinds.push({ name, id: kind.id });
  }
  return [...groups.values()].map(({ noun, kinds, of }) => {
    let at = 0;
    const offsets = of.fields.map((field) => {
      const here = at;
      at += fieldWords(field.type);
      return here;
    });
    const columns = of.fields.map((field) => columnOf(field.name));
    const integers = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'INTEGER' }));
    const base = nouns.get(noun) === 1 ? noun : kinds[0]!.name;
    return {
      table: `raw_${base.replace(/[^a-z0-9]/g, '_')}`,
      class: of.class,
      kinds,
      fields: of.fields,
      columns,
      offsets,
      stored: integers(
        'record',
        ...(of.class === 'event' ? ['seq'] : []),
        ...(kinds.length > 1 ? ['kind'] : []),
        'time_ns',
        'pe',
        'flags',
        'rule',
        'line',
        'cause',
        ...columns,
        ...(noun === 'mmio' ? ['register', 'element'] : []),
      ),
    };
  });
}

/** Every family of record kinds, in the order of RECORDS. */
export const FAMILIES: readonly Family[] = makeFamilies();

/** The family of each kind id. */
export const FAMILY_OF: readonly (Family | undefined)[] = (() => {
  const byId: (Family | undefined)[] = new Array(256).fill(undefined);
  for (const family of FAMILIES) for (const kind of family.kinds) byId[kind.id] = family;
  return byId;
})();

/** The family of a kind by name. */
export function familyOf(kind: keyof typeof RECORDS): Family {
  return FAMILY_OF[RECORDS[kind].id]!;
}

/** Every operand of every ITS command: a column each. */
export const OPERANDS: readonly string[] = [
  ...new Set(Object.values(ITS_COMMANDS).flatMap((command) => command.operands.map((o) => o.name as string))),
];

const column = (name: string, type: Column['type'] = 'INTEGER'): Column => ({ name, type });
const moment = (name: string): Column[] => [column(`${name}_record`), column(`${name}_ns`)];

/** Stages of an interrupt's life, in order. */
export const STAGES = ['asserted', 'pended', 'signalled', 'acknowledged', 'eoi', 'deactivated'] as const;

export interface DerivedTable {
  readonly name: string;
  /** All columns but `trace`; the first `keys` of them identify a row in a trace. */
  readonly columns: readonly Column[];
  readonly keys: number;
}

/** Tables that the load computes in the same pass. */
export const DERIVED = {
  commands: {
    name: 'derived_its_commands',
    columns: [
      column('record'),
      column('op', 'TEXT'),
      column('outcome', 'TEXT'),
      ...OPERANDS.map((name) => column(name)),
    ],
    keys: 1,
  },
  msis: {
    name: 'derived_msis',
    columns: [
      column('record'),
      column('virtual'),
      column('INTID'),
      column('ICID'),
      column('vPEID'),
      column('pe'),
      column('outcome', 'TEXT'),
    ],
    keys: 1,
  },
  interrupts: {
    name: 'derived_interrupts',
    columns: [
      column('life'),
      column('INTID'),
      column('pe'),
      column('cause', 'TEXT'),
      column('its'),
      column('DeviceID'),
      column('EventID'),
      ...STAGES.flatMap(moment),
      column('coalesced'),
      column('moved'),
      column('outcome', 'TEXT'),
    ],
    keys: 1,
  },
  mappings: {
    name: 'derived_mappings',
    columns: [
      column('mapping'),
      column('its'),
      column('DeviceID'),
      column('EventID'),
      column('virtual'),
      column('INTID'),
      column('ICID'),
      column('vPEID'),
      column('doorbell'),
      column('pe'),
      column('from_record'),
      column('from_ns'),
      column('to_record'),
      column('to_ns'),
      column('shown_by', 'TEXT'),
    ],
    keys: 1,
  },
} as const satisfies Record<string, DerivedTable>;

/** Frames in the order of core's FRAMES. */
export const FRAME_TABLES = [GICD, GICR, GITS] as const;
/** Register ids in our tables are `frame * REGISTER_STRIDE + index in the frame's declaration`. */
export const REGISTER_STRIDE = 1000;

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function create(table: string, columns: readonly Column[], keys: readonly string[]): string {
  const defined = columns.map(({ name, type }) => `"${name}" ${type}${keys.includes(name) ? ' NOT NULL' : ''}`);
  const key = ['trace', ...keys].map((name) => `"${name}"`).join(', ');
  return `CREATE TABLE ${table} (trace INTEGER NOT NULL, ${defined.join(', ')}, PRIMARY KEY (${key})) STRICT, WITHOUT ROWID;`;
}

/** DDL of all private tables, and the rows of those that name things. */
export function tablesDdl(): string {
  const lines = [
    `CREATE TABLE raw_traces (trace INTEGER PRIMARY KEY, name TEXT NOT NULL, profile TEXT NOT NULL, architecture INTEGER NOT NULL,
      pes INTEGER NOT NULL, its INTEGER NOT NULL, records INTEGER NOT NULL, stimuli INTEGER NOT NULL, observables INTEGER NOT NULL,
      events INTEGER NOT NULL, first_ns INTEGER, last_ns INTEGER, events_origin TEXT, events_profile TEXT,
      header TEXT NOT NULL, digests TEXT NOT NULL) STRICT;`,
    'CREATE TABLE name_registers (id INTEGER PRIMARY KEY, frame TEXT NOT NULL, name TEXT NOT NULL, is_array INTEGER NOT NULL) STRICT;',
    'CREATE TABLE name_sysregs (encoding INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;',
    'CREATE TABLE name_kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL, class TEXT NOT NULL) STRICT;',
    'CREATE TABLE name_rules (id INTEGER PRIMARY KEY, name TEXT NOT NULL, class TEXT NOT NULL, doc TEXT NOT NULL) STRICT;',
  ];
  FRAME_TABLES.forEach((table, frame) => {
    Object.entries(table).forEach(([name, spec], index) => {
      lines.push(
        `INSERT INTO name_registers VALUES (${frame * REGISTER_STRIDE + index}, ${quote(['GICD', 'GICR', 'GITS'][frame]!)}, ${quote(name)}, ${'count' in spec ? 1 : 0});`,
      );
    });
  });
  for (const [name, spec] of Object.entries(SYSREGS))
    lines.push(`INSERT INTO name_sysregs VALUES (${spec.encoding}, ${quote(name)});`);
  for (const [name, kind] of Object.entries(RECORDS))
    lines.push(`INSERT INTO name_kinds VALUES (${kind.id}, ${quote(name)}, ${quote(kind.class)});`);
  for (const [name, rule] of Object.entries(RULES))
    lines.push(`INSERT INTO name_rules VALUES (${rule.id}, ${quote(name)}, ${quote(rule.class)}, ${quote(rule.doc)});`);
  for (const family of FAMILIES)
    lines.push(create(family.table, family.stored, family.class === 'event' ? ['record', 'seq'] : ['record']));
  for (const table of Object.values(DERIVED) as DerivedTable[])
    lines.push(create(table.name, table.columns, table.columns.slice(0, table.keys).map((c) => c.name)));
  return lines.join('\n');
}
