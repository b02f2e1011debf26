// What a record of a GICv5 is about: INTIDs with their type, wherever they are in an instruction or a register.
import { expect, test } from 'vitest';
import { recordText } from '../disasm/index.ts';
import { FRAMES, GICV5_SYSREGS, IRS, packFields } from '../spec/index.ts';
import {
  actOf,
  intidOf,
  mentions,
  NO_PE,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  takenOrEnded,
} from './index.ts';

const batch = new RecordBatch(1);

function access(kind: 'sysreg.read' | 'sysreg.write', register: keyof typeof GICV5_SYSREGS, value: bigint) {
  batch.clear();
  batch.push(RECORDS[kind].id, 0, 0);
  batch.words[0] = GICV5_SYSREGS[register].encoding;
  batch.words[1] = Number(value & 0xffff_ffffn);
  batch.words[2] = Number(value >> 32n);
}

function mmio(kind: 'mmio.read' | 'mmio.write', offset: number, value: number) {
  batch.clear();
  batch.push(RECORDS[kind].id, NO_PE, 0);
  batch.words.fill(0, 0, RECORD_WORDS);
  batch.words.set([FRAMES.indexOf('IRS'), 1, offset, 4, value], 0);
}

test('an instruction names an interrupt by type and ID, whatever else is in its operand', () => {
  access(
    'sysreg.write',
    'GIC_CDAFF',
    packFields(GICV5_SYSREGS.GIC_CDAFF, { ID: 8, TYPE: 2, IRM: 1, IAFFID: 1 }),
  );
  expect(mentions(batch, 0)).toEqual([
    { identifier: 'INTID', first: 0x4000_0008, last: 0x4000_0008, field: 'ID' },
  ]);
  access('sysreg.write', 'GIC_CDPRI', packFields(GICV5_SYSREGS.GIC_CDPRI, { ID: 4, TYPE: 3, PRIORITY: 31 }));
  expect(intidOf(batch, 0)).toBe(0x6000_0004);
  expect(recordText(batch, 0)).toContain('GIC_CDPRI <- 0xf860000004 {ID=4 TYPE=SPI PRIORITY=31}');
});

test('an acknowledge, an end and a deactivation', () => {
  access('sysreg.read', 'GICR_CDIA', 0x1_2000_001bn);
  expect([actOf(batch, 0)?.does, intidOf(batch, 0), takenOrEnded(batch, 0)]).toEqual([
    'acknowledge',
    0x2000_001b,
    0x2000_001b,
  ]);
  // Nothing was acknowledged: no interrupt is named, and PPI 0 of type 0 is none.
  access('sysreg.read', 'GICR_CDIA', 0n);
  expect([intidOf(batch, 0), takenOrEnded(batch, 0)]).toEqual([-1, -1]);
  access('sysreg.write', 'GIC_CDEOI', 0n);
  expect([actOf(batch, 0)?.does, intidOf(batch, 0), takenOrEnded(batch, 0)]).toEqual(['end', -1, -1]);
  access('sysreg.write', 'GIC_CDDI', 0x2000_001bn);
  expect([actOf(batch, 0)?.does, intidOf(batch, 0)]).toEqual(['deactivate', 0x2000_001b]);
});

test('a register of an IRS names an interrupt by its ID alone, of the type that the register is for', () => {
  mmio('mmio.write', IRS.IRS_SPI_SELR.offset, 4);
  expect(intidOf(batch, 0)).toBe(0x6000_0004);
  mmio('mmio.write', IRS.IRS_MAP_L2_ISTR.offset, 0);
  expect(intidOf(batch, 0)).toBe(0x4000_0000);
  expect(recordText(batch, 0)).toContain('IRS[1] IRS_MAP_L2_ISTR <- 0x0');
  mmio('mmio.write', IRS.IRS_PE_SELR.offset, 1);
  expect(intidOf(batch, 0)).toBe(-1);
});
