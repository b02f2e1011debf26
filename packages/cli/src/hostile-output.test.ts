// What a hostile file says does not reach the terminal as control characters, and does not keep a query from being ended.
import { join } from 'node:path';
import { TraceReader, TraceWriter } from '@gictrace/recorder';
import { beforeAll, describe, expect, it } from 'vitest';
import { printable, printableLine } from './printable.ts';
import { LOG, run, scratch, spawn } from './run.test-support.ts';

const dir = scratch();
const at = (name: string) => join(dir, name);
const EVIL = 'a\x1b]0;title\x07\x1b[2Jb\u202egnp.exe\x9b31m';
const CONTROL = /(?![\t\n]|\r\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u;

beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', at('good.gictrace'))).code).toBe(0);
  const reader = TraceReader.open(at('good.gictrace'));
  const { header } = reader;
  const writer = new TraceWriter(at('evil.gictrace'), {
    ...header,
    writer: { name: EVIL, version: EVIL },
    source: { ...header.source, name: EVIL, kind: EVIL },
    clock: { ...header.clock, name: EVIL },
    losses: [{ what: EVIL, count: 1 }],
  });
  for (const { batch } of reader.batches()) writer.append(batch);
  writer.close({ losses: [{ what: EVIL, count: null }] });
  reader.close();
  expect((await run('load', at('evil.gictrace'), '-o', at('evil.db'))).code).toBe(0);
});

it.each([
  [['info', at('evil.gictrace')]],
  [['info', '--json', at('evil.gictrace')]],
  [['dump', at('evil.gictrace'), '--json', '--header']],
  [['replay', at('evil.gictrace')]],
  [['check', at('evil.gictrace')]],
  [['query', at('evil.db'), `SELECT *, char(27) || '[2J' AS "${EVIL}" FROM traces`]],
  [['query', at('evil.db'), 'SELECT * FROM traces', '--csv']],
  [['query', at('evil.db'), 'SELECT * FROM traces', '--json']],
  [['info', at(`no ${EVIL}`)]],
])('%j prints no control characters', async (args) => {
  const { out, err } = await run(...args);
  expect(out + err).not.toMatch(CONTROL);
});

it('escapes what it does not print', () => {
  expect(printable('a\x1b[2J\tb\n\u202ec\x9b')).toBe('a\\x1b[2J\tb\n\\u202ec\\u009b');
  expect(printableLine('a\tb\nc')).toBe('a\\x09b\\x0ac');
  expect(printableLine('a'.repeat(2000))).toBe('a'.repeat(2000));
  expect(printableLine(`a${'\x1b'.repeat(70_000)} (hint)`)).toMatch(
    /^a(\\x1b)+.* \(278,?008 characters\) .*\(hint\)$/,
  );
  // In JSON the escape is the character.
  expect(JSON.parse(printable(JSON.stringify('a\u202eb')))).toBe('a\u202eb');
});

describe('query --timeout', () => {
  const ENDLESS = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c';

  it('ends a query that does not end', () => {
    const { code, out, err } = spawn(['query', at('evil.db'), ENDLESS, '--timeout', '2']);
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/^gictrace: [^\n]*took more than 2 s[^\n]*\n$/);
  });

  it('changes neither the answer nor the exit code of another', () => {
    const sql = 'SELECT count(*) AS n FROM stimuli';
    const plain = spawn(['query', at('evil.db'), sql, '--json']);
    expect(plain.code).toBe(0);
    expect(spawn(['query', at('evil.db'), sql, '--json', '--timeout', '60'])).toEqual(plain);
    expect(spawn(['query', at('evil.db'), 'SELEC', '--timeout', '60']).code).toBe(2);
  });
});
