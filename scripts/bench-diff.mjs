// The part of `npm run bench` for `gictrace diff`: a million records against a million with a thousand edits, compared with
// what people do without it: an index join in SQL, and `diff` of the dumps.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const RECORDS = 1_000_000;
const EDITS = 1000;
/** Flag of a Secure access: makes the second copy of a recording differ from the first. */
const SECURE = 4;

/** Makes the two traces from recordings and returns their paths. */
function makeTraces({ root, folder, cli, run, RecordBatch, TraceReader, TraceWriter }) {
  const a = join(folder, 'diff-a.gictrace');
  const b = join(folder, 'diff-b.gictrace');
  const shuffled = join(folder, 'diff-c.gictrace');
  const parts = ['linux-gicv4-kvm', 'linux-gicv3-mrops'].map((name) => {
    const path = join(folder, `${name}.gictrace`);
    run(process.execPath, [
      cli,
      'import',
      'qemu',
      join(root, 'test', 'recordings', `${name}.log.gz`),
      '-o',
      path,
    ]);
    return path;
  });
  const all = new RecordBatch(RECORDS);
  let header;
  for (const flag of [0, SECURE])
    for (const path of parts) {
      const reader = TraceReader.open(path);
      header ??= reader.header;
      for (const { batch } of reader.batches())
        for (let i = 0; i < batch.count && !all.full; i++) all.flags[all.copy(batch, i)] ^= flag;
      reader.close();
    }
  let state = 1;
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const write = (path, work) => {
    const writer = new TraceWriter(path, header);
    work(writer);
    writer.close();
  };
  write(a, (writer) => writer.append(all));
  // One edit in each thousandth, in turn: a record removed, added, or changed.
  const one = new RecordBatch(1);
  write(b, (writer) => {
    const stride = all.count / EDITS;
    let edit = 0;
    let at = random(stride);
    for (let i = 0; i < all.count; i++) {
      if (i !== at) {
        writer.record(all, i);
        continue;
      }
      if (edit % 3 === 1) writer.record(all, random(all.count));
      if (edit % 3 === 2) {
        one.clear();
        one.copy(all, i);
        one.words[0] ^= 1;
        writer.record(one, 0);
      } else if (edit % 3 === 1) writer.record(all, i);
      edit++;
      at = Math.floor(edit * stride) + random(stride);
    }
  });
  write(shuffled, (writer) => {
    const order = Uint32Array.from({ length: all.count }, (_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = random(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (const i of order) writer.record(all, i);
  });
  return { a, b, shuffled };
}

/** Records of two traces that are not the same at the same index, counted by SQLite. */
function indexJoin(root, folder, TraceReader, a, b) {
  const Database = createRequire(join(root, 'packages', 'query', 'package.json'))('better-sqlite3');
  const path = join(folder, 'join.db');
  rmSync(path, { force: true });
  const db = new Database(path);
  for (const pragma of ['journal_mode = OFF', 'synchronous = OFF', 'cache_size = -131072']) db.pragma(pragma);
  for (const [name, trace] of [
    ['a', a],
    ['b', b],
  ]) {
    db.exec(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, record BLOB)`);
    const insert = db.prepare(`INSERT INTO ${name} VALUES (?, ?)`);
    db.exec('BEGIN');
    const reader = TraceReader.open(trace);
    for (const { batch, first } of reader.batches())
      for (let i = 0; i < batch.count; i++) {
        const bytes = Buffer.alloc(52);
        bytes[0] = batch.kind[i];
        bytes[1] = batch.flags[i];
        bytes.writeInt16LE(batch.pe[i], 2);
        Buffer.from(batch.words.buffer, i * 48, 48).copy(bytes, 4);
        insert.run(first + i, bytes);
      }
    reader.close();
    db.exec('COMMIT');
  }
  const began = performance.now();
  const { n } = db
    .prepare('SELECT count(*) AS n FROM a LEFT JOIN b USING (id) WHERE a.record IS NOT b.record')
    .get();
  const ms = performance.now() - began;
  db.close();
  return { ms, n };
}

/** How many lines differ according to `diff`, in dumps without record numbers and times; undefined after two minutes. */
function textDiff({ folder, cli }, a, b) {
  const dumps = [a, b].map((trace, k) => {
    const path = join(folder, `dump${k}.txt`);
    const out = openSync(path, 'w');
    spawnSync('sh', ['-c', `"$NODE" "$CLI" dump "$TRACE" | cut -d ' ' -f 3-`], {
      stdio: ['ignore', out, 'inherit'],
      env: { ...process.env, NODE: process.execPath, CLI: cli, TRACE: trace },
    });
    closeSync(out);
    return path;
  });
  const began = performance.now();
  const { stdout, status } = spawnSync('sh', ['-c', 'diff "$A" "$B" | grep -c "^[<>]"'], {
    env: { ...process.env, A: dumps[0], B: dumps[1] },
    encoding: 'utf8',
    timeout: 120_000,
  });
  const ms = performance.now() - began;
  return { ms, n: status === null ? 'no answer' : stdout.trim() };
}

/** Prints the rows. `tools`: what bench.mjs has. */
export function benchDiff(tools) {
  const { root, folder, row, TraceReader, diffTraces } = tools;
  const { a, b, shuffled } = makeTraces(tools);
  const ms = (n) => `${n.toFixed(0)} ms`;
  console.log('\ngictrace diff, a million records');
  const began = performance.now();
  const diff = diffTraces(a, b, { keepRepeats: true });
  const whole = performance.now() - began;
  const n = Object.entries(diff.counts).reduce(
    (sum, [name, count]) => sum + (name === 'same' ? 0 : count),
    0,
  );
  row(
    `diff: ${EDITS} edits`,
    ms(diff.alignMs),
    `${n} differences; ${ms(whole)} with reading both (aim: alignment < 1000 ms)`,
  );
  const join_ = indexJoin(root, folder, TraceReader, a, b);
  row('index join in SQL', ms(join_.ms), `${join_.n} differences; without loading the tables`);
  const text = textDiff(tools, a, b);
  row('diff of the dumps', ms(text.ms), `${text.n} lines; without writing the dumps`);
  const start = performance.now();
  const other = diffTraces(a, shuffled, { keepRepeats: true });
  row(
    'diff: the same records, shuffled',
    ms(other.alignMs),
    `${ms(performance.now() - start)} with reading; coarse: ${other.coarse} records (aim: < 10 s)`,
  );
  row(
    'peak memory',
    `${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    'of this process, all of the above',
  );
}
