// The Distributor's register frame (IHI 0069, "Distributor register map"). Pure data.
import {
  flag,
  hex,
  IIDR_FIELDS,
  minus1,
  naming,
  register32,
  register64,
  registerBytes,
  STATUS_FIELDS,
  uint,
} from './declare.ts';
import { ESPI_FIRST } from './intid.ts';
import type { FieldSpec, RegisterTable } from './shape.ts';

/** An array over the INTIDs below 1024, with one or two bits for each. */
const bitmap = (offset: number, doc: string, heading: string) =>
  register32(offset, 'RW', doc, heading, { count: 32, reset: 0, bitsPerIntid: 1, firstIntid: 0 });
const bitPairs = <const Reset extends 0 | 'unknown'>(
  offset: number,
  doc: string,
  heading: string,
  reset: Reset,
  firstIntid = 0,
) => register32(offset, 'RW', doc, heading, { count: 64, reset, bitsPerIntid: 2, firstIntid });
/** The same over extended SPIs. */
const extended = (offset: number, doc: string, heading: string) => ({
  ...bitmap(offset, doc, heading),
  firstIntid: ESPI_FIRST,
});
/** A write acts on the interrupts whose bit is 1. */
const ones = <R extends object>(register: R) => ({ ...register, writesOnes: true }) as const;
const bytes = (offset: number, doc: string, heading: string, firstIntid = 0) =>
  registerBytes(offset, 'RW', doc, heading, { count: 1024, reset: 0, bitsPerIntid: 8, firstIntid });
const message = (offset: number, doc: string, heading: string) =>
  register32(offset, 'WO', doc, heading, {
    accessBytes: [2, 4],
    fields: [naming('INTID', uint('INTID', 0, 13, 'the SPI'))],
  });
const constant = <const F extends readonly FieldSpec[] = readonly []>(
  offset: number,
  doc: string,
  heading: string,
  fields?: F,
) => register32(offset, 'RO', doc, heading, { reset: 'impdef', fields: (fields ?? []) as unknown as F });
const route = [
  uint('Aff0', 0, 8, 'affinity level 0'),
  uint('Aff1', 8, 8, 'affinity level 1'),
  uint('Aff2', 16, 8, 'affinity level 2'),
  flag('Interrupt_Routing_Mode', 31, '0 to the PE that the affinity names, 1 to any participating PE'),
  uint('Aff3', 32, 8, 'affinity level 3'),
];
const routes = (offset: number, doc: string, heading: string, count: number, firstIntid: number) => ({
  ...register64(offset, 'RW', doc, heading, route, { count, bitsPerIntid: 64, firstIntid }),
});

