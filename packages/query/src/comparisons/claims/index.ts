// The claims of the threads, and what decides them.
export * from './claim.ts';
export * from './claims.ts';
export * from './predictions.ts';
