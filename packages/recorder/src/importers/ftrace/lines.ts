// Splits a line of ftrace's text into its parts, whichever tool printed it: tracefs (`trace`, `trace_pipe`, latency format,
// the function_graph tracer), `trace-cmd report`, `perf script`, `perf trace`. Does not know what events mean.

export interface FtraceLine {
  /** The task's name; empty if the line does not show it. */
  readonly comm: string;
  /** The task's id; 0 for an idle task, of which each CPU has one; -1 if the line does not show it. */
  readonly pid: number;
  /** The id of its process; -1 if the line does not show it. */
  readonly tgid: number;
  /** -1 if the line does not show it. */
  readonly cpu: number;
  /** Whole seconds and nanoseconds; NaN if the clock of the trace does not count seconds. */
  readonly seconds: number;
  readonly nanos: number;
  readonly event: string;
  readonly text: string;
}

/** The formats in which events are printed. */
export type LineFormat = 'ftrace' | 'latency' | 'trace-cmd latency' | 'perf script' | 'perf trace' | 'graph';

/** No header of a line is longer. Expressions are run on this many characters only, since a log may hold lines of 1 MB. */
const HEADER_MAX = 300;
/** The kernel prints at most a page or two of an event (TRACE_SEQ_BUFFER_SIZE). */
const TEXT_MAX = 8192;
const TIME = String.raw`(\d{1,12})(?:\.(\d{6}|\d{9}))?`;
// comm-pid (tgid) [cpu] flags time: event: text. tgid and flags may be missing; comm may hold blanks and hyphens.
// PREEMPT_RT and lazy preemption add flags: there are 4 to 8 of them.
const FTRACE = new RegExp(
  String.raw`^(.{1,80}?)-(\d{1,10})\s+(?:\(\s*(\d{1,10}|-+)\)\s+)?\[(\d{1,5})\]\s+(?:[^\s:\d[]\S{2,9}\s+|[^\s:]{3,9}\s+(?=\S+:\s))?${TIME}:\s+(\w{1,80}):\s*`,
);
// Latency format: comm-pid cpu+flags time-in-us+mark: event: text. comm is cut to 8 characters.
const LATENCY =
  /^(.{1,80}?)-(\d{1,10})\s+(\d{1,5})([^\s:\d]\S{2,8})\s+(-?\d{1,15})us\s?[+!#*@$ ]?\s?:\s+(\w{1,80}):\s*/;
// The same by trace-cmd report -l, with the time in seconds.
const TRACE_CMD_LATENCY = new RegExp(
  String.raw`^(.{1,80}?)-(\d{1,10})\s+(\d{1,5})([^\s:\d]\S{2,8})\s+${TIME}:\s+(\w{1,80}):\s*`,
);
// perf script: comm pid/tid [cpu] time: count group:event: text. pid/ and the count may be missing.
const PERF_SCRIPT = new RegExp(
  String.raw`^(.{1,80}?)\s+(?:(\d{1,10})\/\s*)?(\d{1,10})\s+\[(\d{1,5})\]\s+${TIME}:\s+(?:\d{1,15}\s+)?\w{1,60}:(\w{1,80}):\s*`,
);
// perf trace: time-in-ms (duration) comm/tid group:event(fields)
const PERF_TRACE =
  /^(\d{1,15})\.(\d{3})\s+(?:\([^)]{0,24}\):?\s+)?(.{0,80}?)\/(\d{1,10})\s+\w{1,60}:(\w{1,80})\((.*)\)\s*$/;
// function_graph: abstime | cpu) comm-pid | duration | /* event: text */. Which columns there are depends on its options.
const GRAPH =
  /^(?:(\d{1,12})\.(\d{6}) \|\s*)?(\d{1,5})\)\s*(?:(\S.{0,80}?)-(\d{1,10})\s+\|)?[^/]{0,200}\/\*\s(\w{1,80}):\s*/;
