// Finds where a log may continue after a reset of the machine, which QEMU does not print: registers read at their reset
// values although software had set them, input lines that rise twice, a command queue that begins again. Examines
// records only. The model decides whether the GIC was reset, because it knows what it would signal then.
import { RECORD_FLAGS, RECORD_WORDS, type RecordBatch, STIMULI_BELOW } from '@gictrace/core/record';
import { GICD, GICR, GITS, LPI_FIRST, SPURIOUS } from '@gictrace/core/spec';
import { EOIRS, IARS } from '../common/cpu-registers.ts';
import {
  CONFLICT,
  FRAME_GICD,
  FRAME_GICR,
  FRAME_GITS,
  HPPI,
  ITS_COMMAND,
  MMIO_READ,
  MMIO_WRITE,
  MSI_WRITE,
  SGI_SENT,
  SYSREG_READ,
  SYSREG_WRITE,
  VHPPI,
  WIRE_SET,
} from '../common/record-kinds.ts';
import { hasNoEffect } from './group.ts';

const PIDR2 = 0xffe8;
/** What a driver reads from the Distributor before anything else. */
const PROBES: readonly number[] = [PIDR2, GICD.GICD_TYPER.offset, GICD.GICD_IIDR.offset];
const GROUP_1NS = 2;
const GROUP_ENABLES = 7;
const ENABLE_LPIS = 1;
const PROCESSOR_SLEEP = 2;
const ITS_ENABLED = 1;
const VALID = 0x8000_0000;
const OFFSETS = 0xf_ffe0;
const COMMANDS_A_PAGE = 128;
/** Used instead of an INTID: any interrupt, or any LPI. */
const ANY = -1;
const ANY_LPI = -2;
/** QEMU prints nothing while it loads a saved state, which takes longer than this. */
const PAUSE_NS = 10e6;
/** A line number greater than any. */
const END = Number.POSITIVE_INFINITY;
/** The number of places before a reset that are remembered. */
const PLACES_MAX = 4;

/** A place where the state may have changed to another one. */
export interface Restart {
  /** Lines before which the machine may have been reset, the likeliest first. */
  readonly lines: readonly number[];
  /** The line that reveals it. */
  readonly shownBy: number;
}

/** What software has set since the machine was reset. */
class Era {
  /** By key: the line that reveals that a register holds a value other than its reset value. */
  readonly held = new Map<number, number>();
  /** By input line: the line of the log with its last change, negative if it fell. */
  readonly levels = new Map<number, number>();
  /**
   * What each PE was signalled in the last line about it, and interrupts that may have become pending since it was
   * signalled nothing.
   */
  readonly lines = new Map<number, number>();
  readonly causes = new Map<number, Set<number>>();
  itsEnabled = false;
  queueSlots = COMMANDS_A_PAGE;
  /** Slot of the last command that was executed; -1 if there was none since the queue was set up. */
  lastCommand = -1;
  /** The line that had the read pointer elsewhere than at the start of the queue; 0 for none. */
  readBehind = 0;
}

export class ResetSurvey {
  private era = new Era();
  private readonly found: Restart[] = [];
  /** Places where a new boot may begin: the first probe of the Distributor after interrupts, the most recent last. */
  private places: number[] = [];
  /**
   * Lines since the GIC was last in use: of the first access, of the first probe, and of a PE that is no longer
   * signalled anything.
   */
  private access = 0;
  private probe = 0;
  private silence = 0;
  /** The last line that says a PE is signalled nothing and that no stimulus caused. */
  private mark = 0;
  private lastTime = Number.NaN;
  /** Lines before which nothing was printed for a while. */
  readonly pauses: number[] = [];
  /**
   * Lines that say that QEMU remembers another interrupt of a PE than it last printed, if they are the first about the PE
   * after a pause; with the line at which the pause ends.
   */
  readonly jumps = new Map<number, number>();
  /** By PE: the last line about it, and whether it was the first after a pause. */
  private readonly lastLines = new Map<number, number>();
  private isFirstLine = false;

  /** Takes the records of a group. */
  group(batch: RecordBatch): void {
    if (batch.count === 0) return;
    let first = batch.line[0]!;
    let end = 1;
    for (; end < batch.count; end++) first = Math.min(first, batch.line[end]!);
    let isAlone = batch.kind[0]! >= STIMULI_BELOW || hasNoEffect(batch);
    for (let i = 0; i < batch.count; i++) {
      this.pause(batch.timeNs[i]!, i === 0 ? first : batch.line[i]!);
      if (batch.kind[i] === CONFLICT && i > 0 && batch.kind[i - 1] === HPPI && this.isFirstLine)
        this.jumps.set(batch.line[i]!, this.pauses.at(-1)!);
      if (batch.kind[i] === HPPI) {
        this.isFirstLine = (this.lastLines.get(batch.pe[i]!) ?? END) < (this.pauses.at(-1) ?? 0);
        this.lastLines.set(batch.pe[i]!, batch.line[i]!);
        this.line(batch, i, isAlone || isAtException(batch, i));
        continue;
      }
      if (batch.kind[i]! < STIMULI_BELOW && (i > 0 || !hasNoEffect(batch))) isAlone = false;
      this.record(batch, i, i === 0 ? first : batch.line[i]!);
    }
  }

