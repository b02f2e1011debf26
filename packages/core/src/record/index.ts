// The record: what stimuli, observables and events are, and the batch that carries them.
export * from './batch.ts';
export * from './facts.ts';
export * from './kinds.ts';
export * from './naming.ts';
export * from './operations.ts';
export * from './rules.ts';
export * from './shape.ts';
export * from './values.ts';
