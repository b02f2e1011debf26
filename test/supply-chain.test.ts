// What comes from others: actions are pinned by digest, have no more permissions than they need, and pass what users give as
// no option; only named packages run scripts when they are installed; the list of what a release contains is whole.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const FOLDERS = ['.github/workflows', 'examples/github'];
const workflows = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`),
);

it.each(workflows)('%s: actions by digest, with permissions', (path) => {
  const text = read(path);
  const { permissions, jobs } = parse(text) as {
    permissions?: object;
    jobs: Record<string, { permissions?: object }>;
  };
  expect(permissions ?? Object.values(jobs).every((job) => job.permissions !== undefined)).toBeTruthy();
  const used = [...text.matchAll(/uses: (\S+)/g)].map(([, action]) => action!);
  expect(used.length).toBeGreaterThan(0);
  for (const action of used)
    expect(action).toMatch(/^(gictrace\/gictrace@\S+|[\w.-]+\/[\w./-]+@[0-9a-f]{40})$/);
});

it('the action passes what it is given by the environment, and after --', () => {
  const text = read('action.yml');
  const runs = (parse(text) as { runs: { steps: { run?: string }[] } }).runs.steps.map(({ run = '' }) => run);
  for (const run of runs) expect(run).not.toMatch(/\$\{\{/);
  expect(runs.join('\n')).toMatch(/golden check .*-- "\$GOLDEN_DIR"/);
});

it('a release has the list of what it contains, and the job that may write runs no code of others', () => {
  interface Job {
    readonly needs?: string;
    readonly permissions?: object;
    readonly steps: readonly { uses?: string; run?: string; env?: object; with?: object }[];
  }
  const { permissions, jobs } = parse(read('.github/workflows/release.yml')) as {
    permissions: object;
    jobs: Record<string, Job>;
  };
  expect([permissions, Object.keys(jobs)]).toEqual([{ contents: 'read' }, ['build', 'publish']]);
  const { build, publish } = jobs as { build: Job; publish: Job };
  const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
  expect(scripts.release).toBe('node scripts/release.mjs');
  expect(read('scripts/release.mjs')).toContain("join(root, 'scripts', 'sbom.mjs')");
  expect(build.permissions).toBeUndefined();
  expect(build.steps.flatMap(({ run }) => run ?? [])).toEqual([
    '.ci/run',
    'npm run --silent release -- release',
  ]);
  expect(JSON.stringify(build.steps)).not.toMatch(/token|secrets/);
  expect(build.steps.find(({ uses }) => uses?.startsWith('actions/checkout'))!.with).toEqual({
    'persist-credentials': false,
  });
  // What is published is what was made and tested, and nothing else is taken or run beside the token.
  expect([publish.needs, publish.permissions]).toEqual(['build', { contents: 'write' }]);
  expect(publish.steps.map(({ uses, run }) => uses?.split('@')[0] ?? run?.split(' --')[0])).toEqual([
    'actions/download-artifact',
    'gh release create',
  ]);
  expect(publish.steps[0]!.with).toEqual({ name: 'release', path: 'release' });
  expect(build.steps.at(-1)).toMatchObject({
    uses: expect.stringMatching(/^actions\/upload-artifact@/),
    with: { name: 'release', path: 'release' },
  });
});

it('the packages that run scripts when they are installed are named, with the reason', () => {
  const { onlyBuiltDependencies } = parse(read('pnpm-workspace.yaml')) as { onlyBuiltDependencies: string[] };
  const reasons = read('docs/robustness.md').split('## Dependencies')[1]!;
  expect(onlyBuiltDependencies.length).toBeGreaterThan(0);
  for (const name of onlyBuiltDependencies) expect(reasons).toContain(`\`${name}\``);
});

it('the list of what a release contains has every dependency of the packages', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'sbom.mjs')], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  const { components } = JSON.parse(stdout) as {
    components: { name: string; hashes: { content: string }[] }[];
  };
  const names = new Set(components.map(({ name }) => name));
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    const { dependencies = {} } = JSON.parse(read(`packages/${name}/package.json`)) as {
      dependencies?: Record<string, string>;
    };
    for (const [needed, version] of Object.entries(dependencies))
      if (!version.startsWith('workspace:')) expect(names, `${name} needs it`).toContain(needed);
  }
  for (const { name, hashes } of components) expect(hashes[0]!.content, name).toMatch(/^[0-9a-f]{128}$/);
});
