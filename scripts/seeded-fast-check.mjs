// fast-check as the tests get it: property tests draw the same values in each run, so that a test that passed does not fail
// elsewhere by chance. GICTRACE_TEST_SEED draws others: a number, or `random`, which prints the number that it drew.
import fastCheck from '../node_modules/fast-check/lib/fast-check.js';

const given = process.env.GICTRACE_TEST_SEED ?? '1';
const seed = given === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(given);
if (!Number.isInteger(seed)) throw new Error(`GICTRACE_TEST_SEED is no whole number: ${given}`);
if (given === 'random') console.log(`GICTRACE_TEST_SEED=${seed}`);
fastCheck.configureGlobal({ ...fastCheck.readConfigureGlobal(), seed });

export * from '../node_modules/fast-check/lib/fast-check.js';
// biome-ignore lint/style/noDefaultExport: it stands for a module that has one
export default fastCheck;
