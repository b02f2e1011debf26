// Bundles the command line into packages/cli/dist/bundle: one file for each verb, and files for what several verbs share, in
// CommonJS, which Node loads in a fraction of the time that separate packages take. It reads the sources, not tsc's output,
// and does nothing if nothing has changed.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleSql } from './bundle-sql.mjs';
import { licences } from './licences.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cli = join(root, 'packages', 'cli');
const target = join(cli, 'dist', 'bundle');
const stampFile = join(target, 'inputs.sha256');
/** Modules that run as threads or processes, each of which needs its own file. */
const THREADS = [
  join(root, 'packages', 'cli', 'src', 'signal-thread.ts'),
  join(root, 'packages', 'cli', 'src', 'signal-watcher.ts'),
  join(root, 'packages', 'query', 'src', 'database', 'writer-thread.ts'),
  join(root, 'packages', 'query', 'src', 'dataset', 'export-thread.ts'),
  join(root, 'packages', 'recorder', 'src', 'importers', 'qemu-trace', 'beside', 'reader-thread.ts'),
];
/** Loaded from node_modules: native code, and what runs in the user's vitest. */
const EXTERNAL = ['better-sqlite3', '@duckdb/node-api', 'msgpackr-extract', 'vitest'];

/** Names, sizes and times of all inputs of the bundle. */
function inputs() {
  const hash = createHash('sha256');
  const add = (path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${relative(root, path)} ${size} ${mtimeMs}\n`);
  };
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (!entry.name.endsWith('.test.ts')) add(path);
    }
  };
  for (const name of readdirSync(join(root, 'packages'))) {
    if (name === 'web') continue; // bundled by bundle-web.mjs
    add(join(root, 'packages', name, 'package.json'));
    for (const folder of ['src', 'page', 'scenarios']) {
      const path = join(root, 'packages', name, folder);
      if (existsSync(path)) walk(path);
    }
  }
  add(join(root, 'pnpm-lock.yaml'));
  add(fileURLToPath(import.meta.url));
  add(join(root, 'scripts', 'licences.mjs'));
  add(join(root, 'scripts', 'bundle-sql.mjs'));
  return hash.digest('hex');
}

const ASSET = /new URL\(\s*'(\.\.?\/[^']+)',\s*import\.meta\.url\s*\)/g;

/** The name of a thread's file in the bundle, by that of the compiled source. */
const threadNames = new Map(THREADS.map((path) => [path.replace(/\.ts$/, '.js'), basename(path, '.ts')]));

/**
 * Files that a module finds beside itself: threads, which are in the bundle; those of the command's own package stay where they are, others are copied
 * beside the bundle. A use of `import.meta.url` for anything else would find nothing there, and is refused.
 */
function assets(out) {
  return {
    name: 'assets',
    transform(code, id) {
      if (!code.includes('import.meta.url') || id.includes('node_modules')) return null;
      const from = dirname(id);
      const replaced = code.replace(ASSET, (_all, path) => {
        const asset = resolve(from, path);
        if (threadNames.has(asset)) return `new URL('./${threadNames.get(asset)}.js', __bundle_url)`;
        let place = relative(target, asset).replaceAll(sep, '/');
        if (!asset.startsWith(cli + sep)) {
          place = `./${basename(dirname(asset))}-${basename(asset)}`;
          cpSync(asset, join(out, place), { recursive: true });
        }
        return `new URL('${path.endsWith('/') ? `${place}/` : place}', __bundle_url)`;
      });
      if (replaced.includes('import.meta.url'))
        this.error(`${relative(root, id)}: import.meta.url is only known as new URL('./…', import.meta.url)`);
      return { code: replaced.replaceAll('__bundle_url', 'import.meta.url'), map: null };
    },
  };
}

/** Makes the bundle if one of its inputs has changed. Returns whether it did. */
export async function bundle() {
  await bundleSql();
  const wanted = inputs();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return false;
  const { rolldown } = await import('rolldown');
  const out = `${target}.${process.pid}`;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  try {
    const build = await rolldown({
      input: {
        main: join(cli, 'src', 'index.ts'),
        ...Object.fromEntries(THREADS.map((path) => [basename(path, '.ts'), path])),
      },
      platform: 'node',
      resolve: { conditionNames: ['gictrace-source', 'import', 'node', 'default'] },
      external: EXTERNAL,
      plugins: [assets(out)],
      onLog(level, log) {
        if (level === 'warn') throw new Error(log.message);
      },
    });
    const { output } = await build.write({
      dir: out,
      format: 'cjs',
      exports: 'named',
      chunkFileNames: '[name].js',
      sourcemap: true,
      sourcemapExcludeSources: true,
      sourcemapPathTransform: (source, map) =>
        relative(root, resolve(target, dirname(map).slice(out.length + 1), source)).replaceAll(sep, '/'),
    });
    await build.close();
    const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
    writeFileSync(join(out, 'LICENSES.txt'), licences(modules).join(`\n${'-'.repeat(80)}\n\n`));
    writeFileSync(join(out, 'package.json'), '{ "type": "commonjs" }\n');
    writeFileSync(join(out, 'inputs.sha256'), wanted);
    rmSync(target, { recursive: true, force: true });
    renameSync(out, target);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
  return true;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await bundle();
