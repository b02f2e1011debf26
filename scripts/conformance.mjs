// `npm run conformance`: every behaviour under every profile to which it applies. Prints the matrix of features and
// profiles, each behaviour that differs from what is expected, and exits with 1 if one does. `--all` prints every
// behaviour; `--profile NAME` tries one profile; `--json` prints outcomes as JSON.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const from = (folder) => import(join(root, 'packages', 'core', 'dist', folder, 'index.js'));
const { BEHAVIOURS, FEATURES, matrix, runAll, summary } = await from('conformance');
const { PROFILES } = await from('profile');

const args = process.argv.slice(2);
const at = args.indexOf('--profile');
const profiles = at < 0 ? Object.keys(PROFILES) : [args[at + 1]];
for (const name of profiles)
  if (PROFILES[name] === undefined) {
    console.error(`conformance: no profile '${name}' (profiles: ${Object.keys(PROFILES).join(', ')})`);
    process.exit(2);
  }
const outcomes = [...runAll(profiles)];
const wrong = outcomes.filter((outcome) => outcome.observed !== outcome.expected);
if (args.includes('--json'))
  console.log(
    JSON.stringify(
      outcomes.map(({ behaviour, profile, expected, observed }) => ({
        id: behaviour.id,
        profile,
        expected,
        observed,
      })),
    ),
  );
else {
  if (args.includes('--all')) console.log(matrix(outcomes, profiles));
  const width = Math.max(...FEATURES.map((feature) => feature.length));
  console.log(`${'feature'.padEnd(width)}  ${profiles.map((name) => name.padStart(12)).join('  ')}`);
  for (const { feature, counts } of summary(outcomes, profiles)) {
    const cells = counts.map(([held, tried]) =>
      tried === 0 ? '–' : held === tried ? `${held}` : `${held} of ${tried}`,
    );
    console.log(`${feature.padEnd(width)}  ${cells.map((cell) => cell.padStart(12)).join('  ')}`);
  }
  for (const { behaviour, profile, expected, observed } of wrong)
    console.log(`DIFFERS ${behaviour.id} on ${profile}: ${observed}, expected ${expected}`);
  console.log(
    `${outcomes.length} experiments: ${BEHAVIOURS.length} behaviours, ${profiles.length} profiles; ${wrong.length} differ`,
  );
}
process.exitCode = wrong.length === 0 ? 0 : 1;
