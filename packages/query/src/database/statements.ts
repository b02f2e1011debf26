// Which SQL is a query. Databases and datasets are only read.
import { GicTraceError } from '@gictrace/core';

/** Blanks, comments and empty statements. */
const NOTHING = String.raw`(?:[\s;]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*`;
/** The first word of a query, behind blanks, comments and EXPLAIN. */
const FIRST_WORD = new RegExp(
  `^${NOTHING}(?:explain\\b${NOTHING}(?:query\\b${NOTHING}plan\\b${NOTHING})?)?([a-z]+)`,
  'i',
);
/** Pragmas behind FROM. Those that only report something are allowed. */
const PRAGMA_TABLES = /\bpragma_(\w+)/gi;
const TELLING =
  /^(?:(?:table|index)_x?info|(?:table|index|foreign_key|function|module|collation|database|pragma)_list|compile_options)$/i;
const QUESTIONS = /^(?:select|with|values)$/i;
const STATEMENTS =
  /^(?:alter|analyze|attach|begin|commit|create|delete|detach|drop|end|insert|pragma|reindex|release|replace|rollback|savepoint|update|vacuum)$/i;

/** Whether SQL begins as a query does. */
export function isQuestion(sql: string): boolean {
  return QUESTIONS.test(firstWord(sql));
}

/** Whether SQL begins as a statement that is not a query, or asks for a pragma that does more than report. */
export function isOtherStatement(sql: string): boolean {
  if (STATEMENTS.test(firstWord(sql))) return true;
  return [...sql.matchAll(PRAGMA_TABLES)].some(([, name]) => !TELLING.test(name!));
}

/** The error for SQL that is not one query. */
export function onlyQueries(): GicTraceError {
  return new GicTraceError(
    'usage',
    'SQL: only queries are allowed here (SELECT, WITH, VALUES, EXPLAIN)',
    {},
    'the database is opened read-only',
  );
}

function firstWord(sql: string): string {
  return FIRST_WORD.exec(sql)?.[1] ?? '';
}
