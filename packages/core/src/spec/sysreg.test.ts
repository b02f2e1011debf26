// System registers: properties of the table, and encodings from outside it (the S3_… forms of the Arm ARM).
import { expect, test } from 'vitest';
import { SYSREGS, type SysregName, type SysregSpec, sysregEncoding, sysregName } from './sysreg.ts';

const registers = Object.entries(SYSREGS) as [SysregName, SysregSpec][];

test('encodings are unique and lead back to the name', () => {
  for (const [name, spec] of registers) expect(sysregName(spec.encoding)).toBe(name);
  expect(sysregName(0)).toBeUndefined();
});

test('an ICV register is its ICC twin with bit 16 set, and has the same access', () => {
  const virtual = registers.filter(([name]) => name.startsWith('ICV_'));
  expect(virtual.length).toBe(23);
  for (const [name, spec] of virtual) {
    const twin: SysregSpec = SYSREGS[name.replace('ICV_', 'ICC_') as SysregName];
    expect(spec.encoding, name).toBe(0x1_0000 + twin.encoding);
    expect(spec.access, name).toBe(twin.access);
  }
  for (const [name, spec] of registers)
    if (!name.startsWith('ICV_')) expect(spec.encoding).toBeLessThan(0x1_0000);
});

test('fields share no bit', () => {
  for (const [name, spec] of registers) {
    expect(spec.fields.length, name).toBeGreaterThan(0);
    const owner = new Map<number, string>();
    for (const field of spec.fields)
      for (let bit = field.lsb; bit < field.lsb + field.width; bit++) {
        expect(bit, `${name}.${field.name}`).toBeLessThan(64);
        expect(owner.get(bit), `${name}.${field.name} bit ${bit}`).toBeUndefined();
        owner.set(bit, field.name);
      }
  }
});

test('registers are where the architecture has them', () => {
  const known: [SysregName, number, number, number, number, number][] = [
    ['ICC_PMR_EL1', 3, 0, 4, 6, 0],
    ['ICC_IAR0_EL1', 3, 0, 12, 8, 0],
    ['ICC_EOIR0_EL1', 3, 0, 12, 8, 1],
    ['ICC_HPPIR0_EL1', 3, 0, 12, 8, 2],
    ['ICC_BPR0_EL1', 3, 0, 12, 8, 3],
    ['ICC_AP0R0_EL1', 3, 0, 12, 8, 4],
    ['ICC_AP0R3_EL1', 3, 0, 12, 8, 7],
    ['ICC_AP1R0_EL1', 3, 0, 12, 9, 0],
    ['ICC_NMIAR1_EL1', 3, 0, 12, 9, 5],
    ['ICC_DIR_EL1', 3, 0, 12, 11, 1],
    ['ICC_RPR_EL1', 3, 0, 12, 11, 3],
    ['ICC_SGI1R_EL1', 3, 0, 12, 11, 5],
    ['ICC_ASGI1R_EL1', 3, 0, 12, 11, 6],
    ['ICC_SGI0R_EL1', 3, 0, 12, 11, 7],
    ['ICC_IAR1_EL1', 3, 0, 12, 12, 0],
    ['ICC_EOIR1_EL1', 3, 0, 12, 12, 1],
    ['ICC_HPPIR1_EL1', 3, 0, 12, 12, 2],
    ['ICC_BPR1_EL1', 3, 0, 12, 12, 3],
    ['ICC_CTLR_EL1', 3, 0, 12, 12, 4],
    ['ICC_SRE_EL1', 3, 0, 12, 12, 5],
    ['ICC_IGRPEN0_EL1', 3, 0, 12, 12, 6],
    ['ICC_IGRPEN1_EL1', 3, 0, 12, 12, 7],
    ['ICC_SRE_EL2', 3, 4, 12, 9, 5],
    ['ICC_CTLR_EL3', 3, 6, 12, 12, 4],
    ['ICC_SRE_EL3', 3, 6, 12, 12, 5],
    ['ICC_IGRPEN1_EL3', 3, 6, 12, 12, 7],
    ['ICH_AP0R0_EL2', 3, 4, 12, 8, 0],
    ['ICH_AP1R0_EL2', 3, 4, 12, 9, 0],
    ['ICH_HCR_EL2', 3, 4, 12, 11, 0],
    ['ICH_VTR_EL2', 3, 4, 12, 11, 1],
    ['ICH_MISR_EL2', 3, 4, 12, 11, 2],
    ['ICH_EISR_EL2', 3, 4, 12, 11, 3],
    ['ICH_ELRSR_EL2', 3, 4, 12, 11, 5],
    ['ICH_VMCR_EL2', 3, 4, 12, 11, 7],
    ['ICH_LR0_EL2', 3, 4, 12, 12, 0],
    ['ICH_LR7_EL2', 3, 4, 12, 12, 7],
    ['ICH_LR8_EL2', 3, 4, 12, 13, 0],
    ['ICH_LR15_EL2', 3, 4, 12, 13, 7],
  ];
  for (const [name, op0, op1, crn, crm, op2] of known)
    expect(sysregName(sysregEncoding(op0, op1, crn, crm, op2))).toBe(name);
  expect(SYSREGS.ICC_IAR1_EL1.encoding).toBe(0xc660);
});
