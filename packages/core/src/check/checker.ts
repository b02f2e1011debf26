// The checker passes each record of a trace, and what the simulator emits for it, to the checks that want it. It works on
// a stream: its memory grows with what is mapped, not with the length of the trace.
import type { GicConfig } from '../config.ts';
import type { Gicv5Config } from '../config-gicv5.ts';
import { Gicv5Follow, Gicv5Machine } from '../gicv5/index.ts';
import { Follow, FollowObserver, Machine } from '../model/index.ts';
import type { RecordBatch } from '../record/index.ts';
import { AccessChecks } from './accesses.ts';
import { BlockedChecks } from './blocked.ts';
import { CommandChecks } from './commands.ts';
import { type Check, CheckContext, type SourceFacts } from './context.ts';
import { DeliveryChecks } from './delivery.ts';
import { DisablingChecks } from './disabling.ts';
import type { Finding, Report } from './finding.ts';
import { Gicv5Checks } from './gicv5.ts';
import { ListRegisterChecks } from './list-registers.ts';
import { LpiConfigChecks } from './lpi-config.ts';
import { RegisterChecks } from './registers.ts';
import { ResidencyChecks } from './residency.ts';
import type { CheckName } from './rules.ts';
import { TableChecks } from './tables.ts';
import { VpeChecks } from './vpe.ts';

/** The checks as an observer of the loop in model/follow. */
export class Checks extends FollowObserver {
  readonly context: CheckContext;
  private readonly all: readonly Check[];
  /** The checks that want a stimulus, by its kind. */
  private readonly onStimulus: (readonly Check[] | undefined)[] = new Array(256).fill(undefined);
  private readonly onEmission: (readonly Check[] | undefined)[] = new Array(256).fill(undefined);

  constructor(machine: Machine, report: Report, facts?: SourceFacts) {
    super();
    this.context = new CheckContext(machine, report, facts);
    // CommandChecks must come first, because it begins the moment of each command.
    this.all = [
      new CommandChecks(),
      new AccessChecks(),
      new BlockedChecks(),
      new LpiConfigChecks(),
      new TableChecks(),
      new DeliveryChecks(),
      new DisablingChecks(),
      new RegisterChecks(),
      new ListRegisterChecks(),
      new VpeChecks(),
      new ResidencyChecks(),
    ];
    for (let kind = 0; kind < 256; kind++) {
      const stimuli = this.all.filter((check) => check.stimuli.includes(kind));
      const emissions = this.all.filter((check) => check.emissions.includes(kind));
      if (stimuli.length > 0) this.onStimulus[kind] = stimuli;
      if (emissions.length > 0) this.onEmission[kind] = emissions;
    }
  }

  override stimulus(batch: RecordBatch, i: number, record: number): void {
    this.context.begin(batch, i, record);
    const checks = this.onStimulus[batch.kind[i]!];
    if (checks !== undefined) for (const check of checks) check.stimulus!(this.context, batch, i);
  }

  override emitted(records: RecordBatch): void {
    for (let i = 0; i < records.count; i++) {
      const checks = this.onEmission[records.kind[i]!];
      if (checks !== undefined) for (const check of checks) check.emitted!(this.context, records, i);
    }
  }

  override settled(): void {
    for (const check of this.all) check.settled?.(this.context);
  }

  override observable(batch: RecordBatch, i: number, record: number): void {
    this.context.recorded(batch, i, record);
  }

  override end(): void {
    for (const check of this.all) check.end?.(this.context);
  }
}

export interface CheckerOptions extends SourceFacts {
  /** How many findings of one rule are kept; further findings are only counted. */
  readonly keep?: number;
}

/** Checks a trace by running its stimuli on a simulator. */
export class Checker {
  readonly findings: Finding[] = [];
  /** The number of findings by rule, including those that were not kept. */
  readonly counts = new Map<CheckName, number>();
  private readonly follow: Follow | Gicv5Follow;
  private readonly context: Pick<CheckContext, 'unknownCommands'>;
  private readonly keep: number;
  private records = 0;

  constructor(config: GicConfig | Gicv5Config, options: CheckerOptions = {}) {
    this.keep = options.keep ?? 1000;
    const report = (finding: Finding) => {
      const n = (this.counts.get(finding.rule) ?? 0) + 1;
      this.counts.set(finding.rule, n);
      if (n <= this.keep) this.findings.push(finding);
    };
    if (config.architecture === 5) {
      const machine = new Gicv5Machine(config);
      const checks = new Gicv5Checks(machine, report, options);
      this.context = checks.context;
      this.follow = new Gicv5Follow(machine, checks);
    } else {
      const machine = new Machine(config);
      const checks = new Checks(machine, report, options);
      this.context = checks.context;
      this.follow = new Follow(machine, checks);
    }
  }

  /** Commands that an ITS executed and that the source does not show: nothing is found of what they may have done. */
  get unknownCommands(): number {
    return this.context.unknownCommands;
  }

  /** Takes the records of a batch, in order. */
  take(batch: RecordBatch): void {
    this.follow.take(batch, this.records);
    this.records += batch.count;
  }

  /** Ends the trace and returns the findings in the order of the trace. */
  finish(): readonly Finding[] {
    this.follow.end();
    this.findings.sort(
      (a, b) => a.at.record - b.at.record || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0),
    );
    return this.findings;
  }
}
