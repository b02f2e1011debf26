// Registers and configurations whose final values differ between the traces of a database.
import { IRQ_ATTRIBUTES, UNITS } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { FIRST_TRACE, KEY, type Module, traceOf } from './module.ts';

const names = (expression: string, values: readonly string[]): string =>
  `CASE ${expression} ${values.map((value, k) => `WHEN ${k} THEN '${value}'`).join(' ')} END`;
const FRAME_OF_UNIT = `CASE ${names('unit', UNITS)} ${FRAMES.map((frame, k) => `WHEN '${frame}' THEN ${k}`).join(' ')} END`;
const NAME = `coalesce((SELECT s.name FROM t_sysregs s WHERE s.encoding = register AND ${FRAME_OF_UNIT} IS NULL), (SELECT r.name FROM t_registers r WHERE r.frame = ${FRAME_OF_UNIT} AND r."offset" = register & ~3), printf('0x%x', register))`;

/** The last row of a table of events for each key. */
const last = (table: string, keys: string, values: string): string =>
  `(SELECT * FROM (SELECT ${traceOf('id')} AS trace, ${keys}, ${values}, row_number() OVER (PARTITION BY ${traceOf('id')}, ${keys} ORDER BY id DESC, seq DESC) AS back FROM ${table}) WHERE back = 1)`;
const VALUES = [
  `SELECT trace, ${names('unit', UNITS)} AS unit, instance, ${NAME} AS register, value FROM ${last('k_reg_changed', 'unit, instance, register', 'value')}`,
  `SELECT trace, iif(pe IS NULL, 'GICD', 'GICR'), pe, 'INTID ' || INTID || ' ' || ${names('attribute', IRQ_ATTRIBUTES)}, value FROM ${last('k_irq_changed', 'pe, INTID, attribute', 'value')}`,
  `SELECT trace, 'GICD', NULL, 'INTID ' || INTID || ' route', route FROM ${last('k_irq_routed', 'INTID', 'route')}`,
].join(' UNION ALL ');

export const REGISTER_MODULES: readonly Module[] = [
  {
    name: 'register_differences',
    doc: 'Registers, and configurations of SGIs, PPIs and SPIs, whose last value differs from that in the first trace of the database.',
    columns: {
      trace: KEY.trace,
      unit: 'GICD, GICR or GITS; ICC (CPU interface of the PE), ICC_S (its Secure instance) or ICH (its virtual CPU interface)',
      instance: 'PE, or ITS; 0 or null for the Distributor',
      register: 'register, or `INTID n` with an attribute',
      value: 'its last value in this trace, signed 64 bits; null if it never differed from its reset value',
      first_value: 'the same in the first trace',
    },
    sql: `WITH v AS MATERIALIZED (${VALUES}), keys AS (SELECT DISTINCT unit, instance, register FROM v) SELECT t.trace, k.unit, k.instance, k.register, h.value, f.value AS first_value FROM t_traces t CROSS JOIN keys k LEFT JOIN v h ON h.trace = t.trace AND h.unit = k.unit AND h.instance IS NOT DISTINCT FROM k.instance AND h.register = k.register LEFT JOIN v f ON f.trace = ${FIRST_TRACE} AND f.unit = k.unit AND f.instance IS NOT DISTINCT FROM k.instance AND f.register = k.register WHERE t.trace <> ${FIRST_TRACE} AND h.value IS DISTINCT FROM f.value ORDER BY t.trace, k.unit, k.instance, k.register`,
    question: 'Which registers ended with a different value than in the first run?',
    example:
      'SELECT trace, unit, instance, register, gic_hex(value) AS value, gic_hex(first_value) AS first FROM register_differences',
  },
];
