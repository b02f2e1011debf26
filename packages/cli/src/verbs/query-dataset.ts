// Queries of a dataset, which need DuckDB and the views. Other queries do not load this file.
import { GicTraceError } from '@gictrace/core';
import { type Answer, DATASET_RELATIONS, Dataset } from '@gictrace/query';

/** The dataset that can answer the query, and its answer. */
export async function askedOfDataset(
  dir: string,
  sql: string | undefined,
  module: string | undefined,
): Promise<{ db: Dataset; answer: Answer }> {
  if (module !== undefined && !DATASET_RELATIONS.includes(module))
    throw new GicTraceError(
      'usage',
      `a dataset has no module '${module}'`,
      {},
      `it has ${DATASET_RELATIONS.join(', ')}`,
    );
  const db = await Dataset.open(dir);
  try {
    return { db, answer: await db.ask(sql ?? `SELECT * FROM "${module}"`) };
  } catch (error) {
    db.close();
    throw error;
  }
}
