// Stimuli from a seed, and faults that they must find.
export { type GeneratorOptions, GUEST_MEMORY, StimulusGenerator } from './generate.ts';
export { MUTATIONS, type Mutation, type MutationName, plantMutation } from './mutations.ts';
export { type EventFate, type Passing, type PlantedFault, plant } from './plant.ts';
export { Random } from './random.ts';
