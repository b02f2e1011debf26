// Checks of interrupts that are enabled and pending at the end of the trace although their PE has looked for interrupts
// since: what blocks them is not the moment but how the GIC was configured.
import { type Gate, heldBy, sharedIntid } from '../model/index.ts';
import { actOf, NO_PE, RECORDS, type RecordBatch } from '../record/index.ts';
import { isPrivate, isSpi, LPI_FIRST, mask, SYSREGS } from '../spec/index.ts';
import { type Check, type CheckContext, FIELD } from './context.ts';
import type { Moment } from './finding.ts';
import type { CheckName } from './rules.ts';

const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const IRQ_DROPPED = RECORDS['irq.dropped'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const PMR = SYSREGS.ICC_PMR_EL1.encoding;
const FIRST_LR = SYSREGS.ICH_LR0_EL2.encoding;
const PRIORITY = mask(SYSREGS.ICC_PMR_EL1, 'Priority');

const RULES: Partial<Record<Gate, CheckName>> = {
  'group disabled in GICD_CTLR': 'group-never-enabled',
  'group disabled at the PE': 'group-never-enabled',
  'priority mask': 'priority-never-passes',
  active: 'never-deactivated',
};

export class BlockedChecks implements Check {
  readonly stimuli = [SYSREG_READ, SYSREG_WRITE, GIC_RESET];
  readonly emissions = [IRQ_PENDED, WIRE_CHANGED, LPI_PENDED, IRQ_DROPPED, IRQ_ACTIVATED];
  /** By interrupt and PE: when it last became pending. */
  private readonly pended = new Map<number, Moment>();
  /** By interrupt and PE: when its priority was dropped, if it has not become active since. */
  private readonly dropped = new Map<number, Moment>();
  /** By PE: the last record at which it read ICC_IAR<n>_EL1. */
  private readonly looked = new Map<number, number>();
  /** By PE: the highest priority mask that it has had. */
  private readonly widest = new Map<number, number>();
  private hasListRegisters = false;

  stimulus(c: CheckContext, batch: RecordBatch, i: number): void {
    const pe = batch.pe[i]!;
    if (batch.kind[i] === GIC_RESET) {
      this.pended.clear();
      this.dropped.clear();
      this.looked.clear();
      this.widest.clear();
      return;
    }
    const register = FIELD(batch, i, 0);
    if (batch.kind[i] === SYSREG_READ) {
      const act = actOf(batch, i);
      if (act?.does === 'acknowledge' && !act.isVirtual) this.looked.set(pe, c.now().record);
    } else if (register === PMR)
      this.widest.set(pe, Math.max(this.widest.get(pe) ?? 0, FIELD(batch, i, 1) & PRIORITY));
    else if (register >= FIRST_LR && register < FIRST_LR + 16) this.hasListRegisters = true;
  }

  private key(intid: number, pe: number): number {
    return intid * 1024 + (isSpi(intid) ? 0 : pe + 1);
  }

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    const intid = FIELD(batch, i, 0);
    const key = this.key(intid, batch.pe[i]!);
    switch (batch.kind[i]) {
      case WIRE_CHANGED:
        if (FIELD(batch, i, 1)) this.pended.set(key, c.now());
        return;
      case IRQ_DROPPED:
        this.dropped.set(key, c.now());
        return;
      case IRQ_ACTIVATED:
        this.dropped.delete(key);
        return;
      default:
        this.pended.set(key, c.now());
    }
  }

  end(c: CheckContext): void {
    // Without all stimuli from the reset on, what blocks an interrupt is not known.
    if (!c.fromReset || !c.hasAll) return;
    const { state } = c.machine;
    const each = (words: Uint32Array, from: number, to: number, visit: (bit: number) => void) => {
      for (let word = from; word < to; word++)
        for (let bits = words[word]!; bits !== 0; bits &= bits - 1)
          visit(32 * (word - from) + 31 - Math.clz32(bits & -bits));
    };
    const { spi, ppi, ppiWords } = state;
    const pendingOf = ({ pending, level, edge, enable }: typeof spi) =>
      enable.map((on, n) => on & (pending[n]! | (level[n]! & ~edge[n]!)));
    each(pendingOf(spi), 0, spi.enable.length, (index) => this.blocked(c, NO_PE, sharedIntid(state, index)));
    const own = pendingOf(ppi);
    for (let pe = 0; pe < state.peCount; pe++) {
      // SGIs and PPIs only; extended PPIs are rare.
      each(own, pe * ppiWords, pe * ppiWords + 1, (intid) => this.blocked(c, pe, intid));
      for (const intid of [...state.lpiPending[pe]!].sort((a, b) => a - b)) this.blocked(c, pe, intid);
    }
  }

  private blocked(c: CheckContext, at: number, intid: number): void {
    const since = this.pended.get(this.key(intid, at));
    const { gate, pe, priority } = heldBy(c.machine, at, intid);
    const rule = RULES[gate];
    if (rule === undefined || since === undefined || pe >= c.machine.state.peCount) return;
    const isLate = (one: number) => (this.looked.get(one) ?? -1) > since.record;
    if (pe >= 0 ? !isLate(pe) : !c.machine.state.config.pes.some((_, one) => isLate(one))) return;
    const where = pe >= 0 ? ` on PE${pe}` : '';
    const is = `INTID ${intid} is enabled and has been pending${where} since`;
    if (rule === 'never-deactivated') {
      const dropped = this.dropped.get(this.key(intid, at));
      // A hypervisor leaves it to its guest to deactivate an interrupt, and a PPI may be such an interrupt at any time.
      if (dropped === undefined || this.hasListRegisters || isPrivate(intid) || intid >= LPI_FIRST) return;
      c.tell(rule, since, pe, `${is}, but it is still active: its EOI only dropped its priority`, [
        { ...dropped, text: 'the EOI' },
      ]);
      return;
    }
    if (rule === 'priority-never-passes') {
      const widest = this.widest.get(pe) ?? 0;
      if (priority < widest) return;
      c.tell(
        rule,
        since,
        pe,
        `${is} with priority 0x${priority.toString(16)}, and ICC_PMR_EL1 has never been above 0x${widest.toString(16)}`,
      );
      return;
    }
    c.tell(rule, since, pe, `${is}, but ${gate.replace('group', 'its group is')}`);
  }
}
