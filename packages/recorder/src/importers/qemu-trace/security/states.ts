// Decides in which state each PE executes when it accesses the GIC, if there are two Security states; QEMU does not
// print it. Looks ahead in the log, by a bounded number of records, before groups are handed on. Marks accesses to
// system registers, decides through which register an SGI was generated, and adds a `pe.switch` where a PE entered or
// left EL3. Asks the model what a register would return; changes nothing in it.
import type { Machine } from '@gictrace/core/model';
import {
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  RULES,
  type RuleName,
} from '@gictrace/core/record';
import { SYSREGS, type SysregName } from '@gictrace/core/spec';
import {
  FRAME_GICR,
  GIC_RESET,
  HPPI,
  MAINTENANCE,
  MEM_WRITE,
  MMIO_READ,
  MMIO_WRITE,
  SGI_SENT,
  SYSREG_READ,
  SYSREG_WRITE,
  VHPPI,
  WIRE_SET,
} from '../../common/record-kinds.ts';
import type { GroupSink } from '../group.ts';
import { GroupQueue } from '../group-queue.ts';
import { labelOf } from './label.ts';
import {
  ACKNOWLEDGES,
  EL3,
  isMmio,
  isSysreg,
  type Line,
  NON_SECURE,
  OF_EL3,
  SECURE,
  Segment,
} from './segment.ts';
import { sgiRegister, sgiTargets } from './sgi.ts';
import { againstByValues, BANKED, bankChangesAt, SHIFTED, setsOutOfReach, wrongWithFiq } from './views.ts';

const PE_SWITCH = RECORDS['pe.switch'].id;
const STIMULI_END = 32;
const FIRST_SPI = 32;
const encodings = (...names: readonly SysregName[]): ReadonlySet<number> =>
  new Set(names.map((name) => SYSREGS[name].encoding));
const SGIS = encodings('ICC_SGI0R_EL1', 'ICC_SGI1R_EL1', 'ICC_ASGI1R_EL1');
const ENDS = encodings('ICC_EOIR0_EL1', 'ICC_EOIR1_EL1', 'ICC_DIR_EL1');
const SGI1R = SYSREGS.ICC_SGI1R_EL1.encoding;
const SPURIOUS = 1023;
const SECURITY_EXTN = 0x400;
const IDLE = 255;
/** Records that may wait for what follows them. */
const AHEAD_RECORDS = 16_384;
const OUT = 32_768;
/** The number of accesses in a segment whose values are examined together. */
const LOOK_AT = 64;
/** Once something has been seen, it takes more than one contradicting value to change it. */
const SEEN_TWICE = 2;

const MARK = 0;
const ACCESS = 1;
const LINE = 2;
const RESET = 3;
/** What is to be decided at record `index` of a group. */
interface Note {
  readonly what: typeof MARK | typeof ACCESS | typeof LINE | typeof RESET;
  readonly index: number;
  readonly segment: Segment;
}

/** What is known of a PE. */
interface Pe {
  /** The segment that reading has reached. */
  segment: Segment;
  readonly line: Line;
  /** The state in which it executes, and SCR_EL3.FIQ, as of the records that have been handed on. */
  state: number;
  fiq: number;
  /** The number of the segment in which the state was established, and by which rule. */
  knownIn: number;
  rule: RuleName;
  /** SCR_EL3.FIQ is known from a segment; it may have changed since. */
  fiqIsSeen: boolean;
  fiqIsOpen: boolean;
  /** At EL3: SCR_EL3.NS, and for how many accesses to banked registers it is known not to change. */
  bank: number;
  bankStays: number;
}

export class SecurityStates implements GroupSink {
  private readonly machine: () => Machine;
  private readonly next: GroupSink;
  /** The state in which a PE starts. */
  private readonly initial: number;
  private readonly first: number;
  private readonly twoStates: boolean;
  private readonly isMidLife: boolean;
  /** The log has lines about SGIs that were sent, so the absence of such a line is evidence. */
  private readonly showsSent: () => boolean;
  private readonly pes: Pe[];
  /** The log has lines about virtual interrupts, which are printed at each exception. */
  private hasVirtual = false;
  private isEnding = false;
  private readonly queue = new GroupQueue<readonly Note[]>();
  private readonly group_ = new RecordBatch(OUT);
  private readonly out = new RecordBatch(OUT);

