// Checks of vPEs: lost doorbells, residency, and what must be polled before a vPE moves.
import { recordText } from '../disasm/index.ts';
import { configTableAddress, NO_TABLE, residentTable, shareTables } from '../model/index.ts';
import { FRAMES, RECORDS, type RecordBatch } from '../record/index.ts';
import { commandName, GICR, isOutcomeKnown, LPI_FIRST, mask } from '../spec/index.ts';
import { ADDRESS, type Check, type CheckContext, FIELD } from './context.ts';
import type { Moment, Related } from './finding.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const ITS_COMMAND = RECORDS['its.command'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const DOORBELL_RUNG = RECORDS['doorbell.rung'].id;
const VPE_RESIDENT = RECORDS['vpe.resident'].id;
const VTE_WRITE = RECORDS['vte.write'].id;
const GICR_FRAME = FRAMES.indexOf('GICR');
const VPENDBASER = GICR.GICR_VPENDBASER.offset;
const DIRTY = 0x1000_0000;
const RVPEID = mask(GICR.GICR_TYPER, 'RVPEID');

interface Doorbell {
  readonly table: number;
  readonly vintid: number;
  readonly pe: number;
  readonly rung: Related;
}
interface Lost {
  readonly intid: number;
  readonly doorbell: Doorbell;
  readonly state: string;
  readonly at: Moment;
  readonly text: string;
}

export class VpeChecks implements Check {
  readonly stimuli = [MMIO_READ];
  readonly emissions = [ITS_COMMAND, LPI_CLEARED, DOORBELL_RUNG, VPE_RESIDENT, VTE_WRITE];
  /** The pending doorbells, by LPI. */
  private readonly doorbells = new Map<number, Doorbell>();
  /** The doorbells that the current command cleared. */
  private readonly cleared: {
    readonly intid: number;
    readonly doorbell: Doorbell;
    readonly state: string;
  }[] = [];
  /** Lost doorbells whose vPE has not run since, by virtual pending table. */
  private readonly lost = new Map<number, Lost[]>();
  /** vPEID and PE of a virtual pending table, as the vPE table says. */
  private readonly vpes = new Map<number, { readonly vpeid: number; readonly pe: number }>();
  /** PEs whose vPE was descheduled and whose Dirty has not been read as 0 since: the pending table, and when. */
  private readonly dirty = new Map<number, { readonly table: number; readonly at: Moment }>();

