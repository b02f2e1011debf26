// An ITS's control frame, with the translation page at 0x10000 and the vSGI page at 0x20000 (IHI 0069,
// "ITS register map"). Pure data.
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
  SHAREABILITY,
  STATUS_FIELDS,
  uint,
} from './declare.ts';
import type { FieldSpec, RegisterTable } from './shape.ts';

/** The fields of GITS_BASER<n> around those of the address, which depend on the page size. */
const baser = <const A extends readonly FieldSpec[]>(address: A) =>
  [
    minus1('Size', 0, 8, 'pages of the (level 1) table'),
    oneOf('Page_Size', 8, 2, { 0: '4KB', 1: '16KB', 2: '64KB' }, 'page size'),
    oneOf('Shareability', 10, 2, SHAREABILITY, 'shareability'),
    ...address,
    minus1('Entry_Size', 48, 5, 'bytes of an entry'),
    oneOf('OuterCache', 53, 3, OUTER_CACHE, 'outer cacheability'),
    oneOf('Type', 56, 3, { 0: 'none', 1: 'devices', 2: 'vPEs', 4: 'collections' }, 'what the table holds'),
    oneOf('InnerCache', 59, 3, INNER_CACHE, 'inner cacheability'),
    flag('Indirect', 62, 'two levels'),
    flag('Valid', 63, 'the table exists'),
  ] as const;

