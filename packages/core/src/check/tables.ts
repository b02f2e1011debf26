// Checks of the tables in memory that software gives to the GIC: that they are there before they are used, that they do
// not overlap, and that two PEs or vPEs do not share a pending table.
import { configTableAddress, pendingTableAddress, shareTables } from '../model/index.ts';
import { FRAMES, RECORDS, type RecordBatch } from '../record/index.ts';
import {
  commandName,
  fieldReader,
  GICD,
  GICR,
  GITS,
  isOutcomeKnown,
  LPI_FIRST,
  maskHigh,
} from '../spec/index.ts';
import { ADDRESS, type Check, type CheckContext, FIELD } from './context.ts';
import type { Moment } from './finding.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const ITS_COMMAND = RECORDS['its.command'].id;
const DTE_WRITE = RECORDS['dte.write'].id;
const VTE_WRITE = RECORDS['vte.write'].id;
const GICR_FRAME = FRAMES.indexOf('GICR');
const GITS_FRAME = FRAMES.indexOf('GITS');
const CTLR = 0;
const ENABLED = 1;
const ENABLE_LPIS = 1;

const { GITS_BASER, GITS_CBASER, GITS_TYPER } = GITS;
const BASER_64K = GITS_BASER.views['64 KB pages'];
const BASER_VALID = maskHigh(GITS_BASER, 'Valid');
const BASER_INDIRECT = maskHigh(GITS_BASER, 'Indirect');
const CBASER_VALID = maskHigh(GITS_CBASER, 'Valid');
const typeOf = fieldReader(GITS_BASER, 'Type');
const pageSizeOf = fieldReader(GITS_BASER, 'Page_Size');
const pagesOf = fieldReader(GITS_BASER, 'Size');
const addressOf = fieldReader(GITS_BASER, 'Physical_Address');
const topOf = fieldReader(BASER_64K, 'Physical_Address_51_48');
const restOf = fieldReader(BASER_64K, 'Physical_Address_47_16');
const queueOf = fieldReader(GITS_CBASER, 'Physical_Address');
const queuePagesOf = fieldReader(GITS_CBASER, 'Size');
const entryBytesOf = fieldReader(GITS_TYPER, 'ITT_entry_size');
const collectionsInHardware = fieldReader(GITS_TYPER, 'HCC');
const ownBits = fieldReader(GICR.GICR_PROPBASER, 'IDbits');
const gicBits = fieldReader(GICD.GICD_TYPER, 'IDbits');
const PAGE_BYTES = [0x1000, 0x4000, 0x1_0000, 0x1_0000];
const QUEUE_PAGE_BYTES = 0x1000;
/** GITS_BASER<n>.Type: what the table is for. */
const TABLES: Readonly<Record<number, string>> = { 1: 'device', 2: 'vPE', 4: 'collection' };
const VPES = 2;
const COLLECTIONS = 4;
/** The fewest bits that LPIs can have. */
const FEWEST_BITS = 14;

/** A stretch of memory that belongs to the GIC. */
interface Region {
  readonly name: string;
  readonly start: number;
  /** First address behind it. */
  readonly end: number;
  /** Regions of a class may be the same region: one table for several units. */
  readonly shared: string | undefined;
  readonly at: Moment;
}

const hex = (n: number) => `0x${n.toString(16)}`;
const span = ({ start, end }: Region) => `${hex(start)}..${hex(end - 1)}`;

export class TableChecks implements Check {
  readonly stimuli = [MMIO_READ, MMIO_WRITE, GIC_RESET];
  readonly emissions = [ITS_COMMAND, DTE_WRITE, VTE_WRITE];
  private readonly regions = new Map<string, Region>();
  /** Registers of tables that the trace has read or written: frame, instance, offset. */
  private readonly accessed = new Set<string>();
  /** The virtual pending tables of the mapped vPEs, by vPEID, and the ITSs that have them mapped. */
  private readonly vpes = new Map<
    number,
    { table: number; readonly itss: Set<number>; readonly at: Moment }
  >();
  /** Findings about the command that runs. */
  private readonly pending: ((at: Moment, text: string) => void)[] = [];

  stimulus(c: CheckContext, batch: RecordBatch, i: number): void {
    if (batch.kind[i] === GIC_RESET) {
      this.regions.clear();
      this.vpes.clear();
      return;
    }
    const frame = FIELD(batch, i, 0);
    if (frame !== GICR_FRAME && frame !== GITS_FRAME) return;
    const instance = FIELD(batch, i, 1);
    const offset = FIELD(batch, i, 2);
    const { itsCount, peCount, gitsCtlr, gicrCtlr } = c.machine.state;
    if (instance >= (frame === GITS_FRAME ? itsCount : peCount)) return;
    if (offset !== CTLR) {
      if (offset < 0x140) this.accessed.add(`${frame}:${instance}:${offset & ~7}`);
      return;
    }
    if (batch.kind[i] === MMIO_READ) return;
    const value = FIELD(batch, i, 4);
    if (frame === GITS_FRAME) {
      if (gitsCtlr[instance]! & ENABLED) {
        if ((value & ENABLED) === 0) this.forgetIts(instance);
      } else if (value & ENABLED) this.itsEnabled(c, instance);
    } else if (gicrCtlr[instance]! & ENABLE_LPIS) {
      if ((value & ENABLE_LPIS) === 0) this.regions.delete(`pending:${instance}`);
    } else if (value & ENABLE_LPIS) this.lpisEnabled(c, instance);
  }

