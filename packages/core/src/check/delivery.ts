// Checks of where interrupts go: SGIs that name no PE, SPIs that are routed to none, routes that are written in halves, and
// interrupts that wait on a PE which sleeps.
import { CONFIG_UNKNOWN, routedPe, sharedIndex } from '../model/index.ts';
import { FRAMES, NO_PE, RECORDS, type RecordBatch } from '../record/index.ts';
import { fieldReader, isPrivate, isSpi, LPI_FIRST, maskHigh, registerAt, SYSREGS } from '../spec/index.ts';
import { between, type Check, type CheckContext, FIELD } from './context.ts';
import type { Moment } from './finding.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const DOORBELL_RUNG = RECORDS['doorbell.rung'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const IRQ_CHANGED = RECORDS['irq.changed'].id;
const GICD_FRAME = FRAMES.indexOf('GICD');
const GICR_FRAME = FRAMES.indexOf('GICR');
const WAKER = 0x14;
const PROCESSOR_SLEEP = 2;

const SGI_REGISTERS: ReadonlySet<number> = new Set(
  [SYSREGS.ICC_SGI0R_EL1, SYSREGS.ICC_SGI1R_EL1, SYSREGS.ICC_ASGI1R_EL1].map(({ encoding }) => encoding),
);
const { ICC_SGI1R_EL1 } = SYSREGS;
const TO_ALL_OTHERS = maskHigh(ICC_SGI1R_EL1, 'IRM');
const targetsOf = fieldReader(ICC_SGI1R_EL1, 'TargetList');
const intidOf = fieldReader(ICC_SGI1R_EL1, 'INTID');
const rangeOf = fieldReader(ICC_SGI1R_EL1, 'RS');
const aff1Of = fieldReader(ICC_SGI1R_EL1, 'Aff1');
const aff2Of = fieldReader(ICC_SGI1R_EL1, 'Aff2');
const aff3Of = fieldReader(ICC_SGI1R_EL1, 'Aff3');
/** GICD_IROUTER<n>.Interrupt_Routing_Mode: 1 of N. */
const ONE_OF_N = 0x8000_0000;
const ENABLE = 1;

/** An affinity as Arm writes it: Aff3.Aff2.Aff1.Aff0. */
const affinityText = (affinity: number) =>
  [affinity >>> 24, (affinity >>> 16) & 0xff, (affinity >>> 8) & 0xff, affinity & 0xff].join('.');

/** An interrupt that waits on a PE which sleeps. */
interface Waiting {
  readonly intid: number;
  readonly at: Moment;
  readonly text: string;
  readonly isDoorbell: boolean;
}
interface Sleeper {
  readonly at: Moment;
  readonly waiting: Map<number, Waiting>;
}
/** The first half of a route that was written while its SPI was enabled. */
interface Half {
  readonly intid: number;
  readonly offset: number;
  readonly low: number;
  readonly high: number;
  readonly at: Moment;
}

export class DeliveryChecks implements Check {
  readonly stimuli = [MMIO_WRITE, SYSREG_WRITE, GIC_RESET];
  readonly emissions = [
    IRQ_PENDED,
    IRQ_UNPENDED,
    WIRE_CHANGED,
    LPI_PENDED,
    LPI_CLEARED,
    DOORBELL_RUNG,
    IRQ_ROUTED,
    IRQ_CHANGED,
  ];
  /** PEs that software put to sleep (GICR_WAKER). */
  private readonly asleep = new Map<number, Sleeper>();
  /** The doorbell that is being rung. */
  private doorbell = 0;
  private half: Half | undefined;
  /** SPIs that were found to be routed to no PE, until their route changes. */
  private readonly nowhere = new Set<number>();
  /** The record at which an interrupt last began to wait on a sleeping PE. */
  private waitedAt = 0;

  stimulus(c: CheckContext, batch: RecordBatch, i: number): void {
    switch (batch.kind[i]) {
      case GIC_RESET:
        this.asleep.clear();
        this.nowhere.clear();
        this.half = undefined;
        return;
      case SYSREG_WRITE:
        if (SGI_REGISTERS.has(FIELD(batch, i, 0))) this.sgi(c, batch, i);
        return;
      case MMIO_WRITE:
        if (FIELD(batch, i, 0) === GICR_FRAME && FIELD(batch, i, 2) === WAKER) this.waker(c, batch, i);
        else if (FIELD(batch, i, 0) === GICD_FRAME) this.distributor(c, batch, i);
    }
  }

