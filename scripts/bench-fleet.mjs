// The part of `npm run bench` for datasets: an export beside a load of the same trace in one process, and a question over
// many traces.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Traces of the fleet: the recording, cut off at different records, so that each has a digest of its own. */
const TRACES = 100;
const QUESTION =
  'SELECT count(*) AS n, percentile(latency_ns, 99) AS p99_ns FROM interrupts WHERE latency_ns IS NOT NULL';

function makeTraces(trace, folder, { RecordBatch, TraceReader, TraceWriter }) {
  const reader = TraceReader.open(trace);
  const all = new RecordBatch(reader.records);
  for (const { batch } of reader.batches()) for (let i = 0; i < batch.count; i++) all.copy(batch, i);
  reader.close();
  const records = Math.min(all.count, 20_000);
  return Array.from({ length: TRACES }, (_, k) => {
    const path = join(folder, `fleet-${k}.gictrace`);
    const writer = new TraceWriter(path, reader.header, {});
    for (let i = 0; i < records - k; i++) writer.record(all, i);
    writer.close({ losses: [], meta: {} });
    return path;
  });
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Prints rows with `row`. `loadMs` is how long a load of the trace by one thread takes. */
export async function benchFleet({ trace, folder, loadMs, medianOf, row, recorder, query, core }) {
  const { exportToDataset, exportAllToDataset, Dataset } = query;
  const dataset = join(folder, 'fleet');
  let cpu = 0;
  const ms = await medianOf(async () => {
    rmSync(dataset, { recursive: true, force: true });
    const began = cpuMs();
    await exportToDataset(dataset, trace);
    cpu = cpuMs() - began;
  });
  row(
    'export to Parquet : load by one thread',
    `${((100 * loadMs) / ms).toFixed(0)} %`,
    `${ms.toFixed(0)} : ${loadMs.toFixed(0)} ms; ${cpu.toFixed(0)} ms of processors (aim ≥ 80 %)`,
  );
  const traces = makeTraces(trace, folder, { ...recorder, ...core });
  rmSync(dataset, { recursive: true, force: true });
  const began = performance.now();
  const { records } = await exportAllToDataset(dataset, traces, { jobs: 2 });
  const all = performance.now() - began;
  let db;
  try {
    db = await Dataset.open(dataset);
  } catch (error) {
    console.log(`(no DuckDB: ${error.line})`);
    return;
  }
  await db.ask(QUESTION);
  const asked = await medianOf(() => db.ask(QUESTION));
  db.close();
  row(
    `fleet of ${TRACES}: count and p99 of all interrupts`,
    `${(asked / 1000).toFixed(2)} s`,
    `exported by two threads at ${(records / all).toFixed(0)} thousand records/s, ${readdirSync(dataset).length - 1} tables`,
  );
}
