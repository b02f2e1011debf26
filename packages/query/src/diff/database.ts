// Writes the database of an aligned comparison: one row for each compared record or pair, so that a query can list the
// records behind each number of the summary.
import type { TargetOptions } from '@gictrace/recorder/output';
import { makeDatabase } from '../database/file.ts';
import { Inserter } from '../database/insert.ts';
import type { Table } from '../database/table.ts';
import { CLASSES } from './classes.ts';
import { diffTraces } from './diff.ts';
import type { AlignRow, Diff, DiffOptions } from './result.ts';

interface DiffTable {
  readonly doc: string;
  /** The name, and the type and description. */
  readonly columns: Readonly<Record<string, readonly [string, string]>>;
}

const classList = Object.entries(CLASSES)
  .map(([name, doc]) => `\`${name}\`: ${doc}`)
  .join('; ');

/** The tables, which `docs/sql.md` describes. */
export const DIFF_TABLES: Readonly<Record<string, DiffTable>> = {
  align: {
    doc: 'The alignment of two traces A and B, in the order of A; what is only in B at its place. Records that are not compared (repeats, polls, what is known of memory, events) are not in it.',
    columns: {
      a: ['INTEGER', 'record number in A; null where only B has it'],
      b: ['INTEGER', 'record number in B; null where only A has it'],
      class: ['TEXT NOT NULL', classList],
      kind: ['TEXT NOT NULL', 'kind of the record'],
      subject: ['TEXT NOT NULL', 'what it is about, as the summary of `gictrace diff` counts it'],
      register: ['TEXT', 'register, of an access'],
      INTID: ['INTEGER', 'interrupt that it names'],
      command: ['TEXT', 'ITS command'],
      DeviceID: ['INTEGER', 'DeviceID of a message'],
      pe: ['INTEGER', 'PE; null where the record concerns none'],
      reason: ['TEXT', 'what exactly, where the class does not say it'],
      tolerated: ['TEXT', '`--ignore`, or the reason of the rule that lets it pass'],
    },
  },
  align_sides: {
    doc: 'The two traces.',
    columns: {
      side: ['TEXT PRIMARY KEY', '`A` or `B`'],
      path: ['TEXT NOT NULL', 'file'],
      records: ['INTEGER NOT NULL', 'records in it'],
      compared: ['INTEGER NOT NULL', 'records that are compared'],
      order_digest: ['TEXT NOT NULL', 'the same where two traces differ by legal reordering and times only'],
    },
  },
};

function tableOf(name: string): Table {
  const columns = Object.entries(DIFF_TABLES[name]!.columns);
  return {
    name,
    columns: columns.map(([column]) => column),
    ddl: `CREATE TABLE ${name} (${columns.map(([column, [type]]) => `${column} ${type}`).join(', ')}) STRICT`,
  };
}

/**
 * Compares two traces and keeps the alignment in a database at `path`.
 * @throws GicTraceError as `makeDatabase` and `diffTraces` do.
 */
export function makeDiffDatabase(
  path: string,
  pathA: string,
  pathB: string,
  options: DiffOptions & Pick<TargetOptions, 'force'> = {},
): Diff {
  return makeDatabase(
    path,
    (db) => {
      for (const name of Object.keys(DIFF_TABLES)) db.exec(tableOf(name).ddl);
      db.exec('BEGIN');
      const align = new Inserter(db, tableOf('align'));
      const row = (one: AlignRow) => {
        const { subject } = one;
        const at = align.begin();
        const { values } = align;
        values[at] = one.a;
        values[at + 1] = one.b;
        values[at + 2] = one.class;
        values[at + 3] = subject.kind;
        values[at + 4] = subject.text;
        values[at + 5] = subject.register;
        values[at + 6] = subject.INTID;
        values[at + 7] = subject.command;
        values[at + 8] = subject.DeviceID;
        values[at + 9] = one.pe < 0 ? null : one.pe;
        values[at + 10] = one.reason === '' ? null : one.reason;
        values[at + 11] = one.tolerated;
      };
      const diff = diffTraces(pathA, pathB, { ...options, row });
      align.flush();
      const sides = new Inserter(db, tableOf('align_sides'));
      for (const [name, side] of [
        ['A', diff.a],
        ['B', diff.b],
      ] as const)
        sides.add([name, side.path, side.records, side.compared, side.orderDigest]);
      sides.flush();
      db.exec('COMMIT');
      db.exec('CREATE INDEX i_align_a ON align (a)');
      db.exec('CREATE INDEX i_align_b ON align (b)');
      return diff;
    },
    { inputs: [pathA, pathB], force: options.force === true },
  );
}
