// From a log to a trace file: the importer's records, with snapshots of the model's state on the way.
import { basename } from 'node:path';
import { type GicConfig, STATE_VERSION } from '@gictrace/core';
import {
  type ImportOptions,
  type ImportStats,
  importQemu,
  type Provenance,
} from './importers/qemu-trace/index.ts';
import { type TraceSummary, TraceWriter } from './trace/index.ts';

export interface ImportReport {
  readonly stats: ImportStats;
  readonly summary: TraceSummary;
  readonly config: GicConfig;
  readonly provenance: Provenance;
}

/** What every QEMU log leaves out. */
const INHERENT_LOSSES = [
  'guest memory, but for stores that a plugin logs',
  'ICC_SRE_EL1 accesses',
  'operands of SYNC, VSYNC and INVALL',
  'outcomes of ITS commands',
];

/** Imports a QEMU trace log into a trace. Nothing is left under the final name if it fails. */
export async function importToTrace(
  path: string,
  out: string,
  options: ImportOptions & { readonly version: string; readonly progress?: (lines: number) => void },
): Promise<ImportReport> {
  let writer: TraceWriter | undefined;
  let decided: { config: GicConfig; provenance: Provenance } | undefined;
  const { version, progress, ...importing } = options;
  try {
    const stats = await importQemu(path, importing, {
      begin(config, provenance) {
        decided = { config, provenance };
        writer = new TraceWriter(out, {
          writer: { name: 'gictrace', version },
          config,
          clock: { name: 'host wall clock of QEMU, from its first line', unitNs: 1000 },
          source: { kind: 'qemu-trace', name: path === '-' ? '-' : basename(path), provenance },
          losses: INHERENT_LOSSES.map((what) => ({ what, count: null })),
          stateVersion: STATE_VERSION,
          seed: null,
          options: { ...importing },
        });
      },
      record(batch, i) {
        writer!.record(batch, i);
      },
      snapshot(state) {
        writer!.snapshot(state.save(), state.digest());
      },
      ...(progress === undefined ? {} : { progress }),
    });
    const losses = Object.entries(stats.losses).map(([what, count]) => ({ what, count }));
    const summary = writer!.close({ losses, meta: { lines: stats.lines, events: stats.events } });
    return { stats, summary, ...decided! };
  } catch (error) {
    writer?.abort();
    throw error;
  }
}
