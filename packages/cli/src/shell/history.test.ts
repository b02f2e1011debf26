// The history: where it is kept, that it is bounded, and that nothing about it can fail.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ENTRIES_MAX, History, historyPath } from './history.ts';

const dir = mkdtempSync(join(tmpdir(), 'gictrace-history-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the place', () => {
  test('is by XDG, or what is set; nothing keeps none', () => {
    expect(historyPath({ HOME: '/h' })).toBe('/h/.local/state/gictrace/history');
    expect(historyPath({ HOME: '/h', XDG_STATE_HOME: '/s' })).toBe('/s/gictrace/history');
    expect(historyPath({ HOME: '/h', XDG_STATE_HOME: 's' })).toBe('/h/.local/state/gictrace/history');
    expect(historyPath({ HOME: '/h', GICTRACE_HISTORY: '/x' })).toBe('/x');
    expect(historyPath({ HOME: '/h', GICTRACE_HISTORY: '' })).toBeUndefined();
  });
});

describe('entries', () => {
  test('are kept for the next session, one for the same twice in a row, for their owner only', () => {
    const path = join(dir, 'new', 'folder', 'history');
    const first = new History(path);
    for (const entry of ['SELECT 1;', 'SELECT 1;', '.views', '', 'two\nlines', 'x'.repeat(20_000)])
      first.add(entry);
    expect(new History(path).entries).toEqual(['SELECT 1;', '.views']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('are bounded, in memory and in the file', () => {
    const path = join(dir, 'long');
    const long = new History(path);
    for (let k = 0; k < 2 * ENTRIES_MAX + 5; k++) long.add(`SELECT ${k};`);
    expect(long.entries).toHaveLength(ENTRIES_MAX);
    expect(new History(path).entries).toEqual(long.entries);
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toEqual(long.entries);
  });

  test('of two sessions at once are both kept', () => {
    const path = join(dir, 'both');
    const [a, b] = [new History(path), new History(path)];
    a.add('SELECT 1;');
    b.add('SELECT 2;');
    expect(new History(path).entries).toEqual(['SELECT 1;', 'SELECT 2;']);
  });

  test('that cannot be kept stop nobody', () => {
    const file = join(dir, 'file');
    writeFileSync(file, 'no folder');
    const folder = join(dir, 'folder');
    mkdirSync(folder);
    for (const path of [join(file, 'history'), folder, '/proc/nowhere/history', undefined]) {
      const history = new History(path);
      history.add('SELECT 1;');
      expect(history.entries).toEqual(['SELECT 1;']);
    }
    const locked = join(dir, 'locked');
    writeFileSync(locked, 'SELECT 0;\n');
    chmodSync(locked, 0o400);
    const history = new History(locked);
    history.add('SELECT 1;');
    expect(history.entries).toEqual(['SELECT 0;', 'SELECT 1;']);
    expect(existsSync(locked)).toBe(true);
  });
});
