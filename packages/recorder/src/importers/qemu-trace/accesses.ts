// Handles lines about register accesses. QEMU prints an access up to three times: the memory region's line before its
// effects, the unit's own line after them, and the plugin's line after both. They become one record and are checked
// against each other.
import { RECORD_FLAGS, RECORD_WORDS, RULES } from '@gictrace/core/record';
import { FRAMES, GICD as GICD_REGISTERS, GICR as GICR_REGISTERS } from '@gictrace/core/spec';
import type { Identity } from '../common/identity.ts';
import type { Losses } from '../common/losses.ts';
import { FRAME_GICD, FRAME_GICR, FRAME_GITS, MMIO_READ, MMIO_WRITE } from '../common/record-kinds.ts';
import { type Reach, WRITE_REACH } from './events.ts';
import type { Group } from './group.ts';
import type { ItsLines } from './its-lines.ts';
import type { Threads } from './threads.ts';
import type { Token } from './tokenize.ts';

/** Where the VLPI frame of a Redistributor begins. */
const VLPI_FRAME = 0x2_0000;
const CWRITER = 0x88;
const TYPER2 = GICD_REGISTERS.GICD_TYPER2.offset;
const VPENDBASER = GICR_REGISTERS.GICR_VPENDBASER.offset;
const GITS_CTLR_OFFSET = 0;
const VIRT_GICR = 0x080a_0000;
/** The frames of each Redistributor in GICv3. GICv4 adds more behind them. */
const FRAMES_LEAST = 0x2_0000;

function reachOf(frame: 'GICD' | 'GICR', offset: number): Reach {
  for (const row of WRITE_REACH)
    if (row.frame === frame && offset >= row.from && offset <= row.to) return row.reach;
  return 'none';
}

export class Accesses {
  private readonly group: Group;
  private readonly threads: Threads;
  private readonly its: ItsLines;
  private readonly identity: Identity;
  private readonly losses: Losses;
  /** Takes back the count of an event whose line turns out not to concern a GIC. */
  private readonly foreign: (event: number) => void;
  /** PEs on which a vPE is resident. */
  private readonly resident = new Set<number>();
  /** The address of the open write if it is uncertain which Redistributor it belongs to; otherwise -1. */
  private unsureAddress = -1;
  /** The log has memory_region_ops lines about the GIC. */
  sawRegions = false;

  constructor(
    group: Group,
    threads: Threads,
    its: ItsLines,
    identity: Identity,
    losses: Losses,
    foreign: (event: number) => void,
  ) {
    this.group = group;
    this.threads = threads;
    this.its = its;
    this.identity = identity;
    this.losses = losses;
    this.foreign = foreign;
  }

  /** The machine was reset. */
  reset(): void {
    this.resident.clear();
  }

  /**
   * Handles a unit's line about a register read. It always follows the effects of the read, of which there are none.
   */
  unitRead(t: Token, frame: number, instance: number, skip: number, bad: boolean): void {
    const offset = t.low[skip]!;
    const width = t.low[skip + (bad ? 1 : 2)]!;
    const low = bad ? 0 : t.low[skip + 1]!;
    const high = bad ? 0 : t.high[skip + 1]!;
    if (frame === FRAME_GICR && offset >= VLPI_FRAME && !bad) this.identity.showVirtualLpis();
    const i = this.group.stimulus(MMIO_READ, this.threads.peOfThread(t));
    if (this.group.batch.pe[i]! >= 0) this.group.batch.rule[i] = RULES['pe-from-thread'].id;
    this.group.set(i, frame, instance, offset, width, low, high);
    if (bad) this.group.batch.flags[i] = RECORD_FLAGS.reserved;
    else this.identity.read(FRAMES[frame]!, instance, offset, width, low, high);
    if (frame === FRAME_GICD && offset === TYPER2) this.identity.showTyper2(!bad);
    if (frame === FRAME_GITS && !bad) this.its.noteRead(offset, width, low, high);
    this.noteSecurity(t, i, frame, skip + (bad ? 2 : 3));
    this.group.openAccess = i;
  }

  /**
   * Notes whether an access is Secure, which the unit's own line says. The line of an ITS does not, and there it makes
   * no difference.
   */
  private noteSecurity(t: Token, i: number, frame: number, operand: number): void {
    if (frame === FRAME_GITS || t.count <= operand || t.low[operand] === 0) return;
    this.group.batch.flags[i]! |= RECORD_FLAGS.secure;
    this.identity.showSecure();
  }

