// Makes the page: style and script from this package's folder `page`, and the facts and columns as deflated base64. Nothing
// from a trace becomes markup. The page's policy allows only its own script, and no requests.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { invariant } from '@gictrace/core';
import type { ReportFacts } from './facts.ts';

const PAGE = new URL('../../page/', import.meta.url);
/** The modules of the script, each after the modules that it imports. */
const MODULES = [
  'data',
  'lod',
  'format',
  'dom',
  'classes',
  'model',
  'series',
  'lanes',
  'draw',
  'view',
  'frame',
  'pointer',
  'timeline',
  'detail',
  'histogram',
  'overlay',
  'sections',
  'source',
  'verdict',
  'why',
  'compare',
  'listing',
  'log',
  'sqltables',
  'sql',
  'controls',
  'search',
  'searchbar',
  'keys',
  'link',
  'range',
  'main',
] as const;

/** The modules as one script, each as a function that returns its exports. Only named imports and declarations are supported. */
export function script(): string {
  const ready = new Set<string>();
  return MODULES.map((name) => {
    const exported: string[] = [];
    const body = readFileSync(new URL(`${name}.js`, PAGE), 'utf8')
      .replace(/^import \{([^}]*)\} from '\.\/([a-z]+)\.js';$/gm, (_, names: string, from: string) => {
        invariant(ready.has(from), `page/${name}.js imports ${from}.js, which is not before it`);
        return `const {${names.replaceAll(' as ', ': ')}} = module_${from};`;
      })
      .replace(
        /^export ((?:async )?(?:function|class|const) (\w+))/gm,
        (_, declaration: string, declared: string) => {
          exported.push(declared);
          return declaration;
        },
      );
    invariant(!/^(import|export)\b/m.test(body), `page/${name}.js imports or exports in another way`);
    ready.add(name);
    return `const module_${name} = (() => {\n${body}return { ${exported.join(', ')} };\n})();\n`;
  }).join('');
}

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The data, deflated: the length of the facts (32 bits), the facts as JSON, and the bytes of the columns. */
export function pageData(facts: ReportFacts, columns: Buffer): string {
  const text = Buffer.from(JSON.stringify(facts));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return deflateRawSync(Buffer.concat([length, text, columns]), { level: 9 }).toString('base64');
}

/** The page, in parts that are written in order, with what answers SQL if that is there. */
export function* page(facts: ReportFacts, columns: Buffer, sql: string | null = null): Generator<string> {
  const style = readFileSync(new URL('style.css', PAGE), 'utf8');
  const code = script();
  const [wasm, worker] = sql === null ? ['', ''] : [" 'wasm-unsafe-eval'", ' worker-src blob:;'];
  const policy = `default-src 'none'; script-src ${hash(code)}${wasm};${worker} style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>gictrace report</title>
<style>${style}</style>
</head>
<body>
<noscript><p>This page makes its tables and pictures from data that it holds, and needs JavaScript for that. Without it: <code>gictrace info</code>, <code>gictrace query</code> and <code>gictrace diff</code> answer the same questions.</p></noscript>
<main id="report"><p id="opening">Opening…</p></main>
<script type="application/octet-stream" id="data">`;
  yield pageData(facts, columns);
  yield '</script>\n';
  if (sql !== null) yield `<script type="application/octet-stream" id="sqlite">${sql}</script>\n`;
  yield `<script type="module">${code}</script>
</body>
</html>
`;
}
