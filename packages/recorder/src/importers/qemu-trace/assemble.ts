// Turns tokens into records in the order of cause and effect. Passes each line to the module that handles it, and
// handles the lines about the CPU interface itself. Infers nothing about the guest.
import {
  actOfAccess,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RESET_CAUSES,
  RULES,
  type RuleName,
  SEAMS,
} from '@gictrace/core/record';
import { FRAMES, isInterrupt, isSpi, SPURIOUS, SYSREGS } from '@gictrace/core/spec';
import { type Identity, peOf } from '../common/identity.ts';
import type { Losses } from '../common/losses.ts';
import {
  FRAME_GICD,
  FRAME_GICR,
  FRAME_GITS,
  HPPI,
  SYSREG_READ,
  SYSREG_WRITE,
  VHPPI,
} from '../common/record-kinds.ts';
import { wholeTime } from '../common/times.ts';
import { Accesses } from './accesses.ts';
import { Group, type GroupSink } from './group.ts';
import { ItsLines, type ItsLinesOptions } from './its-lines.ts';
import { type ThreadPart, type ThreadSurvey, Threads } from './threads.ts';
import { eventNames, type Token } from './tokenize.ts';

/** Records of what was read of guest memory, by kind of line. */
const MEMORY_RECORDS = {
  'ram-unknown': RECORDS['mem.unknown'].id,
  'ram-known': RECORDS['mem.known'].id,
  'ram-holds': RECORDS['mem.write'].id,
  'queue-holds': RECORDS['queue.write'].id,
} as const;
const IDLE = 255;
const LR_IS_VLPI = 16;

/** System registers by the hash of the word that QEMU prints for them. */
const sysregByHash = new Map<number, number>();
for (const [name, spec] of Object.entries(SYSREGS)) {
  for (const printed of [name, name.replace(/_EL[12]$/, '')]) {
    let hash = 0;
    for (let i = 0; i < printed.length; i++) hash = (Math.imul(hash, 31) + printed.charCodeAt(i)) | 0;
    if (!sysregByHash.has(hash)) sysregByHash.set(hash, spec.encoding);
  }
}
const ICC_CTLR = SYSREGS.ICC_CTLR_EL1.encoding;
const ICH_VTR = SYSREGS.ICH_VTR_EL2.encoding;
const SGI1R = SYSREGS.ICC_SGI1R_EL1.encoding;

/** The machine was reset. */
export interface MachineReset {
  /** The first line after it. */
  readonly line: number;
  readonly by: (typeof RESET_CAUSES)[number];
  /** The rule that inferred the reset; undefined if the source records it. */
  readonly rule?: RuleName;
}

/** The machine was reset, or may have been given another state, at this time by the clock of the log. */
export interface ToldReset {
  readonly seconds: number;
  readonly micros: number;
  readonly by: (typeof RESET_CAUSES)[number];
  /** The rule that says what else than a reset it may have been. */
  readonly rule?: RuleName;
}

/** How lines are assembled. */
export interface AssemblerOptions extends ItsLinesOptions {
  /** The log begins with the reset of the GIC, so all input lines are low. */
  readonly fromReset?: boolean;
  /** Lines, in ascending order, before which the machine was reset, and how that is known. */
  readonly resets?: readonly MachineReset[];
  /** Resets known by their time, in order. Grows while the log is read; a reset that has been handled is removed. */
  readonly toldResets?: ToldReset[];
  /** The log has no lines about writes to GITS_CWRITER. */
  readonly unwritten?: boolean;
  /** Sorts of accesses of which the log has lines, but none about bad ones (`accessSort`). */
  readonly withoutBad?: ReadonlySet<number>;
  /** Which PE each thread runs, according to a survey. */
  readonly threads?: readonly ThreadPart[];
  /** A survey of threads that is being made. */
  readonly threadSurvey?: ThreadSurvey;
  /** Called for a line that prints an earlier interrupt of a PE although none was printed before. */
  readonly pastInterrupt?: () => void;
}

