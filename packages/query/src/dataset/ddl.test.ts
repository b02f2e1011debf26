// What is declared to other engines is what the files have, by an engine that reads them without our declarations.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { importToTrace } from '@gictrace/recorder';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DATASET_TABLE_NAMES, DDL_ENGINES, datasetDdl } from './ddl.ts';
import { exportToDataset } from './export.ts';

const LOG = fileURLToPath(new URL('../../../../test/recordings/its-trigger.log.gz', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'gictrace-ddl-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const fleet = join(dir, 'fleet');
beforeAll(async () => {
  const trace = join(dir, 'a.gictrace');
  await importToTrace(LOG, trace, {});
  await exportToDataset(fleet, trace);
});

const TYPES: Readonly<Record<string, string>> = {
  ...{ Int32: 'INTEGER', Int64: 'BIGINT', String: 'VARCHAR' },
  ...{ INT: 'INTEGER', STRING: 'VARCHAR', BINARY: 'BLOB', VARBINARY: 'BLOB' },
};

it.each(DDL_ENGINES)('%s', async (engine) => {
  const connection = await (await DuckDBInstance.create()).connect();
  let tables = 0;
  for (const name of DATASET_TABLE_NAMES) {
    if (!existsSync(join(fleet, `table=${name}`))) continue;
    tables++;
    const glob = `${fleet}/table=${name}/**/*.parquet`;
    const files = await connection.runAndReadAll(
      `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('${glob}', hive_partitioning = false))`,
    );
    const text = datasetDdl(engine, fleet, [name]);
    const declared = [...text.matchAll(/^ {2}[`"](\w+)[`"] (\w+)|[`](\w+)[`] (?:Nullable\()?(\w+)/gm)]
      .map(([, a, b, c, d]) => [a ?? c!, b ?? d!])
      .filter(([column, type]) => column !== name && column !== 'trace' && type !== 'AS')
      .map(([column, type]) => [column!, TYPES[type!] ?? type!]);
    // ClickHouse has one type for texts and bytes.
    const wanted = files
      .getRows()
      .map(([column, type]) => [column, engine === 'clickhouse' && type === 'BLOB' ? 'VARCHAR' : type]);
    expect(declared, name).toEqual(wanted);
    expect(text.includes('trace=') || /PARTITIONED BY|partitioned_by/.test(text)).toBe(
      existsSync(join(fleet, `table=${name}`, 'names.parquet')) === false,
    );
  }
  expect(tables).toBeGreaterThan(20);
});

it('a place with a quote stays text', () => {
  expect(datasetDdl('spark', "/it's/", ['t_labels'])).toContain("LOCATION '/it''s/table=t_labels'");
});
