// Each check: a guest that does it wrong, and one that does nearly the same and is right.
import { describe, expect, it } from 'vitest';
import { Guest, ITT, PENDBASE, PROPBASE, QUEUE } from '../conformance/guest.ts';
import { configOf, type Hardware, PLAIN } from '../profile/index.ts';
import { GICD, GICR, GITS } from '../spec/index.ts';
import { CHECKS, Checker, type CheckName, type Finding } from './index.ts';
import { GICV5_CHECKS, type Gicv5CheckName } from './rules-gicv5.ts';

const LPI = 8200;
const DOORBELL = 8300;
const GICV4: Partial<Hardware> = { architecture: 4, virtualLpis: '4.0' };
const GICV41: Partial<Hardware> = { architecture: 4, virtualLpis: '4.1' };
/** The high word of a list register: pending, Group 1, priority 0xa0. */
const PENDING = 0x50a0_0000;
const DIRECT: Partial<Hardware> = { directLpi: true };

/** What the checker finds in what a guest does. */
function findings(
  hardware: Partial<Hardware>,
  act: (g: Guest) => void,
  profile = 'qemu-virt',
): readonly Finding[] {
  const config = configOf(profile, { ...PLAIN, ...hardware }, 2);
  const guest = new Guest(config);
  const checker = new Checker(config);
  guest.tap = (batch) => checker.take(batch);
  act(guest);
  return checker.finish();
}
const rules = (list: readonly Finding[]) => [...new Set(list.map((one) => one.rule))];

const mapped = (g: Guest): Guest => {
  g.enable().its();
  g.configure(LPI, 0xa1);
  g.map(1, 0, LPI, 0);
  return g;
};
const EVENT = { DeviceID: 1, EventID: 0 };

/** A vPE with a doorbell that Linux's proxy device stands for, and a vLPI of a device. */
const withProxy = (g: Guest): Guest => {
  g.enable().its().virtual();
  g.configure(DOORBELL, 0xa1);
  g.enableVirtual(0);
  g.mapVirtual(1, 0, 0, 8192, DOORBELL);
  g.map(9, 0, DOORBELL, 0);
  return g;
};
const poll = (g: Guest, pe: number) => g.access('GICR', pe, GICR.GICR_VPENDBASER.offset, 8);

interface Case {
  readonly hardware?: Partial<Hardware>;
  readonly profile?: string;
  readonly wrong: (g: Guest) => void;
  readonly right: (g: Guest) => void;
  /** What the right guest is told of nevertheless, by other checks. */
  readonly also?: readonly CheckName[];
}

