// What checks know about the current place in the trace: the stimulus, its commands, and the simulator's state.
import { recordText } from '../disasm/index.ts';
import type { Machine } from '../model/index.ts';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import type { Finding, Moment, Related, Report } from './finding.ts';
import type { CheckName } from './rules.ts';

const ITS_COMMAND = RECORDS['its.command'].id;

export class CheckContext {
  readonly machine: Machine;
  private readonly report: Report;
  /** The current stimulus. */
  readonly stimulus = new RecordBatch(1);
  private moment: Moment = { record: 0, line: 0, timeNs: Number.NaN };
  private last: Moment = this.moment;
  /** Commands of this stimulus that the source has not recorded yet. */
  private commands: Moment[] = [];
  /** Commands that an ITS executed and that the source does not show. */
  unknownCommands = 0;
  /** Whether no such command may have moved or cleared LPIs. */
  areLpisKnown = true;

  constructor(machine: Machine, report: Report) {
    this.machine = machine;
    this.report = report;
  }

  begin(batch: RecordBatch, i: number, record: number): void {
    this.stimulus.clear();
    this.stimulus.copy(batch, i);
    this.moment = { record, line: batch.line[i]!, timeNs: batch.timeNs[i]! };
    if (this.commands.length > 0) this.commands = [];
  }

  /** Called for the source's own record of something that the stimulus did. */
  recorded(batch: RecordBatch, i: number, record: number): void {
    if (batch.kind[i] !== ITS_COMMAND) return;
    const command = this.commands.shift();
    if (command === undefined) return;
    command.record = record;
    command.line = batch.line[i]!;
    if (!Number.isNaN(batch.timeNs[i]!)) command.timeNs = batch.timeNs[i]!;
  }

  /** The moment of the current stimulus. */
  now(): Moment {
    return this.moment;
  }

  /** Begins the moment of a command that has just run. The source's record of the command completes it later. */
  command(): Moment {
    const moment = { ...this.moment };
    this.commands.push(moment);
    this.last = moment;
    return moment;
  }

  /** The moment of the command that has just run. */
  lastCommand(): Moment {
    return this.last;
  }

  stimulusText(): string {
    return recordText(this.stimulus, 0);
  }

  /** Word `n` of the stimulus. */
  word(n: number): number {
    return this.stimulus.words[n]!;
  }

  find(
    rule: CheckName,
    at: Moment,
    pe: number,
    text: string,
    related: Related[] = [],
    lastedNs: number | null = null,
  ): void {
    // The effect of the stimulus depends on state that the source does not contain.
    if (this.stimulus.count > 0 && this.stimulus.flags[0]! & RECORD_FLAGS.undecided) return;
    const finding: Finding = { rule, at, pe, text, related, lastedNs };
    this.report(finding);
  }
}

export const FIELD = (batch: RecordBatch, i: number, n: number): number => batch.words[i * RECORD_WORDS + n]!;
export const ADDRESS = (batch: RecordBatch, i: number, n: number): number =>
  FIELD(batch, i, n + 1) * 2 ** 32 + FIELD(batch, i, n);

/** A group of checks that share their state. */
export interface Check {
  /** The kinds of stimuli for which it is called. */
  readonly stimuli: readonly number[];
  readonly emissions: readonly number[];
  /** Called before the stimulus runs. */
  stimulus?(context: CheckContext, batch: RecordBatch, i: number): void;
  /** Called for each record that the simulator emits. */
  emitted?(context: CheckContext, batch: RecordBatch, i: number): void;
  /** Called after the stimulus has run. */
  settled?(context: CheckContext): void;
  /** Called at the end of the trace. */
  end?(context: CheckContext): void;
}
