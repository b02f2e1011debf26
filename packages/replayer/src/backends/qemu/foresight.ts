// What must be known about a trace before a backend starts: the DeviceIDs that send MSIs, and the contents of guest memory when the
// GIC read it, if the trace reveals them only later (mem.known). The model says when memory was read.
import type { GicConfig } from '@gictrace/core';
import { Follow, FollowObserver, Machine } from '@gictrace/core/model';
import { RECORD_WORDS, RECORDS, type RecordBatch, type RecordName } from '@gictrace/core/record';
import { commandName, decodeCommand, FRAMES, GICD, GICR, ITS_COMMANDS, mask } from '@gictrace/core/spec';
import { sourceShows, sourceTellsReserved, TraceReader } from '@gictrace/recorder';
import { Collections } from './collections.ts';

const MSI_WRITE = RECORDS['msi.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
/** Stimuli that are not ordered with what the GIC does. */
const MEMORY = new Set<number>(
  (['mem.write', 'mem.known', 'mem.unknown', 'queue.write'] as const).map((name) => RECORDS[name].id),
);
/** Stimuli that only the guest stub can do. */
export const BY_STUB: readonly RecordName[] = ['sysreg.read', 'sysreg.write', 'pe.reset'];
const STUB_KINDS: readonly number[] = BY_STUB.map((name) => RECORDS[name].id);
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
  /** By stimulus, counted from 0, a queue.write of an INVALL whose ICID the source does not contain: the ICID. */
  readonly collections?: ReadonlyMap<number, number>;
  /** Whether the trace contains only values of accesses, so that nothing in QEMU's log would be compared. */
  readonly unwatched?: boolean;
}

