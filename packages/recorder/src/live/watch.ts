// Reads guest memory when the GIC is about to read it, and inserts its contents before the line that announces this:
// commands and tables when GITS_CWRITER or GITS_CTLR is written, LPI configurations then and with each MSI, pending tables
// when LPIs are enabled. It follows the registers that contain the addresses of these tables.
import {
  commandName,
  GICR,
  GITS,
  ITS_COMMANDS,
  LPI_FIRST,
  type OperandSpec,
  operandOf,
  QEMU_LAYOUT,
} from '@gictrace/core/spec';
import { eventNames, newToken, tokenize } from '../importers/qemu-trace/tokenize.ts';
import type { MemoryLog } from './memory-log.ts';
import type { Range } from './ram.ts';

const REGION_WRITE = eventNames.indexOf('memory_region_ops_write');
const COMMAND = eventNames.indexOf('gicv3_its_process_command');
const FRAME_BYTES = 0x1_0000;
const SLOT_BYTES = 32;
const LEVEL1_BYTES = 8;
const PAGE_BYTES = [0x1000, 0x4000, 0x1_0000, 0x1_0000] as const;
/** INTID bits of QEMU's GIC. */
const ID_BITS = 16;
/** The most vPEs whose configuration is watched at a time. */
const VIRTUAL_TABLES = 64;

const TABLES = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => 0x100 + 8 * n);
const CTLR = GITS.GITS_CTLR.offset;
const CBASER = GITS.GITS_CBASER.offset;
const CWRITER = GITS.GITS_CWRITER.offset;
const RD_CTLR = GICR.GICR_CTLR.offset;
const PROPBASER = GICR.GICR_PROPBASER.offset;
const PENDBASER = GICR.GICR_PENDBASER.offset;
const VPROPBASER = GICR.GICR_VPROPBASER.offset;
const VPENDBASER = GICR.GICR_VPENDBASER.offset;

const operand = (command: 'MAPD' | 'VMAPP', name: string): OperandSpec =>
  (ITS_COMMANDS[command].operands as readonly OperandSpec[]).find((spec) => spec.name === name)!;
const DEVICE_VALID = operand('MAPD', 'V');
const DEVICE_SIZE = operand('MAPD', 'Size');
const DEVICE_TABLE = operand('MAPD', 'ITT_addr');
const VPE_ID = operand('VMAPP', 'vPEID');
const VPE_VALID = operand('VMAPP', 'V');
const VPE_SIZE = operand('VMAPP', 'VPT_size');
const VPE_TABLE = operand('VMAPP', 'VPT_addr');

/** The values of 64-bit registers that were written, by a key. */
class Registers {
  private readonly low = new Map<number, number>();
  private readonly high = new Map<number, number>();

  write(at: number, width: number, low: number, high: number): void {
    if (at % 8 === 4) this.high.set(at - 4, low);
    else {
      this.low.set(at, low);
      if (width === 8) this.high.set(at, high);
    }
  }
  lowOf(at: number): number {
    return this.low.get(at) ?? 0;
  }
  highOf(at: number): number {
    return this.high.get(at) ?? 0;
  }
  /** Bits 51 to `from` as an address. */
  address(at: number, from: number): number {
    const low = this.lowOf(at) >>> 0;
    return (this.highOf(at) & 0xf_ffff) * 2 ** 32 + (low - (low % 2 ** from));
  }
  isValid(at: number): boolean {
    return (this.highOf(at) & 0x8000_0000) !== 0;
  }
}

interface Table {
  readonly address: number;
  /** Bytes. */
  readonly length: number;
}

/** The number of INTIDs in a table, by a register's IDbits. */
const idsOf = (low: number) => 2 ** Math.min((low & 0x1f) + 1, ID_BITS);

export class MemoryWatch {
  private readonly memoryLog: MemoryLog;
  private readonly token = newToken();
  /** The regions of Redistributors in order, and the bytes from one Redistributor to the next. */
  private readonly regions: readonly Range[];
  private readonly stride: number;
  private readonly its = new Registers();
  private readonly redistributors = new Registers();
  /** The slot of the command queue that the ITS executes next. */
  private next = 0;
  /** Tables whose register was written since their contents were inserted. */
  private readonly fresh = new Set<number>();
  /** LPI configuration tables: of Redistributors by their frame, of vPEs by their virtual pending table. */
  private readonly physical = new Map<number, Table>();
  private readonly virtual = new Map<number, Table>();
  /** Each of these tables once: its address and its bytes. */
  private readonly watched = new Map<number, number>();
  /** Virtual pending tables of mapped vPEs, by vPEID. */
  private readonly vpes = new Map<number, number>();

