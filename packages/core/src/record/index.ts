// The record: what stimuli, observables and events are, and the batch that carries them.
export { fieldOffsets, fieldValue, NO_PE, RecordBatch, recordKind, recordName, wordLimits } from './batch.ts';
export {
  accessValueAt,
  agree,
  BARRIER,
  BEHIND_EFFECTS,
  COMMAND_WORDS,
  clearUnknownBits,
  commandMask,
  comparableFlags,
  comparesPe,
  hasReserved,
  isCommandShown,
  isOutcomeShown,
  isResponseUnknown,
  leavesEffectsOpen,
  ORDERED_STREAMS,
  type OrderedStreamName,
  orderedStreamOf,
  rankOf,
  responseAt,
  SIGNALS,
  type Signal,
  shownOperands,
  signalOf,
} from './comparable.ts';
export { CONTEXT_KINDS } from './context.ts';
export {
  type Act,
  actOf,
  actOfAccess,
  classOf,
  deviceOf,
  eventOf,
  intidOf,
  isContext,
  isEvent,
  isObservable,
  isOperation,
  isStimulus,
  isTableAccess,
  KIND,
  STIMULI_BELOW,
  takenOrEnded,
  vpeOf,
} from './facts.ts';
export { GICV5_OBSERVABLES, type Gicv5Only } from './gicv5-kinds.ts';
export { clearIdentification } from './identification.ts';
export { type Gicv3IdOf, type IdOf, RECORD_FLAGS, RECORDS, type RecordName } from './kinds.ts';
export { identifierAt, isAbout, type Mention, mentions, type Slot, slotsOf, valueAt } from './naming.ts';
export { type Concern, OPERATION_KINDS, type OperationKind } from './operations.ts';
export { type InferenceRule, RULES, type RuleName } from './rules.ts';
export {
  CLASS_IDS,
  type FieldType,
  fieldWords,
  RECORD_WORDS,
  type RecordClass,
  type RecordField,
  type RecordKind,
} from './shape.ts';
export {
  ALLOCATIONS,
  CONFLICTS,
  CPUIF_PARTS,
  DEVICE_KINDS,
  DROP_REASONS,
  FRAMES,
  GROUPS,
  IPI_REASONS,
  IRQ_ATTRIBUTES,
  IRQ_LINES,
  IRS_REFUSALS,
  ITS_TABLES,
  KNOWN_STATE,
  LIST_REGISTER_STATES,
  MIGRATED_PARTS,
  PEND_CAUSES,
  RESET_CAUSES,
  SEAMS,
  SECURITY_STATES,
  UNITS,
  UNPREDICTABLE,
  VCPU_EXITS,
} from './values.ts';
export {
  type Anomaly,
  type Divergence,
  totalOf,
  type Verdict,
  type VerdictWord,
  verdictWord,
} from './verdict.ts';
