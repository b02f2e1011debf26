// The shape of a module of the SQL library, and the parts that several modules have in common.
import { FRAMES, GICV5_TYPES, gicv5Intid, INTID_RANGES } from '@gictrace/core/spec';
import { RECORDS_PER_TRACE, TRACE_NUMBER } from '../derived-tables.ts';
import type { View } from '../views.ts';

/** A view that answers a common question about traces. Names and columns are a contract. */
export interface Module extends View {
  /** The question that its example answers. */
  readonly question: string;
  readonly example: string;
}

/** The documentation of columns that several modules have. */
export const KEY = {
  trace: TRACE_NUMBER,
  class: 'SGI, PPI, SPI, LPI; vLPI; list register: a virtual interrupt in one',
  INTID: 'INTID, or vINTID of a virtual interrupt',
  vPEID: 'vPE; null if physical or unknown',
  pe: 'index of the PE; null if no PE is concerned, or if it is unknown',
} as const;

const CLASSES = Object.entries(INTID_RANGES).filter(([name]) => name !== 'special');
/** The class of a physical INTID: an extended PPI is a PPI, an extended SPI an SPI. That of a GICv5 has its type in it. */
export function classOf(intid: string): string {
  const of = ([name, { first, last }]: (typeof CLASSES)[number]) =>
    `WHEN ${intid} BETWEEN ${first} AND ${last} THEN '${name.replace('extended ', '')}'`;
  const typed = Object.entries(GICV5_TYPES).map(
    ([name, type]) =>
      `WHEN ${intid} BETWEEN ${gicv5Intid(type, 0)} AND ${gicv5Intid(type + 1, 0) - 1} THEN '${name}'`,
  );
  // The INTIDs of a GICv5 are above those that a GICv3 can have, but within the range of its LPIs.
  return `CASE WHEN ${intid} IS NULL THEN NULL ${[...typed, ...CLASSES.map(of)].join(' ')} ELSE 'unknown' END`;
}
/** Whether a physical INTID is that of an SPI, which all PEs share. */
export const isSpiSql = (intid: string): string => `${classOf(intid)} = 'SPI'`;
export const VIRTUAL_CLASS = "CASE WHEN LR IS NULL THEN 'vLPI' ELSE 'list register' END";

/** Trace and record of a private table's `id`. */
export const traceOf = (id: string): string => `${id} / ${RECORDS_PER_TRACE}`;
export const recordOf = (id: string): string => `${id} % ${RECORDS_PER_TRACE}`;
export const idOf = (trace: string, record: string): string => `${trace} * ${RECORDS_PER_TRACE} + ${record}`;

/** What a source may lack altogether although it occurred, as an importer names it in a trace's header. */
export type Fact =
  | 'acknowledges'
  | 'ends'
  | 'deactivations'
  | 'MSIs'
  | 'commands'
  | 'ICC_PMR writes'
  | 'ICC_IGRPEN writes';
/** Whether the source of a trace lacks one of these facts, for a row `t` of t_traces. */
export const lacks = (...facts: readonly Fact[]): string =>
  `(${facts.map((fact) => `t.header LIKE '%"missing":[%"${fact}"%'`).join(' OR ')})`;
/** A count of what a source may lack: null, and not 0, if it does. */
export const unlessLacking = (facts: readonly Fact[], count: string, trace = 'trace'): string =>
  `CASE WHEN ${trace} IN (SELECT t.trace FROM t_traces t WHERE ${lacks(...facts)}) THEN NULL ELSE ${count} END`;
/** What stands in place of an answer that would need what the source lacks. */
export const NOT_RECORDED = 'not recorded';

/** Registers that a device writes to raise an interrupt: frame, offset, name. */
const DOORBELLS = [
  ['GICD', 0x40, 'GICD_SETSPI_NSR'],
  ['GICD', 0x50, 'GICD_SETSPI_SR'],
  ['GICR', 0x40, 'GICR_SETLPIR'],
] as const;
/** The name of such a register if row `w` of k_mmio_write is a write of one, otherwise null. */
export const doorbellOf = (w: string): string =>
  `CASE ${DOORBELLS.map(([frame, offset, name]) => `WHEN ${w}.frame = ${FRAMES.indexOf(frame)} AND ${w}."offset" = ${offset} THEN '${name}'`).join(' ')} END`;
/** The INTID that it names: 13 bits of GICD_SETSPI, 32 of GICR_SETLPIR. */
export const namedBy = (w: string): string =>
  `iif(${w}.frame = ${FRAMES.indexOf('GICD')}, ${w}.value & 8191, ${w}.value & 4294967295)`;
/** Whether an interrupt was pending after a record that tried to raise it. */
export const isRaised = (trace: string, intid: string, record: string): string =>
  `EXISTS (SELECT 1 FROM t_interrupts i WHERE i.trace = ${trace} AND i.INTID = ${intid} AND i.pended <= ${record} AND coalesce(i.acknowledged, i.withdrawn, ${record} + 1) > ${record})`;

/** The trace with which modules that compare traces compare the others. */
export const FIRST_TRACE = '(SELECT min(trace) FROM t_traces)';
