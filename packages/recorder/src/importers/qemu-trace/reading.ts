// Reads the lines of QEMU trace logs and has them assembled into groups of records. Learns nothing from them.
import { GicTraceError } from '@gictrace/core';
import type { Identity } from '../common/identity.ts';
import type { ImportStats } from '../common/import-stats.ts';
import type { Missing } from '../common/learn/unknowns.ts';
import { eachLine } from '../common/lines.ts';
import type { Losses } from '../common/losses.ts';
import { Assembler, type AssemblerOptions, type MachineReset } from './assemble.ts';
import { GIC_PREFIX } from './events.ts';
import type { GroupSink } from './group.ts';
import type { ResetSurvey } from './resets.ts';
import type { LogSurvey, Survey } from './survey.ts';
import { eventNames, newToken, type Token, tokenize } from './tokenize.ts';

/** A log with no line about a GIC among this many first lines comes from another tool. */
const FOREIGN_MAX = 200_000;
/** The number of lines before the end of a log in which effects may be cut off. */
export const LINES_WATCHED = 400;

/** One log, whose bytes can be read again from the beginning. */
export interface LogSource {
  readonly name: string;
  open(): AsyncIterable<Buffer>;
}

/** How lines are assembled in a first reading. */
export function surveying(
  survey: Survey,
  restarts: ResetSurvey,
): AssemblerOptions & { readonly sink: GroupSink } {
  return {
    sink: {
      group: (batch) => {
        survey.group(batch);
        restarts.group(batch);
      },
    },
    threadSurvey: survey.threads,
    pastInterrupt: () => survey.pastInterrupt(),
  };
}

/**
 * How lines are assembled after a survey. `queue`: the address assumed for the command queue until the log reveals it.
 */
export function taking(
  found: LogSurvey,
  missing: ReadonlySet<Missing>,
  resets: readonly MachineReset[],
  queue: number,
): AssemblerOptions {
  return {
    threads: found.threads,
    withoutBad: found.withoutBad,
    resets,
    fromReset: found.start === 'reset',
    queue,
    unwritten: missing.has('GITS writes'),
    unnumbered: !found.numbersCommands,
    unprinted: !found.printsOperands,
  };
}

export interface ReadingOptions extends AssemblerOptions {
  readonly sink: GroupSink;
  readonly progress?: (lines: number) => void;
  /** Called after each line about a GIC. */
  readonly line?: (lines: number) => void;
  /** Called with each line about a GIC first. Returns whether the line is to be assembled. */
  readonly first?: (token: Token, lines: number) => boolean;
  /** Called after the last line. */
  readonly ended?: () => void;
}

/** Reads logs, line by line, into groups of records. */
export class Reading {
  readonly assembler: Assembler;
  private readonly sources: readonly LogSource[];
  private readonly losses: Losses;
  private readonly options: ReadingOptions;
  private readonly token = newToken();
  private name = '';
  private lines = 0;
  private known = 0;

  constructor(sources: readonly LogSource[], identity: Identity, losses: Losses, options: ReadingOptions) {
    this.sources = sources;
    this.losses = losses;
    this.options = options;
    this.assembler = new Assembler(identity, losses, options.sink, options);
  }

  /** The current position: file and line. */
  get place(): { readonly path: string; readonly line: number } {
    return { path: this.name, line: this.lines };
  }

  async read(): Promise<void> {
    for (const [n, source] of this.sources.entries()) {
      this.name = source.name;
      const [lines, known] = [this.lines, this.known];
      if (n > 0) this.assembler.boundary();
      await eachLine(source.open(), (bytes, from, to) => this.line(bytes, from, to)).catch(
        (error: unknown) => {
          if (error instanceof GicTraceError && error.place.path === undefined)
            throw new GicTraceError(error.code, error.message, { path: this.name }, error.hint);
          throw error;
        },
      );
      if (this.lines === lines)
        throw new GicTraceError(
          'input',
          'is empty',
          { path: this.name },
          'record with qemu -trace "gicv3_*" -D FILE',
        );
      if (this.known === known) throw notALog(this.name, '');
    }
    this.options.ended?.();
    this.assembler.end();
    const { malformed, firstMalformed } = this.assembler;
    if (malformed > 0)
      this.losses.add(`lines cut or malformed, the first at line ${firstMalformed}`, malformed);
  }

  private line(bytes: Buffer, from: number, to: number): void {
    const { token } = this;
    const lines = ++this.lines;
    tokenize(bytes, from, to, token);
    if (token.kind !== undefined) {
      this.known++;
      if (this.options.first?.(token, lines) !== false) {
        this.assembler.line(token, lines);
        this.options.line?.(lines);
      }
    } else if (to > from) {
      const word = bytes.toString('latin1', token.nameFrom, Math.min(token.nameTo, token.nameFrom + 60));
      if (word.startsWith(GIC_PREFIX) && !word.endsWith(':')) this.losses.add(`event ${word}: not read`);
      else if (word.startsWith(GIC_PREFIX))
        this.losses.add('messages of QEMU about the guest (-d guest_errors)');
      else this.losses.add('lines of other events or of the guest');
      if (this.known === 0 && lines > FOREIGN_MAX) throw notALog(this.name, 'in its first lines');
    }
    if ((lines & 0xffff) === 0) this.options.progress?.(lines);
  }

  stats(records: number): ImportStats {
    const { counts } = this.assembler;
    const events: Record<string, number> = {};
    eventNames.forEach((event, index) => {
      if (counts[index]! > 0) events[event] = counts[index]!;
    });
    return { lines: this.lines, records, events, losses: Object.fromEntries(this.losses.counts) };
  }
}

function notALog(path: string, where: string): GicTraceError {
  return new GicTraceError(
    'input',
    `has no line of a gicv3_ event${where ? ` ${where}` : ''}: it is not a QEMU trace log of a GICv3`,
    { path },
    'record with qemu -trace "gicv3_*" -trace "memory_region_ops_*" -D FILE',
  );
}
