// Determines which resources a record touches, and how: the rows of the dependence relation (dependence.ts), kind by
// kind.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import {
  actOf,
  deviceOf,
  intidOf,
  isEvent,
  KIND,
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  type RecordName,
  recordName,
} from '@gictrace/core/record';
import {
  type FRAMES,
  INTID_RANGES,
  intidSpan,
  isSpecial,
  isSpi,
  LPI_FIRST,
  type RegisterPlace,
  registerAt,
  sysregName,
} from '@gictrace/core/spec';
import { conflictsOf, MODES_MAX, type ResourceName, resourceOf, TOUCH } from './dependence.ts';

const SPAN = 2 ** 48;
const kinds = (...list: RecordName[]) => new Set<number>(list.map((name) => KIND[name]));
const TABLE_OF = new Map<number, number>();
for (const [k, table] of (['dte', 'cte', 'ite', 'vte'] as const).entries()) {
  TABLE_OF.set(KIND[`${table}.read`], 2 * k);
  TABLE_OF.set(KIND[`${table}.write`], 2 * k + 1);
}
const TELLS = kinds('hppi', 'vhppi', 'maintenance');
/** If 1 of N SPIs exist, these decide which PEs participate. */
const PARTICIPATION = /^ICC_(PMR|IGRPEN|CTLR)/;
const GITS_CWRITER = 0x88;
const NO_DEVICE = -1;

/** What the records of both traces contain. What they do not contain may have happened at any stimulus. */
export interface Shows {
  /** What each PE is signalled (`hppi`). */
  readonly told: boolean;
  /** Each command that an ITS executes (`its.command`). */
  readonly commands: boolean;
}

/**
 * The resources that records touch, one record at a time. Instances are numbered in order of appearance, over all
 * records that are given to one object of this class; nothing is allocated per record.
 */
export class Footprints {
  /** For the last record: instance × {@link MODES_MAX} + mode. */
  readonly touched = new Uint32Array(64);
  count = 0;
  /** Whether the last record depends on everything, so that nothing more is noted. */
  private isWhole = false;
  /** By instance: the resource that it belongs to. */
  readonly types: number[] = [];
  private readonly numbers = new Map<number, number>();
  private readonly oneOfN: boolean;
  /** Nothing is declared of what the records of a GICv5 touch: their order counts everywhere. */
  private readonly isOrdered: boolean;
  private readonly told: boolean;
  private readonly commands: boolean;

  constructor(config: GicConfig | Gicv5Config, shows: Shows) {
    this.told = shows.told;
    this.commands = shows.commands;
    this.isOrdered = config.architecture === 5;
    this.oneOfN = config.architecture !== 5 && (config.gicd.typer & (1 << 25)) === 0;
  }

  /** The modes (a bit each) that conflict with an entry of `touched`. */
  conflictsOf(touched: number): number {
    return conflictsOf(this.types[Math.floor(touched / MODES_MAX)]! * MODES_MAX + (touched % MODES_MAX));
  }

  /** The resource of an entry of `touched`. */
  nameOf(touched: number): ResourceName {
    return resourceOf(this.types[Math.floor(touched / MODES_MAX)]! * MODES_MAX);
  }

