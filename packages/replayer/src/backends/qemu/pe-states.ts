// With two Security states: how each PE executes as the trace has it, and what the guest stub must do so that an access
// is made from there. Decides; sends nothing.
import {
  NO_PE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  SECURITY_STATES,
} from '@gictrace/core/record';
import { FRAMES, SYSREGS, type SysregName } from '@gictrace/core/spec';
import type { Operation } from './ring.ts';
import type { GuestStub, PeState } from './stub.ts';

const NON_SECURE = SECURITY_STATES.indexOf('Non-secure');
const SECURE = SECURITY_STATES.indexOf('Secure');
const EL3 = SECURITY_STATES.indexOf('EL3');
const MMIO_WRITE = RECORDS['mmio.write'].id;
const PE_SWITCH = RECORDS['pe.switch'].id;
const FRAME_ITS = FRAMES.indexOf('GITS');
/** Bit 16 of a record's register: the virtual CPU interface. */
const ICV = 0x1_0000;
/** op1 of a register of EL3. */
const OP1_MASK = 0x3800;
const OP1_EL3 = 0x3000;
const encodings = (names: readonly SysregName[]): ReadonlySet<number> =>
  new Set(names.map((name) => SYSREGS[name].encoding));
/**
 * What Non-secure software sees otherwise while SCR_EL3.FIQ is 1, what traps to EL3 then (all of Group 0), and what then deactivates
 * no interrupt of Group 0 even if GICD_CTLR.DS is set.
 */
const BY_FIQ = encodings([
  ...([
    'ICC_PMR_EL1',
    'ICC_RPR_EL1',
    'ICC_DIR_EL1',
    'ICC_IAR0_EL1',
    'ICC_EOIR0_EL1',
    'ICC_HPPIR0_EL1',
  ] as const),
  ...(['ICC_BPR0_EL1', 'ICC_IGRPEN0_EL1'] as const),
  ...(['ICC_AP0R0_EL1', 'ICC_AP0R1_EL1', 'ICC_AP0R2_EL1', 'ICC_AP0R3_EL1'] as const),
]);

/** What surrounds an access: by which PE it is made, and operations before and behind it. */
export interface Surroundings {
  readonly pe: number;
  readonly before: readonly Operation[];
  readonly behind: readonly Operation[];
  /** No PE has the register there. */
  readonly isImpossible?: boolean;
}

export class PeStates {
  private readonly stub: GuestStub;
  private readonly state: Uint8Array;
  /** At EL3: SCR_EL3.NS. */
  private readonly ns: Uint8Array;
  private readonly fiq: Uint8Array;

  /** PEs begin in Non-secure state, as those of the model do. */
  constructor(stub: GuestStub, pes: number) {
    this.stub = stub;
    this.state = new Uint8Array(pes).fill(NON_SECURE);
    this.ns = new Uint8Array(pes).fill(1);
    this.fiq = new Uint8Array(pes).fill(1);
  }

  /** Whether the stub must make an MMIO access, since qtest's are Non-secure. An ITS does not care. */
  static isSecure(batch: RecordBatch, i: number): boolean {
    return !isIts(batch, i) && (batch.flags[i]! & (RECORD_FLAGS.secure | RECORD_FLAGS.el3)) !== 0;
  }

  /** What surrounds an MMIO access. The PE that makes it does not matter, so one that executes as it must is taken. */
  mmio(batch: RecordBatch, i: number): Surroundings {
    const isSecure = PeStates.isSecure(batch, i);
    const fits = (pe: number) => (this.state[pe] !== NON_SECURE) === isSecure;
    const pe = batch.pe[i]!;
    const by = pe === NO_PE || pe >= this.state.length ? 0 : pe;
    // An ITS may execute many commands, and what the PE is signalled after each of them counts: no switch may surround it.
    if (isIts(batch, i)) return { pe: by, before: [], behind: [] };
    const other = fits(by) ? by : this.state.findIndex((_, one) => fits(one));
    if (other >= 0) return { pe: other, before: [], behind: [] };
    const { stub } = this;
    return {
      pe: by,
      before: [stub.switchTo(by, isSecure ? EL3 : NON_SECURE, !isSecure)],
      behind: [this.back(by), stub.loud(by)],
    };
  }

  /** What surrounds an access to a system register, by which its PE is seen to execute. */
  sysreg(batch: RecordBatch, i: number): Surroundings {
    const { stub, state } = this;
    const register = batch.words[i * RECORD_WORDS]!;
    const pe = batch.pe[i]!;
    const flags = batch.flags[i]!;
    const isSecure = (flags & RECORD_FLAGS.secure) !== 0;
    const isEl3 =
      (flags & RECORD_FLAGS.el3) !== 0 || (isSecure && register < ICV && (register & OP1_MASK) === OP1_EL3);
    const wanted = isEl3 ? EL3 : isSecure ? SECURE : NON_SECURE;
    const isRouted = wanted === NON_SECURE && this.fiq[pe] !== 0;
    const before: Operation[] = [];
    const behind: Operation[] = [];
    const ns = isSecure ? 0 : 1;
    if (state[pe] !== wanted || (wanted === EL3 && this.ns[pe] !== ns)) {
      this.set(pe, wanted, ns);
      before.push(this.back(pe), stub.defer(pe));
      behind.push(stub.loud(pe));
    }
    if (isRouted && BY_FIQ.has(register)) {
      before.push(stub.routeFiq(pe, true));
      behind.unshift(stub.routeFiq(pe, false));
      if (behind.length === 1) behind.push(stub.loud(pe));
    }
    return { pe, before, behind, isImpossible: register >= ICV && wanted !== NON_SECURE };
  }

  /** A PE enters or leaves EL3, or its SCR_EL3.FIQ changes: the operations that do it. */
  switched(batch: RecordBatch, i: number): readonly Operation[] {
    const at = i * RECORD_WORDS;
    const pe = batch.pe[i]!;
    const to = batch.words[at]!;
    this.fiq[pe] = batch.words[at + 1]!;
    if (batch.kind[i] !== PE_SWITCH || this.state[pe] === to) return [];
    // SCR_EL3.NS is as it was below.
    this.set(pe, to, this.state[pe] === NON_SECURE ? 1 : 0);
    return [this.back(pe)];
  }

  private set(pe: number, state: PeState, ns: number): void {
    this.state[pe] = state;
    this.ns[pe] = ns;
  }

  /** To where the PE executes. */
  private back(pe: number): Operation {
    return this.stub.switchTo(pe, this.state[pe]!, this.ns[pe] !== 0);
  }
}

function isIts(batch: RecordBatch, i: number): boolean {
  return batch.words[i * RECORD_WORDS] === FRAME_ITS && batch.kind[i]! <= MMIO_WRITE;
}