  /**
   * `machine`: has taken the groups that were handed on. `hasFirmware`: PEs are at EL3 after a reset; otherwise they
   * are in Non-secure state, in which most software executes in a log that begins while the GIC is in use
   * (`isMidLife`). `showsSent`: whether the log has lines about SGIs that were sent; called where one may have been.
   */
  constructor(
    machine: () => Machine,
    hasFirmware: boolean,
    isMidLife: boolean,
    showsSent: () => boolean,
    next: GroupSink,
  ) {
    this.showsSent = showsSent;
    this.isMidLife = isMidLife;
    this.machine = machine;
    this.next = next;
    this.initial = hasFirmware ? EL3 : NON_SECURE;
    this.first = isMidLife ? NON_SECURE : this.initial;
    this.twoStates = (machine().state.config.gicd.typer & SECURITY_EXTN) !== 0;
    this.pes = machine().state.config.pes.map((_, pe) => this.begin(pe, this.first));
  }

  private begin(pe: number, state = this.initial): Pe {
    return {
      segment: new Segment(pe, 0),
      line: { intid: SPURIOUS, group: 0, priority: IDLE, fiq: 0, irq: 0 },
      state,
      fiq: 1,
      knownIn: 0,
      rule: 'security-from-course',
      fiqIsSeen: false,
      fiqIsOpen: true,
      bank: 0,
      bankStays: 0,
    };
  }

  group(batch: RecordBatch, isLast: boolean): void {
    if (!this.twoStates) {
      for (let i = 0; i < batch.count; i++) if (isSgi(batch, i)) this.sgi(true, batch, i);
      this.next.group(batch, isLast);
      return;
    }
    this.isEnding = isLast;
    this.queue.push(batch, this.read(batch));
    while (this.queue.first !== undefined && this.queue.records > AHEAD_RECORDS) this.release();
    while (this.queue.first?.every((note) => this.isSettled(note))) this.release();
    if (isLast) this.end();
  }

  /** No more groups follow; those that wait are handed on. */
  end(): void {
    while (this.queue.first !== undefined) this.release();
  }

  // ---- reading ahead -------------------------------------------------------------------------------------

  private read(batch: RecordBatch): Note[] {
    const notes: Note[] = [];
    for (let i = 0; i < batch.count; i++) {
      if (batch.kind[i] === GIC_RESET) this.readReset(i, notes);
      const pe = this.pes[batch.pe[i]!];
      if (pe === undefined) continue;
      const kind = batch.kind[i]!;
      if (kind === VHPPI) this.hasVirtual = true;
      else if (kind === HPPI) this.readLine(batch, i, pe, notes);
      else if (isMmio(kind)) pe.segment.mmio(batch, i);
      else if (isSysreg(kind)) {
        pe.segment.sysreg(batch, i, pe.line);
        notes.push({ what: ACCESS, index: i, segment: pe.segment });
      }
    }
    return notes;
  }

  /** The machine is reset, so each PE starts again. */
  private readReset(i: number, notes: Note[]): void {
    for (const [n, pe] of this.pes.entries()) {
      pe.segment.closed = true;
      pe.segment.next = new Segment(n, pe.segment.number + 1);
      pe.segment = pe.segment.next;
      Object.assign(pe.line, { intid: SPURIOUS, group: 0, priority: IDLE, fiq: 0, irq: 0 });
      notes.push({ what: RESET, index: i, segment: pe.segment });
    }
  }

  private readLine(batch: RecordBatch, i: number, pe: Pe, notes: Note[]): void {
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const { line } = pe;
    [line.intid, line.group, line.priority, line.fiq, line.irq] = [
      w[at]!,
      w[at + 1]!,
      w[at + 2]!,
      w[at + 3]!,
      w[at + 4]!,
    ];
    const isMark = this.hasVirtual ? isAtException(batch, i) : isExtra(batch, i);
    if (isMark) {
      pe.segment.closed = true;
      pe.segment.next = new Segment(batch.pe[i]!, pe.segment.number + 1);
      pe.segment = pe.segment.next;
    }
    if (batch.flags[i]! & RECORD_FLAGS.valueUnknown) {
      if (isMark) notes.push({ what: MARK, index: i, segment: pe.segment });
      return;
    }
    pe.segment.signalled(line);
    if (!isMark) pe.segment.after(line);
    if (isMark) notes.push({ what: MARK, index: i, segment: pe.segment });
    else if (line.fiq + line.irq > 0 && line.group > 0)
      notes.push({ what: LINE, index: i, segment: pe.segment });
  }

  // ---- handing on ----------------------------------------------------------------------------------------

  /** Whether the subject of a note can be decided as well as it ever will be. */
  private isSettled({ what, segment }: Note): boolean {
    if (what === RESET) return true;
    if (what !== ACCESS) return segment.label >= 0 || segment.closed || segment.isDecided || !segment.says;
    if (segment.label < 0 && !segment.isDecided) {
      if (!segment.closed) return false;
      // The next segment for which the log has evidence also bears on this one.
      let at = segment.next;
      while (at !== undefined && !at.isDecided) at = at.next;
      if (at === undefined) return false;
    }
    const pe = this.pes[segment.pe]!;
    const { register } = segment.accesses[0]!;
    const looks = SHIFTED.has(register)
      ? pe.fiqIsOpen || segment.label < 0
      : BANKED.has(register) && (segment.label < 0 || segment.label === EL3);
    return !looks || segment.closed || segment.accesses.length >= LOOK_AT;
  }

