// The verbs, in the order of the help. A command line loads only the verb that it names.
import type { Command } from 'commander';

/** Adds a verb to the program. The verb calls `exit` with a nonzero exit code that is a verdict and not a failure. */
type AddVerb = (program: Command, exit: (code: number) => void) => void;

const VERBS: Readonly<Record<string, () => Promise<AddVerb>>> = {
  import: async () => (await import('./verbs/import.ts')).addImport,
  record: async () => (await import('./verbs/record.ts')).addRecord,
  scenarios: async () => (await import('./verbs/scenarios.ts')).addScenarios,
  backends: async () => (await import('./verbs/backends.ts')).addBackends,
  replay: async () => (await import('./verbs/replay.ts')).addReplay,
  'adapter-test': async () => (await import('./verbs/adapter-test.ts')).addAdapterTest,
  step: async () => (await import('./verbs/step.ts')).addStep,
  why: async () => (await import('./verbs/why.ts')).addWhy,
  check: async () => (await import('./verbs/check.ts')).addCheck,
  compare: async () => (await import('./verbs/compare.ts')).addCompare,
  claims: async () => (await import('./verbs/claims.ts')).addClaims,
  diff: async () => (await import('./verbs/diff.ts')).addDiff,
  golden: async () => (await import('./verbs/golden.ts')).addGolden,
  fuzz: async () => (await import('./verbs/fuzz.ts')).addFuzz,
  bisect: async () => (await import('./verbs/bisect.ts')).addBisect,
  minimize: async () => (await import('./verbs/minimize.ts')).addMinimize,
  batch: async () => (await import('./verbs/batch.ts')).addBatch,
  doctor: async () => (await import('./verbs/doctor.ts')).addDoctor,
  info: async () => (await import('./verbs/info.ts')).addInfo,
  dump: async () => (await import('./verbs/read.ts')).addDump,
  recover: async () => (await import('./verbs/read.ts')).addRecover,
  report: async () => (await import('./verbs/report.ts')).addReport,
  export: async () => (await import('./verbs/export.ts')).addExport,
  load: async () => (await import('./verbs/load.ts')).addLoad,
  query: async () => (await import('./verbs/query.ts')).addQuery,
  shell: async () => (await import('./verbs/shell.ts')).addShell,
};

export const VERB_NAMES: readonly string[] = Object.keys(VERBS);

/** What to load for a command line that begins with `word`: the verb of that name, otherwise (as for help) all verbs. */
export function verbsFor(word: string | undefined): (() => Promise<AddVerb>)[] {
  if (word === '--version' || word === '-V') return [];
  const own = word !== undefined && Object.hasOwn(VERBS, word) ? VERBS[word] : undefined;
  return own === undefined ? Object.values(VERBS) : [own];
}