export class Assembler {
  private readonly group: Group;
  private readonly threads: Threads;
  private readonly its: ItsLines;
  private readonly accesses: Accesses;
  private readonly identity: Identity;
  private readonly losses: Losses;
  /** Levels of the input lines, as last printed; low before that. */
  private readonly levels = new Map<number, number>();
  /** The INTID and group that were last printed for a PE, packed. */
  private readonly printed = new Map<number, number>();
  /** PEs, by affinity, for which an INTID has been printed that is beyond doubt. */
  private readonly sure = new Set<number>();
  /**
   * By PE: the vLPI that was the best virtual interrupt in the last printed line, and in the line before that; 0 for
   * none.
   */
  private readonly vlpiNow = new Map<number, number>();
  private readonly vlpiBefore = new Map<number, number>();
  /** Input lines about which nothing has been printed are low. */
  private levelsAreLow: boolean;
  /** The number of resets that have been handled. */
  private resetsDone = 0;
  private startSeconds = -1;
  private startMicros = 0;
  /** The number of lines of each known event, by event index. */
  readonly counts = new Uint32Array(eventNames.length);
  malformed = 0;
  firstMalformed = 0;

  private readonly options: AssemblerOptions;

  /** Sorts of accesses of which only the memory region has printed one (`accessSort`). */
  get alone(): ReadonlySet<number> {
    return this.group.alone;
  }

  constructor(identity: Identity, losses: Losses, sink: GroupSink, options: AssemblerOptions = {}) {
    this.identity = identity;
    this.losses = losses;
    this.options = options;
    this.levelsAreLow = options.fromReset !== false;
    this.group = new Group(sink, options.withoutBad);
    this.threads = new Threads(this.group, identity, options.threads, options.threadSurvey);
    this.its = new ItsLines(this.group, identity, losses, options);
    this.accesses = new Accesses(this.group, this.threads, this.its, identity, losses, (event) => {
      this.counts[event]!--;
    });
  }

  /** Handles one line whose event is known. */
  line(t: Token, lineNumber: number): void {
    this.group.lineNumber = lineNumber;
    const kind = t.kind!;
    if (t.count < kind.numbers) {
      this.malformed++;
      if (this.firstMalformed === 0) this.firstMalformed = lineNumber;
      return;
    }
    this.counts[t.event]!++;
    if (this.threads.reach(lineNumber)) this.seam('threads', 'seam-from-threads');
    const { resets = [] } = this.options;
    for (let next = resets[this.resetsDone]; next !== undefined && next.line <= lineNumber; ) {
      this.reset(next);
      next = resets[++this.resetsDone];
    }
    if (t.stamped) {
      const { toldResets } = this.options;
      while (toldResets !== undefined && toldResets.length > 0 && isBehind(t, toldResets[0]!))
        this.reset({ line: lineNumber, ...toldResets.shift()! });
      if (t.thread === 0) this.identity.showDate();
      if (this.startSeconds < 0) {
        this.startSeconds = t.seconds;
        this.startMicros = t.micros;
      }
      this.group.now = wholeTime(
        (t.seconds - this.startSeconds) * 1e9 + (t.micros - this.startMicros) * 1e3,
        this.losses,
      );
    } else this.group.now = Number.NaN;
    const { low, high } = t;
    switch (kind.sort) {
      case 'hppi':
        return this.hppi(t);
      case 'hppi-lines':
        return this.hppiLines(t);
      case 'vhppi':
        return this.vhppi(t);
      case 'vhppi-lines':
        if (this.group.openVhppi >= 0) {
          this.group.batch.flags[this.group.openVhppi] = 0;
          this.samePe(this.group.openVhppi, t);
          const at = this.group.openVhppi * RECORD_WORDS;
          this.group.batch.words[at + 4] = low[1]!;
          this.group.batch.words[at + 5] = low[2]!;
          this.group.openVhppi = -1;
        } else this.losses.add('virtual interrupt lines without their update');
        return;
      case 'maintenance':
        this.group.set(this.group.observe(RECORDS.maintenance.id, this.threads.pe(low[0]!)), low[1]!);
        return;
      case 'sysreg-read':
      case 'sysreg-write':
        return this.sysreg(t, kind.sort === 'sysreg-read');
      case 'iar':
        return this.acknowledge(t);
      case 'sgi':
        return this.sgi(t);
      case 'sgi-sent':
        this.group.set(this.group.observe(RECORDS['sgi.sent'].id, this.threads.pe(low[0]!)), low[1]!);
        return;
      case 'ppi-wire':
        return this.wire(
          this.group.stimulus(RECORDS['wire.set'].id, this.threads.pe(low[0]!)),
          peOf(low[0]!),
          low[1]!,
          low[2]!,
        );
      case 'spi-wire':
        return this.wire(this.group.stimulus(RECORDS['wire.set'].id, -1), -1, low[0]!, low[1]!);
      case 'gicd-read':
        return this.accesses.unitRead(t, FRAME_GICD, 0, 0, false);
      case 'gicr-read':
        return this.accesses.unitRead(t, FRAME_GICR, this.threads.pe(low[0]!), 1, false);
      case 'gits-read':
        return this.accesses.unitRead(t, FRAME_GITS, 0, 0, false);
      case 'gicd-write':
        return this.accesses.unitWrite(t, FRAME_GICD, 0, 0, false);
      case 'gicr-write':
        return this.accesses.unitWrite(t, FRAME_GICR, this.threads.pe(low[0]!), 1, false);
      case 'gits-write':
        return this.accesses.unitWrite(t, FRAME_GITS, 0, 0, false);
      case 'bad-read':
      case 'bad-write': {
        const frame = FRAMES.indexOf(kind.detail![0] as (typeof FRAMES)[number]);
        const skip = frame === FRAME_GICR ? 1 : 0;
        const instance = frame === FRAME_GICR ? this.threads.pe(low[0]!) : 0;
        if (kind.sort === 'bad-read') this.accesses.unitRead(t, frame, instance, skip, true);
        else this.accesses.unitWrite(t, frame, instance, skip, true);
        return;
      }
      case 'translater':
        return this.its.msi(t);
      case 'command':
        return this.its.command(t);
      case 'operands':
        return this.its.operands(t);
      case 'entry':
        return this.its.entry(t);
      case 'region-read':
      case 'region-write':
        return this.accesses.region(t, kind.sort === 'region-read');
      case 'ram-store': {
        const i = this.group.memory(low[0]!);
        this.group.set(i, low[1]!, high[1]!, low[2]!, low[3]!, high[3]!);
        this.its.noteStore(high[1]! * 2 ** 32 + low[1]!);
        return;
      }
      case 'ram-unknown':
      case 'ram-known':
      case 'ram-holds':
      case 'queue-holds':
        return this.memoryRead(t, kind.sort);
      case 'io-access':
        return this.accesses.ioAccess(t);
      case 'redundant':
        this.losses.add(`${eventNames[t.event]}: what the line of the command itself contains`);
        return;
    }
  }

