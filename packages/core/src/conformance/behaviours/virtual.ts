// The virtual CPU interface, vLPIs, residency and doorbells, and what GICv4.1 adds.
import { GICR, ITS_ERRORS } from '../../spec/index.ts';
import type { Guest } from '../guest.ts';
import { type Behaviour, points } from '../shape.ts';

const interface_ = { feature: 'Virtual CPU interface', needs: [] } as const;
const vlpis = { feature: 'vLPIs', needs: ['vLPIs'] } as const;
const doorbells = { feature: 'Doorbells', needs: ['vLPIs'] } as const;
const v41 = { feature: 'GICv4.1', needs: ['GICv4.1'] } as const;
const SPURIOUS = 1023;
const VINTID = 8192;
const DOORBELL = 8300;
/** A list register's high word: pending, Group 1, priority 0xa0. */
const PENDING = 0x50a0_0000;
const HW = 0x2000_0000;
const EOI = 0x200;

/** vPE 0 with a device whose event 0 is a vLPI. */
const virtual = (g: Guest, doorbell = SPURIOUS): Guest => {
  g.enable().its().virtual();
  g.configure(DOORBELL, 0xa1);
  g.enableVirtual(0);
  g.mapVirtual(1, 0, 0, VINTID, doorbell);
  return g;
};
const maintenance = (g: Guest): boolean => g.machine.state.virtual.maintenance[0] === 1;
const virq = (g: Guest): boolean => g.machine.state.virtual.hppi[5] === 1;

