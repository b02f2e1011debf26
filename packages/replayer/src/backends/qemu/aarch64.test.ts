// Instruction words against those of an assembler (llvm-mc).
import { SYSREGS } from '@gictrace/core/spec';
import { describe, expect, it } from 'vitest';
import * as a from './aarch64.ts';
import { GuestStub, STUB_ENTRY } from './stub.ts';

const hex = (word: number) => word.toString(16).padStart(8, '0');

describe('A64 words', () => {
  const cases: [string, number, string][] = [
    ['msr ICC_EOIR1_EL1, x0', a.msr(SYSREGS.ICC_EOIR1_EL1.encoding, 0), 'd518cc20'],
    ['mrs x0, ICC_IAR1_EL1', a.mrs(0, SYSREGS.ICC_IAR1_EL1.encoding), 'd538cc00'],
    ['msr ICH_LR0_EL2, x3', a.msr(SYSREGS.ICH_LR0_EL2.encoding, 3), 'd51ccc03'],
    ['mrs x8, ISR_EL1', a.mrs(8, a.SYS.ISR_EL1), 'd538c108'],
    ['mrs x0, MPIDR_EL1', a.mrs(0, a.SYS.MPIDR_EL1), 'd53800a0'],
    ['msr VBAR_EL1, x0', a.msr(a.SYS.VBAR_EL1, 0), 'd518c000'],
    ['msr VBAR_EL2, x0', a.msr(a.SYS.VBAR_EL2, 0), 'd51cc000'],
    ['msr HCR_EL2, x0', a.msr(a.SYS.HCR_EL2, 0), 'd51c1100'],
    ['mrs x2, ESR_EL2', a.mrs(2, a.SYS.ESR_EL2), 'd53c5202'],
    ['msr ELR_EL2, x7', a.msr(a.SYS.ELR_EL2, 7), 'd51c4027'],
    ['msr SPSR_EL2, x8', a.msr(a.SYS.SPSR_EL2, 8), 'd51c4008'],
    ['movz x26, #0', a.movz(26, 0), 'd280001a'],
    ['movz x3, #0x5a00, lsl #16', a.movz(3, 0x5a00, 16), 'd2ab4003'],
    ['movk x19, #0xfff1, lsl #16', a.movk(19, 0xfff1, 16), 'f2bffe33'],
    ['mov x29, x30', a.movRegister(29, 30), 'aa1e03fd'],
    ['add x0, x0, #24', a.addImmediate(0, 0, 24), '91006000'],
    ['add x4, x19, x3, lsl #5', a.addShifted(4, 19, 3, 5), '8b031664'],
    ['and w3, w1, #0x1fff', a.andLowBits(3, 1, 13), '12003023'],
    ['ubfx x1, x0, #8, #8', a.ubfx(1, 0, 8, 8), 'd3483c01'],
    ['cmp w5, w21', a.cmp(5, 21), '6b1500bf'],
    ['cmn x0, #4', a.compareNegative(0, 4), 'b100101f'],
    ['ldrb w0, [x1]', a.load(1, 0, 1), '39400020'],
    ['ldrh w0, [x1]', a.load(2, 0, 1), '79400020'],
    ['ldr w5, [x4, #4]', a.load(4, 5, 4, 4), 'b9400485'],
    ['ldr x1, [x4, #16]', a.load(8, 1, 4, 16), 'f9400881'],
    ['strb w0, [x1]', a.store(1, 0, 1), '39000020'],
    ['strh w0, [x1]', a.store(2, 0, 1), '79000020'],
    ['str w0, [x1]', a.store(4, 0, 1), 'b9000020'],
    ['str x28, [x22, #24]', a.store(8, 28, 22, 24), 'f9000edc'],
    ['ldar w1, [x20]', a.ldar(1, 20), '88dffe81'],
    ['stlr w1, [x20]', a.stlr(1, 20), '889ffe81'],
    ['b #-84', a.b(-21), '17ffffeb'],
    ['b.eq #68', a.beq(17), '54000220'],
    ['b.ne #12', a.bne(3), '54000061'],
    ['cbz x18, #12', a.cbz(18, 3), 'b4000072'],
    ['blr x6', a.blr(6), 'd63f00c0'],
    ['br x25', a.br(25), 'd61f0320'],
    ['ret', a.RET, 'd65f03c0'],
    ['eret', a.ERET, 'd69f03e0'],
    ['isb', a.ISB, 'd5033fdf'],
    ['dsb sy', a.DSB_SY, 'd5033f9f'],
    ['yield', a.YIELD, 'd503203f'],
    ['smc #0', a.SMC, 'd4000003'],
    ['udf #0', a.UDF, '00000000'],
    ['msr SCR_EL3, x24', a.msr(a.SYS.SCR_EL3, 24), 'd51e1118'],
    ['msr VBAR_EL3, x0', a.msr(a.SYS.VBAR_EL3, 0), 'd51ec000'],
    ['mrs x9, ESR_EL3', a.mrs(9, a.SYS.ESR_EL3), 'd53e5209'],
    ['mrs x28, ESR_EL1', a.mrs(28, a.SYS.ESR_EL1), 'd538521c'],
    ['msr ELR_EL3, x30', a.msr(a.SYS.ELR_EL3, 30), 'd51e403e'],
    ['msr SPSR_EL3, x27', a.msr(a.SYS.SPSR_EL3, 27), 'd51e401b'],
    ['mrs x11, CurrentEL', a.mrs(11, a.SYS.CurrentEL), 'd538424b'],
    ['hvc #0', a.HVC, 'd4000002'],
    ['msr DAIFSet, #15', a.MASK_INTERRUPTS, 'd5034fdf'],
  ];
  it.each(cases)('%s', (_text, word, expected) => {
    expect(hex(word)).toBe(expected);
  });
});

describe('the stub', () => {
  const stub = new GuestStub(0xfff0_0000, 0x800_0000);

  it('begins where the machine is told to begin', () => {
    expect(stub.entry).toBe(0xfff0_0000 + STUB_ENTRY);
    expect(hex(stub.image[STUB_ENTRY / 4]!)).toBe(hex(a.MASK_INTERRUPTS));
  });

  it('has a routine for each access that a register admits, and none for others', () => {
    for (const [name, { encoding, access }] of Object.entries(SYSREGS)) {
      expect(stub.sysreg(encoding, false) > 0, `read ${name}`).toBe(access !== 'WO');
      expect(stub.sysreg(encoding, true) > 0, `write ${name}`).toBe(access !== 'RO');
    }
  });

  it('accesses the register that a routine is for', () => {
    const at = (address: number) => stub.image[(address - stub.base) / 4]!;
    const { encoding } = SYSREGS.ICC_IAR1_EL1;
    expect(hex(at(stub.sysreg(encoding, false)))).toBe(hex(a.mrs(0, encoding)));
    // The virtual twin has the same encoding, and is accessed at EL1: just before its routine.
    const icv = stub.sysreg(SYSREGS.ICV_IAR1_EL1.encoding, false);
    expect(hex(at(icv - 8))).toBe(hex(a.mrs(0, encoding)));
    expect(hex(at(icv - 4))).toBe(hex(a.HVC));
  });

  it('fits in front of its ring', () => {
    expect(stub.image.byteLength).toBeLessThan(stub.limitAddress - stub.base);
  });
});