  /** Whether the value of a register is known, although it may never have been written. */
  private isKnown(c: CheckContext, frame: number, instance: number, offset: number): boolean {
    return c.fromReset || this.accessed.has(`${frame}:${instance}:${offset}`);
  }

  private itsEnabled(c: CheckContext, its: number): void {
    const { cbaser, baser, gitsTyper } = c.machine.state;
    const missing: string[] = [];
    const [low, high] = [cbaser[2 * its]!, cbaser[2 * its + 1]!];
    if (high & CBASER_VALID) {
      const start = queueOf(low, high);
      const end = start + queuePagesOf(low) * QUEUE_PAGE_BYTES;
      this.add(c, `queue:${its}`, `the command queue of ITS ${its}`, start, end);
    } else if (this.isKnown(c, GITS_FRAME, its, GITS_CBASER.offset))
      missing.push('a command queue (GITS_CBASER)');
    const hcc = collectionsInHardware(gitsTyper[2 * its]!, gitsTyper[2 * its + 1]!);
    for (let n = 0; n < 8; n++) {
      const [tableLow, tableHigh] = [baser[16 * its + 2 * n]!, baser[16 * its + 2 * n + 1]!];
      const type = typeOf(0, tableHigh);
      const name = TABLES[type];
      if (name === undefined) continue;
      if (tableHigh & BASER_VALID) {
        const page = PAGE_BYTES[pageSizeOf(tableLow)]!;
        const start =
          page === 0x1_0000
            ? topOf(tableLow, tableHigh) + restOf(tableLow, tableHigh)
            : addressOf(tableLow, tableHigh);
        const level = tableHigh & BASER_INDIRECT ? 'first level of the ' : '';
        this.add(
          c,
          `baser:${its}:${n}`,
          `the ${level}${name} table of ITS ${its}`,
          start,
          start + pagesOf(tableLow) * page,
          type === VPES ? 'vPE table' : undefined,
        );
      } else if (
        type !== VPES &&
        !(type === COLLECTIONS && hcc > 0) &&
        this.isKnown(c, GITS_FRAME, its, GITS_BASER.offset + 8 * n)
      )
        missing.push(`a ${name} table (GITS_BASER${n})`);
    }
    if (missing.length > 0)
      c.find(
        'its-enabled-without-tables',
        c.now(),
        c.stimulus.pe[0]!,
        `ITS ${its} has not ${missing.join(', nor ')}: ${c.stimulusText()}`,
      );
  }

  private lpisEnabled(c: CheckContext, pe: number): void {
    const { state } = c.machine;
    const bits = Math.min(ownBits(state.propbaser[2 * pe]!), gicBits(state.config.gicd.typer));
    const table = pendingTableAddress(state, pe);
    const properties = configTableAddress(state, pe);
    const missing: string[] = [];
    if (this.isKnown(c, GICR_FRAME, pe, GICR.GICR_PROPBASER.offset)) {
      if (bits < FEWEST_BITS)
        missing.push(`GICR_PROPBASER.IDbits is ${bits - 1}, and no LPI has so few bits`);
      else if (properties === 0 && !this.accessed.has(`${GICR_FRAME}:${pe}:${GICR.GICR_PROPBASER.offset}`))
        missing.push('GICR_PROPBASER was never written');
    }
    const isWritten = this.accessed.has(`${GICR_FRAME}:${pe}:${GICR.GICR_PENDBASER.offset}`);
    if (c.fromReset && table === 0 && !isWritten) missing.push('GICR_PENDBASER was never written');
    if (missing.length > 0) {
      c.find(
        'lpis-enabled-without-tables',
        c.now(),
        pe,
        `PE${pe}: ${missing.join('; ')}: ${c.stimulusText()}`,
      );
      return;
    }
    if (!c.fromReset && !isWritten) return;
    this.compare(c, pe, properties, bits);
    const size = 2 ** bits;
    this.add(
      c,
      `pending:${pe}`,
      `the LPI pending table of PE${pe}`,
      table,
      table + size / 8,
      'LPI pending table',
    );
    this.add(
      c,
      `properties:${properties}`,
      'an LPI configuration table',
      properties,
      properties + size - LPI_FIRST,
      'LPI configuration table',
    );
  }

