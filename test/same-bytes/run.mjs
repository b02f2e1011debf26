// Runs the command lines whose outputs are compared, in this process and its environment, and prints a SHA-256 for each file
// that was written and each text that was printed. `node run.mjs REPOSITORY FOLDER`.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [, , root, folder] = process.argv;
const { main } = createRequire(import.meta.url)(join(root, 'packages', 'cli', 'dist', 'bundle', 'main.js'));
const recording = (name) => join(root, 'test', 'recordings', name);
const LINES = [
  ['import', 'qemu', recording('its-trigger.log.gz'), '-o', 'qemu.gictrace'],
  ['import', recording('ftrace/perf-trace.txt.xz'), '-o', 'ftrace.gictrace'],
  ['record', 'storm', '-o', 'storm.gictrace'],
  ['record', 'move', '-o', 'move.gictrace', '--on', 'direct-lpi'],
  ['export', 'qemu.gictrace', '--to', 'jsonl', '-o', 'qemu.jsonl'],
  ['import', 'jsonl', 'qemu.jsonl', '-o', 'again.gictrace'],
  ['replay', 'qemu.gictrace', '-o', 'replayed.gictrace'],
  ['replay', 'storm.gictrace', '--json'],
  ['recover', 'qemu.gictrace', '-o', 'recovered.gictrace'],
  ['export', 'qemu.gictrace', '--to', 'perfetto', '-o', 'qemu.pftrace'],
  ['export', 'storm.gictrace', '--to', 'vcd', '-o', 'storm.vcd'],
  ['report', 'qemu.gictrace', 'storm.gictrace', '-o', 'report.html'],
  ['info', 'qemu.gictrace', '--verify'],
  ['dump', 'qemu.gictrace'],
  ['check', 'qemu.gictrace', '--json'],
  ['why', 'qemu.gictrace', '--intid', '8192', '--graph', 'dot'],
  ['diff', 'storm.gictrace', 'move.gictrace', '--markdown'],
  ['compare', 'storm', '--json'],
  ['minimize', 'qemu.gictrace', '--plant', 'int-ignored', '-o', 'small.gictrace', '--emit', 'vitest', 'c'],
  // SQLite is native code: a database is made by the version of Node for which it was built.
  ...(process.env.GICTRACE_SQLITE === 'no' ? [] : [['load', 'qemu.gictrace', '-o', 'qemu.db']]),
];

mkdirSync(folder, { recursive: true });
process.chdir(folder);
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hashes = {};
const write = process.stdout.write.bind(process.stdout);
for (const line of LINES) {
  const chunks = [];
  const take = (chunk, ...rest) => {
    chunks.push(Buffer.from(chunk));
    const done = rest.find((one) => typeof one === 'function');
    if (done !== undefined) setImmediate(done);
    return true;
  };
  process.stdout.write = take;
  process.stderr.write = take;
  const code = await main(line);
  hashes[
    `${line[0]} ${line
      .slice(1)
      .map((word) => word.replace(root, ''))
      .join(' ')}`
  ] = `${code} ${sha(Buffer.concat(chunks))}`;
}
// The absolute path of the trace is in the database, for gic_state; it is the same in all runs, as the folder is.
for (const name of readdirSync('.').sort())
  if (statSync(name).isFile()) hashes[name] = sha(readFileSync(name));
write(JSON.stringify(hashes));