  stimulus(_c: CheckContext, batch: RecordBatch, i: number): void {
    if (FIELD(batch, i, 0) !== GICR_FRAME || this.dirty.size === 0) return;
    const offset = FIELD(batch, i, 2);
    const high =
      offset === VPENDBASER && FIELD(batch, i, 3) === 8
        ? FIELD(batch, i, 5)
        : offset === VPENDBASER + 4
          ? FIELD(batch, i, 4)
          : undefined;
    if (high !== undefined && (high & DIRTY) === 0) this.dirty.delete(FIELD(batch, i, 1));
  }

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    switch (batch.kind[i]) {
      case DOORBELL_RUNG: {
        const intid = FIELD(batch, i, 0);
        if (this.doorbells.has(intid)) return;
        const rung = { ...c.now(), text: `rung by ${c.stimulusText()}` };
        this.doorbells.set(intid, {
          table: ADDRESS(batch, i, 1),
          vintid: FIELD(batch, i, 3),
          pe: batch.pe[i]!,
          rung,
        });
        return;
      }
      case LPI_CLEARED: {
        const intid = FIELD(batch, i, 0);
        const doorbell = this.doorbells.get(intid);
        if (doorbell === undefined) return;
        this.doorbells.delete(intid);
        if (this.isResident(c, doorbell.table)) return;
        this.cleared.push({ intid, doorbell, state: this.stateOf(c, batch.pe[i]!, intid) });
        return;
      }
      case ITS_COMMAND:
        return this.command(c, batch, i);
      case VTE_WRITE: {
        const table = ADDRESS(batch, i, 4);
        if (FIELD(batch, i, 2)) this.vpes.set(table, { vpeid: FIELD(batch, i, 1), pe: FIELD(batch, i, 6) });
        return this.leaves(c, FIELD(batch, i, 1));
      }
      case VPE_RESIDENT:
        return this.resident(c, batch, i);
    }
  }

  /** Whether a doorbell was enabled, as far as is known. A doorbell that the PE is still signalled was enabled. */
  private stateOf(c: CheckContext, pe: number, intid: number): string {
    const { state } = c.machine;
    if (state.hppiIntid[pe] === intid) return 'enabled';
    const address = configTableAddress(state, pe) + intid - LPI_FIRST;
    if (!state.memory.isKnown(address)) return 'configuration not known';
    return state.memory.readByte(address) & 1 ? 'enabled' : 'masked';
  }

  private isResident(c: CheckContext, table: number): boolean {
    for (let pe = 0; pe < c.machine.state.peCount; pe++)
      if (residentTable(c.machine, pe) === table) return true;
    return false;
  }

  private command(c: CheckContext, batch: RecordBatch, i: number): void {
    if (!isOutcomeKnown(FIELD(batch, i, 2))) {
      // It may have mapped or moved vPEs, and cleared doorbells.
      this.cleared.length = 0;
      this.doorbells.clear();
      this.lost.clear();
      this.vpes.clear();
      return;
    }
    if (this.cleared.length === 0) return;
    if (commandName(FIELD(batch, i, 4)) === 'DISCARD') {
      const at = c.lastCommand();
      for (const one of this.cleared) {
        const list = this.lost.get(one.doorbell.table) ?? [];
        list.push({ ...one, at, text: recordText(batch, i) });
        this.lost.set(one.doorbell.table, list);
      }
    } else
      for (const { intid, doorbell } of this.cleared) {
        // If the doorbell moved to another PE, it is the same doorbell.
        const pe = c.machine.state.lpiPending.findIndex((pending) => pending.has(intid));
        if (pe >= 0) this.doorbells.set(intid, { ...doorbell, pe });
      }
    this.cleared.length = 0;
  }

  private nameOf(table: number): string {
    const vpe = this.vpes.get(table);
    return vpe === undefined
      ? `the vPE with the pending table at 0x${table.toString(16)}`
      : `vPE ${vpe.vpeid}`;
  }

  private report(c: CheckContext, lost: Lost, ran: Moment | undefined): void {
    const { doorbell, intid, at, text, state } = lost;
    const lasted = ran === undefined ? Number.NaN : ran.timeNs - at.timeNs;
    const until = ran === undefined ? 'which has not run since' : 'which runs again';
    c.find(
      'lost-doorbell',
      at,
      doorbell.pe,
      `${text} clears doorbell INTID ${intid} (${state}) of ${this.nameOf(doorbell.table)}, ${until}; vLPI ${doorbell.vintid} is pending for it`,
      ran === undefined ? [doorbell.rung] : [doorbell.rung, { ...ran, text: 'the vPE is resident again' }],
      Number.isNaN(lasted) ? null : lasted,
    );
  }

  private resident(c: CheckContext, batch: RecordBatch, i: number): void {
    // What an acknowledge or an access cleared was not cleared by a command.
    this.cleared.length = 0;
    const pe = batch.pe[i]!;
    const table = ADDRESS(batch, i, 0);
    if (FIELD(batch, i, 3) === 0) {
      this.dirty.set(pe, { table, at: c.now() });
      return;
    }
    const dirty = this.dirty.get(pe);
    if (dirty !== undefined) this.notPolled(c, pe, dirty.at);
    for (let other = 0; other < c.machine.state.peCount; other++)
      if (other !== pe && residentTable(c.machine, other) === table && table !== NO_TABLE)
        c.find(
          'vpe-resident-twice',
          c.now(),
          pe,
          `${this.nameOf(table)} is resident on PE${other} and PE${pe}`,
        );
    const vpe = this.vpes.get(table);
    if (vpe !== undefined && !this.shareTable(c, vpe.pe, pe))
      c.find(
        'vpe-resident-elsewhere',
        c.now(),
        pe,
        `vPE ${vpe.vpeid} is mapped to PE${vpe.pe} and resident on PE${pe}`,
      );
    for (const lost of this.lost.get(table) ?? []) this.report(c, lost, c.now());
    this.lost.delete(table);
  }

  /**
   * Whether a vPE that is mapped to one PE may be resident on another. In GICv4.1, Redistributors with the same CommonLPIAff
   * share a vPE table, and each of them takes the interrupts of its resident vPE.
   */
  private shareTable(c: CheckContext, one: number, other: number): boolean {
    if (one === other) return true;
    const { gicr, pes } = c.machine.state.config;
    if ((gicr.typer & RVPEID) === 0 || pes[one] === undefined) return false;
    return shareTables(c.machine.state.config, one, other);
  }

  /** Called when a vPE is mapped, moved or unmapped. It must have left the PE on which it was resident. */
  private leaves(c: CheckContext, vpeid: number): void {
    for (const [pe, { table, at }] of this.dirty)
      if (this.vpes.get(table)?.vpeid === vpeid) this.notPolled(c, pe, at);
  }

  private notPolled(c: CheckContext, pe: number, at: Moment): void {
    this.dirty.delete(pe);
    if (!c.hasReads(GICR_FRAME)) return;
    c.find('dirty-not-polled', c.now(), pe, c.stimulusText(), [{ ...at, text: 'a vPE was descheduled' }]);
  }

  settled(): void {
    this.cleared.length = 0;
  }

  end(c: CheckContext): void {
    for (const list of this.lost.values()) for (const lost of list) this.report(c, lost, undefined);
  }
}
