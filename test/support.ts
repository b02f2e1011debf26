// What the cross-package tests share: imported recordings, kept for the length of a run.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RecordBatch } from '@gictrace/core/record';
import { type ImportReport, importToTrace, TraceReader } from '@gictrace/recorder';

/** Path of a recording in test/recordings. */
export function recording(name: string): string {
  return fileURLToPath(new URL(`recordings/${name}`, import.meta.url));
}

/** A folder that is gone when `dispose` has been called. */
export function scratch(): { path(name: string): string; dispose(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'gictrace-'));
  return {
    path: (name) => join(folder, name),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Imports a log into a trace. */
export function imported(log: string, out: string): Promise<ImportReport> {
  return importToTrace(log, out, { version: 'test' });
}

/** All records of a trace in batches of their own. */
export function allBatches(path: string): { batches: RecordBatch[]; reader: TraceReader } {
  const reader = TraceReader.open(path);
  const batches: RecordBatch[] = [];
  for (const { batch } of reader.batches()) {
    const copy = new RecordBatch(batch.count);
    for (let i = 0; i < batch.count; i++) copy.copy(batch, i);
    batches.push(copy);
  }
  return { batches, reader };
}

/**
 * The command lines of the processes whose arguments hold `text`, as Linux's /proc has them now, each with its process ID.
 * A process that ended but that nobody has waited for has no arguments.
 */
export function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trimEnd();
        return words.includes(text) ? [`${pid} ${words}`] : [];
      } catch {
        return []; // It ended in between.
      }
    });
}
