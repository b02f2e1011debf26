// A pager at a pseudo terminal: what it is given, and that the exit code is the command's, however the reader leaves it.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOG, spawn as piped, run, scratch } from '../run.test-support.ts';
import { Pager, pagerCommand } from './pager.ts';

const BIN = fileURLToPath(new URL('../../bin/gictrace.js', import.meta.url));
const MROPS = fileURLToPath(new URL('../../../../test/recordings/linux-gicv3-mrops.log.gz', import.meta.url));
const dir = scratch();
const small = join(dir, 'small.gictrace');
const big = join(dir, 'big.gictrace');
beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', small)).code).toBe(0);
  expect((await run('import', 'qemu', MROPS, '-o', big)).code).toBe(0);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A verdict: exit code 1, and more lines than the terminal has. */
const DIVERGED = ['replay', small, '--on', 'simulator@architecture'];

const hasAll = ['script', 'less'].every((tool) => spawnSync(tool, ['--version']).status === 0);
if (!hasAll)
  process.stderr.write('SKIPPED: the pager at a pseudo terminal: needs script and less (bsdutils, less)\n');

/** When less is interrupted it shows nothing, and what was typed is dropped: the next key follows soon, and again. */
const SOON_MS = 300;

/** Runs a command line at a terminal of 10 lines. Each key is sent when what stands before it is shown, or soon. */
async function atTerminal(
  words: readonly string[],
  keys: readonly (readonly [RegExp | 'soon', string])[] = [],
  env: Record<string, string> = {},
) {
  const { PAGER: _, LESS: __, NO_COLOR: ___, FORCE_COLOR: ____, LC_ALL: _____, ...rest } = process.env;
  const line = [process.execPath, BIN, ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `stty rows 10 cols 100; exec ${line}`, '/dev/null'], {
    env: { ...rest, TERM: 'xterm', LANG: 'C.UTF-8', ...env },
  });
  let screen = '';
  let from = 0;
  const left = [...keys];
  let again: ReturnType<typeof setInterval> | undefined;
  const send = () => {
    clearInterval(again);
    const [, key] = left.shift()!;
    from = screen.length;
    child.stdin.write(key);
    const [next] = left;
    if (next?.[0] !== 'soon') return;
    left.shift();
    again = setInterval(() => child.stdin.write(next[1]), SOON_MS);
  };
  child.stdout.on('data', (data: Buffer) => {
    screen += data.toString();
    const when = left[0]?.[0];
    if (when instanceof RegExp && when.test(screen.slice(from))) send();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(again);
  expect(left).toEqual([]);
  return { code, screen };
}
/** less waits for a key. */
const WAITS = /(?:\r|\n|\[m):/;

describe.runIf(hasAll)('at a pseudo terminal', () => {
  it('shows a screen of a long answer; leaving it early keeps the verdict', async () => {
    const { code, screen } = await atTerminal(DIVERGED, [[WAITS, 'q']]);
    expect(screen).toContain('\x1b[31mDIVERGED');
    expect(screen).toContain('cte.read');
    expect(screen).not.toContain('first divergence');
    expect(code).toBe(1);
  });

  it('Ctrl-C is a key of the pager once all is printed', async () => {
    const { code, screen } = await atTerminal(DIVERGED, [
      [WAITS, '\x03'],
      ['soon', 'G'],
      [/END/, 'q'],
    ]);
    expect(screen).toContain('DIVERGED');
    expect(code).toBe(1);
  });

  it('ends by itself where the answer fits', async () => {
    const { code, screen } = await atTerminal(['check', small, '--rule', 'stranded-lpi']);
    expect(screen).toContain('\x1b[32mCLEAN');
    expect(code).toBe(0);
  });

  it.each([
    ['true', 'why', ['why', small, '--intid', '8195'], 1],
    ['true', 'check', ['check', small], 1],
    ['head -n 1', 'a replay that diverges', DIVERGED, 1],
    ['head -n 1', 'a replay that does not', ['replay', small], 0],
    ['head -n 1', 'dump', ['dump', big], 0],
    ['exit 5;:', 'a pager that fails', DIVERGED, 1],
  ])('PAGER=%s: the exit code of %s is its own', async (PAGER, _what, words, code) => {
    // Only a program that is there is started.
    const env = { PAGER: PAGER.startsWith('exit') ? `sh -c '${PAGER}'` : PAGER };
    const { code: found, screen } = await atTerminal(words, [], env);
    expect(found).toBe(code);
    expect(screen).not.toContain('gictrace:');
  });

  it('Ctrl-C before all is printed ends the command by the signal, when the reader has left', async () => {
    const { code, screen } = await atTerminal(
      ['dump', big],
      [
        [WAITS, '\x03'],
        ['soon', 'q'],
      ],
    );
    expect(screen).toContain('GICR_TYPER');
    expect(code).toBe(130);
  });

  it('notes are on the same screen, and what went wrong below it', async () => {
    const nothing = await atTerminal(['dump', small, '--intid', '5000']);
    expect(nothing).toMatchObject({ code: 0, screen: 'no record matches\r\n' });
    const failed = await atTerminal(['why', small, '--intid', 'x']);
    expect(failed.code).toBe(2);
    expect(failed.screen).toMatch(/^gictrace: --intid takes [^\r\n]*\r\n$/);
  });

  it('what goes wrong after much was printed is said when the reader has left', async () => {
    const damaged = join(dir, 'damaged.gictrace');
    const bytes = readFileSync(big);
    bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 100);
    writeFileSync(damaged, bytes);
    const { code, screen } = await atTerminal(['dump', damaged], [[WAITS, 'q']], {
      PAGER: 'tail -n 30 | less -FRX',
    });
    expect(code).toBe(4);
    // less gives the keys of the terminal back.
    const [before, after] = screen.split('\x1b[?1l');
    expect(before).not.toContain('gictrace:');
    expect(after).toMatch(/gictrace: \S*damaged\.gictrace/);
  });

  it.each([
    ['--no-pager', [...DIVERGED, '--no-pager'], {}],
    ['PAGER=cat', DIVERGED, { PAGER: 'cat' }],
    ['an empty PAGER', DIVERGED, { PAGER: '' }],
    ['a PAGER that is not there', DIVERGED, { PAGER: 'no-such-pager -x' }],
    ['TERM=dumb', DIVERGED, { TERM: 'dumb' }],
  ])('%s: all is printed at once', async (name, words, env: Record<string, string>) => {
    const { code, screen } = await atTerminal(words, [], env);
    expect(code).toBe(1);
    expect(screen).toContain('first divergence');
    expect(screen.includes('\x1b[31mDIVERGED')).toBe(name !== 'TERM=dumb');
  });

  it('what a shell cannot run is a failure: the answer is lost', async () => {
    const { code, screen } = await atTerminal(DIVERGED, [], { PAGER: 'sh -c "exit 127"' });
    expect(code).toBe(3);
    expect(screen).toMatch(
      /gictrace: the pager cannot be run: its exit code is 127 \(PAGER, or --no-pager\)/,
    );
  });

  it('has no colours with NO_COLOR, and no characters that the locale lacks', async () => {
    const db = join(dir, 'small.db');
    expect((await run('load', small, '-o', db, '--force')).code).toBe(0);
    const words = ['query', db, 'SELECT op, count(*) AS n FROM its_commands GROUP BY op', '--no-pager'];
    expect((await atTerminal(words)).screen).toMatch(/^┌─+┬─+┐\r\n.\[1m│ op {5}│ n │/);
    const plain = await atTerminal(words, [], { NO_COLOR: '1', LANG: 'C' });
    expect(plain.screen).toMatch(/^\+-{8}\+-{3}\+\r\n\| op {5}\| n \|\r\n/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none
    expect(plain.screen).not.toMatch(/\x1b|[^\x00-\x7f]/);
  });
});

it('in a pipe there are colours only with --color, and no pager', () => {
  const plain = piped(DIVERGED);
  expect(plain.code).toBe(1);
  expect(plain.out).not.toContain('\x1b');
  const coloured = piped([...DIVERGED, '--color']);
  expect(coloured.out.startsWith('\x1b[1m\x1b[31mDIVERGED')).toBe(true);
  expect(stripVTControlCharacters(coloured.out)).toBe(plain.out);
});

it('takes no more than the reader reads, and goes on when the reader leaves', async () => {
  const pager = new Pager('sleep 1');
  pager.write('x'.repeat(1 << 20));
  pager.write('x'.repeat(1 << 20));
  let hasRoom = false;
  const room = pager.room().then(() => {
    hasRoom = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(hasRoom).toBe(false);
  await room;
  expect(pager.isClosed).toBe(true);
  await pager.end();
});

it('is the one of PAGER, or less', () => {
  const PATH = process.env.PATH!;
  expect(pagerCommand({ PATH, PAGER: 'LESS=R  head -n 3' })).toBe('LESS=R  head -n 3');
  expect(pagerCommand({ PATH: '/nowhere' })).toBeUndefined();
  if (hasAll) expect(pagerCommand({ PATH })).toBe('less -FRX');
});
