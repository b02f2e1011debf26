// @gictrace/core: what most programs need. Everything else has an entry point of its own, which package.json names: ./spec,
// ./record, ./model and so on.
export { type Answers, type Backend, type Capabilities, Simulator } from './backend/index.ts';
export { type Checked, checkedBy } from './checked.ts';
export { didYouMean } from './closest.ts';
export { type GicConfig, gicConfigSchema, PES_MAX } from './config.ts';
export { type Gicv5Config, gicv5ConfigSchema } from './config-gicv5.ts';
export { Guest } from './conformance/index.ts';
export { recordText } from './disasm/index.ts';
export {
  atPlace,
  EXIT_CODES,
  FAULT_EXIT_CODE,
  type FaultCode,
  type FaultPlace,
  GicTraceError,
  invariant,
} from './errors.ts';
export { checkIntidOf } from './intid-of.ts';
export { configOf, PLAIN, PROFILES } from './profile/index.ts';
export { RECORDS, RecordBatch, type RecordName, recordName } from './record/index.ts';
export { VERSION } from './version.ts';
export { wholeNumber } from './whole-number.ts';
