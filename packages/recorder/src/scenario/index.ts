// Scenarios: what a system does, without saying how.
export { ScenarioBuilder, Steps, scenario } from './builder.ts';
export { scenarioFromOperations, scenarioText } from './from-operations.ts';
export { libraryPath, libraryScenarios, scenarioNamed } from './library.ts';
export { parseScenario, readScenario, type Scenario } from './parse.ts';
export { type ScenarioFile, type ScenarioInput, VERB_NAMES } from './schema.ts';
