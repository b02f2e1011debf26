// Layouts transcribed from the public sources by hand, apart from the tables, because a table cannot check itself: offsets
// and masks as Linux's include/linux/irqchip/arm-gic-v5.h and arch/arm64/tools/sysreg have them, and for what Linux does
// not have as QEMU's arm_gicv5.c, FreeBSD's gicv5_its.c and gicv5_iwb.c, or Arm's list of registers do.
import { expect, test } from 'vitest';
import type { FieldSpec, RegisterSpec } from '../shape.ts';
import { SYSREGS } from '../sysreg.ts';
import {
  GICV5_ENTRIES,
  GICV5_SYSREGS,
  type Gicv5SysregSpec,
  gicv5Id,
  gicv5Intid,
  gicv5IntidText,
  gicv5SysregName,
  gicv5Type,
  IRS,
  ITS,
  ITS_TRANSLATE,
  IWB,
  isGicv5Intid,
  SETLPI,
} from './index.ts';

/** As register descriptions list them: from the highest bit down. */
function layoutText(fields: readonly FieldSpec[]): string {
  return [...fields]
    .sort((a, b) => b.lsb - a.lsb)
    .map(({ name, lsb, width }) => `${name} ${width === 1 ? lsb : `${lsb + width - 1}:${lsb}`}`)
    .join(', ');
}
const SIZES = 'ADDR_55_52 55:52';

/** Offset and fields of what Linux uses; an address of Linux is bits 55:n. */
const LINUX: Readonly<Record<string, readonly [number, string]>> = {
  IRS_IDR1: [0x4, 'PRI_BITS 22:20, IAFFID_BITS 19:16, PE_CNT 15:0'],
  IRS_IDR2: [
    0x8,
    'ISTMD_SZ 19:15, ISTMD 14, IST_L2SZ 13:11, IST_LEVELS 10, MIN_LPI_ID_BITS 9:6, LPI 5, ID_BITS 4:0',
  ],
  IRS_IDR5: [0x14, 'SPI_RANGE 24:0'],
  IRS_IDR6: [0x18, 'SPI_IRS_RANGE 24:0'],
  IRS_IDR7: [0x1c, 'SPI_BASE 23:0'],
  IRS_CR0: [0x80, 'IDLE 1, IRSEN 0'],
  IRS_CR1: [
    0x84,
    'VPED_WA 15, VPED_RA 14, VMD_WA 13, VMD_RA 12, VPET_WA 11, VPET_RA 10, VMT_WA 9, VMT_RA 8, IST_WA 7, IST_RA 6, IC 5:4, OC 3:2, SH 1:0',
  ],
  IRS_SYNCR: [0xc0, 'SYNC 31'],
  IRS_SYNC_STATUSR: [0xc4, 'IDLE 0'],
  IRS_SPI_SELR: [0x108, 'ID 23:0'],
  IRS_SPI_CFGR: [0x114, 'TM 0'],
  IRS_SPI_STATUSR: [0x118, 'V 1, IDLE 0'],
  IRS_PE_SELR: [0x140, 'IAFFID 15:0'],
  IRS_PE_STATUSR: [0x144, 'ONLINE 2, V 1, IDLE 0'],
  IRS_PE_CR0: [0x148, 'DPS 0'],
  IRS_IST_BASER: [0x180, `${SIZES}, ADDR 51:6, VALID 0`],
  IRS_IST_CFGR: [0x190, 'STRUCTURE 16, ISTSZ 8:7, L2SZ 6:5, LPI_ID_BITS 4:0'],
  IRS_IST_STATUSR: [0x194, 'IDLE 0'],
  IRS_MAP_L2_ISTR: [0x1c0, 'ID 23:0'],
  ITS_IDR1: [0x4, 'L2SZ 10:8, ITT_LEVELS 7, DT_LEVELS 6, DEVICEID_BITS 5:0'],
  ITS_IDR2: [0x8, 'XDMN_EVENTS 6:5, EVENTID_BITS 4:0'],
  ITS_CR0: [0x80, 'IDLE 1, ITSEN 0'],
  ITS_CR1: [0x84, 'ITT_RA 7, DT_RA 6, IC 5:4, OC 3:2, SH 1:0'],
  ITS_DT_BASER: [0xc0, `${SIZES}, ADDR 51:3`],
  ITS_DT_CFGR: [0xd0, 'STRUCTURE 16, L2SZ 7:6, DEVICEID_BITS 5:0'],
  ITS_DIDR: [0x100, 'DEVICE_ID 31:0'],
  // Linux uses bits 15:0; Arm's list has 31:0.
  ITS_EIDR: [0x108, 'EVENT_ID 31:0'],
  ITS_INV_EVENTR: [0x10c, 'I 31, ITT_L2SZ 2:1, L1 0'],
  ITS_INV_DEVICER: [0x110, 'I 31, EVENTID_BITS 5:1, L1 0'],
  ITS_STATUSR: [0x120, 'IDLE 0'],
  ITS_SYNCR: [0x140, 'SYNC 63, SYNCALL 32, DEVICE_ID 31:0'],
  ITS_SYNC_STATUSR: [0x148, 'IDLE 0'],
  IWB_IDR0: [0x0, 'INT_DOMS 14:11, IW_RANGE 10:0'],
  IWB_CR0: [0x80, 'IDLE 1, IWBEN 0'],
  IWB_WENABLE_STATUSR: [0xc0, 'IDLE 0'],
  IWB_WENABLER: [0x2000, ''],
  IWB_WTMR: [0x4000, ''],
  // Linux writes the address of the frame itself into the message.
  ITS_TRANSLATER: [0x0, 'EVENT_ID 31:0'],
};

