// `npm run sbom > gictrace.cdx.json`: what a release contains, as CycloneDX 1.6, from pnpm's own list of the packages that are
// not for development only. With the hashes of the lock file, and without times, so that equal releases give equal bytes.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { packageManager, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const listed = spawnSync('npx', ['-y', packageManager, 'licenses', 'list', '--prod', '--json'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
});
if (listed.status !== 0) throw new Error(`pnpm licenses list ended with ${listed.status}: ${listed.stderr}`);
const lock = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');

/** The SHA-512 of a package in the lock file, in hexadecimal. */
function hashOf(name, of) {
  const at = lock.search(new RegExp(`^  '?${`${name}@${of}`.replace(/[.+/@-]/g, '\\$&')}'?:$`, 'm'));
  const found = at < 0 ? null : /integrity: sha512-([\w+/=]+)/.exec(lock.slice(at, at + 400));
  if (found === null) throw new Error(`${name}@${of} is not in the lock file`);
  return Buffer.from(found[1], 'base64').toString('hex');
}

const components = Object.values(JSON.parse(listed.stdout))
  .flat()
  .flatMap(({ name, versions, license }) =>
    versions.map((of) => ({
      type: 'library',
      name,
      version: of,
      purl: `pkg:npm/${name.replace('@', '%40')}@${of}`,
      licenses: [{ expression: license }],
      hashes: [{ alg: 'SHA-512', content: hashOf(name, of) }],
    })),
  )
  .sort((a, b) => (a.purl < b.purl ? -1 : 1));
console.log(
  JSON.stringify(
    {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      version: 1,
      metadata: {
        component: {
          type: 'application',
          name: 'gictrace',
          version,
          licenses: [{ expression: 'Apache-2.0' }],
        },
      },
      components,
    },
    null,
    2,
  ),
);