  /** Handles a unit's line about a register write, which follows the effects of the write. */
  unitWrite(t: Token, frame: number, instance: number, skip: number, bad: boolean): void {
    const offset = t.low[skip]!;
    const low = t.low[skip + 1]!;
    const high = t.high[skip + 1]!;
    const width = t.low[skip + 2]!;
    if (frame === FRAME_GITS) this.its.noteWrite(offset, width, low, high);
    if (frame === FRAME_GICR && offset >= VLPI_FRAME && !bad) this.identity.showVirtualLpis();
    if (this.group.openWrite >= 0) {
      this.noteSecurity(t, this.group.openWrite, frame, skip + 3);
      this.confirmWrite(frame, instance, offset, width, low, high, bad);
      return;
    }
    const from = this.effectsOf(frame, instance, offset, width, low, high, bad);
    const i = this.group.stimulusBefore(MMIO_WRITE, this.threads.peOfThread(t), from);
    if (this.group.batch.pe[i]! >= 0) this.group.batch.rule[i] = RULES['pe-from-thread'].id;
    this.group.set(i, frame, instance, offset, width, low, high);
    if (bad) this.group.batch.flags[i] = RECORD_FLAGS.reserved;
    this.noteSecurity(t, i, frame, skip + 3);
    this.group.openAccess = i;
  }

  /** Where the effects of a write begin in the group, when the write itself is printed only now. */
  private effectsOf(
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low: number,
    high: number,
    bad: boolean,
  ): number {
    if (bad) return this.group.batch.count;
    if (frame === FRAME_GITS) {
      const first = offset === CWRITER || offset === GITS_CTLR_OFFSET ? this.group.firstEffect() : -1;
      return first < 0 ? this.group.batch.count : first;
    }
    if (frame === FRAME_GICR && offset >= VPENDBASER && offset < VPENDBASER + 8) {
      const toggles = this.residency(instance, offset, width, low, high);
      return toggles ? this.group.tailOfVhppi(instance) : this.group.batch.count;
    }
    const reach = reachOf(frame === FRAME_GICD ? 'GICD' : 'GICR', offset);
    if (reach === 'none') return this.group.batch.count;
    return reach === 'target'
      ? this.group.tailOfHppi(1, instance)
      : this.group.tailOfHppi(this.identity.highestPe + 1, -1);
  }

  /** Whether a write to GICR_VPENDBASER changes Valid. QEMU prints an update only if it does. */
  private residency(pe: number, offset: number, width: number, low: number, high: number): boolean {
    const top = width === 8 ? high : offset === VPENDBASER + 4 ? low : undefined;
    if (top === undefined) return false;
    const valid = (top & 0x8000_0000) !== 0;
    if (valid === this.resident.has(pe)) return false;
    if (valid) this.resident.add(pe);
    else this.resident.delete(pe);
    return true;
  }

  /** A line about a memory region. */
  region(t: Token, read: boolean): void {
    this.sawRegions = true;
    const { bytes } = t;
    const cpu = t.low[0]! | 0;
    const address = t.high[2]! * 2 ** 32 + t.low[2]!;
    const low = t.low[3]!;
    const high = t.high[3]!;
    const width = t.low[4]!;
    // The name is the last word, in quotes.
    let from = t.to - 1;
    while (from > t.from && bytes[from - 1] !== 0x27) from--;
    const c = bytes[from];
    const length = t.to - 1 - from;
    if (c === 0x67 && bytes.toString('latin1', from, from + 10) === 'gicv3_dist') {
      this.identity.gicdBase = address - (address % 0x1_0000);
      this.regionAccess(read, cpu, FRAME_GICD, 0, address % 0x1_0000, width, low, high);
    } else if (c === 0x67 && bytes.toString('latin1', from, from + 13) === 'gicv3_redist_')
      this.redistributorAccess(read, cpu, address, width, low, high);
    else if (c === 0x63 && length === 7 && bytes.toString('latin1', from, from + 7) === 'control') {
      this.identity.gitsBase = address - (address % 0x1_0000);
      this.regionAccess(read, cpu, FRAME_GITS, 0, address % 0x1_0000, width, low, high);
    } else if (c === 0x74 && bytes.toString('latin1', from, from + length) === 'translation') {
      if (!read) this.its.translation = { low, width, line: this.group.lineNumber };
    } else {
      this.losses.add(`memory region ${bytes.toString('latin1', from, t.to - 1)}: not a GIC`);
      this.foreign(t.event);
    }
  }

  private redistributorAccess(
    read: boolean,
    cpu: number,
    address: number,
    width: number,
    low: number,
    high: number,
  ): void {
    const group = this.group.batch;
    if (read) {
      // The Redistributor's own line is just before this one and names it.
      const i = this.group.openAccess;
      if (i >= 0 && group.words[i * RECORD_WORDS] === FRAME_GICR) {
        const at = i * RECORD_WORDS;
        const offset = group.words[at + 2]!;
        this.identity.showRedistributor(group.words[at + 1]!, address - offset);
        this.regionAccess(read, cpu, FRAME_GICR, group.words[at + 1]!, offset, width, low, high);
        return;
      }
    }
    const found = this.locate(address);
    this.regionAccess(read, cpu, FRAME_GICR, found.pe, found.offset, width, low, high);
    if (!read && !found.sure) this.unsureAddress = address;
  }

