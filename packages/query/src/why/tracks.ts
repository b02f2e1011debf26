// Values over a trace: at which record each took which value. It knows no model.

/** A change of a value: the stimulus that made it, and the ITS command of that stimulus that did, if one did. */
export interface Change {
  /** The stimulus; -1 if the value is that at the beginning of the trace. */
  readonly record: number;
  readonly value: number;
  /** The command, by its place in the log of commands; -1 if none. */
  readonly command: number;
}

/** One value over a trace. */
export class Track {
  private readonly changes: Change[] = [];

  /** Notes the value after a stimulus; the same value again is no change. */
  set(record: number, value: number, command = -1): void {
    const last = this.changes.at(-1);
    if (last !== undefined && last.value === value) return;
    if (last !== undefined && last.record === record) this.changes.pop();
    if (this.changes.at(-1)?.value === value) return;
    this.changes.push({ record, value, command });
  }

  /** The place of the change that is in force after stimulus `record`; -1 if there is none. */
  private placeAt(record: number): number {
    let low = 0;
    let high = this.changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.changes[middle]!.record <= record) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The change that is in force after stimulus `record`. */
  at(record: number): Change | undefined {
    return this.changes[this.placeAt(record)];
  }

  /** The value after stimulus `record`; undefined if it is not known by then. */
  valueAt(record: number): number | undefined {
    return this.at(record)?.value;
  }

  /** The change since which `holds` has been true, up to stimulus `record`; undefined if it is not true then. */
  since(record: number, holds: (value: number) => boolean): Change | undefined {
    let found: Change | undefined;
    for (let k = this.placeAt(record); k >= 0; k--) {
      const change = this.changes[k]!;
      if (!holds(change.value)) return found;
      found = change;
    }
    return found;
  }

  /** The last change before another one whose value fits. */
  lastBefore(change: Change, fits: (value: number) => boolean): Change | undefined {
    const place = this.changes.indexOf(change);
    return this.changes.slice(0, Math.max(0, place)).findLast(({ value }) => fits(value));
  }

  /** The value before the change at `record`; undefined if there is none. */
  before(change: Change): number | undefined {
    return this.changes[this.changes.indexOf(change) - 1]?.value;
  }

  /** The changes after stimulus `from` up to stimulus `to`, the initial value left out. */
  within(from: number, to: number): readonly Change[] {
    return this.changes
      .slice(this.placeAt(from) + 1, this.placeAt(to) + 1)
      .filter(({ record }) => record >= 0);
  }

  get last(): Change | undefined {
    return this.changes.at(-1);
  }
}

/** Tracks by name. */
export class Tracks {
  private readonly byName = new Map<string, Track>();

  set(name: string, record: number, value: number, command = -1): void {
    this.of(name).set(record, value, command);
  }

  /** The track of this name, which from now on exists. */
  of(name: string): Track {
    let track = this.byName.get(name);
    if (track === undefined) {
      track = new Track();
      this.byName.set(name, track);
    }
    return track;
  }

  /** The track of this name; one without values if nothing set it. */
  get(name: string): Track {
    return this.byName.get(name) ?? EMPTY;
  }
}

const EMPTY = new Track();

/**
 * The tracks of the conditions of interrupts, each found by its name once: the conditions are looked at with each event of an
 * interrupt, and a timer has millions of them.
 */
export class ConditionTracks {
  private readonly byPe: Map<number, readonly Track[]>[] = [];
  private readonly tracks: Tracks;
  private readonly namesOf: (intid: number, pe: number) => readonly string[];

  /** `namesOf` gives the names of the tracks of an interrupt for a PE, in the order of its conditions. */
  constructor(tracks: Tracks, namesOf: (intid: number, pe: number) => readonly string[]) {
    this.tracks = tracks;
    this.namesOf = namesOf;
  }

  /** Notes the conditions of an interrupt for a PE after stimulus `record`. */
  set(intid: number, pe: number, record: number, values: readonly number[], command = -1): void {
    this.byPe[pe] ??= new Map();
    const byIntid = this.byPe[pe]!;
    let tracks = byIntid.get(intid);
    if (tracks === undefined) {
      tracks = this.namesOf(intid, pe).map((name) => this.tracks.of(name));
      byIntid.set(intid, tracks);
    }
    for (let k = 0; k < tracks.length; k++) tracks[k]!.set(record, values[k]!, command);
  }
}
