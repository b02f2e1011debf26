// Keeps records in the order in which they have to be replayed. KVM's line about a write comes before what KVM does for
// it, and so before the lines of probes that show what guest memory KVM read. That memory has to be known before the
// write. So the write of a thread, and everything after it, waits until the thread has done something else.
import { RecordBatch } from '@gictrace/core/record';

/** Records that wait at a time. */
const WAITING_MAX = 8192;

interface Item {
  readonly record: RecordBatch;
  /** The thread whose write this is, while what KVM does for it may still follow; otherwise undefined. */
  by: number | undefined;
}

export class Ordered {
  private readonly holds: boolean;
  private readonly out: (batch: RecordBatch, i: number) => void;
  private readonly queue: Item[] = [];
  /** How many writes in the queue are still open. */
  private open = 0;

  /** `holds`: whether the log shows what KVM reads of guest memory. If not, nothing has to wait. */
  constructor(holds: boolean, out: (batch: RecordBatch, i: number) => void) {
    this.holds = holds;
    this.out = out;
  }

  /** Takes the only record of a batch, which may be reused after the call. */
  take(one: RecordBatch): void {
    if (this.open === 0) this.out(one, 0);
    else this.push(one, undefined);
  }

  /** Takes a write of a thread that waits for what KVM does for it. */
  hold(one: RecordBatch, pid: number): void {
    if (!this.holds || pid < 0) {
      this.take(one);
      return;
    }
    this.boundary(pid);
    this.push(one, pid);
    this.open++;
    if (this.queue.length > WAITING_MAX) this.end();
  }

  /** Takes a record that has to come before the write that a thread is making; if it is making none, it comes now. */
  before(one: RecordBatch, pid: number): void {
    const at = this.open === 0 ? -1 : this.queue.findIndex(({ by }) => by === pid);
    if (at < 0) this.take(one);
    else this.queue.splice(at, 0, { record: copyOf(one), by: undefined });
  }

  /** Whether a thread is making a write. */
  isWriting(pid: number): boolean {
    return this.open > 0 && this.queue.some(({ by }) => by === pid);
  }

  /** A thread does something else: its write is complete. */
  boundary(pid: number): void {
    if (this.open === 0) return;
    const item = this.queue.find(({ by }) => by === pid);
    if (item === undefined) return;
    item.by = undefined;
    this.open--;
    this.flush();
  }

  /** Nothing follows. */
  end(): void {
    for (const item of this.queue) item.by = undefined;
    this.open = 0;
    this.flush();
  }

  private push(one: RecordBatch, by: number | undefined): void {
    this.queue.push({ record: copyOf(one), by });
  }

  /** Hands on what waits for nothing. */
  private flush(): void {
    const end = this.open === 0 ? this.queue.length : this.queue.findIndex(({ by }) => by !== undefined);
    for (const { record } of this.queue.splice(0, end)) this.out(record, 0);
  }
}

function copyOf(one: RecordBatch): RecordBatch {
  const copy = new RecordBatch(1);
  copy.copy(one, 0);
  return copy;
}
