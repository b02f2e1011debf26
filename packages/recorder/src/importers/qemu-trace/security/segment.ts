// A segment is what a PE executes between two of its exceptions. QEMU prints what a PE is signalled each time it takes
// an exception or returns from one, so within a segment only SCR_EL3 can change. Weighs the evidence for the state in
// which the PE executes; decides nothing.
import { IDLE } from '@gictrace/core/model';
import {
  GROUPS,
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  type RuleName,
  SECURITY_STATES,
} from '@gictrace/core/record';
import { SYSREGS, type SysregName } from '@gictrace/core/spec';
import { FRAME_GITS, MMIO_READ, MMIO_WRITE, SYSREG_READ, SYSREG_WRITE } from '../../common/record-kinds.ts';

export const NON_SECURE = SECURITY_STATES.indexOf('Non-secure');
export const SECURE = SECURITY_STATES.indexOf('Secure');
export const EL3 = SECURITY_STATES.indexOf('EL3');
export const STATES = [NON_SECURE, SECURE, EL3] as const;

const GROUP_0 = GROUPS.indexOf('0');
const GROUP_1S = GROUPS.indexOf('1S');
const LPI_FIRST = 8192;

/** Evidence against a state, in units of one unlikely change of state. */
const IMPOSSIBLE = 8;
/** The other one of the two interrupt lines would be asserted. */
const WRONG_LINE = 4;
/** EL3 and Secure EL1 can map a device as Non-secure memory, and EL3 can save the registers of a hypervisor. */
const UNUSUAL = 3;
const SELDOM = 2;
const WORTH_A_DOUBT = 1;

const encodings = (...names: readonly SysregName[]): ReadonlySet<number> =>
  new Set(names.map((name) => SYSREGS[name].encoding));
const named = (wanted: (name: string) => boolean): ReadonlySet<number> =>
  new Set(Object.entries(SYSREGS).flatMap(([name, { encoding }]) => (wanted(name) ? [encoding] : [])));

export const OF_EL3 = named((name) => name.endsWith('_EL3'));
const OF_HYPERVISOR = named((name) => name.startsWith('ICH_'));
const OF_VIRTUAL_MACHINE = named((name) => name.startsWith('ICV_'));
/** Not accessible to Non-secure software while SCR_EL3.FIQ is 1. */
const OF_GROUP_0 = named((name) => /^ICC_(IAR0|EOIR0|HPPIR0|BPR0|IGRPEN0|AP0R\d)_/.test(name));
const SHOW_0 = encodings('ICC_IAR0_EL1', 'ICC_HPPIR0_EL1');
const SHOW_1 = encodings('ICC_IAR1_EL1', 'ICC_HPPIR1_EL1', 'ICC_NMIAR1_EL1');
export const ACKNOWLEDGES = encodings('ICC_IAR0_EL1', 'ICC_IAR1_EL1', 'ICC_NMIAR1_EL1');
const EL3_ONLY = [1020, 1021];
const SPURIOUS = 1023;

/** An access to a system register. */
export interface Access {
  readonly register: number;
  readonly write: boolean;
  readonly low: number;
  /** For a write: what the PE was signalled before and after it; undefined if the log does not say. */
  readonly before: Readonly<Line>;
  after?: Readonly<Line>;
}

/** What a PE was signalled last. */
export interface Line {
  intid: number;
  group: number;
  priority: number;
  fiq: number;
  irq: number;
}

/** Evidence for the state in which a PE executes, the strongest first. */
type Ground = 'register' | 'mmio' | 'interrupt' | 'line';
const GROUNDS: readonly Ground[] = ['register', 'mmio', 'interrupt', 'line'];
const RULE_OF = {
  register: 'security-from-register',
  mmio: 'security-from-mmio',
  interrupt: 'security-from-interrupt',
  line: 'security-from-line',
} as const satisfies Record<Ground, RuleName>;

export class Segment {
  readonly pe: number;
  /** The number of the segment among those of the PE. */
  readonly number: number;
  /** By state: the weight of the evidence against it. */
  readonly against: [number, number, number] = [0, 0, 0];
  /** The strongest kind of evidence so far. */
  private grounds: number = GROUNDS.length;
  /** The segment accesses Group 0's registers. */
  hasGroup0 = false;
  /** Nothing more can be added. */
  closed = false;
  /** The next segment of the PE. */
  next: Segment | undefined;
  /** The state that was decided: an index into SECURITY_STATES, or -1. */
  label = -1;
  /** Accesses that have not been handed on. */
  readonly accesses: Access[] = [];

  constructor(pe: number, number: number) {
    this.pe = pe;
    this.number = number;
  }

  private speaksAgainst(ground: Ground, weight: number, ...states: readonly number[]): void {
    this.grounds = Math.min(this.grounds, GROUNDS.indexOf(ground));
    for (const state of states) this.against[state]! += weight;
  }

