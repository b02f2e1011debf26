// Slices that overlap, on as many tracks as are needed. Slices on a track must nest, but neither EOIs nor pending interrupts
// do, so one that begins while others last is on another track.
import type { Annotations, Flow, PerfettoWriter } from './perfetto-writer.ts';

interface Place {
  readonly track: number;
  isFree: boolean;
}

export class OverlappingSlices<Key extends object> {
  /** How many slices began. */
  count = 0;
  private readonly writer: PerfettoWriter;
  private readonly name: string;
  /** By process. */
  private readonly places = new Map<number, Place[]>();
  private readonly running = new Map<Key, Place>();

  /** @param name of the first track; the others are called `name, beside k` */
  constructor(writer: PerfettoWriter, name: string) {
    this.writer = writer;
    this.name = name;
  }

  /** How many slices have not ended. */
  get unfinished(): number {
    return this.running.size;
  }

  /** Declares the first track of a process. */
  declare(process: number): void {
    this.places.set(process, [{ track: this.writer.track(process, this.name), isFree: true }]);
  }

  /** Begins the slice of `key`, unless it has begun. */
  begin(
    process: number,
    key: Key,
    time: number,
    name: string,
    category: string,
    more: Annotations,
    flow?: Flow,
  ): void {
    if (this.running.has(key)) return;
    if (!this.places.has(process)) this.declare(process);
    const places = this.places.get(process)!;
    let place = places.find(({ isFree }) => isFree);
    if (place === undefined) {
      place = { track: this.writer.track(process, `${this.name}, beside ${places.length}`), isFree: true };
      places.push(place);
    }
    place.isFree = false;
    this.running.set(key, place);
    this.count++;
    this.writer.begin(place.track, time, name, category, more, flow);
  }

  /** Ends the slice of `key`, if it has begun. */
  end(key: Key, time: number, more: Annotations): void {
    const place = this.running.get(key);
    if (place === undefined) return;
    this.running.delete(key);
    place.isFree = true;
    this.writer.end(place.track, time, more);
  }
}
