// Stimuli from a seed.
export { StimulusGenerator } from './generate.ts';
export { GUEST_MEMORY } from './guest-memory.ts';
export type { GeneratorOptions } from './pieces.ts';
export { Random } from './random.ts';
