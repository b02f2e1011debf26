// Finds the golden cases of a folder: the input of each, its golden files, and what may differ. Reads files; runs nothing.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { applies, BEHAVIOURS, type Behaviour, FEATURES } from '@gictrace/core/conformance';
import { PROFILES } from '@gictrace/core/profile';
import { MUTATIONS } from '@gictrace/core/testing';
import { IGNORABLE } from '@gictrace/query';
import { libraryPath, libraryScenarios, parseYaml, yamlData } from '@gictrace/recorder';
import { isFolder, readText } from '@gictrace/recorder/input';
import { z } from 'zod';

const word = z.string().min(1);
const optionsSchema = z.strictObject({
  /** For a scenario a design, otherwise `simulator`, optionally with @PROFILE. A list gives one case for each entry. */
  on: z.union([word, z.array(word).min(1)]).optional(),
  ignore: z.array(z.enum(IGNORABLE)).optional(),
  rename: z.boolean().optional(),
  /** Faults that the case must detect when they are planted. */
  covers: z
    .array(
      word.refine((name) => Object.hasOwn(MUTATIONS, name), {
        error: 'unknown fault; docs/golden.md lists the faults',
      }),
    )
    .optional(),
  /** The name of a scenario that ships with gictrace, in place of a file. */
  scenario: word.optional(),
  /** Behaviours of the conformance suite, or features with all their behaviours. Each behaviour is a case. */
  conformance: z.union([word, z.array(word).min(1)]).optional(),
});
type FileOptions = z.infer<typeof optionsSchema>;
export type CaseOptions = Omit<FileOptions, 'on' | 'scenario' | 'conformance'> & { readonly on?: string };

export interface GoldenCase {
  readonly name: string;
  /** The scenario, the recording or the behaviour; undefined for golden files whose input is gone. */
  readonly input: string | undefined;
  readonly kind: 'scenario' | 'recording' | 'conformance';
  readonly options: CaseOptions;
  readonly rules: string | undefined;
  /** Paths of the golden trace and its text, whether or not they exist yet. */
  readonly trace: string;
  readonly text: string;
  /** The file that defines the case. */
  readonly place: string;
}

const SCENARIO = /\.(ya?ml|json)$/;
const RECORDING = /\.log(\.gz|\.xz|\.zst)?$/;
const HELPER = /\.(case|rules)\.(ya?ml|json)$|^(case|rules)\.(ya?ml|json)$/;
const isInput = (file: string) => !HELPER.test(file) && (SCENARIO.test(file) || RECORDING.test(file));
const stem = (file: string) => file.replace(SCENARIO, '').replace(RECORDING, '');

/** The first of some files that exists. */
function firstOf(...paths: string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}

const helper = (base: string, what: string) =>
  firstOf(...['yaml', 'yml', 'json'].map((end) => `${base}${what}.${end}`));

function readOptions(path: string | undefined): FileOptions {
  if (path === undefined) return {};
  const document = parseYaml(readText(path, { code: 'usage' }), path);
  const fault = document.errors[0];
  const parsed = fault === undefined ? optionsSchema.safeParse(yamlData(document, path)) : undefined;
  if (parsed?.success) return parsed.data;
  const issue = parsed?.error.issues[0];
  throw new GicTraceError(
    'usage',
    fault?.message.split('\n')[0] ?? `${issue!.path.join('.') || 'the file'}: ${issue!.message}`,
    { path },
    'a case has scenario, conformance, on, covers, ignore and rename; see docs/golden.md',
  );
}

/** The path of the scenario that ships under the name in a case file. */
function shipped(name: string, path: string): string {
  if (libraryScenarios().includes(name)) return libraryPath(name);
  throw new GicTraceError(
    'usage',
    `scenario: there is no scenario '${name}'`,
    { path },
    `scenarios: ${libraryScenarios().join(', ')}`,
  );
}

/** What the cases of one input or of one folder have in common. */
interface Family {
  readonly options: FileOptions;
  readonly rules: string | undefined;
  readonly place: string;
}

function familyAt(own: string, input: string | undefined): Family {
  const file = helper(own, 'case');
  return { options: readOptions(file), rules: helper(own, 'rules'), place: file ?? input ?? own };
}

/** One case. The paths of its golden files are `golden` plus a suffix. */
function caseOf(
  { options, rules, place }: Family,
  name: string,
  input: string | undefined,
  golden: string,
  kind: GoldenCase['kind'],
  on: string | undefined,
): GoldenCase {
  const { on: _on, scenario: _scenario, conformance: _conformance, ...rest } = options;
  return {
    ...{ name, input, kind, rules, place, options: on === undefined ? rest : { ...rest, on } },
    ...{ trace: `${golden}.gictrace`, text: `${golden}.txt` },
  };
}

const listOf = (value: string | readonly string[] | undefined): readonly (string | undefined)[] =>
  typeof value === 'object' ? value : [value];
const kindOf = (input: string | undefined) =>
  input !== undefined && RECORDING.test(input) ? 'recording' : 'scenario';

/** The behaviours that a case file names, each with whether the file names it directly rather than its feature. */
function behavioursOf(named: readonly (string | undefined)[], place: string): [Behaviour, boolean][] {
  return named.flatMap((name): [Behaviour, boolean][] => {
    const own = BEHAVIOURS.filter(({ id, feature }) => id === name || feature === name);
    if (own.length === 0)
      throw new GicTraceError(
        'usage',
        `conformance: there is no behaviour or feature '${name}'`,
        { path: place },
        `features: ${FEATURES.join(', ')}; behaviours: docs/conformance.md`,
      );
    return own.map((one) => [one, one.id === name]);
  });
}

