// The world's faults, for every package: one class, a closed union of codes, and the place. Our own bugs are
// `invariant` failures instead, and a guest's misbehaviour is an event: neither is ever one of these.

/**
 * - `usage`: what was asked for makes no sense (exit code 2).
 * - `input`: a source (a log, a scenario) cannot be read as what it is said to be (exit code 2).
 * - `backend`: an implementation or a tool failed (exit code 3).
 * - `trace`: a trace is damaged, not a trace, or of a newer version (exit code 4).
 */
export type FaultCode = 'usage' | 'input' | 'backend' | 'trace';

export const EXIT_CODES: Readonly<Record<FaultCode, number>> = { usage: 2, input: 2, backend: 3, trace: 4 };

/** The exit code of a fault of gictrace itself. 0 and 1 are verdicts, never faults. */
export const FAULT_EXIT_CODE = 70;

export interface FaultPlace {
  readonly path?: string;
  /** Byte offset in the file. */
  readonly offset?: number;
  /** 1-based line of a text source. */
  readonly line?: number;
  /** Record number. */
  readonly record?: number;
}

/** A fault of the world. `message` says what; `place` where; `hint` how to go on. */
export class GicTraceError extends Error {
  override readonly name = 'GicTraceError';
  readonly code: FaultCode;
  readonly place: FaultPlace;
  readonly hint: string | undefined;

  constructor(code: FaultCode, message: string, place: FaultPlace = {}, hint?: string) {
    super(message);
    this.code = code;
    this.place = place;
    this.hint = hint;
  }

  /** What, where and how to fix it, on one line. */
  get line(): string {
    const { path, line, offset, record } = this.place;
    const where = [
      path,
      line && `line ${line}`,
      offset !== undefined && `byte ${offset}`,
      record !== undefined && `record ${record}`,
    ]
      .filter(Boolean)
      .join(', ');
    return `${where ? `${where}: ` : ''}${this.message}${this.hint ? ` (${this.hint})` : ''}`.replace(
      /\s*\n\s*/g,
      ' ',
    );
  }
}

/** Fails loudly if one of our own assumptions does not hold. Never stripped. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`);
}
