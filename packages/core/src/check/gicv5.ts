// Checks of what software does with a GICv5: accesses to the IRS, GIC instructions, barriers. Nothing is reported about a PE that
// the source does not name.
import { type Gicv5Machine, gicv5HasFrame } from '../gicv5/index.ts';
import { FollowObserver } from '../model/index.ts';
import { FRAMES, NO_PE, RECORD_FLAGS, RECORDS, type RecordBatch } from '../record/index.ts';
import { anyIntidText, GICV5_SYSREGS, GICV5_TYPES, gicv5Id, gicv5Type, IRS } from '../spec/index.ts';
import { CheckContext, FIELD, type SourceFacts } from './context.ts';
import type { Moment, Report } from './finding.ts';
import { CONFIGURING, Gicv5BarrierChecks } from './gicv5-barriers.ts';
import { Gicv5TableChecks } from './gicv5-tables.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const ACKNOWLEDGED = RECORDS['int.acknowledged'].id;
const FRAME_IRS = FRAMES.indexOf('IRS');
const UNDECIDED = RECORD_FLAGS.peUndecided | RECORD_FLAGS.undecided;

const code = (name: keyof typeof GICV5_SYSREGS) => GICV5_SYSREGS[name].encoding;
const CDDIS = code('GIC_CDDIS');
const CDAFF = code('GIC_CDAFF');
const CDEOI = code('GIC_CDEOI');
const CDDI = code('GIC_CDDI');
const INTID = 0xe0ff_ffff;
const IDLE = 1;
const { PPI, SPI, LPI } = GICV5_TYPES;

/** By register: the status register that says whether a write of it is complete. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [IRS.IRS_SPI_SELR.offset, IRS.IRS_SPI_STATUSR.offset],
  [IRS.IRS_SPI_CFGR.offset, IRS.IRS_SPI_STATUSR.offset],
  [IRS.IRS_PE_SELR.offset, IRS.IRS_PE_STATUSR.offset],
  [IRS.IRS_PE_CR0.offset, IRS.IRS_PE_STATUSR.offset],
  [IRS.IRS_IST_BASER.offset, IRS.IRS_IST_STATUSR.offset],
  [IRS.IRS_MAP_L2_ISTR.offset, IRS.IRS_IST_STATUSR.offset],
  [IRS.IRS_SYNCR.offset, IRS.IRS_SYNC_STATUSR.offset],
]);
const STATUSES: ReadonlySet<number> = new Set(STATUS.values());

interface Handled {
  readonly intid: number;
  readonly at: Moment;
}

interface Ended {
  readonly intid: number;
  readonly pe: number;
  readonly at: Moment;
  /** How often the PE had acknowledged something by then. */
  readonly acknowledges: number;
}
/** Each PE has PPIs of its own. */
const keyOf = (pe: number, intid: number) => (gicv5Type(intid) === PPI ? pe * 2 ** 32 + intid : intid);
/** The frame of the IRS that the model has. The others are of interrupt domains and IRSs of which nothing is known. */
const isIrs = (batch: RecordBatch, i: number) =>
  FIELD(batch, i, 0) === FRAME_IRS && gicv5HasFrame(FIELD(batch, i, 1));

/** The checks as an observer of the loop in model/follow. */
export class Gicv5Checks extends FollowObserver {
  readonly context: CheckContext<Gicv5Machine>;
  private readonly tables: Gicv5TableChecks;
  private readonly barriers: Gicv5BarrierChecks;
  /** By instance and status register: the write that has not been seen complete. */
  private readonly inFlight = new Map<number, { readonly at: Moment; readonly text: string }>();
  /** By PE: what it has acknowledged and not ended, the last one at the end. */
  private readonly handled: Handled[][];
  /** Whether it is unknown what the PEs handle. */
  private isHandlingUnknown = false;
  /** By PE: how often it has acknowledged something. */
  private readonly acknowledges: number[];
  /** By interrupt: when the priority of it was last dropped, and by which PE. */
  private readonly ended = new Map<number, Ended>();

  constructor(machine: Gicv5Machine, report: Report, facts?: SourceFacts) {
    super();
    this.context = new CheckContext(machine, report, facts);
    this.tables = new Gicv5TableChecks(this.context);
    this.barriers = new Gicv5BarrierChecks(this.context);
    this.handled = Array.from({ length: machine.state.peCount }, () => []);
    this.acknowledges = this.handled.map(() => 0);
  }

