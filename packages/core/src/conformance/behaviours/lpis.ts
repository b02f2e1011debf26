// Physical LPIs: pending state, configuration, tables.
import { GICR } from '../../spec/index.ts';
import { type Guest, PENDBASE } from '../guest.ts';
import { type Behaviour, points } from '../shape.ts';

const base = { feature: 'LPIs', needs: ['its'] } as const;
const SPURIOUS = 1023;
const LPI = 8200;
const ON = 0xa1;

const mapped = (g: Guest): Guest => {
  g.enable().its();
  g.configure(LPI, ON);
  g.map(1, 0, LPI, 0);
  return g;
};
const take = (g: Guest, pe = 0) => g.read(pe, 'ICC_IAR1_EL1');

export const lpis: readonly Behaviour[] = [
  {
    ...base,
    id: 'lpi.no-active-state',
    title:
      'an LPI has no active state: acknowledge clears pending, and it can pend again while it is handled',
    source: 'LPIs',
    expected: { architecture: 'conforms' },
    run(g) {
      mapped(g).msi(1, 0);
      const first = take(g);
      const running = g.read(0, 'ICC_RPR_EL1');
      const pending = g.pending(0, LPI);
      g.msi(1, 0);
      g.write(0, 'ICC_EOIR1_EL1', LPI);
      return points({
        taken: first === LPI,
        'priority active': running === 0xa0,
        'not pending': !pending,
        'taken again': take(g) === LPI,
      });
    },
  },
  {
    ...base,
    id: 'lpi.int-on-disabled',
    title: 'INT on a disabled LPI pends it; it is delivered after enable and INV',
    source: 'INT',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable().its();
      g.configure(LPI, 0xa0);
      g.map(1, 0, LPI, 0);
      g.command('INT', { DeviceID: 1, EventID: 0 });
      const pended = g.pending(0, LPI);
      const early = take(g);
      g.configure(LPI, ON);
      g.command('INV', { DeviceID: 1, EventID: 0 });
      return points({
        pended,
        'not delivered': early === SPURIOUS,
        'delivered after INV': take(g) === LPI,
      });
    },
  },
  {
    ...base,
    id: 'lpi.enable-needs-inv',
    title: 'a pending LPI whose byte is enabled without INV',
    source: 'LPI configuration tables',
    expected: { architecture: 'not delivered' },
    run(g) {
      g.enable().its();
      g.configure(LPI, 0xa0);
      g.map(1, 0, LPI, 0);
      g.msi(1, 0);
      g.configure(LPI, ON);
      return take(g) === LPI ? 'delivered' : 'not delivered';
    },
  },
  {
    ...base,
    id: 'lpi.disable-needs-inv',
    title: 'a pending LPI whose byte is disabled without INV',
    source: 'LPI configuration tables',
    expected: { architecture: 'delivered' },
    run(g) {
      mapped(g).msi(1, 0);
      g.configure(LPI, 0xa0);
      return take(g) === LPI ? 'delivered' : 'not delivered';
    },
  },
  {
    ...base,
    id: 'lpi.change-without-inv',
    title: 'an MSI after a change of the byte without INV sees the old byte or the new one',
    source: 'LPI configuration tables',
    expected: { architecture: 'old', qemu: 'new' },
    run(g) {
      mapped(g).msi(1, 0);
      g.write(0, 'ICC_EOIR1_EL1', take(g));
      g.configure(LPI, 0xa0);
      g.msi(1, 0);
      return take(g) === LPI ? 'old' : 'new';
    },
  },
  {
    ...base,
    id: 'lpi.rescan-on-acknowledge',
    title: 'another pending LPI whose byte was changed without INV, after the best one is acknowledged',
    source: 'LPI configuration tables',
    expected: { architecture: 'old byte', qemu: 'new byte' },
    run(g) {
      mapped(g);
      g.configure(LPI + 1, 0xb1);
      g.map(1, 1, LPI + 1, 0);
      g.msi(1, 0);
      g.msi(1, 1);
      g.configure(LPI + 1, 0xb0);
      g.write(0, 'ICC_EOIR1_EL1', take(g));
      return take(g) === LPI + 1 ? 'old byte' : 'new byte';
    },
  },
  {
    ...base,
    id: 'lpi.priority-and-enable-by-byte',
    title: 'priority is bits 7:2 of the byte; equal priorities go by INTID',
    source: 'LPI configuration tables',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable().its();
      g.configure(LPI, 0xa1);
      g.configure(LPI + 1, 0x93);
      g.configure(LPI + 2, 0xa1);
      for (const n of [0, 1, 2]) g.map(1, n, LPI + n, 0);
      for (const n of [2, 0, 1]) g.msi(1, n);
      const order = [0, 1, 2].map(() => {
        const intid = take(g);
        g.write(0, 'ICC_EOIR1_EL1', intid);
        return intid;
      });
      return points({ order: `${order}` === `${[LPI + 1, LPI, LPI + 2]}` });
    },
  },
  {
    ...base,
    id: 'lpi.ptz-reads-0',
    title: 'PENDBASER.PTZ is write-only',
    source: 'GICR_PENDBASER',
    expected: { architecture: 'reads 0', qemu: 'reads 1' },
    run(g) {
      g.wide('GICR', 0, GICR.GICR_PENDBASER.offset, PENDBASE, 0x4000_0000);
      g.access('GICR', 0, GICR.GICR_PENDBASER.offset, 8);
      return g.machine.high & 0x4000_0000 ? 'reads 1' : 'reads 0';
    },
  },
  {
    ...base,
    id: 'lpi.pending-table-loaded',
    title: 'with PTZ 0 the pending table in memory is loaded when LPIs are enabled',
    source: 'GICR_PENDBASER',
    expected: { architecture: 'loaded' },
    run(g) {
      g.enable();
      g.zero(0x4100_0000, 0x10000);
      g.zero(PENDBASE, 0x10000);
      g.configure(LPI, ON);
      g.store(PENDBASE + (LPI >> 3), 1 << (LPI & 7));
      g.wide('GICR', 0, GICR.GICR_PROPBASER.offset, 0x4100_000f, 0);
      g.wide('GICR', 0, GICR.GICR_PENDBASER.offset, PENDBASE, 0);
      g.gicr(0, 'GICR_CTLR', 1);
      return take(g) === LPI ? 'loaded' : 'lost';
    },
  },
  {
    ...base,
    id: 'lpi.pending-table-current',
    title: 'the pending table in memory shows what is pending',
    source: 'LPI pending tables',
    expected: { architecture: 'conforms' },
    run(g) {
      const bit = () => (g.machine.state.memory.readByte(PENDBASE + (LPI >> 3)) >> (LPI & 7)) & 1;
      mapped(g).msi(1, 0);
      const set = bit();
      take(g);
      return points({ set: set === 1, cleared: bit() === 0 });
    },
  },
  {
    ...base,
    id: 'lpi.enablelpis-sticky',
    title: 'EnableLPIs can be cleared only where GICR_CTLR.CES says so',
    source: 'GICR_CTLR',
    expected: { architecture: 'sticky', qemu: 'cleared', kvm: 'cleared' },
    run(g) {
      mapped(g);
      g.gicr(0, 'GICR_CTLR', 0);
      const ces = (g.gicr(0, 'GICR_CTLR') & 2) !== 0;
      const cleared = (g.gicr(0, 'GICR_CTLR') & 1) === 0;
      if (ces !== cleared) return 'contradicts CES';
      return cleared ? 'cleared' : 'sticky';
    },
  },
  {
    ...base,
    id: 'lpi.pendbaser-locked',
    title: 'PENDBASER while EnableLPIs is 1',
    source: 'GICR_PENDBASER',
    expected: { architecture: 'ignored', qemu: 'written' },
    run(g) {
      mapped(g);
      g.wide('GICR', 0, GICR.GICR_PENDBASER.offset, 0x5000_0000, 0);
      g.access('GICR', 0, GICR.GICR_PENDBASER.offset, 8);
      return g.machine.low >>> 0 === 0x5000_0000 ? 'written' : 'ignored';
    },
  },
  {
    ...base,
    id: 'lpi.off-drops-msi',
    title: 'an MSI for a PE whose LPIs are disabled is dropped',
    source: 'GICR_CTLR',
    expected: { architecture: 'dropped' },
    run(g) {
      g.enable().itsOnly();
      g.map(1, 0, LPI, 0);
      g.msi(1, 0);
      return g.saw('msi.dropped') && !g.pending(0, LPI) ? 'dropped' : 'pended';
    },
  },
  {
    ...base,
    id: 'lpi.idbits-bound',
    title: 'an LPI beyond GICR_PROPBASER.IDbits is mapped, and its messages are dropped',
    source: 'GICR_PROPBASER',
    expected: { architecture: 'dropped' },
    run(g) {
      g.enable();
      g.zero(0x4100_0000, 0x10000);
      g.zero(PENDBASE, 0x40000);
      for (let pe = 0; pe < 2; pe++) {
        g.wide('GICR', pe, GICR.GICR_PROPBASER.offset, 0x4100_000d, 0);
        g.wide('GICR', pe, GICR.GICR_PENDBASER.offset, PENDBASE + 0x20000 * pe, 0);
        g.gicr(pe, 'GICR_CTLR', 1);
      }
      g.itsOnly();
      g.configure(16384, ON);
      g.map(1, 0, 16384, 0);
      g.msi(1, 0);
      const outside = take(g) === SPURIOUS;
      g.configure(16383, ON);
      g.map(1, 1, 16383, 0);
      g.msi(1, 1);
      if (take(g) !== 16383) return 'the last one in range is lost';
      return outside ? 'dropped' : 'delivered';
    },
  },
];
