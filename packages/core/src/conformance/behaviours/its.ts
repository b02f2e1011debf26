// The ITS: what commands do, the queue, the tables.
import { GITS, ITS_ERRORS, ITS_OUTCOMES } from '../../spec/index.ts';
import { type Guest, ITT, QUEUE } from '../guest.ts';
import { type Behaviour, points } from '../shape.ts';

const commands = { feature: 'ITS commands', needs: ['its'] } as const;
const queue = { feature: 'ITS queue and tables', needs: ['its'] } as const;
const SPURIOUS = 1023;
const LPI = 8200;
const ON = 0xa1;

const mapped = (g: Guest): Guest => {
  g.enable().its();
  g.configure(LPI, ON);
  g.map(1, 0, LPI, 0);
  return g;
};
/** Pending on PE 0, masked there so that nothing takes it. */
const pending = (g: Guest): Guest => {
  mapped(g).msi(1, 0);
  return g;
};
const EVENT = { DeviceID: 1, EventID: 0 };

export const its: readonly Behaviour[] = [
  {
    ...commands,
    id: 'its.first-mapti-needs-no-inv',
    title: 'the first MSI after MAPTI finds the configuration byte without INV',
    source: 'MAPTI',
    expected: { architecture: 'delivered' },
    run: (g) => {
      pending(g);
      return g.read(0, 'ICC_IAR1_EL1') === LPI ? 'delivered' : 'not delivered';
    },
  },
  {
    ...commands,
    id: 'its.movi-moves-pending',
    title: 'MOVI moves pending',
    source: 'MOVI',
    expected: { architecture: 'moved' },
    run(g) {
      pending(g).command('MOVI', { ...EVENT, ICID: 1 });
      if (g.pending(0, LPI)) return 'left behind';
      return g.read(1, 'ICC_IAR1_EL1') === LPI ? 'moved' : 'lost';
    },
  },
  {
    ...commands,
    id: 'its.movall-moves-all',
    title: 'MOVALL moves all pending',
    source: 'MOVALL',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable().its();
      for (let n = 0; n < 3; n++) {
        g.configure(LPI + n, ON);
        g.map(1, n, LPI + n, 0);
        g.msi(1, n);
      }
      g.command('MOVALL', { RDbase1: 0, RDbase2: 1 });
      return points({
        'none left': [0, 1, 2].every((n) => !g.pending(0, LPI + n)),
        'all there': [0, 1, 2].every((n) => g.pending(1, LPI + n)),
      });
    },
  },
  {
    ...commands,
    id: 'its.discard',
    title: 'DISCARD clears pending, then unmaps; the entry in memory is gone',
    source: 'DISCARD',
    expected: { architecture: 'conforms', kvm: 'not: not pending' },
    run(g) {
      pending(g).command('DISCARD', EVENT);
      const cleared = !g.pending(0, LPI);
      g.msi(1, 0);
      return points({
        'not pending': cleared,
        'an MSI is dropped': g.saw('msi.dropped'),
        'no entry in memory': (g.machine.state.memory.readByte(ITT + 0x1000) & 1) === 0,
      });
    },
  },
  {
    ...commands,
    id: 'its.discard-unmapped-collection',
    title: 'DISCARD while the collection is unmapped leaves the entry alive: it fires after MAPC',
    source: 'DISCARD',
    expected: { architecture: 'alive', kvm: 'gone' },
    run(g) {
      mapped(g).command('MAPC', { ICID: 0, RDbase: 0, V: 0 });
      g.command('DISCARD', EVENT);
      g.gits('GITS_CWRITER', (g.gits('GITS_CWRITER') | 1) >>> 0);
      if (g.gits('GITS_CREADR') & 1) g.skipStalled();
      g.command('MAPC', { ICID: 0, RDbase: 0, V: 1 });
      g.command('INT', EVENT);
      return g.pending(0, LPI) ? 'alive' : 'gone';
    },
  },
  {
    ...commands,
    id: 'its.clear',
    title: 'CLEAR clears pending and keeps the mapping',
    source: 'CLEAR',
    expected: { architecture: 'conforms' },
    run(g) {
      pending(g).command('CLEAR', EVENT);
      const cleared = !g.pending(0, LPI);
      g.msi(1, 0);
      return points({ cleared, 'still mapped': g.pending(0, LPI) });
    },
  },
  {
    ...commands,
    id: 'its.mapc-moves-or-strands',
    title: 'MAPC to another PE while LPIs of the collection are pending, without MOVALL',
    source: 'MAPC',
    expected: { architecture: 'stranded', kvm: 'moved' },
    run(g) {
      pending(g).command('MAPC', { ICID: 0, RDbase: 1, V: 1 });
      if (!g.pending(0, LPI)) return g.pending(1, LPI) ? 'moved' : 'lost';
      g.command('CLEAR', EVENT);
      return g.pending(0, LPI) ? 'stranded' : 'cleared through the new PE';
    },
  },
  {
    ...commands,
    id: 'its.mapd-revives',
    title: 'MAPD V=0, then MAPD again on an ITT that was not zeroed: old events',
    source: 'MAPD',
    expected: { architecture: 'revived', kvm: 'gone' },
    run(g) {
      mapped(g).command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 0 });
      g.msi(1, 0);
      if (g.pending(0, LPI)) return 'still mapped';
      g.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 1 });
      g.msi(1, 0);
      return g.pending(0, LPI) ? 'revived' : 'gone';
    },
  },
  {
    ...commands,
    id: 'its.mapd-keeps-pending',
    title: 'MAPD V=0 while an LPI of the device is pending',
    source: 'MAPD',
    expected: { architecture: 'stays pending' },
    run(g) {
      pending(g).command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 0 });
      return g.pending(0, LPI) ? 'stays pending' : 'dropped';
    },
  },
  {
    ...commands,
    id: 'its.mapti-over-mapping',
    title: 'MAPTI onto an event that is mapped already',
    source: 'MAPTI',
    expected: { architecture: 'replaces', kvm: 'ignored' },
    run(g) {
      mapped(g).command('MAPTI', { ...EVENT, pINTID: LPI + 1, ICID: 0 });
      g.msi(1, 0);
      return g.pending(0, LPI + 1) ? 'replaces' : 'ignored';
    },
  },
  {
    ...commands,
    id: 'its.one-lpi-two-collections',
    title: 'one LPI through two events and collections pends on both PEs in turn',
    source: 'MAPTI',
    expected: { architecture: 'on both' },
    run(g) {
      mapped(g).map(2, 0, LPI, 1);
      g.msi(1, 0);
      g.msi(2, 0);
      return g.pending(0, LPI) && g.pending(1, LPI) ? 'on both' : 'on one';
    },
  },
  {
    ...commands,
    id: 'its.eventid-range',
    title: 'a device has 2^(Size + 1) events, no fewer and no more',
    source: 'MAPD',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable().its();
      g.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 1 });
      const last = g.command('MAPTI', { DeviceID: 1, EventID: 31, pINTID: LPI, ICID: 0 });
      const beyond = g.command('MAPTI', { DeviceID: 1, EventID: 32, pINTID: LPI, ICID: 0 });
      return points({
        'the last is mapped': last === ITS_OUTCOMES.EXECUTED,
        'the next is refused': beyond === ITS_ERRORS.MAPTI_ID_OOR,
      });
    },
  },
  {
    ...commands,
    id: 'its.invall-reach',
    title: 'INVALL concerns the Redistributor of the collection, or all of them',
    source: 'INVALL',
    expected: { architecture: 'its own', qemu: 'all' },
    run(g) {
      g.enable().its();
      g.configure(LPI, 0xa0);
      g.map(1, 0, LPI, 1);
      g.msi(1, 0);
      g.configure(LPI, ON);
      g.command('INVALL', { ICID: 0 });
      const all = g.read(1, 'ICC_HPPIR1_EL1') === LPI;
      g.command('INVALL', { ICID: 1 });
      if (g.read(1, 'ICC_HPPIR1_EL1') !== LPI) return 'none';
      return all ? 'all' : 'its own';
    },
  },
  {
    ...commands,
    id: 'its.vmovp-without-gicv4',
    title: 'GICv4 commands on an ITS without vLPIs are unknown commands',
    source: 'VMOVP',
    needs: ['no vLPIs'],
    expected: { architecture: 'refused' },
    run: (g) =>
      g.enable().its().command('VMOVP', { vPEID: 0, RDbase: 1 }) === ITS_OUTCOMES.UNSUPPORTED_COMMAND
        ? 'refused'
        : 'executed',
  },
  {
    ...commands,
    id: 'its.errors-policy',
    title: 'what an ITS does with a command error',
    source: 'ITS command errors',
    expected: { architecture: 'stalls', qemu: 'goes on', kvm: 'goes on' },
    run(g) {
      g.enable().its();
      const outcome = g.command('INT', { DeviceID: 0x1_0000 - 1, EventID: 0 });
      if (outcome !== ITS_ERRORS.INT_UNMAPPED_DEVICE) return 'no error code';
      return g.gits('GITS_CREADR') & 1 ? 'stalls' : 'goes on';
    },
  },
  {
    ...commands,
    id: 'its.unknown-opcode',
    title: 'an unknown opcode has an outcome and does not throw an exception',
    source: 'ITS commands',
    expected: { architecture: 'refused' },
    run: (g) =>
      g
        .enable()
        .its()
        .raw(Uint32Array.of(0x77, 0, 0, 0, 0, 0, 0, 0)) === ITS_OUTCOMES.UNKNOWN_COMMAND
        ? 'refused'
        : 'executed',
  },
  {
    ...queue,
    id: 'its.retry',
    title: 'CWRITER.Retry starts a stalled queue again, at the command that failed',
    source: 'GITS_CWRITER',
    expected: { architecture: 'goes on', qemu: 'never stalls', kvm: 'never stalls' },
    run(g) {
      mapped(g).command('MAPC', { ICID: 0, RDbase: 0, V: 0 });
      g.command('INT', EVENT);
      if ((g.gits('GITS_CREADR') & 1) === 0) return 'never stalls';
      const at = g.gits('GITS_CREADR') & ~1;
      // Software mends what was wrong: it makes the failed command a MAPC.
      g.rewrite(at / 32, 'MAPC', { ICID: 0, RDbase: 0, V: 1 });
      g.gits('GITS_CWRITER', (g.gits('GITS_CWRITER') | 1) >>> 0);
      const creadr = g.gits('GITS_CREADR');
      return creadr & 1 ? 'stays stalled' : creadr === (at + 32) % 0x1000 ? 'goes on' : 'elsewhere';
    },
  },
  {
    ...queue,
    id: 'its.queue-wraps',
    title: 'the queue wraps',
    source: 'The ITS command interface',
    expected: { architecture: 'conforms' },
    run(g) {
      mapped(g);
      let all = true;
      for (let n = 0; n < 300; n++) all &&= g.command('SYNC', { RDbase: 0 }) === 0;
      return points({ 'every command runs': all, CREADR: g.gits('GITS_CREADR') === g.gits('GITS_CWRITER') });
    },
  },
  {
    ...queue,
    id: 'its.queue-sizes',
    title: 'a queue of 1 to 256 pages wraps at its end',
    source: 'GITS_CBASER',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable().its();
      for (const pages of [1, 2, 16, 256]) {
        g.gits('GITS_CTLR', 0);
        g.zero(QUEUE, pages * 0x1000);
        g.wide('GITS', 0, GITS.GITS_CBASER.offset, (QUEUE | (pages - 1)) >>> 0, 0x8000_0000);
        g.gits('GITS_CWRITER', 0);
        g.gits('GITS_CTLR', 1);
        const last = pages * 128 - 1;
        for (let slot = 0; slot <= last; slot++) g.rewrite(slot, 'SYNC', { RDbase: 0 });
        g.gits('GITS_CWRITER', last * 32);
        if (g.gits('GITS_CREADR') !== last * 32) return `not: ${pages} pages run to the last slot`;
        g.gits('GITS_CWRITER', 0);
        if (g.gits('GITS_CREADR') !== 0) return `not: ${pages} pages wrap`;
      }
      return 'conforms';
    },
  },
  {
    ...queue,
    id: 'its.cwriter-out-of-range',
    title: 'CWRITER beyond the queue: nothing runs',
    source: 'GITS_CWRITER',
    expected: { architecture: 'kept', kvm: 'ignored' },
    run(g) {
      mapped(g);
      const before = g.gits('GITS_CREADR');
      g.gits('GITS_CWRITER', 0x2000);
      if (g.gits('GITS_CREADR') !== before) return 'runs';
      return g.gits('GITS_CWRITER') === 0x2000 ? 'kept' : 'ignored';
    },
  },
  {
    ...queue,
    id: 'its.creadr-read-only',
    title: 'CREADR is read-only, and cleared by a write of CBASER',
    source: 'GITS_CREADR',
    expected: { architecture: 'conforms', qemu: 'not: read-only' },
    run(g) {
      mapped(g);
      const at = g.gits('GITS_CREADR');
      g.gits('GITS_CREADR', 0x20);
      const kept = g.gits('GITS_CREADR') === at;
      g.gits('GITS_CTLR', 0);
      g.wide('GITS', 0, GITS.GITS_CBASER.offset, QUEUE, 0x8000_0000);
      return points({ 'read-only': kept, 'cleared by CBASER': g.gits('GITS_CREADR') === 0 });
    },
  },
  {
    ...queue,
    id: 'its.cbaser-baser-locked',
    title:
      'CBASER and BASER<n> are locked while the ITS is enabled; a write replaces, its Type and Entry_Size stay',
    source: 'GITS_BASER<n>',
    expected: { architecture: 'conforms', kvm: 'not: replaced' },
    run(g) {
      g.enable().its();
      const read = (offset: number) => {
        g.access('GITS', 0, offset, 8);
        return [g.machine.low >>> 0, g.machine.high >>> 0];
      };
      const cbaser = `${read(GITS.GITS_CBASER.offset)}`;
      const baser = `${read(GITS.GITS_BASER.offset)}`;
      g.wide('GITS', 0, GITS.GITS_CBASER.offset, 0x5000_0000, 0);
      g.wide('GITS', 0, GITS.GITS_BASER.offset, 0x5000_0000, 0);
      const locked =
        `${read(GITS.GITS_CBASER.offset)}` === cbaser && `${read(GITS.GITS_BASER.offset)}` === baser;
      g.gits('GITS_CTLR', 0);
      g.wide('GITS', 0, GITS.GITS_BASER.offset, 0x5000_0000, 0);
      const [low, high] = read(GITS.GITS_BASER.offset);
      return points({
        locked,
        replaced: low === 0x5000_0000 && (high! & 0x8000_0000) === 0,
        'Type stays': ((high! >>> 24) & 7) === 1,
        'Entry_Size stays': ((high! >>> 16) & 0x1f) === 7,
      });
    },
  },
  {
    ...queue,
    id: 'its.quiescent',
    title: 'Quiescent reads 1 once the ITS is disabled; while it is enabled, implementations differ',
    source: 'GITS_CTLR',
    expected: { architecture: '0 while enabled', qemu: 'always 1', kvm: 'always 1' },
    run(g) {
      g.enable().its();
      const on = (g.gits('GITS_CTLR') & 0x8000_0000) !== 0;
      g.gits('GITS_CTLR', 0);
      if ((g.gits('GITS_CTLR') & 0x8000_0000) === 0) return 'never';
      return on ? 'always 1' : '0 while enabled';
    },
  },
  {
    ...queue,
    id: 'its.disabled-drops',
    title: 'an MSI while the ITS is disabled is dropped',
    source: 'GITS_CTLR',
    expected: { architecture: 'dropped' },
    run(g) {
      mapped(g).gits('GITS_CTLR', 0);
      g.msi(1, 0);
      return g.pending(0, LPI) ? 'pends' : 'dropped';
    },
  },
  {
    ...queue,
    id: 'its.translater-by-16-bits',
    title: 'a 16-bit write to GITS_TRANSLATER is an MSI, too',
    source: 'GITS_TRANSLATER',
    expected: { architecture: 'pends' },
    run(g) {
      mapped(g).msi(1, 0, 2);
      return g.pending(0, LPI) ? 'pends' : 'ignored';
    },
  },
  {
    ...queue,
    id: 'its.indirect-tables',
    title: 'a two-level device table; a level-2 table that does not exist is an unmapped device',
    source: 'GITS_BASER<n>',
    expected: { architecture: 'conforms' },
    run(g) {
      g.enable().its();
      g.indirectDevices();
      g.configure(LPI, ON);
      g.map(1, 0, LPI, 0);
      g.msi(1, 0);
      const near = g.pending(0, LPI);
      g.command('MAPD', { DeviceID: 0x3000, Size: 4, ITT_addr: ITT + 0x3000, V: 1 });
      g.msi(0x3000, 0);
      return points({ 'level 2 there': near, 'level 2 absent': g.saw('msi.dropped') });
    },
  },
  {
    ...queue,
    id: 'its.corrupt-table',
    title: 'a guest that overwrites an ITT entry changes where the event goes, and breaks nothing',
    source: 'ITS tables',
    expected: { architecture: 'conforms' },
    run(g) {
      mapped(g);
      for (let k = 0; k < 12; k++) g.store(ITT + 0x1000 + k, 0xff);
      g.msi(1, 0);
      const dropped = !g.pending(0, LPI);
      g.command('DISCARD', EVENT);
      if (g.gits('GITS_CREADR') & 1) g.skipStalled();
      g.command('MAPD', { DeviceID: 2, Size: 4, ITT_addr: ITT + 0x2000, V: 1 });
      const mends = g.command('MAPTI', { DeviceID: 2, EventID: 0, pINTID: LPI, ICID: 0 });
      g.msi(2, 0);
      return points({
        'the event is lost': dropped,
        'the ITS goes on': mends === 0 && g.pending(0, LPI),
      });
    },
  },
  {
    ...queue,
    id: 'its.two-itss',
    title: 'two ITSs have their own devices and share the Redistributors',
    source: 'ITS',
    needs: ['two ITSs'],
    expected: { architecture: 'conforms' },
    run(g) {
      mapped(g).second();
      g.msi(1, 0, 4, 1);
      const other = !g.pending(0, LPI) && g.saw('msi.dropped');
      g.msi(1, 0);
      const own = g.read(0, 'ICC_IAR1_EL1') === LPI;
      return points({ 'the second ITS knows no device of the first': other, 'the first does': own });
    },
  },
  {
    ...queue,
    id: 'its.nothing-spurious',
    title: 'an MSI of an unmapped event is dropped with its reason',
    source: 'GITS_TRANSLATER',
    expected: { architecture: 'conforms' },
    run(g) {
      mapped(g).msi(1, 5);
      const event = g.saw('msi.dropped');
      g.msi(9, 0);
      return points({
        'event unmapped': event,
        'device unmapped': g.saw('msi.dropped'),
        'nobody is told': g.read(0, 'ICC_IAR1_EL1') === SPURIOUS,
      });
    },
  },
];