  /** A record that touches more than fits, such as an access of 255 bytes, depends on everything. */
  private touch(code: number, instance: number): void {
    if (this.isWhole) return;
    if (this.count === this.touched.length) return this.whole();
    const type = code >>> 3;
    const key = type * SPAN + instance;
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.types.length;
      this.types.push(type);
      this.numbers.set(key, number);
    }
    this.touched[this.count++] = number * MODES_MAX + (code & 7);
  }

  private whole(): void {
    this.count = 0;
    this.touch(TOUCH['everything.unknown'], 0);
    this.isWhole = true;
  }

  /** Fills {@link touched} for record `i`. `device`: for a table access, the device that its cause concerns, or -1. */
  of(batch: RecordBatch, i: number, device: number): void {
    this.count = 0;
    this.isWhole = false;
    if (this.isOrdered) return this.whole();
    const kind = batch.kind[i]!;
    const pe = batch.pe[i]!;
    const w = batch.words;
    const at = i * RECORD_WORDS;
    this.touch(TOUCH['everything.known'], 0);
    if (TELLS.has(kind)) {
      if (pe < 0) return this.whole();
      this.touch(TOUCH['interface.act'], pe);
      this.touch(TOUCH['memory.look'], 0);
      return;
    }
    if (isEvent(kind)) {
      // Whatever else it touches, it touches together with its stimulus.
      if (pe >= 0) this.touch(TOUCH['interface.act'], pe);
      else this.touch(TOUCH['inside.use'], 0);
      return;
    }
    const table = TABLE_OF.get(kind);
    if (table !== undefined) return this.tableAccess(w, at, table, device);
    switch (recordName(kind)) {
      case 'mmio.read':
      case 'mmio.write':
        if (pe < 0) return this.whole();
        this.touch(TOUCH['program.use'], pe);
        return this.mmio(w, at, kind === KIND['mmio.write'], batch.flags[i]!);
      case 'sysreg.read':
      case 'sysreg.write':
        if (pe < 0) return this.whole();
        this.touch(TOUCH['program.use'], pe);
        this.touch(TOUCH['interface.act'], pe);
        return this.sysreg(batch, i);
      case 'mem.write': {
        if (pe < 0) return this.whole();
        this.touch(TOUCH['program.use'], pe);
        const address = w[at + 1]! * 2 ** 32 + w[at]!;
        const first = Math.floor(address / 32);
        const last = Math.floor((address + w[at + 2]! - 1) / 32);
        this.touch(TOUCH['memory.store'], 0);
        this.touch(TOUCH['line.use'], first);
        if (last !== first) this.touch(TOUCH['line.use'], last);
        return;
      }
      case 'queue.write': {
        // Without a PE it is rebuilt from its execution: its place in the queue is known, but its place in a program is
        // not.
        if (pe >= 0) this.touch(TOUCH['program.use'], pe);
        const line = Math.floor((w[at + 2]! * 2 ** 32 + w[at + 1]!) / 32);
        this.touch(TOUCH['memory.store'], 0);
        this.touch(TOUCH['line.use'], line);
        this.touch(TOUCH['its.queue'], w[at]!);
        this.touch(TOUCH['slot.use'], w[at]! * 128 + (line % 128));
        return;
      }
      case 'msi.write':
        this.touch(TOUCH['its.translate'], w[at]!);
        this.touch(TOUCH['device.use'], w[at]! * 2 ** 32 + w[at + 1]!);
        this.touch(TOUCH['lpis.deliver'], 0);
        this.touch(TOUCH['memory.look'], 0);
        return;
      case 'wire.set':
        if (pe < 0) return isSpi(w[at]!) ? this.single(w[at]!, true) : this.whole();
        this.touch(TOUCH['interface.arrive'], pe);
        this.touch(TOUCH['private.use'], pe * LPI_FIRST + w[at]!);
        return;
      case 'sgi.sent':
        if (pe < 0) return this.whole();
        this.touch(TOUCH['interface.arrive'], pe);
        this.touch(TOUCH['private.use'], pe * LPI_FIRST + w[at]!);
        return;
      case 'pe.reset':
      case 'pe.switch':
        if (pe < 0) return this.whole();
        this.touch(TOUCH['program.use'], pe);
        this.touch(TOUCH['interface.act'], pe);
        return;
      case 'its.command': {
        const own = deviceOf(batch, i);
        this.touch(own === NO_DEVICE ? TOUCH['its.command'] : TOUCH['its.deviceCommand'], w[at]!);
        if (own !== NO_DEVICE) this.touch(TOUCH['device.use'], w[at]! * 2 ** 32 + own);
        this.touch(TOUCH['slot.use'], w[at]! * 128 + (w[at + 1]! % 128));
        this.touch((w[at + 4]! & 0xff) >= 0x20 ? TOUCH['lpis.reside'] : TOUCH['lpis.deliver'], 0);
        this.touch(TOUCH['memory.look'], 0);
        return;
      }
      default:
        this.whole();
    }
  }

  private tableAccess(w: Uint32Array, at: number, table: number, device: number): void {
    const its = w[at]!;
    this.touch(TOUCH['everything.known'], 0);
    this.touch(TOUCH['memory.look'], 0);
    // An ITE is identified by its table's address and its EventID, the other entries by one number.
    const entry = table >> 1 === 2 ? w[at + 1]! * 2 ** 10 + (w[at + 3]! % 2 ** 10) : w[at + 1]!;
    this.touch(
      table & 1 ? TOUCH['entry.write'] : TOUCH['entry.read'],
      (its * 4 + (table >> 1)) * 2 ** 42 + entry,
    );
    if (device !== NO_DEVICE) this.touch(TOUCH['device.use'], its * 2 ** 32 + device);
    else this.touch(TOUCH['its.command'], its);
  }

  /** Something that happens to one SPI. */
  private single(intid: number, arrives: boolean): void {
    this.touch(TOUCH['spi.use'], intid);
    this.touch(TOUCH['block.single'], intid >>> 5);
    if (arrives) this.touch(TOUCH['spis.arrive'], 0);
  }

  private sysreg(batch: RecordBatch, i: number): void {
    const act = actOf(batch, i);
    const intid = intidOf(batch, i);
    switch (act?.does) {
      case 'generate':
        return this.touch(TOUCH['sgis.arrive'], 0);
      case 'acknowledge':
      case 'show':
        return this.found(intid, act.isVirtual);
      case 'end':
      case 'deactivate':
        if (act.isVirtual) return;
        if (intid < 0) this.whole();
        else if (isSpi(intid)) this.single(intid, true);
        return;
      default: {
        const name = sysregName(batch.words[i * RECORD_WORDS]!);
        if (name === undefined) this.whole();
        else if (batch.kind[i] === KIND['sysreg.write'] && this.oneOfN && PARTICIPATION.test(name))
          this.touch(TOUCH['spis.observe'], 0);
      }
    }
  }

  /** A read of what is pending returned this INTID; -1: the value is not in the source. */
  private found(intid: number, isVirtual: boolean): void {
    // If the traces contain what PEs are signalled, an arrival that this depends on has changed what the PE is
    // signalled, and that is a record of its CPU interface. The INTID found is the same in both traces. It decides
    // which arrivals remain to depend on; if none was found, it depends on all of them.
    const none = !this.told || intid < 0 || isSpecial(intid);
    if (none || intid >= LPI_FIRST) this.touch(TOUCH['lpis.observe'], 0);
    // Of virtual interrupts only vLPIs come from elsewhere. The others are in list registers, which the PE writes.
    if (isVirtual) return;
    this.touch(TOUCH['distributor.take'], 0);
    if (none || intid <= INTID_RANGES.SGI.last) this.touch(TOUCH['sgis.observe'], 0);
    if (none) this.touch(TOUCH['spis.observe'], 0);
    if (isSpi(intid)) this.single(intid, false);
  }

  private mmio(w: Uint32Array, at: number, write: boolean, flags: number): void {
    const instance = w[at + 1]!;
    const offset = w[at + 2]!;
    const frame: (typeof FRAMES)[number] = (['GICD', 'GICR', 'GITS'] as const)[w[at]!]!;
    const place = registerAt(w[at]!, offset);
    if (flags & RECORD_FLAGS.reserved || place === undefined) {
      // Read as zero, writes ignored; the access may appear in a status register.
      if (frame === 'GICD')
        this.touch(place === undefined && write ? TOUCH['distributor.write'] : TOUCH['distributor.read'], 0);
      else if (frame === 'GICR') this.touch(TOUCH['interface.act'], instance);
      return;
    }
    const { spec } = place;
    // Identification registers read the same at any time.
    if (spec.access === 'RO' && (place.name.includes('TYPER') || /IIDR|PIDR|CIDR/.test(place.name))) return;
    if (frame === 'GICD') this.distributor(place, w[at + 3]!, offset, write);
    else if (frame === 'GICR') {
      this.touch(TOUCH['interface.act'], instance);
      const lpi = offset < 0x1_0000 || offset >= 0x2_0000;
      // Which SGIs are pending there, if a source does not record that they are sent.
      if (!lpi) this.touch(TOUCH['sgis.observe'], 0);
      if (lpi && (write || offset >= 0x2_0000))
        this.touch(
          offset < 0x1_0000 ? TOUCH['lpis.configure'] : write ? TOUCH['lpis.reside'] : TOUCH['lpis.observe'],
          0,
        );
      if (lpi && write) this.touch(TOUCH['memory.look'], 0);
    } else {
      const sends = (offset & ~7) === GITS_CWRITER;
      this.touch(
        write ? (sends && this.commands ? TOUCH['its.send'] : TOUCH['its.write']) : TOUCH['its.read'],
        instance,
      );
      // If commands are not recorded, this may be any command.
      if (write && !this.commands) this.touch(TOUCH['lpis.reside'], 0);
      if (write) this.touch(TOUCH['memory.look'], 0);
    }
  }

  private distributor(place: RegisterPlace, width: number, offset: number, write: boolean): void {
    const span = intidSpan(place.spec, place.element, offset, width);
    if (span === undefined) {
      this.touch(write ? TOUCH['distributor.write'] : TOUCH['distributor.read'], 0);
      if (write) {
        this.touch(TOUCH['spis.arrive'], 0);
        this.touch(TOUCH['sgis.arrive'], 0);
      }
      return;
    }
    this.touch(write ? TOUCH['distributor.arrayWrite'] : TOUCH['distributor.arrayRead'], 0);
    if (write) this.touch(TOUCH['spis.arrive'], 0);
    for (let block = span.first >>> 5; block <= span.last >>> 5; block++)
      this.touch(write ? TOUCH['block.write'] : TOUCH['block.read'], block);
  }
}