  /** Records what guest memory holds, in front of the access that makes the GIC read it. */
  private memoryRead(t: Token, sort: 'ram-unknown' | 'ram-known' | 'ram-holds' | 'queue-holds'): void {
    const { low, high } = t;
    const i = this.group.memoryHeld(MEMORY_RECORDS[sort]);
    this.group.batch.rule[i] = RULES['memory-read'].id;
    const at = [low[0]!, high[0]!] as const;
    if (sort === 'ram-holds') this.group.set(i, ...at, low[1]!, low[2]!, high[2]!);
    else if (sort === 'ram-known') this.group.set(i, ...at, low[1]!, low[2]!);
    else if (sort === 'ram-unknown') this.group.set(i, ...at, low[1]!);
    else {
      const words = [1, 2, 3, 4].flatMap((k) => [low[k]!, high[k]!]);
      this.group.set(i, 0, ...at, ...words);
      this.its.noteSlot(high[0]! * 2 ** 32 + low[0]!, words);
    }
  }

  /** Another log begins with the next line. It comes from another process that continues with the same GIC. */
  boundary(): void {
    this.end();
    this.group.now = Number.NaN;
    this.group.lineNumber++;
    this.seam('file');
    this.group.lineNumber--;
    this.threads.boundary();
  }

  /** Another process prints from here on, so what was printed before no longer applies. */
  private seam(how: (typeof SEAMS)[number], rule?: keyof typeof RULES): void {
    const i = this.group.stimulus(RECORDS['source.seam'].id, -1);
    this.group.set(i, SEAMS.indexOf(how));
    if (rule !== undefined) this.group.batch.rule[i] = RULES[rule].id;
    this.printed.clear();
    this.sure.clear();
    this.vlpiNow.clear();
    this.vlpiBefore.clear();
  }

