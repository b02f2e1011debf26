// `node scripts/goldens.mjs`: the cases of goldens/, one folder for each scenario and design, made anew: every scenario
// that ships on the design that it is first of all about, and some on all. The golden files come from
// `gictrace golden update goldens`.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { libraryPath, libraryScenarios, readScenario } = await import(
  join(root, 'packages', 'recorder', 'dist', 'index.js')
);
const { DESIGNS } = await import(join(root, 'packages', 'core', 'dist', 'index.js'));

/** Short scenarios that tell designs apart: on each design that they are for. */
const ON_ALL = ['pending-move', 'lost-doorbell'];

const folder = join(root, 'goldens');
rmSync(folder, { recursive: true, force: true });
for (const scenario of libraryScenarios()) {
  const { operations } = readScenario(libraryPath(scenario));
  const isOfVpes = operations.some(({ op }) => op === 'vpe.map' || op === 'vm.alloc');
  const able = Object.values(DESIGNS).filter(({ serves }) => (serves === 'vpes') === isOfVpes);
  const main = isOfVpes ? 'vpe-proxy' : 'its';
  for (const { name } of able.filter((one) => ON_ALL.includes(scenario) || one.name === main)) {
    const path = join(folder, `${scenario}-on-${name}`);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'case.yaml'), `scenario: ${scenario}\non: ${name}\n`);
  }
}
