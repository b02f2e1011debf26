// What must be known about a trace before QEMU starts: the DeviceIDs that send MSIs, and the contents of guest memory when the
// GIC read it, if the trace reveals them only later (mem.known). The model says when memory was read.
import type { GicConfig } from '@gictrace/core';
import { Follow, FollowObserver, Machine } from '@gictrace/core/model';
import { RECORD_WORDS, RECORDS, type RecordBatch, type RecordName } from '@gictrace/core/record';
import { GICD, mask } from '@gictrace/core/spec';
import { sourceShows, sourceTellsReserved, TraceReader } from '@gictrace/recorder';

const MSI_WRITE = RECORDS['msi.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
/** Stimuli that are not ordered with what the GIC does. */
const MEMORY = new Set<number>(
  (['mem.write', 'mem.known', 'mem.unknown', 'queue.write'] as const).map((name) => RECORDS[name].id),
);
/** Stimuli that only the guest stub can do. */
export const BY_AGENT: readonly RecordName[] = ['sysreg.read', 'sysreg.write', 'pe.reset'];
const AGENTS: readonly number[] = BY_AGENT.map((name) => RECORDS[name].id);
const SECURITY_EXTN = mask(GICD.GICD_TYPER, 'SecurityExtn');
/** Longer ranges become known because software has zeroed them, and all memory that nothing has written is zero anyway. */
const BYTES_MAX = 4096;

/** A byte of guest memory. */
export interface Fill {
  readonly address: number;
  readonly byte: number;
}

export interface Foresight {
  readonly deviceIds: readonly number[];
  /** By stimulus, counted from 0: bytes that memory contains when it runs, although the trace reveals them only later. */
  readonly fills: ReadonlyMap<number, readonly Fill[]>;
  /** Whether the trace contains only values of accesses, so that nothing in QEMU's log would be compared. */
  readonly unwatched?: boolean;
}

/** Follows a trace and collects what must be known about it before it is replayed. */
class Foreseer extends FollowObserver {
  readonly deviceIds = new Set<number>();
  readonly fills = new Map<number, Fill[]>();
  private readonly machine: Machine;
  /** The number of the stimulus that is running, or that runs next. */
  private n = 0;
  /** For unknown bytes, the stimulus at which the GIC read them last. */
  private readonly looked = new Map<number, number>();
  /** Bytes that have just become known, and the stimulus that read them before. */
  private learnt: (Fill & { readonly when: number })[] = [];
  /** The bytes among these that have been read since they became known. */
  private readonly again = new Set<number>();

  constructor(machine: Machine) {
    super();
    this.machine = machine;
    machine.witness = (_use, _unit, _index, address, length) => this.look(address, length);
  }

  override stimulus(batch: RecordBatch, i: number): void {
    const at = i * RECORD_WORDS;
    const { words } = batch;
    if (batch.kind[i] === MSI_WRITE) this.deviceIds.add(words[at + 1]!);
    else if (batch.kind[i] === MEM_KNOWN && words[at + 2]! <= BYTES_MAX && this.looked.size > 0) {
      const from = words[at + 1]! * 2 ** 32 + words[at]!;
      for (let address = from; address < from + words[at + 2]!; address++) {
        const when = this.looked.get(address);
        if (when !== undefined) this.learnt.push({ address, byte: words[at + 3]! & 0xff, when });
        this.looked.delete(address);
      }
    }
  }

  override settled(batch: RecordBatch, i: number): void {
    this.n++;
    if (this.learnt.length > 0 && !MEMORY.has(batch.kind[i]!)) this.keep();
  }

  override end(): void {
    this.keep();
  }

  private look(address: number, length: number): void {
    for (let at = address; at < address + length && length <= 8; at++)
      if (!this.machine.state.memory.isKnown(at)) this.looked.set(at, this.n);
      else if (this.learnt.length > 0) this.again.add(at);
  }

  /** Keeps the contents of memory at the last read, unless the stimulus that revealed them has read them again. */
  private keep(): void {
    for (const { address, byte, when } of this.learnt) {
      if (this.again.has(address)) continue;
      const list = this.fills.get(when) ?? [];
      list.push({ address, byte });
      this.fills.set(when, list);
    }
    this.learnt = [];
    this.again.clear();
  }
}

/** Examines the batches of a trace. */
export function foresee(config: GicConfig, batches: Iterable<RecordBatch>): Foresight {
  const machine = new Machine(config);
  const foreseer = new Foreseer(machine);
  const follow = new Follow(machine, foreseer);
  for (const batch of batches) follow.take(batch, 0);
  follow.end();
  return { deviceIds: [...foreseer.deviceIds], fills: foreseer.fills };
}

/** Examines a trace file. @throws GicTraceError `trace` if it cannot be read. */
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
    const twoStates = (reader.header.config.gicd.typer & SECURITY_EXTN) !== 0;
    return { ...found, unwatched: agents === 0 && !isShown && !twoStates };
  } finally {
    reader.close();
  }
}

function* batchesOf(reader: TraceReader): Iterable<RecordBatch> {
  for (const { batch } of reader.batches()) yield batch;
}
