// Where things are in a dataset: a folder that DuckDB, Spark, Trino and ClickHouse read as a Hive-partitioned table for each
// table of a database of traces. It knows paths and no file formats.
//
//   DIR/table=t_interrupts/trace=0123456789abcdef/rows.parquet    the rows of one trace
//   DIR/table=t_registers/names.parquet                           tables of names, which belong to no trace
//   DIR/_manifest/0123456789abcdef.json                           what was exported; written last
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkedBy, GicTraceError } from '@gictrace/core';
import { statOf } from '@gictrace/recorder/input';
import { cannotWrite } from '@gictrace/recorder/output';
import * as z from 'zod/mini';

/** Raised when the tables or the layout change so that old datasets cannot be read. */
export const DATASET_VERSION = 1;

const MANIFEST = '_manifest';
/** Digits of a trace's digest that name its partition. 64 bits keep a million traces apart. */
const KEY_DIGITS = 16;

const entrySchema = z.strictObject({
  version: z.int(),
  /** The key of the partition. */
  trace: z.string(),
  name: z.string(),
  digest: z.string(),
  records: z.int(),
  /** Rows of each table that has any. */
  rows: z.record(z.string(), z.int()),
});
/** What the manifest says of a trace. */
export type ManifestEntry = z.infer<typeof entrySchema>;

/** The key of a trace's partitions, from the SHA-256 of its content. */
export function traceKey(digest: string): string {
  return digest.slice(0, KEY_DIGITS);
}

/** The file with the rows of a table: of one trace, or of a table of names. */
export function tableFile(dir: string, table: string, trace: string | undefined): string {
  return trace === undefined
    ? join(dir, `table=${table}`, 'names.parquet')
    : join(dir, `table=${table}`, `trace=${trace}`, 'rows.parquet');
}

export function manifestFile(dir: string, trace: string): string {
  return join(dir, MANIFEST, `${trace}.json`);
}

/** Whether a folder is a dataset. */
export function isDataset(dir: string): boolean {
  return existsSync(join(dir, MANIFEST));
}

/**
 * Makes the folder of a dataset, or checks that one that exists is a dataset or empty.
 * @throws GicTraceError `usage` if something else is there.
 */
export function makeDataset(dir: string): void {
  const found = statOf(dir);
  if (found !== undefined && !found.isDirectory())
    throw new GicTraceError(
      'usage',
      'is not a folder',
      { path: dir },
      'name a new folder or a dataset: gictrace export --to parquet DIR TRACE…',
    );
  if (found !== undefined && !isDataset(dir) && readdirSync(dir).length > 0)
    throw new GicTraceError(
      'usage',
      'has files in it and is not a dataset of gictrace',
      { path: dir },
      'name a new or empty folder, or a dataset',
    );
  try {
    mkdirSync(join(dir, MANIFEST), { recursive: true });
  } catch (error) {
    throw cannotWrite(dir, error);
  }
}

/** The manifest's entry of a trace; undefined if the trace is not in the dataset, or its export did not end. */
export function manifestEntry(dir: string, trace: string): ManifestEntry | undefined {
  const path = manifestFile(dir, trace);
  if (!existsSync(path)) return undefined;
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw damaged(path, (error as Error).message);
  }
  const result = checkedBy(entrySchema, raw);
  if (!result.ok) throw damaged(path, `${result.path || 'its root'}: ${result.message}`);
  if (result.value.version !== DATASET_VERSION)
    throw new GicTraceError(
      'input',
      `is of a dataset of version ${result.value.version}; this gictrace reads ${DATASET_VERSION}`,
      { path },
      'export the traces again into another folder',
    );
  return result.value;
}

/** The keys of the traces in a dataset, in order. */
export function manifestKeys(dir: string): string[] {
  return readdirSync(join(dir, MANIFEST))
    .filter((name) => /^[0-9a-f]{16}\.json$/.test(name))
    .map((name) => name.slice(0, KEY_DIGITS))
    .sort();
}

function damaged(path: string, why: string): GicTraceError {
  return new GicTraceError('input', `is damaged: ${why}`, { path }, 'remove it and export its trace again');
}
