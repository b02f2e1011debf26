// What is decided of standard output from the command line and the environment; and what colours may change: nothing else.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { painted } from './colour.ts';
import { asciiOf, commonOptions, screenOf } from './screen.ts';

const UTF8 = { TERM: 'xterm', LANG: 'en_GB.UTF-8' };
const screen = (line: string, env: Record<string, string> = UTF8, isTerminal = true) => {
  const { own, common } = commonOptions(line.split(' '));
  return screenOf(own, common, isTerminal, env);
};

describe('common options', () => {
  it('are taken out anywhere before --', () => {
    const line = ['dump', '--no-pager', 't', '--color', '--debug', '--', '--debug', '--color=never'];
    expect(commonOptions(line)).toEqual({
      own: ['dump', 't', '--', '--debug', '--color=never'],
      common: { isDebug: true, colour: 'always', pager: false },
    });
    expect(commonOptions(['info', 't', '--no-color']).common.colour).toBe('never');
  });

  it('of no known value are refused', () => {
    expect(() => commonOptions(['info', '--color=red'])).toThrow(
      /--color takes auto, always, never, not 'red'/,
    );
  });
});

describe('colours', () => {
  it.each([
    ['at a terminal', 'info t', {}, true, true],
    ['in a pipe', 'info t', {}, false, false],
    ['at a dumb terminal', 'info t', { TERM: 'dumb' }, true, false],
    ['NO_COLOR', 'info t', { NO_COLOR: '1' }, true, false],
    ['an empty NO_COLOR', 'info t', { NO_COLOR: '' }, true, true],
    ['FORCE_COLOR in a pipe', 'info t', { FORCE_COLOR: '1' }, false, true],
    ['FORCE_COLOR=0', 'info t', { FORCE_COLOR: '0' }, true, false],
    ['FORCE_COLOR and NO_COLOR, as in Node', 'info t', { FORCE_COLOR: '3', NO_COLOR: '1' }, false, true],
    ['--color and NO_COLOR', 'info t --color', { NO_COLOR: '1' }, false, true],
    ['--color=auto in a pipe', 'info t --color=auto', {}, false, false],
    ['--color=never and FORCE_COLOR', 'info t --color=never', { FORCE_COLOR: '1' }, true, false],
  ])('%s', (_when, line, env, isTerminal, has) => {
    expect(screen(line, { ...UTF8, ...env }, isTerminal).hasColour).toBe(has);
  });

  it('change no character', () => {
    const text = [
      ...[
        'SAME: 3 records',
        'DIVERGED: 3',
        'compared:',
        '  ok   1  source',
        '  NO   2  route',
        '  A > 3 hppi',
      ],
      ...['error command-error at record 8', 'design   verdict', '───────  ───────', 'its      works'],
    ].join('\n');
    const shown = painted(text);
    expect(stripVTControlCharacters(shown)).toBe(text);
    // Each line but the rule, and the rows of the table, has a colour.
    const plain = shown.split('\n').filter((line) => !line.includes('\x1b'));
    expect(plain).toEqual(['───────  ───────', 'its      works']);
  });

  it.each(['{"SAME":1}', 'the same', '  SAME: inside', 'SAMENESS: 1', 'INTID 27:'])('%s has none', (text) =>
    expect(painted(text)).toBe(text),
  );
});

describe('a pager', () => {
  it.each([
    ['diff a b', true],
    ['query db SELECT', true],
    ['diff a b --no-pager', false],
    // For programs.
    ['diff a b --json', false],
    ['query db SELECT --csv', false],
    // The limit of time would be one for the reader, and signals are for the output.
    ['query db SELECT --timeout 5', false],
    ['replay t -o again', false],
    // These report while they work, or take keys.
    ['fuzz --on qemu', false],
    ['shell db', false],
    ['step t', false],
  ])('for %s: %s', (line, may) => {
    expect(screen(line).mayPage).toBe(may);
    expect(screen(line, UTF8, false).mayPage).toBe(false);
    expect(screen(line, { ...UTF8, TERM: 'dumb' }).mayPage).toBe(false);
  });
});

describe('a terminal without UTF-8', () => {
  it.each([
    [{ LANG: 'C.UTF-8' }, false],
    [{ LC_CTYPE: 'de_DE.utf8' }, false],
    [{ LC_ALL: 'C', LANG: 'en_GB.UTF-8' }, true],
    [{ LC_ALL: '', LC_CTYPE: 'C', LANG: 'en_GB.UTF-8' }, true],
    [{}, true],
  ])('%j: %s', (env, isAscii) => {
    expect(screen('info t', env).isAscii).toBe(isAscii);
    // What is printed elsewhere is the same under every locale.
    expect(screen('info t', env, false).isAscii).toBe(false);
  });

  it('shows tables of the same width', () => {
    expect(asciiOf('┌──┬─────┐\n│ 1│ long… │\n└──┴─────┘ 3 × … →')).toBe(
      '+--+-----+\n| 1| long~ |\n+--+-----+ 3 x ... ->',
    );
  });
});
