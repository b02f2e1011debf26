// The record kinds, each declared once in one of these tables. Together they are everything that a trace can contain.
import { CONTEXT_KINDS } from './context.ts';
import { EVENTS } from './events.ts';
import { GICV5_EVENTS } from './gicv5-events.ts';
import { GICV5_OBSERVABLES, GICV5_STIMULI, type Gicv5Only } from './gicv5-kinds.ts';
import { OBSERVABLES } from './observables.ts';
import { OPERATION_KINDS } from './operations.ts';
import type { RecordClass, RecordKind } from './shape.ts';
import { STIMULI } from './stimuli.ts';

export const RECORDS = {
  ...STIMULI,
  ...GICV5_STIMULI,
  ...OPERATION_KINDS,
  ...OBSERVABLES,
  ...GICV5_OBSERVABLES,
  ...EVENTS,
  ...GICV5_EVENTS,
  ...CONTEXT_KINDS,
} as const satisfies Record<string, RecordKind>;

export type RecordName = keyof typeof RECORDS;

/** The ids of the kinds of a class, as a type: a `switch` over them whose default `satisfies never` leaves out none. */
export type IdOf<Class extends RecordClass> = Extract<
  (typeof RECORDS)[RecordName],
  { readonly class: Class }
>['id'];

/** As {@link IdOf}, of the kinds that a GICv3 or GICv4 can have. */
export type Gicv3IdOf<Class extends RecordClass> = Exclude<IdOf<Class>, (typeof RECORDS)[Gicv5Only]['id']>;

/** Flags of a record: a bit set. */
export const RECORD_FLAGS = {
  /** The source reported the access as to a reserved or wrong-width location. */
  reserved: 1,
  /** The source does not contain the value that the access returned. */
  valueUnknown: 2,
  /** A Secure access. At EL3, an access with SCR_EL3.NS = 0, to the Secure instances of banked system registers. */
  secure: 4,
  /** The source contains this access twice, and both lines agree. */
  confirmed: 8,
  /** An access to a system register from EL3, which is Secure. Accesses to registers named _EL3 need no flag. */
  el3: 16,
  /**
   * The source does not show which PE it was, and nothing in it decides. The record names a PE with which the source
   * contradicts itself nowhere, so that it can be replayed; whoever answers questions says that the PE is unknown.
   */
  peUndecided: 32,
  /**
   * The source does not contain the state that decides what the access returned or did, or this record is the first to
   * reveal that state. The record is therefore neither compared nor used for a finding.
   */
  undecided: 128,
} as const;
