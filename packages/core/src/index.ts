// The face of @gictrace/core.
export * from './errors.ts';
export * from './record/index.ts';