  /**
   * The machine was reset. QEMU keeps running and keeps the interrupts that it last printed; it does not if it loaded a
   * saved state.
   */
  private reset({ by, rule }: MachineReset): void {
    const isLoad = rule === 'load-from-state' || rule === 'state-after-stop';
    const i = this.group.stimulus(RECORDS['gic.reset'].id, -1);
    this.group.set(i, RESET_CAUSES.indexOf(by));
    if (rule !== undefined) this.group.batch.rule[i] = RULES[rule].id;
    this.levels.clear();
    this.levelsAreLow = !isLoad;
    if (isLoad) {
      this.printed.clear();
      this.sure.clear();
    }
    this.vlpiNow.clear();
    this.vlpiBefore.clear();
    this.its.reset();
    this.accesses.reset();
  }

  /** No more lines follow. */
  end(): void {
    const caused = this.options.unwritten || this.accesses.sawRegions || this.group.startsWithItsWrite();
    const orphan = caused ? -1 : this.group.firstCommand();
    if (orphan >= 0) {
      // The log ends while commands are executed. The write that started them was never printed.
      this.losses.add(
        'records at the end without the access that caused them',
        this.group.batch.count - orphan,
      );
      this.group.drop(orphan);
    }
    this.group.close(true);
  }

  private hppi(t: Token): void {
    const { low } = t;
    let before = this.printed.get(this.threads.pe(low[0]!));
    const none = low[1] === 0 && low[2] === 0;
    // With idle priority QEMU prints the INTID of an earlier interrupt; it can be 0 again only in another process. If
    // that earlier INTID has been printed more than once, or with a priority, its line was not wrong.
    if (low[3] === IDLE && none && before !== undefined && before !== 0 && this.sure.has(low[0]!)) {
      this.seam('hppi', 'seam-from-hppi');
      before = undefined;
    } else if (low[3] === IDLE && !none && before === undefined) this.options.pastInterrupt?.();
    const i = this.group.observe(HPPI, this.threads.pe(low[0]!));
    const at = i * RECORD_WORDS;
    // Before the GIC has been reset for the first time, QEMU prints the priority as 0.
    const unreset = none && low[3] === 0 && before === undefined;
    if (unreset) this.group.batch.rule[i] = RULES['hppi-before-reset'].id;
    const idle = low[3]! === IDLE || unreset;
    // With idle priority the INTID and group printed are those of an earlier interrupt.
    this.group.batch.words[at] = idle ? SPURIOUS : low[1]!;
    this.group.batch.words[at + 1] = idle ? 0 : low[2]!;
    this.group.batch.words[at + 2] = idle ? IDLE : low[3]!;
    this.group.batch.flags[i] = RECORD_FLAGS.valueUnknown;
    this.group.openHppi = i;
    if (!idle) this.identity.showGroup(low[2]!);
    const pe = this.group.batch.pe[i]!;
    const now = low[1]! * 4 + low[2]!;
    if (!unreset) this.printed.set(pe, now);
    if (now !== 0 && (!idle || before === now)) this.sure.add(low[0]!);
    // …and they never change while it is idle. If they did, this line contradicts the one before.
    if (idle && before !== undefined && before !== now) {
      this.group.conflict('value', [before >>> 2, before & 3], [low[1]!, low[2]!], this.group.lineNumber);
      this.group.openHppi = i;
    }
  }

  private vhppi(t: Token): void {
    const { low } = t;
    const i = this.group.observe(VHPPI, this.threads.pe(low[0]!));
    const w = this.group.batch.words;
    const at = i * RECORD_WORDS;
    const idle = low[4]! === IDLE;
    w[at] = low[1]!;
    // With idle priority the INTID and group printed are those of an earlier vLPI.
    w[at + 1] = idle ? SPURIOUS : low[2]!;
    w[at + 2] = idle ? 0 : low[3]!;
    w[at + 3] = low[4]!;
    this.group.batch.flags[i] = RECORD_FLAGS.valueUnknown;
    this.group.openVhppi = i;
    const pe = this.group.batch.pe[i]!;
    this.vlpiBefore.set(pe, this.vlpiNow.get(pe) ?? 0);
    // 16 in place of a list register number means that the interrupt is the vLPI.
    this.vlpiNow.set(pe, low[1] === LR_IS_VLPI ? low[2]! : 0);
  }

