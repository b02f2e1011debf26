// The record kinds of stimuli, with their responses: what PEs, devices and input lines do to a GIC, and what the source reveals
// of its state (ids 1 to 31).
import { deviceId, doublewords, eventId, field, hex, intid, its } from './fields.ts';
import type { RecordField, RecordKind } from './shape.ts';
import {
  ATTRIBUTE_NAMES,
  FRAMES,
  KNOWN_STATE,
  RESET_CAUSES,
  SEAMS,
  SECURITY_STATES,
  UNITS,
} from './values.ts';

const mmio: readonly RecordField[] = [
  field('frame', 'enum', 'register frame', { values: FRAMES }),
  field(
    'instance',
    'u32',
    'GICR: index of the PE whose Redistributor it is; GITS, ITS: index of the ITS; IRS: 4 times its index, plus the interrupt domain (0 Secure, 1 Non-secure, 2 EL3, 3 Realm); otherwise 0',
  ),
  field('offset', 'u32', 'byte offset in the frame (GICR: SGI_base at 0x10000, VLPI_base at 0x20000)', hex),
  field('width', 'u8', 'bytes accessed: 1, 2, 4 or 8'),
  field('value', 'u64', 'the value written, or the value that the read returned', hex),
];
const sysreg: readonly RecordField[] = [
  field('register', 'sysreg', 'system register'),
  field('value', 'u64', 'the value written, or the value that the read returned', hex),
];

export const STIMULI = {
  'mmio.read': {
    id: 1,
    class: 'stimulus',
    pe: 'accessor',
    fields: mmio,
    doc: 'A PE (or a device) read a GIC register.',
  },
  'mmio.write': {
    id: 2,
    class: 'stimulus',
    pe: 'accessor',
    fields: mmio,
    doc: 'A PE (or a device) wrote a GIC register.',
  },
  'sysreg.read': {
    id: 3,
    class: 'stimulus',
    pe: 'accessor',
    fields: sysreg,
    doc: 'A PE read an ICC, ICV or ICH system register, or executed a GICR instruction, which acknowledges.',
  },
  'sysreg.write': {
    id: 4,
    class: 'stimulus',
    pe: 'accessor',
    fields: sysreg,
    doc: 'A PE wrote an ICC, ICV or ICH system register, or executed a GIC instruction with this operand.',
  },
  'mem.write': {
    id: 5,
    class: 'stimulus',
    pe: 'accessor',
    fields: [
      field('address', 'pa', 'physical address', hex),
      field('width', 'u8', 'bytes written: 1, 2, 4 or 8'),
      field('value', 'u64', 'the value written, little-endian', hex),
    ],
    doc: 'Guest memory that the GIC may read was written (LPI configuration, table entry, pending table).',
  },
  'mem.known': {
    id: 6,
    class: 'stimulus',
    pe: 'none',
    fields: [
      field('address', 'pa', 'physical address of the first byte', hex),
      field('length', 'u32', 'bytes'),
      field('byte', 'u8', 'the value of each of these bytes', hex),
    ],
    doc: 'Not an action of the guest: from here on, the contents of these bytes are known. They have had this value since they were last written or became unknown.',
  },
  'mem.unknown': {
    id: 7,
    class: 'stimulus',
    pe: 'none',
    fields: [
      field('address', 'pa', 'physical address of the first byte', hex),
      field('length', 'u32', 'bytes'),
    ],
    doc: 'Not an action of the guest: from here on, the contents of these bytes are unknown, because the source does not contain them.',
  },
  'queue.write': {
    id: 8,
    class: 'stimulus',
    pe: 'accessor',
    fields: [its, field('address', 'pa', 'physical address of the command slot', hex), ...doublewords],
    doc: 'One 32-byte command was written into an ITS command queue in guest memory.',
  },
  'msi.write': {
    id: 9,
    class: 'stimulus',
    pe: 'none',
    fields: [its, deviceId, eventId, field('width', 'u8', 'bytes written: 2 or 4')],
    doc: 'A device wrote GITS_TRANSLATER. The DeviceID accompanies the write; the EventID is the data.',
  },
  'wire.set': {
    id: 10,
    class: 'stimulus',
    pe: 'target',
    fields: [intid, field('level', 'bool', 'asserted')],
    doc: 'An input line went high or low. PE: the owner of a PPI, none for an SPI.',
  },

  'pe.reset': {
    id: 11,
    class: 'stimulus',
    pe: 'target',
    fields: [],
    doc: 'A PE was reset (power-on, PSCI CPU_ON). Its CPU interface is reset; its Redistributor is not affected.',
  },
  'pe.switch': {
    id: 12,
    class: 'stimulus',
    pe: 'target',
    fields: [
      field('state', 'enum', 'the state in which the PE executes from here on', { values: SECURITY_STATES }),
      field('FIQ', 'bool', 'SCR_EL3.FIQ: physical FIQs are taken to EL3'),
    ],
    doc: 'With two Security states: a PE entered or left EL3, or its SCR_EL3.FIQ changed. This decides which of its pending interrupts are signalled as FIQs, and whether Non-secure software sees priorities shifted.',
  },
  'gic.reset': {
    id: 13,
    class: 'stimulus',
    pe: 'none',
    fields: [field('by', 'enum', 'who requested the reset', { values: RESET_CAUSES })],
    doc: 'The machine was reset. Distributor, Redistributors, ITSs and CPU interfaces are reset, and nothing is signalled. Guest memory keeps its contents. Whether input lines keep their levels is a choice of the profile.',
  },

  'state.known': {
    id: 16,
    class: 'stimulus',
    pe: 'target',
    fields: [
      field('what', 'enum', 'a register, or an attribute of an interrupt', { values: KNOWN_STATE }),
      field('unit', 'enum', 'for a register: the unit that contains it; otherwise GICD', { values: UNITS }),
      field('instance', 'u32', 'index of the PE (GICR, ICC, ICC_S, ICH) or of the ITS (GITS); otherwise 0'),
      field(
        'register',
        'u32',
        'byte offset in the frame; for ICC and ICH the system-register encoding; otherwise 0',
        hex,
      ),
      field('INTID', 'u32', 'for an attribute: the interrupt; otherwise 0', {
        identifies: { by: 'what', is: ATTRIBUTE_NAMES },
      }),
      field('value', 'u64', 'the stored value; 0 or 1 for an attribute of one bit', hex),
    ],
    doc: 'Not an action of the guest: the source reveals here that this part of the state has this value, and has had it since before the source began to show it. The source has no lines for what the PEs are signalled because of it.',
  },
  'source.seam': {
    id: 17,
    class: 'stimulus',
    pe: 'none',
    fields: [field('how', 'enum', 'how the source shows this', { values: SEAMS })],
    doc: 'Not an action of the guest: another source begins here and continues with the same GIC (the destination of a migration). Its host threads are other threads, and what it has printed before does not count.',
  },
} as const satisfies Record<string, RecordKind>;
