// The record kinds, each declared once. This table contains everything that a trace can contain.
import { type Identifier, SPURIOUS } from '../spec/index.ts';
import { CONTEXT_KINDS } from './context.ts';
import { GICV5_EVENTS } from './gicv5-events.ts';
import { GICV5_OBSERVABLES, GICV5_STIMULI, type Gicv5Only } from './gicv5-kinds.ts';
import { OPERATION_KINDS } from './operations.ts';
import type { RecordClass, RecordField, RecordKind } from './shape.ts';
import {
  ATTRIBUTE_NAMES,
  CONFLICTS,
  DROP_REASONS,
  FRAMES,
  GROUPS,
  IRQ_ATTRIBUTES,
  KNOWN_STATE,
  PEND_CAUSES,
  RESET_CAUSES,
  SEAMS,
  SECURITY_STATES,
  UNITS,
  UNPREDICTABLE,
  UNPREDICTABLE_NAMES,
} from './values.ts';

const f = (
  name: string,
  type: RecordField['type'],
  doc: string,
  extra: Partial<RecordField> = {},
): RecordField => ({
  name,
  type,
  doc,
  ...extra,
});
const hex = { base: 'hex' } as const;
/** A field whose value names something. The value `none` names nothing; the value `all` stands for all of that sort. */
const id = (
  identifies: Identifier,
  name: string,
  doc: string,
  extra: Partial<RecordField> = {},
): RecordField => f(name, 'u32', doc, { identifies, ...extra });

const intid = id('INTID', 'INTID', 'interrupt identifier; 1023 if there is none', { none: SPURIOUS });
const its = f('its', 'u32', 'index of the ITS, 0-based');
const deviceId = id('DeviceID', 'DeviceID', 'DeviceID', hex);
const eventId = id('EventID', 'EventID', 'EventID', hex);
const valid = f('valid', 'bool', 'the Valid bit');
const group = f('group', 'enum', 'interrupt group', { values: GROUPS });
const priority = f('priority', 'u8', 'priority, 0 (highest) to 255 (idle)', hex);

const vptAddress = f('VPT_addr', 'pa', 'address of the virtual pending table', hex);
const vintid = id('vINTID', 'vINTID', 'virtual INTID');

const mmio: readonly RecordField[] = [
  f('frame', 'enum', 'register frame', { values: FRAMES }),
  f(
    'instance',
    'u32',
    'GICR: index of the PE whose Redistributor it is; GITS, ITS: index of the ITS; IRS: 4 times its index, plus the interrupt domain (0 Secure, 1 Non-secure, 2 EL3, 3 Realm); otherwise 0',
  ),
  f('offset', 'u32', 'byte offset in the frame (GICR: SGI_base at 0x10000, VLPI_base at 0x20000)', hex),
  f('width', 'u8', 'bytes accessed: 1, 2, 4 or 8'),
  f('value', 'u64', 'the value written, or the value that the read returned', hex),
];
const sysreg: readonly RecordField[] = [
  f('register', 'sysreg', 'system register'),
  f('value', 'u64', 'the value written, or the value that the read returned', hex),
];
const doublewords: readonly RecordField[] = [
  f('dw0', 'u64', 'first doubleword of the command', hex),
  f('dw1', 'u64', 'second doubleword', hex),
  f('dw2', 'u64', 'third doubleword', hex),
  f('dw3', 'u64', 'fourth doubleword', hex),
];
const dte: readonly RecordField[] = [
  its,
  deviceId,
  valid,
  f('Size', 'u8', 'EventID bits minus one'),
  f('ITT_addr', 'pa', 'address of the Interrupt Translation Table', hex),
];
const cte: readonly RecordField[] = [
  its,
  f('ICID', 'u32', 'collection', hex),
  valid,
  f('RDbase', 'u32', 'processor number', hex),
];
const ite: readonly RecordField[] = [
  its,
  f('ITT_addr', 'pa', 'address of the Interrupt Translation Table', hex),
  eventId,
  valid,
  f('inttype', 'u8', '1 physical, 0 virtual'),
  f('INTID', 'u32', 'pINTID, or vINTID', { identifies: { by: 'inttype', is: { 0: 'vINTID', 1: 'INTID' } } }),
  f('ICID', 'u32', 'collection', hex),
  f('vPEID', 'u32', 'vPE', { ...hex, identifies: { by: 'inttype', is: { 0: 'vPEID' } } }),
  f('doorbell', 'u32', 'doorbell pINTID; 1023 if there is none', {
    identifies: { by: 'inttype', is: { 0: 'INTID' } },
    none: SPURIOUS,
  }),
];
const vte: readonly RecordField[] = [
  its,
  id('vPEID', 'vPEID', 'vPE', hex),
  valid,
  f('VPT_size', 'u8', 'vINTID bits minus one'),
  f('VPT_addr', 'pa', 'address of the virtual pending table', hex),
  f('RDbase', 'u32', 'processor number', hex),
];

