// The time at which an export shows a record: what the source tells, or the record's number where it tells no times.
// Viewers want times that never go back; what was changed for that is counted.

export class ExportClock {
  /** ns: times of the source. record: there are none, the number of the record stands for the time. */
  readonly unit: 'ns' | 'record';
  /** Records without a time in a trace with times: shown at the time before. */
  untimed = 0;
  /** Records with an earlier time than one before them: shown at the latest time before. */
  late = 0;
  private latest = 0;

  constructor(timed: boolean) {
    this.unit = timed ? 'ns' : 'record';
  }

  /** The time of a record, in nanoseconds. Each record is asked for once, in order. */
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
