// The physical CPU interface: acknowledge, priority drop, deactivation, SGIs.
import { type Behaviour, points } from '../shape.ts';

const SPURIOUS = 1023;
const base = { feature: 'CPU interface', needs: [] } as const;

export const cpuInterface: readonly Behaviour[] = [
  {
    ...base,
    id: 'cpu.idle',
    title: 'with nothing pending IAR and HPPIR read 1023 and RPR 0xff',
    source: 'ICC_IAR1_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      return points({
        IAR1: g.read(0, 'ICC_IAR1_EL1') === SPURIOUS,
        IAR0: g.read(0, 'ICC_IAR0_EL1') === SPURIOUS,
        HPPIR1: g.read(0, 'ICC_HPPIR1_EL1') === SPURIOUS,
        RPR: g.read(0, 'ICC_RPR_EL1') === 0xff,
      });
    },
  },
  {
    ...base,
    id: 'cpu.pmr-gates-iar',
    title: 'PMR affects what IAR returns, but not what HPPIR returns',
    source: 'ICC_PMR_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40, { priority: 0xa0 });
      g.wire(40, true);
      g.write(0, 'ICC_PMR_EL1', 0xa0);
      const masked = g.read(0, 'ICC_IAR1_EL1');
      const seen = g.read(0, 'ICC_HPPIR1_EL1');
      g.write(0, 'ICC_PMR_EL1', 0xa8);
      return points({
        'IAR is masked': masked === SPURIOUS,
        'HPPIR is not': seen === 40,
        'IAR answers below the mask': g.read(0, 'ICC_IAR1_EL1') === 40,
      });
    },
  },
  {
    ...base,
    id: 'cpu.preemption-by-group-priority',
    title: 'only a higher group priority preempts, and the active priority bit is that of the group priority',
    source: 'Preemption',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.write(0, 'ICC_BPR1_EL1', 6);
      g.spi(40, { priority: 0xb0 });
      g.spi(41, { priority: 0x90 });
      g.spi(42, { priority: 0x40 });
      g.wire(40, true);
      const first = g.read(0, 'ICC_IAR1_EL1');
      const running = g.read(0, 'ICC_RPR_EL1');
      g.wire(41, true);
      const same = g.read(0, 'ICC_IAR1_EL1');
      g.wire(42, true);
      return points({
        'takes the first': first === 40,
        'RPR is the group priority': running === 0x80,
        'the same group priority waits': same === SPURIOUS,
        'a higher one preempts': g.read(0, 'ICC_IAR1_EL1') === 42,
        'RPR follows': g.read(0, 'ICC_RPR_EL1') === 0x40,
      });
    },
  },
  {
    ...base,
    id: 'cpu.eoimode',
    title: 'EOImode 0 deactivates at EOI; EOImode 1 leaves that to DIR',
    source: 'ICC_CTLR_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40);
      const active = () => (g.gicd('GICD_ISACTIVER', undefined, 1) & 0x100) !== 0;
      g.wire(40, true);
      g.write(0, 'ICC_EOIR1_EL1', g.read(0, 'ICC_IAR1_EL1'));
      const after0 = active();
      g.write(0, 'ICC_CTLR_EL1', 2);
      g.wire(40, false);
      g.wire(40, true);
      g.write(0, 'ICC_EOIR1_EL1', g.read(0, 'ICC_IAR1_EL1'));
      const after1 = active();
      const running = g.read(0, 'ICC_RPR_EL1');
      g.write(0, 'ICC_DIR_EL1', 40);
      return points({
        'EOImode 0 deactivates': !after0,
        'EOImode 1 does not': after1,
        'EOImode 1 drops the priority': running === 0xff,
        'DIR deactivates': !active(),
      });
    },
  },
  {
    ...base,
    id: 'cpu.dir-without-eoimode',
    title: 'DIR has no effect with EOImode 0',
    source: 'ICC_DIR_EL1',
    expected: { architecture: 'ignored' },
    run(g) {
      g.enable();
      g.spi(40);
      g.wire(40, true);
      g.read(0, 'ICC_IAR1_EL1');
      g.write(0, 'ICC_DIR_EL1', 40);
      return g.gicd('GICD_ISACTIVER', undefined, 1) & 0x100 ? 'ignored' : 'deactivates';
    },
  },
  {
    ...base,
    id: 'cpu.cbpr',
    title: 'with CBPR Group 1 uses BPR0, and BPR1 reads BPR0 + 1',
    source: 'ICC_CTLR_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.write(0, 'ICC_BPR0_EL1', 4);
      g.write(0, 'ICC_CTLR_EL1', 1);
      const reads = g.read(0, 'ICC_BPR1_EL1');
      g.write(0, 'ICC_BPR1_EL1', 7);
      return points({
        'BPR1 reads BPR0 + 1': reads === 5,
        'BPR1 is not written': g.read(0, 'ICC_BPR1_EL1') === 5,
      });
    },
  },
  {
    ...base,
    id: 'cpu.bpr-minimum',
    title: 'a binary point below the minimum becomes the minimum',
    source: 'ICC_BPR0_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.write(0, 'ICC_BPR0_EL1', 0);
      g.write(0, 'ICC_BPR1_EL1', 0);
      return points({
        BPR0: g.read(0, 'ICC_BPR0_EL1') === 2,
        BPR1: g.read(0, 'ICC_BPR1_EL1') === 3,
      });
    },
  },
  {
    ...base,
    id: 'cpu.groups',
    title: 'Group 0 is signalled by FIQ and taken by IAR0, Group 1 by IRQ and IAR1',
    source: 'Interrupt grouping',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40, { group: 0 });
      g.wire(40, true);
      const told = g.seen.find((s) => s.kind === 'hppi')?.words;
      const wrong = g.read(0, 'ICC_IAR1_EL1');
      return points({
        FIQ: told?.[3] === 1 && told[4] === 0,
        'IAR1 does not see it': wrong === SPURIOUS,
        'IAR0 does': g.read(0, 'ICC_IAR0_EL1') === 40,
      });
    },
  },
  {
    ...base,
    id: 'cpu.group-enable-gates',
    title:
      'an interrupt of a group that the interface has not enabled is not signalled and not seen in HPPIR',
    source: 'ICC_IGRPEN1_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40);
      g.write(0, 'ICC_IGRPEN1_EL1', 0);
      g.wire(40, true);
      const told = g.seen.find((s) => s.kind === 'hppi')?.words;
      return points({
        'no IRQ': told?.[4] !== 1,
        HPPIR: g.read(0, 'ICC_HPPIR1_EL1') === SPURIOUS,
        IAR: g.read(0, 'ICC_IAR1_EL1') === SPURIOUS,
      });
    },
  },
  {
    ...base,
    id: 'cpu.sgi-by-affinity',
    title: 'an SGI goes to the PEs of its target list, or with IRM to all others',
    source: 'ICC_SGI1R_EL1',
    pes: 3,
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.write(0, 'ICC_SGI1R_EL1', (5 << 24) | 0b110);
      const listed = [0, 1, 2].map((pe) => g.read(pe, 'ICC_IAR1_EL1'));
      for (const pe of [1, 2]) g.write(pe, 'ICC_EOIR1_EL1', 5);
      g.write(1, 'ICC_SGI1R_EL1', 6 << 24, 0x100);
      const others = [0, 1, 2].map((pe) => g.read(pe, 'ICC_IAR1_EL1'));
      return points({
        list: `${listed}` === `${[SPURIOUS, 5, 5]}`,
        IRM: `${others}` === `${[6, SPURIOUS, 6]}`,
      });
    },
  },
  {
    ...base,
    id: 'cpu.active-and-pending',
    title: 'an SGI that is sent again while it is active is taken again after it has ended',
    source: 'Interrupt handling state machine',
    expected: { architecture: 'taken twice' },
    run(g) {
      g.enable();
      const send = () => g.write(0, 'ICC_SGI1R_EL1', (5 << 24) | 1);
      send();
      if (g.read(0, 'ICC_IAR1_EL1') !== 5) return 'not taken';
      send();
      if (g.read(0, 'ICC_IAR1_EL1') !== 1023) return 'taken while active';
      g.write(0, 'ICC_EOIR1_EL1', 5);
      return g.read(0, 'ICC_IAR1_EL1') === 5 ? 'taken twice' : 'lost';
    },
  },
  {
    ...base,
    id: 'cpu.acknowledge-clears-line',
    title: 'acknowledging an edge clears its pending state and takes the IRQ line down',
    source: 'ICC_IAR1_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable();
      g.spi(40);
      g.wire(40, true);
      g.read(0, 'ICC_IAR1_EL1');
      const told = g.seen.find((s) => s.kind === 'hppi')?.words;
      return points({
        'the line goes down': told?.[4] === 0,
        'not pending': (g.gicd('GICD_ISPENDR', undefined, 1) & 0x100) === 0,
        active: (g.gicd('GICD_ISACTIVER', undefined, 1) & 0x100) !== 0,
      });
    },
  },
];
