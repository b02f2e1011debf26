// Checks that the configuration of an LPI is invalidated after it has changed in memory. A narrated case:
//
// 1. LPI 8192 is mapped. Its configuration byte is 0xa0: disabled.
// 2. A PE writes 0xa1 into the configuration table and goes on. It sends no INV.
// 3. A device sends the message. The Redistributor may still have the old byte, and the LPI is not signalled.
//
// A message may always come between a store and its INV, so nothing is reported then. A change is reported if no INV came
// before the byte changed again, before the LPI was unmapped, or before the end of the trace, and if the PE went on to
// something else meanwhile, or a message came.
import { CONFIG_UNKNOWN, configTableAddress } from '../model/index.ts';
import { FRAMES, RECORDS, type RecordBatch } from '../record/index.ts';
import { commandName, fieldReader, GICD, GICR, isOutcomeKnown, LPI_FIRST } from '../spec/index.ts';
import { ADDRESS, type Check, type CheckContext, FIELD } from './context.ts';
import type { Moment, Related } from './finding.ts';

const MEM_WRITE = RECORDS['mem.write'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const ITS_COMMAND = RECORDS['its.command'].id;
const ITE_READ = RECORDS['ite.read'].id;
const DTE_WRITE = RECORDS['dte.write'].id;
const MSI_TRANSLATED = RECORDS['msi.translated'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const ACKNOWLEDGED = RECORDS['irq.acknowledged'].id;
const GICR_FRAME = FRAMES.indexOf('GICR');
const GITS_FRAME = FRAMES.indexOf('GITS');
const ENABLE_LPIS = 1;
/** Enable and Priority: bit 1 is RES1. */
const MEANINGFUL = 0xfd;
const ownBits = fieldReader(GICR.GICR_PROPBASER, 'IDbits');
const gicBits = fieldReader(GICD.GICD_TYPER, 'IDbits');

interface Change {
  readonly intid: number;
  /** PE that stored the byte; below 0 if unknown. */
  readonly pe: number;
  readonly before: number;
  now: number;
  readonly at: Moment;
  /** Whether the PE has accessed the GIC since, other than an ITS. */
  wentOn: boolean;
  /** The first message or acknowledge since. */
  seen: Related | undefined;
}

const hex = (byte: number) => `0x${byte.toString(16).padStart(2, '0')}`;

/** What a change of a configuration byte means. */
function meaning(before: number, now: number): string {
  const change = `${hex(before)} to ${hex(now)}`;
  if ((before & 1) !== (now & 1)) return now & 1 ? `enabled (${change})` : `disabled (${change})`;
  return `given another priority (${change})`;
}

export class LpiConfigChecks implements Check {
  readonly stimuli = [MEM_WRITE, MMIO_READ, MMIO_WRITE, SYSREG_READ, SYSREG_WRITE, GIC_RESET];
  readonly emissions = [ITS_COMMAND, ITE_READ, DTE_WRITE, MSI_TRANSLATED, LPI_PENDED, ACKNOWLEDGED];
  /** Changes that no invalidation has followed. */
  private readonly changes = new Map<number, Change>();
  /** The LPI of the last event that the ITS looked up. */
  private looked = 0;

  stimulus(c: CheckContext, batch: RecordBatch, i: number): void {
    switch (batch.kind[i]) {
      case MEM_WRITE:
        return this.stored(c, batch, i);
      case GIC_RESET:
        this.changes.clear();
        return;
      case MMIO_WRITE:
        if (this.changes.size > 0) this.written(c, batch, i);
    }
    if (this.changes.size === 0) return;
    const isMemory = batch.kind[i] === MMIO_READ || batch.kind[i] === MMIO_WRITE;
    if (isMemory && FIELD(batch, i, 0) === GITS_FRAME) return;
    for (const change of this.changes.values()) if (change.pe === batch.pe[i]) change.wentOn = true;
  }

  private stored(c: CheckContext, batch: RecordBatch, i: number): void {
    const { state } = c.machine;
    const address = ADDRESS(batch, i, 0);
    const width = FIELD(batch, i, 2);
    const total = 2 ** gicBits(state.config.gicd.typer);
    let checked = -1;
    for (let pe = 0; pe < state.peCount; pe++) {
      if ((state.gicrCtlr[pe]! & ENABLE_LPIS) === 0) continue;
      const table = configTableAddress(state, pe);
      // The tables of all PEs are mostly one and the same.
      if (table === checked) continue;
      checked = table;
      const length = Math.min(2 ** ownBits(state.propbaser[2 * pe]!), total) - LPI_FIRST;
      if (address + width <= table || address >= table + length) continue;
      for (let n = 0; n < width; n++) {
        const at = address + n - table;
        if (at < 0 || at >= length) continue;
        const word = FIELD(batch, i, n < 4 ? 3 : 4);
        this.changed(c, batch.pe[i]!, LPI_FIRST + at, address + n, (word >>> (8 * (n & 3))) & 0xff);
      }
      return;
    }
  }

  private changed(c: CheckContext, pe: number, intid: number, address: number, now: number): void {
    const { memory, lpiConfig, lpiPending } = c.machine.state;
    const change = this.changes.get(intid);
    if (change !== undefined) {
      if (((change.before ^ now) & MEANINGFUL) === 0) this.drop(c, intid);
      else if (((change.now ^ now) & MEANINGFUL) === 0) return;
      else if (!change.wentOn && change.seen === undefined) change.now = now;
      else {
        this.tell(c, change);
        this.changes.set(intid, {
          ...change,
          pe,
          before: change.now,
          now,
          at: c.now(),
          wentOn: false,
          seen: undefined,
        });
      }
      return;
    }
    const cached = lpiConfig.map((configs) => configs.get(intid)).find((byte) => byte !== undefined);
    const isCached = cached !== undefined && cached < CONFIG_UNKNOWN;
    if (!memory.isKnown(address) && !isCached) return;
    const before = memory.isKnown(address) ? memory.readByte(address) : cached!;
    if (((before ^ now) & MEANINGFUL) === 0) return;
    // An LPI that nothing uses yet need not be cached.
    if (!isCached && !c.mappedLpis.has(intid) && !lpiPending.some((pending) => pending.has(intid))) return;
    this.changes.set(intid, { intid, pe, before, now, at: c.now(), wentOn: false, seen: undefined });
  }

  private written(c: CheckContext, batch: RecordBatch, i: number): void {
    if (FIELD(batch, i, 0) !== GICR_FRAME) return;
    const pe = FIELD(batch, i, 1);
    switch (FIELD(batch, i, 2)) {
      case GICR.GICR_INVLPIR.offset:
        this.changes.delete(FIELD(batch, i, 4));
        return;
      case GICR.GICR_INVALLR.offset:
        this.changes.clear();
        return;
      case GICR.GICR_CTLR.offset: {
        // LPIs are enabled: the Redistributor has nothing cached.
        const was = (c.machine.state.gicrCtlr[pe] ?? 0) & ENABLE_LPIS;
        if (was === 0 && FIELD(batch, i, 4) & ENABLE_LPIS) this.changes.clear();
      }
    }
  }

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    if (batch.kind[i] === ITE_READ) {
      this.looked = FIELD(batch, i, 5) ? FIELD(batch, i, 6) : 0;
      return;
    }
    if (this.changes.size === 0) return;
    switch (batch.kind[i]) {
      case ITS_COMMAND:
        return this.command(c, batch, i);
      case DTE_WRITE:
        // The events of the device are mapped no longer, and what they were mapped to is unknown here.
        for (const intid of [...this.changes.keys()]) if (!c.mappedLpis.has(intid)) this.drop(c, intid);
        return;
      case MSI_TRANSLATED:
        return this.used(c, FIELD(batch, i, 3), 'a message came for it');
      case LPI_PENDED:
        return this.used(c, FIELD(batch, i, 0), 'it became pending');
      case ACKNOWLEDGED:
        return this.used(c, FIELD(batch, i, 0), `PE${batch.pe[i]} acknowledged it`);
    }
  }

  private command(c: CheckContext, batch: RecordBatch, i: number): void {
    if (!isOutcomeKnown(FIELD(batch, i, 2))) {
      this.changes.clear();
      return;
    }
    switch (commandName(FIELD(batch, i, 4))) {
      case 'INV':
        this.changes.delete(this.looked);
        return;
      case 'INVALL':
      case 'INVDB':
        this.changes.clear();
        return;
      case 'DISCARD':
        return this.drop(c, this.looked);
    }
  }

  private used(c: CheckContext, intid: number, text: string): void {
    const change = this.changes.get(intid);
    if (change !== undefined && change.seen === undefined)
      change.seen = { ...c.now(), text: `${text}: ${c.stimulusText()}` };
  }

  /** The LPI is mapped no longer. A change that did no harm until now will not. */
  private drop(c: CheckContext, intid: number): void {
    const change = this.changes.get(intid);
    if (change === undefined) return;
    this.changes.delete(intid);
    if (change.seen !== undefined) this.tell(c, change);
  }

  private tell(c: CheckContext, { intid, pe, before, now, at, wentOn, seen }: Change): void {
    if (!wentOn && seen === undefined) return;
    c.tell(
      'config-not-invalidated',
      at,
      pe,
      `INTID ${intid} was ${meaning(before, now)} in memory, and no INV or INVALL followed`,
      seen === undefined ? [] : [seen],
    );
  }

  end(c: CheckContext): void {
    // A trace may end between a change and its INV, so something must have come in between.
    for (const change of this.changes.values()) this.tell(c, change);
  }
}
