// Stimuli from a seed, for fuzzing.
export { StimulusGenerator } from './generate.ts';
export { GUEST_MEMORY } from './guest-memory.ts';
export type { GeneratorOptions } from './pieces.ts';
export { Random } from './random.ts';
