// The scenarios that ship with the package, by name.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isScenario, readScenario, type Scenario } from './parse.ts';

const FOLDER = new URL('../../scenarios/', import.meta.url);
const SUFFIX = '.yaml';

/** Names of the scenarios that ship, in order. */
export function libraryScenarios(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

/** Path of the scenario that ships under this name. */
export function libraryPath(name: string): string {
  return fileURLToPath(new URL(`${name}${SUFFIX}`, FOLDER));
}

/**
 * The scenario that an argument names: a scenario file, or one that ships. Undefined if it is neither.
 * @throws GicTraceError `usage` as {@link readScenario}.
 */
export function scenarioNamed(argument: string): Scenario | undefined {
  if (isScenario(argument)) return readScenario(argument);
  if (existsSync(argument) || !libraryScenarios().includes(argument)) return undefined;
  return readScenario(libraryPath(argument));
}
