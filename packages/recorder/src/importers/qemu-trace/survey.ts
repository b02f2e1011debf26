// Reads a whole log once before it is imported, to find out which events it has, which PE each thread runs, and whether
// it begins at the reset of the GIC or while the GIC is in use. Examines records and changes none.
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { GICD, GICR, GITS, LPI_FIRST, SPURIOUS, SYSREGS } from '@gictrace/core/spec';
import { DIR, EOIRS, IARS, SGIRS } from '../common/cpu-registers.ts';
import type { Missing, Start } from '../common/learn/unknowns.ts';
import {
  FRAME_GICD,
  FRAME_GICR,
  HPPI,
  ITS_COMMAND,
  MEM_WRITE,
  MMIO_READ,
  MMIO_WRITE,
  MSI_WRITE,
  QUEUE_WRITE,
  SGI_SENT,
  SYSREG_READ,
  SYSREG_WRITE,
  VHPPI,
  WIRE_SET,
} from '../common/record-kinds.ts';
import { Beginning } from './beginning.ts';
import { type Doubtful, MissingStimuli } from './missing.ts';
import { type Printed, printedBy } from './printed.ts';
import { interruptKey, PriorityViews } from './priority-views.ts';
import { type ThreadPart, ThreadSurvey } from './threads.ts';

/** What the whole log contains. */
export interface LogSurvey extends Printed {
  readonly start: Start;
  /** Stimuli that occurred and for which the log has no line. The state that they change is never known. */
  readonly missing: ReadonlySet<Missing>;
  /** Stimuli for which the log has no line, perhaps because there were none. */
  readonly doubtful: readonly Doubtful[];
  /** Priorities are signalled as those written by Non-secure software are when there are two Security states. */
  readonly isShifted: boolean;
  readonly threads: readonly ThreadPart[];
  /**
   * The same for a log that begins in mid-life, if it may: it lacks a part of what initialises a GIC. Only the model can
   * decide which of both it is.
   */
  readonly midLife?: LogSurvey;
}

const TABLE_LINES = new Set<number>(
  (['dte', 'cte', 'ite', 'vte'] as const).flatMap((table) => [
    RECORDS[`${table}.read`].id,
    RECORDS[`${table}.write`].id,
  ]),
);
const PMR = SYSREGS.ICC_PMR_EL1.encoding;
const IGRPENS: readonly number[] = [
  SYSREGS.ICC_IGRPEN0_EL1.encoding,
  SYSREGS.ICC_IGRPEN1_EL1.encoding,
  SYSREGS.ICC_IGRPEN1_EL3.encoding,
];
const CTLR = SYSREGS.ICC_CTLR_EL1.encoding;
const CTLR_EL3 = SYSREGS.ICC_CTLR_EL3.encoding;
/** EOImode in each register. At EL3 there are EL3's own and those of both Security states. */
const EOIMODES: ReadonlyMap<number, number> = new Map([
  [CTLR, 0x2],
  [CTLR_EL3, 0x1c],
]);
const ICH_FIRST = SYSREGS.ICH_HCR_EL2.encoding;
const ICH_REGISTERS: ReadonlySet<number> = new Set(
  Object.entries(SYSREGS).flatMap(([name, { encoding }]) => (name.startsWith('ICH_') ? [encoding] : [])),
);
const FIRST_SPI = 32;
const ENABLES = 7;
const PROCESSOR_SLEEP = 2;
const SECURITY_EXTN = 0x400;
const INT_COMMAND = 3;
/** In a vhppi record: no list register. */
const NO_LR = 0xffff_ffff;
export class Survey {
  readonly threads = new ThreadSurvey();
  private readonly beginning = new Beginning();
  private readonly stimuli = new MissingStimuli();
  private line = 0;
  /** The log writes a register that holds where an ITS has its tables, or where LPIs have their configuration. */
  private hasTables = false;
  private hasLpiTables = false;
  /** GITS_CWRITER was moved. */
  private hasRun = false;
  /** Software initialised a part of the GIC before the first interrupt. */
  private initialised = false;
  private active = false;
  private twoStates = false;
  private forwards = false;
  private woken = false;
  /** PEs whose GICR_WAKER was read to say that they sleep. */
  private readonly asleep = new Set<number>();
  private hasQueue = false;
  private readonly enabledShared = new Uint32Array(256);
  private readonly enabledPrivate = new Map<number, number>();
  private groupedShared = false;
  private groupedPrivate = false;
  private readonly lpis = new Set<number>();
  private readonly depth = new Map<number, number>();
  /** PEs that have set their priority mask. */
  private readonly masked = new Set<number>();
  /** By PE: the interrupt for which an interrupt line is asserted. */
  private readonly up = new Map<number, number>();
  private readonly wired = new Set<number>();
  /** Input lines whose level is known from the log. */
  private readonly risen = new Set<number>();
  private ints = 0;
  /** LPIs that have been acknowledged since an ITS executed commands. */
  private readonly sinceCommands = new Set<number>();
  /** Interrupts that each PE has acknowledged, and whether one of them, other than an LPI, was acknowledged again. */
  private readonly taken = new Set<number>();
  private isTakenAgain = false;
  /** A PE was signalled an interrupt. */
  private hasSignalled = false;
  readonly priorities = new PriorityViews();
  /** PEs known to have EOImode 1, where the end of an interrupt does not deactivate it. */
  private readonly splits = new Set<number>();

