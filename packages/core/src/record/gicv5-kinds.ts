// The record kinds that only a GICv5 has. Accesses, instructions, input lines and resets have the same kinds as those of a
// GICv3. An INTID of a GICv5 has its type in bits 31:29 (spec/gicv5/intid).
import { DOMAINS } from '../spec/index.ts';
import { field } from './fields.ts';
import type { GICV5_EVENTS } from './gicv5-events.ts';
import type { RecordKind } from './shape.ts';
import { CPUIF_PARTS, IRS_REFUSALS } from './values.ts';

const domain = field('domain', 'enum', 'interrupt domain', { values: DOMAINS });
const intid = field('INTID', 'u32', 'the interrupt: type in bits 31:29, ID in bits 23:0', {
  base: 'hex',
  identifies: 'INTID',
});
const pending = field('INTID', 'u32', 'the interrupt; 0 if there is none', {
  base: 'hex',
  identifies: 'INTID',
  none: 0,
});
const priority = field('priority', 'u8', 'its priority, 0 (highest) to 31; 255 if there is none');
const iaffid = field('IAFFID', 'u32', 'interrupt affinity identifier of the PE');

export const GICV5_STIMULI = {
  'cpuif.unseen': {
    id: 18,
    class: 'stimulus',
    pe: 'accessor',
    fields: [field('part', 'enum', 'what it can have been', { values: CPUIF_PARTS })],
    doc: 'A PE wrote a register of its GICv5 CPU interface; the source shows that by the effects, and has neither register nor value. What the effects prove follows as state.known.',
  },
  'iwb.wire': {
    id: 19,
    class: 'stimulus',
    pe: 'none',
    fields: [
      field('iwb', 'u32', 'index of the IWB'),
      field('wire', 'u16', 'input wire of the IWB; the EventID of its events'),
      field('level', 'bool', 'asserted'),
    ],
    doc: 'An input wire of an IWB went high or low.',
  },
} as const satisfies Record<string, RecordKind>;

export const GICV5_OBSERVABLES = {
  'irs.hppi': {
    id: 80,
    class: 'observable',
    pe: 'target',
    fields: [domain, iaffid, pending, priority],
    doc: 'The highest-priority pending SPI or LPI that an IRS presents to a PE in an interrupt domain.',
  },
  'ppi.hppi': {
    id: 81,
    class: 'observable',
    pe: 'target',
    fields: [domain, pending, priority],
    doc: 'The highest-priority pending PPI of a PE in an interrupt domain.',
  },
  'cpuif.signal': {
    id: 82,
    class: 'observable',
    pe: 'target',
    fields: [
      field('IRQ', 'bool', 'IRQ'),
      field('FIQ', 'bool', 'FIQ'),
      field('NMI', 'bool', 'IRQ with superpriority'),
    ],
    doc: 'What a GICv5 CPU interface signals to its PE.',
  },
  'irs.refused': {
    id: 83,
    class: 'observable',
    pe: 'none',
    fields: [domain, iaffid, field('reason', 'enum', 'why', { values: IRS_REFUSALS })],
    doc: 'An IRS presents no interrupt for this IAFFID.',
  },
  'ist.changed': {
    id: 84,
    class: 'observable',
    pe: 'none',
    fields: [
      domain,
      field('valid', 'bool', 'the table exists; if not, the other fields are 0'),
      field('address', 'pa', 'physical address', { base: 'hex' }),
      field('idBits', 'u8', 'bits of the ID of an LPI'),
      field('l2IndexBits', 'u8', 'bits of the ID that are the index in a level-2 table'),
      field('entryBytes', 'u8', 'bytes of an entry'),
      field('twoLevel', 'bool', 'the table has two levels'),
    ],
    doc: 'The interrupt state table of an interrupt domain became valid, or ceased to be.',
  },
  'irs.activated': {
    id: 85,
    class: 'observable',
    pe: 'none',
    fields: [domain, intid],
    doc: 'An IRS was told that an SPI or LPI became active, because a PE acknowledged it.',
  },
  'irs.deactivated': {
    id: 86,
    class: 'observable',
    pe: 'none',
    fields: [domain, intid],
    doc: 'An IRS was told that an SPI or LPI ceased to be active.',
  },
  'irs.config': {
    id: 87,
    class: 'observable',
    pe: 'none',
    fields: [domain, intid, field('ICSR', 'u64', 'the value that ICC_ICSR_EL1 takes', { base: 'hex' })],
    doc: 'An IRS answered a request for the configuration of an interrupt.',
  },
  'spi.state': {
    id: 88,
    class: 'observable',
    pe: 'none',
    fields: [
      intid,
      field('level', 'bool', 'the input line is asserted'),
      field('pending', 'bool', 'pending'),
      field('active', 'bool', 'active'),
    ],
    doc: 'The state of an SPI after its input line changed, or was sampled again.',
  },
} as const satisfies Record<string, RecordKind>;

/** The kinds that no GICv3 or GICv4 has. */
export type Gicv5Only =
  | keyof typeof GICV5_STIMULI
  | keyof typeof GICV5_OBSERVABLES
  | keyof typeof GICV5_EVENTS;
