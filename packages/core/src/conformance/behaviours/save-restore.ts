// Save and restore as a hypervisor does it.
import { restore, type SavedItem, save } from '../../migrate/index.ts';
import { Guest } from '../guest.ts';
import { type Behaviour, points } from '../shape.ts';

const base = { feature: 'Save and restore', needs: ['its'] } as const;
const LPI = 8200;
const SPURIOUS = 1023;

/** Something of everything: an active SPI, a level, a pending LPI, an SGI. */
const busy = (g: Guest): Guest => {
  g.enable().its();
  g.configure(LPI, 0x81);
  g.map(1, 0, LPI, 1);
  g.spi(40, { priority: 0x90 });
  g.spi(41, { edge: false, priority: 0xb0 });
  g.wire(40, true);
  g.read(0, 'ICC_IAR1_EL1');
  g.wire(41, true);
  g.msi(1, 0);
  g.write(0, 'ICC_SGI1R_EL1', (5 << 24) | 2);
  g.write(0, 'ICH_LR0_EL2', 40, 0x50a0_0000);
  return g;
};
const fresh = (g: Guest): Guest => new Guest(g.machine.state.config);

/** Restores into a new machine in a changed order; answers the rules that complained. */
const reordered = (g: Guest, change: (items: SavedItem[]) => SavedItem[]): string => {
  const saved = save(busy(g).machine);
  const faults = restore(fresh(g).machine, change([...saved]), saved);
  return faults.length === 0 ? 'silent' : [...new Set(faults.map((fault) => fault.rule))].join(', ');
};
const move = (
  items: SavedItem[],
  which: (item: SavedItem) => boolean,
  before: (item: SavedItem) => boolean,
): SavedItem[] => {
  const moved = items.filter(which);
  const rest = items.filter((item) => !which(item));
  const at = rest.findIndex(before);
  return [...rest.slice(0, at), ...moved, ...rest.slice(at)];
};

export const saveRestore: readonly Behaviour[] = [
  {
    ...base,
    id: 'save.round-trip',
    title:
      'a GIC that is saved and restored goes on as before: pending, active, levels, LPIs, mappings, list registers',
    source: 'Power management',
    expected: { architecture: 'conforms' },
    run(g) {
      const saved = save(busy(g).machine);
      const other = fresh(g);
      const faults = restore(other.machine, saved);
      const take = (guest: Guest, pe: number) => guest.read(pe, 'ICC_IAR1_EL1');
      const running = other.read(0, 'ICC_RPR_EL1') === g.read(0, 'ICC_RPR_EL1');
      const sgi = take(other, 1) === take(g, 1);
      const lpi = take(other, 1) === take(g, 1);
      other.write(0, 'ICC_EOIR1_EL1', 40);
      const level = take(other, 0) === 41;
      other.write(0, 'ICC_EOIR1_EL1', 41);
      other.msi(1, 0);
      const mapping = other.pending(1, LPI);
      other.read(0, 'ICH_LR0_EL2');
      return points({
        'no fault': faults.length === 0,
        'running priority': running,
        LPI: lpi,
        SGI: sgi,
        level,
        mapping,
        'list register': other.machine.high >>> 30 === 1,
      });
    },
  },
  {
    ...base,
    id: 'save.twice-is-the-same',
    title: 'what is saved of a restored GIC is what was restored',
    source: 'Power management',
    expected: { architecture: 'the same' },
    run(g) {
      const saved = save(busy(g).machine);
      const other = fresh(g);
      restore(other.machine, saved);
      const text = (items: SavedItem[]) =>
        items
          .map((i) =>
            i.page
              ? `${i.at} ${Buffer.from(i.page.data).toString('hex')}`
              : `${i.name} ${i.instance} ${i.at} ${i.low} ${i.high}`,
          )
          .join('\n');
      return text(save(other.machine)) === text(saved) ? 'the same' : 'different';
    },
  },
  {
    ...base,
    id: 'restore.creadr-before-cbaser',
    title: 'CREADR restored before CBASER, which clears it: a fault, not a silent loss',
    source: 'GITS_CREADR',
    expected: { architecture: 'cbaser-before-creadr' },
    run: (g) =>
      reordered(g, (items) =>
        move(
          items,
          (i) => i.name === 'GITS_CREADR',
          (i) => i.name === 'GITS_CBASER',
        ),
      ),
  },
  {
    ...base,
    id: 'restore.its-enabled-first',
    title: 'GITS_CTLR restored first, which locks the rest: a fault',
    source: 'GITS_CTLR',
    expected: { architecture: 'all-before-enabled' },
    run: (g) =>
      reordered(g, (items) =>
        move(
          items,
          (i) => i.step === 'GITS_CTLR',
          (i) => i.step === 'GITS',
        ),
      ),
  },
  {
    ...base,
    id: 'restore.its-before-gic',
    title: 'the ITS restored before the Redistributors: a fault',
    source: 'GITS_CTLR',
    expected: { architecture: 'gic-before-its' },
    run: (g) =>
      reordered(g, (items) => [
        ...items.filter((i) => i.step === 'memory'),
        ...items.filter((i) => i.step.startsWith('GITS') || i.step === 'tables'),
        ...items.filter((i) => !i.step.startsWith('GITS') && i.step !== 'tables' && i.step !== 'memory'),
      ]),
  },
  {
    ...base,
    id: 'restore.memory-after-enablelpis',
    title: 'guest memory restored after EnableLPIs, when the pending table has been read: a fault',
    source: 'GICR_PENDBASER',
    expected: { architecture: 'memory-before-enablelpis' },
    run: (g) =>
      reordered(g, (items) =>
        move(
          items,
          (i) => i.step === 'memory',
          (i) => i.step === 'GITS',
        ),
      ),
  },
  {
    ...base,
    id: 'restore.missing',
    title: 'a register that is not restored is named',
    source: 'Power management',
    expected: { architecture: 'missing' },
    run: (g) =>
      reordered(g, (items) => items.filter((i) => !(i.name === 'GICR_PENDBASER' && i.instance === 1))),
  },
  {
    ...base,
    id: 'restore.unmapped-collection',
    title: 'a collection that is not mapped restores as such, and its event fires once it is mapped',
    source: 'MAPC',
    expected: { architecture: 'conforms' },
    run(g) {
      busy(g).command('MAPC', { ICID: 1, RDbase: 0, V: 0 });
      const other = fresh(g);
      restore(other.machine, save(g.machine));
      other.msi(1, 0);
      const dropped = other.saw('msi.dropped');
      return points({
        'still unmapped': dropped,
        'nobody is told': other.read(0, 'ICC_IAR0_EL1') === SPURIOUS,
      });
    },
  },
];
