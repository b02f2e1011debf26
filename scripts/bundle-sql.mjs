// Bundles what answers SQL in a report (packages/query/page/sqlworker.js, with SQLite as WebAssembly) into
// packages/query/dist/page-sql, from where `gictrace report --sql` puts it into the page. Does nothing if nothing has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { licences } from './licences.mjs';

const query = join(dirname(fileURLToPath(import.meta.url)), '..', 'packages', 'query');
const target = join(query, 'dist', 'page-sql');
const stampFile = `${target}.sha256`;
const SOURCES = ['sqlworker', 'sqltables', 'model', 'data', 'classes', 'format', 'lod'];

export async function bundleSql() {
  const require = createRequire(join(query, 'package.json'));
  const wasm = readFileSync(require.resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm'));
  const hash = createHash('sha256')
    .update(wasm)
    .update(readFileSync(fileURLToPath(import.meta.url)));
  for (const name of SOURCES) hash.update(readFileSync(join(query, 'page', `${name}.js`)));
  const wanted = hash.digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return false;
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input: join(query, 'page', 'sqlworker.js'),
    platform: 'browser',
    resolve: { conditionNames: ['browser', 'import', 'default'] },
    plugins: [
      {
        name: 'no-url',
        // The package looks for its module beside itself; here it is handed over.
        transform: (code, id) =>
          id.includes('node_modules')
            ? { code: code.replaceAll('import.meta.url', "'file:///'"), map: null }
            : null,
      },
    ],
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  const { output } = await build.generate({ format: 'iife', minify: true, codeSplitting: false });
  await build.close();
  const [{ code, moduleIds }] = output;
  const known = new Set(SOURCES.map((name) => join(query, 'page', `${name}.js`)));
  for (const id of moduleIds)
    if (!id.includes('node_modules') && !known.has(id) && !id.startsWith('\0'))
      throw new Error(`${id} is missing from SOURCES of bundle-sql.mjs`);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'worker.js'), code);
  writeFileSync(join(target, 'sqlite3.wasm'), wasm);
  writeFileSync(join(target, 'LICENSES.txt'), licences(moduleIds).join(`\n${'-'.repeat(80)}\n\n`));
  writeFileSync(stampFile, wanted);
  return true;
}
