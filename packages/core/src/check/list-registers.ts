// Checks of what a hypervisor does with list registers (ICH_LR<n>_EL2). A hypervisor learns what its guest did only by
// reading them, or ICH_ELRSR_EL2 and ICH_EISR_EL2; if it overwrites one that it has not read, it may lose an interrupt.
import { peekSysreg } from '../model/index.ts';
import { NO_PE, RECORDS, type RecordBatch } from '../record/index.ts';
import { maskHigh, masks, SYSREGS } from '../spec/index.ts';
import { type Check, type CheckContext, FIELD } from './context.ts';
import type { Moment } from './finding.ts';

const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const DEACTIVATED = RECORDS['virq.deactivated'].id;
const V_ACKNOWLEDGED = RECORDS['virq.acknowledged'].id;
const V_DROPPED = RECORDS['virq.dropped'].id;
const MAINTENANCE = RECORDS.maintenance.id;
const ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;

const LR0 = SYSREGS.ICH_LR0_EL2.encoding;
const LR_COUNT = 16;
const HCR = SYSREGS.ICH_HCR_EL2.encoding;
const HCR_EN = masks(SYSREGS.ICH_HCR_EL2).En;
const ELRSR = SYSREGS.ICH_ELRSR_EL2.encoding;
const EISR = SYSREGS.ICH_EISR_EL2.encoding;
const MISR = SYSREGS.ICH_MISR_EL2.encoding;
const MISR_BITS = masks(SYSREGS.ICH_MISR_EL2);
const STATE = maskHigh(SYSREGS.ICH_LR0_EL2, 'State');
const PENDING = STATE & 0x4000_0000;
const HW = maskHigh(SYSREGS.ICH_LR0_EL2, 'HW');
/** Bit 41 if HW is 0: the EOI requests a maintenance interrupt. */
const EOI = 0x200;
/** The PPI of the maintenance interrupt (Arm Base System Architecture, "PPI assignments"). */
const MAINTENANCE_INTID = 25;
/** The guest accesses its CPU interface. */
const GUEST: ReadonlySet<number> = new Set(
  Object.entries(SYSREGS)
    .filter(([name]) => name.startsWith('ICV_'))
    .map(([, { encoding }]) => encoding),
);
/** Maintenance interrupts in a row, while the guest does nothing, that are a storm. */
const STORM = 16;

interface Content {
  readonly vintid: number;
  readonly at: Moment;
}

/** What is known about the list registers of a PE. */
interface Own {
  /** By list register: whether the hypervisor has read it since it wrote it. */
  readonly isRead: Uint8Array;
  /** By list register: whether the virtual interface was enabled at some time since. */
  readonly couldRun: Uint8Array;
  /** By list register: an interrupt that ended there without a request for a maintenance interrupt, and that was not read. */
  readonly ended: (Content | undefined)[];
  /** By list register: when the hypervisor wrote it. */
  readonly written: (Moment | undefined)[];
  /** Pending interrupts that were overwritten, and the text of the write. */
  readonly overwritten: {
    readonly vintid: number;
    readonly n: number;
    readonly at: Moment;
    readonly text: string;
    readonly written: Moment;
  }[];
  /** Maintenance interrupts since the guest or the hypervisor did something about their cause, and the first of them. */
  maintenances: number;
  since: Moment | undefined;
}

export class ListRegisterChecks implements Check {
  readonly stimuli = [SYSREG_READ, SYSREG_WRITE, PE_RESET, GIC_RESET];
  readonly emissions = [DEACTIVATED, V_ACKNOWLEDGED, V_DROPPED, MAINTENANCE, ACKNOWLEDGED];
  private readonly byPe = new Map<number, Own>();

  private of(pe: number): Own {
    let own = this.byPe.get(pe);
    if (own === undefined) {
      own = {
        isRead: new Uint8Array(LR_COUNT),
        couldRun: new Uint8Array(LR_COUNT),
        ended: new Array(LR_COUNT).fill(undefined),
        written: new Array(LR_COUNT).fill(undefined),
        overwritten: [],
        maintenances: 0,
        since: undefined,
      };
      this.byPe.set(pe, own);
    }
    return own;
  }

  stimulus(c: CheckContext, batch: RecordBatch, i: number): void {
    const pe = batch.pe[i]!;
    switch (batch.kind[i]) {
      case GIC_RESET:
        this.byPe.clear();
        return;
      case PE_RESET:
        this.byPe.delete(pe);
        return;
    }
    if (pe < 0 || pe >= c.machine.state.peCount) return;
    const register = FIELD(batch, i, 0);
    const own = this.byPe.get(pe);
    if (GUEST.has(register)) {
      if (own !== undefined && own.overwritten.length > 0) this.confirm(c, pe, own);
      return;
    }
    const isRead = batch.kind[i] === SYSREG_READ;
    const n = register - LR0;
    if (n >= 0 && n < LR_COUNT) {
      if (isRead) this.read(this.of(pe), n);
      else this.write(c, batch, i, pe, n);
    } else if (own !== undefined && isRead && (register === ELRSR || register === EISR))
      own.ended.fill(undefined);
    else if (own !== undefined && !isRead && register === HCR) {
      if (FIELD(batch, i, 1) & HCR_EN) own.couldRun.fill(1);
    }
  }

