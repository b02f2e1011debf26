// The packages as they are published: packed, installed into an empty project without a network, used from strict
// TypeScript, as ES modules and by `require`, on each Node that they are for. The code of docs/library.md and of the
// packages' READMEs is what is compiled and run.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const NAMES = ['core', 'recorder', 'replayer', 'query', 'cli'] as const;
const CACHE = join(ROOT, 'node_modules', '.cache', 'nodes');
const folder = mkdtempSync(join(tmpdir(), 'gictrace-pack-'));
const project = join(folder, 'project');

/** Versions of Node besides the one that runs this, of which binaries are to be had as packages of npm. */
const OTHER_NODES = ['22.23.5', '24.22.3'].filter(
  (version) => !process.version.startsWith(`v${version.split('.')[0]}.`),
);

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

const read = (...path: string[]) => readFileSync(join(...path), 'utf8');
const manifestOf = (path: string) => JSON.parse(read(path, 'package.json')) as Manifest;
const unpacked = (name: string) => join(folder, 'unpacked', name, 'package');

function pnpm(cwd: string, ...args: string[]): void {
  const { packageManager } = JSON.parse(read(ROOT, 'package.json')) as { packageManager: string };
  const { status, stdout, stderr } = spawnSync('npx', ['-y', packageManager, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, CI: '1' },
  });
  if (status !== 0) throw new Error(`pnpm ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
}

/** Runs a Node in the project. */
function run(node: string, ...args: string[]) {
  const { CI: _ci, ...env } = process.env;
  return spawnSync(node, args, { cwd: project, encoding: 'utf8', env });
}

/** The blocks of a language in a page of Markdown. */
function blocks(path: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...read(ROOT, path).matchAll(pattern)].map(([, code]) => code!);
}

/** All entries of all packages but manifests, as users write them. */
const entries = () =>
  NAMES.flatMap((name) => {
    const { name: full, exports } = manifestOf(unpacked(name));
    return Object.keys(exports)
      .filter((entry) => entry !== './package.json')
      .map((entry) => `${full}${entry.slice(1)}`);
  });

/** Code of the documentation, by the name of its file in the project. */
const samples = new Map<string, string>();
let ran: Map<string, ReturnType<typeof run>> | undefined;

/** What the samples do here, in the order in which they are written: a later one reads the files of an earlier one. */
function samplesHere(): Map<string, ReturnType<typeof run>> {
  if (ran !== undefined) return ran;
  compiled();
  ran = new Map();
  for (const name of samples.keys())
    if (!name.endsWith('.test.ts')) ran.set(name, run(process.execPath, built(name)));
  return ran;
}

const built = (name: string) => join('out', name.replace(/ts$/, 'js'));
let compilation: ReturnType<typeof run> | undefined;

/** All TypeScript of the project, compiled once. */
function compiled(): ReturnType<typeof run> {
  compilation ??= run(process.execPath, join(project, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.');
  return compilation;
}

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs')], { stdio: 'ignore' });
  const tarballs = new Map<string, string>();
  for (const name of NAMES) {
    const out = join(folder, 'tarballs', name);
    mkdirSync(out, { recursive: true });
    pnpm(join(ROOT, 'packages', name), 'pack', '--pack-destination', out, '--config.ignore-scripts=true');
    const tarball = join(out, readdirSync(out)[0]!);
    const into = join(folder, 'unpacked', name);
    mkdirSync(into, { recursive: true });
    execFileSync('tar', ['xzf', tarball, '-C', into]);
    tarballs.set(manifestOf(unpacked(name)).name, `file:${tarball}`);
  }

  // What others publish is taken from here, so that no network is needed; only what a package declares is linked to it.
  const others = new Map<string, string>();
  for (const path of [...NAMES.map((name) => join(ROOT, 'packages', name)), ROOT]) {
    const { dependencies, devDependencies, optionalDependencies } = manifestOf(path);
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }))
      if (!tarballs.has(name) && name !== 'gictrace' && existsSync(join(path, 'node_modules', name)))
        others.set(name, `link:${realpathSync(join(path, 'node_modules', name))}`);
  }
  mkdirSync(project);
  const manifest = {
    name: 'project',
    private: true,
    type: 'module',
    dependencies: Object.fromEntries(tarballs),
    devDependencies: Object.fromEntries(
      ['@types/node', 'typescript', 'vitest'].map((name) => [name, others.get(name)]),
    ),
    pnpm: { overrides: Object.fromEntries([...others, ...tarballs]) },
  };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  pnpm(project, 'install', '--offline', '--ignore-workspace', '--no-frozen-lockfile');

  copyFileSync(join(ROOT, 'test', 'recordings', 'its-trigger.log.gz'), join(project, 'boot.log.gz'));
  blocks('docs/library.md', 'ts').forEach((code, n) => {
    samples.set(code.includes("from 'vitest'") ? `library-${n}.test.ts` : `library-${n}.ts`, code);
  });
  for (const name of NAMES)
    blocks(`packages/${name}/README.md`, 'ts').forEach((code, n) => {
      samples.set(`readme-${name}-${n}.ts`, code);
    });
  for (const [name, code] of samples) writeFileSync(join(project, name), code);
  writeFileSync(
    join(project, 'entries.ts'),
    entries()
      .map(
        (entry, n) => `import * as entry${n} from '${entry}';\nexport type Entry${n} = typeof entry${n};\n`,
      )
      .join(''),
  );
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        module: 'nodenext',
        target: 'es2023',
        lib: ['es2023'],
        skipLibCheck: false,
        outDir: 'out',
      },
      include: ['*.ts'],
    }),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(NAMES)('what is packed of %s', (name) => {
  it('has its README, its licence and all that its manifest points at', () => {
    const files = readdirSync(unpacked(name));
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist', 'src']));
    for (const target of Object.values(manifestOf(unpacked(name)).exports))
      for (const path of typeof target === 'string' ? [target] : Object.values(target))
        expect(existsSync(join(unpacked(name), path)), path).toBe(true);
    expect(read(unpacked(name), 'package.json')).not.toMatch(/workspace:|catalog:/);
  });

  it('has no tests and nothing that was made of a file that is gone', () => {
    const all = readdirSync(unpacked(name), { recursive: true, encoding: 'utf8' });
    expect(all.filter((file) => /\.test\.|test-support|sha256|tsbuildinfo/.test(file))).toEqual([]);
    const made = all.filter((file) => /^dist\/(?!bundle\/|page-sql\/).*\.js$/.test(file));
    expect(made.length).toBeGreaterThan(5);
    const sources = made.map((file) => file.replace(/^dist/, 'src').replace(/js$/, 'ts'));
    expect(sources.filter((file) => !all.includes(file))).toEqual([]);
  });
});

describe('in an empty project', () => {
  it('has samples to try', () => {
    expect(samples.size).toBeGreaterThan(7);
  });

  it('strict TypeScript takes every entry and all samples, without skipLibCheck', () => {
    const { stdout, status } = compiled();
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('the samples run, in the order in which they are written', () => {
    for (const [name, { status, stdout, stderr }] of samplesHere()) {
      expect(stderr, name).toBe('');
      expect(status, name).toBe(0);
      expect(stdout, name).not.toBe('');
    }
    for (const code of blocks('docs/library.md', 'js')) {
      writeFileSync(join(project, 'sample.cjs'), code);
      const { status, stdout } = run(process.execPath, 'sample.cjs');
      expect(status).toBe(0);
      expect(stdout).toContain("name: 'gictrace'");
    }
  });

  it('the matcher keeps a golden trace, and fails where the trace is another', () => {
    const vitest = join(project, 'node_modules', 'vitest', 'vitest.mjs');
    const test = [...samples.keys()].find((name) => name.endsWith('.test.ts'))!;
    const first = run(process.execPath, vitest, 'run', test);
    expect(first.status, first.stdout + first.stderr).toBe(0);
    const golden = join(project, 'golden', 'boot.gictrace');
    expect(existsSync(golden)).toBe(true);
    expect(run(process.execPath, vitest, 'run', test).status).toBe(0);

    const other = samples.get(test)!.replace('boot.log.gz', 'other.log');
    writeFileSync(join(project, 'other.test.ts'), other);
    const log = execFileSync('gzip', ['-dc', join(project, 'boot.log.gz')], { encoding: 'utf8' }).split('\n');
    writeFileSync(join(project, 'other.log'), log.slice(0, log.length >> 1).join('\n'));
    const differs = run(process.execPath, vitest, 'run', 'other.test.ts');
    expect(differs.status).toBe(1);
    expect(differs.stdout + differs.stderr).toContain('now.gictrace');
  });

  it('the command runs from its bundle', () => {
    samplesHere();
    const gictrace = join(project, 'node_modules', 'gictrace', 'bin', 'gictrace.js');
    expect(run(process.execPath, gictrace, 'replay', 'boot.gictrace').stdout).toContain('SAME');
    const { stdout } = run(
      process.execPath,
      gictrace,
      'query',
      'boot.db',
      'SELECT count(*) AS n FROM its_commands',
      '--csv',
    );
    expect(stdout).toMatch(/^n\r?\n\d+/);
    expect(run(process.execPath, gictrace, 'report', 'boot.gictrace', '-o', 'boot.html').status).toBe(0);
  });
});

/** The binary of a version of Node, downloaded once; undefined where it cannot be had. */
function otherNode(version: string): string | undefined {
  const name = `node-${process.platform}-${process.arch}`;
  const place = join(CACHE, version);
  const node = join(place, 'package', 'bin', 'node');
  if (existsSync(node)) return node;
  const into = join(CACHE, `${version}.${process.pid}`);
  mkdirSync(into, { recursive: true });
  try {
    const options = { cwd: into, encoding: 'utf8' as const, timeout: 100_000 };
    const tarball = execFileSync('npm', ['pack', `${name}@${version}`, '--silent'], options).trim();
    execFileSync('tar', ['xzf', tarball, 'package/bin/node'], { cwd: into });
    rmSync(join(into, tarball));
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place);
    execFileSync('mv', [join(into, 'package'), place]);
    return node;
  } catch {
    return undefined;
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

describe.each([process.version.slice(1), ...OTHER_NODES])('on Node %s', (version) => {
  it('every entry is imported and required; the samples give the same output', (context) => {
    const node = version === process.version.slice(1) ? process.execPath : otherNode(version);
    if (node === undefined) {
      console.warn(
        `NOT TESTED on Node ${version}: npm has no binary of it for this machine, or there is no network`,
      );
      context.skip();
      return;
    }
    expect(run(node, '--version').stdout).toBe(`v${version}\n`);
    // The matcher is for tests of vitest only: it is not loaded outside of them.
    const loadable = entries().filter((entry) => entry !== 'gictrace/vitest');
    const names = (how: string) =>
      `const all = {}; for (const entry of ${JSON.stringify(loadable)}) all[entry] = Object.keys(${how}).filter((name) => name !== 'default' && name !== '__esModule' && name !== 'module.exports').sort(); console.log(JSON.stringify(all));`;
    writeFileSync(join(project, 'import.mjs'), names('await import(entry)'));
    writeFileSync(join(project, 'require.cjs'), names('require(entry)'));
    const imported = run(node, 'import.mjs');
    const required = run(node, '--no-warnings', 'require.cjs');
    expect(imported.stderr).toBe('');
    expect(required.stderr).toBe('');
    expect(required.stdout).toBe(imported.stdout);
    for (const [entry, exported] of Object.entries(JSON.parse(imported.stdout) as Record<string, string[]>))
      expect(exported, entry).not.toEqual([]);

    for (const [name, code] of samples) {
      // better-sqlite3 is compiled for the Node that installed it.
      if (name.endsWith('.test.ts') || (node !== process.execPath && code.includes('@gictrace/query')))
        continue;
      const sample = join('out', name.replace(/ts$/, 'js'));
      const here = run(process.execPath, sample);
      const there = run(node, sample);
      expect(there.stderr, name).toBe('');
      expect(there.stdout, name).toBe(here.stdout);
    }
    const gictrace = join(project, 'node_modules', 'gictrace', 'bin', 'gictrace.js');
    expect(run(node, gictrace, 'replay', 'boot.gictrace').stdout).toContain('SAME');
  });
});