/** Offset in FreeBSD's drivers, and fields in Arm's list of registers. */
const FREEBSD: Readonly<Record<string, readonly [number, string]>> = {
  ITS_IDR0: [0x0, 'PA_RANGE 5:2, INT_DOM 1:0'],
  ITS_IIDR: [0x40, 'PRODUCTID 31:20, VARIANT 19:16, REVISION 15:12, IMPLEMENTER 11:0'],
  ITS_AIDR: [0x44, 'COMPONENT 11:8, ARCHMAJORREV 7:4, ARCHMINORREV 3:0'],
  ITS_READ_EVENTR: [0x114, 'R 31'],
  ITS_READ_EVENT_DATAR: [0x118, 'VIRT 63, VM_ID 47:32, VALID 31, LPI_ID 23:0'],
  ITS_GEN_EVENT_DIDR: [0x180, 'DEVICE_ID 31:0'],
  ITS_GEN_EVENT_EIDR: [0x188, 'EVENT_ID 31:0'],
  ITS_GEN_EVENTR: [0x18c, 'R 31, TARGET_DOMAIN 1:0'],
  ITS_GEN_EVENT_STATUSR: [0x190, 'IDLE 0'],
  ITS_RL_TRANSLATER: [0x8, 'EVENT_ID 31:0'],
  IWB_IIDR: [0x40, 'PRODUCTID 31:20, VARIANT 19:16, REVISION 15:12, IMPLEMENTER 11:0'],
  IWB_AIDR: [0x44, 'COMPONENT 11:8, ARCHMAJORREV 7:4, ARCHMINORREV 3:0'],
  IWB_WRESAMPLER: [0xc8, 'IWI 15:0'],
};
const ARM: Readonly<Record<string, readonly [number, string]>> = { IRS_SETLPIR: [0x0, 'ID 23:0'] };

/** Offset and fields of what only QEMU has, and that a log can show. */
const QEMU: Readonly<Record<string, readonly [number, string]>> = {
  IRS_IDR0: [
    0x0,
    'IRSID 31:16, SWE 12, MPAM 11, MEC 10, SETLPI 9, VIRT_ONE_N 8, ONE_N 7, VIRT 6, PA_RANGE 5:2, INT_DOM 1:0',
  ],
  IRS_IIDR: [0x40, 'PRODUCTID 31:20, VARIANT 19:16, REVISION 15:12, IMPLEMENTER 11:0'],
  IRS_AIDR: [0x44, 'COMPONENT 11:8, ARCHMAJORREV 7:4, ARCHMINORREV 3:0'],
  IRS_SPI_DOMAINR: [0x10c, 'DOMAIN 1:0'],
  IRS_SPI_RESAMPLER: [0x110, 'SPI_ID 23:0'],
  IRS_VPE_DBR: [0x248, 'DBV 63, REQ_DB 62, DBPM 36:32, INTID 23:0'],
  IRS_SWERR_SYNDROMER0: [0x3c8, 'VIRTUAL 63, TYPE 62:60, ID 55:32, VM_ID 15:0'],
};

