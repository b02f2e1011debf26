// With two Security states: from which of them each access is made, and how PEs execute from then on.
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch, SECURITY_STATES } from '../record/index.ts';
import type { Random } from './random.ts';

const PE_SWITCH = RECORDS['pe.switch'].id;
const NON_SECURE = SECURITY_STATES.indexOf('Non-secure');
const SECURE = SECURITY_STATES.indexOf('Secure');
const EL3 = SECURITY_STATES.indexOf('EL3');
/** Bit 16 of a record's register: the virtual CPU interface, which is Non-secure. */
const ICV = 0x1_0000;
/** op1 of a register of EL2 and of EL3. */
const OP1_MASK = 0x3800;
const OP1_EL2 = 0x2000;
const OP1_EL3 = 0x3000;
/** One access in so many is not made as the PE executes, so that the PE executes otherwise from there on. */
const UNANNOUNCED = 8;

export class SecurityDraws {
  private readonly random: Random;
  private readonly states: number[];

  constructor(random: Random, pes: number) {
    this.random = random;
    this.states = Array.from({ length: pes }, () => NON_SECURE);
  }

  /** Flags of an MMIO access: Secure, or in half of the cases not. */
  mmio(): number {
    return this.random.once(2) ? RECORD_FLAGS.secure : 0;
  }

  /** Flags of an access to a system register, which a PE can make from there. */
  sysreg(pe: number, register: number): number {
    const r = this.random;
    let state = this.states[pe]!;
    const op1 = register & OP1_MASK;
    if (r.once(UNANNOUNCED)) state = r.below(SECURITY_STATES.length);
    if (register >= ICV) state = NON_SECURE;
    else if (op1 === OP1_EL3) state = EL3;
    else if (op1 === OP1_EL2 && state === SECURE) state = EL3;
    this.states[pe] = state;
    if (state === EL3) return RECORD_FLAGS.el3 | (r.once(2) ? RECORD_FLAGS.secure : 0);
    return state === SECURE ? RECORD_FLAGS.secure : 0;
  }

  /** Flags of what firmware does at EL3, in Secure state. */
  firmware(pe: number): number {
    this.states[pe] = EL3;
    return RECORD_FLAGS.el3 | RECORD_FLAGS.secure;
  }

  /** A PE enters another state, or has another SCR_EL3.FIQ. */
  change(batch: RecordBatch, pe: number): void {
    const r = this.random;
    const state = r.below(SECURITY_STATES.length);
    const i = batch.push(PE_SWITCH, pe, Number.NaN);
    batch.words.set([state, r.below(2)], i * RECORD_WORDS);
    this.states[pe] = state;
  }
}
