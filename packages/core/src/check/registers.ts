// Checks of the order of register accesses: what software must poll before it continues.
import { FRAMES, RECORDS, type RecordBatch } from '../record/index.ts';
import { commandName, GICR, GITS, ITS_OUTCOMES } from '../spec/index.ts';
import { between, type Check, type CheckContext, FIELD } from './context.ts';
import type { Moment } from './finding.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const ITS_COMMAND = RECORDS['its.command'].id;
const ITE_WRITE = RECORDS['ite.write'].id;
const GICR_FRAME = FRAMES.indexOf('GICR');
const GITS_FRAME = FRAMES.indexOf('GITS');
const CTLR = 0;
const QUIESCENT = 0x8000_0000;
const RWP = 8;
const ENABLE_LPIS = 1;

interface Invalidation extends Moment {
  readonly text: string;
}

export class RegisterChecks implements Check {
  readonly stimuli = [MMIO_READ, MMIO_WRITE, SYSREG_READ, SYSREG_WRITE];
  readonly emissions = [ITS_COMMAND, ITE_WRITE];
  /** ITSs that were disabled and have not been read as quiescent since, and when they were disabled. */
  private readonly disabled = new Map<number, Moment>();
  /** Redistributors whose EnableLPIs was cleared and whose RWP has not been read as 0 since. */
  private readonly lpisOff = new Map<number, Moment>();
  /** By accessing PE: the operation for which the PE has not waited yet. */
  private readonly waiting = new Map<number, Invalidation>();
  /** LPIs that commands moved since the last SYNC. */
  private readonly moved = new Set<number>();
  private movedNow = 0;

  stimulus(c: CheckContext, batch: RecordBatch, i: number): void {
    const kind = batch.kind[i];
    const pe = batch.pe[i]!;
    if (kind === SYSREG_READ || kind === SYSREG_WRITE) {
      this.goesOn(c, pe);
      return;
    }
    const frame = FIELD(batch, i, 0);
    const instance = FIELD(batch, i, 1);
    const offset = FIELD(batch, i, 2);
    const read = kind === MMIO_READ;
    if (frame === GITS_FRAME) {
      this.goesOn(c, pe);
      this.its(c, instance, offset, read, FIELD(batch, i, 4));
    } else if (frame === GICR_FRAME) this.redistributor(c, pe, instance, offset, read, FIELD(batch, i, 4));
    else this.goesOn(c, pe);
  }

  private its(c: CheckContext, its: number, offset: number, read: boolean, value: number): void {
    if (its >= c.machine.state.itsCount) return;
    if (offset === CTLR) {
      const enabled = (c.machine.state.gitsCtlr[its]! & 1) !== 0;
      if (read) {
        if (value & QUIESCENT) this.disabled.delete(its);
      } else if (enabled && (value & 1) === 0) this.disabled.set(its, c.now());
      else if (value & 1) this.notQuiescent(c, its);
      return;
    }
    const table =
      (offset >= GITS.GITS_BASER.offset && offset < GITS.GITS_BASER.offset + 64) ||
      (offset >= GITS.GITS_CBASER.offset && offset < GITS.GITS_CBASER.offset + 8);
    if (!read && table) this.notQuiescent(c, its);
  }

  /** Called when something is done to an ITS that it may do only when it is quiescent. */
  private notQuiescent(c: CheckContext, its: number): void {
    const since = this.disabled.get(its);
    if (since === undefined) return;
    this.disabled.delete(its);
    if (!c.hasReads(GITS_FRAME)) return;
    c.find(
      'not-quiescent',
      c.now(),
      c.stimulus.pe[0]!,
      c.stimulusText(),
      [{ ...since, text: `ITS ${its} was disabled` }],
      between(since, c.now()),
    );
  }

