// `npm start`: the main job on a real recording, step by step, with what each step proves.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cli = join(root, 'packages', 'cli', 'bin', 'gictrace.js');
const folder = join(root, 'node_modules', '.cache', 'first-run');
mkdirSync(folder, { recursive: true });
const shown = (name) => relative(root, join(folder, name));
const log = relative(root, join(root, 'test', 'recordings', 'linux-gicv3-mrops.log.gz'));

function say(text) {
  console.log(`\n${text}`);
}

/** Runs a gictrace command as a person would type it; its output goes to the terminal. */
function gictrace(...args) {
  console.log(
    `\n$ npx gictrace ${args.map((arg) => (/[\s*<>()]/.test(arg) ? `"${arg.replaceAll('\n', ' ')}"` : arg)).join(' ')}`,
  );
  const result = spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) {
    console.error(`\nthe command above ended with exit code ${result.status}`);
    process.exit(result.status ?? 1);
  }
}

const { EXAMPLES } = await import(join(root, 'packages', 'query', 'dist', 'index.js'));
const example = (name) => EXAMPLES.find((candidate) => candidate.name === name);

say(`gictrace, first run. ${log} is QEMU's trace log of an arm64 Linux that boots on four PEs with a GICv3
and an ITS, does disk and network I/O, moves interrupts between PEs, takes a PE offline and powers off.`);

say(
  '1. Import: the log becomes a trace, each access before its effects. What the log does not say is inferred by\n   a named rule, or stays unknown; both are counted.',
);
gictrace('import', 'qemu', log, '-o', shown('boot.gictrace'));

say(
  '2. Replay: our simulator gets the same stimuli in the same order. Every value that the guest read, every\n   interrupt that a PE acknowledged, every interrupt line that QEMU raised, every ITS table entry is compared.',
);
gictrace('replay', shown('boot.gictrace'));
say(
  '   So the simulator, under its profile of QEMU, does what the real implementation did in that boot. Exit code 0;\n   one changed value anywhere gives 1 and names the record.',
);

say('3. SQL: the trace as a database.');
gictrace('load', shown('boot.gictrace'), '-o', shown('boot.db'));
for (const name of ['commands', 'acknowledges', 'msi-latency', 'moves', 'slowest']) {
  const { question, sql } = example(name);
  say(`   ${question}`);
  gictrace('query', shown('boot.db'), sql);
}

say(
  '4. Compare: what the kernel asked of its ITS driver is recovered from the trace, and other designs do the same.\n   Our ITS driver must send the commands that Linux sent, in the same order.',
);
gictrace('compare', shown('boot.gictrace'), '--on', 'its,direct-lpi-rfc-intid,direct-lpi,mbi');

say(`Next: npx gictrace --help; npx gictrace shell ${shown('boot.db')} (.examples, .views); README.md.`);
