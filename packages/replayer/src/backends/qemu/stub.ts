// The guest stub: the program that the guest's PEs run. Each PE takes its operations from a common ring in guest RAM, so that
// the accesses of all PEs happen in order. It reports the result of each operation by a write to a reserved location of the
// Distributor, which appears in QEMU's log after the lines of the operation. This file only encodes; it does no I/O.
import { SECURITY_STATES } from '@gictrace/core/record';
import { SYSREGS } from '@gictrace/core/spec';
import {
  addImmediate,
  addShifted,
  andLowBits,
  b,
  beq,
  blr,
  bne,
  br,
  Code,
  cbz,
  cmp,
  compareNegative,
  DSB_SY,
  ERET,
  HVC,
  ISB,
  ldar,
  load,
  MASK_INTERRUPTS,
  movAddress,
  movRegister,
  movz,
  mrs,
  msr,
  RET,
  SMC,
  SYS,
  stlr,
  store,
  UDF,
  ubfx,
  type Width,
  YIELD,
} from './aarch64.ts';
import { type Operation, RING_BITS, RING_SLOTS, SLOT_BYTES } from './ring.ts';

/** Bytes at the end of guest RAM that belong to the stub. */
export const STUB_BYTES = 0x10_0000;
const VECTORS = 0x0;
const VECTORS_EL1 = 0x800;
const VECTORS_EL3 = 0x1000;
/** Of Secure EL1. */
const VECTORS_SECURE = 0x1800;
/** The offset at which the program begins. */
export const STUB_ENTRY = 0x2000;
const LIMIT = 0x8000;
const NEXT = 0x8040;
const RING = 0x1_0000;

/** Reserved locations of the Distributor. Writes of 8 bytes to them mark the stub's results in the log. */
export const MARK = {
  /** An operation is done: X0. */
  done: 0xc000,
  /** An operation took an exception instead: ESR_EL2. */
  fault: 0xc008,
  /**
   * From here on, what a PE is signalled is caused by the stub itself. The value is the PE's index, and HOLD_VIRTUAL if
   * virtual interrupts are concerned too …
   */
  quiet: 0xc010,
  /** … up to here. */
  loud: 0xc018,
  /** Written by qtest: the operations before it have had their effects. */
  fence: 0xc020,
  /** From here what a PE is signalled counts again; the last that was not said counts only if nothing else comes before `loud`. */
  defer: 0xc028,
} as const;
export const HOLD_VIRTUAL = 0x100;

const PSCI_CPU_OFF = 0x8400_0002;
const PSCI_CPU_ON = 0xc400_0003;
/** HCR_EL2: EL1 is AArch64; IMO and FMO give EL1 the virtual CPU interface. */
const HCR_RW = 0x8000;
const HCR_IMO_FMO = 0x18;
/** EL1 with its own stack pointer and all interrupts masked; EL2 and EL3. */
const EL1H_MASKED = 0x3c5;
const EL2H_MASKED = 0x3c9;
const EL3H_MASKED = 0x3cd;
/** SCR_EL3: the next lower level is AArch64, HVC is enabled, no interrupt is routed to EL3; bits that are RES1. */
const SCR_SECURE = 0x530;
const SCR_NS = 1;
const SCR_FIQ = 4;
/** CurrentEL at EL3, and ESR_EL3.EC of an SMC. */
const CURRENT_EL3 = 0xc;
const EC_SMC = 0x17;
/** ESR_EL2 of `hvc #0`. */
const ESR_HVC = 0x5a00_0000;
const PMR = SYSREGS.ICC_PMR_EL1.encoding;
const IGRPEN0 = SYSREGS.ICC_IGRPEN0_EL1.encoding;
const IGRPEN1_EL3 = SYSREGS.ICC_IGRPEN1_EL3.encoding;
/** Bit 16 of a record's register: the virtual CPU interface. */
const ICV = 0x1_0000;

const SECURE = SECURITY_STATES.indexOf('Secure');
const EL3 = SECURITY_STATES.indexOf('EL3');
/** How a PE executes: index into SECURITY_STATES. */
export type PeState = number;

export class GuestStub {
  readonly base: number;
  readonly image: Uint32Array;
  readonly entry: number;
  private readonly routines = new Map<string, number>();

