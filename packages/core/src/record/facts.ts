// What a record is about: its class, the interrupt, device and vPE that it names, and whether it acknowledges, ends or
// deactivates an interrupt. No other file decides this. It is derived from the declarations in kinds.ts and spec/ (see
// naming.ts), and knows no model, file or database.
import {
  ALL_SYSREGS,
  type AnySysregName,
  type CommandName,
  commandName,
  gicv5SysregName,
  type Identifier,
  type InterruptAct,
  type SysregSpec,
} from '../spec/index.ts';
import type { RecordBatch } from './batch.ts';
import { RECORD_FLAGS, RECORDS, type RecordName } from './kinds.ts';
import { eachMention } from './naming.ts';
import { CLASS_IDS, RECORD_WORDS, type RecordClass, type RecordKind } from './shape.ts';

/** The id of each record kind by its name, as in `batch.kind[i] === KIND['mmio.read']`. */
export const KIND = Object.fromEntries(Object.entries(RECORDS).map(([name, { id }]) => [name, id])) as {
  readonly [Name in RecordName]: (typeof RECORDS)[Name]['id'];
};

/** The class to which an id belongs, even if no kind has this id. @throws RangeError outside 1 to 255. */
export function classOf(kind: number): RecordClass {
  for (const [name, { first, last }] of Object.entries(CLASS_IDS))
    if (kind >= first && kind <= last) return name as RecordClass;
  throw new RangeError(`${kind} is the id of no record kind`);
}

// Constants, because these functions are called for every record and event.
const LAST_STIMULUS = CLASS_IDS.stimulus.last;
const LAST_OPERATION = CLASS_IDS.operation.last;
const LAST_OBSERVABLE = CLASS_IDS.observable.last;
const LAST_EVENT = CLASS_IDS.event.last;

/** Whether a kind is a stimulus: something that the outside world did to the GIC. */
export function isStimulus(kind: number): boolean {
  return kind <= LAST_STIMULUS;
}
/** Whether a kind is an operation: something that an irqchip driver was asked to do. */
export function isOperation(kind: number): boolean {
  return kind > LAST_STIMULUS && kind <= LAST_OPERATION;
}
/** Whether a kind is an observable: something that every implementation must be able to show. */
export function isObservable(kind: number): boolean {
  return kind > LAST_OPERATION && kind <= LAST_OBSERVABLE;
}
/** Whether a kind is an event: something that happened inside the GIC. */
export function isEvent(kind: number): boolean {
  return kind > LAST_OBSERVABLE && kind <= LAST_EVENT;
}
/** Whether a kind is context: something that happened around the GIC and changed nothing in it. */
export function isContext(kind: number): boolean {
  return kind > LAST_EVENT;
}
/** All ids of stimuli are below this: the length of a table indexed by the kind of a stimulus. */
export const STIMULI_BELOW = LAST_STIMULUS + 1;

const isTable = new Uint8Array(256);
for (const [name, { id }] of Object.entries(RECORDS)) if (/^(dte|cte|ite|vte)\./.test(name)) isTable[id] = 1;

/** Whether the record says that an ITS read or wrote an entry of one of its tables. */
export function isTableAccess(kind: number): boolean {
  return isTable[kind] !== 0;
}

/** What an access to a system register, or an event, does with an interrupt. */
export interface Act {
  readonly does: InterruptAct;
  /** Whether the interrupt is virtual, because the record concerns a virtual CPU interface. */
  readonly isVirtual: boolean;
  /** The register that is accessed; undefined for an event. */
  readonly register: AnySysregName | undefined;
  /** The group for which the register acts; undefined if it acts for both, and for an event. */
  readonly group: 0 | 1 | undefined;
}

const readActs = new Map<number, Act>();
const writeActs = new Map<number, Act>();
for (const [name, spec] of Object.entries<SysregSpec>(ALL_SYSREGS)) {
  if (spec.does === undefined) continue;
  (spec.access === 'RO' ? readActs : writeActs).set(spec.encoding, {
    does: spec.does,
    isVirtual: spec.fields.some((field) => field.identifies === 'vINTID'),
    register: name as AnySysregName,
    group: spec.group,
  });
}
const eventActs: (Act | undefined)[] = new Array(256).fill(undefined);
for (const kind of Object.values<RecordKind>(RECORDS)) {
  if (kind.does === undefined) continue;
  const isVirtual = kind.fields.some((field) => field.identifies === 'vINTID');
  eventActs[kind.id] = { does: kind.does, isVirtual, register: undefined, group: undefined };
}

