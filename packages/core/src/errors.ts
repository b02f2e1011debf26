// Errors with causes outside gictrace, for every package: one class, a closed union of codes, and the place. Bugs in
// gictrace are `invariant` failures instead, and a guest's misbehaviour is an event.

/**
 * - `usage`: the request makes no sense (exit code 2).
 * - `input`: a source (a log, a scenario) cannot be read in the format that it is said to have (exit code 2).
 * - `backend`: an implementation or a tool failed (exit code 3).
 * - `trace`: a trace is damaged, not a trace, or of a newer version (exit code 4).
 * - `limit`: a trace or a log demands more than a limit that the message names (exit code 4).
 */
export type FaultCode = 'usage' | 'input' | 'backend' | 'trace' | 'limit';

export const EXIT_CODES: Readonly<Record<FaultCode, number>> = {
  usage: 2,
  input: 2,
  backend: 3,
  trace: 4,
  limit: 4,
};

/** The exit code for a bug in gictrace. Exit codes 0 and 1 are verdicts, never errors. */
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

/** An error with a cause outside gictrace. `message` says what is wrong, `place` where, and `hint` how to fix it. */
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

  /** Message, place and hint on one line. */
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
      /\s+/g,
      (gap) => (gap.includes('\n') ? ' ' : gap),
    );
  }
}

/** A limit, or bad input, with a place for what its own place lacks; any other error as it is. */
export function atPlace(error: unknown, place: FaultPlace): unknown {
  if (!(error instanceof GicTraceError) || (error.code !== 'limit' && error.code !== 'input')) return error;
  return new GicTraceError(error.code, error.message, { ...place, ...error.place }, error.hint);
}

/** Throws if an assumption of gictrace itself does not hold. It is never stripped from builds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`);
}
