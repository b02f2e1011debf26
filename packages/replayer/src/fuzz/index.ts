// @gictrace/replayer/fuzz: random stimuli for the simulator and another implementation, and the first difference as a trace.

export { type Gicv5Answer, Gicv5Qemu } from '../backends/qemu-gicv5/backend.ts';
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
  qemuGicv5Config,
  saveGicv5,
} from './gicv5.ts';
export { type FuzzTarget, fuzzConfig, kvmTarget, qemuTarget } from './targets.ts';
