// The face of @gictrace/replayer.

export * from './adapter/index.ts';
export * from './backend-replay.ts';
export * from './backends/qemu/index.ts';
export * from './compare.ts';
export { designNamed } from './designs.ts';
export { Recording } from './fuzz/differ.ts';
export {
  type Difference,
  type FuzzOptions,
  type FuzzResult,
  fuzzConfig,
  fuzzQemu,
  saveRecording,
} from './fuzz/fuzz.ts';
export * from './lift.ts';
export * from './options.ts';
export { recordBehaviour } from './record-behaviour.ts';
export * from './record-scenario.ts';
export * from './replay-trace.ts';
export * from './verbatim.ts';
export * from './verdict.ts';