  private redistributor(
    c: CheckContext,
    pe: number,
    instance: number,
    offset: number,
    read: boolean,
    value: number,
  ): void {
    const { state } = c.machine;
    if (instance >= state.peCount) return;
    switch (offset) {
      case GICR.GICR_SYNCR.offset:
        this.waiting.delete(pe);
        return;
      case GICR.GICR_INVLPIR.offset:
      case GICR.GICR_CLRLPIR.offset:
        if (read) return;
        this.elsewhere(c, instance, value);
        if (offset === GICR.GICR_INVLPIR.offset && this.moved.has(value))
          c.find('invlpir-overlaps-move', c.now(), instance, c.stimulusText());
        this.waiting.set(pe, { ...c.now(), text: c.stimulusText() });
        return;
      case GICR.GICR_INVALLR.offset:
        if (!read) this.waiting.set(pe, { ...c.now(), text: c.stimulusText() });
        return;
    }
    this.goesOn(c, pe);
    if (offset === CTLR) {
      if (read) {
        if ((value & RWP) === 0) this.lpisOff.delete(instance);
        return;
      }
      const was = (state.gicrCtlr[instance]! & ENABLE_LPIS) !== 0;
      if (was && (value & ENABLE_LPIS) === 0) this.lpisOff.set(instance, c.now());
      else if (!was && value & ENABLE_LPIS) {
        this.notWritten(c, instance);
        this.shared(c, instance);
      }
      return;
    }
    const table = offset >= GICR.GICR_PROPBASER.offset && offset < GICR.GICR_PENDBASER.offset + 8;
    if (!read && table) this.notWritten(c, instance);
  }

  /** Called when something is done to a Redistributor that it may do only when its LPIs are off. */
  private notWritten(c: CheckContext, instance: number): void {
    const since = this.lpisOff.get(instance);
    if (since === undefined) return;
    this.lpisOff.delete(instance);
    if (!c.hasReads(GICR_FRAME)) return;
    const cleared = [{ ...since, text: 'EnableLPIs was cleared' }];
    c.find('rwp-not-polled', c.now(), instance, c.stimulusText(), cleared, between(since, c.now()));
  }

  /** Called when a PE makes another access to the GIC before it has waited. */
  private goesOn(c: CheckContext, pe: number): void {
    if (this.waiting.size === 0) return;
    const operation = this.waiting.get(pe);
    if (operation === undefined) return;
    this.waiting.delete(pe);
    if (!c.hasReads(GICR_FRAME)) return;
    c.find('syncr-not-polled', c.now(), pe, `goes on with ${c.stimulusText()}`, [operation]);
  }

  /** INVLPIR and CLRLPIR act only on LPIs that the Redistributor has. */
  private elsewhere(c: CheckContext, pe: number, intid: number): void {
    if (!c.areLpisKnown) return;
    const { lpiPending, lpiConfig, peCount } = c.machine.state;
    const holds = (n: number) => lpiPending[n]!.has(intid) || lpiConfig[n]!.has(intid);
    if (holds(pe)) return;
    for (let other = 0; other < peCount; other++)
      if (holds(other)) {
        c.find(
          'invalidate-elsewhere',
          c.now(),
          pe,
          `INTID ${intid} is held by PE${other}: ${c.stimulusText()}`,
        );
        return;
      }
  }

  private shared(c: CheckContext, pe: number): void {
    const { pendbaser, gicrCtlr, peCount } = c.machine.state;
    const table = (n: number) =>
      `${pendbaser[2 * n + 1]! & 0xf_ffff}:${(pendbaser[2 * n]! & 0xffff_0000) >>> 0}`;
    for (let other = 0; other < peCount; other++)
      if (other !== pe && gicrCtlr[other]! & ENABLE_LPIS && table(other) === table(pe))
        c.find(
          'pending-table-shared',
          c.now(),
          pe,
          `PE${pe} and PE${other} have one pending table: ${c.stimulusText()}`,
        );
  }

  emitted(_c: CheckContext, batch: RecordBatch, i: number): void {
    if (batch.kind[i] === ITE_WRITE) {
      this.movedNow = FIELD(batch, i, 4) && FIELD(batch, i, 5) ? FIELD(batch, i, 6) : 0;
      return;
    }
    const name = commandName(FIELD(batch, i, 4));
    if (FIELD(batch, i, 2) === ITS_OUTCOMES.NOT_SHOWN) this.moved.clear();
    if (name === 'MOVI' && this.movedNow > 0) this.moved.add(this.movedNow);
    else if (name === 'SYNC') this.moved.clear();
    this.movedNow = 0;
  }
}
