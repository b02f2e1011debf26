// What brought something about: a record that somebody's access or command is, or what was left out. Shared by the causes of
// blocked interrupts and of dropped messages.
import type { ExecutedCommand } from './commands.ts';
import type { Gather } from './gather.ts';
import type { Change } from './tracks.ts';

/** What brought an incident about. `M`: what can be missing. */
export interface Cause<M = Missing> {
  /** The record to name: what somebody did; -1 if there is none, because something was left out or is not in the source. */
  readonly record: number;
  /** Other records of the same cause, such as the write that made an ITS execute a command. An answer names each once. */
  readonly also: readonly number[];
  /** What it did, as a clause whose subject is the record; if `record` is -1, a whole clause. */
  readonly what: string;
  /** Something that should have happened and did not. */
  readonly missing: M | undefined;
}

/** What is missing, in a form that can be put into the trace to see whether it helps. */
export type Missing =
  | { readonly what: 'EOI'; readonly pe: number; readonly intid: number }
  | { readonly what: 'INV'; readonly pe: number; readonly intid: number }
  | { readonly what: 'enable'; readonly pe: number; readonly intid: number }
  | { readonly what: 'other' };

export const NOT_IN_SOURCE = 'the source does not contain it';
export const NO_RECORDS: readonly number[] = [];

/** A cause that is no record of the trace. */
export function noRecord<M = Missing>(what: string, missing?: M): Cause<M> {
  return { record: -1, also: NO_RECORDS, what, missing };
}

/** The record that wrote a command into its queue, and the one that made the ITS execute it. */
export function recordsOfCommand(command: ExecutedCommand): Pick<Cause, 'record' | 'also'> {
  return command.queued < 0
    ? { record: command.record, also: NO_RECORDS }
    : { record: command.queued, also: [...command.stores.slice(1), command.record] };
}

/** The records of a change: those of the ITS command if one made it. */
export function recordsOfChange(g: Gather, change: Change): Pick<Cause, 'record' | 'also'> {
  return change.command < 0
    ? { record: change.record, also: NO_RECORDS }
    : recordsOfCommand(g.commands.all[change.command]!);
}

/**
 * A change as a cause. If the state has been like this since the trace began, that is what `never` says, and the cause is
 * the last write that could have changed it, if there was one: `written`.
 */
export function causeOf(
  g: Gather,
  change: Change | undefined,
  what: string,
  never: string,
  written = -1,
  missing?: Missing,
): Cause {
  if (change === undefined || change.record < 0) {
    const since = `${never} since the trace began`;
    return written < 0
      ? noRecord(since, missing ?? { what: 'other' })
      : {
          record: written,
          also: NO_RECORDS,
          what: `leaves it so: ${since}`,
          missing: missing ?? { what: 'other' },
        };
  }
  return { ...recordsOfChange(g, change), what, missing: undefined };
}

/** A command as a cause. */
export function causedBy(command: ExecutedCommand, what: string): Cause {
  return { ...recordsOfCommand(command), what, missing: undefined };
}