export const virtualBehaviours: readonly Behaviour[] = [
  {
    ...interface_,
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
    ...interface_,
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
    ...interface_,
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
    ...interface_,
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
    ...interface_,
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
    ...interface_,
    id: 'ich.misr-vgrp0d',
    title: 'MISR.VGrp0D tells that virtual Group 0 is disabled',
    source: 'ICH_MISR_EL2',
    expected: { architecture: 'by Group 0', 'qemu-virt': 'by Group 1' },
    run(g) {
      g.write(0, 'ICH_VMCR_EL2', 0xf800_0002);
      g.write(0, 'ICH_HCR_EL2', 0x21);
      return g.read(0, 'ICH_MISR_EL2') & 0x20 ? 'by Group 0' : 'by Group 1';
    },
  },
  {
    ...interface_,
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
    ...interface_,
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
    ...interface_,
    id: 'ich.special-intid',
    title: 'a special INTID in a list register is answered and the register becomes invalid',
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
  {
    ...vlpis,
    id: 'vlpi.resident-delivery',
    title: 'an MSI for a resident vPE reaches the virtual machine without the hypervisor',
    source: 'GICv4',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).schedule(0, 0);
      g.msi(1, 0);
      const up = virq(g);
      const taken = g.read(0, 'ICV_IAR1_EL1');
      const cleared = !g.vpending(0, VINTID);
      g.write(0, 'ICV_EOIR1_EL1', VINTID);
      return points({
        vIRQ: up,
        IAR: taken === VINTID,
        'pending bit cleared': cleared,
        'taken once': g.read(0, 'ICV_IAR1_EL1') === SPURIOUS,
        'no physical interrupt': g.read(0, 'ICC_IAR1_EL1') === SPURIOUS,
        'priority dropped': g.read(0, 'ICV_RPR_EL1') === 0xff,
        'no EOIcount': g.read(0, 'ICH_HCR_EL2') >>> 27 === 0,
      });
    },
  },
  {
    ...vlpis,
    id: 'vlpi.pending-until-resident',
    title: 'a vLPI for a vPE that is not resident waits in its pending table and is delivered when it is',
    source: 'GICR_VPENDBASER',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).msi(1, 0);
      const waits = g.vpending(0, VINTID) && g.read(0, 'ICV_IAR1_EL1') === SPURIOUS;
      g.schedule(0, 0);
      return points({ waits, delivered: g.read(0, 'ICV_IAR1_EL1') === VINTID });
    },
  },
  {
    ...vlpis,
    id: 'vlpi.pendinglast',
    title: 'PendingLast tells whether an enabled vLPI was pending when the vPE was descheduled',
    source: 'GICR_VPENDBASER',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).schedule(0, 0);
      const none = g.deschedule(0, 0);
      g.schedule(0, 0);
      g.msi(1, 0);
      const some = g.deschedule(0, 0);
      return points({ '0 with none': !none, '1 with one': some, 'still pending': g.vpending(0, VINTID) });
    },
  },
  {
    ...vlpis,
    id: 'vlpi.valid-locks-vpendbaser',
    title: 'VPENDBASER does not change while Valid is 1',
    source: 'GICR_VPENDBASER',
    expected: { architecture: 'ignored' },
    run(g) {
      virtual(g).schedule(0, 0);
      g.schedule(1, 0);
      g.msi(1, 0);
      return g.read(0, 'ICV_IAR1_EL1') === VINTID ? 'ignored' : 'changes';
    },
  },
  {
    ...vlpis,
    id: 'vlpi.dirty-reads-0',
    title: 'Dirty reads 0 once the vPE is descheduled',
    source: 'GICR_VPENDBASER',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).schedule(0, 0);
      g.deschedule(0, 0);
      g.access('GICR', 0, GICR.GICR_VPENDBASER.offset, 8);
      return points({ Dirty: (g.machine.high & 0x1000_0000) === 0 });
    },
  },
  {
    ...vlpis,
    id: 'vlpi.inv-and-vinvall',
    title: 'INV of a vLPI, and VINVALL, have the configuration looked at again',
    source: 'VINVALL',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g);
      g.store(g.vconf(0), 0xa0);
      g.schedule(0, 0);
      g.msi(1, 0);
      const disabled = !virq(g);
      g.store(g.vconf(0), 0xa1);
      g.command('INV', { DeviceID: 1, EventID: 0 });
      const byInv = virq(g);
      g.store(g.vconf(0), 0xa0);
      g.command('VINVALL', { vPEID: 0 });
      return points({ disabled, INV: byInv, VINVALL: !virq(g) });
    },
  },
  {
    ...vlpis,
    id: 'vlpi.rescan-on-acknowledge',
    title: 'another pending vLPI whose byte was changed without INV, after the best one is acknowledged',
    source: 'LPI configuration tables',
    expected: { architecture: 'old byte', 'qemu-virt': 'new byte' },
    run(g) {
      virtual(g);
      g.mapVirtual(1, 1, 0, VINTID + 1);
      g.store(g.vconf(0) + 1, 0xb1);
      g.schedule(0, 0);
      g.msi(1, 0);
      g.msi(1, 1);
      g.store(g.vconf(0) + 1, 0xb0);
      g.write(0, 'ICV_EOIR1_EL1', g.read(0, 'ICV_IAR1_EL1'));
      return g.read(0, 'ICV_IAR1_EL1') === VINTID + 1 ? 'old byte' : 'new byte';
    },
  },
  {
    ...vlpis,
    id: 'vlpi.vmovi-moves-pending',
    title: 'VMOVI moves pending to another vPE, with a new doorbell if D says so',
    source: 'VMOVI',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).msi(1, 0);
      g.store(g.vconf(1), 0xa1);
      g.command('VMOVI', { DeviceID: 1, EventID: 0, vPEID: 1, D: 0, Dbell_pINTID: 0 });
      return points({
        'gone from the first': !g.vpending(0, VINTID),
        'at the second': g.vpending(1, VINTID),
      });
    },
  },
  {
    ...vlpis,
    id: 'vlpi.vmovp-sends-elsewhere',
    title: 'after VMOVP the vPE is looked for on its new PE',
    source: 'VMOVP',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).command('VMOVP', { vPEID: 0, RDbase: 1, ITSList: 1 });
      g.enableVirtual(1);
      g.schedule(0, 1);
      g.msi(1, 0);
      return points({ 'delivered there': g.read(1, 'ICV_IAR1_EL1') === VINTID });
    },
  },
  {
    ...vlpis,
    id: 'vlpi.discard-clears',
    title: 'DISCARD, CLEAR and INT work on vLPIs',
    source: 'DISCARD',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).command('INT', { DeviceID: 1, EventID: 0 });
      const int = g.vpending(0, VINTID);
      g.command('CLEAR', { DeviceID: 1, EventID: 0 });
      const clear = !g.vpending(0, VINTID);
      g.command('INT', { DeviceID: 1, EventID: 0 });
      g.command('DISCARD', { DeviceID: 1, EventID: 0 });
      const discard = !g.vpending(0, VINTID);
      g.msi(1, 0);
      return points({ INT: int, CLEAR: clear, DISCARD: discard, unmapped: g.saw('msi.dropped') });
    },
  },
  {
    ...vlpis,
    id: 'vlpi.idbits-bound',
    title: 'a vINTID beyond the vPE’s tables is dropped',
    source: 'VMAPP',
    expected: { architecture: 'dropped' },
    run(g) {
      virtual(g);
      g.command('VMAPP', {
        vPEID: 0,
        RDbase: 0,
        V: 1,
        VPT_addr: g.vpt(0),
        VPT_size: 13,
        ...(g.byVpeid ? { VCONF_addr: g.vconf(0), Default_Doorbell_pINTID: SPURIOUS } : {}),
      });
      g.mapVirtual(1, 1, 0, 16384);
      g.msi(1, 1);
      return g.vpending(0, 16384) ? 'pends' : 'dropped';
    },
  },
  {
    ...vlpis,
    id: 'vlpi.movi-is-refused',
    title: 'MOVI of an event that is a vLPI, and VMOVI of one that is not, are errors with their codes',
    source: 'ITS command errors',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g);
      const movi = g.command('MOVI', { DeviceID: 1, EventID: 0, ICID: 1 });
      if (g.gits('GITS_CREADR') & 1) g.skipStalled();
      g.map(2, 0, 8200, 0);
      const vmovi = g.command('VMOVI', { DeviceID: 2, EventID: 0, vPEID: 1, D: 0 });
      return points({
        MOVI: movi === ITS_ERRORS.MOVI_ID_IS_VIRTUAL,
        VMOVI: vmovi === ITS_ERRORS.VMOVI_ID_IS_PHYSICAL,
      });
    },
  },
  {
    ...vlpis,
    id: 'vlpi.before-list-register',
    title:
      'a vLPI of higher priority goes before a list register, and one of lower or equal priority after it',
    source: 'Virtual interrupt prioritization',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).schedule(0, 0);
      g.write(0, 'ICH_LR0_EL2', 40, PENDING);
      g.msi(1, 0);
      const equal = g.read(0, 'ICV_HPPIR1_EL1');
      g.write(0, 'ICH_LR0_EL2', 40, 0x50b0_0000);
      return points({
        'equal: the list register': equal === 40,
        'higher: the vLPI': g.read(0, 'ICV_HPPIR1_EL1') === VINTID,
      });
    },
  },
  {
    ...doorbells,
    id: 'doorbell.rings',
    title:
      'the doorbell of an event rings when its vLPI pends while the vPE is not resident, and not when it is',
    source: 'VMAPTI',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g, DOORBELL).msi(1, 0);
      const rings = g.read(0, 'ICC_IAR1_EL1') === DOORBELL;
      g.write(0, 'ICC_EOIR1_EL1', DOORBELL);
      g.schedule(0, 0);
      g.read(0, 'ICV_IAR1_EL1');
      g.msi(1, 0);
      return points({ rings, silent: g.read(0, 'ICC_IAR1_EL1') === SPURIOUS });
    },
  },
  {
    ...doorbells,
    id: 'doorbell.1023-is-none',
    title: 'doorbell INTID 1023 is no doorbell',
    source: 'VMAPTI',
    expected: { architecture: 'silent' },
    run(g) {
      virtual(g).msi(1, 0);
      return g.saw('doorbell.rung') ? 'rings' : 'silent';
    },
  },
  {
    ...doorbells,
    id: 'doorbell.follows-vmovp',
    title: 'the doorbell rings on the PE to which VMOVP moved the vPE',
    source: 'VMOVP',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g, DOORBELL).command('VMOVP', { vPEID: 0, RDbase: 1, ITSList: 1 });
      g.msi(1, 0);
      return points({ 'on the new PE': g.pending(1, DOORBELL), 'not on the old': !g.pending(0, DOORBELL) });
    },
  },
  {
    ...doorbells,
    id: 'doorbell.vmovi-changes',
    title: 'VMOVI with D=1 changes the doorbell, with D=0 keeps it',
    source: 'VMOVI',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g, DOORBELL);
      g.configure(DOORBELL + 1, 0xa1);
      g.command('VMOVI', { DeviceID: 1, EventID: 0, vPEID: 1, D: 0 });
      g.store(g.vconf(1), 0xa1);
      g.msi(1, 0);
      const kept = g.pending(0, DOORBELL);
      g.command('VMOVI', { DeviceID: 1, EventID: 0, vPEID: 2, D: 1, Dbell_pINTID: DOORBELL + 1 });
      return points({ kept, changed: g.pending(0, DOORBELL + 1) });
    },
  },
  {
    ...doorbells,
    id: 'doorbell.lost-by-discard',
    title:
      'a proxy event’s DISCARD clears a doorbell that is pending while its vPE is not resident: it is lost',
    source: 'DISCARD',
    expected: { architecture: 'lost' },
    run(g) {
      virtual(g, DOORBELL);
      // Linux's proxy device: an event that is the doorbell itself.
      g.map(9, 0, DOORBELL, 0);
      g.msi(1, 0);
      if (!g.pending(0, DOORBELL)) return 'never rang';
      g.command('DISCARD', { DeviceID: 9, EventID: 0 });
      return g.pending(0, DOORBELL) ? 'kept' : g.vpending(0, VINTID) ? 'lost' : 'vLPI lost too';
    },
  },
  {
    ...v41,
    id: 'v41.residency-by-vpeid',
    title: 'VPENDBASER names a vPEID; a vPE that is not mapped cannot become resident',
    source: 'GICR_VPENDBASER',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).schedule(7, 0);
      g.access('GICR', 0, GICR.GICR_VPENDBASER.offset, 8);
      const refused = (g.machine.high & 0x8000_0000) === 0;
      g.schedule(0, 0);
      g.access('GICR', 0, GICR.GICR_VPENDBASER.offset, 8);
      return points({ 'not mapped': refused, mapped: (g.machine.high & 0x8000_0000) !== 0 });
    },
  },
  {
    ...v41,
    id: 'v41.default-doorbell',
    title:
      'the default doorbell rings for a vPE that was descheduled with Doorbell = 1, not with 0, and not while resident',
    source: 'GICR_VPENDBASER',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g);
      g.mapVpe(0, 0, DOORBELL);
      g.schedule(0, 0);
      g.deschedule(0, 0, false);
      g.msi(1, 0);
      const silent = !g.pending(0, DOORBELL);
      g.schedule(0, 0);
      g.read(0, 'ICV_IAR1_EL1');
      g.write(0, 'ICV_EOIR1_EL1', VINTID);
      g.msi(1, 0);
      const resident = !g.pending(0, DOORBELL);
      g.read(0, 'ICV_IAR1_EL1');
      g.write(0, 'ICV_EOIR1_EL1', VINTID);
      g.deschedule(0, 0, true);
      g.msi(1, 0);
      return points({ 'Doorbell 0': silent, resident, 'Doorbell 1': g.pending(0, DOORBELL) });
    },
  },
  {
    ...v41,
    id: 'v41.default-doorbell-needs-enable',
    title: 'the default doorbell does not ring for a vLPI that is disabled',
    source: 'GICR_VPENDBASER',
    expected: { architecture: 'silent' },
    run(g) {
      virtual(g);
      g.mapVpe(0, 0, DOORBELL);
      g.store(g.vconf(0), 0xa0);
      g.schedule(0, 0);
      g.deschedule(0, 0, true);
      g.msi(1, 0);
      return g.pending(0, DOORBELL) ? 'rings' : 'silent';
    },
  },
  {
    ...v41,
    id: 'v41.vsgi',
    title:
      'a virtual SGI by GITS_SGIR: configured by VSGI, delivered while resident, pending otherwise, seen by VSGIPENDR',
    source: 'VSGI',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g);
      g.command('VSGI', { vPEID: 0, vINTID: 3, Priority: 0xa0, G: 1, E: 1 });
      g.access('GITS', 0, 0x2_0020, 8, 3, 0);
      const waits = g.vpending(0, 3);
      g.gicr(0, 'GICR_VSGIR', 0);
      const asked = g.gicr(0, 'GICR_VSGIPENDR');
      g.schedule(0, 0);
      const taken = g.read(0, 'ICV_IAR1_EL1');
      g.write(0, 'ICV_EOIR1_EL1', 3);
      return points({
        'waits in the table': waits,
        VSGIPENDR: asked === 8,
        delivered: taken === 3,
        'no active state': g.read(0, 'ICV_RPR_EL1') === 0xff,
      });
    },
  },
  {
    ...v41,
    id: 'v41.vsgi-clears-or-configures',
    title: 'VSGI with C=1 clears the pending state and leaves the configuration',
    source: 'VSGI',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g);
      g.command('VSGI', { vPEID: 0, vINTID: 3, Priority: 0xa0, G: 1, E: 1 });
      g.access('GITS', 0, 0x2_0020, 8, 3, 0);
      g.command('VSGI', { vPEID: 0, vINTID: 3, C: 1 });
      const cleared = !g.vpending(0, 3);
      g.schedule(0, 0);
      g.access('GITS', 0, 0x2_0020, 8, 3, 0);
      return points({ cleared, 'still enabled': g.read(0, 'ICV_IAR1_EL1') === 3 });
    },
  },
  {
    ...v41,
    id: 'v41.invdb',
    title: 'INVDB has the configuration of the default doorbell looked at again',
    source: 'INVDB',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g);
      g.configure(DOORBELL, 0xa0);
      g.mapVpe(0, 0, DOORBELL);
      g.schedule(0, 0);
      g.deschedule(0, 0, true);
      g.msi(1, 0);
      const masked = g.read(0, 'ICC_IAR1_EL1') === SPURIOUS;
      g.configure(DOORBELL, 0xa1);
      g.command('INVDB', { vPEID: 0 });
      return points({ masked, 'after INVDB': g.read(0, 'ICC_IAR1_EL1') === DOORBELL });
    },
  },
  {
    ...v41,
    id: 'v41.invlpir-v',
    title: 'INVLPIR and INVALLR with V = 1 concern the vLPIs of the vPE that is named',
    source: 'GICR_INVLPIR',
    needs: ['GICv4.1', 'direct LPI'],
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).schedule(0, 0);
      g.msi(1, 0);
      g.store(g.vconf(0), 0xa0);
      const before = virq(g);
      g.wide('GICR', 0, GICR.GICR_INVLPIR.offset, VINTID, 0x8000_0000);
      const disabled = !virq(g);
      g.store(g.vconf(0), 0xa1);
      g.wide('GICR', 0, GICR.GICR_INVALLR.offset, 0, 0x8000_0000);
      return points({ 'not before': before, INVLPIR: disabled, INVALLR: virq(g) });
    },
  },
  {
    ...v41,
    id: 'v41.vmapp-ptz',
    title: 'VMAPP with PTZ takes the pending table as zero, without it as it is',
    source: 'VMAPP',
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g).msi(1, 0);
      const kept = {
        vPEID: 0,
        RDbase: 0,
        V: 1,
        VPT_addr: g.vpt(0),
        VPT_size: 15,
        VCONF_addr: g.vconf(0),
        Default_Doorbell_pINTID: SPURIOUS,
      };
      g.command('VMAPP', { ...kept, Alloc: 1, PTZ: 0 });
      const still = g.vpending(0, VINTID);
      g.command('VMAPP', { ...kept, Alloc: 1, PTZ: 1 });
      return points({ 'PTZ 0': still, 'PTZ 1': !g.vpending(0, VINTID) });
    },
  },
  {
    ...v41,
    id: 'v41.two-itss-share-vpes',
    title: 'VMOVP on one ITS moves the vPE for all (GITS_TYPER.VMOVP)',
    source: 'VMOVP',
    needs: ['GICv4.1', 'two ITSs'],
    expected: { architecture: 'conforms' },
    run(g) {
      virtual(g);
      g.second();
      g.access('GITS', 1, 0, 4, 0);
      g.access('GITS', 1, 0x110, 8, 0x4700_0200, 0x8000_0000);
      g.access('GITS', 1, 0, 4, 1);
      g.command('VMOVP', { vPEID: 0, RDbase: 1 });
      const writes = g.seen.filter((s) => s.kind === 'vte.write');
      return points({ 'both ITSs write the entry': new Set(writes.map((s) => s.words[0])).size === 2 });
    },
  },
];
