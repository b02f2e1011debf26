// What must be known of a trace before QEMU starts: which DeviceIDs send MSIs, and what guest memory held when the
// GIC looked at it, where the trace only tells so later (mem.known). The model says when it was looked at.
import type { GicConfig } from '@gictrace/core';
import { Machine, step } from '@gictrace/core/model';
import {
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  type RecordName,
  STIMULI_BELOW,
} from '@gictrace/core/record';
import { sourceShows, sourceTellsReserved, TraceReader } from '@gictrace/recorder';

const MSI_WRITE = RECORDS['msi.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
/** Stimuli that are not ordered with what the GIC does. */
const MEMORY = new Set<number>(
  (['mem.write', 'mem.known', 'mem.unknown', 'queue.write'] as const).map((name) => RECORDS[name].id),
);
/** Stimuli that only the agent can do. */
export const BY_AGENT: readonly RecordName[] = ['sysreg.read', 'sysreg.write', 'pe.reset'];
const AGENTS: readonly number[] = BY_AGENT.map((name) => RECORDS[name].id);
/** Longer ranges become known because software has zeroed them; so is all memory that nothing has written. */
const BYTES_MAX = 4096;

/** A byte of guest memory. */
export interface Fill {
  readonly address: number;
  readonly byte: number;
}

export interface Foresight {
  readonly deviceIds: readonly number[];
  /** By stimulus, counted from 0: bytes that memory holds when it is done, though the trace tells so later. */
  readonly fills: ReadonlyMap<number, readonly Fill[]>;
  /** Values of accesses are all that the trace tells: nothing of QEMU's log would be compared. Absent: no. */
  readonly unwatched?: boolean;
}

/** Looks through a trace's batches. */
export function foresee(config: GicConfig, batches: Iterable<RecordBatch>): Foresight {
  const machine = new Machine(config);
  const deviceIds = new Set<number>();
  const fills = new Map<number, Fill[]>();
  /** Unknown bytes: the stimulus at which they were last looked at. */
  const looked = new Map<number, number>();
  /** Bytes that have just become known, and the stimulus that looked at them before; those looked at since. */
  let learnt: (Fill & { readonly when: number })[] = [];
  const again = new Set<number>();
  let stimulus = 0;
  machine.witness = (_use, _unit, _index, address, length) => {
    for (let at = address; at < address + length && length <= 8; at++)
      if (!machine.state.memory.isKnown(at)) looked.set(at, stimulus);
      else if (learnt.length > 0) again.add(at);
  };
  /** What memory held at the last look, unless the stimulus that showed it has looked anew. */
  const keep = () => {
    for (const { address, byte, when } of learnt) {
      if (again.has(address)) continue;
      const list = fills.get(when) ?? [];
      list.push({ address, byte });
      fills.set(when, list);
    }
    learnt = [];
    again.clear();
  };
  for (const batch of batches)
    for (let i = 0; i < batch.count; i++) {
      const kind = batch.kind[i]!;
      if (kind >= STIMULI_BELOW) continue;
      const at = i * RECORD_WORDS;
      const { words } = batch;
      if (kind === MSI_WRITE) deviceIds.add(words[at + 1]!);
      else if (kind === MEM_KNOWN && words[at + 2]! <= BYTES_MAX && looked.size > 0) {
        const from = words[at + 1]! * 2 ** 32 + words[at]!;
        for (let address = from; address < from + words[at + 2]!; address++) {
          const when = looked.get(address);
          if (when !== undefined) learnt.push({ address, byte: words[at + 3]! & 0xff, when });
          looked.delete(address);
        }
      }
      step(machine, batch, i);
      stimulus++;
      if (learnt.length > 0 && !MEMORY.has(kind)) keep();
    }
  keep();
  return { deviceIds: [...deviceIds], fills };
}

/** Looks through a trace file. @throws GicTraceError `trace` if it cannot be read. */
export function foreseeTrace(path: string): Foresight {
  const reader = TraceReader.open(path);
  try {
    let agents = 0;
    const counted = function* () {
      for (const batch of batchesOf(reader)) {
        for (let i = 0; i < batch.count; i++) if (AGENTS.includes(batch.kind[i]!)) agents++;
        yield batch;
      }
    };
    const found = foresee(reader.header.config, counted());
    const isShown = sourceShows(reader.header)?.length !== 0 || sourceTellsReserved(reader.header);
    return { ...found, unwatched: agents === 0 && !isShown };
  } finally {
    reader.close();
  }
}

function* batchesOf(reader: TraceReader): Iterable<RecordBatch> {
  for (const { batch } of reader.batches()) yield batch;
}
