// Checks that software waits until an interrupt is disabled before it reconfigures it. A write to ICENABLER has taken
// effect when GICD_CTLR.RWP (SPIs) or GICR_CTLR.RWP (SGIs and PPIs) reads as 0; until then the interrupt may be forwarded.
import { FRAMES, IRQ_ATTRIBUTES, RECORDS, type RecordBatch } from '../record/index.ts';
import { isPrivate } from '../spec/index.ts';
import { between, type Check, type CheckContext, FIELD } from './context.ts';
import type { Moment } from './finding.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const STATE_RESET = RECORDS['state.reset'].id;
const GICD_FRAME = FRAMES.indexOf('GICD');
const GICR_FRAME = FRAMES.indexOf('GICR');
const CTLR = 0;
const GICD_RWP = 0x8000_0000;
const GICR_RWP = 8;
const ENABLE = IRQ_ATTRIBUTES.indexOf('enable');
/** The attributes that must not change while an interrupt may be forwarded. */
const FIXED: ReadonlySet<number> = new Set(
  (['group', 'grpmod', 'edge'] as const).map((name) => IRQ_ATTRIBUTES.indexOf(name)),
);
/** In place of a PE, for SPIs. */
const DISTRIBUTOR = -1;

export class DisablingChecks implements Check {
  readonly stimuli = [MMIO_READ];
  readonly emissions = [IRQ_CHANGED, IRQ_ROUTED, STATE_RESET];
  /** By PE or DISTRIBUTOR: the interrupts that were disabled and whose RWP has not been read as 0 since, and when. */
  private readonly disabled = new Map<number, Map<number, Moment>>();

  stimulus(_c: CheckContext, batch: RecordBatch, i: number): void {
    if (this.disabled.size === 0 || FIELD(batch, i, 2) !== CTLR) return;
    const frame = FIELD(batch, i, 0);
    const value = FIELD(batch, i, 4);
    if (frame === GICD_FRAME && (value & GICD_RWP) === 0) this.disabled.delete(DISTRIBUTOR);
    else if (frame === GICR_FRAME && (value & GICR_RWP) === 0) this.disabled.delete(FIELD(batch, i, 1));
  }

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    if (batch.kind[i] === STATE_RESET) {
      this.disabled.clear();
      return;
    }
    if (c.stimulus.kind[0] !== MMIO_WRITE) return;
    const intid = FIELD(batch, i, 0);
    const unit = isPrivate(intid) ? batch.pe[i]! : DISTRIBUTOR;
    const attribute = FIELD(batch, i, 1);
    if (batch.kind[i] === IRQ_CHANGED) {
      if (attribute === ENABLE) return this.enabled(c, unit, intid, FIELD(batch, i, 2) !== 0);
      if (!FIXED.has(attribute)) return;
    }
    const since = this.disabled.get(unit)?.get(intid);
    if (since === undefined) return;
    this.disabled.get(unit)!.delete(intid);
    const frame = unit === DISTRIBUTOR ? GICD_FRAME : GICR_FRAME;
    if (!c.hasReads(frame)) return;
    c.find(
      'disable-not-awaited',
      c.now(),
      c.stimulus.pe[0]!,
      `INTID ${intid} is configured: ${c.stimulusText()}`,
      [{ ...since, text: `INTID ${intid} was disabled` }],
      between(since, c.now()),
    );
  }

  private enabled(c: CheckContext, unit: number, intid: number, on: boolean): void {
    let own = this.disabled.get(unit);
    if (on) own?.delete(intid);
    else {
      if (own === undefined) {
        own = new Map();
        this.disabled.set(unit, own);
      }
      own.set(intid, c.now());
    }
  }
}
