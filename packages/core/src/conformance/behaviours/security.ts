// Two Security states. Accesses are Non-secure unless they say otherwise.
import type { Guest } from '../guest.ts';
import { type Behaviour, points } from '../shape.ts';

const base = { feature: 'Security', needs: ['two Security states'] } as const;
const SPURIOUS = 1023;

/** Secure firmware enables all groups and gives PE 0 its interrupts; SPI 40 is Group 0, 41 Secure Group 1, 42 Non-secure. */
const boot = (g: Guest): Guest => {
  g.asSecure(() => {
    g.gicd('GICD_CTLR', 7);
    g.gicr(0, 'GICR_WAKER', 0);
    g.gicd('GICD_IGROUPR', 0x400, 1);
    g.gicd('GICD_IGRPMODR', 0x200, 1);
    g.gicd('GICD_ICFGR', 0x002a_0000, 2);
    for (const intid of [40, 41, 42]) g.gicd('GICD_IPRIORITYR', intid === 42 ? 0xc0 : 0x40, intid);
    g.gicd('GICD_ISENABLER', 0x700, 1);
    g.write(0, 'ICC_PMR_EL1', 0xf8);
    g.write(0, 'ICC_IGRPEN0_EL1', 1);
    g.write(0, 'ICC_IGRPEN1_EL1', 1);
  });
  g.write(0, 'ICC_IGRPEN1_EL1', 1);
  return g;
};

