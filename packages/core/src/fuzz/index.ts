// Stimuli from a seed.
export { type GeneratorOptions, GUEST_MEMORY, StimulusGenerator } from './generate.ts';
export { Random } from './random.ts';
