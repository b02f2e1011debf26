// The lowest number that is free, as for the tracks of slices that overlap: a heap, since there may be as many as LPIs that are
// pending at once.

/** Numbers from 0, of which each is taken or free. */
export class LowestFree {
  /** Numbers below this have been taken before. */
  private next = 0;
  /** Those of them that are free: a binary heap, whose root is the lowest. */
  private readonly heap: number[] = [];

  /** Takes the lowest free number. */
  take(): number {
    const { heap } = this;
    const lowest = heap[0];
    if (lowest === undefined) return this.next++;
    const last = heap.pop()!;
    if (heap.length > 0) this.sink(last);
    return lowest;
  }

  /** Frees a number that is taken. */
  free(number: number): void {
    const { heap } = this;
    let at = heap.length;
    for (let above: number; at > 0 && heap[(above = (at - 1) >> 1)]! > number; at = above)
      heap[at] = heap[above]!;
    heap[at] = number;
  }

  /** Puts a number in the place of the root. */
  private sink(number: number): void {
    const { heap } = this;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]! < heap[below]!) below++;
      if (heap[below]! >= number) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = number;
  }
}
