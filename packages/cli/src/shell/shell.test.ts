// The shell as a terminal has it: keys go in, screens come out; through readline on streams, and through a real pseudo
// terminal. And that nothing asked of a database can write, there or elsewhere.
import { spawn as nodeSpawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { MODULES, QueryDatabase } from '@gictrace/query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOG, run, spawn } from '../run.test-support.ts';
import { runShell } from './index.ts';

const dir = mkdtempSync(join(tmpdir(), 'gictrace-shell-'));
const home = join(dir, 'db');
mkdirSync(home);
const path = join(home, 'asked.db');
const BIN = fileURLToPath(new URL('../../bin/gictrace.js', import.meta.url));
beforeAll(async () => {
  const trace = join(dir, 't.gictrace');
  await run('import', 'qemu', LOG, '-o', trace);
  expect((await run('load', trace, '-o', path)).code).toBe(0);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const pause = () => new Promise((resolve) => setTimeout(resolve, 15));

/** Types keys, a string at a time, at a shell on streams. Answers what it showed. */
async function typed(
  keys: readonly string[],
  history?: string,
): Promise<{ screen: string; notes: string[] }> {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: 200, rows: 50 });
  let screen = '';
  output.on('data', (data: Buffer) => {
    screen += data.toString();
  });
  const notes: string[] = [];
  const db = new QueryDatabase(path);
  const done = runShell(db, {
    input,
    output,
    isInteractive: true,
    history,
    note: (text) => notes.push(text),
  });
  for (const key of keys) {
    input.write(key);
    await pause();
  }
  input.end();
  await done;
  db.close();
  return { screen, notes };
}
const UP = '\x1b[A';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_R = '\x12';

describe('at a terminal', () => {
  it('answers, over several lines, and leaves on Ctrl-D', async () => {
    const { screen, notes } = await typed(['SELECT 40 +\r', '2 AS answer;\r', CTRL_D]);
    expect(screen).toContain('...> ');
    expect(screen).toMatch(/answer[\s\S]*42/);
    expect(notes).toEqual([]);
  });

  // Of a chunk only the last key completes: what is pasted may have tabs.
  it('completes a view, a column and a command', async () => {
    const { screen, notes } = await typed([
      'SELECT count(*) FROM msi\t',
      ';\r',
      'SELECT 0 * count(msis.eventi\t',
      ') + 5 AS five FROM msis;\r',
      '.modu\t',
      '\r',
      CTRL_D,
    ]);
    expect(notes).toEqual([]);
    expect(screen).toContain('FROM msis;');
    expect(screen).toContain('msis.EventID');
    expect(screen).toMatch(/five[\s\S]* 5 /);
    for (const { name } of MODULES) expect(screen).toContain(`${name} `);
  });

  it('Ctrl-C drops what was typed and stays; what was dropped is not asked', async () => {
    const { screen, notes } = await typed([
      'SELECT nothing\r',
      'FROM',
      CTRL_C,
      'SELECT 6 * 7 AS answer;\r',
      CTRL_C,
      CTRL_D,
    ]);
    expect(screen).toMatch(/answer[\s\S]*42/);
    expect(screen).toContain('.quit or Ctrl-D leaves');
    expect(notes).toEqual([]);
  });

  it('a fault is one line that says where, and the session goes on', async () => {
    const { screen, notes } = await typed([
      'SELECT 1,\r',
      '  nowhere FROM msis;\r',
      'SELECT 6 * 7 AS answer;\r',
      CTRL_D,
    ]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^SQL: no such column: nowhere \(line 2, column 3\)[^\n]*$/);
    expect(screen).toMatch(/answer[\s\S]*42/);
  });

  it('recalls a statement of several lines as one, in this session and the next', async () => {
    const history = join(dir, 'kept', 'history');
    const first = await typed(['SELECT 6 -- six\r', '* 7 AS answer;\r', UP, '\r', CTRL_D], history);
    expect(first.screen.match(/ 42 /g)).toHaveLength(2);
    expect(readFileSync(history, 'utf8')).toBe('SELECT 6 /* six */ * 7 AS answer;\n');
    const next = await typed([UP, '\r', CTRL_R, 'answ', '\r', CTRL_D], history);
    expect(next.screen).toMatch(/ 42 /);
  });

  it('shows answers in other modes, and how long they took', async () => {
    const { screen, notes } = await typed([
      '.mode csv\r',
      'SELECT 1 AS a, 2 AS b;\r',
      '.mode json\r',
      'SELECT 1 AS a, 2 AS b;\r',
      '.mode line\r',
      'SELECT 1 AS a, 2 AS bc;\r',
      '.timer on\r',
      'SELECT 1;\r',
      '.mode nonsense\r',
      CTRL_D,
    ]);
    expect(screen).toContain('a,b\r\n1,2\r\n');
    expect(screen).toContain('[\n{"a":1,"b":2}\n]\n');
    expect(screen).toContain(' a = 1\nbc = 2\n');
    expect(notes[0]).toMatch(/^0\.\d{3} s$/);
    expect(notes[1]).toMatch(/^there is no mode 'nonsense'/);
  });

  it('writes answers to a new file, and over none', async () => {
    const out = join(dir, 'answers.csv');
    const { notes } = await typed([
      `.output ${out}\r`,
      '.mode csv\r',
      'SELECT 7 AS n;\r',
      '.output\r',
      `.output ${path}\r`,
      CTRL_D,
    ]);
    expect(readFileSync(out, 'utf8')).toBe('n\r\n7\r\n');
    expect(notes).toEqual([`${path}: cannot be written: exists already (name a new file)`]);
  });

  it('lists examples with numbers, and runs one', async () => {
    const { screen, notes } = await typed([
      '.examples\r',
      '.examples 1\r',
      '.examples stranded\r',
      '.examples 99\r',
      CTRL_D,
    ]);
    expect(screen).toMatch(/-- 1 commands: How many of each ITS command\?/);
    expect(screen).toMatch(/op[\s\S]*MAPTI/);
    expect(notes).toHaveLength(1);
  });
});

const hasScript = spawnSync('script', ['--version']).status === 0;
if (!hasScript)
  process.stderr.write('SKIPPED: the shell at a pseudo terminal: needs script (apt-get install bsdutils)\n');

describe('at a pseudo terminal', () => {
  it.runIf(hasScript)(
    'the built command completes, keeps a history where XDG says, and none if told so',
    async () => {
      const state = join(dir, 'state');
      const session = async (env: Record<string, string>) => {
        const { HOME: _, GICTRACE_HISTORY: __, ...rest } = process.env;
        const child = nodeSpawn(
          'script',
          ['-qec', `exec '${process.execPath}' '${BIN}' shell '${path}'`, '/dev/null'],
          {
            env: { ...rest, TERM: 'xterm', HOME: join(dir, 'home'), ...env },
          },
        );
        let screen = '';
        child.stdout.on('data', (data: Buffer) => {
          screen += data.toString();
        });
        const shows = async (what: string) => {
          const from = screen.length;
          for (let k = 0; k < 1000 && !screen.slice(from).includes(what); k++) await pause();
          expect(screen.slice(from)).toContain(what);
        };
        const ended = new Promise<number | null>((resolve) => {
          child.on('close', resolve);
        });
        await shows('gictrace> ');
        for (const [keys, answer] of [
          ['SELECT 40 + 2 AS answ FROM traces;\r', '42'],
          ['SELECT count(*) AS n FROM msi\t', 'msis'],
          [';\r', 'gictrace> '],
        ] as const) {
          const shown = shows(answer);
          child.stdin.write(keys);
          await shown;
        }
        child.stdin.write('.quit\r');
        expect(await ended).toBe(0);
        return screen;
      };
      await session({ XDG_STATE_HOME: state });
      expect(readFileSync(join(state, 'gictrace', 'history'), 'utf8')).toBe(
        'SELECT 40 + 2 AS answ FROM traces;\nSELECT count(*) AS n FROM msis;\n',
      );
      const before = readdirSync(dir);
      await session({ GICTRACE_HISTORY: '' });
      expect(readdirSync(dir)).toEqual(before);
    },
  );
});

describe('Ctrl-C', () => {
  it.runIf(hasScript)('ends a query that never ends, and not the session', async () => {
    const { HOME: _, ...rest } = process.env;
    const child = nodeSpawn(
      'script',
      ['-qec', `exec '${process.execPath}' '${BIN}' shell '${path}'`, '/dev/null'],
      {
        env: { ...rest, TERM: 'xterm', GICTRACE_HISTORY: '' },
      },
    );
    let screen = '';
    child.stdout.on('data', (data: Buffer) => {
      screen += data.toString();
    });
    const shows = async (what: string, from = screen.length) => {
      for (let k = 0; k < 1000 && !screen.slice(from).includes(what); k++) await pause();
      expect(screen.slice(from)).toContain(what);
    };
    const ended = new Promise<number | null>((resolve) => {
      child.on('close', resolve);
    });
    await shows('gictrace> ', 0);
    const endless = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c;';
    const echoed = shows('FROM c;');
    child.stdin.write(`${endless}\r`);
    await echoed;
    // It is running: nothing is shown, until it is interrupted.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(screen.endsWith('gictrace> ')).toBe(false);
    const interrupted = shows('the query was interrupted');
    child.stdin.write(CTRL_C);
    await interrupted;
    const answered = shows('42');
    child.stdin.write('SELECT 40 + 2 AS answ FROM traces;\r');
    await answered;
    child.stdin.write('.quit\r');
    expect(await ended).toBe(0);
  });
});

describe('query --module', () => {
  it('answers with all of a module, in every form', async () => {
    const rows = JSON.parse((await run('query', path, '--module', 'lifecycle', '--json')).out) as object[];
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual(JSON.parse((await run('query', path, 'SELECT * FROM lifecycle', '--json')).out));
    expect((await run('query', path, '--module', 'lifecycle', '--csv')).out).toMatch(/^trace,class,INTID,/);
    expect((await run('query', path, '--module', 'lifecycle', '--line')).out).toMatch(
      /^ *trace = 1\n *class = /,
    );
  });

  it.each([
    [['--module', 'nonsense'], /no module 'nonsense'/],
    [['--module', 'strandd'], /no module 'strandd' \(did you mean 'stranded'\? it has /],
    [['--module', 't_interrupts'], /no module 't_interrupts'/],
    [[], /query takes either SQL or --module NAME/],
    [['SELECT 1', '--module', 'lost'], /takes either SQL or --module NAME/],
  ])('%j is refused', async (args, says) => {
    const { code, err } = await run('query', path, ...args);
    expect([code, err]).toEqual([2, expect.stringMatching(says)]);
    expect(err).toMatch(/^[^\n]+\n$/);
  });
});

it('query says that the database comes first', async () => {
  const swapped = await run('query', 'SELECT 1', path);
  expect([swapped.code, swapped.err]).toEqual([
    2,
    'gictrace: the database comes before the query (gictrace query DB "SELECT …")\n',
  ]);
});

const WRITES = [
  'INSERT INTO t_rules VALUES (1, 2, 3, 4)',
  "REPLACE INTO t_rules VALUES (0, 'a', 'b', 'c')",
  "UPDATE t_traces SET name = 'x'",
  'DELETE FROM t_traces',
  'DELETE FROM t_traces RETURNING trace',
  'WITH a AS (SELECT 1) INSERT INTO t_rules SELECT 1, 2, 3, 4',
  'WITH a AS (SELECT 1) DELETE FROM t_traces',
  'CREATE TABLE more (a)',
  'CREATE TEMP TABLE more (a)',
  'CREATE VIEW more AS SELECT 1',
  'CREATE INDEX more ON t_traces (name)',
  'DROP VIEW msis',
  'ALTER TABLE t_traces RENAME TO other',
  "ATTACH 'NEW' AS other",
  "/* */ -- x\n ATTACH 'NEW' AS other",
  "VACUUM INTO 'NEW'",
  'VACUUM',
  'REINDEX',
  'ANALYZE',
  'PRAGMA writable_schema = ON',
  'PRAGMA journal_mode = DELETE',
  'PRAGMA journal_mode = WAL',
  'PRAGMA user_version = 7',
  'PRAGMA query_only = OFF',
  '; PRAGMA query_only = OFF',
  'SELECT * FROM pragma_optimize',
  "SELECT * FROM pragma_journal_mode('wal')",
  'SELECT * FROM pragma_query_only(0)',
  'SELECT * FROM "pragma_writable_schema"(1)',
  "SELECT load_extension('x')",
  "SELECT writefile('NEW', 'x')",
  "SELECT edit('x')",
  'BEGIN EXCLUSIVE',
  'SAVEPOINT a',
  'SELECT 1; DELETE FROM t_traces',
];

describe('nothing that is asked writes', () => {
  const all = WRITES.flatMap((sql) =>
    /^[A-Z]/.test(sql) && !sql.includes(';') ? [sql, `EXPLAIN ${sql}`] : [sql],
  ).map((sql) => sql.replaceAll('NEW', join(home, 'new')));
  // EXPLAIN of a question with a function is answered: it calls none.
  const asked = all.filter((sql) => !/^EXPLAIN SELECT (?:load_extension)/.test(sql));
  const state = () => [readFileSync(path).toString('base64'), ...readdirSync(home)];

  it('query refuses it with one line and exit code 2', async () => {
    const before = state();
    for (const sql of asked) {
      const { code, out, err } = await run('query', path, sql);
      expect([sql, code, out, err]).toEqual([sql, 2, '', expect.stringMatching(/^gictrace: [^\n]+\n$/)]);
      expect(state(), sql).toEqual(before);
    }
  });

  it('so does the shell, each, and goes on', () => {
    const before = state();
    const { code, out, err } = spawn(['shell', path], `${asked.join(';\n')};\nSELECT 6 * 7 AS answer;\n`);
    expect(code).toBe(2);
    // Of two statements in a row the first may be a question.
    expect(err.trimEnd().split('\n').length).toBe(asked.length + 1);
    expect(out).toMatch(/answer[\s\S]*42/);
    expect(state()).toEqual(before);
    expect(existsSync(join(home, 'new'))).toBe(false);
  });
});