  private sgi(c: CheckContext, batch: RecordBatch, i: number): void {
    const low = FIELD(batch, i, 1);
    const high = FIELD(batch, i, 2);
    if (high & TO_ALL_OTHERS || !c.fromReset) return;
    const cluster = ((aff3Of(low, high) << 24) | (aff2Of(low, high) << 16) | (aff1Of(low) << 8)) >>> 0;
    const targets = targetsOf(low);
    const { pes } = c.machine.state.config;
    const absent: string[] = [];
    for (let bit = 0; bit < 16; bit++) {
      if (((targets >> bit) & 1) === 0) continue;
      const affinity = (cluster | (16 * rangeOf(low, high) + bit)) >>> 0;
      if (!pes.some((pe) => pe.affinity === affinity)) absent.push(affinityText(affinity));
    }
    if (targets !== 0 && absent.length === 0) return;
    const who = targets === 0 ? 'has an empty target list' : `names ${absent.join(', ')}, which is no PE`;
    c.find('sgi-to-no-pe', c.now(), batch.pe[i]!, `SGI ${intidOf(low)} ${who}: ${c.stimulusText()}`);
  }

  private waker(c: CheckContext, batch: RecordBatch, i: number): void {
    const pe = FIELD(batch, i, 1);
    if (pe >= c.machine.state.peCount) return;
    const sleeper = this.asleep.get(pe);
    if ((FIELD(batch, i, 4) & PROCESSOR_SLEEP) === 0) this.asleep.delete(pe);
    else if (sleeper === undefined) {
      const waiting = new Map<number, Waiting>();
      const text = `it was pending when ${c.stimulusText()}`;
      for (const intid of c.machine.state.lpiPending[pe]!)
        waiting.set(intid, { intid, at: c.now(), text, isDoorbell: false });
      this.asleep.set(pe, { at: c.now(), waiting });
      this.waitedAt = c.now().record;
    }
  }