/** function_graph: from here on the CPU runs another task. */
const GRAPH_SWITCH = /^(\d{1,5})\)\s+\S.{0,80}?-\d{1,10}\s+=>\s+(\S.{0,80}?)-(\d{1,10})\s*$/;
/** trace-cmd names the tracing instance before each line, if there are several. */
const INSTANCE = /^[\w.-]{1,64}:\s+(?=\S.{0,90}-\d{1,10}\s+[([\d])/;

const LOST = /^CPU:?\s*(\d+)\s*\[(?:LOST (\d+) EVENTS|(\d+) EVENTS DROPPED|LOST EVENTS|EVENTS DROPPED)\]/;
const LOST_PERF = /\bLOST (\d+) events\b|\bPERF_RECORD_LOST(?:_SAMPLES)?\b.*?\blost\s+(\d+)/;
const ENTRIES = /^#\s*entries-in-buffer\/entries-written:\s*(\d+)\/(\d+)/;
/** What tracefs, trace-cmd and perf print besides events. */
const CHATTER =
  /^(#|cpus=\d|version\s*=|CPU \d+ is empty|CPU:\d+ \[|\s*$|##### CPU \d+ buffer started ####|\s*-{10,}\s*$|\s*\d+\)\s.*=>)/;
/** A line of a stack trace, by the stacktrace option, userstacktrace, or perf script. */
const STACK = /^\s*=>|<(?:user )?stack trace\s*>|^\s+[0-9a-f]{6,16}\s+\S.*\(\S+\)\s*$/;
const GRAPH_FUNCTION =
  /^\s*(?:\d+\.\d+ \|\s*)?\d+\)\s.*[|](?:\s.*)?[;{}]|^\s*(?:\d+\.\d+ \|\s*)?\d+\)\s.*[|;{}]/;

/** Reads the lines of one log: remembers which format fits, and for function_graph which task each CPU runs. */
export class LineReader {
  /** The format of the last event. */
  format: LineFormat = 'ftrace';
  private readonly running = new Map<number, { readonly comm: string; readonly pid: number }>();

  /** The parts of an event's line; undefined for any other line. */
  parse(whole: string): FtraceLine | undefined {
    const line = whole.trimStart();
    const first = line.charCodeAt(0);
    // Most other lines are recognised by how they begin.
    if (Number.isNaN(first) || first === HASH || line.startsWith('=>')) return undefined;
    const found = this.as(this.format, line);
    if (found !== undefined) return found;
    for (const format of FORMATS) {
      if (format === this.format) continue;
      const other = this.as(format, line);
      if (other === undefined) continue;
      this.format = format;
      return other;
    }
    this.switched(line);
    return undefined;
  }

  private as(format: LineFormat, line: string): FtraceLine | undefined {
    const head = line.length > HEADER_MAX ? line.slice(0, HEADER_MAX) : line;
    switch (format) {
      case 'ftrace': {
        const start = instanceLength(head);
        const parts = FTRACE.exec(start === 0 ? head : head.slice(start));
        if (parts === null) return undefined;
        const [all, comm, pid, tgid, cpu, seconds, fraction, event] = parts;
        return lineOf(comm!, pid, tgid, cpu, seconds!, fraction, event!, line.slice(start + all.length));
      }
      case 'trace-cmd latency': {
        const start = instanceLength(head);
        const parts = TRACE_CMD_LATENCY.exec(start === 0 ? head : head.slice(start));
        if (parts === null) return undefined;
        const [all, comm, pid, cpu, , seconds, fraction, event] = parts;
        const text = line.slice(start + all.length);
        return lineOf(comm!, pid, undefined, cpu, seconds!, fraction, event!, text);
      }
      case 'latency': {
        const parts = LATENCY.exec(head);
        if (parts === null) return undefined;
        const [all, comm, pid, cpu, , us, event] = parts;
        return {
          ...lineOf(comm!, pid, undefined, cpu, '0', '000000', event!, line.slice(all.length)),
          ...timeOf(BigInt(us!) * 1000n),
        };
      }
      case 'perf script': {
        const parts = PERF_SCRIPT.exec(head);
        if (parts === null) return undefined;
        const [all, comm, tgid, pid, cpu, seconds, fraction, event] = parts;
        return lineOf(comm!, pid, tgid, cpu, seconds!, fraction, event!, line.slice(all.length));
      }
      case 'perf trace': {
        const parts = line.length > 10 * HEADER_MAX ? null : PERF_TRACE.exec(line);
        if (parts === null) return undefined;
        const [, ms, us, comm, tid, event, text] = parts;
        // A task without a name has its id as its name, after a colon.
        const name = comm!.startsWith(':') ? '' : comm!;
        return {
          ...lineOf(name, tid, undefined, undefined, '0', '000000', event!, text!),
          ...timeOf(BigInt(ms! + us!) * 1000n),
        };
      }
      case 'graph': {
        const parts = GRAPH.exec(head);
        if (parts === null) return undefined;
        const [all, seconds, fraction, cpu, comm, pid, event] = parts;
        const task = pid === undefined ? this.running.get(Number(cpu)) : undefined;
        const rest = line.slice(all.length);
        const end = rest.indexOf('*/');
        const text = end < 0 ? rest : rest.slice(0, end);
        return {
          ...lineOf(
            task?.comm ?? comm ?? '',
            pid ?? task?.pid.toString(),
            undefined,
            cpu,
            seconds ?? '0',
            fraction,
            event!,
            text,
          ),
          ...(seconds === undefined ? { seconds: Number.NaN, nanos: 0 } : {}),
        };
      }
    }
  }

  private switched(line: string): void {
    const parts = line.length > HEADER_MAX ? null : GRAPH_SWITCH.exec(line);
    if (parts !== null) this.running.set(Number(parts[1]), { comm: parts[2]!.trim(), pid: Number(parts[3]) });
  }
}

const HASH = 0x23;
const FORMATS: readonly LineFormat[] = [
  'ftrace',
  'trace-cmd latency',
  'latency',
  'perf script',
  'perf trace',
  'graph',
];

/** The parts of an event's line in any format; undefined for any other line. */
export function parseLine(line: string): FtraceLine | undefined {
  return new LineReader().parse(line);
}

/** How many characters of a line name the tracing instance. */
function instanceLength(head: string): number {
  return INSTANCE.exec(head)?.[0].length ?? 0;
}

const numberOr = (text: string | undefined, other: number) =>
  text === undefined || !/^\d/.test(text) ? other : Number(text);

function lineOf(
  comm: string,
  pid: string | undefined,
  tgid: string | undefined,
  cpu: string | undefined,
  seconds: string,
  fraction: string | undefined,
  event: string,
  text: string,
): FtraceLine {
  return {
    comm: comm.trim(),
    pid: numberOr(pid, -1),
    tgid: numberOr(tgid, -1),
    cpu: numberOr(cpu, -1),
    seconds: fraction === undefined ? Number.NaN : Number(seconds),
    nanos: fraction === undefined ? 0 : Number(fraction.padEnd(9, '0')),
    event,
    text: text.slice(0, TEXT_MAX).trim(),
  };
}

function timeOf(ns: bigint): { seconds: number; nanos: number } {
  return { seconds: Number(ns / 1_000_000_000n), nanos: Number(ns % 1_000_000_000n) };
}

/** Events that a line reports as lost. */
export interface LostEvents {
  /** The CPU that lost them; -1 if the line does not show it. */
  readonly cpu: number;
  /** How many; 0 if the line does not show it. */
  readonly count: number;
  /** They were lost before the first line: overwritten before the trace was read. */
  readonly isBefore: boolean;
}

/** What a line reports as lost: on a CPU, or overwritten before the trace was read. */
export function lostEvents(line: string): LostEvents | undefined {
  const head = line.slice(0, HEADER_MAX);
  const lost = LOST.exec(head);
  if (lost !== null) return { cpu: Number(lost[1]), count: Number(lost[2] ?? lost[3] ?? 0), isBefore: false };
  const perf = head.includes('LOST') ? LOST_PERF.exec(head) : null;
  if (perf !== null) return { cpu: -1, count: Number(perf[1] ?? perf[2]), isBefore: false };
  const entries = ENTRIES.exec(head);
  const count = entries === null ? 0 : Math.max(0, Number(entries[2]) - Number(entries[1]));
  return count > 0 ? { cpu: -1, count, isBefore: true } : undefined;
}

/** What a line is that is no event: printed around the events, part of a stack trace, of a traced function, or neither. */
export function otherLine(line: string): 'around' | 'stack' | 'function' | 'unknown' {
  const head = line.slice(0, HEADER_MAX);
  if (CHATTER.test(head) || lostEvents(head) !== undefined) return 'around';
  if (STACK.test(head)) return 'stack';
  return GRAPH_FUNCTION.test(head) ? 'function' : 'unknown';
}
