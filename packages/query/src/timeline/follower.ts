// Follows a trace as the loader does: the simulator beside the source, lives of interrupts, MSIs, mappings, residency
// of vPEs, findings; where source and simulator disagree the source is right. Tells each thing when it happens; knows
// no format.
import {
  Checks,
  type Finding,
  type GicConfig,
  isInterrupt,
  Machine,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  STIMULI_BELOW,
  step,
  takenOrEnded,
} from '@gictrace/core';
import type { Sql } from '../sql/schema.ts';
import { type Life, type LifeStep, Lives } from './lifetimes.ts';
import { Mappings } from './mappings.ts';
import { Msis } from './msis.ts';
import { tellsOfVirtual, VirtualLives } from './virtual-lifetimes.ts';

const FIRST_EVENT = 96;
const HPPI = RECORDS.hppi.id;
const ITS_COMMAND = RECORDS['its.command'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const IRQ_ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const IRQ_DROPPED = RECORDS['irq.dropped'].id;
const VPE_RESIDENT = RECORDS['vpe.resident'].id;

export interface Residency {
  readonly pe: number;
  readonly resident: boolean;
  /** Address of the virtual pending table. */
  readonly table: number;
  /** null: the Redistributor is not told (GICv4.0). */
  readonly vpeid: number | null;
}

export interface Followed {
  life?(step: LifeStep, life: Life): void;
  /** A row of `msis`, its record's number in place of its key. Comes when the next stimulus does. */
  msi?(row: readonly Sql[]): void;
  residency?(what: Residency): void;
  /** A row of `interrupts` whose life ended, or that goes on at the end. */
  interrupt?(row: readonly Sql[]): void;
  /** The same of `vinterrupts`. */
  vinterrupt?(row: readonly Sql[]): void;
  /** A row of `mappings` that ended, or holds at the end. */
  mapping?(row: readonly Sql[]): void;
  /** A finding; its moments are complete when the next stimulus comes. */
  finding?(finding: Finding): void;
}

export class Follower {
  private readonly machine: Machine;
  private readonly lives: Lives;
  private readonly msis: Msis;
  private readonly shown = new RecordBatch(4096);
  private readonly virtualLives: VirtualLives | undefined;
  private readonly mappings: Mappings | undefined;
  private readonly checks: Checks | undefined;
  private readonly residency: ((what: Residency) => void) | undefined;
  private record = 0;
  private timeNs = Number.NaN;
  private told = -1;
  private agreed = false;

  constructor(config: GicConfig, followed: Followed) {
    this.machine = new Machine(config);
    const ignore = () => undefined;
    const { vinterrupt, mapping, finding } = followed;
    this.lives = new Lives(
      0,
      this.machine.state,
      followed.interrupt?.bind(followed) ?? ignore,
      followed.life?.bind(followed),
    );
    if (vinterrupt !== undefined) this.virtualLives = new VirtualLives(0, vinterrupt.bind(followed));
    if (mapping !== undefined) this.mappings = new Mappings(0, config, mapping.bind(followed));
    if (finding !== undefined) this.checks = new Checks(this.machine, finding.bind(followed));
    this.msis = new Msis(followed.msi?.bind(followed) ?? ignore);
    this.residency = followed.residency?.bind(followed);
    this.machine.sink = { batch: this.shown, events: true, full: () => this.drain() };
  }

  /** Interrupts that are pending and not acknowledged. */
  get pending(): number {
    return this.lives.waiting;
  }

  /** Takes a record, after all before it. */
  take(batch: RecordBatch, i: number, record: number): void {
    const kind = batch.kind[i]!;
    if (kind >= FIRST_EVENT) return;
    const timeNs = batch.timeNs[i]!;
    if (kind >= STIMULI_BELOW) {
      this.checks?.observable(batch, i, record);
      this.msis.observe(batch, i);
      if (kind === ITS_COMMAND) this.command(batch, i, record, timeNs);
      else if (kind === HPPI) this.lives.take(batch, i, record, timeNs);
      return;
    }
    this.record = record;
    this.timeNs = timeNs;
    this.msis.close();
    this.told = takenOrEnded(batch, i);
    this.agreed = false;
    this.checks?.stimulus(batch, i, record);
    step(this.machine, batch, i);
    if (kind === MSI_WRITE) this.msis.begin(batch, i, record, this.shown);
    this.drain();
    this.checks?.settled();
    if (!isInterrupt(this.told) || this.agreed) return;
    if (kind === SYSREG_READ) this.lives.acknowledged(this.told, batch.pe[i]!, record, timeNs);
    else this.lives.dropped(this.told, batch.pe[i]!, record, timeNs);
  }

  /** The trace ends. */
  finish(): void {
    this.msis.close();
    this.lives.finish();
    this.virtualLives?.finish();
    this.mappings?.finish();
    this.checks?.end();
  }

  private command(batch: RecordBatch, i: number, record: number, timeNs: number): void {
    const at = i * RECORD_WORDS;
    const w = batch.words;
    // Where the source does not tell the outcome, nothing speaks against the command having been executed.
    if (w[at + 2] === 0 || batch.flags[i]! & RECORD_FLAGS.valueUnknown)
      this.mappings?.take(w[at]!, w, at + 4, w[at + 3]!, record, timeNs);
  }

  private drain(): void {
    const { shown, told } = this;
    const w = shown.words;
    this.checks?.emitted(shown);
    for (let i = 0; i < shown.count; i++) {
      const kind = shown.kind[i]!;
      const at = i * RECORD_WORDS;
      const takes = kind === IRQ_ACKNOWLEDGED || kind === IRQ_DROPPED;
      if (takes && w[at] === told) this.agreed = true;
      if (!takes || told < 0 || w[at] === told) this.lives.take(shown, i, this.record, this.timeNs);
      if (tellsOfVirtual(kind)) this.virtualLives?.take(shown, i, this.record, this.timeNs);
      if (kind === VPE_RESIDENT && this.residency !== undefined) {
        const vpeid = w[at + 2]! === 0xffff_ffff ? null : w[at + 2]!;
        const table = w[at + 1]! * 2 ** 32 + w[at]!;
        this.residency({ pe: shown.pe[i]!, resident: w[at + 3] !== 0, table, vpeid });
      }
    }
    shown.clear();
  }
}
