// The guest stub of a GICv5: the program that the guest's PEs run at EL1. As that of a GICv3 (backends/qemu/stub), each PE
// takes its operations from a common ring in guest RAM, so that the accesses of all PEs happen in order, and reports the result
// of each by a write to a reserved location, here of the IRS's config frame: QEMU's log has that write after the lines of the
// operation. This file only encodes; it does no I/O.
import { GICV5_SYSREGS, type Gicv5SysregSpec } from '@gictrace/core/spec';
import {
  addImmediate,
  addShifted,
  andLowBits,
  b,
  beq,
  blr,
  bne,
  Code,
  cmp,
  compareNegative,
  DSB_SY,
  HVC,
  ISB,
  ldar,
  load,
  MASK_INTERRUPTS,
  movAddress,
  movRegister,
  mrs,
  msr,
  RET,
  SYS,
  stlr,
  store,
  ubfx,
  YIELD,
} from '../qemu/aarch64.ts';
import { type Operation, RING_BITS, RING_SLOTS, SLOT_BYTES } from '../qemu/ring.ts';

/** Bytes at the end of guest RAM that belong to the stub. */
export const STUB_BYTES = 0x10_0000;
const VECTORS = 0x0;
/** The offset at which the program begins. */
export const STUB_ENTRY = 0x1000;
const LIMIT = 0x8000;
const NEXT = 0x8040;
const RING = 0x1_0000;

/** Reserved locations of the config frame, which mark in the log: an operation is done, with X0; it took an exception; qtest was here. */
export const MARK = { done: 0x8000, fault: 0x8008, fence: 0x8010 } as const;

/** PPIs whose input lines the stub drives, by the control registers of the timers that are connected to them. */
export const TIMER_PPIS: ReadonlyMap<number, number> = new Map([
  [27, SYS.CNTV_CTL_EL0],
  [30, SYS.CNTP_CTL_EL0],
]);

const PSCI_CPU_OFF = 0x8400_0002;
const PSCI_CPU_ON = 0xc400_0003;

export class Stub {
  readonly base: number;
  readonly image: Uint32Array;
  private readonly entry: number;
  private readonly routines = new Map<string, number>();

  /** `base` is where it is loaded; `frame` is the address of the config frame. */
  constructor(base: number, frame: number) {
    this.base = base;
    const code = new Code(base);
    for (let offset = VECTORS; offset < 0x800; offset += 0x80) code.at(offset).to('fault', b);
    code.at(STUB_ENTRY);
    this.loop(code, frame);
    this.routinesOf(code);
    this.image = code.words();
    this.entry = code.addressOf('entry');
  }

  get limitAddress(): number {
    return this.base + LIMIT;
  }
  get nextAddress(): number {
    return this.base + NEXT;
  }
  slotAddress(n: number): number {
    return this.base + RING + (n % RING_SLOTS) * SLOT_BYTES;
  }

  /** An access to a system register, or a GIC or GICR instruction; undefined if there is none. */
  sysreg(pe: number, register: number, write: boolean, low = 0, high = 0): Operation | undefined {
    const routine = this.routines.get(`${write ? 'w' : 'r'}${register}`);
    return routine === undefined ? undefined : { routine, pe, low, high, address: 0, third: 0 };
  }

  /** The input line of a PPI: its timer, whose time has always come, is on or off. Undefined if the PPI has no timer. */
  line(pe: number, ppi: number, level: number): Operation | undefined {
    const routine = this.routines.get(`t${ppi}`);
    return routine === undefined ? undefined : { routine, pe, low: level, high: 0, address: 0, third: 0 };
  }

  /** A load or store of 4 or 8 bytes. */
  memory(pe: number, width: 4 | 8, write: boolean, address: number, low = 0, high = 0): Operation {
    const routine = this.routines.get(`${write ? 'store' : 'load'}${width}`)!;
    return { routine, pe, low, high, address, third: 0 };
  }

  nothing(pe: number): Operation {
    return { routine: this.routines.get('nothing')!, pe, low: 0, high: 0, address: 0, third: 0 };
  }

  /** Starts a PE. */
  start(by: number, affinity: number): Operation {
    const routine = this.routines.get('on')!;
    return { routine, pe: by, low: PSCI_CPU_ON, high: 0, address: affinity, third: this.entry };
  }

  /** Stops its own PE. */
  stop(pe: number): Operation {
    return { routine: this.routines.get('off')!, pe, low: PSCI_CPU_OFF, high: 0, address: 0, third: 0 };
  }

  private loop(code: Code, frame: number): void {
    // X19 ring, X20 next, X21 this PE's index, X22 marks, X23 limit.
    code.label('entry').emit(MASK_INTERRUPTS);
    code.emit(...movAddress(0, this.base + VECTORS), msr(SYS.VBAR_EL1, 0), ISB);
    code.emit(...movAddress(19, this.base + RING), ...movAddress(20, this.base + NEXT));
    code.emit(...movAddress(23, this.base + LIMIT), ...movAddress(22, frame + MARK.done));
    // Sixteen PEs share Aff1, as virt numbers them.
    code.emit(mrs(0, SYS.MPIDR_EL1), ubfx(1, 0, 8, 8), ubfx(2, 0, 0, 8), addShifted(21, 2, 1, 4));
    code.label('loop').emit(ldar(1, 20), ldar(2, 23), cmp(1, 2)).to('idle', beq);
    code
      .emit(andLowBits(3, 1, RING_BITS), addShifted(4, 19, 3, 5), load(4, 5, 4, 4), cmp(5, 21))
      .to('idle', bne);
    code.emit(load(4, 6, 4, 0), load(8, 0, 4, 8), load(8, 1, 4, 16), load(8, 2, 4, 24));
    code.emit(blr(6), store(8, 0, 22));
    code
      .label('advance')
      .emit(ldar(1, 20), addImmediate(1, 1, 1), stlr(1, 20))
      .to('loop', b);
    code.label('idle').emit(YIELD).to('loop', b);
    // An exception: report its syndrome instead of a value.
    code
      .label('fault')
      .emit(mrs(28, SYS.ESR_EL1), store(8, 28, 22, MARK.fault - MARK.done))
      .to('advance', b);
  }

  private routinesOf(code: Code): void {
    const routine = (name: string) => this.routines.set(name, code.address);
    routine('nothing');
    code.emit(RET);
    routine('on');
    // A PE that was told to stop may not have stopped yet; in that case, try again.
    code.emit(movRegister(9, 0), movRegister(0, 9), HVC, compareNegative(0, 4));
    code.emit(bne(3), YIELD, b(-5), RET);
    // Advance before stopping, because the call does not return.
    routine('off');
    code.emit(store(8, 0, 22), ldar(1, 20), addImmediate(1, 1, 1), stlr(1, 20), HVC);
    for (const width of [4, 8] as const) {
      routine(`load${width}`);
      code.emit(load(width, 0, 1), RET);
      routine(`store${width}`);
      code.emit(store(width, 0, 1), DSB_SY, RET);
    }
    for (const [ppi, control] of TIMER_PPIS) {
      routine(`t${ppi}`);
      code.emit(msr(control, 0), ISB, RET);
    }
    for (const { encoding, access } of Object.values<Gicv5SysregSpec>(GICV5_SYSREGS))
      for (const write of [false, true]) {
        if (access === (write ? 'RO' : 'WO')) continue;
        routine(`${write ? 'w' : 'r'}${encoding}`);
        code.emit(write ? msr(encoding, 0) : mrs(0, encoding), ISB, RET);
      }
  }
}
