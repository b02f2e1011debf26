import { type Behaviour, points } from '../shape.ts';
import { DOORBELL, SPURIOUS, VINTID, virtual } from './virtual-guest.ts';

const base = { feature: 'Doorbells', needs: ['vLPIs'] } as const;

export const doorbells: readonly Behaviour[] = [
  {
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
    ...base,
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
];
