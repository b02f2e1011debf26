// The A64 instructions that the guest stub needs (Arm ARM, "A64 Base Instruction Descriptions"). Pure.

/** `msr SREG, Xt` for a system register in the packed encoding of `spec/sysreg` (op0:op1:CRn:CRm:op2). */
export const msr = (sysreg: number, rt: number): number =>
  (0xd500_0000 | ((sysreg & 0xffff) << 5) | rt) >>> 0;
/** `mrs Xt, SREG`. */
export const mrs = (rt: number, sysreg: number): number =>
  (0xd520_0000 | ((sysreg & 0xffff) << 5) | rt) >>> 0;

/** `movz Xd, #value, lsl #shift`. */
export const movz = (rd: number, value: number, shift = 0): number =>
  (0xd280_0000 | ((shift / 16) << 21) | (value << 5) | rd) >>> 0;
/** `movk Xd, #value, lsl #shift`. */
export const movk = (rd: number, value: number, shift: number): number =>
  (0xf280_0000 | ((shift / 16) << 21) | (value << 5) | rd) >>> 0;
/** Loads a 48-bit address into Xd: three words. */
export const movAddress = (rd: number, address: number): number[] => [
  movz(rd, address & 0xffff),
  movk(rd, (address >>> 16) & 0xffff, 16),
  movk(rd, Math.floor(address / 2 ** 32) & 0xffff, 32),
];

export const movRegister = (rd: number, rm: number): number => (0xaa00_03e0 | (rm << 16) | rd) >>> 0;
/** `add Xd, Xn, #imm` (0 to 4095). */
export const addImmediate = (rd: number, rn: number, imm: number): number =>
  (0x9100_0000 | (imm << 10) | (rn << 5) | rd) >>> 0;
/** `add Xd, Xn, Xm, lsl #shift`. */
export const addShifted = (rd: number, rn: number, rm: number, shift: number): number =>
  (0x8b00_0000 | (rm << 16) | (shift << 10) | (rn << 5) | rd) >>> 0;
/** `and Wd, Wn, #(2^bits - 1)`. */
export const andLowBits = (rd: number, rn: number, bits: number): number =>
  (0x1200_0000 | ((bits - 1) << 10) | (rn << 5) | rd) >>> 0;
/** `ubfx Xd, Xn, #lsb, #width`. */
export const ubfx = (rd: number, rn: number, lsb: number, width: number): number =>
  (0xd340_0000 | (lsb << 16) | ((lsb + width - 1) << 10) | (rn << 5) | rd) >>> 0;
/** `cmp Wn, Wm`. */
export const cmp = (rn: number, rm: number): number => (0x6b00_001f | (rm << 16) | (rn << 5)) >>> 0;
/** `cmn Xn, #imm`: equal if Xn is -imm. */
export const compareNegative = (rn: number, imm: number): number =>
  (0xb100_001f | (imm << 10) | (rn << 5)) >>> 0;

const SIZE = { 1: 0, 2: 1, 4: 2, 8: 3 } as const;
export type Width = keyof typeof SIZE;
/** `ldrb|ldrh|ldr Rt, [Xn, #offset]`; the offset is a multiple of the width. */
export const load = (width: Width, rt: number, rn: number, offset = 0): number =>
  (0x3940_0000 | (SIZE[width] << 30) | ((offset / width) << 10) | (rn << 5) | rt) >>> 0;
/** `strb|strh|str Rt, [Xn, #offset]`. */
export const store = (width: Width, rt: number, rn: number, offset = 0): number =>
  (0x3900_0000 | (SIZE[width] << 30) | ((offset / width) << 10) | (rn << 5) | rt) >>> 0;
/** `ldar Wt, [Xn]`. */
export const ldar = (rt: number, rn: number): number => (0x88df_fc00 | (rn << 5) | rt) >>> 0;
/** `stlr Wt, [Xn]`. */
export const stlr = (rt: number, rn: number): number => (0x889f_fc00 | (rn << 5) | rt) >>> 0;

