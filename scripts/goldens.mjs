// `node scripts/goldens.mjs`: writes the cases of goldens/ again: every scenario that ships on every design that can run it,
// and every behaviour of the conformance suite under two profiles. `gictrace golden update goldens` then writes the golden
// files and removes obsolete ones. Given the output of `gictrace golden check goldens --mutate all --json`, each case file
// says that it covers the faults that its cases detected; without it, each case file keeps what it says. This reads what was
// built: run `npm run setup` first.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { libraryPath, libraryScenarios, readScenario } = await import(
  join(root, 'packages', 'recorder', 'dist', 'index.js')
);
const from = (folder) => import(join(root, 'packages', 'core', 'dist', folder, 'index.js'));
const { DESIGNS } = await from('irqchip');
const { FEATURES } = await from('conformance');

/** The architecture's choices, and those that are compared with a real QEMU. */
const PROFILES = ['architecture', 'qemu-virt'];

const tried =
  process.argv[2] === undefined ? undefined : JSON.parse(readFileSync(process.argv[2], 'utf8')).cases;

/** What a case file says that its cases cover; nothing if there is no such file. */
function coveredBy(path) {
  if (!existsSync(path)) return [];
  const [, list = ''] = readFileSync(path, 'utf8').split('covers:\n');
  return [...list.matchAll(/^ {2}- (.+)$/gm)].map(([, name]) => name);
}

function caseFile(folder, text) {
  const path = join(root, 'goldens', ...folder);
  mkdirSync(path, { recursive: true });
  const own = tried?.filter(({ name }) => name.startsWith(`${folder.join('/')}/`));
  const covers =
    own === undefined
      ? coveredBy(join(path, 'case.yaml'))
      : [...new Set(own.flatMap(({ told }) => told ?? []))].sort();
  const list = covers.length === 0 ? '' : `covers:\n${covers.map((name) => `  - ${name}\n`).join('')}`;
  writeFileSync(join(path, 'case.yaml'), text + list);
}

for (const scenario of libraryScenarios()) {
  const { operations } = readScenario(libraryPath(scenario));
  const isOfVpes = operations.some(({ op }) => op === 'vpe.map' || op === 'vm.alloc');
  const able = Object.values(DESIGNS).filter(({ serves }) => (serves === 'vpes') === isOfVpes);
  caseFile(
    ['scenarios', scenario],
    `scenario: ${scenario}\non:\n${able.map(({ name }) => `  - ${name}\n`).join('')}`,
  );
}
for (const feature of FEATURES)
  caseFile(
    ['conformance', feature.toLowerCase().replace(/[^a-z0-9]+/g, '-')],
    `conformance: ${feature}\non:\n${PROFILES.map((name) => `  - simulator@${name}\n`).join('')}`,
  );
