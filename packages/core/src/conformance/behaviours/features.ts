// What GICs may have beyond the plain: message-based SPIs, 1 of N, extended ranges, NMIs, Direct LPI.
import { GICD, GICR } from '../../spec/index.ts';
import type { Guest } from '../guest.ts';
import { type Behaviour, points } from '../shape.ts';

const SPURIOUS = 1023;
const LPI = 8200;
const ON = 0xa1;
const take = (g: Guest, pe = 0) => g.read(pe, 'ICC_IAR1_EL1');
const route = (g: Guest, intid: number, low: number) =>
  g.wide('GICD', 0, GICD.GICD_IROUTER.offset + 8 * (intid - 32), low >>> 0, 0);
/** Routes an SPI to any participating PE. */
const ANY = 0x8000_0000;

const messages = { feature: 'Message-based SPIs', needs: ['message-based SPIs'] } as const;
const oneOfN = { feature: '1 of N', needs: ['1 of N'] } as const;
const direct = { feature: 'Direct LPI', needs: ['direct LPI'] } as const;

/** A GIC with LPIs and no use of an ITS; one LPI is enabled. */
const withLpis = (g: Guest): Guest => {
  g.enable().lpis();
  g.configure(LPI, ON);
  return g;
};

export const features: readonly Behaviour[] = [
  {
    ...messages,
    id: 'mbi.setspi-clrspi',
    title: 'SETSPI_NSR pends an edge-triggered SPI and CLRSPI_NSR takes that back, by 32 or 16 bits',
    source: 'GICD_SETSPI_NSR',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40);
      g.gicd('GICD_SETSPI_NSR', 40);
      g.gicd('GICD_CLRSPI_NSR', 40);
      const cleared = take(g) === SPURIOUS;
      g.access('GICD', 0, GICD.GICD_SETSPI_NSR.offset, 2, 40);
      return points({ cleared, 'pends by 16 bits': take(g) === 40 });
    },
  },
  {
    ...messages,
    id: 'mbi.level-until-cleared',
    title: 'a level-sensitive SPI stays pending from SETSPI to CLRSPI',
    source: 'GICD_SETSPI_NSR',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40, { edge: false });
      g.gicd('GICD_SETSPI_NSR', 40);
      g.write(0, 'ICC_EOIR1_EL1', take(g));
      const again = take(g);
      g.gicd('GICD_CLRSPI_NSR', 40);
      g.write(0, 'ICC_EOIR1_EL1', 40);
      return points({ 'pends again': again === 40, 'ends with CLRSPI': take(g) === SPURIOUS });
    },
  },
  {
    ...messages,
    id: 'mbi.only-implemented-spis',
    title: 'SETSPI of an SGI, a PPI or an SPI that does not exist has no effect',
    source: 'GICD_SETSPI_NSR',
    expected: { architecture: 'ignored' },
    run(g) {
      g.enable();
      for (const intid of [3, 27, 1019, 1023, 8200]) g.gicd('GICD_SETSPI_NSR', intid);
      return take(g) === SPURIOUS ? 'ignored' : 'pends';
    },
  },
  {
    ...oneOfN,
    id: '1ofn.one-pe-takes-it',
    title: 'a 1 of N SPI is taken by one PE and by no other',
    source: 'GICD_IROUTER<n>',
    pes: 3,
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40);
      route(g, 40, ANY);
      g.wire(40, true);
      const takers = [0, 1, 2].map((pe) => take(g, pe)).filter((intid) => intid === 40);
      return points({ 'taken once': takers.length === 1 });
    },
  },
  {
    ...oneOfN,
    id: '1ofn.dpg-excludes',
    title: 'a PE with GICR_CTLR.DPG1NS is not selected',
    source: 'GICR_CTLR',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40);
      route(g, 40, ANY);
      g.gicr(0, 'GICR_CTLR', 0x200_0000);
      g.wire(40, true);
      return points({ 'not there': take(g, 0) === SPURIOUS, 'at the other': take(g, 1) === 40 });
    },
  },
  {
    ...oneOfN,
    id: '1ofn.busy-pe-is-passed-over',
    title: 'a PE whose group is disabled, or that is masked, leaves the interrupt to another',
    source: 'GICD_IROUTER<n>',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40);
      route(g, 40, ANY);
      g.write(0, 'ICC_IGRPEN1_EL1', 0);
      g.wire(40, true);
      const disabled = take(g, 1);
      g.write(1, 'ICC_EOIR1_EL1', disabled);
      g.wire(40, false);
      g.write(0, 'ICC_IGRPEN1_EL1', 1);
      g.write(0, 'ICC_PMR_EL1', 0);
      g.wire(40, true);
      return points({ 'group disabled': disabled === 40, masked: take(g, 1) === 40 });
    },
  },
  {
    feature: '1 of N',
    needs: [],
    id: '1ofn.irm-where-it-is-not',
    title: 'Interrupt_Routing_Mode where GICD_TYPER.No1N says that there is none',
    source: 'GICD_IROUTER<n>',
    expected: {
      architecture: 'kept (1 of N)',
      qemu: 'kept',
      kvm: 'RES0',
      hyperv: 'RES0',
      'gic-600': 'kept (1 of N)',
      'gic-700': 'kept (1 of N)',
    },
    run(g) {
      g.spi(40);
      route(g, 40, ANY);
      g.access('GICD', 0, GICD.GICD_IROUTER.offset + 64, 8);
      if ((g.machine.low & ANY) === 0) return 'RES0';
      return (g.machine.state.config.gicd.typer & 0x200_0000) === 0 ? 'kept (1 of N)' : 'kept';
    },
  },
  {
    feature: 'Extended ranges',
    needs: ['extended SPIs'],
    id: 'ext.spi',
    title: 'an extended SPI (from INTID 4096) is configured by the E registers and taken like any other',
    source: 'GICD_ISENABLER<n>E',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.gicd('GICD_IGROUPRE', 2);
      g.gicd('GICD_ICFGRE', 8);
      g.gicd('GICD_IPRIORITYRE', 0x90, 1);
      g.wide('GICD', 0, GICD.GICD_IROUTERE.offset + 8, 1, 0);
      g.gicd('GICD_ISENABLERE', 2);
      g.wire(4097, true);
      const pending = g.gicd('GICD_ISPENDRE');
      const taken = take(g, 1);
      const running = g.read(1, 'ICC_RPR_EL1');
      const active = g.gicd('GICD_ISACTIVERE');
      g.write(1, 'ICC_EOIR1_EL1', 4097);
      return points({
        pending: pending === 2,
        taken: taken === 4097,
        priority: running === 0x90,
        active: active === 2,
        deactivated: g.gicd('GICD_ISACTIVERE') === 0,
      });
    },
  },
  {
    feature: 'Extended ranges',
    needs: ['extended SPIs', 'message-based SPIs'],
    id: 'ext.spi-by-message',
    title: 'SETSPI reaches extended SPIs',
    source: 'GICD_SETSPI_NSR',
    expected: { architecture: 'taken' },
    run(g) {
      g.enable();
      g.gicd('GICD_IGROUPRE', 1);
      g.gicd('GICD_ICFGRE', 2);
      g.gicd('GICD_IPRIORITYRE', 0x90, 0);
      g.gicd('GICD_ISENABLERE', 1);
      g.gicd('GICD_SETSPI_NSR', 4096);
      return take(g) === 4096 ? 'taken' : 'ignored';
    },
  },
  {
    feature: 'Extended ranges',
    needs: ['extended PPIs'],
    id: 'ext.ppi',
    title: 'an extended PPI (from INTID 1056) belongs to its PE',
    source: 'GICR_ISENABLER<n>E',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.gicr(1, 'GICR_IGROUPR', 1, 1);
      g.gicr(1, 'GICR_IPRIORITYR', 0x80, 32);
      g.gicr(1, 'GICR_ISENABLER', 1, 1);
      g.wire(1056, true, 1);
      return points({ 'its PE': take(g, 1) === 1056, 'no other': take(g, 0) === SPURIOUS });
    },
  },
  {
    feature: 'NMI',
    needs: ['NMI'],
    id: 'nmi.superpriority',
    title: 'an NMI is signalled whatever PMR and running priority are; IAR1 answers 1022 and NMIAR1 takes it',
    source: 'Non-maskable interrupts',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40, { priority: 0x90 });
      g.spi(41, { priority: 0xb0 });
      g.gicd('GICD_INMIR', 0x200, 1);
      g.wire(40, true);
      const first = take(g);
      g.write(0, 'ICC_PMR_EL1', 0);
      g.wire(41, true);
      const special = take(g);
      const taken = g.read(0, 'ICC_NMIAR1_EL1');
      g.read(0, 'ICC_RPR_EL1');
      const nmi = g.machine.high >>> 31;
      g.write(0, 'ICC_EOIR1_EL1', 41);
      g.read(0, 'ICC_RPR_EL1');
      return points({
        'the first': first === 40,
        'IAR1 answers 1022': special === 1022,
        NMIAR1: taken === 41,
        'RPR.NMI': nmi === 1,
        'and no more after EOI': g.machine.high >>> 31 === 0,
      });
    },
  },
  {
    feature: 'NMI',
    needs: ['NMI'],
    id: 'nmi.nmiar-for-others',
    title: 'NMIAR1 answers 1023 for an interrupt that is no NMI',
    source: 'ICC_NMIAR1_EL1',
    expected: { architecture: 'spurious' },
    run(g) {
      g.enable();
      g.spi(40);
      g.wire(40, true);
      return g.read(0, 'ICC_NMIAR1_EL1') === SPURIOUS ? 'spurious' : 'taken';
    },
  },
  {
    ...direct,
    id: 'dlpi.setlpir-clrlpir',
    title: 'SETLPIR pends an LPI on that Redistributor, CLRLPIR takes that back',
    source: 'GICR_SETLPIR',
    expected: { architecture: 'conforms' },
    run(g) {
      withLpis(g).gicr(1, 'GICR_SETLPIR', LPI);
      const there = g.pending(1, LPI) && !g.pending(0, LPI);
      g.gicr(1, 'GICR_CLRLPIR', LPI);
      const cleared = !g.pending(1, LPI);
      g.wide('GICR', 1, GICR.GICR_SETLPIR.offset, LPI, 0);
      return points({ 'on that PE': there, cleared, 'by 64 bits': take(g, 1) === LPI });
    },
  },
  {
    ...direct,
    id: 'dlpi.clrlpir-elsewhere',
    title: 'CLRLPIR and INVLPIR at another Redistributor have no effect on the LPI',
    source: 'GICR_CLRLPIR',
    expected: { architecture: 'ignored' },
    run(g) {
      withLpis(g).gicr(0, 'GICR_SETLPIR', LPI);
      g.gicr(1, 'GICR_CLRLPIR', LPI);
      g.configure(LPI, 0xa0);
      g.gicr(1, 'GICR_INVLPIR', LPI);
      return take(g) === LPI ? 'ignored' : 'has effect';
    },
  },
  {
    ...direct,
    id: 'dlpi.needs-enablelpis',
    title: 'with EnableLPIs 0, or for an INTID that is no LPI, SETLPIR has no effect',
    source: 'GICR_SETLPIR',
    expected: { architecture: 'ignored' },
    run(g) {
      g.enable();
      g.gicr(0, 'GICR_SETLPIR', LPI);
      const off = !g.pending(0, LPI);
      withLpis(g);
      g.gicr(0, 'GICR_SETLPIR', 100);
      g.gicr(0, 'GICR_SETLPIR', 0x2_0000);
      return off && !g.pending(0, LPI) && take(g) === SPURIOUS ? 'ignored' : 'pends';
    },
  },
  {
    ...direct,
    id: 'dlpi.invlpir',
    title: 'a changed configuration byte is seen after INVLPIR, and INVALLR',
    source: 'GICR_INVLPIR',
    expected: { architecture: 'conforms' },
    run(g) {
      withLpis(g).gicr(0, 'GICR_SETLPIR', LPI);
      g.configure(LPI, 0xa0);
      const before = g.read(0, 'ICC_HPPIR1_EL1');
      g.gicr(0, 'GICR_INVLPIR', LPI);
      const disabled = g.read(0, 'ICC_HPPIR1_EL1');
      g.configure(LPI, ON);
      g.gicr(0, 'GICR_INVALLR', 0);
      return points({
        'not before': before === LPI,
        INVLPIR: disabled === SPURIOUS,
        INVALLR: g.read(0, 'ICC_HPPIR1_EL1') === LPI,
        'SYNCR is not busy': g.gicr(0, 'GICR_SYNCR') === 0,
      });
    },
  },
  {
    ...direct,
    id: 'dlpi.32-bit-write',
    title: 'a 32-bit write to the low half acts with the high half zero; one to the high half does nothing',
    source: 'GICR_SETLPIR',
    expected: { architecture: 'conforms' },
    run(g) {
      withLpis(g).access('GICR', 0, GICR.GICR_SETLPIR.offset + 4, 4, LPI);
      const high = !g.pending(0, LPI);
      g.access('GICR', 0, GICR.GICR_SETLPIR.offset, 4, LPI);
      return points({ 'high half': high, 'low half': g.pending(0, LPI) });
    },
  },
  {
    feature: 'Direct LPI',
    needs: ['no direct LPI'],
    id: 'dlpi.absent',
    title: 'with GICR_TYPER.DirectLPI 0 a write to SETLPIR has no effect',
    source: 'GICR_SETLPIR',
    expected: { architecture: 'ignored' },
    run(g) {
      withLpis(g).gicr(0, 'GICR_SETLPIR', LPI);
      return g.pending(0, LPI) ? 'pends' : 'ignored';
    },
  },
];