export const GITS = {
  GITS_CTLR: register32(0x0, 'RW', 'ITS Control Register', 'GITS_CTLR', {
    reset: 0x8000_0000,
    fields: [
      flag('Enabled', 0, 'the ITS is enabled'),
      flag('ImDe', 1, 'IMPLEMENTATION DEFINED'),
      uint('ITS_Number', 4, 4, 'number of the ITS in GICv4 lists'),
      flag('UMSIirq', 8, 'unmapped MSIs raise an interrupt'),
      flag('Quiescent', 31, 'the ITS is quiescent and can be powered down'),
    ],
  }),
  GITS_IIDR: register32(0x4, 'RO', 'ITS Identification Register', 'GITS_IIDR', {
    reset: 'impdef',
    fields: IIDR_FIELDS,
  }),
  GITS_TYPER: register64(0x8, 'RO', 'ITS Type Register', 'GITS_TYPER', [
    flag('Physical', 0, 'physical LPIs'),
    flag('Virtual', 1, 'virtual LPIs and direct injection'),
    flag('CCT', 2, 'cumulative collection tables'),
    minus1('ITT_entry_size', 4, 4, 'bytes of an interrupt translation entry'),
    minus1('ID_bits', 8, 5, 'EventID bits'),
    minus1('Devbits', 13, 5, 'DeviceID bits'),
    flag('SEIS', 18, 'SErrors on command errors'),
    flag('PTA', 19, 'RDbase is an address, not a processor number'),
    uint('HCC', 24, 8, 'number of collections held in hardware'),
    minus1('CIDbits', 32, 4, 'ICID bits, where CIL'),
    flag('CIL', 36, 'CIDbits is in force'),
    flag('VMOVP', 37, 'one VMOVP serves all ITSs'),
    flag('MPAM', 38, 'MPAM'),
    flag('VSGI', 39, 'virtual SGIs'),
    flag('VMAPP', 40, "GICv4.1's form of VMAPP"),
    uint('SVPET', 41, 2, 'shared vPE table'),
    flag('nID', 43, 'individual doorbells are not supported'),
    flag('UMSI', 44, 'unmapped MSIs are reported'),
    flag('UMSIirq', 45, 'unmapped MSIs can raise an interrupt'),
    flag('INV', 46, 'unmapping invalidates caches'),
  ]),
  GITS_MPAMIDR: register32(0x10, 'RO', 'Report maximum PARTID and PMG Register', 'GITS_MPAMIDR', {
    reset: 'impdef',
    fields: MPAMIDR_FIELDS,
  }),
  GITS_PARTIDR: register32(0x14, 'RW', 'Set PARTID and PMG Register', 'GITS_PARTIDR', {
    reset: 0,
    fields: PARTIDR_FIELDS,
  }),
  GITS_MPIDR: register32(0x18, 'RO', 'Report ITS affinity', 'GITS_MPIDR', {
    reset: 'impdef',
    fields: [
      uint('Aff1', 8, 8, 'affinity level 1'),
      uint('Aff2', 16, 8, 'affinity level 2'),
      uint('Aff3', 24, 8, 'affinity level 3'),
    ],
  }),
  GITS_STATUSR: register32(0x40, 'RW', 'ITS Error Reporting Status Register', 'GITS_STATUSR', {
    reset: 0,
    fields: [
      ...STATUS_FIELDS,
      flag('UMSI', 4, 'GITS_UMSIR contains an unmapped MSI'),
      flag('Overflow', 5, 'more unmapped MSIs came than GITS_UMSIR holds'),
      uint('Syndrome', 6, 4, 'why the MSI was unmapped'),
    ],
  }),
  GITS_UMSIR: register64(0x48, 'RO', 'ITS Unmapped MSI register', 'GITS_UMSIR', [
    naming('EventID', hex('EventID', 0, 32, 'EventID')),
    naming('DeviceID', hex('DeviceID', 32, 32, 'DeviceID')),
  ]),
  GITS_CBASER: register64(0x80, 'RW', 'ITS Command Queue Descriptor', 'GITS_CBASER', [
    minus1('Size', 0, 8, '4 KB pages of the queue'),
    oneOf('Shareability', 10, 2, SHAREABILITY, 'shareability'),
    pa('Physical_Address', 12, 40, 12, 'command queue'),
    oneOf('OuterCache', 53, 3, OUTER_CACHE, 'outer cacheability'),
    oneOf('InnerCache', 59, 3, INNER_CACHE, 'inner cacheability'),
    flag('Valid', 63, 'the queue exists'),
  ]),
  GITS_CWRITER: register64(0x88, 'RW', 'ITS Write Register', 'GITS_CWRITER', [
    flag('Retry', 0, 'go on after a stall'),
    uint('Offset', 5, 15, 'next slot to be written, in units of 32 bytes'),
  ]),
  GITS_CREADR: register64(0x90, 'RO', 'ITS Read Register', 'GITS_CREADR', [
    flag('Stalled', 0, 'stalled by a command error'),
    uint('Offset', 5, 15, 'next slot to be executed, in units of 32 bytes'),
  ]),
  GITS_BASER: {
    offset: 0x100,
    bytes: 8,
    count: 8,
    access: 'RW',
    accessBytes: [4, 8],
    reset: 'impdef',
    fields: baser([pa('Physical_Address', 12, 36, 12, 'bits 47:12 of the table')]),
    views: {
      '64 KB pages': baser([
        pa('Physical_Address_51_48', 12, 4, 48, 'bits 51:48 of the table'),
        pa('Physical_Address_47_16', 16, 32, 16, 'bits 47:16 of the table'),
      ]),
    },
    doc: 'ITS Table Descriptors',
    source: 'GITS_BASER<n>',
  },
  GITS_PIDR: register32(
    0xffd0,
    'RO',
    'Identification registers: PIDR4–7, PIDR0–3, CIDR0–3; PIDR2 at 0xffe8',
    'Identification registers',
    {
      count: 12,
      reset: 'impdef',
    },
  ),
  GITS_TRANSLATER: register32(0x10040, 'WO', 'ITS Translation Register', 'GITS_TRANSLATER', {
    accessBytes: [2, 4],
    fields: [naming('EventID', hex('EventID', 0, 32, 'EventID'))],
  }),
  GITS_SGIR: register64(0x20020, 'WO', 'ITS SGI Register', 'GITS_SGIR', [
    naming('vINTID', uint('vINTID', 0, 4, 'vSGI')),
    naming('vPEID', hex('vPEID', 32, 16, 'vPE')),
  ]),
} as const satisfies RegisterTable;
