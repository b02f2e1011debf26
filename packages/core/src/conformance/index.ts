// The conformance suite: behaviours of GICs as experiments, and their outcome under each profile.
export { BEHAVIOURS } from './behaviours/index.ts';
export { Guest } from './guest.ts';
export {
  applies,
  expectedOf,
  hardwareFor,
  matrix,
  type Outcome,
  runAll,
  summary,
  tryBehaviour,
} from './run.ts';
export { type Behaviour, CONFORMS, FEATURES, type Feature, NEEDS, type Need, points } from './shape.ts';
