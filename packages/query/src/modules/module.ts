// What a module of the SQL library is, and what several of them are made of.
import { RECORDS_PER_TRACE } from '../schema.ts';
import type { View } from '../views.ts';

/** A view that answers a question people ask of traces again and again. Names and columns are a contract. */
export interface Module extends View {
  /** The question of its example. */
  readonly question: string;
  readonly example: string;
}

/** A module's row of the documentation: columns that several have. */
export const KEY = {
  trace: 'number of the trace (see traces)',
  class: 'SGI, PPI, SPI, LPI; vLPI; list register: a virtual interrupt in one',
  INTID: 'interrupt; of a virtual one the vINTID',
  vPEID: 'vPE; null if physical, or not told',
  pe: 'index of the PE; null where none is concerned or the source does not tell',
} as const;

/** The class of a physical INTID. */
export function classOf(intid: string): string {
  return `CASE WHEN ${intid} < 16 THEN 'SGI' WHEN ${intid} < 32 OR ${intid} BETWEEN 1056 AND 1119 THEN 'PPI' WHEN ${intid} < 1020 OR ${intid} BETWEEN 4096 AND 5119 THEN 'SPI' WHEN ${intid} >= 8192 THEN 'LPI' ELSE 'unknown' END`;
}
export const VIRTUAL_CLASS = "CASE WHEN LR IS NULL THEN 'vLPI' ELSE 'list register' END";

/** Trace and record of a private table's `id`. */
export const traceOf = (id: string): string => `${id} / ${RECORDS_PER_TRACE}`;
export const recordOf = (id: string): string => `${id} % ${RECORDS_PER_TRACE}`;
export const idOf = (trace: string, record: string): string => `${trace} * ${RECORDS_PER_TRACE} + ${record}`;

/** The trace beside which the modules across runs put the others. */
export const FIRST_TRACE = '(SELECT min(trace) FROM t_traces)';
