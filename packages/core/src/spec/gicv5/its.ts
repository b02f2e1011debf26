// The frames of a GICv5 ITS. QEMU has no ITS, so this rests on the drivers of Linux and FreeBSD. The ITS has no command
// queue: software changes tables in memory and invalidates what the ITS may have read of them. Pure data.
import { flag, hex, naming, oneOf, pa, register32, register64, uint } from '../declare.ts';
import type { FieldSpec, RegisterTable } from '../shape.ts';
import { DRIVERS, FREEBSD } from './evidence.ts';

const drivers32 = (offset: number, access: 'RO' | 'RW' | 'WO', doc: string, fields: readonly FieldSpec[]) =>
  register32(offset, access, doc, DRIVERS, access === 'RO' ? { reset: 'impdef', fields } : { fields });
const freebsd32 = (offset: number, access: 'RO' | 'RW' | 'WO', doc: string, fields: readonly FieldSpec[]) =>
  register32(offset, access, doc, FREEBSD, access === 'RO' ? { reset: 'impdef', fields } : { fields });
const table = (doc: string): readonly FieldSpec[] => [
  pa('ADDR', 3, 49, 3, doc),
  hex('ADDR_55_52', 52, 4, 'bits 55:52 of the address'),
];
const SIZES = { 0: '4KB', 1: '16KB', 2: '64KB' };
const l2sz = (lsb: number, doc: string) => oneOf('L2SZ', lsb, 2, SIZES, doc);
const IDLE = flag('IDLE', 0, 'the effects of the writes before are complete');
const CACHEABILITY = { 0: 'non-cacheable', 1: 'write-back', 2: 'write-through' };
const deviceId = (doc: string) => naming('DeviceID', hex('DEVICE_ID', 0, 32, doc));
const eventId = (doc: string) => naming('EventID', hex('EVENT_ID', 0, 32, doc));

