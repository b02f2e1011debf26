// @gictrace/core/testing: named faults to plant into a machine, and stimuli drawn from a seed.
export { type GeneratorOptions, GUEST_MEMORY, Random, StimulusGenerator } from '../fuzz/index.ts';
export {
  type EventOutcome,
  MUTATIONS,
  type Mutation,
  type Passing,
  type PlantedFault,
  plant,
  plantMutation,
} from '../mutate/index.ts';