export const RECORDS = {
  // ---- stimuli, with their responses -------------------------------------------------------------------
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
      f('address', 'pa', 'physical address', hex),
      f('width', 'u8', 'bytes written: 1, 2, 4 or 8'),
      f('value', 'u64', 'the value written, little-endian', hex),
    ],
    doc: 'Guest memory that the GIC may read was written (LPI configuration, table entry, pending table).',
  },
  'mem.known': {
    id: 6,
    class: 'stimulus',
    pe: 'none',
    fields: [
      f('address', 'pa', 'physical address of the first byte', hex),
      f('length', 'u32', 'bytes'),
      f('byte', 'u8', 'the value of each of these bytes', hex),
    ],
    doc: 'Not an action of the guest: from here on, the contents of these bytes are known. They have had this value since they were last written or became unknown.',
  },
  'mem.unknown': {
    id: 7,
    class: 'stimulus',
    pe: 'none',
    fields: [f('address', 'pa', 'physical address of the first byte', hex), f('length', 'u32', 'bytes')],
    doc: 'Not an action of the guest: from here on, the contents of these bytes are unknown, because the source does not contain them.',
  },
  'queue.write': {
    id: 8,
    class: 'stimulus',
    pe: 'accessor',
    fields: [its, f('address', 'pa', 'physical address of the command slot', hex), ...doublewords],
    doc: 'One 32-byte command was written into an ITS command queue in guest memory.',
  },
  'msi.write': {
    id: 9,
    class: 'stimulus',
    pe: 'none',
    fields: [its, deviceId, eventId, f('width', 'u8', 'bytes written: 2 or 4')],
    doc: 'A device wrote GITS_TRANSLATER. The DeviceID accompanies the write; the EventID is the data.',
  },
  'wire.set': {
    id: 10,
    class: 'stimulus',
    pe: 'target',
    fields: [intid, f('level', 'bool', 'asserted')],
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
      f('state', 'enum', 'the state in which the PE executes from here on', { values: SECURITY_STATES }),
      f('FIQ', 'bool', 'SCR_EL3.FIQ: physical FIQs are taken to EL3'),
    ],
    doc: 'With two Security states: a PE entered or left EL3, or its SCR_EL3.FIQ changed. This decides which of its pending interrupts are signalled as FIQs, and whether Non-secure software sees priorities shifted.',
  },
  'gic.reset': {
    id: 13,
    class: 'stimulus',
    pe: 'none',
    fields: [f('by', 'enum', 'who requested the reset', { values: RESET_CAUSES })],
    doc: 'The machine was reset. Distributor, Redistributors, ITSs and CPU interfaces are reset, and nothing is signalled. Guest memory keeps its contents. Whether input lines keep their levels is a choice of the profile.',
  },

  'state.known': {
    id: 16,
    class: 'stimulus',
    pe: 'target',
    fields: [
      f('what', 'enum', 'a register, or an attribute of an interrupt', { values: KNOWN_STATE }),
      f('unit', 'enum', 'for a register: the unit that contains it; otherwise GICD', { values: UNITS }),
      f('instance', 'u32', 'index of the PE (GICR, ICC, ICC_S, ICH) or of the ITS (GITS); otherwise 0'),
      f(
        'register',
        'u32',
        'byte offset in the frame; for ICC and ICH the system-register encoding; otherwise 0',
        hex,
      ),
      f('INTID', 'u32', 'for an attribute: the interrupt; otherwise 0', {
        identifies: { by: 'what', is: ATTRIBUTE_NAMES },
      }),
      f('value', 'u64', 'the stored value; 0 or 1 for an attribute of one bit', hex),
    ],
    doc: 'Not an action of the guest: the source reveals here that this part of the state has this value, and has had it since before the source began to show it. The source has no lines for what the PEs are signalled because of it.',
  },
  'source.seam': {
    id: 17,
    class: 'stimulus',
    pe: 'none',
    fields: [f('how', 'enum', 'how the source shows this', { values: SEAMS })],
    doc: 'Not an action of the guest: another source begins here and continues with the same GIC (the destination of a migration). Its host threads are other threads, and what it has printed before does not count.',
  },

  ...GICV5_STIMULI,

  ...OPERATION_KINDS,

  // ---- observables --------------------------------------------------------------------------------------
  hppi: {
    id: 64,
    class: 'observable',
    pe: 'target',
    fields: [
      intid,
      group,
      priority,
      f('FIQ', 'bool', 'the FIQ line to the PE'),
      f('IRQ', 'bool', 'the IRQ line to the PE'),
    ],
    doc: 'The highest-priority pending interrupt of a PE (INTID 1023, priority 255: none) and its interrupt lines.',
  },
  vhppi: {
    id: 65,
    class: 'observable',
    pe: 'target',
    fields: [
      f(
        'LR',
        'i32',
        'list register of the highest-priority pending virtual interrupt; 16 if it is the vLPI, -1 if there is none',
      ),
      id('vINTID', 'vLPI', 'INTID of the highest-priority pending vLPI (or vSGI); 1023 if there is none', {
        none: SPURIOUS,
      }),
      f('group', 'enum', 'group of that vLPI', { values: GROUPS }),
      f('priority', 'u8', 'priority of that vLPI; 255 if there is none', hex),
      f('vFIQ', 'bool', 'the virtual FIQ line to the PE'),
      f('vIRQ', 'bool', 'the virtual IRQ line to the PE'),
    ],
    doc: 'The highest-priority pending virtual interrupt of a PE and its virtual interrupt lines.',
  },
  maintenance: {
    id: 66,
    class: 'observable',
    pe: 'target',
    fields: [f('level', 'bool', 'asserted')],
    doc: 'The maintenance interrupt line of a PE.',
  },
  'its.command': {
    id: 67,
    class: 'observable',
    pe: 'none',
    fields: [
      its,
      f('index', 'u32', 'slot in the command queue, in units of 32 bytes'),
      f(
        'outcome',
        'u32',
        '0 executed; the command error code of IHI 0069 ("ITS command error encodings"); 0xff000004 the source does not show the command, 0xff000005 it does not show what decides the outcome',
        hex,
      ),
      f(
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
      f('what', 'enum', 'the part of the access on which the two lines disagree', {
        values: CONFLICTS,
      }),
      f('told', 'u64', 'the value in the first line', hex),
      f('toldAgain', 'u64', 'the value in the second line', hex),
      f('firstLine', 'u32', 'the number of the first line; the record itself names the second line'),
    ],
    doc: 'Two lines of the source that describe one access contradict each other, or a line says something impossible. Replay always counts this as diverged.',
  },

  ...GICV5_OBSERVABLES,

  // ---- events: state is the fold of these ----------------------------------------------------------------
  'reg.changed': {
    id: 96,
    class: 'event',
    pe: 'target',
    fields: [
      f('unit', 'enum', 'the unit that contains the register', { values: UNITS }),
      f('instance', 'u32', 'index of the PE (GICR, ICC, ICC_S) or of the ITS (GITS); otherwise 0'),
      f('register', 'u32', 'byte offset in the frame; for ICC the system-register encoding', hex),
      f('value', 'u64', 'the new stored value', hex),
    ],
    doc: 'A register took a new value.',
  },
  'pe.security': {
    id: 129,
    class: 'event',
    pe: 'target',
    fields: [f('state', 'enum', 'the state in which the PE executes', { values: SECURITY_STATES })],
    doc: 'A PE executes in another Security state, or at EL3. Its access to a system register revealed this, or it switched.',
  },
  'pe.routed': {
    id: 130,
    class: 'event',
    pe: 'target',
    fields: [f('FIQ', 'bool', 'SCR_EL3.FIQ')],
    doc: 'SCR_EL3.FIQ of a PE changed. While it is 1, Non-secure software cannot access registers of Group 0, and sees priorities shifted.',
  },
  'state.reset': {
    id: 131,
    class: 'event',
    pe: 'none',
    fields: [],
    doc: 'All state was reset, except guest memory and, under some profiles, the levels of input lines.',
  },
  'irq.changed': {
    id: 97,
    class: 'event',
    pe: 'target',
    fields: [
      intid,
      f('attribute', 'enum', 'which attribute', { values: IRQ_ATTRIBUTES }),
      f('value', 'u8', 'the new value'),
    ],
    doc: 'The configuration of an SGI, PPI or SPI changed.',
  },
  'irq.routed': {
    id: 98,
    class: 'event',
    pe: 'none',
    fields: [intid, f('route', 'u64', 'GICD_IROUTER<n>', hex)],
    doc: 'An SPI was routed to another PE.',
  },
  'wire.changed': {
    id: 99,
    class: 'event',
    pe: 'target',
    fields: [intid, f('level', 'bool', 'asserted')],
    doc: 'An input line changed its level.',
  },
  'irq.pended': {
    id: 100,
    class: 'event',
    pe: 'target',
    fields: [intid, f('cause', 'enum', 'what made it pending', { values: PEND_CAUSES })],
    doc: 'The pending state (latch) of an SGI, PPI or SPI was set.',
  },
  'irq.unpended': {
    id: 101,
    class: 'event',
    pe: 'target',
    fields: [intid],
    doc: 'The pending state (latch) of an SGI, PPI or SPI was cleared.',
  },
  'irq.activated': {
    id: 102,
    class: 'event',
    pe: 'target',
    fields: [intid],
    doc: 'An SGI, PPI or SPI became active.',
  },
  'irq.deactivated': {
    id: 103,
    class: 'event',
    pe: 'target',
    fields: [intid],
    does: 'deactivate',
    doc: 'An SGI, PPI or SPI ceased to be active.',
  },
  'irq.acknowledged': {
    id: 104,
    class: 'event',
    pe: 'target',
    fields: [intid, group, priority],
    does: 'acknowledge',
    doc: 'A PE acknowledged an interrupt. Its group priority became active.',
  },
  'irq.dropped': {
    id: 105,
    class: 'event',
    pe: 'target',
    fields: [intid, group, priority],
    does: 'end',
    doc: 'A PE dropped its running priority by an EOI. INTID is the value that was written; priority is the group priority that was dropped.',
  },
  'lpi.pended': {
    id: 107,
    class: 'event',
    pe: 'target',
    fields: [
      intid,
      f('cause', 'enum', 'what made it pending', { values: PEND_CAUSES }),
      f('config', 'u8', 'the configuration byte that the Redistributor has read', hex),
      f('known', 'bool', 'whether that byte is known'),
    ],
    doc: 'An LPI became pending on a PE.',
  },
  'lpi.cleared': {
    id: 108,
    class: 'event',
    pe: 'target',
    fields: [intid],
    doc: 'An LPI ceased to be pending on a PE.',
  },
  'lpi.configured': {
    id: 109,
    class: 'event',
    pe: 'target',
    fields: [
      intid,
      f('config', 'u8', 'the configuration byte', hex),
      f('known', 'bool', 'whether that byte is known'),
    ],
    doc: 'A Redistributor read the configuration of an LPI, for the first time or again.',
  },
  'lpi.forgotten': {
    id: 110,
    class: 'event',
    pe: 'target',
    fields: [{ ...intid, all: 0 }],
    doc: 'A Redistributor dropped its cached configuration of an LPI. INTID 0: it dropped everything that it had cached about LPIs, including the pending state, which stays in the pending table.',
  },
  'mem.written': {
    id: 111,
    class: 'event',
    pe: 'none',
    fields: [
      f('address', 'pa', 'physical address', hex),
      f('width', 'u8', 'bytes: 1, 2, 4 or 8'),
      f('value', 'u64', 'the value', hex),
    ],
    doc: 'Guest memory was written by the GIC or by a stimulus.',
  },
  'mem.marked': {
    id: 112,
    class: 'event',
    pe: 'none',
    fields: [
      f('address', 'pa', 'physical address of the first byte', hex),
      f('length', 'u32', 'bytes'),
      f('known', 'bool', '1: known from here on; 0: unknown'),
      f('byte', 'u8', 'the value of each byte, if known', hex),
    ],
    doc: 'What is known about the contents of guest memory changed. The memory itself did not change.',
  },
  'msi.translated': {
    id: 113,
    class: 'event',
    pe: 'target',
    fields: [its, deviceId, eventId, id('INTID', 'INTID', 'the LPI'), f('ICID', 'u32', 'collection', hex)],
    doc: 'An MSI was translated into an LPI for a PE.',
  },
  'msi.dropped': {
    id: 114,
    class: 'event',
    pe: 'none',
    fields: [its, deviceId, eventId, f('reason', 'enum', 'why', { values: DROP_REASONS })],
    doc: 'An MSI, or an INT, CLEAR or INV command, had no effect.',
  },
  'msi.undecided': {
    id: 132,
    class: 'event',
    pe: 'none',
    fields: [its, deviceId, eventId],
    doc: 'The source does not show a table entry that decides what became of an MSI: whether an LPI is pending for it, and where, is unknown.',
  },
  'access.reserved': {
    id: 115,
    class: 'event',
    pe: 'accessor',
    fields: [
      f('frame', 'enum', 'register frame', { values: FRAMES }),
      f('instance', 'u32', 'as in mmio.read'),
      f('offset', 'u32', 'byte offset in the frame', hex),
      f('width', 'u8', 'bytes accessed'),
      f('write', 'bool', 'a write'),
    ],
    doc: 'The access was to a reserved location, or to a register with the wrong width or direction: RAZ/WI.',
  },
  'memory.assumed': {
    id: 116,
    class: 'event',
    pe: 'none',
    fields: [
      f('address', 'pa', 'physical address', hex),
      f('width', 'u8', 'bytes'),
      f('assumed', 'u64', 'the value that the model assumed', hex),
    ],
    doc: 'The model read guest memory whose contents the source does not contain, and assumed this value.',
  },
  'vlpi.pended': {
    id: 117,
    class: 'event',
    pe: 'target',
    fields: [
      vptAddress,
      vintid,
      f('cause', 'enum', 'what made it pending', { values: PEND_CAUSES }),
      f(
        'config',
        'u8',
        'the configuration byte that the Redistributor has read; 0 if the vPE is not resident',
        hex,
      ),
      f('known', 'bool', 'whether that byte is known'),
    ],
    doc: 'A vLPI (or vSGI) became pending in a virtual pending table. PE: the PE on which the vPE is resident, or none.',
  },
  'vlpi.cleared': {
    id: 118,
    class: 'event',
    pe: 'target',
    fields: [vptAddress, vintid],
    doc: 'A vLPI (or vSGI) ceased to be pending in a virtual pending table. PE as in vlpi.pended.',
  },
  'vlpi.loaded': {
    id: 119,
    class: 'event',
    pe: 'target',
    fields: [
      vintid,
      f('config', 'u8', 'the configuration byte', hex),
      f('known', 'bool', 'whether that byte is known'),
    ],
    doc: 'A Redistributor read a pending vLPI of its resident vPE, with its configuration, for the first time or again.',
  },
  'vlpi.forgotten': {
    id: 120,
    class: 'event',
    pe: 'target',
    fields: [{ ...vintid, all: 0 }],
    doc: 'A Redistributor dropped its cached configuration of a vLPI (vINTID 0: of all vLPIs that are not pending).',
  },
  'vpe.resident': {
    id: 121,
    class: 'event',
    pe: 'target',
    fields: [
      vptAddress,
      id('vPEID', 'vPEID', 'vPE; 0xffffffff if the Redistributor does not know it (GICv4.0)', {
        ...hex,
        none: 0xffff_ffff,
      }),
      valid,
      f('VCONF_addr', 'pa', 'address of the virtual configuration table', hex),
      f('IDbits', 'u8', 'vINTID bits of the tables'),
    ],
    doc: 'A vPE became resident on a PE (valid), or ceased to be.',
  },
  'doorbell.rung': {
    id: 122,
    class: 'event',
    pe: 'target',
    fields: [id('INTID', 'INTID', 'the doorbell LPI'), vptAddress, vintid],
    doc: 'A vLPI became pending for a vPE that is not resident, so its doorbell was made pending on the PE.',
  },
  'vmsi.translated': {
    id: 123,
    class: 'event',
    pe: 'target',
    fields: [its, deviceId, eventId, vintid, id('vPEID', 'vPEID', 'vPE', hex)],
    doc: 'An MSI was translated into a vLPI. PE: the PE to which the vPE is mapped.',
  },
  'virq.acknowledged': {
    id: 124,
    class: 'event',
    pe: 'target',
    fields: [
      id('vINTID', 'INTID', 'virtual INTID'),
      group,
      priority,
      f('LR', 'i32', 'its list register; -1 for a vLPI'),
    ],
    does: 'acknowledge',
    doc: 'The virtual machine on a PE acknowledged a virtual interrupt.',
  },
  'virq.dropped': {
    id: 125,
    class: 'event',
    pe: 'target',
    fields: [
      id('vINTID', 'INTID', 'virtual INTID that was written'),
      group,
      f('priority', 'u8', 'the group priority that was dropped', hex),
    ],
    does: 'end',
    doc: 'The virtual machine on a PE dropped its virtual running priority by an EOI.',
  },
  'virq.deactivated': {
    id: 126,
    class: 'event',
    pe: 'target',
    fields: [id('vINTID', 'INTID', 'virtual INTID'), f('LR', 'i32', 'its list register')],
    does: 'deactivate',
    doc: 'A virtual interrupt in a list register ceased to be active.',
  },
  'serror.raised': {
    id: 127,
    class: 'event',
    pe: 'none',
    fields: [its, f('outcome', 'u32', 'the command error', hex)],
    doc: 'An ITS reported a command error as an SError.',
  },
  'behaviour.unpredictable': {
    id: 128,
    class: 'event',
    pe: 'none',
    fields: [
      f('what', 'enum', 'what software did', { values: UNPREDICTABLE }),
      f('instance', 'u32', 'index of the PE whose Redistributor is concerned, or of the ITS'),
      f('detail', 'u32', 'the INTID, EventID, vPEID or register offset concerned', {
        ...hex,
        identifies: { by: 'what', is: UNPREDICTABLE_NAMES },
      }),
    ],
    doc: 'Software did something that is UNPREDICTABLE; the profile chose the effect.',
  },

  ...GICV5_EVENTS,

  ...CONTEXT_KINDS,
} as const satisfies Record<string, RecordKind>;

