// `npm run bench-fleet [TRACES [RECORDS]]`: many traces, made of the recordings with differing seeds, exported by two threads and
// asked by DuckDB. Prints processor time beside that of a load of the same traces, the memory of the export as it grows, and
// how long the question takes.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const from = (name) => import(join(root, 'packages', name, 'dist', 'index.js'));
const { RecordBatch } = await from('core');
const { importToTrace, TraceReader, TraceWriter } = await from('recorder');
const { Dataset, exportAllToDataset, loadTraceFiles } = await from('query');

const [traces = 2000, recordsMax = 4000] = process.argv.slice(2).map(Number);
const RECORDINGS = ['linux-gicv3-mrops', 'linux-gicv4-kvm', 'linux-gicv3-qemu-11', 'gicv3-active'];
/** Traces that are also loaded into a database. */
const LOADED = Math.min(20, traces);
const QUESTION =
  'SELECT count(*) AS n, percentile(latency_ns, 99) AS p99_ns FROM interrupts WHERE latency_ns IS NOT NULL';

/** mulberry32, a small generator of pseudo-random numbers from 0 to 1. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const megabytes = () => Math.round(process.memoryUsage.rss() / 2 ** 20);
const folder = mkdtempSync(join(tmpdir(), 'gictrace-fleet-'));
const row = (what, value) => console.log(`${what.padEnd(58)} ${value}`);

try {
  const sources = [];
  for (const name of RECORDINGS) {
    const path = join(folder, `${name}.gictrace`);
    await importToTrace(join(root, 'test', 'recordings', `${name}.log.gz`), path, {});
    const reader = TraceReader.open(path);
    const all = new RecordBatch(Math.min(reader.records, recordsMax));
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count && all.count < all.capacity; i++) all.copy(batch, i);
    reader.close();
    sources.push({ header: reader.header, all });
  }
  // Each seed cuts its recording at another record, and lets its clock run at another pace, up to a tenth faster or slower.
  const paths = Array.from({ length: traces }, (_, seed) => {
    const random = generator(seed);
    const { header, all } = sources[seed % sources.length];
    const count = Math.floor(all.count * (0.7 + 0.3 * random()));
    const pace = 0.9 + 0.2 * random();
    const path = join(folder, `boot-${seed}.gictrace`);
    const writer = new TraceWriter(path, { ...header, seed: `${seed}` }, {});
    const one = new RecordBatch(1);
    for (let i = 0; i < count; i++) {
      one.clear();
      one.copy(all, i);
      one.timeNs[0] = Math.round(one.timeNs[0] * pace);
      writer.record(one, 0);
    }
    writer.close({ losses: [], meta: {} });
    return path;
  });

  // Warm, as a process that exports a fleet is.
  await exportAllToDataset(join(folder, 'warm'), paths.slice(0, LOADED), { jobs: 1 });
  let began = cpuMs();
  await loadTraceFiles(join(folder, 'fleet.db'), paths.slice(0, LOADED), { jobs: 1 });
  const loadMs = cpuMs() - began;
  began = cpuMs();
  const few = await exportAllToDataset(join(folder, 'few'), paths.slice(0, LOADED), { jobs: 1 });
  const exportMs = cpuMs() - began;
  row(
    'export to Parquet : load, processor time, one thread',
    `${((100 * loadMs) / exportMs).toFixed(0)} %: ${exportMs.toFixed(0)} : ${loadMs.toFixed(0)} ms for ${few.records} records (aim ≥ 80 %)`,
  );

  const dataset = join(folder, 'fleet');
  const memory = [];
  let done = 0;
  began = cpuMs();
  const wall = performance.now();
  const { exported, records, rows } = await exportAllToDataset(dataset, paths, {
    jobs: 2,
    done: () => {
      done++;
      if (done % Math.ceil(traces / 5) === 0) memory.push(megabytes());
    },
  });
  row(
    `${exported} traces exported by two threads`,
    `${records} records, ${rows} rows, ${((performance.now() - wall) / 1000).toFixed(0)} s, ${((cpuMs() - began) / 1000).toFixed(0)} s of processors`,
  );
  row('memory after each fifth of the traces', `${memory.join(', ')} MB`);

  const db = await Dataset.open(dataset);
  const times = [];
  let answer;
  for (let k = 0; k < 4; k++) {
    const [asked, cpu] = [performance.now(), cpuMs()];
    answer = await db.ask(QUESTION);
    times.push(`${Math.round(performance.now() - asked)} (${Math.round(cpuMs() - cpu)})`);
  }
  db.close();
  const values = [...answer.rows][0];
  row(
    'count and p99 of all interrupts, by DuckDB',
    `${times.join(', ')} ms (processor time; the first reads the names of the files); ${values?.join(', ')}`,
  );
  row('tables', `${readdirSync(dataset).length - 1}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
