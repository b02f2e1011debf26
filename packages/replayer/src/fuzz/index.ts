// @gictrace/replayer/fuzz: random stimuli for the simulator and another implementation, and the first difference as a trace.
export { Recording } from './differ.ts';
export {
  type Difference,
  type FuzzOptions,
  type FuzzResult,
  fuzz,
  fuzzQemu,
  saveRecording,
} from './fuzz.ts';
export {
  fuzzGicv5,
  type Gicv5Difference,
  type Gicv5FuzzOptions,
  type Gicv5FuzzResult,
  saveGicv5,
} from './gicv5.ts';
export { type FuzzTarget, fuzzConfig, kvmTarget, qemuTarget } from './targets.ts';
