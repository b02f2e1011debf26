// The group of records that is being put together: a stimulus and what it did. Keeps the order of cause and
// effect whichever way round QEMU printed them. Knows records, not lines.
import {
  actOfAccess,
  CONFLICTS,
  isTableAccess,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
} from '@gictrace/core/record';
import { FRAMES, GITS } from '@gictrace/core/spec';

const HPPI = RECORDS.hppi.id;
const VHPPI = RECORDS.vhppi.id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const FRAME_GITS = FRAMES.indexOf('GITS');
const CTLR = GITS.GITS_CTLR.offset;
const CWRITER = GITS.GITS_CWRITER.offset;
const ITS_COMMAND = RECORDS['its.command'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const CONFLICT = RECORDS['source.conflict'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const MESSAGE_READS: ReadonlyMap<number, number> = new Map([
  [RECORDS['dte.read'].id, 1],
  [RECORDS['ite.read'].id, 2],
  [RECORDS['cte.read'].id, 3],
  [RECORDS['vte.read'].id, 3],
]);
const GROUP_CAPACITY = 16_384;

export interface GroupSink {
  /**
   * A stimulus and what it did, in order. The batch is reused after the call. `isLast`: the log ends here, perhaps in the
   * middle of what the stimulus did.
   */
  group(batch: RecordBatch, isLast: boolean): void;
}

/** Whether the first record of a group is a read that changes nothing. */
function hasNoEffect({ kind, words }: RecordBatch): boolean {
  return (
    kind[0] === MMIO_READ ||
    (kind[0] === SYSREG_READ && actOfAccess(words[0]!, false)?.does !== 'acknowledge')
  );
}

export class Group {
  readonly batch = new RecordBatch(GROUP_CAPACITY);
  /** Command slots that the group's commands were read from: they go before it. */
  readonly queue = new RecordBatch(GROUP_CAPACITY);
  private readonly spare = new RecordBatch(GROUP_CAPACITY);
  private readonly slots = new RecordBatch(GROUP_CAPACITY);
  private readonly joined = new RecordBatch(GROUP_CAPACITY);
  private readonly sink: GroupSink;
  /** Time and line of what is pushed. */
  now = Number.NaN;
  lineNumber = 0;
  /** Index of an hppi or vhppi whose lines are still to come, or -1. */
  openHppi = -1;
  openVhppi = -1;
  /** Index of the mmio record that the next line may tell of again, or -1. */
  openAccess = -1;
  /** Index of a region write that has not been confirmed by its unit's line, or -1. */
  openWrite = -1;
  /** Records, and command slots, of stimuli that were printed after all that they did: nothing more belongs to those. */
  private complete = 0;
  private completeSlots = 0;

  constructor(sink: GroupSink) {
    this.sink = sink;
  }

  /** Ends the group: it goes to the sink. `isLast`: no more lines follow. */
  close(isLast = false): void {
    const { batch: group, queue } = this;
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

  private begin(): void {
    this.batch.clear();
    this.complete = this.completeSlots = 0;
    this.openHppi = this.openVhppi = this.openAccess = this.openWrite = -1;
  }

  /** Appends a record and answers its index. */
  push(kind: number, pe: number): number {
    if (this.batch.full) this.close();
    const i = this.batch.push(kind, pe, this.now);
    this.batch.line[i] = this.lineNumber;
    return i;
  }

  /** A record of something that the current stimulus did. */
  observe(kind: number, pe: number): number {
    this.openAccess = -1;
    return this.push(kind, pe);
  }

  /** A stimulus whose effects follow: a new group. */
  stimulus(kind: number, pe: number): number {
    this.close();
    return this.push(kind, pe);
  }

  /** A store to memory: not ordered by QEMU's lock, so it neither has effects nor ends a group. */
  memory(pe: number): number {
    return this.push(MEM_WRITE, pe);
  }

  /** What memory holds: goes before the access that follows, and does not end a group. */
  told(kind: number): number {
    return this.push(kind, -1);
  }

  /** A stimulus that was printed after its effects, which are the records of the group from `from` on. */
  stimulusBefore(kind: number, pe: number, from: number): number {
    const { batch: group, queue, spare, slots } = this;
    spare.clear();
    for (let i = from; i < group.count; i++) spare.copy(group, i);
    group.count = from;
    // Command slots go before the write that has them run: those of the writes before stay.
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

  /** Where the last `count` hppi records of the group begin, if it ends with that many (of all PEs in order, or of `pe`). */
  tailOfHppi(count: number, pe: number): number {
    return this.tailOf(HPPI, count, pe);
  }

  /** As {@link tailOfHppi}, for one vhppi of a PE. */
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

  /** Whether the group's stimulus is a write that makes an ITS run commands: then they have their cause. */
  startsWithItsWrite(): boolean {
    const { kind, words, count } = this.batch;
    return (
      count > 0 &&
      kind[0] === MMIO_WRITE &&
      words[0] === FRAME_GITS &&
      (words[2] === CWRITER || words[2] === CTLR)
    );
  }

  /** Index of the first its.command that no stimulus has caused yet, or -1. */
  firstCommand(): number {
    for (let i = this.complete; i < this.batch.count; i++) if (this.batch.kind[i] === ITS_COMMAND) return i;
    return -1;
  }

  /**
   * Index of the first effect of commands that no stimulus has caused yet, or -1: where a log does not print the commands, an
   * access to a table that the stimulus of the group cannot have made, or a line about a PE behind one that has no effects.
   */
  firstEffect(): number {
    const { batch } = this;
    // A message has an ITS read an entry of each table, in this order.
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

  /** Drops the records from `from` on, whose stimulus was never printed, with their command slots. */
  drop(from: number): void {
    this.batch.count = from;
    this.queue.count = Math.min(this.queue.count, this.completeSlots);
  }

  /** Sets the first words of record `i`. */
  set(i: number, ...values: number[]): void {
    const at = i * RECORD_WORDS;
    for (let k = 0; k < values.length; k++) this.batch.words[at + k] = values[k]!;
  }

  /** Two tellings of one thing contradict each other: that of line `firstLine`, and that of this line. */
  conflict(
    what: (typeof CONFLICTS)[number],
    told: readonly [number, number],
    again: readonly [number, number],
    firstLine: number,
  ): void {
    const i = this.push(CONFLICT, -1);
    this.set(i, CONFLICTS.indexOf(what), told[0], told[1], again[0], again[1], firstLine);
  }
}
