// Passes groups of records from one thread to another: the columns of many groups are in one buffer, which is
// transferred and not copied. Does not know what the records mean.
import { RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';

/** Records per batch. A batch with a single larger group has more. */
const RECORDS_A_BATCH = 8192;
const RECORD_BYTES = 8 + 4 * (RECORD_WORDS + 2) + 2 + 3;
const GROUP_BYTES = 8;
const LAST = 0x8000_0000;

/** The columns of a buffer: those of a `RecordBatch`, then two for groups. */
class Columns {
  readonly capacity: number;
  readonly timeNs: Float64Array;
  readonly words: Uint32Array;
  readonly line: Uint32Array;
  readonly cause: Uint32Array;
  /**
   * For each group: its number of records, with the highest bit set if the log ends with it, and the line that ended
   * it.
   */
  readonly sizes: Uint32Array;
  readonly ends: Uint32Array;
  readonly pe: Int16Array;
  readonly kind: Uint8Array;
  readonly flags: Uint8Array;
  readonly rule: Uint8Array;

  constructor(buffer: ArrayBuffer) {
    const n = buffer.byteLength / (RECORD_BYTES + GROUP_BYTES);
    this.capacity = n;
    let at = 0;
    const take = (bytes: number) => {
      at += bytes;
      return at - bytes;
    };
    this.timeNs = new Float64Array(buffer, take(8 * n), n);
    this.words = new Uint32Array(buffer, take(4 * n * RECORD_WORDS), n * RECORD_WORDS);
    this.line = new Uint32Array(buffer, take(4 * n), n);
    this.cause = new Uint32Array(buffer, take(4 * n), n);
    this.sizes = new Uint32Array(buffer, take(4 * n), n);
    this.ends = new Uint32Array(buffer, take(4 * n), n);
    this.pe = new Int16Array(buffer, take(2 * n), n);
    this.kind = new Uint8Array(buffer, take(n), n);
    this.flags = new Uint8Array(buffer, take(n), n);
    this.rule = new Uint8Array(buffer, take(n), n);
  }
}

/** A batch to be transferred. */
export interface GroupBatch {
  readonly buffer: ArrayBuffer;
  readonly groups: number;
}

/** Packs groups into batches. */
export class GroupPacker {
  private readonly send: (batch: GroupBatch) => void;
  private readonly free: ArrayBuffer[] = [];
  private buffer: ArrayBuffer | undefined;
  private columns: Columns | undefined;
  private records = 0;
  private groups = 0;

  constructor(send: (batch: GroupBatch) => void) {
    this.send = send;
  }

  /** Takes back a buffer that is no longer used. */
  giveBack(buffer: ArrayBuffer): void {
    if (buffer.byteLength === bytesFor(RECORDS_A_BATCH)) this.free.push(buffer);
  }

  /** Appends a group that line `end` ended. */
  group(group: RecordBatch, isLast: boolean, end: number): void {
    const { count } = group;
    if (this.columns !== undefined && this.records + count > this.columns.capacity) this.flush();
    if (this.columns === undefined) {
      const kept = count <= RECORDS_A_BATCH ? this.free.pop() : undefined;
      this.buffer = kept ?? new ArrayBuffer(bytesFor(Math.max(RECORDS_A_BATCH, count)));
      this.columns = new Columns(this.buffer);
    }
    copyRecords(group, 0, count, this.columns, this.records);
    this.records += count;
    this.columns.sizes[this.groups] = isLast ? count | LAST : count;
    this.columns.ends[this.groups++] = end;
    if (this.records === this.columns.capacity) this.flush();
  }

  /** Sends what has been packed. */
  flush(): void {
    const { buffer, groups } = this;
    if (buffer !== undefined) this.send({ buffer, groups });
    this.drop();
  }

  /** Discards what has not been sent. */
  drop(): void {
    this.buffer = this.columns = undefined;
    this.records = this.groups = 0;
  }
}

/** Passes on the groups of a batch, in order, in `room`, which must have space for the largest. */
export function eachGroup(
  { buffer, groups }: GroupBatch,
  room: RecordBatch,
  take: (isLast: boolean, end: number) => void,
): void {
  const columns = new Columns(buffer);
  let at = 0;
  for (let n = 0; n < groups; n++) {
    const size = columns.sizes[n]!;
    const count = (size & ~LAST) >>> 0;
    copyRecords(columns, at, count, room, 0);
    room.count = count;
    at += count;
    take(size >= LAST, columns.ends[n]!);
  }
}

const bytesFor = (records: number) => records * (RECORD_BYTES + GROUP_BYTES);

type RecordColumns = Pick<
  RecordBatch,
  'kind' | 'pe' | 'flags' | 'rule' | 'timeNs' | 'line' | 'cause' | 'words'
>;

function copyRecords(from: RecordColumns, start: number, count: number, to: RecordColumns, at: number): void {
  for (let i = start, k = at; i < start + count; i++, k++) {
    to.kind[k] = from.kind[i]!;
    to.pe[k] = from.pe[i]!;
    to.flags[k] = from.flags[i]!;
    to.rule[k] = from.rule[i]!;
    to.timeNs[k] = from.timeNs[i]!;
    to.line[k] = from.line[i]!;
    to.cause[k] = from.cause[i]!;
  }
  const words = count * RECORD_WORDS;
  for (let w = start * RECORD_WORDS, k = at * RECORD_WORDS, n = 0; n < words; n++, w++, k++)
    to.words[k] = from.words[w]!;
}
