// `npm run --silent release -- FOLDER`: what a release consists of, in a new folder: the packages, the list of what they contain
// (scripts/sbom.mjs), and the SHA-256 of each.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pnpm } from './pnpm.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [name] = process.argv.slice(2);
if (name === undefined) throw new Error('name a folder: npm run --silent release -- FOLDER');
const folder = resolve(name);
mkdirSync(folder);

const manifestOf = (one) => JSON.parse(readFileSync(join(root, 'packages', one, 'package.json'), 'utf8'));
for (const one of readdirSync(join(root, 'packages')))
  if (!manifestOf(one).private) {
    const code = pnpm(['pack', '--pack-destination', folder], {
      cwd: join(root, 'packages', one),
      stdio: 'ignore',
    });
    if (code !== 0) throw new Error(`pnpm pack ended with ${code} for packages/${one}`);
  }

const listed = spawnSync(process.execPath, [join(root, 'scripts', 'sbom.mjs')], {
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
});
if (listed.status !== 0) throw new Error(listed.stderr);
writeFileSync(join(folder, 'gictrace.cdx.json'), listed.stdout);

const sums = readdirSync(folder)
  .sort()
  .map(
    (file) =>
      `${createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex')}  ${file}\n`,
  );
writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
