// Splits a line of ftrace's text, from tracefs or from trace-cmd report, into its parts. Does not know what events
// mean.

export interface FtraceLine {
  /** The task's name and its id. The id is 0 for an idle task, of which each CPU has one. */
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
  /** Whole seconds and nanoseconds; NaN if the trace's clock does not count seconds. */
  readonly seconds: number;
  readonly nanos: number;
  readonly event: string;
  readonly text: string;
}

// comm-pid (tgid) [cpu] flags time: event: text. tgid and flags may be missing; comm may hold blanks and hyphens.
const LINE =
  /^\s*(.+)-(\d+)\s+(?:\(\s*[-\d]+\)\s+)?\[(\d+)\]\s+(?:[^\s:]{3,6}\s+)?(\d+)(?:\.(\d{6}|\d{9}))?:\s+(\w+):\s*(.*)$/;
const LOST = /^CPU:\s*(\d+) \[(?:LOST (\d+) EVENTS|(\d+) EVENTS DROPPED)\]/;
const ENTRIES = /^#\s*entries-in-buffer\/entries-written:\s*(\d+)\/(\d+)/;
/** What tracefs and trace-cmd print besides events. */
const CHATTER = /^(#|cpus=\d|version\s*=|CPU \d+ is empty|CPU:\d+ \[|\s*$|##### CPU \d+ buffer started ####)/;

/** The parts of an event's line; undefined for any other line. */
export function parseLine(line: string): FtraceLine | undefined {
  const parts = LINE.exec(line);
  if (parts === null) return undefined;
  const [, comm, pid, cpu, whole, fraction, event, text] = parts;
  return {
    comm: comm!.trim(),
    pid: Number(pid),
    cpu: Number(cpu),
    seconds: fraction === undefined ? Number.NaN : Number(whole),
    nanos: fraction === undefined ? 0 : Number(fraction.padEnd(9, '0')),
    event: event!,
    text: text!.trim(),
  };
}

/** The number of lost events that a line reports: lost on a CPU, or overwritten before the trace was read. */
export function lostEvents(line: string): number {
  const lost = LOST.exec(line);
  if (lost !== null) return Number(lost[2] ?? lost[3]);
  const entries = ENTRIES.exec(line);
  return entries === null ? 0 : Math.max(0, Number(entries[2]) - Number(entries[1]));
}

/** Whether a line is one that tracefs or trace-cmd prints around the events. */
export function isChatter(line: string): boolean {
  return CHATTER.test(line);
}
