// The thread that answers SQL: SQLite compiled to WebAssembly, with the tables of the report in memory. It is bundled with
// SQLite into dist/page-sql (scripts/bundle-sql.mjs), and put into a report on request.
import sqlite3InitModule from '@sqlite.org/sqlite-wasm';
import { Model } from './model.js';
import { isSeveral, sqlTables } from './sqltables.js';

/** @typedef {import('./data.js').TraceFacts} TraceFacts */
/**
 * @typedef {object} Opening
 * @property {Uint8Array<ArrayBuffer>} wasm
 * @property {readonly TraceFacts[]} facts
 * @property {Uint8Array} columns
 */

const ROWS_MAX = 2000;
/** A prepared statement, and a database; the package's own types leave out what is used here. */
/** @typedef {{ bind(values: unknown[]): Statement, step(): boolean, stepReset(): void, reset(): void, get(into: unknown[]): unknown[], finalize(): void, columnCount: number, getColumnName(k: number): string }} Statement */
/** @typedef {{ exec(sql: string): void, prepare(sql: string): Statement, createFunction(name: string, call: (context: number, ...args: unknown[]) => unknown, options: object): void }} Database */

/** Starts SQLite from the bytes of its module, which the package would otherwise fetch. @param {Uint8Array<ArrayBuffer>} wasm */
async function started(wasm) {
  // Other places for databases need more than a page from a disk has, and their absence is not worth a warning.
  Object.assign(globalThis, { sqlite3ApiConfig: { warn: () => undefined } });
  const { fetch } = globalThis;
  globalThis.fetch = async () => new Response(wasm, { headers: { 'content-type': 'application/wasm' } });
  try {
    const start = /** @type {() => Promise<{ oo1: { DB: new (name: string) => Database } }>} */ (
      /** @type {unknown} */ (sqlite3InitModule)
    );
    return new (await start()).oo1.DB(':memory:');
  } finally {
    globalThis.fetch = fetch;
  }
}

/** As in the database. @param {unknown} value */
function hex(value) {
  if (typeof value !== 'bigint' && (typeof value !== 'number' || !Number.isFinite(value))) return null;
  return `0x${BigInt.asUintN(64, BigInt(typeof value === 'number' ? Math.trunc(value) : value)).toString(16)}`;
}

/** The tables of all traces. @type {Map<string, { columns: readonly string[], parts: { rows: number, row: (i: number) => unknown[] }[] }>} */
const tables = new Map();

/** Fills the tables that a query names and that are still empty: with a million accesses that takes some seconds. @param {Database} db @param {string} sql */
function fillFor(db, sql) {
  const wanted = sql.toLowerCase();
  for (const [name, { columns, parts }] of tables) {
    if (!wanted.includes(name)) continue;
    tables.delete(name);
    const statement = db.prepare(`INSERT INTO ${name} VALUES (${columns.map(() => '?')})`);
    db.exec('BEGIN');
    for (const { rows, row } of parts)
      for (let i = 0; i < rows; i++) {
        statement.bind(row(i)).stepReset();
        if (i % 50_000 === 49_999) postMessage({ progress: `${name}: ${i + 1} of ${rows} rows` });
      }
    db.exec('COMMIT');
    statement.finalize();
  }
}

/** @param {Database} db @param {string} sql */
function answer(db, sql) {
  if (isSeveral(sql)) throw new Error('one statement at a time: there is another behind the semicolon');
  const statement = db.prepare(sql);
  try {
    const columns = Array.from({ length: statement.columnCount }, (_, k) => statement.getColumnName(k));
    /** @type {unknown[][]} */
    const rows = [];
    let isCut = false;
    while (statement.step()) {
      if (rows.length === ROWS_MAX) {
        isCut = true;
        break;
      }
      if (columns.length > 0) rows.push(statement.get([]));
    }
    return { columns, rows, isCut };
  } finally {
    statement.finalize();
  }
}

/** @param {Opening} opening */
async function opened({ wasm, facts, columns }) {
  const db = await started(wasm);
  db.createFunction('gic_hex', (_, value) => hex(value), { deterministic: true });
  facts.forEach((one, k) => {
    for (const { name, columns: names, rows, row } of sqlTables(new Model(one, columns, {}), k + 1)) {
      const table = tables.get(name) ?? { columns: names, parts: [] };
      if (k === 0) db.exec(`CREATE TABLE ${name}(${names.join(', ')})`);
      table.parts.push({ rows, row });
      tables.set(name, table);
    }
  });
  return db;
}

/** @type {Promise<Database> | undefined} */
let database;
addEventListener('message', async ({ data }) => {
  try {
    if (typeof data !== 'string') {
      database = opened(data);
      return;
    }
    const db = await database;
    if (db === undefined) return;
    db.exec('PRAGMA query_only = 0');
    fillFor(db, data);
    db.exec('PRAGMA query_only = 1');
    const began = performance.now();
    postMessage({ answer: answer(db, data), ms: performance.now() - began });
  } catch (error) {
    const text = error instanceof Error ? error.message : `${error}`;
    postMessage({ failure: text.replace(/^SQLITE_\w+: sqlite3 result code \d+: /, '') });
  }
});
