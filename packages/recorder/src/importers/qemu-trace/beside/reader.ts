// The reading side of an import: decompresses a log, turns its lines into groups of records, and finds out what the log
// contains at all. The other side takes the groups at the same time, based on what this side expects to find by the
// end, and returns buffers that it no longer needs. If the log turns out differently, the groups are void: either
// reading begins again, or the other side gets only what has been found out.
import type { MessagePort } from 'node:worker_threads';
import { Identity, type ImportOptions, type Provenance } from '../../common/identity.ts';
import { Losses } from '../../common/losses.ts';
import { openSource } from '../../common/source.ts';
import { Assembler } from '../assemble.ts';
import { LINE_KINDS } from '../events.ts';
import { LINES_WATCHED, Reading, surveying, taking } from '../reading.ts';
import { ResetSurvey } from '../resets.ts';
import { type LogSurvey, Survey } from '../survey.ts';
import type { ThreadPart } from '../threads.ts';
import { eventNames } from '../tokenize.ts';
import { type GroupBatch, GroupPacker } from './batches.ts';
import { type TimedLoss, TimedLosses } from './losses.ts';

/** What a reader is constructed with. */
export interface ReaderData {
  readonly path: string;
  readonly name: string;
  readonly options: ImportOptions;
  /** The address assumed for the command queue until the log reveals it. */
  readonly queue: number;
  /** The least number of lines read before groups begin; some thousands if absent. */
  readonly linesBefore?: number;
}

/** An object of a class without its methods, which is what another thread receives. */
export type Plain<T> = Partial<T>;

export type FromReader =
  /** Groups begin, or begin again; earlier groups are void. */
  | { readonly says: 'begin'; readonly identity: Plain<Identity>; readonly found: LogSurvey }
  /** The groups of this many lines. */
  | { readonly says: 'groups'; readonly batch: GroupBatch; readonly lines: number }
  /** The groups are void, and none follow. */
  | { readonly says: 'void' }
  | Ended
  | { readonly says: 'failed' };

/** The log has been read. */
export interface Ended {
  readonly says: 'ended';
  readonly identity: Plain<Identity>;
  readonly found: LogSurvey;
  readonly restarts: Plain<ResetSurvey>;
  readonly total: number;
  /** Set if groups were sent for the whole log, and the log was what was expected. */
  readonly taken: Taken | undefined;
}

export interface Taken {
  readonly provenance: Provenance;
  readonly events: Readonly<Record<string, number>>;
  readonly losses: readonly TimedLoss[];
  /** The line after which effects may be cut off by the end of the log. */
  readonly watchFrom: number;
}

/** A buffer that the other side no longer needs. */
export type ToReader = ArrayBuffer;

/** How many batches the other side may fall behind: some megabytes. */
const BATCHES_MAX = 6;
/** The number of lines between checks of what has been found out. */
const LOOK_LINES = 1024;
/** The least number of lines read before groups begin. */
const LINES_BEFORE = 4096;
/** How often groups may begin, and up to which line they may begin again. */
const BEGINNINGS = 4;
const LINES_AGAIN = 1 << 18;

/** What a log is expected to be. */
interface Expected {
  readonly identity: Identity;
  readonly found: LogSurvey;
  readonly signature: string;
  /** The number of lines that the expectation is based on. */
  readonly lines: number;
}

/** Thrown to read the log again from the beginning. */
class Again {
  readonly expected: Expected;
  constructor(expected: Expected) {
    this.expected = expected;
  }
}

/** Reads a log for the other end of a port. */
export async function serveReading(port: MessagePort, data: ReaderData): Promise<void> {
  try {
    await new Reader(port, data).run();
  } catch {
    // The other side reads the log itself and fails in the same way, at the same place.
    port.postMessage({ says: 'failed' } satisfies FromReader);
  } finally {
    port.close();
  }
}

class Reader {
  private readonly port: MessagePort;
  private readonly data: ReaderData;
  private readonly packer: GroupPacker;
  private batchesBehind = 0;
  private lines = 0;
  private wake: () => void = () => undefined;

  constructor(port: MessagePort, data: ReaderData) {
    this.port = port;
    this.data = data;
    this.packer = new GroupPacker((batch) => {
      this.batchesBehind++;
      this.tell({ says: 'groups', batch, lines: this.lines }, [batch.buffer]);
    });
    port.on('message', (buffer: ToReader) => {
      this.packer.giveBack(buffer);
      this.batchesBehind--;
      this.wake();
    });
  }

  async run(): Promise<void> {
    let expected: Expected | undefined;
    for (let beginnings = 0; ; beginnings++)
      try {
        if (expected !== undefined)
          this.tell({ says: 'begin', identity: { ...expected.identity }, found: expected.found });
        this.tell(await this.read(expected, beginnings < BEGINNINGS));
        return;
      } catch (error) {
        if (!(error instanceof Again)) throw error;
        expected = error.expected;
        this.packer.drop();
      }
  }