  /** Notes an MMIO access of the PE. A line of an ITS does not say whether the access was Secure. */
  mmio(batch: RecordBatch, i: number): void {
    if (batch.words[i * RECORD_WORDS] === FRAME_GITS) return;
    if (batch.flags[i]! & RECORD_FLAGS.secure) this.speaksAgainst('mmio', IMPOSSIBLE, NON_SECURE);
    else this.speaksAgainst('mmio', UNUSUAL, SECURE, EL3);
  }

  /** Notes a system-register access of the PE, which was signalled `line` before. */
  sysreg(batch: RecordBatch, i: number, line: Line): void {
    const at = i * RECORD_WORDS;
    const register = batch.words[at]!;
    const low = batch.words[at + 1]!;
    const write = batch.kind[i] === SYSREG_WRITE;
    this.accesses.push({ register, write, low, before: { ...line } });
    if (OF_EL3.has(register)) this.speaksAgainst('register', IMPOSSIBLE, NON_SECURE, SECURE);
    else if (OF_HYPERVISOR.has(register)) this.speaksAgainst('register', SELDOM, SECURE, EL3);
    else if (OF_VIRTUAL_MACHINE.has(register)) {
      this.speaksAgainst('register', SELDOM, SECURE);
      this.speaksAgainst('register', IMPOSSIBLE, EL3);
    }
    if (OF_GROUP_0.has(register)) this.hasGroup0 = true;
    if (!write && (SHOW_0.has(register) || SHOW_1.has(register))) this.interrupt(register, low, line);
  }

  /** What a register returns about the highest-priority pending interrupt depends on the state of the reader. */
  private interrupt(register: number, intid: number, line: Line): void {
    const isGroup0 = SHOW_0.has(register);
    if (EL3_ONLY.includes(intid)) return this.speaksAgainst('interrupt', IMPOSSIBLE, NON_SECURE, SECURE);
    if (intid < EL3_ONLY[0]! || intid >= LPI_FIRST) {
      if (isGroup0) this.speaksAgainst('interrupt', IMPOSSIBLE, NON_SECURE);
      else if (line.intid === intid && line.priority !== IDLE)
        this.speaksAgainst('interrupt', IMPOSSIBLE, line.group === GROUP_1S ? NON_SECURE : SECURE);
      return;
    }
    // The reader gets no interrupt although one is signalled, so it belongs to another state.
    if (intid !== SPURIOUS || line.fiq + line.irq === 0 || !ACKNOWLEDGES.has(register)) return;
    if (line.group === GROUP_0) {
      if (isGroup0) this.speaksAgainst('interrupt', WRONG_LINE, SECURE, EL3);
    } else if (isGroup0) this.speaksAgainst('interrupt', WRONG_LINE, EL3);
    else this.speaksAgainst('interrupt', WRONG_LINE, EL3, line.group === GROUP_1S ? SECURE : NON_SECURE);
  }

  /** Notes what the PE was signalled after the last access. */
  after(line: Line): void {
    const last = this.accesses.at(-1);
    if (last?.write === true) last.after ??= { ...line };
  }

  /** The PE is signalled an interrupt: as an IRQ if the current Security state handles it, otherwise as an FIQ. */
  signalled({ group, fiq, irq }: Line): void {
    if (group === GROUP_0 || fiq === irq) return;
    const own = group === GROUP_1S ? SECURE : NON_SECURE;
    const other = group === GROUP_1S ? NON_SECURE : SECURE;
    if (irq) this.speaksAgainst('line', WRONG_LINE, other, EL3);
    else this.speaksAgainst('line', WRONG_LINE, own);
  }

  /** The weight of the evidence against a state. `group0Kept`: Non-secure software cannot access Group 0. */
  cost(state: number, group0Kept: boolean): number {
    const doubt = this.hasGroup0 && state === NON_SECURE ? (group0Kept ? UNUSUAL : WORTH_A_DOUBT) : 0;
    return this.against[state]! + doubt;
  }

  /** The rule by which the log reveals the state; undefined if it reveals nothing. */
  get rule(): RuleName | undefined {
    const ground = GROUNDS[this.grounds];
    return ground === undefined ? undefined : RULE_OF[ground];
  }

  /** Whether the log alone leaves only one state. */
  get isDecided(): boolean {
    const [least, second] = [...this.against].sort((a, b) => a - b) as [number, number, number];
    return second - least >= WRONG_LINE;
  }

  /** Whether the log rules a state out. */
  get says(): boolean {
    return Math.max(...this.against) - Math.min(...this.against) >= WRONG_LINE;
  }
}

export const isMmio = (kind: number): boolean => kind === MMIO_READ || kind === MMIO_WRITE;
export const isSysreg = (kind: number): boolean => kind === SYSREG_READ || kind === SYSREG_WRITE;
