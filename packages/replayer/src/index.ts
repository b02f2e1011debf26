// The face of @gictrace/replayer.
export * from './verbatim.ts';
export * from './verdict.ts';