/** What an access to the system register with this encoding does with an interrupt; undefined if it does nothing to one. */
export function actOfAccess(encoding: number, write: boolean): Act | undefined {
  return (write ? writeActs : readActs).get(encoding);
}

/** What the record does with the interrupt that {@link intidOf} names; undefined if it does nothing to one. */
export function actOf(batch: RecordBatch, i: number): Act | undefined {
  switch (batch.kind[i]) {
    case KIND['sysreg.read']:
      return actOfAccess(batch.words[i * RECORD_WORDS]!, false);
    case KIND['sysreg.write']:
      return actOfAccess(batch.words[i * RECORD_WORDS]!, true);
    default:
      return eventActs[batch.kind[i]!];
  }
}

/** Bits 23:0 are the INTID in every system register of GICv3 that acknowledges, ends or deactivates interrupts. */
const INTID_MASK = 0xff_ffff;

/**
 * The interrupt that a physical CPU interface acknowledged or ended by this access, according to the source: the value
 * that a read of ICC_IAR0, ICC_IAR1 or ICC_NMIAR1 returned, or that was written to ICC_EOIR0 or ICC_EOIR1. The special
 * INTIDs 1020 to 1023 are returned unchanged. Returns -1 for other records, if the source does not contain the value, and
 * for GICv5 if nothing was acknowledged; its GIC CDEOI names no interrupt.
 */
export function takenOrEnded(batch: RecordBatch, i: number): number {
  if (batch.kind[i]! !== KIND['sysreg.read'] && batch.kind[i]! !== KIND['sysreg.write']) return -1;
  const act = actOf(batch, i);
  if (act === undefined || act.isVirtual || (act.does !== 'acknowledge' && act.does !== 'end')) return -1;
  if (batch.flags[i]! & RECORD_FLAGS.valueUnknown) return -1;
  if (gicv5SysregName(batch.words[i * RECORD_WORDS]!) === undefined)
    return batch.words[i * RECORD_WORDS + 1]! & INTID_MASK;
  const isThere = act.does === 'acknowledge' && (batch.words[i * RECORD_WORDS + 2]! & 1) !== 0;
  return isThere ? batch.words[i * RECORD_WORDS + 1]! : -1;
}

/** The first single value of this sort that a record names; -1 if it names none, or only ranges. */
export function namedBy(batch: RecordBatch, i: number, identifier: Identifier): number {
  let value = -1;
  eachMention(batch, i, (what, first, last) => {
    if (value < 0 && what === identifier && first === last) value = first;
  });
  return value;
}

/** The first single interrupt that a record names, physical or virtual; -1 if it names none, or only ranges. */
export function intidOf(batch: RecordBatch, i: number): number {
  let intid = -1;
  eachMention(batch, i, (what, first, last) => {
    if (intid < 0 && (what === 'INTID' || what === 'vINTID') && first === last) intid = first;
  });
  return intid;
}

/** The DeviceID that a record names, or -1. */
export function deviceOf(batch: RecordBatch, i: number): number {
  return namedBy(batch, i, 'DeviceID');
}

/** The EventID that a record names, or -1. */
export function eventOf(batch: RecordBatch, i: number): number {
  return namedBy(batch, i, 'EventID');
}

/** The vPEID that a record names, or -1. */
export function vpeOf(batch: RecordBatch, i: number): number {
  return namedBy(batch, i, 'vPEID');
}

/** The ITS command that a record queues or executes; undefined for another record, or an unknown opcode. */
export function commandOf(batch: RecordBatch, i: number): CommandName | undefined {
  const kind = batch.kind[i];
  if (kind !== KIND['queue.write'] && kind !== KIND['its.command']) return undefined;
  return commandName(batch.words[i * RECORD_WORDS + (kind === KIND['queue.write'] ? 3 : 4)]!);
}
