// Slices that overlap, on as many tracks as are needed. Slices on a track must nest, but neither EOIs nor pending interrupts
// do, so one that begins while others last is on another track.
import { LowestFree } from './lowest-free.ts';
import type { Annotations, Flow, PerfettoWriter } from './perfetto-writer.ts';

/** The tracks of a process. */
interface Tracks {
  readonly of: number[];
  /** Which of them have no slice. */
  readonly numbers: LowestFree;
}

interface Place {
  readonly tracks: Tracks;
  readonly number: number;
}

export class OverlappingSlices<Key extends object> {
  /** How many slices began. */
  count = 0;
  private readonly writer: PerfettoWriter;
  private readonly name: string;
  /** By process. */
  private readonly tracks = new Map<number, Tracks>();
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
    this.tracks.set(process, { of: [this.writer.track(process, this.name)], numbers: new LowestFree() });
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
    if (!this.tracks.has(process)) this.declare(process);
    const tracks = this.tracks.get(process)!;
    const number = tracks.numbers.take();
    if (number === tracks.of.length)
      tracks.of.push(this.writer.track(process, `${this.name}, beside ${number}`));
    this.running.set(key, { tracks, number });
    this.count++;
    this.writer.begin(tracks.of[number]!, time, name, category, more, flow);
  }

  /** Ends the slice of `key`, if it has begun. */
  end(key: Key, time: number, more: Annotations): void {
    const place = this.running.get(key);
    if (place === undefined) return;
    this.running.delete(key);
    const { tracks, number } = place;
    tracks.numbers.free(number);
    this.writer.end(tracks.of[number]!, time, more);
  }
}