const CASES: Readonly<Record<Exclude<CheckName, Gicv5CheckName>, Case>> = {
  'lost-doorbell': {
    hardware: GICV4,
    wrong: (g) => {
      withProxy(g).msi(1, 0);
      g.command('DISCARD', { DeviceID: 9, EventID: 0 });
    },
    right: (g) => {
      withProxy(g).msi(1, 0);
      g.write(0, 'ICC_EOIR1_EL1', g.read(0, 'ICC_IAR1_EL1'));
      g.command('DISCARD', { DeviceID: 9, EventID: 0 });
    },
  },
  'stranded-lpi': {
    wrong: (g) => {
      mapped(g).msi(1, 0);
      g.command('MAPC', { ICID: 0, RDbase: 1, V: 1 });
    },
    right: (g) => {
      mapped(g).msi(1, 0);
      g.command('MAPC', { ICID: 0, RDbase: 1, V: 1 });
      g.command('MOVALL', { RDbase1: 0, RDbase2: 1 });
    },
  },
  'itt-not-zeroed': {
    wrong: (g) => {
      mapped(g).command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 0 });
      g.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 1 });
      g.msi(1, 0);
    },
    right: (g) => {
      mapped(g).command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 0 });
      g.zero(ITT + 0x1000, 0x1000);
      g.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 1 });
      g.msi(1, 0);
    },
    also: ['msi-dropped'],
  },
  'map-over-mapping': {
    wrong: (g) => {
      mapped(g).command('MAPTI', { ...EVENT, pINTID: LPI + 1, ICID: 0 });
    },
    right: (g) => {
      mapped(g).command('DISCARD', EVENT);
      g.command('MAPTI', { ...EVENT, pINTID: LPI + 1, ICID: 0 });
    },
  },
  'lpi-mapped-twice': {
    wrong: (g) => mapped(g).map(1, 1, LPI, 1),
    right: (g) => {
      mapped(g).command('DISCARD', EVENT);
      g.map(1, 1, LPI, 1);
    },
  },
  'lpi-out-of-range': {
    wrong: (g) => narrow(g).map(1, 0, 16384, 0),
    right: (g) => narrow(g).map(1, 0, 16383, 0),
  },
  'command-error': {
    wrong: (g) => {
      mapped(g).command('INT', { DeviceID: 1, EventID: 7 });
    },
    right: (g) => {
      mapped(g).command('INT', EVENT);
    },
  },
  'msi-dropped': {
    wrong: (g) => mapped(g).msi(1, 7),
    right: (g) => mapped(g).msi(1, 0),
  },
  'not-quiescent': {
    wrong: (g) => {
      mapped(g).gits('GITS_CTLR', 0);
      g.wide('GITS', 0, GITS.GITS_CBASER.offset, 0x4500_0000, 0x8000_0000);
    },
    right: (g) => {
      mapped(g).gits('GITS_CTLR', 0);
      g.gits('GITS_CTLR');
      g.wide('GITS', 0, GITS.GITS_CBASER.offset, 0x4500_0000, 0x8000_0000);
    },
  },
  'its-register-while-enabled': {
    wrong: (g) => mapped(g).wide('GITS', 0, GITS.GITS_BASER.offset, 0x5000_0000, 0x8000_0000),
    right: (g) => {
      mapped(g);
    },
  },
  'cwriter-out-of-range': {
    wrong: (g) => {
      mapped(g).gits('GITS_CWRITER', 0x1000);
    },
    right: (g) => {
      mapped(g).command('SYNC', { RDbase: 0 });
    },
  },
  'configured-while-enabled': {
    wrong: (g) => {
      g.spi(40);
      g.gicd('GICD_ICFGR', 0, 2);
    },
    right: (g) => {
      g.spi(40);
      g.gicd('GICD_ICENABLER', 1 << 8, 1);
      g.gicd('GICD_CTLR');
      g.gicd('GICD_ICFGR', 0, 2);
    },
  },
  'lpi-table-while-enabled': {
    wrong: (g) => mapped(g).wide('GICR', 0, GICR.GICR_PENDBASER.offset, 0x5000_0000, 0),
    right: (g) => mapped(g).access('GICR', 0, GICR.GICR_PENDBASER.offset, 8),
  },
  'rwp-not-polled': {
    wrong: (g) => {
      mapped(g).gicr(0, 'GICR_CTLR', 0);
      g.wide('GICR', 0, GICR.GICR_PENDBASER.offset, PENDBASE, 0);
    },
    right: (g) => {
      mapped(g).gicr(0, 'GICR_CTLR', 0);
      g.gicr(0, 'GICR_CTLR');
      g.wide('GICR', 0, GICR.GICR_PENDBASER.offset, PENDBASE, 0);
    },
  },
  'pending-table-shared': {
    wrong: (g) => shared(g, PENDBASE),
    right: (g) => shared(g, PENDBASE + 0x2_0000),
  },
  'invalidate-elsewhere': {
    hardware: DIRECT,
    wrong: (g) => {
      g.enable().lpis().gicr(0, 'GICR_SETLPIR', LPI);
      g.gicr(1, 'GICR_INVLPIR', LPI);
      g.gicr(1, 'GICR_SYNCR');
    },
    right: (g) => {
      g.enable().lpis().gicr(0, 'GICR_SETLPIR', LPI);
      g.gicr(0, 'GICR_INVLPIR', LPI);
      g.gicr(0, 'GICR_SYNCR');
    },
  },
  'syncr-not-polled': {
    hardware: DIRECT,
    wrong: (g) => {
      g.enable().lpis().gicr(0, 'GICR_INVALLR', 0);
      g.read(0, 'ICC_IAR1_EL1');
    },
    right: (g) => {
      g.enable().lpis().gicr(0, 'GICR_INVALLR', 0);
      g.gicr(0, 'GICR_SYNCR');
      g.read(0, 'ICC_IAR1_EL1');
    },
  },
  'invlpir-overlaps-move': {
    hardware: DIRECT,
    wrong: (g) => {
      mapped(g).command('MOVI', { ...EVENT, ICID: 1 });
      g.gicr(1, 'GICR_INVLPIR', LPI);
      g.gicr(1, 'GICR_SYNCR');
    },
    right: (g) => {
      mapped(g).command('MOVI', { ...EVENT, ICID: 1 });
      g.command('SYNC', { RDbase: 1 });
      g.gicr(1, 'GICR_INVLPIR', LPI);
      g.gicr(1, 'GICR_SYNCR');
    },
  },
  'dirty-not-polled': {
    hardware: GICV4,
    wrong: (g) => {
      withProxy(g).schedule(0, 0);
      g.wide('GICR', 0, GICR.GICR_VPENDBASER.offset, g.vpt(0), 0);
      g.command('VMOVP', { vPEID: 0, RDbase: 1, ITSList: 1 });
    },
    right: (g) => {
      withProxy(g).schedule(0, 0);
      g.wide('GICR', 0, GICR.GICR_VPENDBASER.offset, g.vpt(0), 0);
      poll(g, 0);
      g.command('VMOVP', { vPEID: 0, RDbase: 1, ITSList: 1 });
    },
  },
  'vpendbaser-while-valid': {
    hardware: GICV4,
    wrong: (g) => {
      withProxy(g).schedule(0, 0);
      g.schedule(1, 0);
    },
    right: (g) => {
      withProxy(g).schedule(0, 0);
      g.deschedule(0, 0);
      g.schedule(1, 0);
    },
  },
  'vpe-resident-twice': {
    hardware: GICV4,
    wrong: (g) => {
      withProxy(g).schedule(0, 0);
      g.command('VMOVP', { vPEID: 0, RDbase: 1, ITSList: 1 });
      g.schedule(0, 1);
    },
    right: (g) => {
      withProxy(g).schedule(0, 0);
      g.deschedule(0, 0);
      g.command('VMOVP', { vPEID: 0, RDbase: 1, ITSList: 1 });
      g.schedule(0, 1);
    },
  },
  'vpe-resident-elsewhere': {
    hardware: GICV4,
    wrong: (g) => withProxy(g).schedule(0, 1),
    right: (g) => withProxy(g).schedule(0, 0),
  },
  'vsgi-configures-and-clears': {
    hardware: GICV41,
    wrong: (g) => {
      g.enable().its().virtual().command('VSGI', { vPEID: 0, vINTID: 1, C: 1, E: 1 });
    },
    right: (g) => {
      g.enable().its().virtual().command('VSGI', { vPEID: 0, vINTID: 1, C: 1 });
    },
  },
  'move-to-disabled-lpis': {
    wrong: (g) => moveTo(g, false),
    right: (g) => moveTo(g, true),
  },
  'config-not-invalidated': {
    wrong: (g) => {
      mapped(g).configure(LPI, 0xa0);
      g.msi(1, 0);
      g.read(0, 'ICC_IAR1_EL1');
    },
    right: (g) => {
      mapped(g).configure(LPI, 0xa0);
      g.command('INV', EVENT);
      g.command('SYNC', { RDbase: 0 });
      g.msi(1, 0);
      g.read(0, 'ICC_IAR1_EL1');
    },
  },
  'pending-table-not-zero': {
    wrong: (g) => withPendingTable(g, 1),
    right: (g) => withPendingTable(g, 0),
  },
  'tables-overlap': {
    wrong: (g) => {
      mapped(g).command('MAPD', { DeviceID: 2, Size: 4, ITT_addr: ITT + 0x1000, V: 1 });
    },
    right: (g) => {
      mapped(g).command('MAPD', { DeviceID: 2, Size: 4, ITT_addr: ITT + 0x1200, V: 1 });
    },
  },
  'virtual-pending-table-shared': {
    hardware: GICV4,
    wrong: (g) => {
      withProxy(g).command('VMAPP', { vPEID: 7, RDbase: 0, V: 1, VPT_addr: g.vpt(0), VPT_size: 15 });
    },
    right: (g) => {
      withProxy(g).command('VMAPP', { vPEID: 0, V: 0 });
      g.command('VMAPP', { vPEID: 7, RDbase: 0, V: 1, VPT_addr: g.vpt(0), VPT_size: 15 });
    },
  },
  'its-enabled-without-tables': {
    wrong: (g) => {
      g.enable().lpis().gits('GITS_CTLR', 1);
    },
    right: (g) => {
      g.enable().its();
    },
  },
  'lpis-enabled-without-tables': {
    wrong: (g) => {
      g.enable().wide('GICR', 0, GICR.GICR_PROPBASER.offset, PROPBASE | 0xf, 0);
      g.gicr(0, 'GICR_CTLR', 1);
    },
    right: (g) => {
      g.enable().wide('GICR', 0, GICR.GICR_PROPBASER.offset, PROPBASE | 0xf, 0);
      g.wide('GICR', 0, GICR.GICR_PENDBASER.offset, PENDBASE, 0);
      g.gicr(0, 'GICR_CTLR', 1);
    },
  },
  'disable-not-awaited': {
    wrong: (g) => {
      g.spi(40);
      g.gicd('GICD_ICENABLER', 1 << 8, 1);
      g.gicd('GICD_ICFGR', 0, 2);
    },
    right: (g) => {
      g.spi(40);
      g.gicd('GICD_ICENABLER', 1 << 8, 1);
      g.gicd('GICD_CTLR');
      g.gicd('GICD_ICFGR', 0, 2);
    },
  },
  'vmapp-unmaps-resident': {
    hardware: GICV4,
    wrong: (g) => {
      withProxy(g).schedule(0, 0);
      g.command('VMAPP', { vPEID: 0, V: 0 });
    },
    right: (g) => {
      withProxy(g).schedule(0, 0);
      g.deschedule(0, 0);
      g.command('VMAPP', { vPEID: 0, V: 0 });
    },
  },
  'doorbell-not-requested': {
    hardware: GICV41,
    profile: 'architecture',
    wrong: (g) => {
      withDefaultDoorbell(g).schedule(0, 0);
      g.deschedule(0, 0);
      g.msi(1, 0);
    },
    right: (g) => {
      withDefaultDoorbell(g).schedule(0, 0);
      g.deschedule(0, 0, true);
      g.msi(1, 0);
    },
  },
  'doorbell-on-sleeping-pe': {
    hardware: GICV4,
    wrong: (g) => {
      withProxy(g).gicr(0, 'GICR_WAKER', 2);
      g.msi(1, 0);
      g.read(1, 'ICC_IAR1_EL1');
    },
    right: (g) => {
      withProxy(g).gicr(0, 'GICR_WAKER', 2);
      g.msi(1, 0);
      g.gicr(0, 'GICR_WAKER', 0);
      g.read(1, 'ICC_IAR1_EL1');
    },
  },
  'pending-on-sleeping-pe': {
    wrong: (g) => {
      g.enable().spi(40);
      g.gicr(0, 'GICR_WAKER', 2);
      g.wire(40, true);
      g.read(1, 'ICC_IAR1_EL1');
    },
    right: (g) => {
      g.enable().spi(40);
      g.gicr(0, 'GICR_WAKER', 2);
      g.wire(40, true);
      g.wide('GICD', 0, GICD.GICD_IROUTER.offset + 8 * 8, 1, 0);
      g.read(1, 'ICC_IAR1_EL1');
    },
  },
  'sgi-to-no-pe': {
    wrong: (g) => g.write(0, 'ICC_SGI1R_EL1', 0x0100_0004),
    right: (g) => g.write(0, 'ICC_SGI1R_EL1', 0x0100_0002),
  },
  'spi-to-absent-pe': {
    wrong: (g) => {
      g.spi(40, { pe: 5 });
      g.wire(40, true);
    },
    right: (g) => {
      g.spi(40, { pe: 1 });
      g.wire(40, true);
    },
  },
  'route-in-halves': {
    wrong: (g) => inHalves(g, true, 1, 0),
    right: (g) => inHalves(g, false, 1, 0),
  },
  'route-through-another': {
    wrong: (g) => inHalves(g, true, 1, 1),
    right: (g) => inHalves(g, false, 1, 1),
  },
  'eoi-without-acknowledge': {
    wrong: (g) => {
      g.spi(40);
      g.write(0, 'ICC_EOIR1_EL1', 40);
    },
    right: (g) => {
      g.spi(40);
      g.enable().wire(40, true);
      expect(g.read(0, 'ICC_IAR1_EL1')).toBe(40);
      g.write(0, 'ICC_EOIR1_EL1', 40);
    },
  },
  'write-to-reserved': {
    profile: 'architecture',
    wrong: (g) => {
      g.access('GICD', 0, 0x6000, 4, 1);
    },
    right: (g) => {
      g.access('GICD', 0, 0x6100, 4, 1);
    },
  },
  'private-in-distributor': {
    wrong: (g) => {
      g.gicr(0, 'GICR_WAKER', 0);
      g.gicd('GICD_IGROUPR', 0xffff, 0);
      g.write(0, 'ICC_IGRPEN1_EL1', 1);
    },
    right: (g) => {
      g.gicr(0, 'GICR_WAKER', 0);
      g.gicd('GICD_IGROUPR', 0xffff, 1);
      g.write(0, 'ICC_IGRPEN1_EL1', 1);
    },
  },
  'group-never-enabled': {
    wrong: (g) => look(g, { group: 0 }),
    right: (g) => look(g, { group: 1 }),
  },
  'priority-never-passes': {
    wrong: (g) => look(g, { priority: 0xf8 }),
    right: (g) => look(g, { priority: 0xf0 }),
  },
  'never-deactivated': {
    wrong: (g) => twice(g, () => undefined),
    right: (g) => twice(g, () => g.write(0, 'ICC_DIR_EL1', 40)),
  },
  'config-tables-differ': {
    wrong: (g) => configTables(g, PROPBASE + 0x2_0000),
    right: (g) => configTables(g, PROPBASE),
  },
  'list-registers-same-vintid': {
    wrong: (g) => {
      inVm(g, () => {
        g.write(0, 'ICH_LR0_EL2', 40, PENDING);
        g.write(0, 'ICH_LR1_EL2', 40, PENDING);
      });
    },
    right: (g) => {
      inVm(g, () => {
        g.write(0, 'ICH_LR0_EL2', 40, PENDING);
        g.write(0, 'ICH_LR1_EL2', 41, PENDING);
      });
    },
  },
  'list-register-overwritten': {
    wrong: (g) => {
      inVm(g, () => {
        g.write(0, 'ICH_LR0_EL2', 40, PENDING);
        g.write(0, 'ICH_LR0_EL2', 41, PENDING);
      });
    },
    right: (g) => {
      inVm(g, () => {
        g.write(0, 'ICH_LR0_EL2', 40, PENDING);
        g.read(0, 'ICH_LR0_EL2');
        g.write(0, 'ICH_LR0_EL2', 41, PENDING);
      });
    },
  },
  'list-register-end-unnoticed': {
    wrong: (g) => {
      inVm(g, () => g.write(0, 'ICH_LR0_EL2', 40, PENDING));
      g.write(0, 'ICH_LR0_EL2', 41, PENDING);
    },
    right: (g) => {
      inVm(g, () => g.write(0, 'ICH_LR0_EL2', 40, PENDING));
      g.read(0, 'ICH_ELRSR_EL2');
      g.write(0, 'ICH_LR0_EL2', 41, PENDING);
    },
  },
  'maintenance-storm': {
    wrong: (g) => {
      for (let n = 0; n < 20; n++) {
        g.write(0, 'ICH_HCR_EL2', 9);
        g.write(0, 'ICH_HCR_EL2', 0);
      }
    },
    right: (g) => {
      for (let n = 0; n < 20; n++) inVm(g, () => g.write(0, 'ICH_LR0_EL2', 40, PENDING), 9, true);
    },
  },
};

