// The configuration frame of a GICv5 IWB, which turns input wires into events of an ITS. Pure data.
import { flag, hex, register32, uint } from '../declare.ts';
import type { FieldSpec, RegisterTable } from '../shape.ts';
import { DRIVERS, FREEBSD } from './evidence.ts';

const iwb32 = (
  offset: number,
  access: 'RO' | 'RW' | 'WO',
  doc: string,
  source: string,
  fields: readonly FieldSpec[],
) => register32(offset, access, doc, source, access === 'RO' ? { reset: 'impdef', fields } : { fields });

export const IWB = {
  IWB_IDR0: iwb32(0x0, 'RO', 'IWB Identification Register 0', DRIVERS, [
    uint('IW_RANGE', 0, 11, 'wires, in units of 32, minus one'),
    uint('INT_DOMS', 11, 4, 'interrupt domains'),
  ]),
  IWB_IIDR: iwb32(0x40, 'RO', 'IWB Implementer Identification Register', FREEBSD, [
    hex('IMPLEMENTER', 0, 12, 'JEP106 code'),
    uint('REVISION', 12, 4, 'minor revision'),
    uint('VARIANT', 16, 4, 'major revision'),
    hex('PRODUCTID', 20, 12, 'product'),
  ]),
  IWB_AIDR: iwb32(0x44, 'RO', 'IWB Architecture Identification Register', FREEBSD, [
    uint('ARCHMINORREV', 0, 4, 'minor revision of the architecture'),
    uint('ARCHMAJORREV', 4, 4, 'major revision of the architecture, 0 for GICv5'),
    uint('COMPONENT', 8, 4, 'component'),
  ]),
  IWB_CR0: iwb32(0x80, 'RW', 'IWB Control Register 0', DRIVERS, [
    flag('IWBEN', 0, 'the IWB is enabled'),
    flag('IDLE', 1, 'a change of IWBEN is complete'),
  ]),
  IWB_WENABLE_STATUSR: iwb32(0xc0, 'RO', 'IWB Wire Enable Status Register', DRIVERS, [
    flag('IDLE', 0, 'the effects of the writes before are complete'),
  ]),
  IWB_WRESAMPLER: iwb32(0xc8, 'WO', 'IWB Wire Resample Register', FREEBSD, [uint('IWI', 0, 16, 'the wire')]),
  IWB_WENABLER: register32(0x2000, 'RW', 'IWB Wire Enable Registers, a bit for each wire', DRIVERS, {
    count: 2048,
  }),
  IWB_WTMR: register32(
    0x4000,
    'RW',
    'IWB Wire Trigger Mode Registers, a bit for each wire: 1 is Level',
    DRIVERS,
    {
      count: 2048,
    },
  ),
} as const satisfies RegisterTable;
