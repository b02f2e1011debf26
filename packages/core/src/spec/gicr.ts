// A Redistributor's register frames: RD_base, SGI_base at 0x10000, VLPI_base at 0x20000 (IHI 0069,
// "Redistributor register map"). Pure data.
import {
  flag,
  hex,
  IIDR_FIELDS,
  INNER_CACHE,
  MPAMIDR_FIELDS,
  minus1,
  naming,
  OUTER_CACHE,
  oneOf,
  PARTIDR_FIELDS,
  pa,
  register32,
  register64,
  registerBytes,
  SHAREABILITY,
  STATUS_FIELDS,
  uint,
} from './declare.ts';
import { EPPI_FIRST } from './intid.ts';
import type { RegisterTable } from './shape.ts';

const sgiBitmap = (offset: number, doc: string, source: string) =>
  register32(offset, 'RW', doc, source, {
    count: 3,
    reset: 0,
    bitsPerIntid: 1,
    firstIntid: 0,
    extended: { element: 1, firstIntid: EPPI_FIRST },
  });
/** A write acts on the interrupts whose bit is 1. */
const ones = <R extends object>(register: R) => ({ ...register, writesOnes: true }) as const;
const lpiMessage = [naming('INTID', uint('pINTID', 0, 32, 'the LPI'))];
const invalidateAll = [
  naming({ by: 'V', is: { 1: 'vPEID' } }, hex('vPEID', 32, 16, 'vPE, where V')),
  flag('V', 63, 'a virtual LPI'),
] as const;
const invalidate = [
  naming({ by: 'V', is: { 0: 'INTID', 1: 'vINTID' } }, uint('INTID', 0, 32, 'the LPI')),
  ...invalidateAll,
] as const;