  /** `regions` are the regions of Redistributors; `pes` is the number of Redistributors in them. */
  constructor(memoryLog: MemoryLog, regions: readonly Range[], pes: number) {
    this.memoryLog = memoryLog;
    this.regions = regions;
    this.stride = regions.reduce((sum, { length }) => sum + length, 0) / pes;
  }

  /** Takes a line of the log before it is passed on. */
  line(bytes: Buffer, from: number, to: number): void {
    const t = this.token;
    tokenize(bytes, from, to, t);
    if (t.event === COMMAND) this.next = t.low[0]! + 1;
    if (t.event !== REGION_WRITE || t.count < 5) return;
    const address = t.high[2]! * 2 ** 32 + t.low[2]!;
    const width = t.low[4]!;
    this.memoryLog.stamp = bytes.toString('latin1', from, t.nameFrom);
    // The region's name is the last word, in quotes.
    if (endsWith(bytes, to, CONTROL)) this.itsWrite(address % FRAME_BYTES, width, t.low[3]!, t.high[3]!);
    else if (endsWith(bytes, to, TRANSLATION)) this.configurations();
    else if (bytes.indexOf(REDISTRIBUTOR, t.nameTo) > 0 && bytes.indexOf(REDISTRIBUTOR, t.nameTo) < to)
      this.redistributorWrite(address, width, t.low[3]!, t.high[3]!);
  }

  private itsWrite(offset: number, width: number, low: number, high: number): void {
    if (offset === CWRITER) {
      this.its.write(offset, width, low, high);
      this.commands();
    } else if (offset === CTLR) {
      this.its.write(offset, width, low, high);
      this.commands();
    } else if (offset >= CBASER && offset < CBASER + 8) {
      this.its.write(offset, width, low, high);
      this.next = 0;
      this.its.write(CWRITER, 8, 0, 0);
    } else if (offset >= TABLES[0]! && offset < TABLES[7]! + 8) {
      this.its.write(offset, width, low, high);
      this.fresh.add(offset - (offset % 8));
    }
  }

  /** The ITS is about to execute the commands in its queue: inserts everything that it may read. */
  private commands(): void {
    const { its } = this;
    if ((its.lowOf(CTLR) & 1) === 0) return;
    this.tables();
    this.configurations();
    if (!its.isValid(CBASER)) return;
    const base = its.address(CBASER, 12);
    const slots = (((its.lowOf(CBASER) & 0xff) + 1) * 4096) / SLOT_BYTES;
    const end = (its.lowOf(CWRITER) & 0xf_ffe0) / SLOT_BYTES;
    if (end >= slots) return;
    for (let at = this.next % slots; at !== end; at = (at + 1) % slots) {
      const words = this.memoryLog.command(base + SLOT_BYTES * at);
      if (words !== undefined) this.tablesOf(words);
    }
  }

  /** Inserts the table that a command names. */
  private tablesOf(words: Uint32Array): void {
    const name = commandName(words[0]! & 0xff);
    if (name === 'MAPD' && operandOf(words, 0, DEVICE_VALID) === 1) {
      const entries = 2 ** Math.min(operandOf(words, 0, DEVICE_SIZE) + 1, ID_BITS);
      this.memoryLog.whole(operandOf(words, 0, DEVICE_TABLE), entries * QEMU_LAYOUT.ite.bytes);
    } else if (name === 'VMAPP') this.mapVpe(words);
  }

  private mapVpe(words: Uint32Array): void {
    const vpeid = operandOf(words, 0, VPE_ID);
    if (operandOf(words, 0, VPE_VALID) === 0) {
      // From here on, the memory of its tables may be used for something else.
      this.virtual.delete(this.vpes.get(vpeid) ?? -1);
      this.vpes.delete(vpeid);
      this.rewatch();
      return;
    }
    const table = operandOf(words, 0, VPE_TABLE);
    this.vpes.set(vpeid, table);
    this.memoryLog.whole(table, 2 ** Math.min(operandOf(words, 0, VPE_SIZE) + 1, ID_BITS) / 8);
  }

  /** Inserts the tables of GITS_BASER<n>: a new table completely; for a level-1 table also changes and its level-2 tables. */
  private tables(): void {
    const { its, memoryLog } = this;
    for (const at of TABLES) {
      if (!its.isValid(at)) continue;
      const isFresh = this.fresh.delete(at);
      const isIndirect = (its.highOf(at) & 0x4000_0000) !== 0;
      if (!isFresh && !isIndirect) continue;
      const low = its.lowOf(at);
      const pageBytes = PAGE_BYTES[(low >>> 8) & 3]!;
      const address = tableAddress(low, its.highOf(at), pageBytes);
      const length = ((low & 0xff) + 1) * pageBytes;
      if (!isIndirect) {
        memoryLog.whole(address, length);
        continue;
      }
      if (isFresh) memoryLog.forget(address);
      const changed = memoryLog.changes(address, length, LEVEL1_BYTES);
      if (isFresh) this.level2(address, length, pageBytes);
      else for (const offset of changed ?? []) this.level2(address + offset, LEVEL1_BYTES, pageBytes);
    }
  }

