// Distributor and Redistributor registers of SGIs, PPIs and SPIs.
import { GICD } from '../../spec/index.ts';
import { type Behaviour, points } from '../shape.ts';

const base = { feature: 'Distributor', needs: [] } as const;
const SPURIOUS = 1023;

export const distributor: readonly Behaviour[] = [
  {
    ...base,
    id: 'gicd.private-raz-wi',
    title:
      'registers of INTIDs 0–31 are RAZ/WI in the Distributor with affinity routing, live in the Redistributor',
    source: 'GICD_ISENABLER<n>',
    expected: { architecture: 'conforms', kvm: 'not: GICR_ISENABLER0' },
    run(g) {
      g.gicd('GICD_ISENABLER', 0xffff_ffff);
      g.gicd('GICD_IPRIORITYR', 0xa0, 5);
      g.gicr(0, 'GICR_ISENABLER', 0x30);
      return points({
        GICD_ISENABLER0: g.gicd('GICD_ISENABLER') === 0,
        GICD_IPRIORITYR: g.gicd('GICD_IPRIORITYR', undefined, 5) === 0,
        GICR_ISENABLER0: g.gicr(0, 'GICR_ISENABLER') === 0x30,
      });
    },
  },
  {
    ...base,
    id: 'gicd.legacy-raz-wi',
    title: 'legacy registers (ITARGETSR, SGIR, CPENDSGIR, SPENDSGIR) are RAZ/WI with affinity routing',
    source: 'GICD_ITARGETSR<n>',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.gicd('GICD_ITARGETSR', 3, 40);
      g.gicd('GICD_SGIR', 0x0100_0005);
      g.gicd('GICD_SPENDSGIR', 1, 3);
      return points({
        ITARGETSR: g.gicd('GICD_ITARGETSR', undefined, 40) === 0,
        'SGIR sends nothing': [0, 1].every((pe) => g.read(pe, 'ICC_IAR1_EL1') === SPURIOUS),
        SPENDSGIR: g.gicd('GICD_SPENDSGIR', undefined, 3) === 0,
      });
    },
  },
  {
    ...base,
    id: 'gicd.level-repends',
    title:
      'a level is pending while asserted, again after deactivation, and ICPENDR has no lasting effect on it',
    source: 'GICD_ICPENDR<n>',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40, { edge: false });
      g.wire(40, true);
      g.gicd('GICD_ICPENDR', 0x100, 1);
      const cleared = g.gicd('GICD_ISPENDR', undefined, 1) & 0x100;
      const first = g.read(0, 'ICC_IAR1_EL1');
      g.write(0, 'ICC_EOIR1_EL1', 40);
      const second = g.read(0, 'ICC_IAR1_EL1');
      g.write(0, 'ICC_EOIR1_EL1', 40);
      g.wire(40, false);
      return points({
        'ICPENDR does not last': cleared !== 0,
        taken: first === 40,
        'pends again': second === 40,
        'ends with the wire': g.read(0, 'ICC_IAR1_EL1') === SPURIOUS,
      });
    },
  },
  {
    ...base,
    id: 'gicd.level-pulse-lost',
    title: 'a pulse on a level-sensitive SPI is lost',
    source: 'GICD_ICFGR<n>',
    expected: { architecture: 'lost' },
    run(g) {
      g.enable();
      g.spi(40, { edge: false });
      g.wire(40, true);
      g.wire(40, false);
      return g.read(0, 'ICC_IAR1_EL1') === 40 ? 'kept' : 'lost';
    },
  },
  {
    ...base,
    id: 'gicd.edge-latches',
    title: 'an edge stays pending after the input line has been deasserted',
    source: 'GICD_ICFGR<n>',
    expected: { architecture: 'kept' },
    run(g) {
      g.enable();
      g.spi(40);
      g.wire(40, true);
      g.wire(40, false);
      return g.read(0, 'ICC_IAR1_EL1') === 40 ? 'kept' : 'lost';
    },
  },
  {
    ...base,
    id: 'gicd.priority-bits',
    title: 'of two SPIs that differ in bit 3 of their priority the higher is taken first',
    source: 'GICD_IPRIORITYR<n>',
    expected: { architecture: 'the higher priority' },
    run(g) {
      g.enable();
      g.spi(40, { priority: 0x58 });
      g.spi(41, { priority: 0x50 });
      g.wire(40, true);
      g.wire(41, true);
      return g.read(0, 'ICC_IAR1_EL1') === 41 ? 'the higher priority' : 'the lower INTID';
    },
  },
  {
    ...base,
    id: 'gicd.irouter-halves',
    title: 'IROUTER written by 32-bit halves keeps the other half',
    source: 'GICD_IROUTER<n>',
    expected: { architecture: 'conforms', kvm: 'not: high half' },
    run(g) {
      const at = GICD.GICD_IROUTER.offset + 8 * 8;
      g.wide('GICD', 0, at, 1, 0x20);
      g.access('GICD', 0, at, 4, 0);
      g.access('GICD', 0, at, 8);
      const low = g.machine.low;
      const high = g.machine.high;
      return points({ 'low half': low === 0, 'high half': high === 0x20 });
    },
  },
  {
    ...base,
    id: 'gicd.unrouted-spi-kept',
    title: 'an SPI routed to a PE that does not exist stays pending until it is routed to one',
    source: 'GICD_IROUTER<n>',
    expected: { architecture: 'kept', kvm: 'lost' },
    run(g) {
      g.enable();
      g.spi(40, { pe: 77 });
      g.wire(40, true);
      g.wire(40, false);
      const nobody = [0, 1].every((pe) => g.read(pe, 'ICC_IAR1_EL1') === SPURIOUS);
      g.wide('GICD', 0, GICD.GICD_IROUTER.offset + 8 * 8, 1, 0);
      return nobody && g.read(1, 'ICC_IAR1_EL1') === 40 ? 'kept' : 'lost';
    },
  },
  {
    ...base,
    id: 'gicd.pending-when-enabled',
    title: 'an SPI that is pending and enabled is signalled when GICD_CTLR enables its group',
    source: 'GICD_CTLR',
    expected: { architecture: 'at once', kvm: 'once it is enabled again' },
    run(g) {
      g.enable();
      g.gicd('GICD_CTLR', 0);
      g.spi(40);
      g.gicd('GICD_ISPENDR', 1 << 8, 1);
      g.gicd('GICD_CTLR', 2);
      if (g.read(0, 'ICC_IAR1_EL1') === 40) return 'at once';
      g.gicd('GICD_ISENABLER', 1 << 8, 1);
      return g.read(0, 'ICC_IAR1_EL1') === 40 ? 'once it is enabled again' : 'never';
    },
  },
  {
    ...base,
    id: 'gicd.level-pended-by-software',
    title: 'a level-sensitive SPI that software has made pending is not pending while it is active',
    source: 'GICD_ISPENDR<n>',
    expected: { architecture: 'conforms', kvm: 'not: not pending while active' },
    run(g) {
      g.enable();
      g.spi(40);
      g.gicd('GICD_ICFGR', 0, 2);
      const pending = () => (g.gicd('GICD_ISPENDR', undefined, 1) & (1 << 8)) !== 0;
      g.gicd('GICD_ISPENDR', 1 << 8, 1);
      const taken = g.read(0, 'ICC_IAR1_EL1') === 40;
      const whileActive = pending();
      g.gicd('GICD_ISPENDR', 1 << 8, 1);
      g.write(0, 'ICC_EOIR1_EL1', 40);
      return points({ taken, 'not pending while active': !whileActive, kept: pending() });
    },
  },
  {
    ...base,
    id: 'gicd.unimplemented-spi',
    title: 'registers of SPIs that do not exist are RAZ/WI',
    source: 'GICD_ISENABLER<n>',
    expected: { architecture: 'conforms' },
    run(g) {
      const lines = (g.machine.state.config.gicd.typer & 0x1f) + 1;
      if (lines > 31) return 'conforms';
      g.gicd('GICD_ISENABLER', 0xffff_ffff, lines);
      return points({ 'reads 0': g.gicd('GICD_ISENABLER', undefined, lines) === 0 });
    },
  },
  {
    ...base,
    id: 'gicd.no-message-spis',
    title: 'SETSPI_NSR has no effect if GICD_TYPER.MBIS is 0',
    source: 'GICD_SETSPI_NSR',
    needs: ['no message-based SPIs'],
    expected: { architecture: 'ignored' },
    run(g) {
      g.enable();
      g.spi(40);
      g.gicd('GICD_SETSPI_NSR', 40);
      return g.read(0, 'ICC_IAR1_EL1') === 40 ? 'pends' : 'ignored';
    },
  },
  {
    ...base,
    id: 'gicd.reserved-is-an-event',
    title: 'a reserved location is RAZ/WI, never an exception',
    source: 'Distributor register map',
    expected: { architecture: 'conforms' },
    run(g) {
      g.access('GICD', 0, 0xf80_0 & 0xfffc, 4, 0xffff_ffff);
      g.access('GICD', 0, 0x24, 4, 0xffff_ffff);
      return points({ 'reads 0': g.access('GICD', 0, 0x24, 4) === 0 });
    },
  },
  {
    ...base,
    id: 'gicr.waker-handshake',
    feature: 'Redistributor',
    title: 'ChildrenAsleep follows ProcessorSleep, and a sleeping PE is signalled nothing',
    source: 'GICR_WAKER',
    expected: { architecture: 'gates', qemu: 'tells', kvm: 'tells' },
    run(g) {
      g.enable();
      g.spi(40);
      g.gicr(0, 'GICR_WAKER', 2);
      const asleep = g.gicr(0, 'GICR_WAKER');
      g.wire(40, true);
      const gated = g.read(0, 'ICC_IAR1_EL1') === SPURIOUS;
      g.gicr(0, 'GICR_WAKER', 0);
      if (g.machine.profile.wakerGates && asleep !== 6) return 'no handshake';
      if (!gated) return 'tells';
      return g.read(0, 'ICC_IAR1_EL1') === 40 ? 'gates' : 'loses';
    },
  },
];