  private release(): void {
    const notes = this.queue.first!;
    const { group_: group, out } = this;
    this.queue.take(group);
    out.clear();
    let from = 0;
    const copyTo = (to: number) => {
      for (; from < to; from++) this.pass(group, from);
    };
    for (const note of notes) {
      const pe = this.pes[note.segment.pe]!;
      if (note.what === RESET) {
        copyTo(note.index + 1);
        this.flush();
        const { segment, line } = pe;
        Object.assign(pe, this.begin(note.segment.pe), { segment, line, knownIn: note.segment.number });
        continue;
      }
      if (note.what === ACCESS) {
        copyTo(note.index);
        this.flush();
        this.decide(pe, note.segment);
        this.look(pe, note.segment);
        this.give(pe, note, group);
        this.access(pe, note, group, note.index);
        continue;
      }
      if (note.segment.label < 0 && !note.segment.says) continue;
      // What the stimulus returns to the PE depends on the state in which the PE executes.
      copyTo(note.what === MARK ? note.index : stimulusBefore(group, note.index, from));
      this.decide(pe, note.segment);
      this.give(pe, note, group);
    }
    copyTo(group.count);
    this.flush(this.isEnding && this.queue.first === undefined);
  }

  private flush(isLast = false): void {
    if (this.out.count > 0) this.next.group(this.out, isLast);
    this.out.clear();
  }

  private pass(group: RecordBatch, i: number): void {
    if (this.out.full) this.flush();
    this.out.copy(group, i);
  }

  /** Decides in which state a PE executes in a segment. */
  private decide(pe: Pe, segment: Segment): void {
    if (segment.label >= 0) return;
    const values = segment.isDecided
      ? undefined
      : againstByValues(this.machine(), segment.pe, segment.accesses.slice(0, LOOK_AT), pe.fiqIsOpen);
    const isKept = pe.fiqIsSeen && !pe.fiqIsOpen && pe.fiq === 1;
    segment.label = labelOf(segment, { state: pe.state, segment: pe.knownIn }, isKept, values);
    if (segment.label === EL3 && pe.state !== EL3) {
      // SCR_EL3.NS still belongs to the state that the PE came from.
      pe.bank = pe.state === NON_SECURE ? 1 : 0;
      pe.bankStays = 0;
    }
    pe.state = segment.label;
    // The PE may have been at EL3 since.
    if (segment.label !== NON_SECURE || (this.initial === EL3 && segment.number > pe.knownIn + 1))
      pe.fiqIsOpen = true;
    pe.knownIn = segment.number;
    const byValues = values !== undefined && Math.max(...values) > 0;
    pe.rule = segment.rule ?? (byValues ? 'security-from-value' : 'security-from-course');
  }

  /** An access is about to be handed on. Examines what the values from there on reveal about SCR_EL3. */
  private look(pe: Pe, segment: Segment): void {
    const { accesses } = segment;
    const { register } = accesses[0]!;
    if (pe.state === NON_SECURE && pe.fiqIsOpen) this.lookForFiq(pe, segment);
    else if (pe.state === EL3 && BANKED.has(register) && pe.bankStays-- <= 0) {
      const behind = accesses.slice(0, LOOK_AT);
      const at = bankChangesAt(this.machine(), segment.pe, behind, pe.bank);
      if (at === 0) pe.bank = 1 - pe.bank;
      pe.bankStays = behind.slice(0, at).filter((access) => BANKED.has(access.register)).length - 1;
    }
  }

  private lookForFiq(pe: Pe, segment: Segment): void {
    const m = this.machine();
    const accesses = segment.accesses.slice(0, LOOK_AT);
    const wrong = [0, 1].map((fiq) => wrongWithFiq(m, segment.pe, accesses, fiq));
    const gain = wrong[pe.fiq]! - wrong[1 - pe.fiq]!;
    if (gain >= (pe.fiqIsSeen ? SEEN_TWICE : 1)) pe.fiq = 1 - pe.fiq;
    if (gain !== 0) {
      pe.fiqIsSeen = true;
      pe.fiqIsOpen = false;
    } else if (!pe.fiqIsSeen) {
      // If the log begins with the reset, the mask is known.
      const isOutOfReach = !this.isMidLife && setsOutOfReach(m, segment.pe, accesses);
      if (segment.hasGroup0 || isOutOfReach) pe.fiq = 0;
    }
  }