/** An ITS, and LPIs of 14 bits. */
function narrow(g: Guest): Guest {
  g.enable();
  for (let pe = 0; pe < 2; pe++) {
    g.wide('GICR', pe, GICR.GICR_PROPBASER.offset, 0x4100_000d, 0);
    g.wide('GICR', pe, GICR.GICR_PENDBASER.offset, PENDBASE + 0x2_0000 * pe, 0);
    g.gicr(pe, 'GICR_CTLR', 1);
  }
  return g.itsOnly();
}
function shared(g: Guest, second: number): void {
  g.zero(PENDBASE, 0x4_0000);
  for (const [pe, table] of [PENDBASE, second].entries()) {
    g.wide('GICR', pe, GICR.GICR_PROPBASER.offset, 0x4100_000f, 0);
    g.wide('GICR', pe, GICR.GICR_PENDBASER.offset, table, 0);
    g.gicr(pe, 'GICR_CTLR', 1);
  }
}
/** A PE enables LPIs with PTZ set, over a pending table in which one byte has been stored. */
function withPendingTable(g: Guest, byte: number): void {
  g.zero(PENDBASE, 0x2_0000);
  g.store(PENDBASE + 0x400, byte);
  g.wide('GICR', 0, GICR.GICR_PROPBASER.offset, PROPBASE | 0xf, 0);
  g.wide('GICR', 0, GICR.GICR_PENDBASER.offset, PENDBASE, 0x4000_0000);
  g.gicr(0, 'GICR_CTLR', 1);
}
/** A vPE of GICv4.1 with a default doorbell, and an event that is mapped to its vLPI. */
function withDefaultDoorbell(g: Guest): Guest {
  g.enable().its().virtual();
  g.configure(DOORBELL, 0xa1);
  g.mapVirtual(1, 0, 0, 8192);
  g.mapVpe(0, 0, DOORBELL);
  return g;
}
/** A PE that has enabled Group 1 looks for an SPI, which is pending. */
function look(g: Guest, of: { group?: number; priority?: number }): void {
  g.spi(40, of);
  g.gicd('GICD_CTLR', 3);
  g.gicr(0, 'GICR_WAKER', 0);
  g.write(0, 'ICC_PMR_EL1', 0xf8);
  g.write(0, 'ICC_IGRPEN1_EL1', 1);
  g.wire(40, true);
  g.read(0, 'ICC_IAR1_EL1');
}
/** With EOImode = 1, a PE takes an SPI, which becomes pending again. */
function twice(g: Guest, deactivate: () => void): void {
  g.spi(40);
  g.enable().write(0, 'ICC_CTLR_EL1', 2);
  g.wire(40, true);
  expect(g.read(0, 'ICC_IAR1_EL1')).toBe(40);
  g.write(0, 'ICC_EOIR1_EL1', 40);
  deactivate();
  g.wire(40, false);
  g.wire(40, true);
  g.read(0, 'ICC_IAR1_EL1');
}
function configTables(g: Guest, second: number): void {
  for (const [pe, table] of [PROPBASE, second].entries()) {
    g.wide('GICR', pe, GICR.GICR_PROPBASER.offset, table | 0xf, 0);
    g.wide('GICR', pe, GICR.GICR_PENDBASER.offset, PENDBASE + 0x2_0000 * pe, 0);
    g.gicr(pe, 'GICR_CTLR', 1);
  }
}
/** The route of an SPI is written as two words. */
function inHalves(g: Guest, enabled: boolean, low: number, high: number): void {
  g.spi(40);
  if (!enabled) {
    g.gicd('GICD_ICENABLER', 1 << 8, 1);
    g.gicd('GICD_CTLR');
  }
  const route = GICD.GICD_IROUTER.offset + 8 * 8;
  g.access('GICD', 0, route, 4, low);
  g.access('GICD', 0, route + 4, 4, high);
}
/** A virtual machine runs, takes an interrupt and ends it. */
function inVm(g: Guest, before: () => void, hcr = 1, isRead = false): void {
  g.write(0, 'ICH_VMCR_EL2', 0xf800_0003);
  g.write(0, 'ICH_HCR_EL2', hcr);
  if (isRead) g.read(0, 'ICH_ELRSR_EL2');
  before();
  g.write(0, 'ICV_EOIR1_EL1', g.read(0, 'ICV_IAR1_EL1'));
}
function moveTo(g: Guest, enabled: boolean): void {
  mapped(g).msi(1, 0);
  if (!enabled) g.gicr(1, 'GICR_CTLR', 0);
  g.command('MOVI', { ...EVENT, ICID: 1 });
}

