// The face of @gictrace/recorder.
/// <reference types="node" preserve="true" />

export {
  type ImportInto,
  type ImportReport,
  importFtraceToTrace,
  importJsonlToTrace,
  importToTrace,
  type LogInput,
} from './import-trace.ts';
export { type KeptSource, keptSource } from './importers/common/kept-source.ts';
export type { Start } from './importers/common/learn/unknowns.ts';
export { detectFormat, LOG_FORMATS, type LogFormat } from './importers/detect.ts';
export type { FtraceOptions } from './importers/ftrace/index.ts';
export { headerJson, recordJson } from './importers/jsonl/index.ts';
export * from './importers/qemu-trace/index.ts';
export * from './live/index.ts';
export * from './output/index.ts';
export * from './scenario/index.ts';
export * from './trace/index.ts';
export { type Missing, STIMULI_SORTS } from './trace/sorts.ts';