const isProfile = (on: string) => PROFILES[on.split('@')[1] ?? 'architecture'] !== undefined;

/** The cases of a folder that is about one input, or about behaviours of the conformance suite. */
function familyOf(name: string, path: string, files: readonly string[]): GoldenCase[] {
  const inputs = files.filter(isInput).map((file) => join(path, file));
  const family = familyAt(`${path}/`, inputs[0]);
  const { scenario, conformance, on } = family.options;
  if (scenario !== undefined) inputs.push(shipped(scenario, family.place));
  if (inputs.length + (conformance === undefined ? 0 : 1) > 1)
    throw new GicTraceError('usage', `has more than one input: ${inputs.join(', ')}`, { path });
  const found: GoldenCase[] = [];
  const member = (id: string, input: string, kind: GoldenCase['kind'], own: string | undefined) =>
    found.push(caseOf(family, `${name}/${id}`, input, `${path}/${id}.golden`, kind, own));
  if (conformance !== undefined) {
    for (const [behaviour, isNamed] of behavioursOf(listOf(conformance), family.place))
      for (const own of listOf(on)) {
        const profile = own?.split('@')[1] ?? 'architecture';
        // A feature stands for those of its behaviours that apply under the profile.
        if (!isNamed && isProfile(own ?? '') && !applies(behaviour, profile)) continue;
        member(
          typeof on === 'object' ? `${behaviour.id}@${profile}` : behaviour.id,
          behaviour.id,
          'conformance',
          own,
        );
      }
  } else if (typeof on === 'object' && inputs.length === 1)
    for (const own of on) member(own, inputs[0]!, kindOf(inputs[0]), own);
  else if (inputs.length === 1 || files.some((file) => /^golden\./.test(file)))
    found.push(
      caseOf(
        family,
        name,
        inputs[0],
        `${path}/golden`,
        kindOf(inputs[0]),
        typeof on === 'string' ? on : undefined,
      ),
    );
  return [...found, ...leftOver(family, name, path, files, found)];
}

/** Golden files in a folder that belong to no case. */
function leftOver(
  family: Family,
  name: string,
  path: string,
  files: readonly string[],
  found: readonly GoldenCase[],
): GoldenCase[] {
  const known = new Set(found.flatMap(({ trace, text }) => [trace, text]));
  const bases = files.flatMap((file) => {
    const match = /^((?:.*\.)?golden)\.(gictrace|txt)$/.exec(file);
    return match === null || known.has(`${path}/${file}`) ? [] : [match[1]!];
  });
  return [...new Set(bases)].map((base) =>
    caseOf(
      family,
      base === 'golden' ? name : `${name}/${base.replace(/\.golden$/, '')}`,
      undefined,
      `${path}/${base}`,
      'scenario',
      undefined,
    ),
  );
}

/**
 * Finds the cases of a folder, sorted by name. A case is a scenario or recording in the folder with its golden files
 * beside it, or a subfolder that contains a scenario, a recording, a case file or golden files. Other subfolders are
 * searched for cases in the same way.
 * @throws GicTraceError `usage` if there is no such folder, if it contains no case, or if a case is ambiguous.
 */
export function findCases(dir: string): GoldenCase[] {
  if (!isFolder(dir))
    throw new GicTraceError('usage', existsSync(dir) ? 'is not a folder' : 'no such folder', { path: dir });
  const found = new Map<string, GoldenCase>();
  walk(dir, '', (one) => {
    if (found.has(one.name))
      throw new GicTraceError('usage', `two cases are called '${one.name}'`, { path: dir }, 'rename one');
    found.set(one.name, one);
  });
  if (found.size === 0)
    throw new GicTraceError(
      'usage',
      'contains no case',
      { path: dir },
      'a case is a scenario (.yaml, .json) or a recording (.log, .log.gz), or a folder with one; see docs/golden.md',
    );
  return [...found.values()];
}

function walk(dir: string, prefix: string, add: (one: GoldenCase) => void): void {
  const entries = readdirSync(dir, { withFileTypes: true }).sort((p, q) => (p.name < q.name ? -1 : 1));
  const known = new Set<string>();
  for (const entry of entries) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      const files = readdirSync(path).sort();
      const isFamily = files.some(
        (file) => isInput(file) || /^case\.(ya?ml|json)$/.test(file) || /(^|\.)golden\./.test(file),
      );
      if (isFamily) familyOf(prefix + entry.name, path, files).forEach(add);
      else walk(path, `${prefix}${entry.name}/`, add);
    } else if (isInput(entry.name)) {
      const base = join(dir, stem(entry.name));
      const family = familyAt(`${base}.`, path);
      if (typeof family.options.on === 'object')
        throw new GicTraceError('usage', 'on: a list is allowed only for a case in a folder of its own', {
          path: family.place,
        });
      const one = caseOf(
        family,
        prefix + stem(entry.name),
        path,
        `${base}.golden`,
        kindOf(path),
        family.options.on,
      );
      known.add(stem(entry.name));
      add(one);
    }
  }
  for (const { name } of entries) {
    const match = /^(.*)\.golden\.(gictrace|txt)$/.exec(name);
    if (match === null || known.has(match[1]!)) continue;
    known.add(match[1]!);
    const base = join(dir, match[1]!);
    add(
      caseOf(
        familyAt(`${base}.`, base),
        prefix + match[1]!,
        undefined,
        `${base}.golden`,
        'scenario',
        undefined,
      ),
    );
  }
}
