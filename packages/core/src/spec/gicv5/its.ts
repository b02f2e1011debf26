// The configuration frames of an ITS and of an IWB of GICv5. QEMU has neither, so all of this rests on Linux's drivers,
// which declare the registers and fields that they use. Pure data.
import { flag, hex, naming, oneOf, pa, register32, register64, uint } from '../declare.ts';
import type { FieldSpec, RegisterTable } from '../shape.ts';
import { LINUX } from './evidence.ts';

const table = (doc: string): readonly FieldSpec[] => [
  pa('ADDR', 3, 49, 3, doc),
  hex('ADDR_55_52', 52, 4, 'bits 55:52 of the address'),
];
const l2sz = (lsb: number, doc: string) => oneOf('L2SZ', lsb, 2, { 0: '4KB', 1: '16KB', 2: '64KB' }, doc);
const linux32 = (offset: number, access: 'RO' | 'RW' | 'WO', doc: string, fields: readonly FieldSpec[]) =>
  register32(offset, access, doc, LINUX, access === 'RO' ? { reset: 'impdef', fields } : { fields });
const IDLE = flag('IDLE', 0, 'the effects of the writes before are complete');
const CACHEABILITY = { 0: 'non-cacheable', 1: 'write-back', 2: 'write-through' };

/** The configuration frame of an ITS. It has no command queue: software changes tables in memory and invalidates. */
export const ITS = {
  ITS_IDR1: linux32(0x4, 'RO', 'ITS Identification Register 1', [
    uint('DEVICEID_BITS', 0, 6, 'bits of a DeviceID'),
    flag('DT_LEVELS', 6, 'two-level device tables'),
    flag('ITT_LEVELS', 7, 'two-level interrupt translation tables'),
    uint('L2SZ', 8, 3, 'sizes of a level-2 table: bit 0 4KB, bit 1 16KB, bit 2 64KB'),
  ]),
  ITS_IDR2: linux32(0x8, 'RO', 'ITS Identification Register 2', [
    uint('EVENTID_BITS', 0, 5, 'bits of an EventID'),
    uint('XDMN_EVENTs', 5, 2, 'events for other interrupt domains'),
  ]),
  ITS_CR0: linux32(0x80, 'RW', 'ITS Control Register 0', [
    flag('ITSEN', 0, 'the ITS is enabled'),
    flag('IDLE', 1, 'a change of ITSEN is complete'),
  ]),
  ITS_CR1: linux32(0x84, 'RW', 'ITS Control Register 1', [
    oneOf('SH', 0, 2, { 0: 'non', 2: 'outer', 3: 'inner' }, 'shareability'),
    oneOf('OC', 2, 2, CACHEABILITY, 'outer cacheability'),
    oneOf('IC', 4, 2, CACHEABILITY, 'inner cacheability'),
    flag('DT_RA', 6, 'device table: allocate on reads'),
    flag('ITT_RA', 7, 'interrupt translation tables: allocate on reads'),
  ]),
  ITS_DT_BASER: register64(0xc0, 'RW', 'ITS Device Table Base Register', LINUX, table('device table')),
  ITS_DT_CFGR: linux32(0xd0, 'RW', 'ITS Device Table Configuration Register', [
    uint('DEVICEID_BITS', 0, 6, 'bits of a DeviceID'),
    l2sz(6, 'size of a level-2 table'),
    oneOf('STRUCTURE', 16, 1, { 0: 'linear', 1: 'two-level' }, 'structure of the table'),
  ]),
  ITS_DIDR: register64(0x100, 'RW', 'ITS DeviceID Register', LINUX, [
    naming('DeviceID', hex('DEVICEID', 0, 32, 'the device that an invalidation concerns')),
  ]),
  ITS_EIDR: linux32(0x108, 'RW', 'ITS EventID Register', [
    naming('EventID', hex('EVENTID', 0, 16, 'the event that an invalidation concerns')),
  ]),
  ITS_INV_EVENTR: linux32(0x10c, 'WO', 'ITS Invalidate Event Register', [
    flag('L1', 0, 'a level-1 entry, too'),
    oneOf('ITT_L2SZ', 1, 2, { 0: '4KB', 1: '16KB', 2: '64KB' }, 'size of a level-2 table'),
    flag('I', 31, 'invalidate'),
  ]),
  ITS_INV_DEVICER: linux32(0x110, 'WO', 'ITS Invalidate Device Register', [
    flag('L1', 0, 'a level-1 entry, too'),
    uint('EVENTID_BITS', 1, 5, 'bits of the EventIDs of the device'),
    flag('I', 31, 'invalidate'),
  ]),
  ITS_STATUSR: linux32(0x120, 'RO', 'ITS Status Register', [IDLE]),
  ITS_SYNCR: register64(0x140, 'WO', 'ITS Synchronize Register', LINUX, [
    naming('DeviceID', hex('DEVICEID', 0, 32, 'the device whose events are synchronized')),
    flag('SYNCALL', 32, 'all devices'),
    flag('SYNC', 63, 'synchronize'),
  ]),
  ITS_SYNC_STATUSR: linux32(0x148, 'RO', 'ITS Synchronize Status Register', [IDLE]),
} as const satisfies RegisterTable;

/** The configuration frame of an IWB, which turns wires into events of an ITS. */
export const IWB = {
  IWB_IDR0: linux32(0x0, 'RO', 'IWB Identification Register 0', [
    uint('IW_RANGE', 0, 11, 'wires, in units of 32, minus one'),
    uint('INT_DOMS', 11, 4, 'interrupt domains'),
  ]),
  IWB_CR0: linux32(0x80, 'RW', 'IWB Control Register 0', [
    flag('IWBEN', 0, 'the IWB is enabled'),
    flag('IDLE', 1, 'a change of IWBEN is complete'),
  ]),
  IWB_WENABLE_STATUSR: linux32(0xc0, 'RO', 'IWB Wire Enable Status Register', [IDLE]),
  IWB_WENABLER: register32(0x2000, 'RW', 'IWB Wire Enable Registers, a bit for each wire', LINUX, {
    count: 2048,
  }),
  IWB_WTMR: register32(0x4000, 'RW', 'IWB Wire Trigger Mode Registers, a bit for each wire', LINUX, {
    count: 2048,
  }),
} as const satisfies RegisterTable;
