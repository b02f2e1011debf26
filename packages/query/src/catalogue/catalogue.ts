// What a database contains: views, modules, tables of comparisons and differences, with their documentation. There are
// three kinds of databases; the schema of a database says which relations it has.

import { RUN_QUERIES } from '../comparisons/run-queries.ts';
import { RUN_TABLES } from '../comparisons/run-tables.ts';
import type { QueryDatabase } from '../database/query.ts';
import { DIFF_TABLES } from '../diff/index.ts';
import { MODULES } from '../sql/modules/index.ts';
import { VIEWS } from '../sql/views.ts';
import { EXAMPLES } from './examples.ts';

/** Something that can stand behind FROM. */
export interface Relation {
  readonly name: string;
  readonly kind: 'view' | 'module';
  readonly doc: string;
  /** What each column contains; empty if the name is enough. */
  readonly columns: Readonly<Record<string, string>>;
}
/** An example query. */
export interface Question {
  readonly name: string;
  readonly question: string;
  readonly sql: string;
}

type Documented = Omit<Relation, 'name' | 'columns'> & { readonly columns?: Relation['columns'] };

const documented: ReadonlyMap<string, Documented> = new Map<string, Documented>([
  ...VIEWS.map(({ name, doc, columns }) => [name, { kind: 'view', doc, columns }] as const),
  ...[...Object.entries(RUN_TABLES), ...Object.entries(DIFF_TABLES)].map(
    ([name, { doc, columns }]) =>
      [
        name,
        {
          kind: 'view',
          doc,
          columns: Object.fromEntries(Object.entries(columns).map(([of, [, holds]]) => [of, holds])),
        },
      ] as const,
  ),
  ...Object.entries(RUN_QUERIES).map(([name, { doc }]) => [name, { kind: 'module', doc }] as const),
]);
const modules: ReadonlyMap<string, Documented> = new Map(
  MODULES.map(({ name, doc, columns }) => [name, { kind: 'module', doc, columns }] as const),
);

/** The relations of this database, in the order of the documentation. */
export function relationsOf(db: QueryDatabase): readonly Relation[] {
  const present = new Set<string>();
  for (const [name] of db.ask("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").rows)
    present.add(String(name));
  // Comparisons and traces each have a module of the same name. The tables say which kind of database this is.
  const known = present.has('runs') ? documented : new Map([...documented, ...modules]);
  return [...known]
    .filter(([name]) => present.has(name))
    .map(([name, { kind, doc, columns }]) => ({
      name,
      kind,
      doc,
      columns: columns ?? Object.fromEntries(db.ask(`SELECT * FROM "${name}"`).columns.map((of) => [of, ''])),
    }));
}

/** Example queries for this database. */
export function questionsOf(db: QueryDatabase): readonly Question[] {
  const names = new Set(relationsOf(db).map(({ name }) => name));
  if (!names.has('traces')) return [];
  return [...EXAMPLES, ...MODULES.map(({ name, question, example }) => ({ name, question, sql: example }))];
}
