// The commands that the ITSs of a trace executed, with the record that wrote each into the queue and the record that made
// the ITS execute it.

import type { GicState } from '@gictrace/core/model';
import { KIND, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { decodeCommand, fieldReader, GITS, ITS_OUTCOMES, isRefused, outcomeName } from '@gictrace/core/spec';

const queueAddress = fieldReader(GITS.GITS_CBASER, 'Physical_Address');
const queuePages = fieldReader(GITS.GITS_CBASER, 'Size');
const COMMAND_BYTES = 32;
const QUEUE_PAGE_BYTES = 4096;

export interface ExecutedCommand {
  /** The stimulus that made the ITS execute it. */
  readonly record: number;
  /** The record that wrote it into the queue, or the first of those that did; -1 if the trace does not contain it. */
  readonly queued: number;
  /** All records that wrote it into the queue: one, or one for each doubleword. */
  readonly stores: readonly number[];
  readonly its: number;
  readonly slot: number;
  /** Its name; the opcode in hex if it is not a valid one; `unknown` if the source does not contain it. */
  readonly name: string;
  readonly operands: Readonly<Record<string, number>>;
  readonly outcome: string;
  readonly refused: boolean;
  /** Refused, or without an effect that the source contains. */
  readonly failed: boolean;
}

/** A command in a queue that its ITS has not executed. */
export interface NeverExecuted {
  readonly record: number;
  /** The reset of the GIC until which it waited; infinite if that was the end of the trace. */
  readonly until: number;
  readonly its: number;
  readonly name: string;
  readonly operands: Readonly<Record<string, number>>;
}

export class CommandLog {
  readonly all: ExecutedCommand[] = [];
  /** By address of a slot: the records that wrote what it contains, by doubleword. */
  private readonly queued = new Map<number, number[]>();
  /** By address of a slot: what was written into it, as long as it has not been executed. */
  private readonly waiting = new Map<number, { readonly its: number; readonly words: Uint32Array }>();
  private readonly left: NeverExecuted[] = [];
  /** The records at which the GIC was reset. */
  private readonly resets: number[] = [];
  private readonly state: GicState;

  constructor(state: GicState) {
    this.state = state;
  }

  /** A command was written into a queue: record `record`, a `queue.write`. */
  queue(batch: RecordBatch, i: number, record: number): void {
    const at = i * RECORD_WORDS;
    const slot = batch.words[at + 2]! * 2 ** 32 + batch.words[at + 1]!;
    this.queued.set(slot, [record]);
    this.waiting.set(slot, {
      its: batch.words[at]!,
      words: batch.words.slice(at + 3, at + 3 + COMMAND_BYTES / 4),
    });
  }

  /** Guest memory was written: record `record`, a `mem.write`, which may be a part of a command. */
  stored(batch: RecordBatch, i: number, record: number): void {
    const at = i * RECORD_WORDS;
    const address = batch.words[at + 1]! * 2 ** 32 + batch.words[at]!;
    const { cbaser, itsCount } = this.state;
    for (let its = 0; its < itsCount; its++) {
      const low = cbaser[2 * its]!;
      const base = queueAddress(low, cbaser[2 * its + 1]!);
      if (address < base || address >= base + queuePages(low) * QUEUE_PAGE_BYTES) continue;
      const slot = address - (address % COMMAND_BYTES);
      const stores = this.queued.get(slot) ?? [];
      stores[Math.floor((address - slot) / 8)] = record;
      this.queued.set(slot, stores);
      const words = this.waiting.get(slot)?.words ?? new Uint32Array(COMMAND_BYTES / 4);
      const place = (address - slot) >> 2;
      words[place] = batch.words[at + 3]!;
      if (batch.words[at + 2] === 8) words[place + 1] = batch.words[at + 4]!;
      this.waiting.set(slot, { its, words });
    }
  }

  /** Notes `its.command` event `i`, which the stimulus `record` caused, and returns its place. */
  executed(events: RecordBatch, i: number, record: number): number {
    const at = i * RECORD_WORDS;
    const w = events.words;
    const its = w[at]!;
    const slot = w[at + 1]!;
    const { cbaser } = this.state;
    const address = queueAddress(cbaser[2 * its]!, cbaser[2 * its + 1]!) + slot * COMMAND_BYTES;
    const isUnknown = w[at + 2] === ITS_OUTCOMES.NOT_SHOWN;
    const command = isUnknown ? undefined : decodeCommand(w, at + 4);
    const stores = (this.queued.get(address) ?? []).filter((one) => one !== undefined);
    this.waiting.delete(address);
    this.all.push({
      record,
      queued: stores[0] ?? -1,
      stores,
      its,
      slot,
      name: isUnknown ? 'unknown' : (command?.name ?? `0x${(w[at + 4]! & 0xff).toString(16)}`),
      operands: command?.operands ?? {},
      outcome: outcomeName(w[at + 2]!),
      refused: isRefused(w[at + 2]!),
      failed: isRefused(w[at + 2]!) || w[at + 2] === ITS_OUTCOMES.UNDECIDED,
    });
    return this.all.length - 1;
  }

  /**
   * The place in {@link all} of the command that caused event `i` of what one stimulus caused, or -1. The simulator emits
   * the record of a command after what the command did; those before the event must have been noted by `executed`.
   */
  causeOf(events: RecordBatch, i: number): number {
    for (let k = i; k < events.count; k++) if (events.kind[k] === KIND['its.command']) return this.all.length;
    return -1;
  }

  /** The GIC was reset: what was mapped is gone, and so are the commands that waited. */
  reset(record: number): void {
    this.left.push(...this.waitingUntil(record));
    this.waiting.clear();
    this.resets.push(record);
  }

  /** The commands that were written into a queue and not executed, in the order of their records. */
  neverExecuted(): readonly NeverExecuted[] {
    return [...this.left, ...this.waitingUntil(Number.POSITIVE_INFINITY)];
  }

  private waitingUntil(until: number): NeverExecuted[] {
    const found: NeverExecuted[] = [];
    for (const [slot, { its, words }] of this.waiting) {
      const command = decodeCommand(words, 0);
      const record = this.queued.get(slot)!.find((one) => one !== undefined)!;
      if (command !== undefined)
        found.push({ record, until, its, name: command.name, operands: command.operands });
    }
    return found.sort((a, b) => a.record - b.record);
  }

  /** The last reset of the GIC up to stimulus `record`; -1 if there is none. */
  resetBefore(record: number): number {
    return this.resets.findLast((one) => one <= record) ?? -1;
  }

  /** The last command up to stimulus `record` that fits, since the GIC was last reset. */
  last(record: number, fits: (command: ExecutedCommand) => boolean): ExecutedCommand | undefined {
    const from = this.resetBefore(record);
    for (let k = this.all.length - 1; k >= 0; k--) {
      const command = this.all[k]!;
      if (command.record < from) return undefined;
      if (command.record <= record && fits(command)) return command;
    }
    return undefined;
  }

  /** The first reset of the GIC after stimulus `record`; infinite if there is none. */
  resetAfter(record: number): number {
    return this.resets.find((one) => one > record) ?? Number.POSITIVE_INFINITY;
  }

  /** The commands from the last reset up to stimulus `record`. */
  since(record: number): readonly ExecutedCommand[] {
    const from = this.resetBefore(record);
    return this.all.filter((command) => command.record >= from && command.record <= record);
  }

  /** The first command after stimulus `record` that fits. */
  next(record: number, fits: (command: ExecutedCommand) => boolean): ExecutedCommand | undefined {
    return this.all.find((command) => command.record > record && fits(command));
  }
}
