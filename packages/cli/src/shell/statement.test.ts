// Statements end where SQLite says that they end, and one line of the history asks what the many did.
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTraces, QueryDatabase } from '@gictrace/query';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEmpty, isInText, oneLine, split } from './statement.ts';

describe('split', () => {
  test('a semicolon in a string, a name or a comment ends nothing', () => {
    const one = `SELECT ';', ";", \`;\`, [;], 'it''s;' -- ;\n /* ; */ FROM x`;
    expect(split(`${one};\nSELECT 2`)).toEqual({ statements: [one], rest: '\nSELECT 2' });
    expect(split('SELECT 1; SELECT 2;;  ;')).toEqual({ statements: ['SELECT 1', ' SELECT 2'], rest: '' });
    expect(split("SELECT 'a;")).toEqual({ statements: [], rest: "SELECT 'a;" });
  });

  const piece = fc.constantFrom(
    'a',
    ' ',
    '\n',
    ';',
    "'",
    '"',
    '`',
    '[',
    ']',
    '--',
    '/*',
    '*/',
    '-',
    '/',
    '*',
    "''",
  );
  const text = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(''));

  test('loses nothing but semicolons, and is the same by lines', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const whole = split(`${a}\n${b}`);
        const first = split(`${a}\n`);
        const second = split(first.rest + b);
        expect([...first.statements, ...second.statements]).toEqual(whole.statements);
        expect(second.rest).toBe(whole.rest);
      }),
      { numRuns: 500 },
    );
  });

  test('says of nothing but comments that it is nothing, and where it ends in text', () => {
    expect(['', ' \n', '-- a', '/* ; */ -- ;', '/* a'].map(isEmpty)).toEqual([true, true, true, true, true]);
    expect(['1', "''", '-- a\n1'].map(isEmpty)).toEqual([false, false, false]);
    expect(["SELECT '", 'SELECT 1 -- x', '/* ', "SELECT 'a''"].map(isInText)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['', "SELECT 'a'", 'SELECT "', '-- a\n', '/* */'].map(isInText)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('oneLine', () => {
  test('asks the same', () => {
    const path = join(tmpdir(), `gictrace-statement-${process.pid}.db`);
    loadTraces(path, []);
    const db = new QueryDatabase(path);
    const answer = (sql: string) => [...db.ask(sql).rows].map((row) => [...row]);
    const literal = fc
      .array(fc.constantFrom('a', '\n', ' ', "''", '--', ';'), { maxLength: 6 })
      .map((all) => `'${all.join('')}'`);
    const comment = fc.constantFrom('-- what */\n', '/* two\nlines */', '\n', '  ');
    fc.assert(
      fc.property(fc.array(fc.tuple(comment, literal), { minLength: 1, maxLength: 4 }), (parts) => {
        const sql = `SELECT\n${parts.map(([before, one]) => `${before} ${one}`).join(',\n')}`;
        const line = oneLine(sql);
        expect(line).not.toContain('\n');
        expect(answer(line)).toEqual(answer(sql));
      }),
    );
    db.close();
    rmSync(path);
  });
});