export const GICR = {
  GICR_CTLR: register32(0x0, 'RW', 'Redistributor Control Register', 'GICR_CTLR', {
    reset: 0,
    fields: [
      flag('EnableLPIs', 0, 'LPIs are enabled'),
      flag('CES', 1, 'EnableLPIs can be cleared'),
      flag('IR', 2, 'INVLPIR and INVALLR are supported'),
      flag('RWP', 3, 'a register write is in progress'),
      flag('DPG0', 24, 'not selected for 1 of N Group 0'),
      flag('DPG1NS', 25, 'not selected for 1 of N Non-secure Group 1'),
      flag('DPG1S', 26, 'not selected for 1 of N Secure Group 1'),
      flag('UWP', 31, 'writes upstream in progress'),
    ],
  }),
  GICR_IIDR: register32(0x4, 'RO', 'Redistributor Implementer Identification Register', 'GICR_IIDR', {
    reset: 'impdef',
    fields: IIDR_FIELDS,
  }),
  GICR_TYPER: register64(0x8, 'RO', 'Redistributor Type Register', 'GICR_TYPER', [
    flag('PLPIS', 0, 'physical LPIs'),
    flag('VLPIS', 1, 'virtual LPIs'),
    flag('Dirty', 2, 'GICR_VPENDBASER.Dirty when not valid'),
    flag('DirectLPI', 3, 'direct injection of LPIs'),
    flag('Last', 4, 'last of a contiguous series'),
    flag('DPGS', 5, 'GICR_CTLR.DPG bits'),
    flag('MPAM', 6, 'MPAM'),
    flag('RVPEID', 7, 'resident vPE by vPEID'),
    uint('Processor_Number', 8, 16, 'number of the PE'),
    uint('CommonLPIAff', 24, 2, 'Redistributors that share an LPI configuration table'),
    flag('VSGI', 26, 'virtual SGIs'),
    uint('PPInum', 27, 5, 'extended PPIs'),
    uint('Aff0', 32, 8, 'affinity level 0'),
    uint('Aff1', 40, 8, 'affinity level 1'),
    uint('Aff2', 48, 8, 'affinity level 2'),
    uint('Aff3', 56, 8, 'affinity level 3'),
  ]),
  GICR_STATUSR: register32(0x10, 'RW', 'Error Reporting Status Register', 'GICR_STATUSR', {
    reset: 0,
    fields: STATUS_FIELDS,
  }),
  GICR_WAKER: register32(0x14, 'RW', 'Redistributor Wake Register', 'GICR_WAKER', {
    reset: 6,
    fields: [
      flag('ProcessorSleep', 1, 'the PE sleeps'),
      flag('ChildrenAsleep', 2, 'the interface to the PE is quiescent'),
    ],
  }),
  GICR_MPAMIDR: register32(0x18, 'RO', 'Report maximum PARTID and PMG Register', 'GICR_MPAMIDR', {
    reset: 'impdef',
    fields: MPAMIDR_FIELDS,
  }),
  GICR_PARTIDR: register32(0x1c, 'RW', 'Set PARTID and PMG Register', 'GICR_PARTIDR', {
    reset: 0,
    fields: PARTIDR_FIELDS,
  }),
  GICR_SETLPIR: register64(0x40, 'WO', 'Set LPI Pending Register', 'GICR_SETLPIR', lpiMessage),
  GICR_CLRLPIR: register64(0x48, 'WO', 'Clear LPI Pending Register', 'GICR_CLRLPIR', lpiMessage),
  GICR_PROPBASER: register64(0x70, 'RW', 'Redistributor Properties Base Address Register', 'GICR_PROPBASER', [
    minus1('IDbits', 0, 5, 'INTID bits of the table'),
    oneOf('InnerCache', 7, 3, INNER_CACHE, 'inner cacheability'),
    oneOf('Shareability', 10, 2, SHAREABILITY, 'shareability'),
    pa('Physical_Address', 12, 40, 12, 'LPI configuration table'),
    oneOf('OuterCache', 56, 3, OUTER_CACHE, 'outer cacheability'),
  ]),
  GICR_PENDBASER: register64(
    0x78,
    'RW',
    'Redistributor LPI Pending Table Base Address Register',
    'GICR_PENDBASER',
    [
      oneOf('InnerCache', 7, 3, INNER_CACHE, 'inner cacheability'),
      oneOf('Shareability', 10, 2, SHAREABILITY, 'shareability'),
      pa('Physical_Address', 16, 36, 16, 'LPI pending table'),
      oneOf('OuterCache', 56, 3, OUTER_CACHE, 'outer cacheability'),
      flag('PTZ', 62, 'the pending table is zero'),
    ],
  ),
  GICR_INVLPIR: register64(0xa0, 'WO', 'Redistributor Invalidate LPI Register', 'GICR_INVLPIR', invalidate),
  GICR_INVALLR: register64(
    0xb0,
    'WO',
    'Redistributor Invalidate All Register',
    'GICR_INVALLR',
    invalidateAll,
  ),
  GICR_SYNCR: register32(0xc0, 'RO', 'Redistributor Synchronize Register', 'GICR_SYNCR', {
    reset: 0,
    fields: [flag('Busy', 0, 'an operation is in progress')],
  }),
  GICR_PIDR: register32(
    0xffd0,
    'RO',
    'Identification registers: PIDR4–7, PIDR0–3, CIDR0–3; PIDR2 at 0xffe8',
    'Identification registers',
    {
      count: 12,
      reset: 'impdef',
    },
  ),
  GICR_IGROUPR: sgiBitmap(0x10080, 'Interrupt Group Registers', 'GICR_IGROUPR0'),
  GICR_ISENABLER: ones(sgiBitmap(0x10100, 'Interrupt Set-Enable Registers', 'GICR_ISENABLER0')),
  GICR_ICENABLER: ones(sgiBitmap(0x10180, 'Interrupt Clear-Enable Registers', 'GICR_ICENABLER0')),
  GICR_ISPENDR: ones(sgiBitmap(0x10200, 'Interrupt Set-Pending Registers', 'GICR_ISPENDR0')),
  GICR_ICPENDR: ones(sgiBitmap(0x10280, 'Interrupt Clear-Pending Registers', 'GICR_ICPENDR0')),
  GICR_ISACTIVER: ones(sgiBitmap(0x10300, 'Interrupt Set-Active Registers', 'GICR_ISACTIVER0')),
  GICR_ICACTIVER: ones(sgiBitmap(0x10380, 'Interrupt Clear-Active Registers', 'GICR_ICACTIVER0')),
  GICR_IPRIORITYR: registerBytes(
    0x10400,
    'RW',
    'Interrupt Priority Registers, a byte an INTID',
    'GICR_IPRIORITYR<n>',
    {
      count: 96,
      reset: 0,
      bitsPerIntid: 8,
      firstIntid: 0,
      extended: { element: 32, firstIntid: EPPI_FIRST },
    },
  ),
  GICR_ICFGR: register32(0x10c00, 'RW', 'Interrupt Configuration Registers', 'GICR_ICFGR0, GICR_ICFGR1', {
    count: 6,
    reset: 'unknown',
    bitsPerIntid: 2,
    firstIntid: 0,
    extended: { element: 2, firstIntid: EPPI_FIRST },
  }),
  GICR_IGRPMODR: sgiBitmap(0x10d00, 'Interrupt Group Modifier Registers', 'GICR_IGRPMODR0'),
  GICR_NSACR: register32(0x10e00, 'RW', 'Non-secure Access Control Register', 'GICR_NSACR', {
    reset: 0,
    bitsPerIntid: 2,
    firstIntid: 0,
  }),
  GICR_INMIR: sgiBitmap(0x10f80, 'Non-maskable Interrupt Registers', 'GICR_INMIR0'),
  GICR_VPROPBASER: register64(
    0x20070,
    'RW',
    'Virtual Redistributor Properties Base Address Register',
    'GICR_VPROPBASER',
    [
      minus1('IDbits', 0, 5, 'vINTID bits of the table'),
      oneOf('InnerCache', 7, 3, INNER_CACHE, 'inner cacheability'),
      oneOf('Shareability', 10, 2, SHAREABILITY, 'shareability'),
      pa('Physical_Address', 12, 40, 12, 'virtual LPI configuration table'),
      oneOf('OuterCache', 56, 3, OUTER_CACHE, 'outer cacheability'),
    ],
    {
      views: {
        'GICv4.1': [
          minus1('Size', 0, 7, 'pages of the vPE configuration table'),
          oneOf('InnerCache', 7, 3, INNER_CACHE, 'inner cacheability'),
          oneOf('Shareability', 10, 2, SHAREABILITY, 'shareability'),
          pa('Physical_Address', 12, 40, 12, 'vPE configuration table'),
          flag('Z', 52, 'the table is zero'),
          oneOf('Page_Size', 53, 2, { 0: '4KB', 1: '16KB', 2: '64KB' }, 'page size'),
          flag('Indirect', 55, 'two levels'),
          oneOf('OuterCache', 56, 3, OUTER_CACHE, 'outer cacheability'),
          minus1('Entry_Size', 59, 3, 'doublewords of an entry'),
          flag('Valid', 63, 'the table exists'),
        ],
      },
    },
  ),
  GICR_VPENDBASER: register64(
    0x20078,
    'RW',
    'Virtual Redistributor LPI Pending Table Base Address Register',
    'GICR_VPENDBASER',
    [
      oneOf('InnerCache', 7, 3, INNER_CACHE, 'inner cacheability'),
      oneOf('Shareability', 10, 2, SHAREABILITY, 'shareability'),
      pa('Physical_Address', 16, 36, 16, 'virtual LPI pending table'),
      oneOf('OuterCache', 56, 3, OUTER_CACHE, 'outer cacheability'),
      flag('Dirty', 60, 'the pending table is being read or written'),
      flag('PendingLast', 61, 'the vPE had pending interrupts when it was descheduled'),
      flag('IDAI', 62, 'IMPLEMENTATION DEFINED area invalid'),
      flag('Valid', 63, 'a vPE is resident'),
    ],
    {
      views: {
        'GICv4.1': [
          naming('vPEID', hex('vPEID', 0, 16, 'the vPE')),
          flag('VGrp1En', 58, 'virtual Group 1 is enabled'),
          flag('VGrp0En', 59, 'virtual Group 0 is enabled'),
          flag('Dirty', 60, 'the pending table is being read or written'),
          flag('PendingLast', 61, 'the vPE had pending interrupts when it was descheduled'),
          flag('Doorbell', 62, 'ask for the default doorbell while not resident'),
          flag('Valid', 63, 'a vPE is resident'),
        ],
      },
    },
  ),
  GICR_VSGIR: register32(
    0x20080,
    'WO',
    'Redistributor virtual SGI pending state request register',
    'GICR_VSGIR',
    {
      fields: [naming('vPEID', hex('vPEID', 0, 16, 'vPE'))],
    },
  ),
  GICR_VSGIPENDR: register32(
    0x20088,
    'RO',
    'Redistributor virtual SGI pending state register',
    'GICR_VSGIPENDR',
    {
      fields: [hex('Pending', 0, 16, 'a bit a vSGI'), flag('Busy', 31, 'the answer is not there yet')],
    },
  ),
} as const satisfies RegisterTable;
