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
  /** Refused, or without an effect that the source shows. */
  readonly failed: boolean;
}

export class CommandLog {
  readonly all: ExecutedCommand[] = [];
  /** By address of a slot: the records that wrote what it contains, by doubleword. */
  private readonly queued = new Map<number, number[]>();
  private readonly state: GicState;

  constructor(state: GicState) {
    this.state = state;
  }

  /** A command was written into a queue: record `record`, a `queue.write`. */
  queue(batch: RecordBatch, i: number, record: number): void {
    const at = i * RECORD_WORDS;
    this.queued.set(batch.words[at + 2]! * 2 ** 32 + batch.words[at + 1]!, [record]);
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

  /** The last command up to stimulus `record` that fits. */
  last(record: number, fits: (command: ExecutedCommand) => boolean): ExecutedCommand | undefined {
    for (let k = this.all.length - 1; k >= 0; k--) {
      const command = this.all[k]!;
      if (command.record <= record && fits(command)) return command;
    }
    return undefined;
  }

  /** The first command after stimulus `record` that fits. */
  next(record: number, fits: (command: ExecutedCommand) => boolean): ExecutedCommand | undefined {
    return this.all.find((command) => command.record > record && fits(command));
  }
}