export const GICD = {
  GICD_CTLR: {
    offset: 0x0,
    bytes: 4,
    access: 'RW',
    accessBytes: [4],
    reset: 'impdef',
    // This is the Secure view with two Security states. It contains the layout with one Security state (DS = 1) too.
    fields: [
      flag('EnableGrp0', 0, 'forward Group 0 interrupts'),
      flag('EnableGrp1NS', 1, 'forward (Non-secure) Group 1 interrupts'),
      flag('EnableGrp1S', 2, 'forward Secure Group 1 interrupts'),
      flag('ARE', 4, 'affinity routing (of the Secure state)'),
      flag('ARE_NS', 5, 'affinity routing of the Non-secure state'),
      flag('DS', 6, 'one Security state only'),
      flag('E1NWF', 7, 'consider sleeping PEs for 1 of N interrupts'),
      flag('nASSGIreq', 8, 'SGIs have no active state'),
      flag('RWP', 31, 'a register write is in progress'),
    ],
    views: {
      'Non-secure access, two Security states': [
        flag('EnableGrp1', 0, 'forward Non-secure Group 1 interrupts, without affinity routing'),
        flag('EnableGrp1A', 1, 'forward Non-secure Group 1 interrupts, with affinity routing'),
        flag('ARE_NS', 4, 'affinity routing of the Non-secure state'),
        flag('RWP', 31, 'a register write is in progress'),
      ],
    },
    doc: 'Distributor Control Register',
    source: 'GICD_CTLR',
  },
  GICD_TYPER: constant(0x4, 'Interrupt Controller Type Register', 'GICD_TYPER', [
    uint('ITLinesNumber', 0, 5, 'SPIs up to INTID 32 × (N + 1) − 1'),
    uint('CPUNumber', 5, 3, 'PEs without affinity routing, less one'),
    flag('ESPI', 8, 'extended SPI range'),
    flag('NMI', 9, 'non-maskable property'),
    flag('SecurityExtn', 10, 'two Security states'),
    uint('num_LPIs', 11, 5, 'log2 of the number of LPIs less one; 0: by IDbits'),
    flag('MBIS', 16, 'message-based interrupts by Distributor registers'),
    flag('LPIS', 17, 'LPIs'),
    flag('DVIS', 18, 'direct injection of virtual LPIs'),
    minus1('IDbits', 19, 5, 'INTID bits'),
    flag('A3V', 24, 'non-zero affinity level 3'),
    flag('No1N', 25, 'no 1 of N SPIs'),
    flag('RSS', 26, 'SGI range selector: Aff0 up to 255'),
    uint('ESPI_range', 27, 5, 'size of the extended SPI range'),
  ]),
  GICD_IIDR: constant(0x8, 'Distributor Implementer Identification Register', 'GICD_IIDR', IIDR_FIELDS),
  GICD_TYPER2: constant(0xc, 'Interrupt Controller Type Register 2', 'GICD_TYPER2', [
    minus1('VID', 0, 5, 'vPEID bits, where VIL; else 16'),
    flag('VIL', 7, 'VID is in force'),
    flag('nASSGIcap', 8, 'SGIs can have no active state'),
  ]),
  GICD_STATUSR: register32(0x10, 'RW', 'Error Reporting Status Register', 'GICD_STATUSR', {
    reset: 0,
    fields: STATUS_FIELDS,
  }),
  GICD_SETSPI_NSR: message(0x40, 'Set Non-secure SPI Pending Register', 'GICD_SETSPI_NSR'),
  GICD_CLRSPI_NSR: message(0x48, 'Clear Non-secure SPI Pending Register', 'GICD_CLRSPI_NSR'),
  GICD_SETSPI_SR: message(0x50, 'Set Secure SPI Pending Register', 'GICD_SETSPI_SR'),
  GICD_CLRSPI_SR: message(0x58, 'Clear Secure SPI Pending Register', 'GICD_CLRSPI_SR'),
  GICD_IGROUPR: bitmap(0x80, 'Interrupt Group Registers', 'GICD_IGROUPR<n>'),
  GICD_ISENABLER: ones(bitmap(0x100, 'Interrupt Set-Enable Registers', 'GICD_ISENABLER<n>')),
  GICD_ICENABLER: ones(bitmap(0x180, 'Interrupt Clear-Enable Registers', 'GICD_ICENABLER<n>')),
  GICD_ISPENDR: ones(bitmap(0x200, 'Interrupt Set-Pending Registers', 'GICD_ISPENDR<n>')),
  GICD_ICPENDR: ones(bitmap(0x280, 'Interrupt Clear-Pending Registers', 'GICD_ICPENDR<n>')),
  GICD_ISACTIVER: ones(bitmap(0x300, 'Interrupt Set-Active Registers', 'GICD_ISACTIVER<n>')),
  GICD_ICACTIVER: ones(bitmap(0x380, 'Interrupt Clear-Active Registers', 'GICD_ICACTIVER<n>')),
  GICD_IPRIORITYR: bytes(0x400, 'Interrupt Priority Registers, a byte an INTID', 'GICD_IPRIORITYR<n>'),
  GICD_ITARGETSR: registerBytes(
    0x800,
    'RW',
    'Interrupt Processor Targets Registers; RES0 with affinity routing',
    'GICD_ITARGETSR<n>',
    { count: 1024, bitsPerIntid: 8, firstIntid: 0 },
  ),
  GICD_ICFGR: bitPairs(0xc00, 'Interrupt Configuration Registers', 'GICD_ICFGR<n>', 'unknown'),
  GICD_IGRPMODR: bitmap(0xd00, 'Interrupt Group Modifier Registers', 'GICD_IGRPMODR<n>'),
  GICD_NSACR: bitPairs(0xe00, 'Non-secure Access Control Registers', 'GICD_NSACR<n>', 0),
  GICD_SGIR: register32(
    0xf00,
    'WO',
    'Software Generated Interrupt Register; RES0 with affinity routing',
    'GICD_SGIR',
    {
      fields: [
        naming('INTID', uint('INTID', 0, 4, 'the SGI')),
        flag('NSATT', 15, 'only where the SGI is in Non-secure Group 1'),
        hex('CPUTargetList', 16, 8, 'a bit a PE interface'),
        uint('TargetListFilter', 24, 2, '0 the list, 1 all but the own, 2 the own only'),
      ],
    },
  ),
  GICD_CPENDSGIR: registerBytes(
    0xf10,
    'RW',
    'SGI Clear-Pending Registers; RES0 with affinity routing',
    'GICD_CPENDSGIR<n>',
    { count: 16, bitsPerIntid: 8, firstIntid: 0 },
  ),
  GICD_SPENDSGIR: registerBytes(
    0xf20,
    'RW',
    'SGI Set-Pending Registers; RES0 with affinity routing',
    'GICD_SPENDSGIR<n>',
    { count: 16, bitsPerIntid: 8, firstIntid: 0 },
  ),
  GICD_INMIR: bitmap(0xf80, 'Non-maskable Interrupt Registers', 'GICD_INMIR<n>'),
  GICD_IGROUPRE: extended(0x1000, 'Interrupt Group Registers, extended SPIs', 'GICD_IGROUPR<n>E'),
  GICD_ISENABLERE: ones(
    extended(0x1200, 'Interrupt Set-Enable Registers, extended SPIs', 'GICD_ISENABLER<n>E'),
  ),
  GICD_ICENABLERE: ones(
    extended(0x1400, 'Interrupt Clear-Enable Registers, extended SPIs', 'GICD_ICENABLER<n>E'),
  ),
  GICD_ISPENDRE: ones(extended(0x1600, 'Interrupt Set-Pending Registers, extended SPIs', 'GICD_ISPENDR<n>E')),
  GICD_ICPENDRE: ones(
    extended(0x1800, 'Interrupt Clear-Pending Registers, extended SPIs', 'GICD_ICPENDR<n>E'),
  ),
  GICD_ISACTIVERE: ones(
    extended(0x1a00, 'Interrupt Set-Active Registers, extended SPIs', 'GICD_ISACTIVER<n>E'),
  ),
  GICD_ICACTIVERE: ones(
    extended(0x1c00, 'Interrupt Clear-Active Registers, extended SPIs', 'GICD_ICACTIVER<n>E'),
  ),
  GICD_IPRIORITYRE: bytes(
    0x2000,
    'Interrupt Priority Registers, extended SPIs',
    'GICD_IPRIORITYR<n>E',
    ESPI_FIRST,
  ),
  GICD_ICFGRE: bitPairs(
    0x3000,
    'Interrupt Configuration Registers, extended SPIs',
    'GICD_ICFGR<n>E',
    'unknown',
    ESPI_FIRST,
  ),
  GICD_IGRPMODRE: extended(0x3400, 'Interrupt Group Modifier Registers, extended SPIs', 'GICD_IGRPMODR<n>E'),
  GICD_NSACRE: bitPairs(
    0x3600,
    'Non-secure Access Control Registers, extended SPIs',
    'GICD_NSACR<n>E',
    0,
    ESPI_FIRST,
  ),
  GICD_INMIRE: extended(0x3b00, 'Non-maskable Interrupt Registers, extended SPIs', 'GICD_INMIR<n>E'),
  GICD_IROUTER: {
    ...routes(0x6100, 'Interrupt Routing Registers, from INTID 32', 'GICD_IROUTER<n>', 988, 32),
    firstNumber: 32,
  },
  GICD_IROUTERE: routes(
    0x8000,
    'Interrupt Routing Registers, extended SPIs',
    'GICD_IROUTER<n>E',
    1024,
    ESPI_FIRST,
  ),
  GICD_PIDR: {
    ...constant(
      0xffd0,
      'Identification registers: PIDR4–7, PIDR0–3, CIDR0–3; PIDR2 at 0xffe8',
      'Identification registers',
    ),
    count: 12,
  },
} as const satisfies RegisterTable;