  private hppiLines(t: Token): void {
    const i = this.group.openHppi;
    if (i < 0) {
      this.losses.add('interrupt lines without their update');
      return;
    }
    this.samePe(i, t);
    const isGroup1 = this.group.batch.words[i * RECORD_WORDS + 1] !== 0;
    if (isGroup1 && t.low[1] === 1 && t.low[2] === 0) this.identity.showFiq();
    this.group.batch.words[i * RECORD_WORDS + 3] = t.low[1]!;
    this.group.batch.words[i * RECORD_WORDS + 4] = t.low[2]!;
    this.group.batch.flags[i] = 0;
    this.group.openHppi = -1;
  }

  /** The line about the interrupt lines follows the line about the update of the same PE. */
  private samePe(i: number, t: Token): void {
    const pe = peOf(t.low[0]!);
    if (this.group.batch.pe[i] !== pe)
      this.group.conflict('pe', [this.group.batch.pe[i]!, 0], [pe, 0], this.group.batch.line[i]!);
  }

  /** QEMU prints an input line only when its level changes. */
  private wire(i: number, pe: number, intid: number, level: number): void {
    this.group.set(i, intid, level);
    const key = (pe + 1) * 1024 + intid;
    if ((this.levels.get(key) ?? (this.levelsAreLow ? 0 : level ^ 1)) === level)
      this.group.conflict('value', [level ^ 1, 0], [level, 0], this.group.lineNumber);
    this.levels.set(key, level);
  }

  private register(t: Token): number {
    return sysregByHash.get(t.register) ?? -1;
  }

  private sysreg(t: Token, read: boolean): void {
    const register = this.register(t);
    if (register < 0) {
      this.losses.add(
        `system register ${t.bytes.toString('latin1', t.registerFrom, t.registerTo)}: not known`,
      );
      return;
    }
    const pe = this.threads.pe(t.low[0]!);
    // When a virtual machine acknowledges a vLPI, QEMU prints it between the two updates that it causes.
    const acknowledged =
      actOfAccess(register, !read)?.does === 'acknowledge' && this.vlpiBefore.get(pe) === t.low[1];
    const from = acknowledged && t.low[1] !== 0 ? this.group.tailOfVhppi(pe) : -1;
    const kind = read ? SYSREG_READ : SYSREG_WRITE;
    const i = from >= 0 ? this.group.stimulusBefore(kind, pe, from) : this.group.stimulus(kind, pe);
    this.group.set(i, register, t.low[1]!, t.high[1]!);
    this.threads.nameThread(t, pe);
    if (read && register === ICH_VTR) this.identity.readVtr(t.low[1]!);
    if (read && register === ICC_CTLR) this.identity.readCtlr(t.low[1]!);
  }

  private acknowledge(t: Token): void {
    const register = this.register(t);
    const pe = this.threads.pe(t.low[0]!);
    const intid = t.low[1]!;
    const special = !isInterrupt(intid);
    const all = isSpi(intid);
    let from = special
      ? this.group.batch.count
      : all
        ? this.group.tailOfHppi(this.identity.highestPe + 1, -1)
        : this.group.tailOfHppi(1, pe);
    // The thread may identify the PE more reliably than the line does, and then the two contradict each other
    // (nameThread).
    if (!special && !all && from === this.group.batch.count && this.threads.peOfThread(t) >= 0)
      from = this.group.tailOfHppi(1, this.threads.peOfThread(t));
    const i = this.group.stimulusBefore(SYSREG_READ, pe, from);
    this.group.set(i, register, t.low[1]!, t.high[1]!);
    this.threads.nameThread(t, pe);
  }

  private sgi(t: Token): void {
    const [cpu, intid, irm, affinity, targets] = [t.low[0]!, t.low[1]!, t.low[2]!, t.low[3]!, t.low[4]!];
    const pe = this.threads.pe(cpu);
    const i = this.group.stimulus(SYSREG_WRITE, pe);
    // QEMU prints Aff3.Aff2.Aff1 as one number.
    const low = (targets & 0xffff) | ((affinity & 0xff) << 16) | ((intid & 0xf) << 24);
    const high = ((affinity >> 8) & 0xff) | (irm ? 0x100 : 0) | (((affinity >> 16) & 0xff) << 16);
    this.group.set(i, SGI1R, low, high);
    this.group.batch.rule[i] = RULES['sgi-register'].id;
    this.threads.nameThread(t, pe);
  }
}

/** Whether a line was printed after a reset. */
function isBehind(t: Token, { seconds, micros }: ToldReset): boolean {
  return t.seconds > seconds || (t.seconds === seconds && t.micros > micros);
}
