// The face of @gictrace/recorder.
export * from './trace/index.ts';
export * from './importers/qemu-trace/index.ts';
export { importToTrace, type ImportReport } from './import-trace.ts';