  /**
   * Which Redistributor an address belongs to: by the bases found so far, or by virt's memory map, which is uncertain.
   */
  private locate(address: number): { pe: number; offset: number; sure: boolean } {
    let best = -1;
    let base = 0;
    for (const [pe, at] of this.identity.gicrBase) {
      if (at <= address && at >= base) {
        best = pe;
        base = at;
      }
    }
    const stride =
      this.identity.gicrBase.has(0) && this.identity.gicrBase.has(1)
        ? this.identity.gicrBase.get(1)! - this.identity.gicrBase.get(0)!
        : this.identity.strideOf(this.identity.shown ?? 3);
    const sure = best >= 0 && address - base < FRAMES_LEAST;
    if (best < 0) {
      best = 0;
      base = address >= VIRT_GICR ? VIRT_GICR : address - (address % stride);
    }
    return { pe: best + Math.floor((address - base) / stride), offset: (address - base) % stride, sure };
  }

  private regionAccess(
    read: boolean,
    cpu: number,
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low: number,
    high: number,
  ): void {
    const pe = cpu < 0 ? -1 : cpu;
    if (pe >= 0) this.identity.showPe(pe);
    const group = this.group.batch;
    this.unsureAddress = -1;
    if (!read) {
      if (frame === FRAME_GITS) this.its.noteWrite(offset, width, low, high);
      const i = this.group.stimulus(MMIO_WRITE, pe);
      this.group.set(i, frame, instance, offset, width, low, high);
      this.group.openWrite = i;
      return;
    }
    const i = this.group.openAccess;
    this.group.openAccess = -1;
    if (i < 0) {
      const n = this.group.stimulus(MMIO_READ, pe);
      this.group.set(n, frame, instance, offset, width, low, high);
      this.identity.read(FRAMES[frame]!, instance, offset, width, low, high);
      if (frame === FRAME_GITS) this.its.noteRead(offset, width, low, high);
      this.group.standsAlone(n);
      return;
    }
    group.pe[i] = pe;
    group.rule[i] = 0;
    this.agree(i, frame, instance, offset, width, low, high);
  }

  private confirmWrite(
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low: number,
    high: number,
    bad: boolean,
  ): void {
    const i = this.group.openWrite;
    this.group.openWrite = -1;
    if (this.unsureAddress >= 0 && frame === FRAME_GICR) {
      // The Redistributor names itself, and that reveals its base address.
      this.identity.showRedistributor(instance, this.unsureAddress - offset);
      this.group.batch.words[i * RECORD_WORDS + 1] = instance;
      this.group.batch.words[i * RECORD_WORDS + 2] = offset;
    }
    if (bad) this.group.batch.flags[i]! |= RECORD_FLAGS.reserved;
    this.agree(i, frame, instance, offset, width, low, high);
  }

  /** Checks another line about an access against the record of that access. */
  private agree(
    i: number,
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low: number,
    high: number,
  ): void {
    const at = i * RECORD_WORDS;
    const w = this.group.batch.words;
    const first = this.group.batch.line[i]!;
    if (w[at] !== frame || w[at + 1] !== instance || w[at + 2] !== offset)
      this.group.conflict('address', [w[at + 2]!, w[at]!], [offset, frame], first);
    else if (w[at + 3] !== width) this.group.conflict('width', [w[at + 3]!, 0], [width, 0], first);
    else if (w[at + 4] !== low || w[at + 5] !== high)
      this.group.conflict('value', [w[at + 4]!, w[at + 5]!], [low, high], first);
    else this.group.batch.flags[i]! |= RECORD_FLAGS.confirmed;
  }

  /** Handles the plugin's line about a device access, which follows QEMU's own and says which PE made the access. */
  ioAccess(t: Token): void {
    const i = this.group.openAccess;
    this.group.openAccess = -1;
    const address = t.high[1]! * 2 ** 32 + t.low[1]!;
    if (i < 0) {
      this.losses.add('plugin lines about accesses that no other line shows');
      return;
    }
    const at = i * RECORD_WORDS;
    const w = this.group.batch.words;
    this.group.batch.pe[i] = t.low[0]!;
    this.group.batch.rule[i] = 0;
    this.identity.showPe(t.low[0]!);
    const base = address - w[at + 2]!;
    if (w[at] === FRAME_GICD) this.identity.gicdBase = base;
    else if (w[at] === FRAME_GITS) this.identity.gitsBase = base;
    else this.identity.showRedistributor(w[at + 1]!, base);
    if (t.low[2] !== w[at + 3])
      this.group.conflict('width', [w[at + 3]!, 0], [t.low[2]!, 0], this.group.batch.line[i]!);
    else this.group.batch.flags[i]! |= RECORD_FLAGS.confirmed;
  }
}