  /** Takes the records of a group. */
  group(batch: RecordBatch): void {
    for (let i = 0; i < batch.count; i++) this.record(batch, i);
  }

  /** A line prints INTID `intid` as the one that a PE was signalled earlier, although none had been printed. */
  pastInterrupt(): void {
    this.beginning.contradict('signalled before the log begins', this.line);
    this.activity();
  }

  private activity(): void {
    this.active = true;
  }

  private record(batch: RecordBatch, i: number): void {
    this.line = batch.line[i]!;
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const pe = batch.pe[i]!;
    switch (batch.kind[i]) {
      case MMIO_READ:
        this.beginning.access(w[at]!, w[at + 2]!, w[at + 4]!, false);
        this.read(w[at]!, w[at + 1]!, w[at + 2]!, w[at + 4]!, w[at + 5]!);
        if (w[at] === FRAME_GICD && w[at + 2] === GICD.GICD_TYPER.offset && w[at + 4]! & SECURITY_EXTN)
          this.twoStates = true;
        if (
          w[at] === FRAME_GICD &&
          w[at + 2] === GICD.GICD_CTLR.offset &&
          !this.forwards &&
          w[at + 4]! & ENABLES
        ) {
          this.stimuli.need('GICD writes', this.line);
          this.beginning.contradict('forwarded before GICD_CTLR was written', this.line);
        }
        return;
      case MEM_WRITE:
      case QUEUE_WRITE:
        // If stores are in the log, those to the queue are among them.
        this.stimuli.seen.add('commands');
        return;
      case MMIO_WRITE:
        this.beginning.access(w[at]!, w[at + 2]!, w[at + 4]!, true);
        // A Secure access already proves that there are two Security states.
        if ((batch.flags[i]! & RECORD_FLAGS.secure) === 0)
          this.priorities.written(w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 4]!);
        return this.write(w[at]!, w[at + 1]!, w[at + 2]!, w[at + 4]!);
      case SYSREG_READ:
        if (IARS.includes(w[at]!)) this.acknowledge(pe, w[at + 1]!);
        else if (w[at] === PMR && w[at + 1] !== 0 && !this.masked.has(pe)) {
          this.activity();
          this.beginning.contradict('priority mask not set', this.line);
        } else if ((w[at + 1]! & (EOIMODES.get(w[at]!) ?? 0)) !== 0) {
          if (!this.splits.has(pe)) this.stimuli.need('ICC_CTLR writes', this.line);
          this.splits.add(pe);
        }
        return;
      case SYSREG_WRITE:
        return this.sysregWrite(pe, w[at]!, w[at + 1]!);
      case WIRE_SET:
        this.wired.add(w[at]!);
        if (!this.risen.has(interruptKey(pe, w[at]!)) && w[at + 1] === 0) {
          this.beginning.contradict('a line fell that had not risen', this.line);
          if (this.stimuli.seen.size === 0) this.beginning.falls();
        }
        this.risen.add(interruptKey(pe, w[at]!));
        this.stimuli.seen.add(w[at]! < FIRST_SPI ? 'PPI lines' : 'SPI lines');
        return;
      case MSI_WRITE:
        this.stimuli.seen.add('MSIs');
        this.itsAtWork();
        return;
      case HPPI:
        // What was signalled is gone, so the PE must have acknowledged it.
        if ((this.up.get(pe) ?? w[at]) !== w[at]) this.stimuli.need('acknowledges', this.line);
        if (w[at + 3]! | w[at + 4]!) this.up.set(pe, w[at]!);
        else this.up.delete(pe);
        if (w[at] === SPURIOUS) return;
        this.hasSignalled = true;
        this.priorities.signalled(pe, w[at]!, w[at + 2]!);
        this.signalled(pe, w[at]!, w[at + 1]!, w[at + 4]! | w[at + 3]!);
        return;
      case VHPPI:
        if (w[at] !== NO_LR) this.stimuli.need('ICH writes', this.line);
        return;
      case ITS_COMMAND:
        this.stimuli.seen.add('commands');
        if ((w[at + 4]! & 0xff) === INT_COMMAND) this.ints++;
        this.itsAtWork();
        return;
      case SGI_SENT:
        this.stimuli.need('SGIs', this.line);
        return;
      default:
        if (!TABLE_LINES.has(batch.kind[i]!)) return;
        this.itsAtWork();
        if (!this.hasTables) this.beginning.contradict('no tables of an ITS', this.line);
    }
  }

  /** A register was read that holds what software has written. */
  private read(frame: number, instance: number, offset: number, low: number, high: number): void {
    if (frame === FRAME_GICR) {
      if (offset === GICR.GICR_WAKER.offset && (low & PROCESSOR_SLEEP) === 0 && !this.woken)
        this.stimuli.need('GICR writes', this.line);
      if (offset === GICR.GICR_WAKER.offset) {
        // Only a write wakes a PE that sleeps.
        if ((low & PROCESSOR_SLEEP) === 0 && this.asleep.has(instance)) this.stimuli.prove('GICR writes');
        if (low & PROCESSOR_SLEEP) this.asleep.add(instance);
      }
      if (offset !== GICR.GICR_CTLR.offset || (low & 1) === 0 || this.lpis.has(instance)) return;
      this.stimuli.need('GICR writes', this.line);
      this.beginning.contradict('LPIs not enabled', this.line);
    } else if (frame !== FRAME_GICD) {
      const isPlaced = offset >= GITS.GITS_BASER.offset || offset === GITS.GITS_CBASER.offset;
      const isInUse =
        (offset === GITS.GITS_CREADR.offset && low !== 0 && !this.hasRun) ||
        (isPlaced && high >>> 31 === 1 && !this.hasQueue && !this.hasTables);
      if (isInUse) this.itsAtWork();
    }
  }

  private write(frame: number, instance: number, offset: number, low: number): void {
    if (!this.active) this.initialised = true;
    if (frame === FRAME_GICD) {
      this.stimuli.seen.add('GICD writes');
      if (offset === GICD.GICD_CTLR.offset && low & ENABLES) this.forwards = true;
      else if (offset >= GICD.GICD_ISENABLER.offset && offset < GICD.GICD_ICENABLER.offset)
        this.enabledShared[(offset - GICD.GICD_ISENABLER.offset) >> 2]! |= low;
      else if (offset >= GICD.GICD_IGROUPR.offset && offset < GICD.GICD_ISENABLER.offset)
        this.groupedShared = true;
      else if (offset >= GICD.GICD_ISPENDR.offset && offset < GICD.GICD_ICPENDR.offset)
        for (let bit = 0; bit < 32; bit++)
          if ((low >>> bit) & 1) this.wired.add(8 * (offset - GICD.GICD_ISPENDR.offset) + bit);
    } else if (frame === FRAME_GICR) {
      this.stimuli.seen.add('GICR writes');
      if (offset === GICR.GICR_WAKER.offset) this.woken = true;
      if (offset === GICR.GICR_ISENABLER.offset)
        this.enabledPrivate.set(instance, (this.enabledPrivate.get(instance) ?? 0) | low);
      else if (offset === GICR.GICR_IGROUPR.offset) this.groupedPrivate = true;
      else if (offset === GICR.GICR_CTLR.offset && low & 1) {
        this.lpis.add(instance);
        if (!this.hasLpiTables) this.beginning.contradict('no tables of LPIs', this.line);
      } else if (offset >= GICR.GICR_PROPBASER.offset && offset < GICR.GICR_PROPBASER.offset + 8)
        this.hasLpiTables = true;
      else if (offset === GICR.GICR_ISPENDR.offset)
        for (let bit = 0; bit < 32; bit++) if ((low >>> bit) & 1) this.wired.add(bit);
    } else {
      this.stimuli.seen.add('GITS writes');
      if (offset === GITS.GITS_CWRITER.offset && low !== 0) this.stimuli.need('commands', this.line);
      if (offset === GITS.GITS_CWRITER.offset) {
        this.sinceCommands.clear();
        if (low !== 0) {
          if (!this.hasQueue) this.itsAtWork();
          this.hasRun = true;
        }
      }
      if (offset >= GITS.GITS_BASER.offset && offset < GITS.GITS_BASER.offset + 64) this.hasTables = true;
      if (offset >= GITS.GITS_CBASER.offset && offset < GITS.GITS_CWRITER.offset) this.hasQueue = true;
    }
  }

  private sysregWrite(pe: number, register: number, low: number): void {
    if (register === PMR) {
      this.stimuli.seen.add('ICC_PMR writes');
      this.masked.add(pe);
    } else if (IGRPENS.includes(register)) this.stimuli.seen.add('ICC_IGRPEN writes');
    else if (EOIRS.includes(register)) {
      this.stimuli.seen.add('ends');
      if (low < 1020 || low >= LPI_FIRST) {
        this.stimuli.need('acknowledges', this.line);
        const depth = this.depth.get(pe) ?? 0;
        if (depth === 0) {
          this.beginning.contradict('ended without an acknowledge', this.line);
          this.activity();
        } else this.depth.set(pe, depth - 1);
      }
      return;
    } else if (SGIRS.includes(register)) {
      this.stimuli.seen.add('SGIs');
      return;
    } else if (register === DIR) {
      this.stimuli.seen.add('deactivations');
      if (low >= 1020) return;
      if (!this.splits.has(pe)) this.stimuli.need('ICC_CTLR writes', this.line);
      this.stimuli.need('acknowledges', this.line);
      this.stimuli.need('ends', this.line);
      return;
    } else if (EOIMODES.has(register)) {
      this.stimuli.seen.add('ICC_CTLR writes');
      if (low & EOIMODES.get(register)!) this.splits.add(pe);
      else if (register === CTLR) this.splits.delete(pe);
    } else if (ICH_REGISTERS.has(register)) {
      if (register !== ICH_FIRST || low !== 0) this.stimuli.seen.add('ICH writes');
      return;
    } else return;
    if (!this.active) this.initialised = true;
  }

  private acknowledge(pe: number, intid: number): void {
    this.stimuli.seen.add('acknowledges');
    if (intid >= 1020 && intid < LPI_FIRST) return;
    this.depth.set(pe, (this.depth.get(pe) ?? 0) + 1);
    // The interrupt was ended in between.
    if (this.taken.has(pe * 2 ** 24 + intid)) {
      this.stimuli.need('ends', this.line);
      if (intid < LPI_FIRST) this.isTakenAgain = true;
      if (intid < LPI_FIRST && this.splits.has(pe)) this.stimuli.need('deactivations', this.line);
    }
    this.taken.add(pe * 2 ** 24 + intid);
    this.stimuli.need('ICC_PMR writes', this.line);
    this.stimuli.need('ICC_IGRPEN writes', this.line);
    this.interrupt(pe, intid);
    if (intid >= LPI_FIRST) this.sinceCommands.add(intid);
  }

  private signalled(pe: number, intid: number, group: number, line: number): void {
    if (line) {
      this.stimuli.need('ICC_PMR writes', this.line);
      this.stimuli.need('ICC_IGRPEN writes', this.line);
    }
    this.interrupt(pe, intid);
    if (this.twoStates || group === 0) return;
    if (intid < 32 && !this.groupedPrivate)
      this.beginning.contradict('SGI or PPI not in this group', this.line);
    else if (intid >= 32 && intid < 1020 && !this.groupedShared)
      this.beginning.contradict('SPI not in this group', this.line);
  }

  /** An interrupt is pending and enabled. */
  private interrupt(pe: number, intid: number): void {
    this.activity();
    this.stimuli.need('GICD writes', this.line);
    if (!this.forwards) this.beginning.contradict('forwarded before GICD_CTLR was written', this.line);
    if (intid < 1020 && intid >= 32) {
      if (((this.enabledShared[intid >> 5]! >>> (intid & 31)) & 1) === 0)
        this.beginning.contradict('SPI not enabled', this.line);
      if (!this.wired.has(intid)) this.stimuli.need('SPI lines', this.line);
      return;
    }
    this.stimuli.need('GICR writes', this.line);
    if (intid < 16) this.stimuli.need('SGIs', this.line);
    else if (intid < 32 && !this.wired.has(intid)) this.stimuli.need('PPI lines', this.line);
    if (intid >= LPI_FIRST) {
      if (this.hasQueue && this.ints === 0) this.stimuli.need('MSIs', this.line);
      if (this.sinceCommands.has(intid)) this.stimuli.pendingAgain(this.line);
      if (!this.lpis.has(pe)) this.beginning.contradict('LPIs not enabled', this.line);
    } else if (intid < 32 && (((this.enabledPrivate.get(pe) ?? 0) >>> intid) & 1) === 0)
      this.beginning.contradict('SGI or PPI not enabled', this.line);
  }

  private itsAtWork(): void {
    this.activity();
    this.stimuli.need('GITS writes', this.line);
    if (!this.hasQueue) this.beginning.contradict('no command queue', this.line);
  }

  /** `counts`: the number of lines by event. `start`: how the log begins, if that is known. */
  finish(counts: Uint32Array, start?: Start): LogSurvey {
    const threads = this.threads.finish();
    const found = { ...this.soFar(counts, start), threads };
    const isWhole =
      this.forwards && this.woken && this.masked.size > 0 && this.stimuli.seen.has('ICC_IGRPEN writes');
    const mayBeLate = this.active ? !isWhole : this.beginning.isLate;
    if (start !== undefined || found.start !== 'reset' || !mayBeLate) return found;
    return { ...found, midLife: { ...this.soFar(counts, 'mid-life'), threads } };
  }

  /** Like `finish`, for the part of the log that has been read. */
  soFar(counts: Uint32Array, start?: Start): Omit<LogSurvey, 'threads'> {
    const { hasTables, hasQueue, hasLpiTables } = this;
    const { isShifted } = this.priorities;
    const isInUse = this.beginning.isInUse(this.stimuli.seen, this.active && !this.initialised, isShifted, {
      hasTables,
      hasQueue,
      hasLpiTables,
      enablesLpis: this.lpis.size > 0,
    });
    const begins = start ?? (isInUse ? 'mid-life' : 'reset');
    const { missing, doubtful } = this.stimuli.finish(begins, {
      isSignalled: this.hasSignalled,
      isTaken: this.taken.size > 0,
      isTakenAgain: this.isTakenAgain,
      isSplit: this.splits.size > 0,
    });
    return {
      start: begins,
      missing,
      doubtful,
      isShifted,
      ...printedBy(counts),
    };
  }
}
