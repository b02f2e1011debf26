// Golden cases in a folder: what each is made from, what it is held against, what may differ. Knows files, runs nothing.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { IGNORABLE } from '@gictrace/query';
import { libraryPath, libraryScenarios } from '@gictrace/recorder';
import { parseDocument } from 'yaml';
import { z } from 'zod';

const optionsSchema = z.strictObject({
  /** A design, for a scenario; `simulator` perhaps with @PROFILE, for a recording that is to be replayed. */
  on: z.string().min(1).optional(),
  ignore: z.array(z.enum(IGNORABLE)).optional(),
  rename: z.boolean().optional(),
  /** A scenario that ships, in place of a file. */
  scenario: z.string().min(1).optional(),
});
export type CaseOptions = z.infer<typeof optionsSchema>;

export interface GoldenCase {
  readonly name: string;
  /** The scenario or the recording; undefined: the golden files are left over. */
  readonly input: string | undefined;
  readonly kind: 'scenario' | 'recording';
  readonly options: CaseOptions;
  readonly rules: string | undefined;
  /** The golden trace and its text: where they are, or are to be. */
  readonly trace: string;
  readonly text: string;
}

const SCENARIO = /\.(ya?ml|json)$/;
const RECORDING = /\.log(\.gz|\.xz|\.zst)?$/;
const HELPER = /\.(case|rules)\.(ya?ml|json)$|^(case|rules)\.(ya?ml|json)$/;
const isInput = (file: string) => !HELPER.test(file) && (SCENARIO.test(file) || RECORDING.test(file));
const stem = (file: string) => file.replace(SCENARIO, '').replace(RECORDING, '');

/** The first of some files that is there. */
function firstOf(...paths: string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}

const helper = (base: string, what: string) =>
  firstOf(...['yaml', 'yml', 'json'].map((end) => `${base}${what}.${end}`));

function readOptions(path: string | undefined): CaseOptions {
  if (path === undefined) return {};
  const document = parseDocument(readFileSync(path, 'utf8'));
  const fault = document.errors[0];
  const parsed = fault === undefined ? optionsSchema.safeParse(document.toJS()) : undefined;
  if (parsed?.success) return parsed.data;
  const issue = parsed?.error.issues[0];
  throw new GicTraceError(
    'usage',
    fault?.message.split('\n')[0] ?? `${issue!.path.join('.') || 'the file'}: ${issue!.message}`,
    { path },
    'a case has scenario, on, ignore and rename; see docs/golden.md',
  );
}

/** The scenario that ships under the name that a case asks for. */
function shipped(name: string, path: string): string {
  if (libraryScenarios().includes(name)) return libraryPath(name);
  throw new GicTraceError(
    'usage',
    `scenario: no scenario that ships is called '${name}'`,
    { path },
    `scenarios: ${libraryScenarios().join(', ')}`,
  );
}

/** One case: its golden files are `base` and an ending. */
function caseAt(name: string, input: string | undefined, base: string): GoldenCase {
  const golden = base.endsWith('/') ? `${base}golden` : `${base}.golden`;
  const own = base.endsWith('/') ? base : `${base}.`;
  return {
    name,
    input,
    kind: input !== undefined && RECORDING.test(input) ? 'recording' : 'scenario',
    options: readOptions(helper(own, 'case')),
    rules: helper(own, 'rules'),
    trace: `${golden}.gictrace`,
    text: `${golden}.txt`,
  };
}

/**
 * The cases of a folder, by name: each folder in it that holds a scenario, a recording or golden files, and each scenario
 * or recording in it with its golden files beside it.
 * @throws GicTraceError `usage` where there is no such folder, no case in it, or a case is not clear.
 */
export function findCases(dir: string): GoldenCase[] {
  if (!existsSync(dir) || !statSync(dir).isDirectory())
    throw new GicTraceError('usage', existsSync(dir) ? 'is no folder' : 'no such folder', { path: dir });
  const found = new Map<string, GoldenCase>();
  const entries = readdirSync(dir, { withFileTypes: true }).sort((p, q) => (p.name < q.name ? -1 : 1));
  const add = (one: GoldenCase) => {
    if (found.has(one.name))
      throw new GicTraceError('usage', `two cases are called '${one.name}'`, { path: dir }, 'rename one');
    found.set(one.name, one);
  };
  for (const entry of entries) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      const files = readdirSync(path);
      const inputs = files.filter(isInput).map((file) => join(path, file));
      const { scenario } = readOptions(helper(`${path}/`, 'case'));
      if (scenario !== undefined) inputs.push(shipped(scenario, path));
      if (inputs.length > 1)
        throw new GicTraceError('usage', `has more than one input: ${inputs.join(', ')}`, { path });
      if (inputs.length === 1 || files.some((file) => /^golden\./.test(file)))
        add(caseAt(entry.name, inputs[0], `${path}/`));
    } else if (isInput(entry.name)) add(caseAt(stem(entry.name), path, join(dir, stem(entry.name))));
  }
  for (const { name } of entries) {
    const match = /^(.*)\.golden\.(gictrace|txt)$/.exec(name);
    if (match !== null && !found.has(match[1]!)) add(caseAt(match[1]!, undefined, join(dir, match[1]!)));
  }
  if (found.size === 0)
    throw new GicTraceError(
      'usage',
      'holds no case',
      { path: dir },
      'a case is a scenario (.yaml, .json) or a recording (.log, .log.gz), or a folder with one; see docs/golden.md',
    );
  return [...found.values()];
}
