// The configuration frame of an IRS. There is one for each interrupt domain. Pure data; `source` says which
// implementations have a register (see evidence.ts).
import { flag, hex, naming, oneOf, pa, register32, register64, uint } from '../declare.ts';
import type { FieldSpec, RegisterTable } from '../shape.ts';
import { ASSUMED, BOTH, by, QEMU } from './evidence.ts';
import { GICV5_TYPES } from './intid.ts';

const IDLE = flag('IDLE', 0, 'the effects of the writes before are complete');
const V = flag('V', 1, 'what is selected exists');
const VM_ID = hex('VM_ID', 0, 16, 'virtual machine');
const spi = (name: 'ID' | 'SPI_ID') =>
  naming('INTID', uint(name, 0, 24, 'ID of the SPI'), { intidType: GICV5_TYPES.SPI });
const TYPE = oneOf('TYPE', 29, 3, { 1: 'PPI', 2: 'LPI', 3: 'SPI' }, 'type of the interrupts');
const CACHEABILITY = { 0: 'non-cacheable', 1: 'write-back', 2: 'write-through' };
/** An address of a table: bits 51:lsb, and the four bits above, which no physical address of gictrace has. */
const table = <const L extends number>(lsb: L, doc: string): readonly FieldSpec[] => [
  pa('ADDR', lsb, 52 - lsb, lsb, doc),
  hex('ADDR_55_52', 52, 4, 'bits 55:52 of the address'),
];
const qemu32 = (offset: number, access: 'RO' | 'RW' | 'WO', doc: string, fields: readonly FieldSpec[] = []) =>
  register32(offset, access, doc, QEMU, { fields });
const impdef = (offset: number, doc: string, source: string, fields: readonly FieldSpec[] = []) =>
  register32(offset, 'RO', doc, source, { reset: 'impdef', fields });

