// Scenarios: what a system does, without saying how.
export * from './builder.ts';
export * from './library.ts';
export * from './parse.ts';
export { type ScenarioFile, type ScenarioInput, VERB_NAMES } from './schema.ts';
