// The face of @gictrace/core.

export * from './config.ts';
export * from './errors.ts';
export * from './record/index.ts';