  /** `base` is the end of guest RAM for the trace; `gicd` is the address of the Distributor; with `twoStates` PEs begin at EL3. */
  constructor(base: number, gicd: number, twoStates = false) {
    this.base = base;
    const code = new Code(base);
    this.vectors(code);
    if (twoStates) this.vectorsOfTwoStates(code);
    code.at(STUB_ENTRY);
    if (twoStates) code.to('boot', b);
    this.loop(code, gicd, twoStates);
    this.routinesOf(code);
    if (twoStates) this.routinesOfTwoStates(code);
    this.image = code.words();
    this.entry = code.addressOf('entry');
  }

  get limitAddress(): number {
    return this.base + LIMIT;
  }
  get nextAddress(): number {
    return this.base + NEXT;
  }
  /** The address of operation `n` in the ring. */
  slotAddress(n: number): number {
    return this.base + RING + (n % RING_SLOTS) * SLOT_BYTES;
  }

  /** The routine of a system-register access. */
  sysreg(register: number, write: boolean): number {
    return this.routines.get(`${write ? 'w' : 'r'}${register}`) ?? 0;
  }
  /** The routine of a load or store. */
  memory(width: Width, write: boolean): number {
    return this.routines.get(`${write ? 'store' : 'load'}${width}`)!;
  }
  get cpuOn(): number {
    return this.routines.get('psci')!;
  }
  get cpuOff(): number {
    return this.routines.get('off')!;
  }
  /** With two Security states: an instruction that is UNDEFINED, in place of an access that no PE can make. */
  get undefined(): number {
    return this.routines.get('undefined')!;
  }
  get nothing(): number {
    return this.routines.get('nothing')!;
  }

  /** Has a PE execute in a Security state, and there from now on; at EL3 with SCR_EL3.NS as `ns` says. */
  switchTo(pe: number, state: PeState, ns: boolean): Operation {
    const isSecure = state === SECURE || (state === EL3 && !ns);
    const mode = state === EL3 ? EL3H_MASKED : state === SECURE ? EL1H_MASKED : EL2H_MASKED;
    const vectors = this.base + (state === SECURE ? VECTORS_SECURE : VECTORS_EL1);
    return {
      ...{ routine: this.routines.get('switch')!, pe },
      ...{ low: SCR_SECURE | (isSecure ? 0 : SCR_NS), high: 0, address: mode, third: vectors },
    };
  }

  /** From here on, or no longer, a PE has SCR_EL3.FIQ = 1, with the interrupts that would take it to EL3 kept back. */
  routeFiq(pe: number, on: boolean): Operation {
    return this.plain(on ? 'guard' : 'unguard', pe);
  }
  /** See `MARK.defer` and `MARK.loud`. */
  defer(pe: number): Operation {
    return this.plain('defer', pe);
  }
  loud(pe: number): Operation {
    return this.plain('loud', pe);
  }
  private plain(name: string, pe: number): Operation {
    return { routine: this.routines.get(name)!, pe, low: 0, high: 0, address: 0, third: 0 };
  }

  /** The operation that starts a PE. */
  start(by: number, affinity: number): Operation {
    const high = affinity >>> 24;
    return {
      routine: this.cpuOn,
      pe: by,
      low: PSCI_CPU_ON,
      high: 0,
      address: (affinity & 0xff_ffff) + high * 2 ** 32,
      third: this.entry,
    };
  }

  /** The operation that stops its own PE. */
  stop(pe: number): Operation {
    return { routine: this.cpuOff, pe, low: PSCI_CPU_OFF, high: 0, address: 0, third: 0 };
  }

  /** Exception vectors: from EL2 itself, from the EL1 routines, and at EL1. Interrupts are taken only from EL1. */
  private vectors(code: Code): void {
    for (let offset = VECTORS; offset < VECTORS + 0x800; offset += 0x80) {
      code.at(offset);
      // An interrupt that the routine at EL1 has itself made pending; the routine is done.
      if (offset === VECTORS + 0x480 || offset === VECTORS + 0x500) code.emit(br(25));
      else if (offset !== VECTORS + 0x400) code.to('fault', b);
      else
        code
          .emit(mrs(2, SYS.ESR_EL2), movz(3, ESR_HVC >>> 16, 16), cmp(2, 3))
          .to('fault', bne)
          .emit(br(25));
    }
    // At EL1, report to EL2 by another HVC than the one for a routine that is done.
    for (let offset = VECTORS_EL1; offset < VECTORS_EL1 + 0x800; offset += 0x80)
      code.at(offset).emit(HVC | (1 << 5));
  }