  private distributor(c: CheckContext, batch: RecordBatch, i: number): void {
    const offset = FIELD(batch, i, 2);
    const register = registerAt(GICD_FRAME, offset);
    const half = this.half;
    if (register === undefined || (register.name !== 'GICD_IROUTER' && register.name !== 'GICD_IROUTERE'))
      return;
    this.half = undefined;
    if (FIELD(batch, i, 3) !== 4) return;
    const { state } = c.machine;
    const intid = (register.spec.firstIntid ?? 0) + register.element;
    const index = sharedIndex(state, intid);
    if (index < 0 || ((state.spi.enable[index >> 5]! >>> (index & 31)) & 1) === 0) return;
    const [low, high] = [state.routeLow[index]!, state.routeHigh[index]!];
    const isHigh = (offset & 4) !== 0;
    const value = FIELD(batch, i, 4);
    if (half === undefined || half.intid !== intid || half.offset === offset) {
      this.half = { intid, offset, low, high, at: c.now() };
      return;
    }
    const now = isHigh ? [low, value] : [value, high];
    const same = (a: readonly (number | undefined)[], b: readonly number[]) =>
      affinityOf(a[0]!, a[1]!) === affinityOf(b[0]!, b[1]!);
    const meanwhile = [low, high];
    const first = [{ ...half.at, text: 'the first half was written' }];
    if (same(meanwhile, [half.low, half.high]) || same(meanwhile, now))
      c.find('route-in-halves', c.now(), batch.pe[i]!, `SPI ${intid} is enabled: ${c.stimulusText()}`, first);
    else {
      const pe = routedPe(state, index);
      const where = pe < 0 ? 'no PE' : `PE${pe}`;
      c.find(
        'route-through-another',
        c.now(),
        batch.pe[i]!,
        `SPI ${intid} was routed to ${affinityText(affinityOf(low, high))} (${where}) in between: ${c.stimulusText()}`,
        first,
        between(half.at, c.now()),
      );
    }
  }

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    const intid = FIELD(batch, i, 0);
    const kind = batch.kind[i];
    switch (kind) {
      case DOORBELL_RUNG:
        this.doorbell = intid;
        return;
      case LPI_PENDED: {
        const isDoorbell = this.doorbell === intid;
        this.doorbell = 0;
        return this.pended(c, batch.pe[i]!, intid, isDoorbell);
      }
      case LPI_CLEARED:
        this.asleep.get(batch.pe[i]!)?.waiting.delete(intid);
        return;
      case IRQ_PENDED:
      case WIRE_CHANGED:
        if (isPrivate(intid) || intid >= LPI_FIRST) return;
        if (kind === IRQ_PENDED || FIELD(batch, i, 1)) this.spi(c, intid);
        else this.gone(intid);
        return;
      case IRQ_UNPENDED:
        if (!isPrivate(intid)) this.gone(intid);
        return;
      case IRQ_ROUTED:
        this.nowhere.delete(intid);
        this.gone(intid);
        return;
      case IRQ_CHANGED:
        if (!isPrivate(intid)) this.nowhere.delete(intid);
        return;
    }
  }

  /** An SPI may have become pending. */
  private spi(c: CheckContext, intid: number): void {
    const { state } = c.machine;
    const index = sharedIndex(state, intid);
    if (index < 0 || ((state.spi.enable[index >> 5]! >>> (index & 31)) & ENABLE) === 0) return;
    if (state.routeLow[index]! & ONE_OF_N) return;
    const pe = routedPe(state, index);
    if (pe >= 0) return this.pended(c, pe, intid, false);
    if (!c.fromReset || this.nowhere.has(intid)) return;
    this.nowhere.add(intid);
    const affinity = affinityText(affinityOf(state.routeLow[index]!, state.routeHigh[index]!));
    c.find(
      'spi-to-absent-pe',
      c.now(),
      NO_PE,
      `SPI ${intid} is pending and routed to ${affinity}, which is no PE: ${c.stimulusText()}`,
    );
  }

  private pended(c: CheckContext, pe: number, intid: number, isDoorbell: boolean): void {
    const sleeper = this.asleep.get(pe);
    if (sleeper === undefined || sleeper.waiting.has(intid) || c.isUndecided) return;
    sleeper.waiting.set(intid, { intid, at: c.now(), text: c.stimulusText(), isDoorbell });
    this.waitedAt = c.now().record;
  }

  private gone(intid: number): void {
    for (const { waiting } of this.asleep.values()) waiting.delete(intid);
  }

  end(c: CheckContext): void {
    // The trace may end before the PE has had time to wake.
    if (c.now().record === this.waitedAt) return;
    for (const [pe, { at, waiting }] of this.asleep)
      for (const one of waiting.values()) {
        if (!isEnabled(c, pe, one.intid)) continue;
        c.tell(
          one.isDoorbell ? 'doorbell-on-sleeping-pe' : 'pending-on-sleeping-pe',
          one.at,
          pe,
          `${one.isDoorbell ? 'doorbell ' : ''}INTID ${one.intid} is pending on PE${pe}, which sleeps and did not wake: ${one.text}`,
          [{ ...at, text: `PE${pe} was put to sleep (GICR_WAKER.ProcessorSleep)` }],
        );
      }
  }
}

/** Whether an interrupt is pending for a PE, enabled, and known to be so. */
function isEnabled({ machine: { state } }: CheckContext, pe: number, intid: number): boolean {
  if (intid >= LPI_FIRST && !isSpi(intid)) {
    const config = state.lpiConfig[pe]!.get(intid);
    return (
      state.lpiPending[pe]!.has(intid) &&
      config !== undefined &&
      config < CONFIG_UNKNOWN &&
      (config & 1) !== 0
    );
  }
  const index = sharedIndex(state, intid);
  return ((state.spi.enable[index >> 5]! >>> (index & 31)) & ENABLE) !== 0;
}

function affinityOf(low: number, high: number): number {
  return (((high & 0xff) << 24) | (low & 0xff_ffff)) >>> 0;
}
