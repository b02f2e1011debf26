// The project's own golden traces: every scenario that ships on every design that serves it, and the conformance suite.
// `npm run golden:mutate` holds them all against every fault; here a part of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applies, BEHAVIOURS } from '@gictrace/core/conformance';
import { DESIGNS } from '@gictrace/core/irqchip';
import { MUTATIONS } from '@gictrace/core/testing';
import { libraryPath, libraryScenarios, readScenario } from '@gictrace/recorder';
import { main } from 'gictrace';
import { expect, it, vi } from 'vitest';

const goldens = fileURLToPath(new URL('../goldens/', import.meta.url));

async function golden(...args: string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  const code = await main(['golden', 'check', goldens, ...args]);
  spy.mockRestore();
  return { code, out };
}

it('are as they were: `gictrace golden check goldens`', async () => {
  const { code, out } = await golden();
  expect([out.split('\n')[0], code]).toEqual([
    expect.stringMatching(/^\d+ of \d+ golden cases the same$/),
    0,
  ]);
}, 120_000);

const files = (folder: string) => readdirSync(join(goldens, folder), { recursive: true }).map(String);

it('are of every scenario that ships, on every design that serves it', () => {
  for (const scenario of libraryScenarios()) {
    const { operations } = readScenario(libraryPath(scenario));
    const ofVpes = operations.some(({ op }) => op === 'vpe.map' || op === 'vm.alloc');
    for (const { name, serves } of Object.values(DESIGNS))
      expect([
        scenario,
        name,
        existsSync(join(goldens, 'scenarios', scenario, `${name}.golden.txt`)),
      ]).toEqual([scenario, name, (serves === 'vpes') === ofVpes]);
  }
  expect(readdirSync(join(goldens, 'scenarios')).sort()).toEqual([...libraryScenarios()].sort());
});

it('are of every behaviour that applies under two profiles', () => {
  const expected = BEHAVIOURS.flatMap((one) =>
    ['architecture', 'qemu-virt']
      .filter((profile) => applies(one, profile))
      .map((profile) => `${one.id}@${profile}`),
  );
  const found = files('conformance').flatMap((file) => /([^/]+)\.golden\.gictrace$/.exec(file)?.[1] ?? []);
  expect(found.sort()).toEqual(expected.sort());
});

it('say what they cover, and all together cover every fault', () => {
  const covers = ['scenarios', 'conformance'].flatMap((folder) =>
    files(folder)
      .filter((file) => file.endsWith('case.yaml'))
      .flatMap((file) => [
        ...readFileSync(join(goldens, folder, file), 'utf8').matchAll(/^ {2}- ([a-z0-9-]+)$/gm),
      ])
      .map(([, name]) => name!),
  );
  const known = Object.keys(MUTATIONS);
  expect([...new Set(covers.filter((name) => known.includes(name)))].sort()).toEqual([...known].sort());
});

it('tell the faults that they say they cover', async () => {
  const of = (scenario: string) =>
    files(join('scenarios', scenario)).flatMap((file) => {
      const name = /^(.*)\.golden\.txt$/.exec(file)?.[1];
      return name === undefined ? [] : [`scenarios/${scenario}/${name}`];
    });
  const { code, out } = await golden(...of('pending-move'), ...of('lost-doorbell'), '--mutate', 'all');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^kill score: \d\d of 30 faults are detected by a case; of (\d+) pairs .* compares, \1 are detected$/m,
  );
}, 120_000);
