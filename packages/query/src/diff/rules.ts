// Tolerances: differences that the user tolerates, each with a reason. Read from YAML or JSON, matched against the
// subject of a difference, and counted, so that none is silent.
import { GicTraceError } from '@gictrace/core';
import { RECORDS } from '@gictrace/core/record';
import { parseYaml, yamlData } from '@gictrace/recorder';
import { readText } from '@gictrace/recorder/input';
import { z } from 'zod';
import { CLASS_NAMES, type DiffClass } from './classes.ts';
import type { Subject } from './side.ts';

const oneOrMore = <T extends z.ZodType>(type: T) => z.union([type, z.array(type).min(1)]).optional();
const differing = CLASS_NAMES.filter((name) => name !== 'same' && name !== 'unknown') as [
  DiffClass,
  ...DiffClass[],
];
const kinds = ['config', ...Object.keys(RECORDS)] as [string, ...string[]];
const range = z.string().regex(/^\d+-\d+$/, 'a number, or a range such as 8192-8255');

const ruleSchema = z
  .strictObject({
    /** Why this is not a fault. Reports include it. */
    reason: z.string().min(1),
    class: oneOrMore(z.enum(differing)),
    kind: oneOrMore(z.enum(kinds)),
    /** A register by Arm's name; `*` matches any letters. For `config`, the name of the field. */
    register: oneOrMore(z.string().min(1)),
    INTID: oneOrMore(z.union([z.number().int().min(0), range])),
    command: oneOrMore(z.string().min(1)),
    DeviceID: oneOrMore(z.number().int().min(0)),
    pe: oneOrMore(z.number().int().min(0).max(511)),
  })
  .refine((rule) => Object.keys(rule).length > 1, 'a rule that names nothing would let everything pass');
const fileSchema = z.strictObject({ rules: z.array(ruleSchema) });

export type RuleSpec = z.infer<typeof ruleSchema>;

/** One rule, ready to be applied. */
export interface DiffRule {
  readonly reason: string;
  matches(name: DiffClass, subject: Subject, pe: number): boolean;
}

function list<T>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  return value === undefined ? undefined : Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/**
 * Whether a name matches a pattern, in which * stands for any characters. Each part between stars takes the first place
 * where it is found, so that no pattern takes long.
 */
function matchesPattern(pattern: string, name: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

export function makeRule(spec: RuleSpec): DiffRule {
  const classes = list(spec.class);
  const kindNames = list(spec.kind);
  const registers = list(spec.register);
  const intids = list(spec.INTID)?.map((one) => {
    const [from, to] =
      typeof one === 'number' ? [one, one] : (one.split('-').map(Number) as [number, number]);
    return { from, to };
  });
  const commands = list(spec.command);
  const devices = list(spec.DeviceID);
  const pes = list(spec.pe);
  return {
    reason: spec.reason,
    matches: (name, subject, pe) =>
      (classes === undefined || classes.includes(name)) &&
      (kindNames === undefined || kindNames.includes(subject.kind)) &&
      (registers === undefined ||
        (subject.register !== null && registers.some((one) => matchesPattern(one, subject.register!)))) &&
      (intids === undefined ||
        (subject.INTID !== null &&
          intids.some(({ from, to }) => subject.INTID! >= from && subject.INTID! <= to))) &&
      (commands === undefined || (subject.command !== null && commands.includes(subject.command))) &&
      (devices === undefined || (subject.DeviceID !== null && devices.includes(subject.DeviceID))) &&
      (pes === undefined || pes.includes(pe)),
  };
}

/**
 * Reads a rules file in YAML, which includes JSON.
 * @throws GicTraceError `usage` with path and line if it cannot be read or is not a rules file.
 */
export function readRules(path: string): DiffRule[] {
  return parseRules(readText(path, { code: 'usage', hint: 'name a file of rules with --rules' }), path);
}

/** The rules in a text. */
export function parseRules(text: string, path: string): DiffRule[] {
  const document = parseYaml(text, path, { prettyErrors: true });
  const fault = document.errors[0];
  if (fault !== undefined)
    throw new GicTraceError('usage', fault.message.split('\n')[0]!.replace(/ at line.*$/, ''), {
      path,
      ...(fault.linePos === undefined ? {} : { line: fault.linePos[0].line }),
    });
  const parsed = fileSchema.safeParse(yamlData(document, path));
  if (parsed.success) return parsed.data.rules.map(makeRule);
  const issue = parsed.error.issues[0]!;
  const at = document.getIn(issue.path as (string | number)[], true) as { range?: [number] } | undefined;
  const line = at?.range === undefined ? undefined : text.slice(0, at.range[0]).split('\n').length;
  throw new GicTraceError(
    'usage',
    `${issue.path.join('.') || 'the file'}: ${issue.message}`,
    { path, ...(line === undefined ? {} : { line }) },
    'a rule has a reason and at least one of class, kind, register, INTID, command, DeviceID, pe; see docs/diff.md',
  );
}
