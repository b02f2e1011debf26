// `npm run bench [LOG…]`: speeds as ratios, each measured beside a peer or a limit in the same run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchDiff } from './bench-diff.mjs';
import { benchFleet } from './bench-fleet.mjs';
import { benchStartup } from './bench-startup.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const from = (name, folder = '.') => import(join(root, 'packages', name, 'dist', folder, 'index.js'));
const { RecordBatch } = await from('core');
const { TraceReader, TraceWriter } = await from('recorder');
const { VerbatimReplay } = await from('replayer');
const { diffTraces, loadTraceFiles } = await from('query');
const cli = join(root, 'packages', 'cli', 'bin', 'gictrace.js');
const ROUNDS = 5;

const logs = process.argv.slice(2);
if (logs.length === 0) logs.push(join(root, 'test', 'recordings', 'linux-gicv3-mrops.log.gz'));
const folder = mkdtempSync(join(tmpdir(), 'gictrace-bench-'));

/** Milliseconds of each of some rounds, the median. */
function median(work) {
  const times = [];
  for (let i = 0; i < ROUNDS; i++) {
    const began = performance.now();
    work();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1];
}

/** As `median`, for work that is awaited. */
async function medianOf(work) {
  const times = [];
  for (let i = 0; i < ROUNDS; i++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1];
}

function run(command, args) {
  const result = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (result.status !== 0) throw new Error(`${command} ended with ${result.status}`);
}

/** Megabytes that an import of the log, read some times over, takes at its peak. */
function peakMemory(log, times) {
  const program = `const { main } = await import(${JSON.stringify(join(root, 'packages', 'cli', 'dist', 'index.js'))});
    await main(['import', 'qemu', '-', '-o', ${JSON.stringify(join(folder, 'memory.gictrace'))}, '--json']);
    process.stderr.write(String(Math.round(process.resourceUsage().maxRSS / 1024)));`;
  const result = spawnSync(
    'sh',
    ['-c', `zcat -f ${`'${log}' `.repeat(times)} | node --input-type=module -e "$PROGRAM"`],
    { env: { ...process.env, PROGRAM: program }, encoding: 'utf8' },
  );
  return Number(result.stderr);
}

const row = (what, value, beside) => console.log(`${what.padEnd(46)} ${value.padStart(16)}   ${beside}`);

for (const log of logs) {
  const trace = join(folder, 'bench.gictrace');
  console.log(`\n${log}`);

  // Import, as a process, against what people do today: how many lines of each event are there?
  const importing = median(() => run(process.execPath, [cli, 'import', 'qemu', log, '-o', trace]));
  const today = median(() =>
    run('sh', ['-c', `zcat -f '${log}' | awk '{print $1}' | sort | uniq -c > /dev/null`]),
  );
  row(
    'import : zcat | awk | sort | uniq -c',
    `${(importing / today).toFixed(2)} ×`,
    `${importing.toFixed(0)} ms : ${today.toFixed(0)} ms (aim ≤ 1.5 × on two free cores)`,
  );

  const [once, fourTimes] = [1, 4].map((times) => peakMemory(log, times));
  row(
    'import, peak memory: log four times : once',
    `${(fourTimes / once).toFixed(2)} ×`,
    `${fourTimes} MB : ${once} MB (flat: about 1)`,
  );

  const reader = TraceReader.open(trace);
  const { records, chunks } = reader.footer;
  const bytes = statSync(trace).size;
  row(
    'trace : log as it is',
    `${((100 * bytes) / statSync(log).size).toFixed(1)} %`,
    `${bytes} bytes, ${(bytes / records).toFixed(2)} a record (aim ≤ 50 % of the gzip log)`,
  );

  // Replay with all comparisons on, from decoded records, against a bare loop over the same records.
  const batches = [];
  for (const { batch } of reader.batches()) {
    const copy = new RecordBatch(batch.count);
    for (let i = 0; i < batch.count; i++) copy.copy(batch, i);
    batches.push(copy);
  }
  let sum = 0;
  const bare = median(() => {
    for (const batch of batches)
      for (let i = 0; i < batch.count; i++) sum = (sum + batch.kind[i] + batch.words[i * 12]) | 0;
  });
  const replaying = median(() => {
    const replay = new VerbatimReplay(reader.header.config);
    for (const batch of batches) replay.take(batch);
    if (replay.finish().diverged !== 0) throw new Error('the recording diverges');
  });
  const fromFile = median(() => {
    const replay = new VerbatimReplay(reader.header.config);
    for (const { batch } of reader.batches()) replay.take(batch);
    replay.finish();
  });
  const spans = chunks.flatMap(([, , , a, b]) => (a === null ? [] : [a, b]));
  const real =
    (spans.reduce((a, b) => Math.max(a, b), 0) -
      spans.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)) /
    1e6;
  row(
    'replay, records a second',
    `${(records / replaying / 1000).toFixed(2)} M/s`,
    `${(records / fromFile / 1000).toFixed(2)} M/s with reading and decompressing (aim ≥ 1 M/s)`,
  );
  row(
    "replay : the recording's own time",
    `1 : ${(real / replaying).toFixed(0)}`,
    `${replaying.toFixed(0)} ms : ${real.toFixed(0)} ms`,
  );
  row(
    'replay : bare loop over decoded records',
    `${(replaying / bare).toFixed(1)} ×`,
    `${replaying.toFixed(0)} ms : ${bare.toFixed(1)} ms (checksum ${sum})`,
  );

  const db = join(folder, 'bench.db');
  // As the command loads, with a second thread that inserts; and with one thread.
  let rows = 0;
  const loadingBy = (threads) =>
    medianOf(async () => {
      rows = (await loadTraceFiles(db, [trace], { threads })).rows;
    });
  const [one, two] = [await loadingBy(1), await loadingBy(2)];
  const ceiling = await rawCeiling(db);
  for (const [what, loading, aim] of [
    ['load : raw better-sqlite3, same rows', two, 'aim ≥ 80 % on two free cores'],
    ['load by one thread : raw better-sqlite3', one, 'aim ≥ 70 %'],
  ])
    row(
      what,
      `${((100 * ceiling.ms) / loading).toFixed(0)} %`,
      `${(rows / loading).toFixed(0)} : ${(ceiling.rows / ceiling.ms).toFixed(0)} thousand rows/s (${aim})`,
    );
  await benchFleet({
    trace,
    folder,
    loadMs: one,
    medianOf,
    row,
    recorder: { TraceReader, TraceWriter },
    query: await from('query'),
    core: { RecordBatch },
  });
  await benchQemu(batches, reader.header.config);
  reader.close();
}