/** `b`, by words. */
export const b = (words: number): number => (0x1400_0000 | (words & 0x3ff_ffff)) >>> 0;
/** `b.eq` and `b.ne`, by words. */
export const beq = (words: number): number => (0x5400_0000 | ((words & 0x7_ffff) << 5)) >>> 0;
export const bne = (words: number): number => (0x5400_0001 | ((words & 0x7_ffff) << 5)) >>> 0;
/** `cbz Xt`, by words. */
export const cbz = (rt: number, words: number): number =>
  (0xb400_0000 | ((words & 0x7_ffff) << 5) | rt) >>> 0;
export const blr = (rn: number): number => (0xd63f_0000 | (rn << 5)) >>> 0;
export const br = (rn: number): number => (0xd61f_0000 | (rn << 5)) >>> 0;
export const RET = 0xd65f_03c0;
export const ERET = 0xd69f_03e0;
export const ISB = 0xd503_3fdf;
export const DSB_SY = 0xd503_3f9f;
export const YIELD = 0xd503_203f;
export const SMC = 0xd400_0003;
export const UDF = 0x0000_0000;
export const HVC = 0xd400_0002;
/** `msr DAIFSet, #0xf`: masks all interrupts. */
export const MASK_INTERRUPTS = 0xd503_4fdf;

const sys = (op1: number, crn: number, crm: number, op2: number): number =>
  (3 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
/** System registers that do not belong to the GIC. */
export const SYS = {
  MPIDR_EL1: sys(0, 0, 0, 5),
  ISR_EL1: sys(0, 12, 1, 0),
  HCR_EL2: sys(4, 1, 1, 0),
  VBAR_EL1: sys(0, 12, 0, 0),
  VBAR_EL2: sys(4, 12, 0, 0),
  ESR_EL2: sys(4, 5, 2, 0),
  ELR_EL2: sys(4, 4, 0, 1),
  SPSR_EL2: sys(4, 4, 0, 0),
  CNTP_CTL_EL0: sys(3, 14, 2, 1),
  CNTV_CTL_EL0: sys(3, 14, 3, 1),
  CurrentEL: sys(0, 4, 2, 2),
  ESR_EL1: sys(0, 5, 2, 0),
  SCR_EL3: sys(6, 1, 1, 0),
  VBAR_EL3: sys(6, 12, 0, 0),
  ESR_EL3: sys(6, 5, 2, 0),
  ELR_EL3: sys(6, 4, 0, 1),
  SPSR_EL3: sys(6, 4, 0, 0),
} as const;

/** Code at an address, with labels. `words` fills in references to labels. */
export class Code {
  private readonly out: number[] = [];
  private readonly labels = new Map<string, number>();
  private readonly fixes: {
    readonly at: number;
    readonly label: string;
    readonly make: (words: number) => number;
  }[] = [];
  readonly base: number;

  constructor(base: number) {
    this.base = base;
  }

  /** The address of the next word. */
  get address(): number {
    return this.base + 4 * this.out.length;
  }

  emit(...words: number[]): this {
    this.out.push(...words);
    return this;
  }

  label(name: string): this {
    this.labels.set(name, this.out.length);
    return this;
  }

  /** A branch to a label. */
  to(label: string, make: (words: number) => number): this {
    this.fixes.push({ at: this.out.length, label, make });
    this.out.push(0);
    return this;
  }

  /** Continues at an offset from the base. */
  at(offset: number): this {
    while (4 * this.out.length < offset) this.out.push(0);
    return this;
  }

  addressOf(label: string): number {
    return this.base + 4 * this.place(label);
  }

  private place(label: string): number {
    const at = this.labels.get(label);
    if (at === undefined) throw new RangeError(`no label ${label}`);
    return at;
  }

  words(): Uint32Array {
    for (const { at, label, make } of this.fixes) this.out[at] = make(this.place(label) - at);
    return Uint32Array.from(this.out);
  }
}
