// Queries of a dataset, which need DuckDB and the views. Other queries do not load this file.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean, GicTraceError } from '@gictrace/core';
import {
  type Answer,
  DATASET_RELATIONS,
  DATASET_TABLE_NAMES,
  Dataset,
  DDL_ENGINES,
  type DdlEngine,
  datasetDdl,
  isDataset,
} from '@gictrace/query';

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
      `${didYouMean(module, DATASET_RELATIONS)}it has ${DATASET_RELATIONS.join(', ')}`,
    );
  const db = await Dataset.open(dir);
  try {
    return { db, answer: await db.ask(sql ?? `SELECT * FROM "${module}"`) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The tables of a dataset as an engine declares them: those that a local one has, or all. */
export function ddlOf(place: string, engine: string): string {
  if (!DDL_ENGINES.includes(engine as DdlEngine))
    throw new GicTraceError('usage', `--ddl takes ${DDL_ENGINES.join(', ')}, not '${engine}'`);
  const isUrl = /^[a-z][a-z0-9+.-]+:\/\//i.test(place);
  if (!isUrl && !isDataset(place))
    throw new GicTraceError(
      'input',
      'is not a dataset',
      { path: place },
      'gictrace export --to parquet DIR TRACE…',
    );
  const names = isUrl
    ? DATASET_TABLE_NAMES
    : DATASET_TABLE_NAMES.filter((name) => existsSync(join(place, `table=${name}`)));
  return `${datasetDdl(engine as DdlEngine, place, names)}\n`;
}