/** The register accesses of a trace on a real QEMU, against qtest with the same commands and nothing else. */
async function benchQemu(batches, config) {
  const { BackendReplay, QemuBackend, qemuVersion } = await from('replayer');
  const { Recording } = await from('replayer', 'fuzz');
  const { RECORDS, RECORD_WORDS } = await from('core', 'record');
  const qemu = (name) => import(join(root, 'packages', 'replayer', 'dist', 'backends', 'qemu', `${name}.js`));
  try {
    qemuVersion();
  } catch (error) {
    console.log(`(no QEMU: ${error.line})`);
    return;
  }
  const { machineFor, registerAddress } = await qemu('machine');
  const { QemuProcess } = await qemu('process');
  const machine = machineFor(config);
  const accesses = new RecordBatch(200_000);
  const kinds = [RECORDS['mmio.read'].id, RECORDS['mmio.write'].id];
  while (accesses.count < 100_000) {
    const before = accesses.count;
    for (const batch of batches)
      for (let i = 0; i < batch.count && !accesses.full; i++) {
        const [frame, , offset] = batch.words.subarray(i * RECORD_WORDS);
        // Without the ITS: its commands take QEMU's own time.
        if (kinds.includes(batch.kind[i]) && frame !== 2 && offset < 0x2_0000) accesses.copy(batch, i);
      }
    if (accesses.count === before) return;
  }
  const recording = new Recording(config);
  recording.powerOn();
  for (let i = 0; i < accesses.count; i++) recording.take(accesses, i);
  const records = recording.batches.reduce((n, batch) => n + batch.count, 0);

  /** Thousand accesses a second of three replays, the median. */
  const replayed = async (batches, qemuOptions, replayOptions) => {
    const rates = [];
    for (let round = 0; round < 3; round++) {
      const backend = new QemuBackend(qemuOptions);
      const capabilities = await backend.reset(config);
      const replay = new BackendReplay(config, backend, capabilities, replayOptions);
      const began = performance.now();
      for (const batch of batches) await replay.take(batch);
      const verdict = await replay.finish();
      rates.push(accesses.count / (performance.now() - began));
      await backend.close();
      if (verdict.diverged !== 0) throw new Error('the accesses diverge on QEMU');
    }
    return rates.sort((a, b) => a - b)[1];
  };
  const own = await replayed(recording.batches, {}, {});
  // The same accesses and their values, as a log of accesses tells them, and nothing else.
  const valuesOnly = recording.batches.map((batch) => {
    const out = new RecordBatch(batch.count);
    for (let i = 0; i < batch.count; i++) if (kinds.includes(batch.kind[i])) out.copy(batch, i);
    return out;
  });
  const unwatched = await replayed(
    valuesOnly,
    { foresight: { deviceIds: [], fills: new Map(), unwatched: true } },
    { sourceShows: [], sourceTellsReserved: false },
  );

  const letters = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' };
  const hex = (value) => `0x${value.toString(16)}`;
  const chunks = [];
  for (let at = 0; at < accesses.count; at += 512) {
    let lines = '';
    const to = Math.min(at + 512, accesses.count);
    for (let i = at; i < to; i++) {
      const [frame, instance, offset, width, low, high] = accesses.words.subarray(i * RECORD_WORDS);
      const where = `${letters[width]} ${hex(registerAddress(machine, frame, instance, offset))}`;
      const value = width === 8 ? hex((BigInt(high) << 32n) | BigInt(low)) : hex(low);
      lines += accesses.kind[i] === kinds[0] ? `read${where}\n` : `write${where} ${value}\n`;
    }
    chunks.push([lines, to - at]);
  }
  const raw = async (args) => {
    const all = [];
    for (let round = 0; round < 3; round++) {
      const process = await QemuProcess.start(args);
      const began = performance.now();
      const flights = [];
      for (const [lines, count] of chunks) {
        flights.push(process.qtest.answered(process.qtest.send(lines, count)));
        if (flights.length >= 4) await flights.shift();
      }
      await Promise.all(flights);
      all.push(accesses.count / (performance.now() - began));
      process.kill();
    }
    return all.sort((a, b) => a - b)[1];
  };
  const logged = await raw(machine.args);
  const bare = await raw(
    machine.args.filter((word, n, args) => word !== '-trace' && args[n - 1] !== '-trace'),
  );
  const simulator = median(() => {
    const replay = new VerbatimReplay(config);
    for (const batch of recording.batches) replay.take(batch);
    replay.finish();
  });
  row(
    'QEMU: replay of accesses : raw qtest, same log',
    `${((100 * own) / logged).toFixed(0)} %`,
    `${own.toFixed(0)} : ${logged.toFixed(0)} thousand accesses/s (aim ≥ 70 %)`,
  );
  row(
    'QEMU: replay of values only : raw qtest, no log',
    `${((100 * unwatched) / bare).toFixed(0)} %`,
    `${unwatched.toFixed(0)} : ${bare.toFixed(0)} thousand accesses/s (aim ≥ 70 %)`,
  );
  row(
    'simulator : QEMU, replay of these accesses',
    `${(accesses.count / simulator / own).toFixed(0)} ×`,
    `${(accesses.count / simulator).toFixed(0)} : ${own.toFixed(0)} thousand accesses/s (${records} records)`,
  );
}

