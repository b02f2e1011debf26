// The GitHub Action: its steps run as a runner runs them, on cases that pass and cases that do not.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { libraryPath } from '@gictrace/recorder';
import { main } from 'gictrace';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const root = fileURLToPath(new URL('..', import.meta.url));

interface Step {
  readonly name: string;
  readonly shell: string;
  readonly run: string;
  readonly env: Readonly<Record<string, string>>;
}
const action = parse(readFileSync(`${root}/action.yml`, 'utf8')) as {
  inputs: Record<string, { required?: boolean; default?: string }>;
  runs: { using: string; steps: Step[] };
};

/** Runs a step of the action with these inputs. */
function runStep(step: Step, inputs: Readonly<Record<string, string>>) {
  const env = Object.fromEntries(
    Object.entries(step.env).map(([name, value]) => [
      name,
      value
        .replace(/\$\{\{ github\.action_path \}\}/, root)
        .replace(
          /\$\{\{ inputs\.(\w+) \}\}/,
          (_all, input: string) => inputs[input] ?? action.inputs[input]!.default!,
        ),
    ]),
  );
  return spawnSync('bash', ['-c', step.run], {
    cwd: temp.path('.'),
    env: { ...process.env, CI: 'true', GITHUB_ACTIONS: 'true', ...env },
    encoding: 'utf8',
  });
}

it('checks the golden cases of a folder, and fails where one differs', async () => {
  const cases = temp.path('cases');
  mkdirSync(cases);
  copyFileSync(libraryPath('move'), `${cases}/move.yaml`);
  const { CI } = process.env;
  delete process.env.CI;
  expect(await main(['golden', 'update', cases])).toBe(0);
  if (CI !== undefined) process.env.CI = CI;
  const check = action.runs.steps.at(-1)!;
  const passes = runStep(check, { dir: 'cases', junit: 'out.xml' });
  expect([passes.status, passes.stderr]).toEqual([0, '']);
  expect(readFileSync(temp.path('out.xml'), 'utf8')).toContain('<testsuite');
  copyFileSync(libraryPath('pending-move'), `${cases}/move.yaml`);
  const fails = runStep(check, { dir: 'cases' });
  expect(fails.status).toBe(1);
  expect(fails.stdout).toMatch(/^::error /m);
});

it('takes inputs as words, not as commands', () => {
  const hostile = `x"; touch ${temp.path('pwned')}; echo "$(touch ${temp.path('pwned')})`;
  const { status } = runStep(action.runs.steps.at(-1)!, { dir: hostile });
  expect(status).toBe(2);
  expect(existsSync(temp.path('pwned'))).toBe(false);
  for (const { run } of action.runs.steps) expect(run).not.toMatch(/\$\{\{/);
});
