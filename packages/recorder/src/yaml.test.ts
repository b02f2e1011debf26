import { GicTraceError } from '@gictrace/core';
import { expect, it } from 'vitest';
import { parseYaml, yamlData } from './yaml.ts';

const read = (text: string) => yamlData(parseYaml(text, 'file.yaml'), 'file.yaml');
const list = (name: string, of: string) => `${name}: &${name} [${`*${of},`.repeat(9)}]\n`;

it('reads what is ordinary, with anchors and aliases', () => {
  expect(read('a: &a [1, 2]\nb: *a\n')).toEqual({ a: [1, 2], b: [1, 2] });
  expect(read('')).toBe(null);
});

it.each([
  [
    'aliases of aliases',
    `a: &a [x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((n, i, all) => list(n, all[i - 1] ?? 'a')).join('')}`,
    /aliases/,
  ],
  ['an anchor that contains itself', 'a: &a\n  - 1\n  - *a\n', /alias/],
  ['a map that merges itself', 'a: &a\n  b: *a\n', /alias/],
  ['lists in lists', `${'['.repeat(150)}1${']'.repeat(150)}`, /100 levels/],
  ['lists in lists until the stack is used up', `${'['.repeat(200_000)}`, /100 levels/],
])('%s: refused, with the place', (_name, text, says) => {
  let fault: unknown;
  try {
    read(text);
  } catch (error) {
    fault = error;
  }
  expect(fault).toBeInstanceOf(GicTraceError);
  expect(fault).toMatchObject({ code: 'usage', place: { path: 'file.yaml' } });
  expect((fault as Error).message).toMatch(says);
});
