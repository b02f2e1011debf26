// What GICv4.1 adds: default doorbells, vSGIs, the vPE table, residency by vPEID.
import { GICR } from '../../spec/index.ts';
import { type Behaviour, points } from '../shape.ts';
import { DOORBELL, SPURIOUS, VINTID, virq, virtual } from './virtual-guest.ts';

const base = { feature: 'GICv4.1', needs: ['GICv4.1'] } as const;

export const gicv41: readonly Behaviour[] = [
  {
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
