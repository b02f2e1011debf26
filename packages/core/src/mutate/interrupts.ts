// Faults of Distributor, Redistributors and CPU interface.
import { type Machine, privateIndex, sharedIndex } from '../model/index.ts';
import { IRQ_ATTRIBUTES, PEND_CAUSES, RECORDS, UNITS } from '../record/index.ts';
import { isPrivate, SPECIAL_FIRST, SYSREGS } from '../spec/index.ts';
import { lostIf, type Mutation } from './mutation.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const DROPPED = RECORDS['irq.dropped'].id;
const DEACTIVATED = RECORDS['irq.deactivated'].id;
const REG_CHANGED = RECORDS['reg.changed'].id;
const ENABLE = IRQ_ATTRIBUTES.indexOf('enable');
const PRIORITY = IRQ_ATTRIBUTES.indexOf('priority');
const BY_WIRE = PEND_CAUSES.indexOf('wire');
const BY_SGI = PEND_CAUSES.indexOf('sgi');
const BY_MESSAGE = PEND_CAUSES.indexOf('msi');
const UNIT_ICC = UNITS.indexOf('ICC');
const CTLR_EOIMODE = 2;
const FIRST_SPI = 32;

function isActive({ state }: Machine, pe: number, intid: number): boolean {
  const own = isPrivate(intid);
  const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  return ((own ? state.ppi : state.spi).active[index >> 5]! & (1 << (index & 31))) !== 0;
}

function hasActivePriority({ state }: Machine, pe: number): boolean {
  for (let n = 4 * pe; n < 4 * pe + 4; n++) if (state.ap0r[n]! | state.ap1r[n]!) return true;
  return false;
}

export const INTERRUPT_MUTATIONS = {
  'icenabler-ignored': {
    doc: 'an SPI that was enabled cannot be disabled again',
    heading: 'GICD_ICENABLER<n>',
    onQemu: 'soon',
    fault: {
      event: ({ kind, words }) =>
        lostIf(kind === IRQ_CHANGED && words[0]! >= FIRST_SPI && words[1] === ENABLE && words[2] === 0),
    },
  },
  'priority-four-bits': {
    doc: 'an SPI keeps four bits of its priority although five are implemented',
    heading: 'GICD_IPRIORITYR<n>',
    onQemu: 'soon',
    fault: {
      event: ({ kind, words }) => {
        if (kind === IRQ_CHANGED && words[0]! >= FIRST_SPI && words[1] === PRIORITY) words[2]! &= 0xf0;
        return 'kept';
      },
    },
  },
  'irouter-aff0': {
    doc: 'Aff0 of a route is dropped: SPIs go to the first PE of a cluster',
    heading: 'GICD_IROUTER<n>',
    onQemu: 'soon',
    fault: {
      event: ({ kind, words }) => {
        if (kind === IRQ_ROUTED) words[1] = (words[1]! & ~0xff) >>> 0;
        return 'kept';
      },
    },
  },
  'edge-not-latched': {
    doc: 'the rising edge of an edge-triggered SPI does not make it pending',
    heading: 'GICD_ICFGR<n>',
    onQemu: 'soon',
    fault: {
      event: ({ kind, words }) =>
        lostIf(kind === IRQ_PENDED && words[0]! >= FIRST_SPI && words[1] === BY_WIRE),
    },
  },
  'sgi-lost-while-active': {
    doc: 'an SGI that comes while it is active is lost instead of becoming active and pending',
    heading: 'Interrupt handling state machine',
    onQemu: 'soon',
    fault: {
      event: ({ kind, pe, words, machine }) =>
        lostIf(kind === IRQ_PENDED && words[1] === BY_SGI && isActive(machine, pe, words[0]!)),
    },
  },
  'pmr-unarbitrated': {
    doc: 'a new priority mask takes effect only once something else has changed',
    heading: 'ICC_PMR_EL1, Interrupt Controller Interrupt Priority Mask Register',
    onQemu: 'soon',
    fault: {
      event: ({ kind, words }) =>
        kind === REG_CHANGED && words[0] === UNIT_ICC && words[2] === SYSREGS.ICC_PMR_EL1.encoding
          ? 'unarbitrated'
          : 'kept',
    },
  },
  'preemption-forgotten': {
    doc: 'an interrupt that preempts another does not make its own priority active',
    heading: 'Preemption',
    onQemu: 'soon',
    fault: {
      event: ({ kind, pe, words, machine }) => {
        const { encoding } = SYSREGS.ICC_AP1R0_EL1;
        if (kind !== REG_CHANGED || words[0] !== UNIT_ICC || words[2] !== encoding) return 'kept';
        const old = machine.state.ap1r[4 * pe]!;
        // An additional bit means an acknowledge.
        const added = words[3]! & ~old;
        const acknowledges = added !== 0 && (added & (added - 1)) === 0 && (old & ~words[3]!) === 0;
        return lostIf(acknowledges && hasActivePriority(machine, pe));
      },
    },
  },
  'eoimode-ignored': {
    doc: 'an EOI deactivates the interrupt although ICC_CTLR_EL1.EOImode is 1',
    heading: 'ICC_EOIR1_EL1, Interrupt Controller End Of Interrupt Register 1',
    onQemu: 'soon',
    fault: {
      event: ({ kind, pe, words, machine, add }) => {
        const intid = words[0]!;
        if (kind === DROPPED && (machine.state.ctlr[pe]! & CTLR_EOIMODE) !== 0 && intid < SPECIAL_FIRST)
          if (isActive(machine, pe, intid)) add(DEACTIVATED, isPrivate(intid) ? pe : -1, intid);
        return 'kept';
      },
    },
  },
  'eoi-keeps-priority': {
    doc: 'an EOI does not drop the running priority',
    heading: 'Priority drop',
    onQemu: 'soon',
    fault: {
      event: ({ kind, pe, words, machine }) => {
        const { encoding } = SYSREGS.ICC_AP1R0_EL1;
        if (kind !== REG_CHANGED || words[0] !== UNIT_ICC || words[2] !== encoding) return 'kept';
        const old = machine.state.ap1r[4 * pe]!;
        // The lowest bit is the highest priority, which is the one that is dropped.
        return lostIf(words[3] === (old & (old - 1)) >>> 0);
      },
    },
  },
  'setspi-ignored': {
    doc: 'a message to GICD_SETSPI_NSR does not make its SPI pending',
    heading: 'GICD_SETSPI_NSR',
    onQemu: 'never',
    fault: {
      event: ({ kind, words }) =>
        lostIf(kind === IRQ_PENDED && words[0]! >= FIRST_SPI && words[1] === BY_MESSAGE),
    },
  },
} as const satisfies Readonly<Record<string, Mutation>>;
