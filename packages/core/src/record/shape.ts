// The shape of the declaration of a record kind. The union types, the trace codec, the SQL tables, the text form and the
// reference docs derive from it. Pure data; it knows nothing of models, files or databases.
import type { InterruptAct, Naming } from '../spec/index.ts';

/**
 * How a field is stored in a record's words. `u64` and `pa` take two 32-bit words (low first), all others one.
 * `pa` is a physical address below 2^52; `i32` is two's complement; `sysreg` is a packed system-register
 * encoding (see spec/sysreg); an `enum` stores an index into `values`.
 */
export type FieldType = 'u8' | 'u16' | 'u32' | 'i32' | 'bool' | 'enum' | 'sysreg' | 'u64' | 'pa';

export interface RecordField extends Naming {
  readonly name: string;
  readonly type: FieldType;
  /** For `enum`: the names by stored index. A trace stores the index, so names may only be appended. */
  readonly values?: readonly string[];
  /** The base in which the value is printed; decimal if absent. */
  readonly base?: 'hex' | 'dec';
  /**
   * It was added when there were traces already. A chunk has no column for it, and for what follows it, where all its values
   * are 0, and the text of a record leaves it out if it is 0: so older traces can be read, and older versions of gictrace can read what does not use it.
   */
  readonly isLater?: true;
  readonly doc: string;
}

/**
 * - `stimulus`: what the outside world did to the GIC, with the response (the value of a read).
 * - `operation`: what an irqchip driver was asked to do; stimuli name it as their cause.
 * - `observable`: what every implementation must be able to show, and what replay therefore compares.
 * - `event`: what happened inside the GIC, as an explanation. State is the fold of observables and events.
 * - `context`: what happened around the GIC (a hypervisor ran a vCPU, the host took an interrupt). Nothing is replayed,
 *   compared or derived from it; it is there for questions.
 */
export type RecordClass = 'stimulus' | 'operation' | 'observable' | 'event' | 'context';

/** The ids of each class, both ends included. Other code asks `record/facts` for the class of a kind. */
export const CLASS_IDS = {
  stimulus: { first: 1, last: 31 },
  operation: { first: 32, last: 63 },
  observable: { first: 64, last: 95 },
  event: { first: 96, last: 223 },
  context: { first: 224, last: 255 },
} as const satisfies Readonly<Record<RecordClass, { readonly first: number; readonly last: number }>>;

export interface RecordKind {
  /** Stored in traces, so never reused or renumbered. It is in the range of its class ({@link CLASS_IDS}). */
  readonly id: number;
  readonly class: RecordClass;
  /** Which PE the record's PE column contains for this kind. */
  readonly pe: 'accessor' | 'target' | 'none';
  readonly fields: readonly RecordField[];
  /** What happened to the interrupt that the record's INTID names. */
  readonly does?: InterruptAct;
  readonly doc: string;
}

/** The number of 32-bit words that a field of this type takes. */
export function fieldWords(type: FieldType): 1 | 2 {
  return type === 'u64' || type === 'pa' ? 2 : 1;
}

/** Words per record in a batch: enough for the widest kind (checked by a test). */
export const RECORD_WORDS = 12;
