// The completions that Tab offers: a pure function of the text around the cursor and of what the database contains.
import type { Relation } from '@gictrace/query';
import { isInText, split } from './statement.ts';

export interface Vocabulary {
  readonly relations: readonly Relation[];
  /** Names of functions that return a value, and of table functions. */
  readonly functions: readonly string[];
  readonly tableFunctions: readonly string[];
  /** Maps each dot-command to the values of its argument; null stands for any file. */
  readonly commands: Readonly<Record<string, readonly string[] | null>>;
  readonly files: (prefix: string) => readonly string[];
}

const KEYWORDS =
  'SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET AS AND OR NOT IN IS NULL LIKE GLOB BETWEEN CASE WHEN THEN ELSE END JOIN LEFT INNER CROSS ON USING UNION ALL EXCEPT INTERSECT WITH RECURSIVE VALUES DISTINCT EXISTS OVER PARTITION FILTER ASC DESC NULLS FIRST LAST CAST EXPLAIN QUERY PLAN'.split(
    ' ',
  );
/** SQLite's own functions that are useful in queries of traces. */
const SQLITE_FUNCTIONS =
  'abs avg ceil coalesce count floor group_concat iif instr length lower ltrim max median min nullif percentile printf round row_number lag lead rtrim substr sum trim typeof upper'.split(
    ' ',
  );
const WORD = /[A-Za-z_$][\w$]*$/;

/**
 * Completions for the end of `line`, and the part of it that they replace. `before` has the earlier lines of the
 * statement, `after` what follows the cursor.
 */
export function complete(
  line: string,
  vocabulary: Vocabulary,
  before = '',
  after = '',
): [candidates: string[], replaced: string] {
  if (before.trim() === '' && line.startsWith('.')) return completeCommand(line, vocabulary);
  const text = split(before + line).rest;
  if (isInText(text)) return [[], ''];
  const word = WORD.exec(text)?.[0] ?? '';
  const lead = text.slice(0, text.length - word.length);
  const statement = text + (split(after).statements[0] ?? after);
  const owner = /([A-Za-z_]\w*)\s*\.\s*$/.exec(lead)?.[1];
  if (owner !== undefined) return [matching(word, columnsOf(ownedBy(owner, statement, vocabulary))), word];
  if (isTable(lead)) {
    const names = [...vocabulary.relations.map(({ name }) => name), ...defined(statement)];
    return [matching(word, [...names, ...vocabulary.tableFunctions.map((name) => `${name}(`)]), word];
  }
  // Everything completes an empty word, so only names from the views of the statement are offered.
  const named = mentioned(statement, vocabulary);
  if (word === '') return [named.length > 0 ? columnsOf(named) : KEYWORDS.slice(0, 1), word];
  const functions = [...vocabulary.functions, ...SQLITE_FUNCTIONS].map((name) => `${name}(`);
  const keywords = word === word.toLowerCase() ? KEYWORDS.map((name) => name.toLowerCase()) : KEYWORDS;
  const names = vocabulary.relations.map(({ name }) => name);
  return [
    matching(word, [...columnsOf(named), ...functions, ...keywords, ...(named.length > 0 ? [] : names)]),
    word,
  ];
}

function completeCommand(line: string, { commands, files }: Vocabulary): [string[], string] {
  const space = line.indexOf(' ');
  if (space < 0) return [matching(line, Object.keys(commands)), line];
  const takes = commands[line.slice(0, space)];
  const argument = line.slice(space + 1).trimStart();
  if (takes === undefined) return [[], argument];
  return [takes === null ? [...files(argument)] : matching(argument, takes), argument];
}

/** SQL is not case-sensitive, so what was typed is matched in any case and replaced by the right spelling. */
function matching(word: string, candidates: readonly string[]): string[] {
  const low = word.toLowerCase();
  return [...new Set(candidates.filter((one) => one.toLowerCase().startsWith(low)))].sort((a, b) =>
    a.toLowerCase() < b.toLowerCase() ? -1 : 1,
  );
}

/** Whether the name of a table comes next: behind FROM or JOIN, or behind a comma in their list. */
function isTable(lead: string): boolean {
  if (/\b(?:from|join)\s+$/i.test(lead)) return true;
  return /\bfrom\s+(?:[\w"]+(?:\s+(?:as\s+)?\w+)?\s*,\s*)+$/i.test(lead);
}

/** The views that a statement names. */
function mentioned(statement: string, { relations }: Vocabulary): readonly Relation[] {
  const words = new Set(statement.toLowerCase().match(/[a-z_]\w*/g));
  return relations.filter(({ name }) => words.has(name));
}

/** The view that `owner` stands for: the view of that name, or the one to which the statement gives that alias. */
function ownedBy(owner: string, statement: string, vocabulary: Vocabulary): readonly Relation[] {
  const own = vocabulary.relations.filter(({ name }) => name === owner.toLowerCase());
  if (own.length > 0) return own;
  const alias = new RegExp(`\\b([A-Za-z_]\\w*)\\s+(?:AS\\s+)?${owner}\\b`, 'gi');
  const names = [...statement.matchAll(alias)].map((match) => match[1]!.toLowerCase());
  return vocabulary.relations.filter(({ name }) => names.includes(name));
}

/** Names that WITH defines. */
function defined(statement: string): string[] {
  return [
    ...statement.matchAll(
      /(?:\bwith(?:\s+recursive)?|,)\s+([A-Za-z_]\w*)\s*(?:\([^)]*\)\s*)?as\s*(?:(?:not\s+)?materialized\s*)?\(/gi,
    ),
  ].map((match) => match[1]!);
}

function columnsOf(relations: readonly Relation[]): string[] {
  return relations.flatMap(({ columns }) => Object.keys(columns));
}
