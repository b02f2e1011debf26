// Named faults that can be planted into a GICv5, to see that a comparison finds them. A fault sees each event before it takes
// effect, and may lose or change it; the model itself is not affected.
import { GicTraceError } from '../errors.ts';
import { IRQ_ATTRIBUTES, RECORD_WORDS, RECORDS, UNITS } from '../record/index.ts';
import { GICV5_SYSREGS, GICV5_TYPES, gicv5Type } from '../spec/gicv5/index.ts';
import { ISTE } from './ist.ts';
import type { Gicv5Machine } from './machine.ts';

const IRQ_CHANGED = RECORDS['irq.changed'].id;
const IRQ_ROUTED = RECORDS['irq.routed'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const IRQ_DEACTIVATED = RECORDS['irq.deactivated'].id;
const ISTE_CHANGED = RECORDS['iste.changed'].id;
const DROPPED = RECORDS['int.dropped'].id;
const ACKNOWLEDGED = RECORDS['int.acknowledged'].id;
const REG_CHANGED = RECORDS['reg.changed'].id;
const UNIT_ICC = UNITS.indexOf('ICC');
const PRIORITY = IRQ_ATTRIBUTES.indexOf('priority');
const HM = IRQ_ATTRIBUTES.indexOf('HM');
const PCR = GICV5_SYSREGS.ICC_PCR_EL1.encoding;
const { PPI, SPI } = GICV5_TYPES;

export interface Gicv5Mutation {
  /** What is wrong. */
  readonly doc: string;
  /** Changes the words of an event, or returns true if the event is lost. */
  readonly loses: (kind: number, words: Uint32Array) => boolean;
}

const isOf = (type: number, words: Uint32Array) => gicv5Type(words[0]!) === type;

export const GICV5_MUTATIONS: Readonly<Record<string, Gicv5Mutation>> = {
  'cdpri-ignored': {
    doc: 'GIC CDPRI does not change the priority of an SPI',
    loses: (kind, words) => kind === IRQ_CHANGED && isOf(SPI, words) && words[1] === PRIORITY,
  },
  'cdhm-ignored': {
    doc: 'the handling mode of an SPI never changes',
    loses: (kind, words) => kind === IRQ_CHANGED && isOf(SPI, words) && words[1] === HM,
  },
  'cdaff-ignored': {
    doc: 'GIC CDAFF does not route an SPI',
    loses: (kind) => kind === IRQ_ROUTED,
  },
  'cddi-ignores-spis': {
    doc: 'GIC CDDI leaves an SPI active',
    loses: (kind, words) => kind === IRQ_DEACTIVATED && isOf(SPI, words),
  },
  'cddi-ignores-ppis': {
    doc: 'GIC CDDI leaves a PPI active',
    loses: (kind, words) => kind === IRQ_DEACTIVATED && isOf(PPI, words),
  },
  'spi-not-active': {
    doc: 'an SPI that is acknowledged does not become active',
    loses: (kind, words) => kind === IRQ_ACTIVATED && isOf(SPI, words),
  },
  'lpi-not-active': {
    doc: 'an LPI does not become active',
    loses: (kind, words) => {
      if (kind === ISTE_CHANGED) words[1]! &= ~ISTE.active;
      return false;
    },
  },
  'lpi-priority-zero': {
    doc: 'LPIs have the highest priority, whatever GIC CDPRI says',
    loses: (kind, words) => {
      if (kind === ISTE_CHANGED) words[1]! &= ~ISTE.priorityMask;
      return false;
    },
  },
  'ppi-stays-pending': {
    doc: 'a PPI stays pending when its input line goes low',
    loses: (kind, words) => kind === IRQ_UNPENDED && isOf(PPI, words),
  },
  'cdeoi-ignored': {
    doc: 'GIC CDEOI does not drop the running priority',
    loses: (kind) => kind === DROPPED,
  },
  'priority-not-active': {
    doc: 'an acknowledge does not raise the running priority',
    loses: (kind) => kind === ACKNOWLEDGED,
  },
  'pcr-ignored': {
    doc: 'ICC_PCR_EL1 masks nothing that it did not mask before',
    loses: (kind, words) => kind === REG_CHANGED && words[0] === UNIT_ICC && words[2] === PCR,
  },
};

/** Plants a named fault into a machine that has none. @throws GicTraceError `usage` for an unknown name. */
export function plantGicv5Mutation(machine: Gicv5Machine, name: string): void {
  const mutation = Object.hasOwn(GICV5_MUTATIONS, name) ? GICV5_MUTATIONS[name] : undefined;
  if (mutation === undefined)
    throw new GicTraceError(
      'usage',
      `no fault '${name}' of a GICv5`,
      {},
      `give one of ${Object.keys(GICV5_MUTATIONS).join(', ')}`,
    );
  const words = new Uint32Array(RECORD_WORDS);
  const emit = machine.emit.bind(machine);
  machine.emit = (kind, pe, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0) => {
    words.set([a, b, c, d, e, f, g, h]);
    if (mutation.loses(kind, words)) return;
    const [p, q, r, s, t, u, v, w] = words;
    emit(kind, pe, p, q, r, s, t, u, v, w);
  };
}
