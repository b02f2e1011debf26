// gictrace bisect: the first record at which a query holds, or the first of a list of traces, backends or commands that
// differs from the first one.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import { loadTraceFiles, QueryDatabase } from '@gictrace/query';
import { type AnyTraceReader, TraceReader } from '@gictrace/recorder';
import { isDatabase } from '@gictrace/recorder/input';
import { signatureOf } from '@gictrace/replayer/minimize';
import type { Command } from 'commander';
import { grouped, json, print, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';
import { replay } from './replay.ts';

interface Options {
  readonly sql?: string;
  readonly trace: number;
  readonly from?: number;
  readonly to?: number;
  readonly on?: readonly string[];
  readonly command?: readonly string[];
  readonly timeout?: number;
  readonly json?: boolean;
}

/** What a bisection found: the number of the first place that is different, and how many were tried. */
interface Found {
  /** -1 if the last one is not different either. */
  readonly first: number;
  readonly tests: number;
}

export function addBisect(program: Command, exit: (code: number) => void): void {
  program
    .command('bisect')
    .summary('find the first record, trace, backend or command that differs')
    .description(
      'Searches by halves. With --sql and one database or trace: the first record at which the query, in which :record stands for its number, returns a row. With several traces: the first that differs from the first one in its records or, with --sql, in whether the query returns a row. With --on or --command: the first backend or command that differs from the first one. What holds is taken to hold from there on (docs/bisect.md). Exit code 0: no difference; 1: found.',
    )
    .argument('[traces...]', 'a trace or a database; or several traces, from the oldest to the newest')
    .option('--sql <query>', 'a query that returns a row where it holds')
    .option('--trace <n>', 'number of the trace in the database (1)', wholeNumber('--trace', 1, 1_000_000), 1)
    .option('--from <record>', 'first record that is considered', wholeNumber('--from', 0, 2 ** 32 - 2))
    .option('--to <record>', 'last record that is considered', wholeNumber('--to', 0, 2 ** 32 - 2))
    .option('--on <backend...>', 'backends on which the trace is replayed, as replay takes them')
    .option('--command <command...>', 'commands whose exit codes are compared; {} stands for the trace')
    .option(
      '--timeout <seconds>',
      'an adapter (30) or QEMU (20) has failed if it sends nothing for this long',
      wholeNumber('--timeout', 1, 86_400),
    )
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      "\nExample:\n  gictrace bisect boot.db --sql \"SELECT 1 FROM gic_state(1, :record) WHERE kind = 'LPI' AND name = 'pending'\"\n  gictrace bisect boot.gictrace --on simulator@qemu-7.2 simulator@qemu-11.1\n",
    )
    .action(async (traces: readonly string[], options: Options) => {
      const { sql, on, command } = options;
      const lists = [on, command].filter((list) => list !== undefined);
      if (lists.length > 1) throw new GicTraceError('usage', '--on and --command exclude each other');
      if (lists[0] !== undefined) {
        if (sql !== undefined) throw new GicTraceError('usage', '--sql is for traces and databases');
        if (lists[0].length < 2)
          throw new GicTraceError(
            'usage',
            'there is nothing to bisect in a list of one',
            {},
            'name two or more',
          );
      }
      const progress = new Progress('tests');
      let tests = 0;
      const tested = () => progress.update(++tests);
      try {
        const answer =
          command !== undefined
            ? await ofList(command, commandOutcome(traces), tested)
            : on !== undefined
              ? await ofList(on, backendOutcome(oneOf(traces), options.timeout), tested)
              : traces.length > 1
                ? await ofList(traces, traceOutcome(sql), tested)
                : await ofRecords(oneOf(traces), options, tested);
        progress.end();
        print(options.json ? json(answer.json) : answer.text);
        exit(answer.isFound ? 1 : 0);
      } finally {
        progress.end();
      }
    });
}

interface Result {
  readonly isFound: boolean;
  readonly text: string;
  readonly json: object;
}

function oneOf(traces: readonly string[]): string {
  if (traces.length === 1) return traces[0]!;
  throw new GicTraceError('usage', traces.length === 0 ? 'no trace is given' : 'takes one trace here');
}

/** The first of `low` to `high` for which `differs` holds, if it holds from there on. */
async function bisected(
  low: number,
  high: number,
  differs: (n: number) => Promise<boolean> | boolean,
  middleOf = (from: number, to: number) => from + Math.floor((to - from) / 2),
): Promise<Found> {
  let tests = 1;
  if (!(await differs(high))) return { first: -1, tests };
  let [from, to] = [low, high];
  while (from < to) {
    const middle = middleOf(from, to);
    tests++;
    if (await differs(middle)) to = middle;
    else from = middle + 1;
  }
  return { first: to, tests };
}

// ---- records -----------------------------------------------------------------------------------------------