const frames: Readonly<Record<string, RegisterSpec>> = {
  ...{ ...IRS, ...ITS, ...IWB, ...ITS_TRANSLATE, ...SETLPI },
};

test('registers of the frames: offsets and fields, and the source of each', () => {
  for (const [source, expected] of [
    ['Linux', LINUX],
    ['QEMU', QEMU],
    ['FreeBSD', FREEBSD],
    ['offset assumed', ARM],
  ] as const)
    for (const [name, [offset, fields]] of Object.entries(expected)) {
      expect([frames[name]?.offset, layoutText(frames[name]!.fields)], name).toEqual([offset, fields]);
      expect(frames[name]!.source, name).toContain(source);
    }
  // What Linux does not have rests on QEMU alone, and says so.
  for (const [name, { source }] of Object.entries(frames))
    if (![LINUX, FREEBSD, ARM].some((of) => Object.hasOwn(of, name))) expect(source, name).toBe('QEMU');
});

const OPERAND = 'TYPE 31:29, ID 23:0';
/** op0, op1, CRn, CRm, op2 and the fields. */
const SYSTEM: Readonly<Record<string, readonly [string, string]>> = {
  GSB_SYS: ['1 0 12 0 0', ''],
  GSB_ACK: ['1 0 12 0 1', ''],
  GIC_CDDIS: ['1 0 12 1 0', OPERAND],
  GIC_CDEN: ['1 0 12 1 1', OPERAND],
  GIC_CDPRI: ['1 0 12 1 2', `PRIORITY 39:35, ${OPERAND}`],
  GIC_CDAFF: ['1 0 12 1 3', 'IAFFID 47:32, TYPE 31:29, IRM 28, ID 23:0'],
  GIC_CDPEND: ['1 0 12 1 4', `PENDING 32, ${OPERAND}`],
  GIC_CDRCFG: ['1 0 12 1 5', OPERAND],
  GIC_CDEOI: ['1 0 12 1 7', ''],
  GIC_CDDI: ['1 0 12 2 0', OPERAND],
  GIC_CDHM: ['1 0 12 2 1', `HM 32, ${OPERAND}`],
  GICR_CDIA: ['1 0 12 3 0', `VALID 32, ${OPERAND}`],
  GICR_CDNMIA: ['1 0 12 3 1', `VALID 32, ${OPERAND}`],
  ICC_PPI_HMR0_EL1: ['3 0 12 10 0', 'HM_63_32 63:32, HM_31_0 31:0'],
  ICC_IDR0_EL1: ['3 0 12 10 2', 'GCIE_LEGACY 8, PRI_BITS 7:4, ID_BITS 3:0'],
  ICC_HPPIR_EL1: ['3 0 12 10 3', `HPPIV 32, ${OPERAND}`],
  ICC_ICSR_EL1: [
    '3 0 12 10 4',
    'IAFFID 47:32, Priority 15:11, HM 5, Active 4, IRM 3, Pending 2, Enabled 1, F 0',
  ],
  ICC_IAFFIDR_EL1: ['3 0 12 10 5', 'IAFFID 15:0'],
  ICC_PPI_ENABLER0_EL1: ['3 0 12 10 6', 'EN_63_32 63:32, EN_31_0 31:0'],
  ICC_PPI_ENABLER1_EL1: ['3 0 12 10 7', 'EN_63_32 63:32, EN_31_0 31:0'],
  ICC_PPI_CACTIVER0_EL1: ['3 0 12 13 0', 'Active_63_32 63:32, Active_31_0 31:0'],
  ICC_PPI_SACTIVER0_EL1: ['3 0 12 13 2', 'Active_63_32 63:32, Active_31_0 31:0'],
  ICC_PPI_CPENDR0_EL1: ['3 0 12 13 4', 'Pend_63_32 63:32, Pend_31_0 31:0'],
  ICC_PPI_SPENDR1_EL1: ['3 0 12 13 7', 'Pend_63_32 63:32, Pend_31_0 31:0'],
  ICC_PPI_PRIORITYR0_EL1: [
    '3 0 12 14 0',
    'Priority7 60:56, Priority6 52:48, Priority5 44:40, Priority4 36:32, Priority3 28:24, Priority2 20:16, Priority1 12:8, Priority0 4:0',
  ],
  ICC_PPI_PRIORITYR15_EL1: [
    '3 0 12 15 7',
    'Priority7 60:56, Priority6 52:48, Priority5 44:40, Priority4 36:32, Priority3 28:24, Priority2 20:16, Priority1 12:8, Priority0 4:0',
  ],
  ICC_APR_EL1: ['3 1 12 0 0', 'P 31:0'],
  ICC_CR0_EL1: ['3 1 12 0 1', 'PID 38, IPPT 37:32, LINK_IDLE 2, LINK 1, EN 0'],
  ICC_PCR_EL1: ['3 1 12 0 2', 'PRIORITY 4:0'],
};

