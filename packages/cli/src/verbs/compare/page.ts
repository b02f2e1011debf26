// A sheet as a page of its own: one HTML file without scripts, images or requests.
import type { Sheet } from './sheet.ts';

const STYLE =
  'body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:76em;padding:0 1em;color:#1b1f24}table{border-collapse:collapse;margin:.4em 0 1.6em}th,td{border-bottom:1px solid #d0d7de;padding:.25em .7em;text-align:left;vertical-align:top}th{background:#f6f8fa}.n td:not(:first-child),.n th:not(:first-child){text-align:right;font-variant-numeric:tabular-nums}.scroll{overflow-x:auto}h2{font-size:1.15em;margin:1.4em 0 .2em}@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}th{background:#161b22}th,td{border-color:#30363d}}';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const text = (raw: string): string => raw.replace(/[&<>"]/g, (character) => ENTITIES[character]!);

/** The page, as UTF-8 text. `of` is what was compared. */
export function pageOf({ lines, sections, notes }: Sheet, of: string): string {
  const tables = sections.map(({ title, head, rows, numbers }) => {
    const row = (cells: readonly string[], tag: 'th' | 'td') =>
      `<tr>${cells.map((cell) => `<${tag}>${text(cell)}</${tag}>`).join('')}</tr>`;
    const names = head.map((name) => name.replaceAll('_', ' '));
    return `<h2>${text(title)}</h2><div class="scroll"><table${numbers ? ' class="n"' : ''}>${row(names, 'th')}${rows.map((cells) => row(cells, 'td')).join('\n')}</table></div>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(of)}: designs compared</title><style>${STYLE}</style></head><body>
<h1>${text(of)}: designs compared</h1>
${lines.map((line) => `<p>${text(line)}</p>`).join('\n')}
${tables.join('\n')}
<ul>${notes.map((line) => `<li>${text(line)}</li>`).join('\n')}</ul>
</body></html>
`;
}
