// The time at which an export places a record: the source's time, or the record's number if the source contains no times.
// Viewers need times that never go back. Records whose time is changed for this are counted.

export class ExportClock {
  /** `ns`: times of the source. `record`: the source contains no times, and record numbers are used. */
  readonly unit: 'ns' | 'record';
  /** Records without a time in a trace with times. They are placed at the time of the record before. */
  untimed = 0;
  /** Records with an earlier time than one before them. They are placed at the latest time so far. */
  late = 0;
  private latest = 0;

  constructor(timed: boolean) {
    this.unit = timed ? 'ns' : 'record';
  }

  /** The time of a record in nanoseconds. Must be called once for each record, in order. */
  at(record: number, timeNs: number): number {
    if (this.unit === 'record') {
      this.latest = record;
      return record;
    }
    const time = Math.round(timeNs);
    if (Number.isNaN(time)) this.untimed++;
    else if (time < this.latest) this.late++;
    else this.latest = time;
    return this.latest;
  }
}
