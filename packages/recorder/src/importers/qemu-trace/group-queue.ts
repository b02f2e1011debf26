// A first-in, first-out queue of groups of records. Keeps their records in large batches, and where each group ends.
import { RecordBatch } from '@gictrace/core/record';

const BATCH = 16_384;

export class GroupQueue<Note> {
  private batches: RecordBatch[] = [];
  private readonly groups: { readonly size: number; readonly note: Note }[] = [];
  private head = 0;
  /** Index, in the first batch, of the first record of the first group. */
  private at = 0;
  private room = new RecordBatch(64);
  /** The number of waiting records. */
  records = 0;

  /** The note of the first group; undefined if none is waiting. */
  get first(): Note | undefined {
    return this.groups[this.head]?.note;
  }

  push(group: RecordBatch, note: Note): void {
    this.groups.push({ size: group.count, note });
    this.records += group.count;
    for (let i = 0; i < group.count; i++) {
      let last = this.batches.at(-1);
      if (last === undefined || last.full) {
        last = new RecordBatch(BATCH);
        this.batches.push(last);
      }
      last.copy(group, i);
    }
  }

  /** Removes all groups and passes them on, in order. */
  drain(take: (group: RecordBatch, note: Note) => void): void {
    for (let next = this.groups[this.head]; next !== undefined; next = this.groups[this.head]) {
      const { size, note } = next;
      if (this.room.capacity < size) this.room = new RecordBatch(size);
      this.take(this.room);
      take(this.room, note);
    }
  }

  /** Removes the first group and puts it into `out`, which is cleared first. */
  take(out: RecordBatch): void {
    const { size } = this.groups[this.head++]!;
    out.clear();
    for (let k = 0; k < size; k++) {
      out.copy(this.batches[0]!, this.at++);
      if (this.at === BATCH) {
        this.batches.shift();
        this.at = 0;
      }
    }
    this.records -= size;
    if (this.head < 1024) return;
    this.groups.splice(0, this.head);
    this.head = 0;
  }
}