/** As the loader binds them: numbers where they are exact. */
function number(value) {
  return typeof value === 'bigint' && value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value;
}

/** The limit: the same rows of the same tables, read into memory first, inserted by better-sqlite3 and nothing else. */
async function rawCeiling(path) {
  const { createRequire } = await import('node:module');
  const Database = createRequire(join(root, 'packages', 'query', 'package.json'))('better-sqlite3');
  const source = new Database(path, { readonly: true });
  const tables = source
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name, sql }) => ({
      name,
      sql,
      rows: source
        .prepare(`SELECT * FROM "${name}"`)
        .raw(true)
        .safeIntegers(true)
        .all()
        .map((row) => row.map(number)),
    }));
  source.close();
  const copy = join(folder, 'raw.db');
  let rows = 0;
  const ms = median(() => {
    rmSync(copy, { force: true });
    const db = new Database(copy);
    for (const pragma of [
      'page_size = 8192',
      'journal_mode = OFF',
      'synchronous = OFF',
      'locking_mode = EXCLUSIVE',
      'temp_store = MEMORY',
    ])
      db.pragma(pragma);
    db.exec('BEGIN');
    rows = 0;
    for (const table of tables) {
      db.exec(table.sql);
      if (table.rows.length === 0) continue;
      const width = table.rows[0].length;
      const one = `(${Array(width).fill('?').join(',')})`;
      const many = Math.max(1, Math.floor(600 / width));
      const insertMany = db.prepare(`INSERT INTO "${table.name}" VALUES ${Array(many).fill(one).join(',')}`);
      const insertOne = db.prepare(`INSERT INTO "${table.name}" VALUES ${one}`);
      let at = 0;
      const values = new Array(many * width);
      for (; at + many <= table.rows.length; at += many) {
        for (let r = 0, v = 0; r < many; r++) for (const value of table.rows[at + r]) values[v++] = value;
        insertMany.run(values);
      }
      for (; at < table.rows.length; at++) insertOne.run(table.rows[at]);
      rows += table.rows.length;
    }
    db.exec('COMMIT');
    db.close();
  });
  return { ms, rows };
}

benchStartup({ cli, row, trace: join(folder, 'bench.gictrace'), db: join(folder, 'bench.db') });
benchDiff({ root, folder, cli, run, row, RecordBatch, TraceReader, TraceWriter, diffTraces });
rmSync(folder, { recursive: true, force: true });