/** GICR_PROPBASER.Physical_Address, in the low and the high word. */
const TABLE_LOW = 0xffff_f000;
const TABLE_HIGH = 0xf_ffff;
const LPI_FIRST = 8192;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const INVALL_ICID = 1 << ITS_COMMANDS.INVALL.operands.findIndex(({ name }) => name === 'ICID');
const ITS_COMMAND = RECORDS['its.command'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const FRAME_GICR = FRAMES.indexOf('GICR');

/**
 * Where an implementation may have read the configuration of an LPI, and keep what it read: MAPTI, MAPI and INV of it,
 * INVALL, and a write of GICR_CTLR (EnableLPIs), GICR_INVLPIR or GICR_INVALLR.
 */
class CachePoints {
  private readonly machine: Machine;
  /** By INTID, the stimulus. */
  private readonly own = new Map<number, number>();
  /** The stimulus that concerned all LPIs. */
  private all = -1;
  /** By DeviceID and EventID. */
  private readonly intids = new Map<string, number>();

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Stimulus `n` wrote a register. */
  wrote(words: Uint32Array, at: number, n: number): void {
    if (words[at] !== FRAME_GICR) return;
    const offset = words[at + 2]!;
    if (
      offset === GICR.GICR_CTLR.offset ||
      offset === GICR.GICR_INVLPIR.offset ||
      offset === GICR.GICR_INVALLR.offset
    )
      this.all = n;
  }

  /** An ITS executed a command because of stimulus `n`. */
  command(words: Uint32Array, at: number, n: number): void {
    const command = words[at + 2] === 0 ? decodeCommand(words, at + 4) : undefined;
    if (command === undefined) return;
    const { name, operands } = command;
    const event = `${words[at]} ${operands.DeviceID} ${operands.EventID}`;
    if (name === 'MAPTI') this.intids.set(event, operands.pINTID!);
    else if (name === 'MAPI') this.intids.set(event, operands.EventID!);
    else if (name === 'INVALL') this.all = n;
    else if (name !== 'INV') return;
    const intid = this.intids.get(event);
    if (name !== 'INVALL' && intid !== undefined) this.own.set(intid, n);
  }

  /** The last of these before now for the byte at an address; -1 if there was none, or the byte is no configuration. */
  of(address: number): number {
    const own = this.own.get(this.intidAt(address));
    return own === undefined ? -1 : Math.max(own, this.all);
  }

  /** The LPI, among those that are mapped, whose configuration is at an address; -1 if there is none. */
  intidAt(address: number): number {
    const { propbaser } = this.machine.state;
    for (let pe = 0; 2 * pe < propbaser.length; pe++) {
      const table =
        (propbaser[2 * pe + 1]! & TABLE_HIGH) * 2 ** 32 + ((propbaser[2 * pe]! & TABLE_LOW) >>> 0);
      const intid = address - table + LPI_FIRST;
      if (table !== 0 && this.own.has(intid)) return intid;
    }
    return -1;
  }
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
  private readonly points: CachePoints | undefined;
  readonly collections = new Collections();

  /** `caches`: whether the implementation keeps configurations of LPIs that it has read. */
  constructor(machine: Machine, caches: boolean) {
    super();
    this.machine = machine;
    if (caches) this.points = new CachePoints(machine);
    machine.witness = (_use, _unit, _index, address, length) => this.look(address, length);
  }

  override stimulus(batch: RecordBatch, i: number): void {
    const at = i * RECORD_WORDS;
    const { words } = batch;
    if (batch.kind[i] === MSI_WRITE) this.deviceIds.add(words[at + 1]!);
    else if (batch.kind[i] === QUEUE_WRITE) this.collections.queues(words, at + 3, words[at]!, this.n);
    else if (batch.kind[i] === MEM_KNOWN && words[at + 2]! <= BYTES_MAX) {
      const from = words[at + 1]! * 2 ** 32 + words[at]!;
      for (let address = from; address < from + words[at + 2]!; address++) {
        const when = this.whenRead(address);
        if (when !== undefined) this.learnt.push({ address, byte: words[at + 3]! & 0xff, when });
        const intid = this.points?.intidAt(address) ?? -1;
        if (intid >= 0) this.collections.learns(intid);
        this.looked.delete(address);
      }
    }
  }

  override emitted(records: RecordBatch): void {
    if (this.points === undefined) return;
    for (let k = 0; k < records.count; k++) {
      if (records.kind[k] !== ITS_COMMAND) continue;
      this.points.command(records.words, k * RECORD_WORDS, this.n);
      const at = k * RECORD_WORDS;
      this.collections.executes(records.words, at + 4, records.words[at]!);
    }
  }

  override observable(batch: RecordBatch, i: number): void {
    const at = i * RECORD_WORDS;
    if (batch.kind[i] !== ITS_COMMAND || commandName(batch.words[at + 4]! & 0xff) !== 'INVALL') return;
    // The stimulus that executed it has run.
    this.collections.invalidates(batch.words[at]!, this.n - 1, (batch.words[at + 3]! & INVALL_ICID) !== 0);
  }

  /** The stimulus at which a byte that becomes known now may have been read; undefined if it was known, or not read. */
  private whenRead(address: number): number | undefined {
    const point = this.machine.state.memory.isKnown(address) ? -1 : (this.points?.of(address) ?? -1);
    return point >= 0 ? point : this.looked.get(address);
  }

  override settled(batch: RecordBatch, i: number): void {
    if (batch.kind[i] === MMIO_WRITE) this.points?.wrote(batch.words, i * RECORD_WORDS, this.n);
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
      const point = this.points?.of(address) ?? -1;
      if (point >= 0 ? point > when : this.again.has(address)) continue;
      const list = this.fills.get(when) ?? [];
      list.push({ address, byte });
      this.fills.set(when, list);
      this.collections.wasRead(this.points?.intidAt(address) ?? -1, when);
    }
    this.learnt = [];
    this.again.clear();
  }
}

/**
 * Examines the batches of a trace. `caches`: whether the implementation keeps configurations of LPIs that it has read, so
 * that it must have them before it may read them.
 */
export function foresee(config: GicConfig, batches: Iterable<RecordBatch>, caches = false): Foresight {
  const machine = new Machine(config);
  const foreseer = new Foreseer(machine, caches);
  const follow = new Follow(machine, foreseer);
  for (const batch of batches) follow.take(batch, 0);
  follow.end();
  return {
    deviceIds: [...foreseer.deviceIds],
    fills: foreseer.fills,
    ...(caches ? { collections: foreseer.collections.found } : {}),
  };
}

/** Examines a trace file, as `foresee` does. @throws GicTraceError `trace` if it cannot be read. */
export function foreseeTrace(path: string, caches = false): Foresight {
  const reader = TraceReader.open(path);
  try {
    let byStub = 0;
    const counted = function* () {
      for (const batch of batchesOf(reader)) {
        for (let i = 0; i < batch.count; i++) if (STUB_KINDS.includes(batch.kind[i]!)) byStub++;
        yield batch;
      }
    };
    const found = foresee(reader.header.config, counted(), caches);
    const isShown = sourceShows(reader.header)?.length !== 0 || sourceTellsReserved(reader.header);
    const twoStates = (reader.header.config.gicd.typer & SECURITY_EXTN) !== 0;
    return { ...found, unwatched: byStub === 0 && !isShown && !twoStates };
  } finally {
    reader.close();
  }
}

function* batchesOf(reader: TraceReader): Iterable<RecordBatch> {
  for (const { batch } of reader.batches()) yield batch;
}
