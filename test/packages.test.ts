// What the packages say of themselves: manifests, READMEs, licences. (That they work once published: pack.test.ts.)
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '@gictrace/core';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const NAMES = ['core', 'recorder', 'replayer', 'query', 'cli'] as const;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly homepage: string;
  readonly keywords: readonly string[];
  readonly repository: { readonly url: string; readonly directory: string };
  readonly sideEffects: boolean | readonly string[];
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

const manifestOf = (name: string) =>
  JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')) as Manifest;

describe.each(NAMES)('%s', (name) => {
  const manifest = manifestOf(name);
  const folder = join(ROOT, 'packages', name);

  it('says what it is, whose, and where it comes from', () => {
    expect(manifest.version).toBe(VERSION);
    expect(manifest.license).toBe('Apache-2.0');
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toBe(readFileSync(join(ROOT, 'LICENSE'), 'utf8'));
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toMatch(new RegExp(`^# ${manifest.name}\n`));
    expect(manifest.description).toMatch(/\S{3}/);
    expect(manifest.keywords).toEqual(expect.arrayContaining(['arm', 'gic', 'interrupts']));
    expect(manifest.repository.directory).toBe(`packages/${name}`);
    expect(manifest.repository.url).toContain(manifest.homepage.replace(/#.*/, ''));
    expect(manifest.engines.node).toBe('>=20.19');
    expect(manifest.sideEffects).toEqual(
      name === 'cli' ? ['./src/golden/matcher.ts', './dist/golden/matcher.js'] : false,
    );
  });

  it('exports its manifest, and of every entry its source, its types and what they describe', () => {
    expect(manifest.exports['./package.json']).toBe('./package.json');
    for (const [entry, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue;
      // The condition of types has to come before the code, that of sources before both.
      expect(Object.keys(target), entry).toEqual(['gictrace-source', 'types', 'default']);
      const source = target['gictrace-source']!;
      expect(existsSync(join(folder, source)), source).toBe(true);
      const built = source.replace('./src/', './dist/');
      expect(target.types).toBe(built.replace('.ts', '.d.ts'));
      expect(target.default).toBe(built.replace('.ts', '.js'));
    }
  });

  it('names what each entry exports, and docs/library.md has each entry', () => {
    const docs = readFileSync(join(ROOT, 'docs', 'library.md'), 'utf8');
    for (const [entry, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue;
      expect(readFileSync(join(folder, target['gictrace-source']!), 'utf8'), entry).not.toMatch(/export \*/);
      expect(docs).toContain(`\`${manifest.name}${entry.slice(1)}\``);
    }
  });

  it('every source that an entry reaches imports packages that the manifest declares', () => {
    const reached = new Set<string>();
    const packages = new Set<string>();
    const walk = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const [, target] of readFileSync(file, 'utf8').matchAll(
        /^(?:(?:import|export)\b[^;'"]*|\} )from '([^']+)'|\bimport\('([^']+)'\)/gm,
      )) {
        if (target?.startsWith('.')) walk(resolve(dirname(file), target));
        else if (target !== undefined && !target.startsWith('node:'))
          packages.add(target.split('/', target.startsWith('@') ? 2 : 1).join('/'));
      }
    };
    for (const target of Object.values(manifest.exports))
      if (typeof target !== 'string') walk(join(folder, target['gictrace-source']!));
    expect(reached.size).toBeGreaterThan(5);
    const declared = Object.keys({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    });
    expect([...packages].filter((used) => !declared.includes(used))).toEqual([]);
  });
});