  /** Redistributors with the same CommonLPIAff may share what they cache, so that their tables must be the same. */
  private compare(c: CheckContext, pe: number, table: number, bits: number): void {
    const { state } = c.machine;
    const { gicd } = state.config;
    for (let other = 0; other < state.peCount; other++) {
      if (other === pe || (state.gicrCtlr[other]! & ENABLE_LPIS) === 0) continue;
      if (!shareTables(state.config, pe, other)) continue;
      const [itsTable, itsBits] = [
        configTableAddress(state, other),
        Math.min(ownBits(state.propbaser[2 * other]!), gicBits(gicd.typer)),
      ];
      if (itsTable === table && itsBits === bits) continue;
      c.find(
        'config-tables-differ',
        c.now(),
        pe,
        `PE${pe} has the table at ${hex(table)} with ${bits} bits, PE${other} that at ${hex(itsTable)} with ${itsBits} bits: ${c.stimulusText()}`,
      );
      return;
    }
  }

  /** Adds a region, and reports each that it overlaps. */
  private add(
    c: CheckContext,
    key: string,
    name: string,
    start: number,
    end: number,
    shared?: string,
    report?: (text: string, other: Region) => void,
  ): void {
    const region: Region = { name, start, end, shared, at: c.now() };
    for (const [otherKey, other] of this.regions) {
      if (otherKey === key || other.end <= start || other.start >= end) continue;
      if (shared !== undefined && other.shared === shared && other.start === start) continue;
      const text = `${name} (${span(region)}) overlaps ${other.name} (${span(other)})`;
      if (report !== undefined) report(text, other);
      else
        c.find('tables-overlap', c.now(), c.stimulus.pe[0]!, `${text}: ${c.stimulusText()}`, [
          { ...other.at, text: `${other.name} was given to the GIC` },
        ]);
    }
    this.regions.set(key, region);
  }

  private forgetIts(its: number): void {
    for (const key of [...this.regions.keys()])
      if (key === `queue:${its}` || key.startsWith(`baser:${its}:`)) this.regions.delete(key);
  }

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    switch (batch.kind[i]) {
      case DTE_WRITE:
        return this.deviceMapped(c, batch, i);
      case VTE_WRITE:
        return this.vpeMapped(c, batch, i);
      case ITS_COMMAND: {
        if (!isOutcomeKnown(FIELD(batch, i, 2))) this.unknown(FIELD(batch, i, 0));
        else if (this.pending.length > 0) {
          const at = c.lastCommand();
          const name = commandName(FIELD(batch, i, 4)) ?? '';
          for (const report of this.pending) report(at, name);
        }
        this.pending.length = 0;
      }
    }
  }

  /** A command that the source does not show may have unmapped any device or vPE. */
  private unknown(its: number): void {
    for (const key of [...this.regions.keys()])
      if (key.startsWith(`itt:${its}:`) || key.startsWith('vpt:')) this.regions.delete(key);
    this.vpes.clear();
  }

  private overlap(c: CheckContext): (text: string, other: Region) => void {
    return (text, other) =>
      this.pending.push((at, name) =>
        c.find('tables-overlap', at, -1, `${name}: ${text}`, [
          { ...other.at, text: `${other.name} was given to the GIC` },
        ]),
      );
  }

  private deviceMapped(c: CheckContext, batch: RecordBatch, i: number): void {
    const its = FIELD(batch, i, 0);
    const deviceId = FIELD(batch, i, 1);
    const key = `itt:${its}:${deviceId}`;
    this.regions.delete(key);
    if (FIELD(batch, i, 2) === 0) return;
    const { gitsTyper } = c.machine.state;
    const start = ADDRESS(batch, i, 4);
    const bytes = 2 ** (FIELD(batch, i, 3) + 1) * entryBytesOf(gitsTyper[2 * its]!, gitsTyper[2 * its + 1]!);
    const name = `the interrupt translation table of DeviceID ${hex(deviceId)}`;
    this.add(c, key, name, start, start + bytes, undefined, this.overlap(c));
  }

  private vpeMapped(c: CheckContext, batch: RecordBatch, i: number): void {
    const its = FIELD(batch, i, 0);
    const vpeid = FIELD(batch, i, 1);
    const before = this.vpes.get(vpeid);
    if (FIELD(batch, i, 2) === 0) {
      before?.itss.delete(its);
      if (before?.itss.size === 0) {
        this.vpes.delete(vpeid);
        this.regions.delete(`vpt:${vpeid}`);
      }
      return;
    }
    const table = ADDRESS(batch, i, 4);
    // VMOVP writes the entry, too.
    if (before?.table === table) {
      before.itss.add(its);
      return;
    }
    for (const [other, one] of this.vpes)
      if (one.table === table && other !== vpeid)
        this.pending.push((at) =>
          c.find(
            'virtual-pending-table-shared',
            at,
            -1,
            `vPE ${vpeid} and vPE ${other} have the virtual pending table at ${hex(table)}`,
            [{ ...one.at, text: `vPE ${other} was mapped with it` }],
          ),
        );
    this.vpes.set(vpeid, { table, itss: new Set([its]), at: c.now() });
    const bytes = 2 ** (FIELD(batch, i, 3) + 1) / 8;
    const name = `the virtual pending table of vPE ${vpeid}`;
    this.add(c, `vpt:${vpeid}`, name, table, table + bytes, 'virtual pending table', this.overlap(c));
  }
}