describe.each(Object.keys(CASES) as (keyof typeof CASES)[])('%s', (rule) => {
  const { hardware = {}, profile, wrong, right, also = [] } = CASES[rule];
  it('is found', () => {
    const list = findings(hardware, wrong, profile);
    expect(rules(list)).toContain(rule);
    expect(list.find((one) => one.rule === rule)!.text).not.toBe('');
  });
  it('is not found where software is right', () => {
    expect(rules(findings(hardware, right, profile))).toEqual(also);
  });
});

it('there is a case for each check of GICv3 and GICv4', () => {
  expect(Object.keys(CASES).sort()).toEqual(
    Object.keys(CHECKS)
      .filter((name) => !Object.hasOwn(GICV5_CHECKS, name))
      .sort(),
  );
});

describe('a lost doorbell', () => {
  it('is told with its message, the DISCARD, and until when', () => {
    const [lost, ...more] = findings(GICV4, (g) => {
      withProxy(g).msi(1, 0);
      g.command('DISCARD', { DeviceID: 9, EventID: 0 });
      g.schedule(0, 0);
    });
    expect(more).toEqual([]);
    expect(lost).toMatchObject({ rule: 'lost-doorbell', pe: 0 });
    expect(lost!.text).toMatch(
      /DISCARD DeviceID 0x9 EventID 0x0.* clears doorbell INTID 8300 \(enabled\) of vPE 0/,
    );
    expect(lost!.related.map((one) => one.text)).toEqual([
      expect.stringMatching(/^rung by .*msi.write .*DeviceID 0x1/),
      'the vPE is resident again',
    ]);
    expect(lost!.related[0]!.record).toBeLessThan(lost!.at.record);
  });

  it('is none if the vPE is resident, if another event is discarded, or if CLEAR takes it back', () => {
    for (const act of [
      (g: Guest) => {
        g.schedule(0, 0);
        g.command('DISCARD', { DeviceID: 9, EventID: 0 });
      },
      (g: Guest) => g.command('DISCARD', { DeviceID: 1, EventID: 0 }),
      (g: Guest) => {
        g.command('CLEAR', { DeviceID: 9, EventID: 0 });
        g.command('DISCARD', { DeviceID: 9, EventID: 0 });
      },
      (g: Guest) => {
        // Moved, not lost: it is pending on the other PE.
        g.command('MOVI', { DeviceID: 9, EventID: 0, ICID: 1 });
      },
    ])
      expect(
        rules(
          findings(GICV4, (g) => {
            withProxy(g).msi(1, 0);
            act(g);
          }),
        ),
      ).toEqual([]);
  });

  it('is found again after a move, and for each vPE', () => {
    const list = findings(GICV4, (g) => {
      withProxy(g);
      g.configure(DOORBELL + 1, 0xa1);
      g.mapVirtual(1, 1, 1, 8193, DOORBELL + 1);
      g.map(9, 1, DOORBELL + 1, 0);
      g.msi(1, 0);
      g.msi(1, 1);
      g.command('MOVI', { DeviceID: 9, EventID: 0, ICID: 1 });
      for (const event of [0, 1]) g.command('DISCARD', { DeviceID: 9, EventID: event });
    });
    expect(list.map((one) => one.rule)).toEqual(['lost-doorbell', 'lost-doorbell']);
  });
});

