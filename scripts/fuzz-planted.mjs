// `npm run fuzz:planted`: has a real QEMU find each fault of `gictrace fuzz --plant list` in the simulator. Prints what
// it took, and exits with 1 if one is not found within 20,000 stimuli or not shrunk to at most 12. With names of faults as
// arguments, tries only these, including faults that take longer because an ITS must be set up to reveal them.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const STIMULI_MAX = 20_000;
const SHRUNK_MAX = 12;
const STEPS = 1000;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { GicTraceError } = await import(join(root, 'packages', 'core', 'dist', 'errors.js'));
const { MUTATIONS } = await import(join(root, 'packages', 'core', 'dist', 'testing', 'index.js'));
const { fuzzQemu } = await import(join(root, 'packages', 'replayer', 'dist', 'fuzz', 'index.js'));

const all = Object.keys(MUTATIONS);
const soon = all.filter((name) => MUTATIONS[name].onQemu === 'soon');
const names = process.argv.length > 2 ? process.argv.slice(2) : soon;
for (const name of names)
  if (!all.includes(name)) {
    console.error(`fuzz:planted: no fault '${name}' (faults: ${all.join(', ')})`);
    process.exit(2);
  }

/** What finding one fault took. */
async function find(plant) {
  const from = Date.now();
  let given = 0;
  let difference = null;
  for (let seed = 1; difference === null && given < STIMULI_MAX; seed++) {
    const steps = Math.min(STEPS, STIMULI_MAX - given);
    const security = MUTATIONS[plant].securityStates ?? 1;
    const result = await fuzzQemu({ seed, steps, gic: 4, security, plant });
    difference = result.difference;
    given += difference?.after ?? result.steps;
  }
  return { given, difference, seconds: (Date.now() - from) / 1000 };
}

const width = Math.max(...names.map((name) => name.length));
console.log(`${'fault'.padEnd(width)}  found after  shrunk to  seconds`);
let missed = 0;
try {
  for (const name of names) {
    const { given, difference, seconds } = await find(name);
    const found = difference !== null && difference.crash === null;
    if (!found || difference.stimuli > SHRUNK_MAX) missed++;
    const after = found ? `${given}` : 'not found';
    const left = found ? `${difference.stimuli}` : '-';
    console.log(
      `${name.padEnd(width)}  ${after.padStart(11)}  ${left.padStart(9)}  ${seconds.toFixed(1).padStart(7)}`,
    );
  }
} catch (error) {
  if (!(error instanceof GicTraceError)) throw error;
  console.error(`fuzz:planted: ${error.message}`);
  process.exit(3);
}
console.log(
  missed === 0
    ? `all ${names.length} found within ${STIMULI_MAX} stimuli, and shrunk to at most ${SHRUNK_MAX}`
    : `${missed} of ${names.length} not found within ${STIMULI_MAX} stimuli, or not shrunk to at most ${SHRUNK_MAX}`,
);
process.exitCode = missed === 0 ? 0 : 1;