export const IRS = {
  IRS_IDR0: register32(0x0, 'RO', 'IRS Identification Register 0', QEMU, {
    reset: 'impdef',
    fields: [
      oneOf('INT_DOM', 0, 2, { 0: 'S', 1: 'NS', 2: 'EL3', 3: 'Realm' }, 'interrupt domain of the frame'),
      uint('PA_RANGE', 2, 4, 'physical address size, as ID_AA64MMFR0_EL1.PARange encodes it'),
      flag('VIRT', 6, 'virtualization'),
      flag('ONE_N', 7, '1 of N for physical interrupts'),
      flag('VIRT_ONE_N', 8, '1 of N for virtual interrupts'),
      flag('SETLPI', 9, 'a SETLPI frame'),
      flag('MEC', 10, 'memory encryption contexts'),
      flag('MPAM', 11, 'MPAM'),
      flag('SWE', 12, 'software errors are reported'),
      uint('IRSID', 16, 16, 'identifier of the IRS'),
    ],
  }),
  IRS_IDR1: register32(0x4, 'RO', 'IRS Identification Register 1', BOTH, {
    reset: 'impdef',
    fields: [
      by(QEMU, uint('PE_CNT', 0, 16, 'PEs that the IRS serves')),
      uint('IAFFID_BITS', 16, 4, 'bits of an IAFFID, minus one'),
      uint('PRI_BITS', 20, 3, 'bits of a priority, minus one'),
    ],
  }),
  IRS_IDR2: register32(0x8, 'RO', 'IRS Identification Register 2', BOTH, {
    reset: 'impdef',
    fields: [
      uint('ID_BITS', 0, 5, 'bits of an ID'),
      flag('LPI', 5, 'physical LPIs'),
      uint('MIN_LPI_ID_BITS', 6, 4, 'the fewest bits of the ID of an LPI'),
      flag('IST_LEVELS', 10, 'two-level interrupt state tables'),
      uint('IST_L2SZ', 11, 3, 'sizes of a level-2 table: bit 0 4KB, bit 1 16KB, bit 2 64KB'),
      flag('ISTMD', 14, 'the table holds metadata of the IRS'),
      uint('ISTMD_SZ', 15, 5, 'size from which on entries have room for metadata'),
    ],
  }),
  IRS_IDR3: impdef(0xc, 'IRS Identification Register 3', QEMU, [
    flag('VMD', 0, 'virtual machine descriptors'),
    uint('VMD_SZ', 1, 4, 'size of a descriptor'),
    uint('VM_ID_BITS', 5, 5, 'bits of a VM_ID'),
    flag('VMT_LEVELS', 10, 'two-level virtual machine tables'),
  ]),
  IRS_IDR4: impdef(0x10, 'IRS Identification Register 4', QEMU, [
    uint('VPED_SZ', 0, 6, 'size of a vPE descriptor'),
    uint('VPE_ID_BITS', 6, 4, 'bits of a VPE_ID'),
  ]),
  IRS_IDR5: impdef(0x14, 'IRS Identification Register 5', BOTH, [
    uint('SPI_RANGE', 0, 25, 'SPIs of the whole GIC'),
  ]),
  IRS_IDR6: impdef(0x18, 'IRS Identification Register 6', BOTH, [
    uint('SPI_IRS_RANGE', 0, 25, 'SPIs of this IRS'),
  ]),
  IRS_IDR7: impdef(0x1c, 'IRS Identification Register 7', BOTH, [
    uint('SPI_BASE', 0, 24, 'ID of the first SPI of this IRS'),
  ]),
  IRS_IIDR: impdef(0x40, 'IRS Implementer Identification Register', QEMU, [
    hex('IMPLEMENTER', 0, 12, 'JEP106 code'),
    uint('REVISION', 12, 4, 'minor revision'),
    uint('VARIANT', 16, 4, 'major revision'),
    hex('PRODUCTID', 20, 12, 'product'),
  ]),
  IRS_AIDR: impdef(0x44, 'IRS Architecture Identification Register', QEMU, [
    uint('ARCHMINORREV', 0, 4, 'minor revision of the architecture'),
    uint('ARCHMAJORREV', 4, 4, 'major revision of the architecture, 0 for GICv5'),
    uint('COMPONENT', 8, 4, 'component'),
  ]),
  IRS_CR0: register32(0x80, 'RW', 'IRS Control Register 0', BOTH, {
    fields: [flag('IRSEN', 0, 'the IRS is enabled'), flag('IDLE', 1, 'a change of IRSEN is complete')],
  }),
  IRS_CR1: register32(0x84, 'RW', 'IRS Control Register 1', BOTH, {
    fields: [
      oneOf('SH', 0, 2, { 0: 'non', 2: 'outer', 3: 'inner' }, 'shareability'),
      oneOf('OC', 2, 2, CACHEABILITY, 'outer cacheability'),
      oneOf('IC', 4, 2, CACHEABILITY, 'inner cacheability'),
      flag('IST_RA', 6, 'interrupt state table: allocate on reads'),
      flag('IST_WA', 7, 'interrupt state table: allocate on writes'),
      flag('VMT_RA', 8, 'virtual machine table: allocate on reads'),
      flag('VMT_WA', 9, 'virtual machine table: allocate on writes'),
      flag('VPET_RA', 10, 'vPE table: allocate on reads'),
      flag('VPET_WA', 11, 'vPE table: allocate on writes'),
      flag('VMD_RA', 12, 'virtual machine descriptors: allocate on reads'),
      flag('VMD_WA', 13, 'virtual machine descriptors: allocate on writes'),
      flag('VPED_RA', 14, 'vPE descriptors: allocate on reads'),
      flag('VPED_WA', 15, 'vPE descriptors: allocate on writes'),
    ],
  }),
  IRS_SYNCR: register32(0xc0, 'WO', 'IRS Synchronize Register', BOTH, {
    fields: [flag('SYNC', 31, 'synchronize what devices sent before')],
  }),
  IRS_SYNC_STATUSR: register32(0xc4, 'RO', 'IRS Synchronize Status Register', BOTH, {
    reset: 'impdef',
    fields: [IDLE],
  }),
  IRS_SPI_VMR: register64(0x100, 'RW', 'IRS SPI Virtual Machine Register', QEMU, [
    VM_ID,
    flag('VIRT', 63, 'the SPI is virtual'),
  ]),
  IRS_SPI_SELR: register32(0x108, 'RW', 'IRS SPI Select Register', BOTH, { fields: [spi('ID')] }),
  IRS_SPI_DOMAINR: qemu32(0x10c, 'RW', 'IRS SPI Interrupt Domain Register', [
    oneOf('DOMAIN', 0, 2, { 0: 'S', 1: 'NS', 2: 'EL3', 3: 'Realm' }, 'domain of the selected SPI'),
  ]),
  IRS_SPI_RESAMPLER: qemu32(0x110, 'WO', 'IRS SPI Resample Register', [spi('SPI_ID')]),
  IRS_SPI_CFGR: register32(0x114, 'RW', 'IRS SPI Configuration Register', BOTH, {
    fields: [oneOf('TM', 0, 1, { 0: 'edge', 1: 'level' }, 'trigger mode of the selected SPI')],
  }),
  IRS_SPI_STATUSR: register32(0x118, 'RO', 'IRS SPI Status Register', BOTH, {
    reset: 'impdef',
    fields: [IDLE, V],
  }),
  IRS_PE_SELR: register32(0x140, 'RW', 'IRS PE Select Register', BOTH, {
    fields: [uint('IAFFID', 0, 16, 'interrupt affinity identifier of the PE')],
  }),
  IRS_PE_STATUSR: register32(0x144, 'RO', 'IRS PE Status Register', BOTH, {
    reset: 'impdef',
    fields: [IDLE, V, by(QEMU, flag('ONLINE', 2, 'the PE is online'))],
  }),
  IRS_PE_CR0: register32(0x148, 'RW', 'IRS PE Control Register 0', BOTH, {
    fields: [flag('DPS', 0, 'the PE is no target of 1 of N interrupts')],
  }),
  IRS_IST_BASER: register64(0x180, 'RW', 'IRS Interrupt State Table Base Register', BOTH, [
    flag('VALID', 0, 'the table exists'),
    ...table(6, 'interrupt state table, its level 1 if it has two'),
  ]),
  IRS_IST_CFGR: register32(0x190, 'RW', 'IRS Interrupt State Table Configuration Register', BOTH, {
    fields: [
      uint('LPI_ID_BITS', 0, 5, 'bits of the ID of an LPI'),
      oneOf('L2SZ', 5, 2, { 0: '4KB', 1: '16KB', 2: '64KB' }, 'size of a level-2 table'),
      oneOf('ISTSZ', 7, 2, { 0: '4 bytes', 1: '8 bytes', 2: '16 bytes' }, 'size of an entry'),
      oneOf('STRUCTURE', 16, 1, { 0: 'linear', 1: 'two-level' }, 'structure of the table'),
    ],
  }),
  IRS_IST_STATUSR: register32(0x194, 'RO', 'IRS Interrupt State Table Status Register', BOTH, {
    reset: 'impdef',
    fields: [IDLE],
  }),
  IRS_MAP_L2_ISTR: register32(0x1c0, 'WO', 'IRS Map Level 2 Interrupt State Table Register', BOTH, {
    fields: [
      naming('INTID', uint('ID', 0, 24, 'an LPI whose level-2 table is mapped'), {
        intidType: GICV5_TYPES.LPI,
      }),
    ],
  }),
  IRS_VMT_BASER: register64(0x200, 'RW', 'IRS Virtual Machine Table Base Register', QEMU, [
    flag('VALID', 0, 'the table exists'),
    ...table(3, 'virtual machine table'),
  ]),
  IRS_VMT_CFGR: qemu32(0x210, 'RW', 'IRS Virtual Machine Table Configuration Register', [
    uint('VM_ID_BITS', 0, 5, 'bits of a VM_ID'),
    oneOf('STRUCTURE', 16, 1, { 0: 'linear', 1: 'two-level' }, 'structure of the table'),
  ]),
  IRS_VPE_SELR: register64(0x240, 'RW', 'IRS vPE Select Register', QEMU, [
    VM_ID,
    hex('VPE_ID', 32, 16, 'vPE of that virtual machine'),
    flag('S', 63, 'select'),
  ]),
  IRS_VPE_DBR: register64(0x248, 'RW', 'IRS vPE Doorbell Register', QEMU, [
    naming('INTID', uint('INTID', 0, 24, 'ID of the doorbell, an LPI'), { intidType: GICV5_TYPES.LPI }),
    uint('DBPM', 32, 5, 'priority mask of the doorbell'),
    flag('REQ_DB', 62, 'a doorbell is requested'),
    flag('DBV', 63, 'the doorbell is valid'),
  ]),
  IRS_VPE_HPPIR: register64(0x250, 'RO', 'IRS vPE Highest Priority Pending Interrupt Register', QEMU, [
    uint('ID', 0, 24, 'ID of the interrupt'),
    TYPE,
    flag('HPPIV', 32, 'there is one'),
  ]),
  IRS_VPE_CR0: qemu32(0x258, 'RW', 'IRS vPE Control Register 0', [
    flag('DPS', 0, 'the vPE is no target of 1 of N interrupts'),
  ]),
  IRS_VPE_STATUSR: impdef(0x25c, 'IRS vPE Status Register', QEMU, [IDLE, V]),
  IRS_VM_DBR: register64(0x280, 'RW', 'IRS Virtual Machine Doorbell Register', QEMU, [
    hex('VPE_ID', 0, 16, 'vPE whose doorbell is rung'),
    flag('EN', 63, 'enabled'),
  ]),
  IRS_VM_SELR: qemu32(0x288, 'RW', 'IRS Virtual Machine Select Register', [VM_ID]),
  IRS_VM_STATUSR: impdef(0x28c, 'IRS Virtual Machine Status Register', QEMU, [IDLE, V]),
  IRS_VMAP_L2_VMTR: register64(0x2c0, 'WO', 'IRS Map Level 2 Virtual Machine Table Register', QEMU, [
    VM_ID,
    flag('M', 63, 'map'),
  ]),
  IRS_VMAP_VMR: register64(0x2c8, 'WO', 'IRS Map Virtual Machine Register', QEMU, [
    VM_ID,
    flag('U', 62, 'unmap'),
    flag('M', 63, 'map'),
  ]),
  IRS_VMAP_VISTR: register64(0x2d0, 'WO', 'IRS Map Virtual Interrupt State Table Register', QEMU, [
    TYPE,
    hex('VM_ID', 32, 16, 'virtual machine'),
    flag('U', 62, 'unmap'),
    flag('M', 63, 'map'),
  ]),
  IRS_VMAP_L2_VISTR: register64(0x2d8, 'WO', 'IRS Map Level 2 Virtual Interrupt State Table Register', QEMU, [
    uint('ID', 0, 24, 'an interrupt whose level-2 table is mapped'),
    TYPE,
    hex('VM_ID', 32, 16, 'virtual machine'),
    flag('M', 63, 'map'),
  ]),
  IRS_VMAP_VPER: register64(0x2e0, 'WO', 'IRS Map vPE Register', QEMU, [
    hex('VPE_ID', 0, 16, 'vPE'),
    hex('VM_ID', 32, 16, 'virtual machine'),
    flag('M', 63, 'map'),
  ]),
  IRS_SAVE_VMR: register64(0x300, 'WO', 'IRS Save Virtual Machine Register', QEMU, [
    VM_ID,
    flag('Q', 62, 'quiesce'),
    flag('S', 63, 'save'),
  ]),
  IRS_SAVE_VM_STATUSR: impdef(0x308, 'IRS Save Virtual Machine Status Register', QEMU, [
    IDLE,
    flag('Q', 1, 'quiesced'),
  ]),
  IRS_MEC_IDR: impdef(0x340, 'IRS MEC Identification Register', QEMU, [
    uint('MECIDSIZE', 0, 4, 'bits of a MECID, minus one'),
  ]),
  IRS_MEC_MECID_R: qemu32(0x344, 'RW', 'IRS MECID Register', [hex('MECID', 0, 16, 'MECID')]),
  IRS_MPAM_IDR: impdef(0x380, 'IRS MPAM Identification Register', QEMU, [
    uint('PARTID_MAX', 0, 16, 'highest PARTID'),
    uint('PMG_MAX', 16, 8, 'highest PMG'),
    flag('HAS_MPAM_SP', 24, 'MPAM_SP is implemented'),
  ]),
  IRS_MPAM_PARTID_R: qemu32(0x384, 'RW', 'IRS MPAM PARTID Register', [
    uint('PARTID', 0, 16, 'PARTID of the memory accesses'),
    uint('PMG', 16, 8, 'PMG of the memory accesses'),
    uint('MPAM_SP', 24, 2, 'PARTID space'),
    flag('IDLE', 31, 'a change is complete'),
  ]),
  IRS_SWERR_STATUSR: register64(0x3c0, 'RW', 'IRS Software Error Status Register', QEMU, [
    flag('V', 0, 'an error is recorded'),
    flag('S0V', 1, 'IRS_SWERR_SYNDROMER0 is valid'),
    flag('S1V', 2, 'IRS_SWERR_SYNDROMER1 is valid'),
    flag('OF', 3, 'overflow'),
    hex('EC', 16, 8, 'error code'),
    hex('IMP_EC', 24, 8, 'IMPLEMENTATION DEFINED error code'),
  ]),
  IRS_SWERR_SYNDROMER0: register64(0x3c8, 'RO', 'IRS Software Error Syndrome Register 0', QEMU, [
    VM_ID,
    uint('ID', 32, 24, 'ID of the interrupt'),
    oneOf('TYPE', 60, 3, { 1: 'PPI', 2: 'LPI', 3: 'SPI' }, 'type of the interrupt'),
    flag('VIRTUAL', 63, 'a virtual interrupt'),
  ]),
  IRS_SWERR_SYNDROMER1: register64(
    0x3d0,
    'RO',
    'IRS Software Error Syndrome Register 1',
    QEMU,
    table(3, 'address'),
  ),
  IRS_DEVARCH: impdef(0xffbc, 'IRS Device Architecture Register', QEMU),
  IRS_PIDR: register32(0xffd0, 'RO', 'Identification registers: PIDR4–7, PIDR0–3, CIDR0–3', QEMU, {
    count: 12,
    reset: 'impdef',
  }),
} as const satisfies RegisterTable;

/** The SETLPI frame of an IRS: a device that writes it makes an LPI pending without an ITS. */
export const SETLPI = {
  IRS_SETLPIR: register32(0x0, 'WO', 'IRS Set LPI Register', ASSUMED, {
    fields: [naming('INTID', uint('ID', 0, 24, 'ID of the LPI'), { intidType: GICV5_TYPES.LPI })],
  }),
} as const satisfies RegisterTable;
