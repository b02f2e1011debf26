// The checker: gives each record of a trace, and what the simulator does with it, to the checks that want it.
// Streams: what it remembers grows with what is mapped, not with the trace.
import type { GicConfig } from '../config.ts';
import { Machine, step } from '../model/index.ts';
import { RecordBatch, STIMULI_BELOW } from '../record/index.ts';
import { CommandChecks } from './commands.ts';
import { type Check, CheckContext } from './context.ts';
import type { Finding, Report } from './finding.ts';
import { RegisterChecks } from './registers.ts';
import type { CheckName } from './rules.ts';
import { VpeChecks } from './vpe.ts';

const EVENTS_FROM = 96;

/** The checks, for somebody who runs the simulator. */
export class Checks {
  private readonly context: CheckContext;
  private readonly all: readonly Check[];
  /** By kind. */
  private readonly onStimulus: (readonly Check[] | undefined)[] = new Array(256).fill(undefined);
  private readonly onEmission: (readonly Check[] | undefined)[] = new Array(256).fill(undefined);

  constructor(machine: Machine, report: Report) {
    this.context = new CheckContext(machine, report);
    // In this order: CommandChecks opens the moment of each command.
    this.all = [new CommandChecks(), new RegisterChecks(), new VpeChecks()];
    for (let kind = 0; kind < 256; kind++) {
      const stimuli = this.all.filter((check) => check.stimuli.includes(kind));
      const emissions = this.all.filter((check) => check.emissions.includes(kind));
      if (stimuli.length > 0) this.onStimulus[kind] = stimuli;
      if (emissions.length > 0) this.onEmission[kind] = emissions;
    }
  }

  /** A stimulus is about to run. */
  stimulus(batch: RecordBatch, i: number, record: number): void {
    this.context.begin(batch, i, record);
    const checks = this.onStimulus[batch.kind[i]!];
    if (checks !== undefined) for (const check of checks) check.stimulus!(this.context, batch, i);
  }

  /** The simulator did this. */
  emitted(batch: RecordBatch, i: number): void {
    const checks = this.onEmission[batch.kind[i]!];
    if (checks !== undefined) for (const check of checks) check.emitted!(this.context, batch, i);
  }

  /** The stimulus has run. */
  settled(): void {
    for (const check of this.all) check.settled?.(this.context);
  }

  /** The trace holds this observable: the source's own record of what the stimulus did. */
  shown(batch: RecordBatch, i: number, record: number): void {
    this.context.shown(batch, i, record);
  }

  end(): void {
    for (const check of this.all) check.end?.(this.context);
  }
}

export interface CheckerOptions {
  /** Findings of one rule that are kept; more are only counted. */
  readonly keep?: number;
}

/** Checks a trace by running its stimuli on a simulator. */
export class Checker {
  readonly findings: Finding[] = [];
  /** Findings by rule, those that were not kept among them. */
  readonly counts = new Map<CheckName, number>();
  private readonly machine: Machine;
  private readonly checks: Checks;
  private readonly shown = new RecordBatch(4096);
  private readonly keep: number;
  private records = 0;

  constructor(config: GicConfig, options: CheckerOptions = {}) {
    this.keep = options.keep ?? 1000;
    this.machine = new Machine(config);
    this.checks = new Checks(this.machine, (finding) => {
      const n = (this.counts.get(finding.rule) ?? 0) + 1;
      this.counts.set(finding.rule, n);
      if (n <= this.keep) this.findings.push(finding);
    });
    this.machine.sink = { batch: this.shown, events: true, full: () => this.drain() };
  }

  private drain(): void {
    for (let i = 0; i < this.shown.count; i++) this.checks.emitted(this.shown, i);
    this.shown.clear();
  }

  /** Takes the records of a batch, in order. */
  take(batch: RecordBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const kind = batch.kind[i]!;
      if (kind < STIMULI_BELOW) {
        this.checks.stimulus(batch, i, this.records);
        step(this.machine, batch, i);
        this.drain();
        this.checks.settled();
      } else if (kind < EVENTS_FROM) this.checks.shown(batch, i, this.records);
      this.records++;
    }
  }

  /** No more records: the findings in the order of the trace. */
  finish(): readonly Finding[] {
    this.checks.end();
    this.findings.sort(
      (a, b) => a.at.record - b.at.record || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0),
    );
    return this.findings;
  }
}