  private pause(timeNs: number, line: number): void {
    if (timeNs - this.lastTime >= PAUSE_NS) this.pauses.push(line);
    if (!Number.isNaN(timeNs)) this.lastTime = timeNs;
  }

  finish(): readonly Restart[] {
    return this.found;
  }

  /** Something happened that requires a GIC that has been set up, so it has not been reset since. */
  private atWork(): void {
    this.access = this.probe = this.silence = 0;
  }

  /** Notes a record that is impossible unless the machine was reset after line `since`. */
  private restart(line: number, since = 0): void {
    const after = [this.silence, this.probe].filter((one) => one > since);
    const others = [this.access, this.mark, line].filter((one) => one > since);
    const likely = after.length > 0 ? Math.min(...after) : others[0]!;
    const earlier = this.places.toReversed().filter((one) => one < likely && one > since);
    this.found.push({
      lines: [...new Set([likely, ...earlier])].slice(0, PLACES_MAX),
      shownBy: line,
    });
    this.era = new Era();
    this.places = [];
    this.atWork();
  }

  /** Handles a line about a PE. `isAlone`: no stimulus caused it, so it repeats what the PE is signalled. */
  private line(batch: RecordBatch, i: number, isAlone: boolean): void {
    const { era } = this;
    const pe = batch.pe[i]!;
    const line = batch.line[i]!;
    const intid = batch.words[i * RECORD_WORDS]!;
    const was = era.lines.get(pe);
    era.lines.set(pe, intid);
    if (intid !== SPURIOUS) {
      if (was !== intid && this.isUncaused(pe, intid)) this.restart(line);
      this.showEnabled(pe, intid, batch.words[i * RECORD_WORDS + 1]!, line);
      this.atWork();
      return;
    }
    era.causes.set(pe, new Set());
    if (!isAlone) return;
    this.mark = line;
    if ((was ?? SPURIOUS) === SPURIOUS) return;
    if (this.silence === 0) this.silence = line;
    this.restart(line);
  }

  /** An interrupt is signalled, so what must be enabled for it is, even if the log begins after that was done. */
  private showEnabled(pe: number, intid: number, group: number, line: number): void {
    const { held } = this.era;
    if (intid >= LPI_FIRST) held.set(keyOf(FRAME_GICR, pe, GICR.GICR_CTLR.offset, 0), line);
    // Non-secure software sees only the enable of its own group.
    if (group === GROUP_1NS) held.set(keyOf(FRAME_GICD, 0, GICD.GICD_CTLR.offset, 0), line);
  }

  /** Whether a PE was signalled nothing, and nothing can have made an interrupt pending since. */
  private isUncaused(pe: number, intid: number): boolean {
    const causes = this.era.causes.get(pe);
    if (causes === undefined || causes.has(ANY) || causes.has(intid)) return false;
    if (intid >= LPI_FIRST) return !causes.has(ANY_LPI);
    const level = this.era.levels.get(inputOf(pe, intid));
    return intid < 16 || (level !== undefined && level < 0);
  }

  /** Something may have made an interrupt pending, for one PE or for all. */
  private cause(intid: number, pe?: number): void {
    if (pe !== undefined) this.era.causes.get(pe)?.add(intid);
    else for (const causes of this.era.causes.values()) causes.add(intid);
  }

  private record(batch: RecordBatch, i: number, line: number): void {
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const low = w[at + 1]!;
    switch (batch.kind[i]) {
      case MMIO_READ:
      case MMIO_WRITE:
        if (this.access === 0) this.access = line;
        if (w[at] === FRAME_GICD && this.probe === 0 && this.isProbe(batch, i)) {
          this.probe = line;
          this.places.push(line);
          if (this.places.length > PLACES_MAX) this.places.shift();
        }
        if (batch.flags[i]! & (RECORD_FLAGS.valueUnknown | RECORD_FLAGS.reserved)) return;
        if (batch.kind[i] === MMIO_WRITE) this.cause(ANY);
        if (batch.kind[i] === MMIO_WRITE) this.write(batch, i, line);
        else this.read(batch, i, line);
        return;
      case SYSREG_READ:
        if (!IARS.includes(w[at]!) || (low >= 1020 && low < LPI_FIRST)) return;
        if ((this.era.lines.get(batch.pe[i]!) ?? low) !== low) this.restart(line);
        this.atWork();
        return;
      case SYSREG_WRITE:
        this.cause(ANY);
        if (EOIRS.includes(w[at]!) && (low < 1020 || low >= LPI_FIRST)) this.atWork();
        return;
      case WIRE_SET: {
        const key = inputOf(batch.pe[i]!, w[at]!);
        const changed = this.era.levels.get(key) ?? 0;
        if (low === 1 ? changed > 0 : changed < 0) this.restart(line, Math.abs(changed));
        this.era.levels.set(key, low === 1 ? line : -line);
        this.cause(w[at]!);
        return;
      }
      case MSI_WRITE:
        this.cause(ANY_LPI);
        this.atWork();
        return;
      case SGI_SENT:
        this.cause(w[at]!, batch.pe[i]!);
        this.atWork();
        return;
      case ITS_COMMAND:
        this.command(low, line);
        this.era.held.set(keyOf(FRAME_GITS, w[at]!, GITS.GITS_CTLR.offset, 0), line);
        return;
    }
  }