export type RecordName = keyof typeof RECORDS;

/** The ids of the kinds of a class, as a type: a `switch` over them whose default `satisfies never` leaves out none. */
export type IdOf<Class extends RecordClass> = Extract<
  (typeof RECORDS)[RecordName],
  { readonly class: Class }
>['id'];

/** As {@link IdOf}, of the kinds that a GICv3 or GICv4 can have. */
export type Gicv3IdOf<Class extends RecordClass> = Exclude<IdOf<Class>, (typeof RECORDS)[Gicv5Only]['id']>;

/** Flags of a record: a bit set. */
export const RECORD_FLAGS = {
  /** The source reported the access as to a reserved or wrong-width location. */
  reserved: 1,
  /** The source does not contain the value that the access returned. */
  valueUnknown: 2,
  /** A Secure access. At EL3, an access with SCR_EL3.NS = 0, to the Secure instances of banked system registers. */
  secure: 4,
  /** The source contains this access twice, and both lines agree. */
  confirmed: 8,
  /** An access to a system register from EL3, which is Secure. Accesses to registers named _EL3 need no flag. */
  el3: 16,
  /**
   * The source does not show which PE it was, and nothing in it decides. The record names a PE with which the source
   * contradicts itself nowhere, so that it can be replayed; whoever answers questions says that the PE is unknown.
   */
  peUndecided: 32,
  /**
   * The source does not contain the state that decides what the access returned or did, or this record is the first to
   * reveal that state. The record is therefore neither compared nor used for a finding.
   */
  undecided: 128,
} as const;
