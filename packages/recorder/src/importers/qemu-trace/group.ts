// The group of records that is being assembled: a stimulus and its effects. Keeps the order of cause and effect,
// whichever way round QEMU printed them. Knows records, not lines.
import {
  actOfAccess,
  CONFLICTS,
  isTableAccess,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
} from '@gictrace/core/record';
import { GITS } from '@gictrace/core/spec';
import {
  CONFLICT,
  FRAME_GITS,
  HPPI,
  ITS_COMMAND,
  MEM_WRITE,
  MMIO_READ,
  MMIO_WRITE,
  MSI_WRITE,
  SYSREG_READ,
  VHPPI,
} from '../common/record-kinds.ts';

const CTLR = GITS.GITS_CTLR.offset;
const CWRITER = GITS.GITS_CWRITER.offset;
const MESSAGE_READS: ReadonlyMap<number, number> = new Map([
  [RECORDS['dte.read'].id, 1],
  [RECORDS['ite.read'].id, 2],
  [RECORDS['cte.read'].id, 3],
  [RECORDS['vte.read'].id, 3],
]);
const GROUP_CAPACITY = 16_384;

export interface GroupSink {
  /**
   * Takes a stimulus and its effects, in order. The batch is reused after the call. `isLast`: the log ends here,
   * perhaps in the middle of the effects.
   */
  group(batch: RecordBatch, isLast: boolean): void;
}

/** Whether the first record of a group is a read that changes nothing. */
export function hasNoEffect({ kind, words }: RecordBatch): boolean {
  return (
    kind[0] === MMIO_READ ||
    (kind[0] === SYSREG_READ && actOfAccess(words[0]!, false)?.does !== 'acknowledge')
  );
}

/** A number for the reads, and one for the writes, of each frame. */
export const accessSort = (frame: number, write: boolean): number => 2 * frame + (write ? 1 : 0);

export class Group {
  readonly batch = new RecordBatch(GROUP_CAPACITY);
  /** Command slots that the group's commands were read from. They go before the group. */
  readonly queue = new RecordBatch(GROUP_CAPACITY);
  private readonly spare = new RecordBatch(GROUP_CAPACITY);
  private readonly slots = new RecordBatch(GROUP_CAPACITY);
  private readonly joined = new RecordBatch(GROUP_CAPACITY);
  private readonly sink: GroupSink;
  /** Time and line of the records that are pushed. */
  now = Number.NaN;
  lineNumber = 0;
  /** Index of an hppi or vhppi record whose interrupt lines are still to be printed, or -1. */
  openHppi = -1;
  openVhppi = -1;
  /** Index of the mmio record that the next line may describe again, or -1. */
  openAccess = -1;
  /** Index of a memory region's write that its unit's line has not confirmed, or -1. */
  openWrite = -1;
  /**
   * Numbers of records and command slots whose stimuli were printed after all of their effects, so that nothing more
   * belongs to them.
   */
  private complete = 0;
  private completeSlots = 0;

  /** Sorts of accesses of which only the memory region has printed one. */
  readonly alone = new Set<number>();
  /** Sorts of accesses of which the log has lines, but none about bad ones. */
  private readonly withoutBad: ReadonlySet<number>;

  constructor(sink: GroupSink, withoutBad: ReadonlySet<number> = new Set()) {
    this.sink = sink;
    this.withoutBad = withoutBad;
  }

  /** Ends the group and passes it to the sink. `isLast`: no more lines follow. */
  close(isLast = false): void {
    const { batch: group, queue } = this;
    if (this.openWrite >= 0) this.standsAlone(this.openWrite);
    if (queue.count > 0) {
      const out = this.joined;
      out.clear();
      for (let i = 0; i < queue.count; i++) out.copy(queue, i);
      queue.clear();
      for (let i = 0; i < group.count; i++) {
        if (out.full) {
          this.sink.group(out, false);
          out.clear();
        }
        out.copy(group, i);
      }
      this.sink.group(out, isLast);
    } else if (group.count > 0) this.sink.group(group, isLast);
    this.begin();
  }

  /**
   * No line of its unit belongs to access `i`, only that of its memory region. If such lines are traced, but not those
   * about bad accesses, it is probably a bad one, and the log does not say so.
   */
  standsAlone(i: number): void {
    const { kind, words, flags } = this.batch;
    const sort = accessSort(words[i * RECORD_WORDS]!, kind[i] === MMIO_WRITE);
    this.alone.add(sort);
    if (this.withoutBad.has(sort)) flags[i]! |= RECORD_FLAGS.undecided;
  }

  private begin(): void {
    this.batch.clear();
    this.complete = this.completeSlots = 0;
    this.openHppi = this.openVhppi = this.openAccess = this.openWrite = -1;
  }

  /** Appends a record and returns its index. */
  push(kind: number, pe: number): number {
    if (this.batch.full) this.close();
    const i = this.batch.push(kind, pe, this.now);
    this.batch.line[i] = this.lineNumber;
    return i;
  }