  private isProbe(batch: RecordBatch, i: number): boolean {
    const offset = batch.words[i * RECORD_WORDS + 2]!;
    return batch.kind[i] === MMIO_WRITE ? offset === GICD.GICD_CTLR.offset : PROBES.includes(offset);
  }

  private command(slot: number, line: number): void {
    const last = this.era.lastCommand;
    const isNext = slot === last + 1 || (slot === 0 && last + 1 >= this.era.queueSlots);
    if (last >= 0 && !isNext) this.restart(line);
    this.era.lastCommand = slot;
    this.era.readBehind = line;
    this.cause(ANY_LPI);
    this.atWork();
  }

  private write(batch: RecordBatch, i: number, line: number): void {
    const { era } = this;
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const [frame, instance, offset, low] = [w[at]!, w[at + 1]!, w[at + 2]!, w[at + 4]!];
    const key = keyOf(frame, instance, offset, batch.flags[i]!);
    const hold = (isHeld: boolean) => {
      if (isHeld) era.held.set(key, line);
      else era.held.delete(key);
    };
    if (frame === FRAME_GICD) {
      if (offset !== GICD.GICD_CTLR.offset) return;
      for (const flags of [0, RECORD_FLAGS.secure]) era.held.delete(keyOf(frame, instance, offset, flags));
      hold((low & GROUP_ENABLES) !== 0);
    } else if (frame === FRAME_GICR) {
      if (offset === GICR.GICR_CTLR.offset) hold((low & ENABLE_LPIS) !== 0);
      else if (offset === GICR.GICR_WAKER.offset) hold((low & PROCESSOR_SLEEP) === 0);
    } else if (offset === GITS.GITS_CTLR.offset) {
      era.itsEnabled = (low & ITS_ENABLED) !== 0;
      hold(era.itsEnabled);
    } else if (!era.itsEnabled) {
      era.held.delete(keyOf(frame, instance, offset - (offset % 8), 0));
      if (offset !== GITS.GITS_CBASER.offset) return;
      era.queueSlots = ((low & 0xff) + 1) * COMMANDS_A_PAGE;
      era.lastCommand = -1;
      era.readBehind = 0;
    }
  }

  private read(batch: RecordBatch, i: number, line: number): void {
    const { era } = this;
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const [frame, instance, offset, low] = [w[at]!, w[at + 1]!, w[at + 2]!, w[at + 4]!];
    const key = keyOf(frame, instance, offset, batch.flags[i]!);
    const held = era.held.get(key);
    const isReset = (value: boolean) => {
      if (value && held !== undefined) this.restart(line, held);
    };
    if (frame === FRAME_GICD) {
      if (offset === GICD.GICD_CTLR.offset) isReset((low & GROUP_ENABLES) === 0);
    } else if (frame === FRAME_GICR) {
      if (offset === GICR.GICR_CTLR.offset) isReset((low & ENABLE_LPIS) === 0);
      else if (offset === GICR.GICR_WAKER.offset) isReset((low & PROCESSOR_SLEEP) !== 0);
    } else if (offset === GITS.GITS_CTLR.offset) isReset((low & ITS_ENABLED) === 0);
    else if (offset === GITS.GITS_CREADR.offset) {
      if ((low & OFFSETS) !== 0) era.readBehind = line;
      else if (era.readBehind > 0 && era.lastCommand + 1 < era.queueSlots) this.restart(line, era.readBehind);
    } else if (w[at + 3] === 8 && isTable(offset)) {
      if (w[at + 5]! & VALID) era.held.set(key, line);
      else isReset(true);
    }
  }
}

/** The key of an input line. PPIs are per PE. */
const inputOf = (pe: number, intid: number) => (intid < 32 ? pe + 1 : 0) * LPI_FIRST + intid;

/** GITS_CBASER and GITS_BASER<n>. */
const isTable = (offset: number) =>
  offset === GITS.GITS_CBASER.offset ||
  (offset >= GITS.GITS_BASER.offset && offset < GITS.GITS_BASER.offset + 64);

/** The key of a register as one Security state sees it. Redistributor and ITS registers are not banked. */
const keyOf = (frame: number, instance: number, offset: number, flags: number) =>
  ((frame * 4096 + instance) * 2 + (frame === FRAME_GICD && flags & RECORD_FLAGS.secure ? 1 : 0)) * 2 ** 18 +
  offset;

/** Whether a line was printed because the PE took an exception or returned from one, along with the virtual lines. */
function isAtException(batch: RecordBatch, i: number): boolean {
  return i + 1 < batch.count && batch.kind[i + 1] === VHPPI && batch.pe[i + 1] === batch.pe[i];
}
