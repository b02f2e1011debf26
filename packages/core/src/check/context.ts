// What checks know about the current place in the trace: the stimulus, its commands, the simulator's state, and what the
// source contains at all.
import { recordText } from '../disasm/index.ts';
import type { Machine } from '../model/index.ts';
import { FRAMES, RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch } from '../record/index.ts';
import type { Finding, Moment, Related, Report } from './finding.ts';
import type { CheckName } from './rules.ts';

const ITS_COMMAND = RECORDS['its.command'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const GIC_RESET = RECORDS['gic.reset'].id;

/** What a source contains. */
export interface SourceFacts {
  /** Whether the source begins with the reset of the GIC, so that registers which it does not write have their reset values. */
  readonly fromReset?: boolean;
  /**
   * Whether the source contains all accesses. If not, it may lack the reads of a frame, and then nothing is known about what
   * software polled there.
   */
  readonly allReads?: boolean;
  /** Whether the source has physical addresses. If not, an access may have been attributed to the wrong frame. */
  readonly physicalAddresses?: boolean;
  /** The sorts of stimuli that the source lacks, as the header of its trace names them. */
  readonly missing?: readonly string[];
}

/** A physical event of an ITS that is mapped to an LPI. */
export interface Mapping {
  readonly its: number;
  readonly itt: number;
  readonly eventId: number;
  readonly intid: number;
  readonly icid: number;
  readonly at: Moment;
}

export class CheckContext<M = Machine> {
  readonly machine: M;
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
  /** Whether all state is known that the trace has not written: it began with a reset, or the machine was reset since. */
  fromReset: boolean;
  /** Whether the source has shown a store to guest memory. If not, software may have zeroed a table that the GIC wrote. */
  hasStores = false;
  /** The LPIs to which events are mapped now, as far as is known. */
  readonly mappedLpis = new Map<number, Mapping>();
  private readonly allReads: boolean;
  readonly physicalAddresses: boolean;
  private readonly missing: ReadonlySet<string>;
  /** By frame: whether the source has shown a read. */
  private readonly seenReads = new Uint8Array(FRAMES.length);

  constructor(machine: M, report: Report, facts: SourceFacts = {}) {
    this.machine = machine;
    this.report = report;
    this.fromReset = facts.fromReset ?? true;
    this.allReads = facts.allReads ?? true;
    this.physicalAddresses = facts.physicalAddresses ?? true;
    this.missing = new Set(facts.missing);
  }

  begin(batch: RecordBatch, i: number, record: number): void {
    this.stimulus.clear();
    this.stimulus.copy(batch, i);
    this.moment = { record, line: batch.line[i]!, timeNs: batch.timeNs[i]! };
    if (this.commands.length > 0) this.commands = [];
    if (batch.kind[i] === MMIO_READ) this.seenReads[FIELD(batch, i, 0)] = 1;
    else if (batch.kind[i] === MEM_WRITE) this.hasStores = true;
    else if (batch.kind[i] === GIC_RESET) this.fromReset = true;
  }

  /** Whether the source has the reads of a frame, so that what it does not have was not read. */
  hasReads(frame: number): boolean {
    return this.allReads || this.seenReads[frame] === 1;
  }

  /** Whether the source has this sort of stimuli. */
  has(sort: string): boolean {
    return !this.missing.has(sort);
  }

  /** Whether the source has all sorts of stimuli. */
  get hasAll(): boolean {
    return this.missing.size === 0 && this.unknownCommands === 0;
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

  /** Whether the effect of the stimulus depends on state that the source does not contain. */
  get isUndecided(): boolean {
    return this.stimulus.count > 0 && (this.stimulus.flags[0]! & RECORD_FLAGS.undecided) !== 0;
  }

  /** Reports a finding about the current stimulus, unless its effect is not known. */
  find(
    rule: CheckName,
    at: Moment,
    pe: number,
    text: string,
    related: Related[] = [],
    lastedNs: number | null = null,
    lost?: Finding['lost'],
  ): void {
    if (!this.isUndecided) this.tell(rule, at, pe, text, related, lastedNs, lost);
  }

  /** Reports a finding about an earlier moment, whose effect was known then. */
  tell(
    rule: CheckName,
    at: Moment,
    pe: number,
    text: string,
    related: Related[] = [],
    lastedNs: number | null = null,
    lost?: Finding['lost'],
  ): void {
    const finding: Finding = { rule, at, pe, text, related, lastedNs };
    this.report(lost === undefined ? finding : { ...finding, lost });
  }
}

/** How long it was from one moment to another, in nanoseconds; null if the source does not contain both times. */
export function between(from: Moment, to: Moment): number | null {
  const ns = to.timeNs - from.timeNs;
  return Number.isNaN(ns) ? null : ns;
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
