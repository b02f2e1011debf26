// No regular expression takes more than linear time on a text that may be hostile: every literal in the sources is analysed
// (scslre). Those that it reports and that are kept are named here, with what bounds the text.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'rolldown/parseAst';
import { analyse } from 'scslre';
import { expect, it } from 'vitest';

const PACKAGES = fileURLToPath(new URL('../packages/', import.meta.url));

/** Patterns that take the square of the length of their text, and why that is short. */
const SHORT = new Map([
  [/\B(?=(\d{3})+(?!\d))/.source, 'a number'],
  [/\B(?=(\d{3})+$)/.source, 'a number'],
  [/(?:file:\/\/)?(\/[^\s()]+\.js):(\d+):(\d+)/.source, 'a line of a stack of this program'],
  [/^(\S+)\s*(.*)$/.source, 'a line that is typed'],
  [/[A-Za-z_$][\w$]*$/.source, 'a line that is typed'],
  [/([A-Za-z_]\w*)\s*\.\s*$/.source, 'a line that is typed'],
  [/\d+\.\d[^\s,)]*/.source, 'the version that a tool prints'],
  [/\/+$/.source, 'a name of a folder from the command line'],
  [/\[.*\]$/.source, 'a name of a register'],
  [/\{[^}]*\b(INTID=\d+)/.source, 'the text of one record'],
  [/ ?\{[^}]*\}/.source, 'the text of one record'],
  [/\[[^\]]*\]/.source, 'a word of the text of one record'],
  [/^(GIC[DRS]_\w*?)\d+(E?)$/.source, 'a word of the text of one record'],
  [/--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|[\s;]/.source, 'SQL that the user types into the page'],
  [
    /\b(\w+): HSR_EC: (0x[0-9a-f]+)(?: \([^)]{0,40}\))?, PC: (0x[0-9a-f]+)/.source,
    'at most 8,192 characters',
  ],
  [/(?<![\w.])[A-Za-z_][\w.]*\+0x[0-9a-f]+(?:\/0x[0-9a-f]+)?/.source, 'at most 8,192 characters'],
  [/^\(([A-Za-z_][\w.]*)(?![\w.])[^)]*\)\s*/.source, 'at most 8,192 characters'],
  [
    /^(#|cpus=\d|version\s*=|CPU \d+ is empty|CPU:\d+ \[|\s*$|##### CPU \d+ buffer started ####|\s*-{10,}\s*$|\s*\d+\)\s.*=>)/
      .source,
    'the first 300 characters of a line',
  ],
  [
    /^\s*=>|<(?:user )?stack trace\s*>|^\s+[0-9a-f]{6,16}\s+\S.*\(\S+\)\s*$/.source,
    'the first 300 characters of a line',
  ],
]);

interface Pattern {
  readonly source: string;
  readonly flags: string;
  readonly place: string;
}

/** The literals in the text of a module. */
function patternsIn(text: string, place: string): Pattern[] {
  const found: Pattern[] = [];
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) walk(one);
    else if (typeof node === 'object' && node !== null) {
      const { regex } = node as { regex?: { pattern: string; flags: string } };
      if (regex !== undefined) found.push({ source: regex.pattern, flags: regex.flags, place });
      for (const one of Object.values(node)) walk(one);
    }
  };
  walk(parseAst(text, { lang: 'ts' }));
  return found;
}

const isSlow = ({ source, flags }: Pattern) =>
  analyse({ source, flags }, { maxReports: 1 }).reports.length > 0;

const patterns = (readdirSync(PACKAGES, { recursive: true, encoding: 'utf8' }) as string[])
  .filter((name) => /^[^/]+\/src\/.*\.ts$/.test(name) && !/\.test\.ts$|test-support|\/testing\//.test(name))
  .flatMap((name) => patternsIn(readFileSync(join(PACKAGES, name), 'utf8'), name));

it('none backtracks, but for those that are named', () => {
  expect(patterns.length).toBeGreaterThan(150);
  const slow = patterns.filter(isSlow);
  expect(slow.filter(({ source }) => !SHORT.has(source))).toEqual([]);
  // A name of one that has gone is no excuse for the next.
  const there = new Set(patterns.map(({ source }) => source));
  expect([...SHORT.keys()].filter((source) => !there.has(source))).toEqual([]);
});

it('none is made at run time, but of constants and of what is typed', () => {
  const made = (readdirSync(PACKAGES, { recursive: true, encoding: 'utf8' }) as string[])
    .filter((name) => /^[^/]+\/src\/.*\.ts$/.test(name) && !/\.test\.ts$|test-support|\/testing\//.test(name))
    .filter((name) => /new RegExp\(/.test(readFileSync(join(PACKAGES, name), 'utf8')));
  expect(made.sort()).toEqual([
    'cli/src/shell/complete.ts',
    'cli/src/shell/where.ts',
    'core/src/spec/intid-any.ts',
    'query/src/database/statements.ts',
    'query/src/why/ask.ts',
    'recorder/src/importers/ftrace/lines.ts',
    'recorder/src/importers/qemu-gicv5/lines.ts',
  ]);
});

it.each([
  'const a = /(a+)+$/',
  String.raw`const a = /(\d+)*x/`,
  // As it was: a line of 200,000 blanks took half a minute.
  String.raw`const a = /^\s*(.+?)\s*:\s*(.*)$/`,
  String.raw`const a = (text: string) => text.replace(/\s*\n\s*/g, ' ')`,
])('one that is planted is found: %s', (text) => {
  const planted = patternsIn(text, 'planted');
  expect(planted.length).toBe(1);
  expect(planted.filter(isSlow)).toEqual(planted);
});