async function ofRecords(path: string, options: Options, tested: () => void): Promise<Result> {
  const { sql, trace } = options;
  if (sql === undefined)
    throw new GicTraceError(
      'usage',
      'one trace alone cannot be bisected',
      {},
      'give --sql, --on or more traces',
    );
  if (!/:record\b/.test(sql))
    throw new GicTraceError(
      'usage',
      '--sql does not contain :record',
      {},
      'put :record where the number of the record belongs',
    );
  return withDatabase(path, async (db) => {
    const rows = [...db.ask(`SELECT records, path FROM t_traces WHERE trace = ${trace}`).rows];
    if (rows.length === 0) throw new GicTraceError('usage', `there is no trace ${trace}`, { path });
    const records = Number(rows[0]![0]);
    const from = options.from ?? 0;
    const to = Math.min(options.to ?? records - 1, records - 1);
    if (records === 0 || from > to)
      throw new GicTraceError('usage', `there are no records from ${from} to ${to}`, { path });
    const kept = [...db.ask(`SELECT record FROM t_states WHERE trace = ${trace} ORDER BY record`).rows];
    const states = kept.map(([record]) => Number(record) - 1);
    const { first, tests } = await bisected(
      from,
      to,
      (record) => {
        tested();
        return hasRow(db, sql.replace(/:record\b/g, `${record}`));
      },
      (low, high) => nearMiddle(states, low, high),
    );
    if (first < 0)
      return {
        isFound: false,
        text: `NOWHERE: the query returns no row at record ${grouped(to)}, the last one`,
        json: { record: null, tests },
      };
    const source = rows[0]![1];
    const text = typeof source === 'string' ? textOf(source, first) : undefined;
    const always = first === from ? ', which is the first one that was considered' : '';
    return {
      isFound: true,
      text: `FOUND: the query returns a row from record ${first} on${always}, after ${tests} tests${text === undefined ? '' : `\n  ${text}`}`,
      json: { record: first, text: text ?? null, tests },
    };
  });
}

/** A record between `low` and `high` - 1 behind which the state is kept, near the middle; without one, the middle. */
function nearMiddle(states: readonly number[], low: number, high: number): number {
  const middle = low + Math.floor((high - low) / 2);
  let nearest = -1;
  for (const record of states)
    if (
      record >= low &&
      record < high &&
      (nearest < 0 || Math.abs(record - middle) < Math.abs(nearest - middle))
    )
      nearest = record;
  return nearest < 0 ? middle : nearest;
}

/** Record `record` of a trace file as text; undefined if the file cannot be read any more. */
function textOf(path: string, record: number): string | undefined {
  let reader: AnyTraceReader;
  try {
    reader = TraceReader.openAny(path);
  } catch {
    return undefined;
  }
  try {
    for (const { batch, first } of reader.batches(record)) return recordText(batch, record - first, record);
    return undefined;
  } finally {
    reader.close();
  }
}

function hasRow(db: QueryDatabase, sql: string): boolean {
  for (const _row of db.ask(sql).rows) return true;
  return false;
}

/** A database, or a trace that is loaded into one for this time. */
async function withDatabase<T>(path: string, use: (db: QueryDatabase) => Promise<T>): Promise<T> {
  const folder = isDatabase(path) ? undefined : mkdtempSync(join(tmpdir(), 'gictrace-bisect-'));
  try {
    const own = folder === undefined ? path : join(folder, 'trace.db');
    if (folder !== undefined) await loadTraceFiles(own, [path]);
    const db = new QueryDatabase(own);
    try {
      return await use(db);
    } finally {
      db.close();
    }
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

// ---- lists -------------------------------------------------------------------------------------------------

/** What an element of a list shows: equal for elements that do not differ. */
type Outcome = (name: string) => Promise<{ readonly outcome: string; readonly text: string }>;

async function ofList(list: readonly string[], outcomeOf: Outcome, tested: () => void): Promise<Result> {
  const known = new Map<number, Awaited<ReturnType<Outcome>>>();
  const at = async (n: number) => {
    const before = known.get(n);
    if (before !== undefined) return before;
    const now = await outcomeOf(list[n]!);
    tested();
    known.set(n, now);
    return now;
  };
  const reference = await at(0);
  const { first } = await bisected(
    1,
    list.length - 1,
    async (n) => (await at(n)).outcome !== reference.outcome,
  );
  const seen = [...known].sort(([a], [b]) => a - b).map(([n, { text }]) => ({ name: list[n]!, text }));
  const lines = seen.map(({ name, text }) => `  ${name}: ${text}`);
  if (first < 0)
    return {
      isFound: false,
      text: [`SAME: ${list.at(-1)} does not differ from ${list[0]}`, ...lines].join('\n'),
      json: { first: null, tests: known.size, seen },
    };
  return {
    isFound: true,
    text: [`FOUND: ${list[first]} is the first that differs; ${list[first - 1]} does not`, ...lines].join(
      '\n',
    ),
    json: { first: list[first], before: list[first - 1], tests: known.size, seen },
  };
}

function traceOutcome(sql: string | undefined): Outcome {
  return async (path) => {
    if (sql !== undefined)
      return withDatabase(path, async (db) => {
        const outcome = hasRow(db, sql) ? 'the query returns a row' : 'the query returns no row';
        return { outcome, text: outcome };
      });
    const reader = TraceReader.openAny(path);
    reader.close();
    const digest = reader.footer!.semanticDigest;
    return {
      outcome: digest,
      text: `${grouped(reader.records)} records, semantic digest ${digest.slice(0, 12)}`,
    };
  };
}

function commandOutcome(traces: readonly string[]): Outcome {
  if (traces.length > 1) throw new GicTraceError('usage', '--command takes at most one trace');
  const word = traces[0] === undefined ? '{}' : `'${traces[0].replaceAll("'", "'\\''")}'`;
  return async (command) => {
    const { status, error } = spawnSync('sh', ['-c', command.replaceAll('{}', word)], { stdio: 'ignore' });
    if (error !== undefined || status === null || status === 126 || status === 127)
      throw new GicTraceError('backend', `the command cannot be run, or was ended: ${command}`);
    return { outcome: `${status}`, text: `exit code ${status}` };
  };
}

function backendOutcome(path: string, timeout: number | undefined): Outcome {
  return async (on) => {
    const given = timeout === undefined ? {} : { timeout };
    const { first, diverged } = await replay(path, { on, ...given }, () => {}, []);
    if (first === null) return { outcome: 'same', text: 'same as recorded' };
    return {
      outcome: signatureOf(first, true),
      text: `${grouped(diverged)} diverged, first at record ${first.record}: ${first.recorded}; ${first.replayed}`,
    };
  };
}