  /** Passes the model, by a `pe.switch` before what follows, the state in which a PE executes from here on. */
  private give(pe: Pe, note: Note, group: RecordBatch): void {
    this.flush();
    const { security, fiqRouted, singleSecurityOfPes } = this.machine().state;
    if (
      (security[note.segment.pe] === pe.state && fiqRouted[note.segment.pe] === pe.fiq) ||
      singleSecurityOfPes
    )
      return;
    const to = this.out.push(PE_SWITCH, note.segment.pe, group.timeNs[note.index]!);
    this.out.line[to] = group.line[note.index]!;
    this.out.rule[to] = RULES[security[note.segment.pe] === pe.state ? 'scr-fiq-from-priority' : pe.rule].id;
    this.out.words.set([pe.state, pe.fiq], to * RECORD_WORDS);
    // At an exception, what is printed is its result.
    if (note.what !== MARK) this.flush();
  }

  private access(pe: Pe, { segment }: Note, group: RecordBatch, i: number): void {
    segment.accesses.shift();
    const at = i * RECORD_WORDS;
    const isEl3 = pe.state === EL3 || OF_EL3.has(group.words[at]!);
    if (pe.state === SECURE || (isEl3 && pe.bank === 0)) group.flags[i]! |= RECORD_FLAGS.secure;
    if (isEl3) group.flags[i]! |= RECORD_FLAGS.el3;
    if (isSgi(group, i)) this.sgi(pe.state !== NON_SECURE, group, i);
    else group.rule[i] = RULES[pe.rule].id;
  }

  /** Decides through which register an SGI was generated. */
  private sgi(isSecure: boolean, group: RecordBatch, i: number): void {
    if (!this.showsSent()) return;
    const at = i * RECORD_WORDS;
    const sent = new Set<number>();
    for (let k = i + 1; k < group.count && group.kind[k]! >= STIMULI_END; k++)
      if (group.kind[k] === SGI_SENT) sent.add(group.pe[k]!);
    const m = this.machine();
    const [low, high] = [group.words[at + 1]!, group.words[at + 2]!];
    const targets = sgiTargets(m, group.pe[i]!, low, high);
    group.words[at] = sgiRegister(m, (low >>> 24) & 0xf, targets, sent, isSecure);
  }
}

function isSgi(batch: RecordBatch, i: number): boolean {
  return batch.kind[i] === SYSREG_WRITE && batch.words[i * RECORD_WORDS] === SGI1R;
}

/**
 * Whether a line was printed because the PE took an exception or returned from one: along with the virtual lines, and
 * without a stimulus.
 */
function isAtException(batch: RecordBatch, i: number): boolean {
  const pe = batch.pe[i];
  const follows = (from: number, kind: number): number => {
    let k = from + 1;
    while (k < batch.count && batch.kind[k] === MEM_WRITE) k++;
    return k < batch.count && batch.kind[k] === kind && batch.pe[k] === pe ? k : -1;
  };
  const virtual = follows(i, VHPPI);
  return virtual >= 0 && follows(virtual, MAINTENANCE) < 0;
}

/**
 * Whether there is one line more for this PE than the stimulus makes QEMU print. In a log without lines about virtual
 * interrupts, such a line may have been printed at an exception. If it was not, only the link between what precedes and
 * what follows it is lost.
 */
function isExtra(batch: RecordBatch, i: number): boolean {
  let lines = 0;
  let k = i - 1;
  for (; k >= 0 && batch.kind[k]! >= STIMULI_END; k--)
    if (batch.kind[k] === HPPI && batch.pe[k] === batch.pe[i]) lines++;
  return k < 0 || lines >= linesOf(batch, k, batch.pe[i]!);
}

/** The largest number of lines that stimulus `i` makes QEMU print for a PE. */
function linesOf(batch: RecordBatch, i: number, pe: number): number {
  const at = i * RECORD_WORDS;
  const [first, second] = [batch.words[at]!, batch.words[at + 1]!];
  const isOwn = batch.pe[i] === pe;
  switch (batch.kind[i]) {
    case MMIO_READ:
      return 0;
    case MMIO_WRITE:
      return first === FRAME_GICR && second !== pe ? 0 : 1;
    case WIRE_SET:
      return isOwn || first >= FIRST_SPI ? 1 : 0;
    case SYSREG_READ:
      return ACKNOWLEDGES.has(first) && (isOwn || second >= FIRST_SPI) ? 1 : 0;
    case SYSREG_WRITE:
      if (SGIS.has(first)) return 1;
      if (ENDS.has(first)) return isOwn ? 2 : second >= FIRST_SPI ? 1 : 0;
      return isOwn ? 1 : 0;
    default:
      return 1;
  }
}

/** The stimulus of a group that caused record `i`, not before record `from`. */
function stimulusBefore(group: RecordBatch, i: number, from: number): number {
  let k = i;
  while (k > from && group.kind[k]! >= STIMULI_END) k--;
  return k;
}
