// States of the simulator that a database keeps, so that the state at any record needs only a short replay. Their size is
// bounded: if they grow too large, every other one is dropped. It knows no tables except its own.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import { GICV5_STATE_VERSION } from '@gictrace/core/gicv5';
import { STATE_VERSION } from '@gictrace/core/model';
import type Database from 'better-sqlite3';
import type { KeptState } from './kept.ts';

/** The least number of records between two states: a chunk of a trace. */
const INTERVAL = 4096;
const BYTES_MAX = 32 * 2 ** 20;

/** What `layout` of a kept state says: those of GICv5 are numbered from here on. */
const GICV5_LAYOUTS = 1000;

/** The version of the layout of the simulator's state for a configuration. */
export function stateVersion({ architecture }: Pick<GicConfig | Gicv5Config, 'architecture'>): number {
  return architecture === 5 ? GICV5_LAYOUTS + GICV5_STATE_VERSION : STATE_VERSION;
}

/** The state of a simulator. */
interface Saved {
  save(): Uint8Array;
}

/** Collects the states of one trace while it is loaded. */
export class StateKeeper {
  private kept: KeptState[] = [];
  private interval: number;
  private readonly bytesMax: number;
  private bytes = 0;

  constructor(interval = INTERVAL, bytesMax = BYTES_MAX) {
    this.interval = interval;
    this.bytesMax = bytesMax;
  }

  /** Offers `state`, the state before record `record`. */
  offer(record: number, state: Saved): void {
    if (record - (this.kept.at(-1)?.record ?? 0) < this.interval) return;
    const stored = deflateRawSync(state.save(), { level: 1 });
    this.kept.push({ record, state: stored });
    this.bytes += stored.length;
    while (this.bytes > this.bytesMax && this.kept.length > 1) {
      this.kept = this.kept.filter((_, k) => k % 2 === 1);
      this.interval *= 2;
      this.bytes = this.kept.reduce((sum, one) => sum + one.state.length, 0);
    }
  }

  /** The states that were kept, deflated, in order. */
  states(): readonly KeptState[] {
    return this.kept;
  }
}

/** The latest state that was kept at or before `record`; undefined if there is none and the replay begins with an empty GIC. */
export function keptState(
  db: Database.Database,
  trace: number,
  record: number,
  layout: number,
): KeptState | undefined {
  const row = db
    .prepare(
      'SELECT record, state FROM t_states WHERE trace = ? AND record <= ? AND layout = ? ORDER BY record DESC LIMIT 1',
    )
    .safeIntegers(false)
    .get(trace, record, layout) as { record: number; state: Buffer } | undefined;
  return row === undefined ? undefined : { record: row.record, state: inflateRawSync(row.state) };
}