it('keeps as many findings as it is told, and counts the rest', () => {
  const config = configOf('qemu-virt', PLAIN, 2);
  const guest = new Guest(config);
  const checker = new Checker(config, { keep: 2 });
  guest.tap = (batch) => checker.take(batch);
  mapped(guest);
  for (let n = 1; n < 6; n++) guest.command('INT', { DeviceID: 1, EventID: n });
  expect(checker.finish()).toHaveLength(2);
  expect(checker.counts.get('command-error')).toBe(5);
});

it('counts every message that is dropped', () => {
  const list = findings({}, (g) => {
    mapped(g).msi(1, 7);
    for (let n = 0; n < 4; n++) g.msi(1, 7);
  });
  expect(list.map((one) => one.rule)).toEqual(Array.from({ length: 5 }, () => 'msi-dropped'));
});

it('finds a second clash over an LPI that is mapped still', () => {
  const list = findings({}, (g) => {
    mapped(g).map(1, 1, LPI, 1);
    g.command('DISCARD', { DeviceID: 1, EventID: 1 });
    g.map(1, 2, LPI, 1);
  });
  expect(list.filter((one) => one.rule === 'lpi-mapped-twice')).toHaveLength(2);
});

describe('an ITS command that the source does not show', () => {
  /** What the checker finds in what a guest does, and how many such commands it counts. */
  const told = (act: (g: Guest) => void, hardware: Partial<Hardware> = {}) => {
    const config = configOf('qemu-virt', { ...PLAIN, ...hardware }, 2);
    const guest = new Guest(config);
    const checker = new Checker(config);
    guest.tap = (batch) => checker.take(batch);
    act(guest);
    return { rules: rules(checker.finish()), unknown: checker.unknownCommands };
  };
  const unshown = (g: Guest) => {
    g.forget(QUEUE + 32 * g.nextSlot, 32);
    g.advance();
  };

  it('is counted and not reported, as is what then depends on it', () => {
    const found = told((g) => {
      mapped(g);
      unshown(g);
      unshown(g);
      g.msi(1, 0);
      g.command('INT', EVENT);
      // It may have been discarded in between, so that neither of these is the second.
      g.map(1, 0, LPI, 0);
      g.map(2, 0, LPI, 1);
    });
    expect(found).toEqual({ rules: [], unknown: 2 });
  });

  it('may have cleared an LPI that its collection leaves behind, but not one that is pending since', () => {
    const left = (again: boolean) => (g: Guest) => {
      mapped(g).msi(1, 0);
      unshown(g);
      if (again) {
        g.read(0, 'ICC_IAR1_EL1');
        g.write(0, 'ICC_EOIR1_EL1', LPI);
      }
      g.command('MAPC', { ICID: 0, RDbase: 0, V: 1 });
      g.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x8000, V: 1 });
      g.command('MAPTI', { ...EVENT, pINTID: LPI, ICID: 0 });
      if (again) g.msi(1, 0);
      g.command('MAPC', { ICID: 0, RDbase: 1, V: 1 });
    };
    expect(told(left(false))).toEqual({ rules: [], unknown: 1 });
    expect(told(left(true))).toEqual({ rules: ['stranded-lpi'], unknown: 1 });
  });

  it('may have mapped a vPE elsewhere, and cleared its doorbell', () => {
    const found = told((g) => {
      withProxy(g).msi(1, 0);
      unshown(g);
      g.command('VMAPP', { vPEID: 0, RDbase: 0, V: 1, VPT_addr: g.vpt(0), VPT_size: 15 });
      g.command('MAPC', { ICID: 0, RDbase: 0, V: 1 });
      g.command('MAPD', { DeviceID: 9, Size: 4, ITT_addr: ITT + 0x9000, V: 1 });
      g.command('MAPTI', { DeviceID: 9, EventID: 0, pINTID: DOORBELL, ICID: 0 });
      expect(g.command('DISCARD', { DeviceID: 9, EventID: 0 })).toBe(0);
      expect(g.saw('lpi.cleared')).toBe(true);
      g.schedule(0, 0);
    }, GICV4);
    expect(found).toEqual({ rules: [], unknown: 1 });
  });
});
