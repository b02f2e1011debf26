// Checks of when a vPE is mapped, resident and woken: a vPE that is unmapped while it is resident, and a vPE that left its
// PE without a request for its doorbell, so that nothing wakes it.
import { NO_TABLE, residentTable } from '../model/index.ts';
import { NO_PE, RECORDS, type RecordBatch } from '../record/index.ts';
import { GICR, isOutcomeKnown, mask, maskHigh } from '../spec/index.ts';
import { ADDRESS, between, type Check, type CheckContext, FIELD } from './context.ts';
import type { Moment, Related } from './finding.ts';

const GIC_RESET = RECORDS['gic.reset'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const ITS_COMMAND = RECORDS['its.command'].id;
const VTE_WRITE = RECORDS['vte.write'].id;
const VPE_RESIDENT = RECORDS['vpe.resident'].id;
const VLPI_PENDED = RECORDS['vlpi.pended'].id;
const VLPI_CLEARED = RECORDS['vlpi.cleared'].id;
const DOORBELL_RUNG = RECORDS['doorbell.rung'].id;
const DOORBELL = maskHigh(GICR.GICR_VPENDBASER.views['GICv4.1'], 'Doorbell');
const RVPEID = mask(GICR.GICR_TYPER, 'RVPEID');

interface Mapped {
  readonly table: number;
  readonly itss: Set<number>;
}
/** A vPE that left its PE without a request for its doorbell. */
interface Left {
  readonly vpeid: number;
  readonly pe: number;
  readonly at: Moment;
  readonly text: string;
  /** The first interrupt that became pending since, and is pending still. */
  pended: (Related & { readonly vintid: number }) | undefined;
}

export class ResidencyChecks implements Check {
  readonly stimuli = [GIC_RESET];
  readonly emissions = [ITS_COMMAND, VTE_WRITE, VPE_RESIDENT, VLPI_PENDED, VLPI_CLEARED, DOORBELL_RUNG];
  private readonly mapped = new Map<number, Mapped>();
  /** By virtual pending table. */
  private readonly left = new Map<number, Left>();
  private readonly pending: ((at: Moment) => void)[] = [];

  stimulus(): void {
    this.mapped.clear();
    this.left.clear();
  }

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    switch (batch.kind[i]) {
      case VTE_WRITE:
        return this.entry(c, batch, i);
      case ITS_COMMAND: {
        if (!isOutcomeKnown(FIELD(batch, i, 2))) {
          this.mapped.clear();
          this.left.clear();
        } else for (const report of this.pending) report(c.lastCommand());
        this.pending.length = 0;
        return;
      }
      case VPE_RESIDENT:
        return this.resident(c, batch, i);
      case VLPI_PENDED: {
        const left = batch.pe[i] === NO_PE ? this.left.get(ADDRESS(batch, i, 0)) : undefined;
        if (left === undefined || left.pended !== undefined || c.isUndecided) return;
        left.pended = { ...c.now(), vintid: FIELD(batch, i, 2), text: c.stimulusText() };
        return;
      }
      case VLPI_CLEARED: {
        const left = this.left.get(ADDRESS(batch, i, 0));
        if (left?.pended?.vintid === FIELD(batch, i, 2)) left.pended = undefined;
        return;
      }
      case DOORBELL_RUNG:
        this.left.delete(ADDRESS(batch, i, 1));
    }
  }

  private entry(c: CheckContext, batch: RecordBatch, i: number): void {
    const its = FIELD(batch, i, 0);
    const vpeid = FIELD(batch, i, 1);
    const table = ADDRESS(batch, i, 4);
    const before = this.mapped.get(vpeid);
    if (FIELD(batch, i, 2)) {
      if (before?.table === table) before.itss.add(its);
      else this.mapped.set(vpeid, { table, itss: new Set([its]) });
      return;
    }
    before?.itss.delete(its);
    if (before === undefined || before.itss.size > 0) return;
    this.mapped.delete(vpeid);
    this.left.delete(before.table);
    for (let pe = 0; pe < c.machine.state.peCount; pe++)
      if (before.table !== NO_TABLE && residentTable(c.machine, pe) === before.table)
        this.pending.push((at) =>
          c.find(
            'vmapp-unmaps-resident',
            at,
            pe,
            `vPE ${vpeid} is unmapped (VMAPP with V = 0) while it is resident on PE${pe}`,
          ),
        );
  }

  private resident(c: CheckContext, batch: RecordBatch, i: number): void {
    const table = ADDRESS(batch, i, 0);
    if (FIELD(batch, i, 3)) {
      this.left.delete(table);
      return;
    }
    const { config } = c.machine.state;
    if ((config.gicr.typer & RVPEID) === 0 || c.stimulus.kind[0] !== MMIO_WRITE || c.isUndecided) return;
    // A write of the upper half alone has its bits in the first word of the value.
    const high = c.word(3) === 8 ? c.word(5) : c.word(4);
    if (high & DOORBELL) return;
    this.left.set(table, {
      vpeid: FIELD(batch, i, 2),
      pe: batch.pe[i]!,
      at: c.now(),
      text: c.stimulusText(),
      pended: undefined,
    });
  }

  end(c: CheckContext): void {
    for (const { vpeid, pe, at, text, pended } of this.left.values())
      if (pended !== undefined)
        c.tell(
          'doorbell-not-requested',
          at,
          pe,
          `vPE ${vpeid} left PE${pe} without a request for its doorbell and has not run since, although vINTID ${pended.vintid} is pending for it: ${text}`,
          [pended],
          between(at, pended),
        );
  }
}
