// The record kinds of events inside a GICv5 (ids 133 to 159). State is the fold of these, of the events that a GICv3 has too,
// and of the observables.
import { field } from './fields.ts';
import type { RecordKind } from './shape.ts';
import { ITS_TABLES } from './values.ts';

const intid = field('INTID', 'u32', 'the interrupt: type in bits 31:29, ID in bits 23:0', {
  base: 'hex',
  identifies: 'INTID',
});

export const GICV5_EVENTS = {
  'iste.changed': {
    id: 133,
    class: 'event',
    pe: 'none',
    fields: [intid, field('ISTE', 'u32', 'the level-2 interrupt state table entry', { base: 'hex' })],
    doc: 'The state of an LPI changed, or the IRS has read it for the first time since the table became valid.',
  },
  'iste.forgotten': {
    id: 134,
    class: 'event',
    pe: 'none',
    fields: [],
    doc: 'The IRS dropped the state of all LPIs, because the interrupt state table is no longer valid.',
  },
  'int.acknowledged': {
    id: 135,
    class: 'event',
    pe: 'target',
    fields: [intid, field('priority', 'u8', 'its priority, which became active')],
    does: 'acknowledge',
    doc: 'A PE acknowledged an interrupt by GICR CDIA.',
  },
  'int.dropped': {
    id: 136,
    class: 'event',
    pe: 'target',
    fields: [field('priority', 'u8', 'the priority that was dropped')],
    doc: 'A PE dropped its running priority by GIC CDEOI.',
  },
  'cpuif.reset': {
    id: 137,
    class: 'event',
    pe: 'target',
    fields: [field('lines', 'bool', 'its level-sensitive PPIs are not pending, whatever their input lines')],
    doc: 'The CPU interface of a PE was reset.',
  },
  'irs.recalled': {
    id: 138,
    class: 'event',
    pe: 'target',
    fields: [],
    doc: 'A disabled IRS took back the interrupt that it had presented to a PE, and the implementation does not show that.',
  },
  'its.cached': {
    id: 139,
    class: 'event',
    pe: 'none',
    fields: [
      field('its', 'u32', 'index of the ITS'),
      field('table', 'enum', 'the table', { values: ITS_TABLES }),
      field('DeviceID', 'u32', 'the device', { base: 'hex', identifies: 'DeviceID' }),
      field('EventID', 'u32', 'the event; 0 for an entry of the device table', {
        identifies: { by: 'table', is: { 1: 'EventID' } },
      }),
      field('entry', 'u64', 'the entry, valid or not', { base: 'hex' }),
    ],
    doc: 'An ITS read a table entry and keeps it until software invalidates it.',
  },
  'its.forgotten': {
    id: 140,
    class: 'event',
    pe: 'none',
    fields: [
      field('its', 'u32', 'index of the ITS'),
      field('table', 'enum', 'the table', { values: ITS_TABLES }),
      field('DeviceID', 'u32', 'the device', { base: 'hex', identifies: 'DeviceID' }),
      field('EventID', 'u32', 'the event; 0 for an entry of the device table', {
        identifies: { by: 'table', is: { 1: 'EventID' } },
      }),
    ],
    doc: 'An ITS dropped an entry that it kept, because software invalidated it.',
  },
  'iwb.changed': {
    id: 141,
    class: 'event',
    pe: 'none',
    fields: [
      field('iwb', 'u32', 'index of the IWB'),
      field('wire', 'u16', 'input wire'),
      field('level', 'bool', 'asserted'),
    ],
    doc: 'The level of an input wire of an IWB changed.',
  },
} as const satisfies Record<string, RecordKind>;