  /** Exceptions that are taken to EL3 (an SMC of the stub itself, or a fault), and those that are taken to Secure EL1. */
  private vectorsOfTwoStates(code: Code): void {
    for (let offset = 0; offset < 0x800; offset += 0x80) {
      code.at(VECTORS_EL3 + offset);
      if (offset !== 0x400) code.to('trapped', b);
      else
        code
          .emit(mrs(9, SYS.ESR_EL3), ubfx(9, 9, 26, 6), movz(11, EC_SMC), cmp(9, 11))
          .to('trapped', bne)
          .emit(br(10));
    }
    for (let offset = 0; offset < 0x800; offset += 0x80)
      code
        .at(VECTORS_SECURE + offset)
        .emit(mrs(28, SYS.ESR_EL1))
        .to('tell', b);
  }

  private loop(code: Code, gicd: number, twoStates: boolean): void {
    // X19 ring, X20 next, X21 this PE's index, X22 marks, X23 limit, X26 a saved priority mask, if X18 is not 0.
    // With two Security states X24 and X27 are SCR_EL3 and SPSR_EL3 of the state in which the PE executes.
    code.label('entry').emit(MASK_INTERRUPTS);
    code.emit(...movAddress(19, this.base + RING), ...movAddress(20, this.base + NEXT));
    code.emit(...movAddress(23, this.base + LIMIT), ...movAddress(22, gicd + MARK.done));
    if (!twoStates) this.setUpEl2(code);
    // Sixteen PEs share Aff1, as virt numbers them.
    code.emit(mrs(0, SYS.MPIDR_EL1), ubfx(1, 0, 8, 8), ubfx(2, 0, 0, 8), addShifted(21, 2, 1, 4));
    code.label('loop').emit(ldar(1, 20), ldar(2, 23), cmp(1, 2)).to('idle', beq);
    code
      .emit(andLowBits(3, 1, RING_BITS), addShifted(4, 19, 3, 5), load(4, 5, 4, 4), cmp(5, 21))
      .to('idle', bne);
    code.emit(load(4, 6, 4, 0), load(8, 0, 4, 8), load(8, 1, 4, 16), load(8, 2, 4, 24), movz(18, 0));
    code.emit(blr(6), store(8, 0, 22));
    code
      .label('advance')
      .emit(ldar(1, 20), addImmediate(1, 1, 1), stlr(1, 20))
      .to('loop', b);
    code.label('idle').emit(YIELD).to('loop', b);
    // An exception: report its syndrome instead of a value. A saved priority mask is restored first.
    code
      .label('fault')
      .emit(mrs(28, SYS.ESR_EL2))
      .to('tell', (words) => cbz(18, words));
    code.emit(msr(PMR, 26), store(8, 21, 22, MARK.loud - MARK.done));
    code
      .label('tell')
      .emit(store(8, 28, 22, MARK.fault - MARK.done))
      .to('advance', b);
  }

  private setUpEl2(code: Code): void {
    code.emit(...movAddress(0, this.base + VECTORS), msr(SYS.VBAR_EL2, 0));
    code.emit(...movAddress(0, this.base + VECTORS_EL1), msr(SYS.VBAR_EL1, 0));
    code.emit(movz(0, HCR_RW, 16), addImmediate(0, 0, HCR_IMO_FMO), msr(SYS.HCR_EL2, 0), ISB);
  }

