// What only some queries need: the simulator for gic_state, and the catalogue for the name of a module.
import { didYouMean, GicTraceError } from '@gictrace/core';
import { type QueryDatabase, relationsOf } from '@gictrace/query';

export { QueryDatabase } from '@gictrace/query';

/** The SQL that selects all rows of a view or module of this database. */
export function moduleSql(db: QueryDatabase, name: string): string {
  const relations = relationsOf(db);
  if (!relations.some((one) => one.name === name)) {
    const modules = relations.filter((one) => one.kind === 'module').map((one) => one.name);
    throw new GicTraceError(
      'usage',
      `this database has no module '${name}'`,
      {},
      `${didYouMean(name, modules)}it has ${modules.join(', ')}`,
    );
  }
  return `SELECT * FROM "${name}"`;
}
