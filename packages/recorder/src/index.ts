// The face of @gictrace/recorder.

export { type ImportReport, importToTrace } from './import-trace.ts';
export * from './importers/qemu-trace/index.ts';
export * from './scenario/index.ts';
export * from './trace/index.ts';
