// The record kinds of observables: what a GIC shows of itself (ids 64 to 95). A replay compares them.
import { SPURIOUS } from '../spec/index.ts';
import {
  deviceId,
  doublewords,
  eventId,
  field,
  group,
  hex,
  identifier,
  intid,
  its,
  priority,
  valid,
} from './fields.ts';
import type { RecordField, RecordKind } from './shape.ts';
import { CONFLICTS, GROUPS } from './values.ts';

const dte: readonly RecordField[] = [
  its,
  deviceId,
  valid,
  field('Size', 'u8', 'EventID bits minus one'),
  field('ITT_addr', 'pa', 'address of the Interrupt Translation Table', hex),
];
const cte: readonly RecordField[] = [
  its,
  field('ICID', 'u32', 'collection', hex),
  valid,
  field('RDbase', 'u32', 'processor number', hex),
];
const ite: readonly RecordField[] = [
  its,
  field('ITT_addr', 'pa', 'address of the Interrupt Translation Table', hex),
  eventId,
  valid,
  field('inttype', 'u8', '1 physical, 0 virtual'),
  field('INTID', 'u32', 'pINTID, or vINTID', {
    identifies: { by: 'inttype', is: { 0: 'vINTID', 1: 'INTID' } },
  }),
  field('ICID', 'u32', 'collection', hex),
  field('vPEID', 'u32', 'vPE', { ...hex, identifies: { by: 'inttype', is: { 0: 'vPEID' } } }),
  field('doorbell', 'u32', 'doorbell pINTID; 1023 if there is none', {
    identifies: { by: 'inttype', is: { 0: 'INTID' } },
    none: SPURIOUS,
  }),
];
const vte: readonly RecordField[] = [
  its,
  identifier('vPEID', 'vPEID', 'vPE', hex),
  valid,
  field('VPT_size', 'u8', 'vINTID bits minus one'),
  field('VPT_addr', 'pa', 'address of the virtual pending table', hex),
  field('RDbase', 'u32', 'processor number', hex),
];

export const OBSERVABLES = {
  hppi: {
    id: 64,
    class: 'observable',
    pe: 'target',
    fields: [
      intid,
      group,
      priority,
      field('FIQ', 'bool', 'the FIQ line to the PE'),
      field('IRQ', 'bool', 'the IRQ line to the PE'),
    ],
    doc: 'The highest-priority pending interrupt of a PE (INTID 1023, priority 255: none) and its interrupt lines.',
  },
  vhppi: {
    id: 65,
    class: 'observable',
    pe: 'target',
    fields: [
      field(
        'LR',
        'i32',
        'list register of the highest-priority pending virtual interrupt; 16 if it is the vLPI, -1 if there is none',
      ),
      identifier(
        'vINTID',
        'vLPI',
        'INTID of the highest-priority pending vLPI (or vSGI); 1023 if there is none',
        {
          none: SPURIOUS,
        },
      ),
      field('group', 'enum', 'group of that vLPI', { values: GROUPS }),
      field('priority', 'u8', 'priority of that vLPI; 255 if there is none', hex),
      field('vFIQ', 'bool', 'the virtual FIQ line to the PE'),
      field('vIRQ', 'bool', 'the virtual IRQ line to the PE'),
    ],
    doc: 'The highest-priority pending virtual interrupt of a PE and its virtual interrupt lines.',
  },
  maintenance: {
    id: 66,
    class: 'observable',
    pe: 'target',
    fields: [field('level', 'bool', 'asserted')],
    doc: 'The maintenance interrupt line of a PE.',
  },
  'its.command': {
    id: 67,
    class: 'observable',
    pe: 'none',
    fields: [
      its,
      field('index', 'u32', 'slot in the command queue, in units of 32 bytes'),
      field(
        'outcome',
        'u32',
        '0 executed; the command error code of IHI 0069 ("ITS command error encodings"); 0xff000004 the source does not show the command, 0xff000005 it does not show what decides the outcome',
        hex,
      ),
      field(
        'shown',
        'u32',
        'bit k set: the source contains the k-th operand of this command, counted as spec/its-command declares them',
        hex,
      ),
      ...doublewords,
    ],
    doc: 'An ITS executed or refused one command of its queue.',
  },
  'dte.read': {
    id: 70,
    class: 'observable',
    pe: 'none',
    fields: dte,
    doc: 'An ITS read a device table entry.',
  },
  'dte.write': {
    id: 71,
    class: 'observable',
    pe: 'none',
    fields: dte,
    doc: 'An ITS wrote a device table entry.',
  },
  'cte.read': {
    id: 72,
    class: 'observable',
    pe: 'none',
    fields: cte,
    doc: 'An ITS read a collection table entry.',
  },
  'cte.write': {
    id: 73,
    class: 'observable',
    pe: 'none',
    fields: cte,
    doc: 'An ITS wrote a collection table entry.',
  },
  'ite.read': {
    id: 74,
    class: 'observable',
    pe: 'none',
    fields: ite,
    doc: 'An ITS read an interrupt translation entry.',
  },
  'ite.write': {
    id: 75,
    class: 'observable',
    pe: 'none',
    fields: ite,
    doc: 'An ITS wrote an interrupt translation entry.',
  },
  'vte.read': { id: 76, class: 'observable', pe: 'none', fields: vte, doc: 'An ITS read a vPE table entry.' },
  'vte.write': {
    id: 77,
    class: 'observable',
    pe: 'none',
    fields: vte,
    doc: 'An ITS wrote a vPE table entry.',
  },
  'sgi.sent': {
    id: 78,
    class: 'observable',
    pe: 'target',
    fields: [intid],
    does: 'generate',
    doc: 'An SGI was made pending on a PE.',
  },
  'source.conflict': {
    id: 79,
    class: 'observable',
    pe: 'none',
    fields: [
      field('what', 'enum', 'the part of the access on which the two lines disagree', {
        values: CONFLICTS,
      }),
      field('told', 'u64', 'the value in the first line', hex),
      field('toldAgain', 'u64', 'the value in the second line', hex),
      field('firstLine', 'u32', 'the number of the first line; the record itself names the second line'),
    ],
    doc: 'Two lines of the source that describe one access contradict each other, or a line says something impossible. Replay always counts this as diverged.',
  },
} as const satisfies Record<string, RecordKind>;
