// The face of @gictrace/replayer.
/// <reference types="node" preserve="true" />

export * from './adapter/index.ts';
export * from './backends/qemu/index.ts';
export { recordBehaviour } from './conformance/record-behaviour.ts';
export { Recording } from './fuzz/differ.ts';
export {
  type Difference,
  type FuzzOptions,
  type FuzzResult,
  fuzzConfig,
  fuzzQemu,
  saveRecording,
} from './fuzz/fuzz.ts';
export * from './translated/compare.ts';
export { designNamed } from './translated/designs.ts';
export * from './translated/lift.ts';
export * from './translated/record-scenario.ts';
export * from './verbatim/on-backend.ts';
export * from './verbatim/on-simulator.ts';
export * from './verbatim/options.ts';
export * from './verbatim/replay-trace.ts';
export * from './verdict.ts';
