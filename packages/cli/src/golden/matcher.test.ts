// The matcher of vitest, held to what it says: by itself, and as `vitest -u` and CI run it.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, scratch } from '../run.test-support.ts';
import './matcher.ts';

const dir = scratch();
const [its, again, direct] = ['its', 'again', 'direct'].map((name) => join(dir, `${name}.gictrace`)) as [
  string,
  string,
  string,
];
const golden = join(dir, 'golden', 'move.gictrace');

beforeAll(async () => {
  await run('record', 'move', '-o', its);
  await run('record', 'move', '-o', again);
  await run('record', 'move', '-o', direct, '--on', 'direct-lpi');
});

/** What the matcher says when vitest runs in a mode: all (`-u`), new, none (CI). */
function matched(update: 'all' | 'new' | 'none', trace: string, path: string) {
  const state = expect.getState().snapshotState as unknown as { _updateSnapshot: string };
  const before = state._updateSnapshot;
  state._updateSnapshot = update;
  try {
    expect(trace).toMatchGolden(path);
    return 'passes';
  } catch (error) {
    return (error as Error).message;
  } finally {
    state._updateSnapshot = before;
  }
}

describe('toMatchGolden', () => {
  it('in CI: a golden trace that is not there fails, and nothing is written', () => {
    expect(matched('none', its, golden)).toMatch(/missing: there is no move\.gictrace and no move\.txt/);
    expect(existsSync(golden)).toBe(false);
  });

  it('writes a new one with its text, and holds traces against it', () => {
    expect(matched('new', its, golden)).toBe('passes');
    expect(readFileSync(golden.replace('.gictrace', '.txt'), 'utf8')).toContain('MOVI');
    expect(matched('none', again, golden)).toBe('passes');
    const said = matched('none', direct, golden);
    expect(said).toMatch(/differs: \d+ differences/);
    expect(said.split('\n').length).toBeLessThan(50);
    expect(direct).not.toMatchGolden(golden);
  });

  it('does not overwrite one that differs, but for vitest -u', () => {
    const path = join(dir, 'own.gictrace');
    for (const end of ['gictrace', 'txt'])
      copyFileSync(golden.replace(/gictrace$/, end), path.replace(/gictrace$/, end));
    const before = readFileSync(path);
    expect(matched('new', direct, path)).toMatch(/differs/);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(matched('all', direct, path)).toBe('passes');
    expect(matched('none', direct, path)).toBe('passes');
  });

  it('fails where the text is not that of the trace, or what is given is no trace', () => {
    const path = join(dir, 'stale.gictrace');
    copyFileSync(golden, path);
    writeFileSync(path.replace('.gictrace', '.txt'), 'other\n');
    expect(matched('none', its, path)).toMatch(/stale/);
    expect(matched('none', its, join(dir, 'golden.trace'))).toMatch(/is not a name for a golden trace/);
  });
});
