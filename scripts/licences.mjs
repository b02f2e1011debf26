// The licences of the packages that a bundle contains.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Licences of packages that have the name of a licence and not its text. */
const WITHOUT_TEXT = { 'xz-decompress': join(root, 'packages', 'web', 'licences', 'xz-decompress.txt') };

/** The licences of the bundled packages, which they require to be included. */
export function licences(modules) {
  const folders = new Map();
  for (const id of modules) {
    const at = id.lastIndexOf(`${sep}node_modules${sep}`);
    if (at < 0) continue;
    const [scope, name] = id.slice(at + 14).split(sep);
    const full = scope.startsWith('@') ? `${scope}/${name}` : scope;
    folders.set(full, join(id.slice(0, at + 14), full));
  }
  return [...folders]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, folder]) => {
      const own = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const file = own === undefined ? WITHOUT_TEXT[name] : join(folder, own);
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      // A package under gictrace's own licence may leave its text out.
      if (file === undefined && license !== 'Apache-2.0')
        throw new Error(`${name} is bundled and has no licence file`);
      const text = readFileSync(file ?? join(root, 'LICENSE'), 'utf8');
      return `${name} ${version}\n\n${text.trim()}\n`;
    });
}
