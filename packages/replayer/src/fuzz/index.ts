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
export { type FuzzTarget, fuzzConfig, kvmTarget, qemuTarget } from './targets.ts';