  override stimulus(batch: RecordBatch, i: number, record: number): void {
    const { context: c } = this;
    c.begin(batch, i, record);
    const pe = batch.pe[i]!;
    switch (batch.kind[i]) {
      case MMIO_READ:
        if (isIrs(batch, i)) this.reads(batch, i);
        break;
      case MMIO_WRITE:
        if (isIrs(batch, i)) this.writes(batch, i);
        break;
      case SYSREG_READ:
      case SYSREG_WRITE:
        if ((batch.flags[i]! & UNDECIDED) === 0) this.barriers.used(pe, FIELD(batch, i, 0));
        else this.isHandlingUnknown = true;
        if (batch.kind[i] === SYSREG_WRITE) this.instruction(batch, i);
        break;
      case GIC_RESET:
        this.inFlight.clear();
        this.barriers.reset();
        this.ended.clear();
        for (const stack of this.handled) stack.length = 0;
        this.isHandlingUnknown = false;
        break;
      case PE_RESET:
        // A source may not say which PE it is.
        this.handled[pe]?.splice(0);
        this.barriers.reset(pe);
        for (const [key, one] of this.ended) if (one.pe === pe) this.ended.delete(key);
        break;
      default:
    }
  }

  override answered(batch: RecordBatch, i: number): void {
    const { context: c } = this;
    if (batch.kind[i] === MMIO_WRITE && c.machine.reserved)
      c.find('write-to-reserved', c.now(), batch.pe[i]!, c.stimulusText());
  }

  override emitted(records: RecordBatch): void {
    const { context: c } = this;
    for (let i = 0; i < records.count; i++) {
      if (records.kind[i] !== ACKNOWLEDGED) continue;
      const intid = FIELD(records, i, 0);
      const pe = records.pe[i]!;
      this.ended.delete(keyOf(pe, intid));
      this.acknowledges[pe]!++;
      if (c.stimulus.flags[0]! & UNDECIDED) continue;
      this.handled[pe]!.push({ intid, at: c.now() });
      this.barriers.await('acknowledge-not-completed', pe, `${anyIntidText(intid)} was acknowledged`);
    }
  }

  override settled(): void {
    this.tables.settled();
  }

  override end(): void {
    const { context: c } = this;
    for (const { intid, pe, at, acknowledges } of this.ended.values()) {
      if (acknowledges === this.acknowledges[pe] || !this.isPendingAndActive(intid, pe)) continue;
      const text = `${anyIntidText(intid)} is pending again, and active since PE${pe} handled it`;
      c.tell('active-for-ever', at, pe, text, [{ ...at, text: 'its priority was dropped' }]);
    }
  }

  private isPendingAndActive(intid: number, pe: number): boolean {
    const { state } = this.context.machine;
    const id = gicv5Id(intid);
    if (gicv5Type(intid) === LPI) return ((state.lpis.get(id) ?? 0) & 3) === 3;
    const bits = gicv5Type(intid) === PPI ? state.ppi : state.spi;
    const at = gicv5Type(intid) === PPI ? 128 * pe + id : state.spiIndex(id);
    const is = (words: Uint32Array) => ((words[at >> 5]! >>> (at & 31)) & 1) !== 0;
    return at >= 0 && is(bits.pending) && is(bits.active);
  }

  /** A read of a status register that says IDLE completes what was written before. */
  private reads(batch: RecordBatch, i: number): void {
    const offset = FIELD(batch, i, 2);
    const isKnown = (batch.flags[i]! & (RECORD_FLAGS.valueUnknown | RECORD_FLAGS.undecided)) === 0;
    if (!STATUSES.has(offset) || (isKnown && (FIELD(batch, i, 4) & IDLE) === 0)) return;
    this.inFlight.delete(FIELD(batch, i, 1) * 0x1_0000 + offset);
  }

