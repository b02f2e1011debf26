// Scenarios: operations written by people.
export { isScenario, parseScenario, readScenario, type Scenario } from './parse.ts';
export { VERB_NAMES } from './schema.ts';