export const security: readonly Behaviour[] = [
  {
    ...base,
    id: 'sec.ctlr-views',
    title: 'a Non-secure access sees and writes its own enable alone; DS, and Secure enables, are Secure',
    source: 'GICD_CTLR',
    expected: { architecture: 'conforms' },
    run(g) {
      g.gicd('GICD_CTLR', 0xff);
      const secure = g.asSecure(() => g.gicd('GICD_CTLR'));
      const own = g.gicd('GICD_CTLR');
      return points({
        'Group 0 is not enabled': (secure & 5) === 0,
        'its own is': (secure & 2) !== 0,
        'DS stays 0': (secure & 0x40) === 0,
        'its view has ARE_NS': (own & 0x10) !== 0,
      });
    },
  },
  {
    ...base,
    id: 'sec.secure-interrupts-raz-wi',
    title: 'bits of Group 0 and Secure Group 1 interrupts are RAZ/WI to Non-secure accesses',
    source: 'GICD_ISENABLER<n>',
    expected: { architecture: 'conforms' },
    run(g) {
      boot(g);
      const seen = g.gicd('GICD_ISENABLER', undefined, 1);
      g.gicd('GICD_ICENABLER', 0x700, 1);
      const left = g.asSecure(() => g.gicd('GICD_ISENABLER', undefined, 1));
      return points({
        'sees its own': seen === 0x400,
        'clears its own alone': left === 0x300,
        'IGROUPR reads 0': g.gicd('GICD_IGROUPR', undefined, 1) === 0,
      });
    },
  },
  {
    ...base,
    id: 'sec.priority-view',
    title:
      'a Non-secure access sees priorities shifted left by one, and writes them into the lower half of the range',
    source: 'Software accesses of interrupt priority',
    expected: { architecture: 'conforms' },
    run(g) {
      boot(g);
      const seen = g.gicd('GICD_IPRIORITYR', undefined, 42);
      g.gicd('GICD_IPRIORITYR', 0x40, 42);
      const stored = g.asSecure(() => g.gicd('GICD_IPRIORITYR', undefined, 42));
      return points({
        'reads 0x80 for 0xc0': seen === 0x80,
        'writes 0x40 as 0xa0': stored === 0xa0,
        'Secure ones read 0': g.gicd('GICD_IPRIORITYR', undefined, 40) === 0,
      });
    },
  },
  {
    ...base,
    id: 'sec.pmr-rpr-view',
    title:
      'PMR and RPR in the Non-secure view: Secure values read 0, and a Non-secure write cannot mask Secure priorities',
    source: 'ICC_PMR_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      boot(g);
      g.write(0, 'ICC_PMR_EL1', 0x40);
      const stored = g.asSecure(() => g.read(0, 'ICC_PMR_EL1'));
      const seen = g.read(0, 'ICC_PMR_EL1');
      g.asSecure(() => g.write(0, 'ICC_PMR_EL1', 0x40));
      const secure = g.read(0, 'ICC_PMR_EL1');
      g.write(0, 'ICC_PMR_EL1', 0xf0);
      return points({
        'written as 0xa0': stored === 0xa0,
        'read as 0x40': seen === 0x40,
        'a Secure mask reads 0': secure === 0,
        'and stays': g.asSecure(() => g.read(0, 'ICC_PMR_EL1')) === 0x40,
      });
    },
  },
  {
    ...base,
    id: 'sec.acknowledge-by-group',
    title: 'each group is acknowledged by its own register and Security state; others read 1023',
    source: 'ICC_IAR1_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      boot(g);
      g.wire(41, true);
      const nonSecure = g.read(0, 'ICC_IAR1_EL1');
      const zero = g.asSecure(() => g.read(0, 'ICC_IAR0_EL1'));
      const secure = g.asSecure(() => g.read(0, 'ICC_IAR1_EL1'));
      g.asSecure(() => g.write(0, 'ICC_EOIR1_EL1', 41));
      g.wire(42, true);
      const own = g.read(0, 'ICC_IAR1_EL1');
      return points({
        'Non-secure sees no Secure one': nonSecure === SPURIOUS,
        'IAR0 sees no Group 1': zero === SPURIOUS,
        'Secure IAR1 takes it': secure === 41,
        'Non-secure takes its own': own === 42,
      });
    },
  },
  {
    ...base,
    id: 'sec.special-intids-at-el3',
    title: 'at EL3 IAR0 answers 1020 for a Secure and 1021 for a Non-secure Group 1 interrupt',
    source: 'Special INTIDs',
    expected: { architecture: 'conforms' },
    run(g) {
      boot(g);
      g.wire(41, true);
      const secure = g.asEl3(() => g.read(0, 'ICC_IAR0_EL1'));
      g.wire(41, false);
      g.asSecure(() => g.gicd('GICD_ICPENDR', 0x200, 1));
      g.wire(42, true);
      const nonSecure = g.asEl3(() => g.read(0, 'ICC_IAR0_EL1'));
      return points({ 1020: secure === 1020, 1021: nonSecure === 1021 });
    },
  },
  {
    ...base,
    id: 'sec.banked-registers',
    title: 'ICC_CTLR, ICC_BPR1 and ICC_IGRPEN1 have an instance for each Security state',
    source: 'ICC_BPR1_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.asSecure(() => {
        g.write(0, 'ICC_BPR1_EL1', 4);
        g.write(0, 'ICC_CTLR_EL1', 2);
        g.write(0, 'ICC_IGRPEN1_EL1', 1);
      });
      g.write(0, 'ICC_BPR1_EL1', 6);
      return points({
        BPR1: g.read(0, 'ICC_BPR1_EL1') === 6 && g.asSecure(() => g.read(0, 'ICC_BPR1_EL1')) === 4,
        CTLR: (g.read(0, 'ICC_CTLR_EL1') & 2) === 0,
        IGRPEN1: g.read(0, 'ICC_IGRPEN1_EL1') === 0,
      });
    },
  },
  {
    ...base,
    id: 'sec.nsacr',
    title: 'NSACR lets a Non-secure access set a Group 0 interrupt pending, and clear it, by its value',
    source: 'GICD_NSACR<n>',
    expected: { architecture: 'conforms' },
    run(g) {
      boot(g);
      const pending = () => g.asSecure(() => g.gicd('GICD_ISPENDR', undefined, 1)) & 0x100;
      g.gicd('GICD_ISPENDR', 0x100, 1);
      const none = pending();
      g.asSecure(() => g.gicd('GICD_NSACR', 1 << 16, 2));
      g.gicd('GICD_ISPENDR', 0x100, 1);
      const set = pending();
      g.gicd('GICD_ICPENDR', 0x100, 1);
      const kept = pending();
      g.asSecure(() => g.gicd('GICD_NSACR', 2 << 16, 2));
      g.gicd('GICD_ICPENDR', 0x100, 1);
      return points({
        '0: neither': none === 0,
        '1: set': set !== 0,
        '1: not clear': kept !== 0,
        '2: clear': pending() === 0,
      });
    },
  },
  {
    ...base,
    id: 'sec.sgi-nsacr',
    title: 'a Non-secure SGI reaches a Secure one only as GICR_NSACR admits',
    source: 'GICR_NSACR',
    expected: { architecture: 'conforms' },
    run(g) {
      boot(g);
      g.asSecure(() => {
        g.gicr(0, 'GICR_IGROUPR', 0xffff_0000);
        g.gicr(0, 'GICR_ISENABLER', 0xffff);
      });
      const pending = () => g.asSecure(() => g.gicr(0, 'GICR_ISPENDR')) & 0x20;
      g.write(0, 'ICC_SGI1R_EL1', (5 << 24) | 1);
      const none = pending();
      g.asSecure(() => g.gicr(0, 'GICR_NSACR', 1 << 10));
      g.write(0, 'ICC_SGI0R_EL1', (5 << 24) | 1);
      return points({ 'without NSACR nothing': none === 0, 'with it the SGI': pending() !== 0 });
    },
  },
  {
    ...base,
    id: 'sec.ds',
    title: 'DS can be set by Secure software, and then there is one Security state',
    source: 'GICD_CTLR',
    expected: { architecture: 'conforms' },
    run(g) {
      g.asSecure(() => g.gicd('GICD_CTLR', 0x40));
      g.gicd('GICD_CTLR', 0x43);
      const both = g.gicd('GICD_CTLR') & 3;
      g.asSecure(() => g.gicd('GICD_CTLR', 3));
      return points({ 'both enables': both === 3, 'cannot be cleared': (g.gicd('GICD_CTLR') & 0x40) !== 0 });
    },
  },
  {
    ...base,
    id: 'sec.lpi-priority',
    title: 'LPIs are Non-secure Group 1: their priorities lie in the lower half of the range',
    source: 'LPI configuration tables',
    needs: ['two Security states', 'its'],
    expected: { architecture: '0xc0' },
    run(g) {
      boot(g);
      g.lpis().itsOnly();
      g.configure(8200, 0x81);
      g.map(1, 0, 8200, 0);
      g.msi(1, 0);
      return `0x${(g.machine.state.hppiPriority[0] ?? 0).toString(16)}`;
    },
  },
];
