// Checks of single accesses that cannot be meant: an EOI of what was not acknowledged, a write to a reserved location or to
// one that affinity routing disables.
import { actOf, FRAMES, NO_PE, RECORDS, type RecordBatch, takenOrEnded } from '../record/index.ts';
import { isSpecial, registerAt, SYSREGS } from '../spec/index.ts';
import { type Check, type CheckContext, FIELD } from './context.ts';
import type { Related } from './finding.ts';

const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const STATE_KNOWN = RECORDS['state.known'].id;
const RESERVED = RECORDS['access.reserved'].id;
/** The active-priorities registers of the physical CPU interface: by them, software restores or clears what is active. */
const ACTIVE_PRIORITIES: ReadonlySet<number> = new Set(
  Object.entries(SYSREGS)
    .filter(([name]) => /^ICC_AP[01]R/.test(name))
    .map(([, { encoding }]) => encoding),
);

/** The group enables of the physical CPU interface, which software sets when it has configured the PE's interrupts. */
const GROUP_ENABLES: ReadonlySet<number> = new Set(
  [SYSREGS.ICC_IGRPEN0_EL1, SYSREGS.ICC_IGRPEN1_EL1, SYSREGS.ICC_IGRPEN1_EL3].map(({ encoding }) => encoding),
);

const GICR_FRAME = FRAMES.indexOf('GICR');

export class AccessChecks implements Check {
  readonly stimuli = [MMIO_WRITE, SYSREG_READ, SYSREG_WRITE, PE_RESET, GIC_RESET, STATE_KNOWN];
  readonly emissions = [RESERVED];
  /** By PE: the interrupts that it acknowledged and did not end, innermost last; null if that is not known. */
  private readonly taken = new Map<number, number[] | null>();
  /** Registers of SGIs and PPIs that were written in the Distributor, without GICD_, and those in a Redistributor. */
  private readonly inDistributor = new Map<string, Related & { readonly pe: number }>();
  private readonly inRedistributor = new Set<string>();
  /** Registers in `inDistributor` that were written before a PE enabled a group. Of others the trace may end too early. */
  private readonly meant = new Set<string>();
  /** The trace contains a write to a Redistributor. If none, its source may not record them. */
  private showsRedistributors = false;
  /** Reserved locations that were written: each is reported once. */
  private readonly reported = new Set<string>();

  stimulus(c: CheckContext, batch: RecordBatch, i: number): void {
    const pe = batch.pe[i]!;
    switch (batch.kind[i]) {
      case GIC_RESET:
        this.taken.clear();
        return;
      case MMIO_WRITE:
        if (FIELD(batch, i, 0) <= GICR_FRAME) this.private(c, batch, i);
        return;
      case PE_RESET:
        this.taken.set(pe, []);
        return;
      case STATE_KNOWN:
        // The source reveals state from before it began.
        if (pe !== NO_PE) this.taken.set(pe, null);
        return;
    }
    if (batch.kind[i] === SYSREG_WRITE && GROUP_ENABLES.has(FIELD(batch, i, 0)) && FIELD(batch, i, 1) !== 0)
      for (const name of this.inDistributor.keys()) this.meant.add(name);
    if (!c.fromReset || !c.has('acknowledges') || !c.has('ends')) return;
    if (batch.kind[i] === SYSREG_WRITE && ACTIVE_PRIORITIES.has(FIELD(batch, i, 0))) {
      const isNone = FIELD(batch, i, 1) === 0;
      this.taken.set(pe, isNone ? [] : null);
      return;
    }
    const act = actOf(batch, i);
    if (act === undefined || act.isVirtual || (act.does !== 'acknowledge' && act.does !== 'end')) return;
    let taken = this.taken.get(pe);
    if (taken === null) return;
    if (taken === undefined) {
      taken = [];
      this.taken.set(pe, taken);
    }
    const intid = takenOrEnded(batch, i);
    if (intid < 0) this.taken.set(pe, null);
    else if (act.does === 'acknowledge') {
      if (!isSpecial(intid)) taken.push(intid);
    } else if (!isSpecial(intid)) this.ended(c, pe, taken, intid);
  }

  /**
   * With affinity routing, the Distributor's registers of SGIs and PPIs are RAZ/WI, and GICD_SGIR too. Portable software may
   * write both these and the Redistributor's; only a setting that reaches no Redistributor is lost.
   */
  private private(c: CheckContext, batch: RecordBatch, i: number): void {
    const frame = FIELD(batch, i, 0);
    const offset = FIELD(batch, i, 2);
    if (frame === GICR_FRAME) this.showsRedistributors = true;
    if (FIELD(batch, i, 4) === 0 || !c.physicalAddresses || c.isUndecided) return;
    const register = registerAt(frame, offset);
    if (register === undefined) return;
    const name = register.name.slice(5);
    if (frame === GICR_FRAME) {
      this.inRedistributor.add(name);
      return;
    }
    const perIntid = register.spec.bitsPerIntid;
    const isPrivate =
      perIntid !== undefined &&
      (register.spec.firstIntid ?? 0) === 0 &&
      8 * (offset - register.spec.offset) < 32 * perIntid;
    if ((!isPrivate && register.name !== 'GICD_SGIR') || this.inDistributor.has(name)) return;
    const text = `${register.label} has no effect with affinity routing: ${c.stimulusText()}`;
    this.inDistributor.set(name, { ...c.now(), pe: batch.pe[i]!, text });
  }

  end(c: CheckContext): void {
    if (!c.fromReset || !this.showsRedistributors) return;
    for (const [name, { pe, text, ...at }] of this.inDistributor)
      if (this.meant.has(name) && !this.inRedistributor.has(name))
        c.tell('private-in-distributor', at, pe, text);
  }

  private ended(c: CheckContext, pe: number, taken: number[], intid: number): void {
    const last = taken.pop();
    if (last === intid) return;
    const acknowledged = last === undefined ? 'none' : `INTID ${last}`;
    c.find(
      'eoi-without-acknowledge',
      c.now(),
      pe,
      `EOI of INTID ${intid}, while the last one that PE${pe} acknowledged and did not end is ${acknowledged}: ${c.stimulusText()}`,
    );
    // Whichever order software meant, both are over when it has ended them.
    const at = taken.lastIndexOf(intid);
    if (at >= 0) taken.splice(at, 1, ...(last === undefined ? [] : [last]));
  }

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    const [frame, instance, offset, width, write] = [0, 1, 2, 3, 4].map((n) => FIELD(batch, i, n));
    if (write === 0 || !c.physicalAddresses) return;
    const register = registerAt(frame!, offset!);
    // A register that this GIC lacks, or that is read-only, is software's question what the GIC has.
    if (register !== undefined && (register.spec.accessBytes as readonly number[]).includes(width!)) return;
    const key = `${frame}:${offset}:${width}`;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    const what =
      register === undefined
        ? `offset 0x${offset!.toString(16)} of the ${FRAMES[frame!]} frame is reserved`
        : `${register.label} does not support accesses of ${width} bytes`;
    c.find(
      'write-to-reserved',
      c.now(),
      frame === FRAMES.indexOf('GICR') ? instance! : c.stimulus.pe[0]!,
      `${what}: ${c.stimulusText()}`,
    );
  }
}
