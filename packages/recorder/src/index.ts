// The face of @gictrace/recorder.
export * from './importers/qemu-trace/index.ts';