  /** Reads the log from the beginning. `mayBegin`: groups may begin, or begin again with another expectation. */
  private async read(expected: Expected | undefined, mayBegin: boolean): Promise<Ended> {
    const { options, linesBefore = LINES_BEFORE } = this.data;
    const lookLines = Math.min(LOOK_LINES, linesBefore);
    const identity = new Identity();
    const survey = new Survey();
    const restarts = new ResetSurvey();
    const { sink, ...how } = surveying(survey, restarts);
    const first = new Assembler(identity, new Losses(), sink, how);
    const losses = new TimedLosses();
    /** Whether groups are sent to the other side. */
    let sends = expected !== undefined;
    let end = 0;
    const ends = new Uint32Array(LINES_WATCHED);
    let known = 0;
    let changedAt = 0;
    let before = '';
    const signature = () => {
      identity.showShifted(survey.priorities.isShifted);
      return signatureOf(identity, survey, options);
    };
    const again = (mark: string, lines: number) =>
      new Again({ identity, found: survey.finish(first.counts, options.start), signature: mark, lines });
    /** Checks whether the expectation can still be right. */
    const look = (lines: number) => {
      if (!sends && expected !== undefined) return;
      const { start } = survey.soFar(first.counts, options.start);
      const isOrdinary = start === 'reset' && restarts.finish().length === 0;
      const now = signature();
      if (expected !== undefined) {
        if (isOrdinary && (lines < expected.lines || now === expected.signature)) return;
        if (isOrdinary && mayBegin && lines <= LINES_AGAIN) throw again(now, lines);
        sends = false;
        this.packer.drop();
        this.tell({ says: 'void' });
        return;
      }
      if (now !== before) changedAt = lines;
      before = now;
      if (mayBegin && isOrdinary && lines >= linesBefore && lines >= 2 * changedAt) throw again(now, lines);
    };
    const source = { name: this.data.name, open: () => this.paced() };
    const reading = new Reading([source], Identity.copyOf(expected?.identity), losses, {
      ...(expected === undefined
        ? {}
        : taking({ ...expected.found, ...ORDINARY }, NOTHING, [], this.data.queue)),
      sink: {
        group: (batch, isLast) => {
          if (!sends) return;
          losses.groups++;
          this.packer.group(batch, isLast, end);
        },
      },
      first: (token, lines) => {
        this.lines = end = lines;
        ends[known++ % LINES_WATCHED] = lines;
        first.line(token, lines);
        if (known % lookLines === 0) look(lines);
        return sends;
      },
      ended: () => {
        end = END;
      },
    });
    await reading.read();
    first.end();
    const total = reading.place.line;
    const found = survey.finish(first.counts, options.start);
    identity.showShifted(found.isShifted);
    const holds =
      sends &&
      expected !== undefined &&
      signature() === expected.signature &&
      isOrdinary(found) &&
      printsCommands(found, first.counts) &&
      ![...first.alone].some((sort) => found.withoutBad.has(sort)) &&
      restarts.finish().length === 0 &&
      sameParts(found.threads, expected.found.threads);
    if (holds) this.packer.flush();
    const watched = ends
      .subarray(0, Math.min(known, LINES_WATCHED))
      .filter((line) => line > total - LINES_WATCHED);
    return {
      says: 'ended',
      identity: { ...identity },
      found,
      restarts: { ...restarts },
      total,
      taken: holds
        ? {
            provenance: identity.decide(options).provenance,
            events: reading.stats(0).events,
            losses: losses.timed,
            watchFrom: watched.reduce((a, b) => Math.min(a, b), END),
          }
        : undefined,
    };
  }

  /** The bytes of the log; waits if the other side is too far behind. */
  private async *paced(): AsyncGenerator<Buffer> {
    for await (const chunk of openSource(this.data.path)) {
      yield chunk;
      while (this.batchesBehind >= BATCHES_MAX)
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }

  private tell(message: FromReader, transfer: ArrayBuffer[] = []): void {
    this.port.postMessage(message, transfer);
  }
}

/** A line number greater than any. */
const END = 0xffff_ffff;
const NOTHING = new Set<never>();

/** What commands are expected to be like. */
const ORDINARY = {
  start: 'reset',
  numbersCommands: true,
  printsOperands: true,
  withoutBad: new Set<number>(),
} as const;

/** Whether a log is imported in one pass: it begins with the reset of the GIC, and nothing is missing. */
const isOrdinary = ({ start, missing, doubtful, midLife }: LogSurvey) =>
  start === 'reset' && missing.size === 0 && doubtful.length === 0 && midLife === undefined;

/** Everything that has been found out and decides how lines are assembled, except how often threads named PEs. */
function signatureOf(identity: Identity, survey: Survey, options: ImportOptions): string {
  const { config } = identity.decide(options);
  const { highestPe, gicrBase, shown = 0 } = identity;
  return JSON.stringify([config, highestPe, [...gicrBase], shown, survey.threads.known]);
}

const COMMAND_LINES = eventNames.flatMap((name, index) =>
  name === 'gicv3_its_process_command' || LINE_KINDS[name]!.sort === 'entry' ? [index] : [],
);

/** Whether commands are printed with their slots and operands, or there are no commands. */
function printsCommands({ numbersCommands, printsOperands }: LogSurvey, counts: Uint32Array): boolean {
  return numbersCommands && (printsOperands || COMMAND_LINES.every((event) => counts[event] === 0));
}

function sameParts(parts: readonly ThreadPart[], others: readonly ThreadPart[]): boolean {
  const plain = (all: readonly ThreadPart[]) =>
    JSON.stringify(
      all.map(({ from, pes, byThreads }) => [from, byThreads, [...pes].sort(([a], [b]) => a - b)]),
    );
  return plain(parts) === plain(others);
}
