// The face of @gictrace/replayer.
export * from './replay-trace.ts';
export * from './verbatim.ts';
export * from './verdict.ts';