test('instructions and registers of the CPU interface', () => {
  const table: Readonly<Record<string, Gicv5SysregSpec>> = GICV5_SYSREGS;
  for (const [name, [encoding, fields]] of Object.entries(SYSTEM)) {
    const { encoding: packed, fields: declared } = table[name]!;
    const parts = [packed >> 14, (packed >> 11) & 7, (packed >> 7) & 15, (packed >> 3) & 15, packed & 7];
    expect([parts.join(' '), layoutText(declared)], name).toEqual([encoding, fields]);
    expect(gicv5SysregName(packed), name).toBe(name);
  }
  const encodings = [...Object.values(table), ...Object.values(SYSREGS)].map((spec) => spec.encoding);
  expect(new Set(encodings).size).toBe(encodings.length);
});

test('table entries', () => {
  const layouts = Object.fromEntries(
    Object.entries(GICV5_ENTRIES).map(([name, { bytes, fields }]) => [name, [bytes, layoutText(fields)]]),
  );
  expect(layouts).toEqual({
    L1_ISTE: [8, 'L2_ADDR 51:12, VALID 0'],
    L2_ISTE: [4, 'IAFFID 31:16, PRIORITY 15:11, HWU 10:9, IRM 4, ENABLE 3, HM 2, ACTIVE 1, PENDING 0'],
    L1_DTE: [8, 'SPAN 63:60, L2_ADDR 51:3, VALID 0'],
    L2_DTE: [8, 'EVENT_ID_BITS 63:59, ITT_STRUCTURE 58, ITT_DSWE 57, ITT_ADDR 51:3, ITT_L2SZ 2:1, VALID 0'],
    L1_ITTE: [8, 'SPAN 63:60, L2_ADDR 51:3, VALID 0'],
    L2_ITTE: [8, 'VM_ID 47:32, VALID 31, VIRTUAL 30, DAC 29:28, LPI_ID 23:0'],
  });
});

test('INTIDs have their type in bits 31:29', () => {
  expect(gicv5Intid(1, 27)).toBe(0x2000_001b);
  expect(gicv5Intid(3, 0xff_ffff)).toBe(0x60ff_ffff);
  expect([gicv5Type(0x4000_0008), gicv5Id(0x4000_0008)]).toEqual([2, 8]);
  expect([0x2000_001b, 0x4000_0008, 0x6000_0004, 0x8000_0001].map(gicv5IntidText)).toEqual([
    'PPI 27',
    'LPI 8',
    'SPI 4',
    '0x80000001',
  ]);
  expect([0xff_ffff, 0x2000_0000, 0x7fff_ffff, 0x8000_0000].map(isGicv5Intid)).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