  private writes(batch: RecordBatch, i: number): void {
    const { context: c } = this;
    const offset = FIELD(batch, i, 2);
    this.tables.written(offset, FIELD(batch, i, 4));
    const status = STATUS.get(offset);
    if (status === undefined) return;
    const key = FIELD(batch, i, 1) * 0x1_0000 + status;
    const before = this.inFlight.get(key);
    if (before !== undefined && c.hasReads(FRAME_IRS))
      c.find('irs-not-polled', c.now(), batch.pe[i]!, c.stimulusText(), [
        { ...before.at, text: before.text },
      ]);
    this.inFlight.set(key, { at: c.now(), text: c.stimulusText() });
    const { state } = c.machine;
    const isSpi = offset === IRS.IRS_SPI_CFGR.offset;
    if (isSpi ? state.spiIndex(state.spiSelr[0]!) >= 0 : state.peByIaffid.has(state.peSelr[0]!)) return;
    if (!isSpi && offset !== IRS.IRS_PE_CR0.offset) return;
    const selected = isSpi ? state.spiSelr[0]! : state.peSelr[0]!;
    const none = selected === 0xffff_ffff ? 'nothing' : isSpi ? `SPI ${selected}` : `IAFFID ${selected}`;
    if (c.fromReset)
      c.find('irs-object-not-valid', c.now(), batch.pe[i]!, `${none} is selected: ${c.stimulusText()}`);
  }

  private instruction(batch: RecordBatch, i: number): void {
    const { context: c } = this;
    const [register, low, high] = [FIELD(batch, i, 0), FIELD(batch, i, 1), FIELD(batch, i, 2)];
    const pe = batch.pe[i]!;
    const intid = (low & INTID) >>> 0;
    const isKnown = (batch.flags[i]! & UNDECIDED) === 0 && pe !== NO_PE;
    if (CONFIGURING.has(register)) {
      if (!this.tables.canReach(intid)) c.find('configured-unreachable', c.now(), pe, c.stimulusText());
      else if (register === CDAFF && !c.machine.state.peByIaffid.has(high & 0xffff))
        c.find('affinity-to-no-pe', c.now(), pe, `IAFFID ${high & 0xffff}: ${c.stimulusText()}`);
      if (register === CDDIS && isKnown) this.barriers.await('disable-not-completed', pe, c.stimulusText());
    } else if (register === CDDI) this.deactivates(pe, intid, isKnown);
    else if (register === CDEOI && isKnown) this.drops(pe);
  }

  private deactivates(pe: number, intid: number, isKnown: boolean): void {
    const { context: c } = this;
    const { state } = c.machine;
    const id = gicv5Id(intid);
    this.ended.delete(keyOf(pe, intid));
    if (gicv5Type(intid) === PPI) {
      if (!isKnown || this.isHandlingUnknown || id >= 128) return;
      const at = 128 * pe + id;
      if (((state.ppi.active[at >> 5]! >>> (at & 31)) & 1) === 0 && c.fromReset)
        c.find('deactivate-not-active', c.now(), pe, c.stimulusText());
    } else if (c.fromReset && !this.isActive(intid))
      c.find('deactivate-not-active', c.now(), pe, c.stimulusText());
    if (!isKnown || this.isHandlingUnknown) return;
    const last = this.handled[pe]?.findLast((one) => one.intid === intid);
    if (last !== undefined)
      c.find('late-priority-drop', c.now(), pe, c.stimulusText(), [
        { ...last.at, text: `${anyIntidText(intid)} was acknowledged` },
      ]);
  }

  private isActive(intid: number): boolean {
    const { state } = this.context.machine;
    const id = gicv5Id(intid);
    // The state of an LPI that the IRS has not looked up is in memory, which the source may not have.
    if (gicv5Type(intid) === LPI) return !state.lpis.has(id) || (state.lpis.get(id)! & 2) !== 0;
    const spi = gicv5Type(intid) === SPI ? state.spiIndex(id) : -1;
    return spi >= 0 && ((state.spi.active[spi >> 5]! >>> (spi & 31)) & 1) !== 0;
  }

  private drops(pe: number): void {
    const { context: c } = this;
    const one = this.handled[pe]?.pop();
    if (one !== undefined)
      this.ended.set(keyOf(pe, one.intid), {
        intid: one.intid,
        pe,
        at: c.now(),
        acknowledges: this.acknowledges[pe]!,
      });
    else if (c.fromReset && !this.isHandlingUnknown && c.machine.state.apr[pe] === 0)
      c.find('drop-without-acknowledge', c.now(), pe, c.stimulusText());
  }
}
