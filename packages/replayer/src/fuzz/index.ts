// @gictrace/replayer/fuzz: random stimuli for the simulator and a real QEMU, and the first difference as a trace.
export { Recording } from './differ.ts';
export {
  type Difference,
  type FuzzOptions,
  type FuzzResult,
  fuzzConfig,
  fuzzQemu,
  saveRecording,
} from './fuzz.ts';
