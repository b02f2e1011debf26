import { type Behaviour, points } from '../shape.ts';
import { EOI, HW, maintenance, PENDING, SPURIOUS, virq } from './virtual-guest.ts';

const base = { feature: 'Virtual CPU interface', needs: [] } as const;

export const virtualInterface: readonly Behaviour[] = [
  {
    ...base,
    id: 'ich.list-register',
    title: 'a pending list register raises vIRQ, is taken by ICV_IAR1, becomes active, and invalid at EOI',
    source: 'ICH_LR<n>_EL2',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enableVirtual(0);
      g.write(0, 'ICH_LR0_EL2', 40, PENDING);
      const up = virq(g);
      const taken = g.read(0, 'ICV_IAR1_EL1');
      g.read(0, 'ICH_LR0_EL2');
      const active = g.machine.high >>> 30;
      const running = g.read(0, 'ICV_RPR_EL1');
      g.write(0, 'ICV_EOIR1_EL1', 40);
      g.read(0, 'ICH_LR0_EL2');
      return points({
        vIRQ: up,
        IAR: taken === 40,
        active: active === 2,
        'running priority': running === 0xa0,
        'invalid at EOI': g.machine.high >>> 30 === 0,
        'ELRSR says so': (g.read(0, 'ICH_ELRSR_EL2') & 1) === 1,
      });
    },
  },
  {
    ...base,
    id: 'ich.disabled',
    title: 'with ICH_HCR_EL2.En 0 nothing is signalled, though HPPIR shows it',
    source: 'ICH_HCR_EL2',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enableVirtual(0);
      g.write(0, 'ICH_HCR_EL2', 0);
      g.write(0, 'ICH_LR0_EL2', 40, PENDING);
      return points({
        'no vIRQ': !virq(g),
        IAR: g.read(0, 'ICV_IAR1_EL1') === SPURIOUS,
        HPPIR: g.read(0, 'ICV_HPPIR1_EL1') === 40,
      });
    },
  },
  {
    ...base,
    id: 'ich.best-list-register',
    title: 'the best of several list registers by priority; VPMR masks',
    source: 'ICV_PMR_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enableVirtual(0);
      g.write(0, 'ICH_LR0_EL2', 40, PENDING);
      g.write(0, 'ICH_LR1_EL2', 41, 0x5080_0000);
      g.write(0, 'ICV_PMR_EL1', 0x80);
      const masked = g.read(0, 'ICV_IAR1_EL1');
      g.write(0, 'ICV_PMR_EL1', 0xf0);
      return points({ 'VPMR masks': masked === SPURIOUS, best: g.read(0, 'ICV_IAR1_EL1') === 41 });
    },
  },
  {
    ...base,
    id: 'ich.hw-deactivates',
    title: 'EOI of a list register with HW deactivates the physical interrupt',
    source: 'ICH_LR<n>_EL2',
    expected: { architecture: 'deactivates' },
    run(g) {
      g.enable();
      g.spi(50);
      g.write(0, 'ICC_CTLR_EL1', 2);
      g.wire(50, true);
      g.write(0, 'ICC_EOIR1_EL1', g.read(0, 'ICC_IAR1_EL1'));
      if ((g.gicd('GICD_ISACTIVER', undefined, 1) & 0x4_0000) === 0) return 'never active';
      g.enableVirtual(0);
      g.write(0, 'ICH_LR0_EL2', 40, (PENDING | HW | 50) >>> 0);
      g.write(0, 'ICV_EOIR1_EL1', g.read(0, 'ICV_IAR1_EL1'));
      return g.gicd('GICD_ISACTIVER', undefined, 1) & 0x4_0000 ? 'leaves active' : 'deactivates';
    },
  },
  {
    ...base,
    id: 'ich.maintenance',
    title: 'maintenance: EOI, underflow, no pending, and an EOI without a list register, as MISR says',
    source: 'ICH_MISR_EL2',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enableVirtual(0);
      g.write(0, 'ICH_HCR_EL2', 1 | 2);
      const underflow = maintenance(g) && g.read(0, 'ICH_MISR_EL2') === 2;
      g.write(0, 'ICH_HCR_EL2', 1 | 8);
      const nonePending = maintenance(g) && g.read(0, 'ICH_MISR_EL2') === 8;
      g.write(0, 'ICH_HCR_EL2', 1);
      const quiet = !maintenance(g);
      g.write(0, 'ICH_LR0_EL2', 40, PENDING | EOI);
      g.write(0, 'ICV_EOIR1_EL1', g.read(0, 'ICV_IAR1_EL1'));
      const eoi = maintenance(g) && g.read(0, 'ICH_MISR_EL2') === 1 && g.read(0, 'ICH_EISR_EL2') === 1;
      g.write(0, 'ICH_LR0_EL2', 0, 0);
      g.write(0, 'ICH_HCR_EL2', 1 | 4);
      g.write(0, 'ICH_LR0_EL2', 41, PENDING);
      g.read(0, 'ICV_IAR1_EL1');
      g.write(0, 'ICH_LR0_EL2', 0, 0);
      g.write(0, 'ICV_EOIR1_EL1', 41);
      return points({
        underflow,
        'no pending': nonePending,
        quiet,
        EOI: eoi,
        EOIcount: g.read(0, 'ICH_HCR_EL2') >>> 27 === 1 && (g.read(0, 'ICH_MISR_EL2') & 4) !== 0,
      });
    },
  },
  {
    ...base,
    id: 'ich.misr-vgrp0d',
    title: 'MISR.VGrp0D says that virtual Group 0 is disabled',
    source: 'ICH_MISR_EL2',
    expected: { architecture: 'by Group 0', qemu: 'by Group 1' },
    run(g) {
      g.write(0, 'ICH_VMCR_EL2', 0xf800_0002);
      g.write(0, 'ICH_HCR_EL2', 0x21);
      return g.read(0, 'ICH_MISR_EL2') & 0x20 ? 'by Group 0' : 'by Group 1';
    },
  },
  {
    ...base,
    id: 'ich.veoimode',
    title: 'VEOIM: EOI drops the priority, ICV_DIR deactivates',
    source: 'ICV_CTLR_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enableVirtual(0);
      g.write(0, 'ICV_CTLR_EL1', 2);
      g.write(0, 'ICH_LR0_EL2', 40, PENDING);
      g.write(0, 'ICV_EOIR1_EL1', g.read(0, 'ICV_IAR1_EL1'));
      g.read(0, 'ICH_LR0_EL2');
      const still = g.machine.high >>> 30 === 2;
      const idle = g.read(0, 'ICV_RPR_EL1') === 0xff;
      g.write(0, 'ICV_DIR_EL1', 40);
      g.read(0, 'ICH_LR0_EL2');
      return points({
        'still active': still,
        'priority dropped': idle,
        'DIR deactivates': g.machine.high >>> 30 === 0,
      });
    },
  },
  {
    ...base,
    id: 'ich.vmcr-is-icv',
    title: 'ICH_VMCR_EL2 and the ICV registers are one state',
    source: 'ICH_VMCR_EL2',
    expected: { architecture: 'conforms' },
    run(g) {
      g.write(0, 'ICV_PMR_EL1', 0xf0);
      g.write(0, 'ICV_IGRPEN1_EL1', 1);
      g.write(0, 'ICV_BPR0_EL1', 4);
      const vmcr = g.read(0, 'ICH_VMCR_EL2') >>> 0;
      return points({
        VPMR: vmcr >>> 24 === 0xf0,
        VENG1: (vmcr & 2) !== 0,
        VBPR0: ((vmcr >>> 21) & 7) === 4,
        'VFIQEn is 1': (vmcr & 8) !== 0,
      });
    },
  },
  {
    ...base,
    id: 'ich.special-intid',
    title: 'a special INTID in a list register is returned, and the register becomes invalid',
    source: 'ICV_IAR1_EL1',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enableVirtual(0);
      g.write(0, 'ICH_LR0_EL2', 1022, PENDING);
      const taken = g.read(0, 'ICV_IAR1_EL1');
      g.read(0, 'ICH_LR0_EL2');
      return points({
        IAR: taken === 1022,
        invalid: g.machine.high >>> 30 === 0,
        'no priority': g.read(0, 'ICV_RPR_EL1') === 0xff,
      });
    },
  },
];