/** The configuration frame of an ITS. */
export const ITS = {
  ITS_IDR0: freebsd32(0x0, 'RO', 'ITS Identification Register 0', [
    oneOf('INT_DOM', 0, 2, { 0: 'S', 1: 'NS', 2: 'EL3', 3: 'Realm' }, 'interrupt domain of the frame'),
    uint('PA_RANGE', 2, 4, 'physical address size, as ID_AA64MMFR0_EL1.PARange encodes it'),
  ]),
  ITS_IDR1: drivers32(0x4, 'RO', 'ITS Identification Register 1', [
    uint('DEVICEID_BITS', 0, 6, 'bits of a DeviceID'),
    flag('DT_LEVELS', 6, 'two-level device tables'),
    flag('ITT_LEVELS', 7, 'two-level interrupt translation tables'),
    uint('L2SZ', 8, 3, 'sizes of a level-2 table: bit 0 4KB, bit 1 16KB, bit 2 64KB'),
  ]),
  ITS_IDR2: drivers32(0x8, 'RO', 'ITS Identification Register 2', [
    uint('EVENTID_BITS', 0, 5, 'bits of an EventID'),
    uint('XDMN_EVENTS', 5, 2, 'events for other interrupt domains'),
  ]),
  ITS_IIDR: freebsd32(0x40, 'RO', 'ITS Implementer Identification Register', [
    hex('IMPLEMENTER', 0, 12, 'JEP106 code'),
    uint('REVISION', 12, 4, 'minor revision'),
    uint('VARIANT', 16, 4, 'major revision'),
    hex('PRODUCTID', 20, 12, 'product'),
  ]),
  ITS_AIDR: freebsd32(0x44, 'RO', 'ITS Architecture Identification Register', [
    uint('ARCHMINORREV', 0, 4, 'minor revision of the architecture'),
    uint('ARCHMAJORREV', 4, 4, 'major revision of the architecture, 0 for GICv5'),
    uint('COMPONENT', 8, 4, 'component'),
  ]),
  ITS_CR0: drivers32(0x80, 'RW', 'ITS Control Register 0', [
    flag('ITSEN', 0, 'the ITS is enabled'),
    flag('IDLE', 1, 'a change of ITSEN is complete'),
  ]),
  ITS_CR1: drivers32(0x84, 'RW', 'ITS Control Register 1', [
    oneOf('SH', 0, 2, { 0: 'non', 2: 'outer', 3: 'inner' }, 'shareability'),
    oneOf('OC', 2, 2, CACHEABILITY, 'outer cacheability'),
    oneOf('IC', 4, 2, CACHEABILITY, 'inner cacheability'),
    flag('DT_RA', 6, 'device table: allocate on reads'),
    flag('ITT_RA', 7, 'interrupt translation tables: allocate on reads'),
  ]),
  ITS_DT_BASER: register64(
    0xc0,
    'RW',
    'ITS Device Table Base Address Register',
    DRIVERS,
    table('device table'),
  ),
  ITS_DT_CFGR: drivers32(0xd0, 'RW', 'ITS Device Table Configuration Register', [
    uint('DEVICEID_BITS', 0, 6, 'bits of a DeviceID'),
    l2sz(6, 'size of a level-2 table'),
    oneOf('STRUCTURE', 16, 1, { 0: 'linear', 1: 'two-level' }, 'structure of the table'),
  ]),
  ITS_DIDR: register64(0x100, 'RW', 'ITS DeviceID Register', DRIVERS, [
    deviceId('the device that an invalidation or a read of a translation concerns'),
  ]),
  ITS_EIDR: drivers32(0x108, 'RW', 'ITS EventID Register', [
    eventId('the event that an invalidation or a read of a translation concerns'),
  ]),
  ITS_INV_EVENTR: drivers32(0x10c, 'WO', 'ITS Cache Invalidation Event Register', [
    flag('L1', 0, 'all events of the level-1 entry'),
    oneOf('ITT_L2SZ', 1, 2, SIZES, 'size of a level-2 table'),
    flag('I', 31, 'invalidate'),
  ]),
  ITS_INV_DEVICER: drivers32(0x110, 'WO', 'ITS Cache Invalidation Device Register', [
    flag('L1', 0, 'all devices of the level-1 entry'),
    uint('EVENTID_BITS', 1, 5, 'bits of the EventIDs of the device'),
    flag('I', 31, 'invalidate'),
  ]),
  ITS_READ_EVENTR: freebsd32(0x114, 'WO', 'ITS Read Event Request Register', [
    flag('R', 31, 'read the translation of the selected event'),
  ]),
  ITS_READ_EVENT_DATAR: register64(0x118, 'RO', 'ITS Read Event Data Register', FREEBSD, [
    uint('LPI_ID', 0, 24, 'ID of the LPI'),
    flag('VALID', 31, 'the event is mapped'),
    hex('VM_ID', 32, 16, 'virtual machine'),
    flag('VIRT', 63, 'a virtual LPI'),
  ]),
  ITS_STATUSR: drivers32(0x120, 'RO', 'ITS Status Register', [IDLE]),
  ITS_SYNCR: register64(0x140, 'WO', 'ITS Synchronize Translation Events Register', DRIVERS, [
    deviceId('the device whose events are synchronized'),
    flag('SYNCALL', 32, 'all devices'),
    flag('SYNC', 63, 'synchronize'),
  ]),
  ITS_SYNC_STATUSR: drivers32(0x148, 'RO', 'ITS Synchronize Interrupt Events Status Register', [IDLE]),
  ITS_GEN_EVENT_DIDR: register64(0x180, 'RW', 'ITS Generate Incoming Event DeviceID Register', FREEBSD, [
    deviceId('the device of an event that software generates'),
  ]),
  ITS_GEN_EVENT_EIDR: freebsd32(0x188, 'RW', 'ITS Generate Incoming Event EventID Register', [
    eventId('the event that software generates'),
  ]),
  ITS_GEN_EVENTR: freebsd32(0x18c, 'WO', 'ITS Generate Incoming Event Register', [
    oneOf('TARGET_DOMAIN', 0, 2, { 0: 'S', 1: 'NS', 2: 'EL3', 3: 'Realm' }, 'interrupt domain of the event'),
    flag('R', 31, 'generate the event'),
  ]),
  ITS_GEN_EVENT_STATUSR: freebsd32(0x190, 'RO', 'ITS Generate Incoming Event Status Register', [IDLE]),
} as const satisfies RegisterTable;

/** The translation frame of an ITS, to which devices write. */
export const ITS_TRANSLATE = {
  ITS_TRANSLATER: drivers32(0x0, 'WO', 'ITS Translate Event Register', [eventId('the event')]),
  ITS_RL_TRANSLATER: freebsd32(0x8, 'WO', 'ITS Translate Event in Realm ITS Domain Register', [
    eventId('the event'),
  ]),
} as const satisfies RegisterTable;