  /** Inserts the level-2 tables to which a part of a level-1 table points. */
  private level2(address: number, length: number, pageBytes: number): void {
    const bytes = this.memoryLog.read(address, length);
    if (bytes === undefined) return;
    for (let at = 0; at + LEVEL1_BYTES <= length; at += LEVEL1_BYTES) {
      const low = bytes.readUInt32LE(at);
      const high = bytes.readUInt32LE(at + 4);
      if (high < 0x8000_0000) continue;
      const table = (high & 0xf_ffff) * 2 ** 32 + (low - (low % pageBytes));
      this.memoryLog.whole(table, pageBytes);
    }
  }

  /** Inserts what has changed in the configurations of LPIs and vLPIs. */
  private configurations(): void {
    for (const [address, length] of this.watched) this.memoryLog.changes(address, length, 1);
  }

  /** Updates the list of watched tables. */
  private rewatch(): void {
    const { physical, virtual, watched, memoryLog } = this;
    const before = [...watched.keys()];
    watched.clear();
    for (const { address, length } of [...physical.values(), ...virtual.values()])
      watched.set(address, Math.max(length, watched.get(address) ?? 0));
    for (const address of before) if (!watched.has(address)) memoryLog.forget(address);
  }

  private redistributorWrite(address: number, width: number, low: number, high: number): void {
    const frame = this.frameOf(address);
    if (frame === undefined) return;
    const { redistributors } = this;
    const offset = address - frame;
    const isBase = [PROPBASER, PENDBASER, VPROPBASER, VPENDBASER].includes(offset - (offset % 8));
    if (isBase) redistributors.write(address, width, low, high);
    if (offset === RD_CTLR && (low & 1) !== 0) this.enable(frame);
    else if (offset - (offset % 8) === VPENDBASER && redistributors.isValid(frame + VPENDBASER))
      this.resident(frame);
  }

  /** LPIs are enabled: inserts the configuration and pending tables. */
  private enable(frame: number): void {
    const { redistributors, memoryLog } = this;
    const ids = idsOf(redistributors.lowOf(frame + PROPBASER));
    if (ids <= LPI_FIRST) return;
    const address = redistributors.address(frame + PROPBASER, 12);
    this.physical.set(frame, { address, length: ids - LPI_FIRST });
    this.rewatch();
    this.configurations();
    const table = redistributors.address(frame + PENDBASER, 16);
    memoryLog.whole(table + LPI_FIRST / 8, (ids - LPI_FIRST) / 8);
  }

  /** A vPE becomes resident: inserts the configuration of its vLPIs. */
  private resident(frame: number): void {
    const { redistributors, virtual } = this;
    const ids = idsOf(redistributors.lowOf(frame + VPROPBASER));
    if (ids <= LPI_FIRST) return;
    const address = redistributors.address(frame + VPROPBASER, 12);
    const table = redistributors.address(frame + VPENDBASER, 16);
    virtual.delete(table);
    virtual.set(table, { address, length: ids - LPI_FIRST });
    for (const [oldest] of virtual) {
      if (virtual.size <= VIRTUAL_TABLES) break;
      virtual.delete(oldest);
    }
    this.rewatch();
    this.configurations();
  }

  /** The start of the Redistributor that contains an address. */
  private frameOf(address: number): number | undefined {
    const region = this.regions.find(({ from, length }) => address >= from && address < from + length);
    return region === undefined ? undefined : address - ((address - region.from) % this.stride);
  }
}

const CONTROL = Buffer.from(" 'control'");
const TRANSLATION = Buffer.from(" 'translation'");
const REDISTRIBUTOR = Buffer.from(" 'gicv3_redist_");

const endsWith = (bytes: Buffer, to: number, word: Buffer) =>
  to >= word.length && bytes.compare(word, 0, word.length, to - word.length, to) === 0;

/** The address in GITS_BASER<n>. With pages of 64 KB, its bits 51 to 48 are in bits 15 to 12. */
function tableAddress(low: number, high: number, pageBytes: number): number {
  const top = pageBytes === 0x1_0000 ? ((low >>> 12) & 0xf) * 2 ** 48 : 0;
  const page = pageBytes === 0x1_0000 ? low & 0xffff_0000 : low & 0xffff_f000;
  return top + (high & 0xffff) * 2 ** 32 + (page >>> 0);
}
