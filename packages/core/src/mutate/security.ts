// Faults that show with two Security states only.
import { IRQ_ATTRIBUTES, RECORDS, SECURITY_STATES, UNITS } from '../record/index.ts';
import { SYSREGS } from '../spec/index.ts';
import { lostIf, type Mutation } from './mutation.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const REG_CHANGED = RECORDS['reg.changed'].id;
const PE_SECURITY = RECORDS['pe.security'].id;
const EL3 = SECURITY_STATES.indexOf('EL3');
const PRIORITY = IRQ_ATTRIBUTES.indexOf('priority');
const MODIFIER = IRQ_ATTRIBUTES.indexOf('grpmod');
const UNIT_ICC = UNITS.indexOf('ICC');
const PMR = SYSREGS.ICC_PMR_EL1.encoding;

export const SECURITY_MUTATIONS = {
  'priority-unshifted': {
    doc: 'a priority that Non-secure software writes is stored as it is, so that it may be a Secure one',
    heading: 'Software accesses of interrupt priority',
    onQemu: 'soon',
    securityStates: 2,
    fault: {
      event: ({ machine, kind, words }) => {
        if (kind === IRQ_CHANGED && words[1] === PRIORITY && !machine.secure)
          words[2] = (words[2]! << 1) & 0xff;
        return 'kept';
      },
    },
  },
  'pmr-unshifted': {
    doc: 'a priority mask that Non-secure software writes is stored as it is, whatever SCR_EL3.FIQ is',
    heading: 'ICC_PMR_EL1',
    onQemu: 'soon',
    securityStates: 2,
    fault: {
      event: ({ machine, kind, words }) => {
        const isMask = kind === REG_CHANGED && words[0] === UNIT_ICC && words[2] === PMR;
        if (isMask && !machine.secure && machine.state.fiqRouted[words[1]!])
          words[3] = (words[3]! << 1) & 0xff;
        return 'kept';
      },
    },
  },
  'grpmod-ignored': {
    doc: 'no interrupt gets into Secure Group 1',
    heading: 'GICD_IGRPMODR<n>',
    onQemu: 'soon',
    securityStates: 2,
    fault: {
      event: ({ kind, words }) => lostIf(kind === IRQ_CHANGED && words[1] === MODIFIER && words[2] !== 0),
    },
  },
  'el3-takes-irqs': {
    doc: 'at EL3 interrupts are signalled as in the Security state that the PE has left',
    heading: 'Interrupt grouping and security',
    onQemu: 'soon',
    securityStates: 2,
    fault: {
      event: ({ kind, words }) => lostIf(kind === PE_SECURITY && words[0] === EL3),
    },
  },
} as const satisfies Readonly<Record<string, Mutation>>;