  private routinesOfTwoStates(code: Code): void {
    // A PE begins at EL3, and goes to Non-secure EL2.
    code.label('boot').emit(MASK_INTERRUPTS, movz(24, SCR_SECURE | SCR_NS), movz(27, EL2H_MASKED));
    code.emit(msr(SYS.SCR_EL3, 24), ISB);
    code.emit(...movAddress(0, this.base + VECTORS_EL3), msr(SYS.VBAR_EL3, 0));
    this.setUpEl2(code);
    code.emit(...movAddress(30, code.addressOf('entry')));
    // From EL3 to where the PE executes, at X30.
    code.label('down').emit(msr(SYS.SCR_EL3, 24));
    code.label('leave').emit(msr(SYS.SPSR_EL3, 27), msr(SYS.ELR_EL3, 30), ISB, ERET);
    // To EL3, at X10: by an SMC unless the PE is there.
    code.label('up').emit(mrs(11, SYS.CurrentEL), movz(12, CURRENT_EL3), cmp(11, 12), bne(2), br(10), SMC);
    // An exception that was taken to EL3: its syndrome instead of a value, where the PE executes.
    code.label('trapped').emit(mrs(28, SYS.ESR_EL3), ...movAddress(30, code.addressOf('tell')));
    code.to('down', b);

    /** A routine whose rest is executed at EL3. */
    const atEl3 = (name: string, before: readonly number[], rest: readonly number[], then: string) => {
      this.routines.set(name, code.address);
      code.emit(...before);
      const inside = code.address + 4 * 4;
      code
        .emit(...movAddress(10, inside))
        .to('up', b)
        .emit(...rest)
        .to(then, b);
    };
    const hold = [addImmediate(8, 21, HOLD_VIRTUAL), store(8, 8, 22, MARK.quiet - MARK.done)];
    atEl3(
      'switch',
      [...hold, movRegister(24, 0), movRegister(27, 1)],
      [movRegister(11, 2), msr(SYS.VBAR_EL1, 11)],
      'down',
    );
    // X14, X15: what is enabled of Group 0 and Group 1. Group 0 and Secure Group 1 are kept back.
    atEl3(
      'guard',
      hold,
      [
        ...[mrs(14, IGRPEN0), mrs(15, IGRPEN1_EL3), movz(8, 0), msr(IGRPEN0, 8)],
        ...[andLowBits(8, 15, 1), msr(IGRPEN1_EL3, 8), addImmediate(8, 24, SCR_FIQ), msr(SYS.SCR_EL3, 8)],
      ],
      'leave',
    );
    atEl3('unguard', [], [msr(IGRPEN0, 14), msr(IGRPEN1_EL3, 15)], 'down');
    this.routines.set('undefined', code.address);
    code.emit(UDF);
    for (const mark of ['loud', 'defer'] as const) {
      this.routines.set(mark, code.address);
      code.emit(store(8, 21, 22, MARK[mark] - MARK.done), RET);
    }
  }

  private routinesOf(code: Code): void {
    const routine = (name: string) => this.routines.set(name, code.address);
    routine('nothing');
    code.emit(RET);
    routine('psci');
    // A PE that was told to stop may not have stopped yet; in that case, try again.
    code.emit(movRegister(9, 0), movRegister(0, 9), SMC, compareNegative(0, 4));
    code.emit(bne(3), YIELD, b(-5), RET);
    // Advance before stopping, because the call does not return.
    routine('off');
    code.emit(store(8, 0, 22), ldar(1, 20), addImmediate(1, 1, 1), stlr(1, 20), SMC);
    for (const width of [1, 2, 4, 8] as const) {
      routine(`load${width}`);
      code.emit(load(width, 0, 1), RET);
      routine(`store${width}`);
      code.emit(store(width, 0, 1), DSB_SY, RET);
    }
    for (const { encoding, access } of Object.values(SYSREGS)) {
      const virtual = encoding >= ICV;
      for (const write of [false, true]) {
        if (access === (write ? 'RO' : 'WO')) continue;
        const instruction = write ? msr(encoding, 0) : mrs(0, encoding);
        const name = `${write ? 'w' : 'r'}${encoding}`;
        if (!virtual) {
          routine(name);
          code.emit(instruction, ISB, RET);
          continue;
        }
        const inside = code.address;
        code.emit(instruction, HVC);
        routine(name);
        code.emit(movRegister(29, 30), ...movAddress(7, inside)).to('virtual', b);
      }
    }
    // Runs the routine at X7 at EL1, whose CPU interface is the virtual one. A physical interrupt would be taken there
    // whatever PSTATE says, so the priority mask blocks it meanwhile.
    code
      .label('virtual')
      .emit(mrs(8, SYS.ISR_EL1))
      .to('enter', (words) => cbz(8, words));
    code.emit(
      store(8, 21, 22, MARK.quiet - MARK.done),
      mrs(26, PMR),
      movz(18, 1),
      movz(8, 0),
      msr(PMR, 8),
      ISB,
    );
    code.label('enter').emit(msr(SYS.ELR_EL2, 7), movz(8, EL1H_MASKED), msr(SYS.SPSR_EL2, 8));
    // X25: where execution continues after the exception from EL1.
    const here = code.address;
    code.emit(...movAddress(25, here + 4 * 4), ERET);
    code.to('open', (words) => cbz(18, words));
    code.emit(msr(PMR, 26), ISB, store(8, 21, 22, MARK.loud - MARK.done));
    code.label('open').emit(br(29));
  }
}
