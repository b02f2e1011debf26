// vLPIs: forwarding, residency, virtual tables.
import { GICR, ITS_ERRORS } from '../../spec/index.ts';
import { type Behaviour, points } from '../shape.ts';
import { PENDING, SPURIOUS, VINTID, virq, virtual } from './virtual-guest.ts';

const base = { feature: 'vLPIs', needs: ['vLPIs'] } as const;

export const vlpis: readonly Behaviour[] = [
  {
    ...base,
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
    ...base,
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
    ...base,
    id: 'vlpi.pendinglast',
    title: 'PendingLast says whether an enabled vLPI was pending when the vPE was descheduled',
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
    id: 'vlpi.rescan-on-acknowledge',
    title: 'another pending vLPI whose byte was changed without INV, after the best one is acknowledged',
    source: 'LPI configuration tables',
    expected: { architecture: 'old byte', qemu: 'new byte' },
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
];