  /** Appends an effect of the current stimulus. */
  observe(kind: number, pe: number): number {
    this.openAccess = -1;
    return this.push(kind, pe);
  }

  /** Begins a new group with a stimulus whose effects follow. */
  stimulus(kind: number, pe: number): number {
    this.close();
    return this.push(kind, pe);
  }

  /**
   * Appends a store to memory. Stores are not ordered by QEMU's lock, so a store neither has effects nor ends a group.
   */
  memory(pe: number): number {
    return this.push(MEM_WRITE, pe);
  }

  /** Appends what memory holds. It goes before the access that follows and does not end a group. */
  memoryHeld(kind: number): number {
    return this.push(kind, -1);
  }

  /** Inserts a stimulus that was printed after its effects, which are the records of the group from `from` on. */
  stimulusBefore(kind: number, pe: number, from: number): number {
    const { batch: group, queue, spare, slots } = this;
    spare.clear();
    for (let i = from; i < group.count; i++) spare.copy(group, i);
    group.count = from;
    // Command slots go before the write that makes the ITS execute them; those of earlier writes stay.
    slots.clear();
    if (spare.kind.subarray(0, spare.count).includes(ITS_COMMAND)) {
      for (let i = this.completeSlots; i < queue.count; i++) slots.copy(queue, i);
      queue.count = Math.min(queue.count, this.completeSlots);
    }
    this.close();
    for (let i = 0; i < slots.count; i++) queue.copy(slots, i);
    const at = this.push(kind, pe);
    for (let i = 0; i < spare.count; i++) {
      if (this.batch.full) this.close();
      this.batch.copy(spare, i);
    }
    this.complete = this.batch.count;
    this.completeSlots = queue.count;
    return at;
  }

  /**
   * Where the last `count` hppi records of the group begin, if it ends with that many (for all PEs in order, or for
   * `pe`).
   */
  tailOfHppi(count: number, pe: number): number {
    return this.tailOf(HPPI, count, pe);
  }

  /** Like {@link tailOfHppi}, for one vhppi of a PE. */
  tailOfVhppi(pe: number): number {
    return this.tailOf(VHPPI, 1, pe);
  }

  private tailOf(kind: number, count: number, pe: number): number {
    const { batch: group } = this;
    let wanted = count;
    let i = group.count - 1;
    for (; i >= this.complete && wanted > 0; i--) {
      if (group.kind[i] === MEM_WRITE) continue;
      if (group.kind[i] !== kind || group.pe[i] !== (pe >= 0 ? pe : wanted - 1)) return group.count;
      wanted--;
    }
    return wanted === 0 ? i + 1 : group.count;
  }

  /** Whether the group's stimulus is a write that makes an ITS run commands, so that they have their cause. */
  startsWithItsWrite(): boolean {
    const { kind, words, count } = this.batch;
    return (
      count > 0 &&
      kind[0] === MMIO_WRITE &&
      words[0] === FRAME_GITS &&
      (words[2] === CWRITER || words[2] === CTLR)
    );
  }

  /** Index of the first its.command that has no stimulus yet, or -1. */
  firstCommand(): number {
    for (let i = this.complete; i < this.batch.count; i++) if (this.batch.kind[i] === ITS_COMMAND) return i;
    return -1;
  }

  /**
   * Index of the first effect of commands that has no stimulus yet, or -1. In a log without lines about commands, that
   * is an access to a table that the group's stimulus cannot have made, or a line about a PE after a stimulus without
   * effects.
   */
  firstEffect(): number {
    const { batch } = this;
    // A message makes an ITS read an entry of each table, in this order.
    const isMessage = this.complete === 0 && batch.count > 0 && batch.kind[0] === MSI_WRITE;
    const isIdle = this.complete > 0 || (batch.count > 0 && hasNoEffect(batch));
    let reads = 0;
    for (let i = this.complete; i < batch.count; i++) {
      const kind = batch.kind[i]!;
      if (kind === ITS_COMMAND || (isIdle && kind === HPPI)) return i;
      if (!isTableAccess(kind)) continue;
      const place = MESSAGE_READS.get(kind) ?? 0;
      if (!isMessage || place <= reads) return i;
      reads = place;
    }
    return -1;
  }

  /** Drops the records from `from` on, whose stimulus was never printed, and their command slots. */
  drop(from: number): void {
    this.batch.count = from;
    this.queue.count = Math.min(this.queue.count, this.completeSlots);
  }

  /** Sets the first words of record `i`. */
  set(i: number, ...values: number[]): void {
    const at = i * RECORD_WORDS;
    for (let k = 0; k < values.length; k++) this.batch.words[at + k] = values[k]!;
  }

  /** Records that two lines about the same thing contradict each other: line `firstLine` and the current one. */
  conflict(
    what: (typeof CONFLICTS)[number],
    first: readonly [number, number],
    again: readonly [number, number],
    firstLine: number,
  ): void {
    const i = this.push(CONFLICT, -1);
    this.set(i, CONFLICTS.indexOf(what), first[0], first[1], again[0], again[1], firstLine);
  }
}
