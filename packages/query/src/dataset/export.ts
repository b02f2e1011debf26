// Exports traces to a dataset: for each trace a Parquet file of each table that has rows, then its entry in the manifest.
// An export that was interrupted leaves no entry, so that the next one does the trace again; a trace that has an entry is
// skipped. Several processes may export to one dataset.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { type AnyTraceReader, TraceReader } from '@gictrace/recorder';
import { cannotWrite, OutputFile } from '@gictrace/recorder/output';
import { type RowBlock, type RowSink, readCells } from '../database/row-log.ts';
import { Loading, type LoadSource } from '../sql/loading.ts';
import { DERIVED_PLACES, TABLES } from '../sql/schema.ts';
import {
  DATASET_VERSION,
  type ManifestEntry,
  makeDataset,
  manifestEntry,
  manifestFile,
  tableFile,
  traceKey,
} from './layout.ts';
import { ParquetTable } from './parquet-table.ts';
import { DATASET_TABLES } from './tables.ts';

/** Values of all tables that may wait for their row groups: about 100 MB. */
const WAITING_MAX = 4_000_000;

export interface DatasetResult extends ManifestEntry {
  /** `there`: the dataset had the trace already. */
  readonly outcome: 'exported' | 'there';
}

/**
 * Adds the trace at `path` to the dataset `dir`, which is made if necessary.
 * @throws GicTraceError `usage` if `dir` is something else, `trace` for a bad trace, `backend` if the disk is full.
 */
export async function exportToDataset(dir: string, path: string): Promise<DatasetResult> {
  makeDataset(dir);
  writeNames(dir);
  const reader = TraceReader.openAny(path);
  try {
    const digest =
      reader.footer?.contentDigest ?? createHash('sha256').update(readFileSync(path)).digest('hex');
    const trace = traceKey(digest);
    const found = manifestEntry(dir, trace);
    if (found !== undefined) return { ...found, outcome: 'there' };
    const { rows, files } = await writeTables(dir, trace, path, reader);
    await Promise.all(files.map(makeDurable));
    const { records } = reader;
    const entry: ManifestEntry = {
      version: DATASET_VERSION,
      trace,
      name: basename(path),
      digest,
      records,
      rows,
    };
    writeEntry(dir, entry);
    return { ...entry, outcome: 'exported' };
  } finally {
    reader.close();
  }
}

/** Writes the files of a trace. Other work of the process goes on between batches. */
async function writeTables(
  dir: string,
  trace: string,
  path: string,
  reader: AnyTraceReader,
): Promise<Written> {
  const source: LoadSource = {
    name: basename(path),
    path: resolve(path),
    header: reader.header,
    contentDigest: reader.footer?.contentDigest ?? null,
    semanticDigest: reader.footer?.semanticDigest ?? null,
    batches: reader.batches(),
  };
  const sink = new DatasetSink(dir, trace);
  try {
    const loading = new Loading(sink);
    for (const _ of loading.load(source)) await otherWork();
    loading.flush();
    return sink.commit();
  } catch (error) {
    sink.discard();
    throw error;
  }
}

const otherWork = () => new Promise<void>((done) => setImmediate(done));

/** Makes a file durable in a thread of Node's pool. */
async function makeDurable(path: string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r+');
    await file.sync();
  } catch (error) {
    throw cannotWrite(path, error);
  } finally {
    await file?.close();
  }
}

/** Writes the tables of names, if the dataset does not have them. */
function writeNames(dir: string): void {
  const isThere = DATASET_TABLES.every(
    (table) => table?.key !== 'names' || existsSync(tableFile(dir, table.name, undefined)),
  );
  if (isThere) return;
  const sink = new DatasetSink(dir, undefined);
  try {
    const loading = new Loading(sink);
    loading.reference();
    loading.flush();
    sink.commit();
  } catch (error) {
    sink.discard();
    throw error;
  }
}

function writeEntry(dir: string, entry: ManifestEntry): void {
  const out = new OutputFile(manifestFile(dir, entry.trace), {
    what: 'an entry of a manifest',
    recognises: (head) => head.toString('latin1').startsWith('{"version":'),
  });
  try {
    out.line(JSON.stringify(entry));
    out.commit();
  } catch (error) {
    out.discard();
    throw error;
  }
}

interface Written {
  /** Rows of each table that has any. */
  readonly rows: Readonly<Record<string, number>>;
  readonly files: readonly string[];
}

/** Takes the rows of one trace. */
class DatasetSink implements RowSink {
  private readonly tables: readonly ParquetTable[];

  constructor(dir: string, trace: string | undefined) {
    this.tables = DATASET_TABLES.map((table, k) => {
      if (table === undefined) return new LeftOut(TABLES[k]!.columns.length);
      const path = tableFile(dir, table.name, trace);
      return new ParquetTable(table.width, table.columns, () => {
        mkdirSync(dirname(path), { recursive: true });
        return path;
      });
    });
  }

  write(block: RowBlock): ArrayBuffer {
    readCells(block, this.tables);
    let waiting = this.tables.reduce((sum, table) => sum + table.waiting, 0);
    while (waiting > WAITING_MAX) {
      const largest = this.tables.reduce((a, b) => (b.waiting > a.waiting ? b : a));
      waiting -= largest.waiting;
      largest.flush();
    }
    return block.buffer;
  }

  /** Gives all files their names. */
  commit(): Written {
    const rows: Record<string, number> = {};
    const files: string[] = [];
    const commit = (k: number) => {
      const file = this.tables[k]!.commit();
      if (file === undefined) return;
      rows[DATASET_TABLES[k]!.name] = this.tables[k]!.rows;
      files.push(file);
    };
    // The row in t_traces is last: without it, queries do not see the others.
    for (const k of this.tables.keys()) if (k !== DERIVED_PLACES.traces) commit(k);
    commit(DERIVED_PLACES.traces);
    return { rows, files };
  }

  discard(): void {
    for (const table of this.tables) table.discard();
  }
}

/** Takes rows that a dataset does not keep. */
class LeftOut extends ParquetTable {
  constructor(width: number) {
    super(width, [], () => '');
  }

  override row(): void {
    // Nothing is kept.
  }
}