  private read(own: Own, n: number): void {
    own.isRead[n] = 1;
    own.ended[n] = undefined;
  }

  private write(c: CheckContext, batch: RecordBatch, i: number, pe: number, n: number): void {
    const own = this.of(pe);
    const { lr, hcr } = c.machine.state.virtual;
    const at = 32 * pe + 2 * n;
    const [low, high] = [lr[at]!, lr[at + 1]!];
    const [newLow, newHigh] = [FIELD(batch, i, 1), FIELD(batch, i, 2)];
    const written = own.written[n];
    const couldRun = own.couldRun[n] === 1;
    const staysPending = newLow === low && (newHigh & PENDING) !== 0;
    // A special INTID in a list register is no interrupt.
    if (high & PENDING && !staysPending && own.isRead[n] === 0 && couldRun && written !== undefined)
      own.overwritten.push({ vintid: low, n, at: c.now(), text: c.stimulusText(), written });
    const ended = own.ended[n];
    if (ended !== undefined && !c.isUndecided)
      c.find(
        'list-register-end-unnoticed',
        c.now(),
        pe,
        `vINTID ${ended.vintid} ended in list register ${n}, which was not read since: ${c.stimulusText()}`,
        [{ ...ended.at, text: `vINTID ${ended.vintid} ended` }],
      );
    own.ended[n] = undefined;
    own.isRead[n] = 0;
    own.couldRun[n] = hcr[pe]! & HCR_EN ? 1 : 0;
    own.written[n] = c.now();
    if (newHigh & STATE) own.maintenances = 0;
  }

  /** The guest runs again. What was overwritten and is in no list register has been lost. */
  private confirm(c: CheckContext, pe: number, own: Own): void {
    const { lr } = c.machine.state.virtual;
    for (const { vintid, n, at, text, written } of own.overwritten) {
      let isElsewhere = false;
      for (let k = 0; k < LR_COUNT; k++)
        if (lr[32 * pe + 2 * k] === vintid && lr[32 * pe + 2 * k + 1]! & PENDING) isElsewhere = true;
      if (!isElsewhere)
        c.tell(
          'list-register-overwritten',
          at,
          pe,
          `vINTID ${vintid} was pending in list register ${n}, which was not read since: ${text}`,
          [{ ...written, text: `vINTID ${vintid} was written to list register ${n}` }],
          null,
          { intid: vintid, isVirtual: true },
        );
    }
    own.overwritten.length = 0;
  }

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    const pe = batch.pe[i]!;
    if (pe === NO_PE) return;
    const own = this.byPe.get(pe);
    switch (batch.kind[i]) {
      case DEACTIVATED: {
        const n = FIELD(batch, i, 1) | 0;
        if (n < 0 || n >= LR_COUNT) return;
        const high = c.machine.state.virtual.lr[32 * pe + 2 * n + 1]!;
        if (high & HW || high & EOI || c.stimulus.kind[0] !== SYSREG_WRITE || c.isUndecided) return;
        this.of(pe).ended[n] = { vintid: FIELD(batch, i, 0), at: c.now() };
        return;
      }
      case V_ACKNOWLEDGED:
      case V_DROPPED:
        if (own !== undefined) own.maintenances = 0;
        return;
      case MAINTENANCE:
        if (FIELD(batch, i, 0)) this.maintained(c, pe);
        return;
      case ACKNOWLEDGED:
        if (FIELD(batch, i, 0) === MAINTENANCE_INTID && c.machine.state.virtual.maintenance[pe])
          this.maintained(c, pe);
    }
  }

  /** A maintenance interrupt was raised, or taken while it was still asserted. */
  private maintained(c: CheckContext, pe: number): void {
    const own = this.of(pe);
    const misr = peekSysreg(c.machine, pe, MISR, true, false);
    const { U, NP } = MISR_BITS;
    if (misr <= 0 || (misr & ~(U | NP)) !== 0) {
      own.maintenances = 0;
      return;
    }
    if (own.maintenances++ === 0) own.since = c.now();
    if (own.maintenances !== STORM) return;
    const causes = [misr & U ? 'U' : '', misr & NP ? 'NP' : ''].filter((one) => one !== '').join(' and ');
    c.find(
      'maintenance-storm',
      c.now(),
      pe,
      `${STORM} maintenance interrupts in a row (ICH_MISR_EL2.${causes}), and neither the list registers changed nor did the guest take an interrupt: ${c.stimulusText()}`,
      own.since === undefined ? [] : [{ ...own.since, text: 'the first of them' }],
    );
  }

  end(c: CheckContext): void {
    for (const [pe, own] of this.byPe) if (own.overwritten.length > 0) this.confirm(c, pe, own);
  }
}
