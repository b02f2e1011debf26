// The project's own golden traces: every scenario that ships, and every design.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DESIGNS } from '@gictrace/core';
import { libraryScenarios } from '@gictrace/recorder';
import { main } from 'gictrace';
import { expect, it, vi } from 'vitest';

const goldens = fileURLToPath(new URL('../goldens/', import.meta.url));

it('are as they were: `gictrace golden check goldens`', async () => {
  let out = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  const code = await main(['golden', 'check', goldens]);
  spy.mockRestore();
  expect([out.split('\n')[0], code]).toEqual([
    expect.stringMatching(/^\d+ of \d+ golden cases the same$/),
    0,
  ]);
});

it('are of every scenario that ships and of every design', () => {
  const cases = readdirSync(goldens).map((name) => name.split('-on-') as [string, string]);
  expect([...new Set(cases.map(([scenario]) => scenario))].sort()).toEqual([...libraryScenarios()].sort());
  expect([...new Set(cases.map(([, design]) => design))].sort()).toEqual(Object.keys(DESIGNS).sort());
  for (const [scenario, design] of cases) {
    const folder = `${goldens}${scenario}-on-${design}`;
    expect(readFileSync(`${folder}/case.yaml`, 'utf8')).toBe(`scenario: ${scenario}\non: ${design}\n`);
    expect(existsSync(`${folder}/golden.txt`)).toBe(true);
  }
});
