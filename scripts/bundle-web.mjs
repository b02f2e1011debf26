// Makes the page into which logs are dropped (packages/web), as one HTML file: `node scripts/bundle-web.mjs OUT.html`. Its
// code is gictrace's own, with the few functions of Node that it uses taken from packages/web/src/host.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { licences } from './licences.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const web = join(root, 'packages', 'web', 'src');
const require = createRequire(join(web, 'x.js'));
const host = (name) => join(web, 'host', `${name}.ts`);

/** What stands for each module of Node. One that is not here is refused. */
const HOST = {
  'node:fs': host('fs'),
  'node:zlib': host('zlib'),
  'node:crypto': host('crypto'),
  'node:path': host('path'),
  'node:os': host('os'),
  'node:url': host('url'),
  'node:child_process': host('absent'),
  'node:stream': host('absent'),
  // xz-decompress takes it where a global is missing.
  'stream/web': host('absent'),
  'node:worker_threads': host('absent'),
  'better-sqlite3': join(web, 'sqlite', 'database.ts'),
  // With the slash it is the package, not Node's module.
  buffer: require.resolve('buffer/'),
};

/** Files beside a module that the page has, by the path under which the module finds them there. */
const EMBEDDED = { [join(root, 'packages', 'query', 'page') + sep]: '/report/' };
const ASSET = /new URL\(\s*'(\.\.?\/[^']+)',\s*import\.meta\.url\s*\)/g;
const FILES = 'gictrace:files';

/** Gives modules what they expect of Node: its modules, and files beside themselves. */
function nodeParts() {
  return {
    name: 'host',
    resolveId(source) {
      if (source === FILES) return FILES;
      if (Object.hasOwn(HOST, source)) return HOST[source];
      const bare = source.replace(/^node:/, '');
      // Left out of the page, unless the page uses it, which is then refused.
      if (source === '@duckdb/node-api' || builtinModules.includes(bare.replace(/\/.*/, '')))
        return { id: source, external: true, moduleSideEffects: false };
      return null;
    },
    load(id) {
      if (id !== FILES) return null;
      const files = Object.entries(EMBEDDED).flatMap(([folder, to]) =>
        readdirSync(folder)
          .filter((name) => /\.(js|css)$/.test(name))
          .map((name) => [`${to}${name}`, readFileSync(join(folder, name), 'utf8')]),
      );
      return `export const FILES = ${JSON.stringify(Object.fromEntries(files))};`;
    },
    transform(code, id) {
      if (!code.includes('import.meta.url')) return null;
      // Other packages look for their WebAssembly beside themselves; here it is handed to them.
      if (id.includes('node_modules'))
        return { code: code.replaceAll('import.meta.url', "'file:///'"), map: null };
      const replaced = code.replace(ASSET, (_all, path) => {
        const asset = resolve(dirname(id), path) + (path.endsWith('/') ? sep : '');
        return `new URL('file://${EMBEDDED[asset] ?? '/absent/'}')`;
      });
      return { code: replaced, map: null };
    },
  };
}

/** Bundles a module. Returns its code and the modules in it. */
async function bundled(rolldown, input, format) {
  const build = await rolldown({
    input,
    platform: 'browser',
    resolve: { conditionNames: ['gictrace-source', 'browser', 'import', 'default'] },
    transform: { inject: { Buffer: ['buffer', 'Buffer'] } },
    // What a barrel of a package names, and the page does not use.
    shimMissingExports: true,
    plugins: [nodeParts()],
    onLog(level, log) {
      if (level === 'warn' && log.code !== 'SHIMMED_EXPORT') throw new Error(log.message);
    },
  });
  const { output } = await build.generate({ format, minify: true, codeSplitting: false });
  await build.close();
  const [chunk, ...more] = output;
  if (more.length > 0) throw new Error(`${relative(root, input)} became ${output.length} files`);
  const missing = [...chunk.imports, ...chunk.dynamicImports];
  if (missing.length > 0)
    throw new Error(`the page uses ${missing.join(', ')}, which a browser does not have`);
  return { code: chunk.code, modules: chunk.moduleIds };
}

/** The script of reports, made by the module that makes reports, as it is now. */
async function reportScript(rolldown) {
  const build = await rolldown({
    input: join(root, 'packages', 'query', 'src', 'report', 'page.ts'),
    platform: 'node',
    resolve: { conditionNames: ['gictrace-source', 'import', 'node', 'default'] },
    plugins: [
      {
        name: 'folder',
        transform: (code, id) =>
          code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id.split('?')[0]).href)),
      },
    ],
  });
  const { output } = await build.generate({ format: 'es' });
  await build.close();
  const module = await import(
    `data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`
  );
  return module.script();
}

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const packed = (bytes) => deflateRawSync(bytes, { level: 9 }).toString('base64');

/** Makes the page at `out`, and the licences of what it contains beside it. Returns its size in bytes. */
export async function bundleWeb(out) {
  const { rolldown } = await import('rolldown');
  const worker = await bundled(rolldown, join(web, 'worker', 'index.ts'), 'iife');
  const main = await bundled(rolldown, join(web, 'page', 'main.ts'), 'es');
  const code = main.code.replaceAll('</script', '<\\/script');
  const reportPage = join(root, 'packages', 'query', 'page');
  const reportStyle = readFileSync(join(reportPage, 'style.css'), 'utf8');
  const style = reportStyle + readFileSync(join(web, 'page', 'style.css'), 'utf8');
  // A report inherits the policy of the page that shows it, so its script and its style are allowed here.
  const script = await reportScript(rolldown);
  const policy = [
    "default-src 'none'",
    `script-src ${hash(code)} ${hash(script)} 'wasm-unsafe-eval'`,
    `style-src ${hash(style)} ${hash(reportStyle)}`,
    'worker-src blob:',
    'frame-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const wasm = (name) => readFileSync(require.resolve(name));
  const parts = {
    POLICY: policy,
    STYLE: style,
    WORKER: packed(Buffer.from(worker.code)),
    BROTLI: packed(wasm('brotli-dec-wasm/web/bg.wasm')),
    SQLITE: packed(wasm('@sqlite.org/sqlite-wasm/sqlite3.wasm')),
    MAIN: code,
  };
  const html = readFileSync(join(web, 'page', 'page.template'), 'utf8').replace(
    /@(POLICY|STYLE|WORKER|BROTLI|SQLITE|MAIN)@/g,
    (_all, name) => parts[name],
  );
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, html);
  const modules = [...worker.modules, ...main.modules];
  writeFileSync(join(dirname(out), 'LICENSES.txt'), licences(modules).join(`\n${'-'.repeat(80)}\n\n`));
  return { bytes: Buffer.byteLength(html), modules, worker: worker.code };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const out = process.argv[2] ?? join(root, 'packages', 'web', 'dist', 'index.html');
  const { bytes } = await bundleWeb(resolve(out));
  console.log(`${out}: ${bytes} bytes`);
}
