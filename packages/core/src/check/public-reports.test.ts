// Public reports and fixes of GIC software, each made again as a small sequence of accesses, and what the checks find in it.
// The reports that `caught` of a rule names are here, so that docs/check.md claims nothing that is not tried.
import { describe, expect, it } from 'vitest';
import { Guest, ITT, PENDBASE, PROPBASE } from '../conformance/guest.ts';
import { configOf, type Hardware, PLAIN } from '../profile/index.ts';
import { GICD, GICR, GITS } from '../spec/index.ts';
import { CHECKS, Checker, type CheckName } from './index.ts';

/** The high word of a list register: pending, Group 1, priority 0xa0. */
const PENDING = 0x50a0_0000;
const GICV41: Partial<Hardware> = { architecture: 4, virtualLpis: '4.1' };

interface Report {
  /** The report, as `caught` of the rule names it: its beginning. */
  readonly name: string;
  readonly finds: CheckName;
  readonly hardware?: Partial<Hardware>;
  /** If absent, `architecture`, under which EnableLPIs cannot be cleared. */
  readonly profile?: string;
  readonly act: (g: Guest) => void;
}

const mapped = (g: Guest): Guest => {
  g.enable().its();
  g.configure(8200, 0xa1);
  g.map(1, 0, 8200, 0);
  return g;
};
/** A vPE of GICv4.1 with a default doorbell. */
const withDoorbell = (g: Guest): Guest => {
  g.enable().its().virtual();
  g.configure(8300, 0xa1);
  g.mapVirtual(1, 0, 0, 8192);
  g.mapVpe(0, 0, 8300);
  return g;
};
const lpiTables = (g: Guest, pending: readonly number[], ptz = 0) => {
  g.zero(PENDBASE, 0x4_0000);
  for (const [pe, table] of pending.entries()) {
    g.wide('GICR', pe, GICR.GICR_PROPBASER.offset, PROPBASE | 0xf, 0);
    g.wide('GICR', pe, GICR.GICR_PENDBASER.offset, table, ptz);
    g.gicr(pe, 'GICR_CTLR', 1);
  }
};
const inVm = (g: Guest, before: () => void) => {
  g.write(0, 'ICH_VMCR_EL2', 0xf800_0003);
  g.write(0, 'ICH_HCR_EL2', 1);
  before();
  g.write(0, 'ICV_EOIR1_EL1', g.read(0, 'ICV_IAR1_EL1'));
};
const halves = (g: Guest, low: number, high: number) => {
  g.spi(40);
  g.access('GICD', 0, GICD.GICD_IROUTER.offset + 64, 4, low);
  g.access('GICD', 0, GICD.GICD_IROUTER.offset + 68, 4, high);
};
/** A PE that has enabled Group 1 looks for a pending SPI. */
const look = (g: Guest, of: { group?: number; priority?: number }) => {
  g.spi(40, of);
  g.gicd('GICD_CTLR', 3);
  g.gicr(0, 'GICR_WAKER', 0);
  g.write(0, 'ICC_PMR_EL1', 0xf8);
  g.write(0, 'ICC_IGRPEN1_EL1', 1);
  g.wire(40, true);
  g.read(0, 'ICC_IAR1_EL1');
};
/** With EOImode = 1, an SPI is taken and ended, but not deactivated, and comes again. */
const twice = (g: Guest) => {
  g.spi(40);
  g.enable().write(0, 'ICC_CTLR_EL1', 2);
  g.wire(40, true);
  g.write(0, 'ICC_EOIR1_EL1', g.read(0, 'ICC_IAR1_EL1'));
  g.wire(40, false);
  g.wire(40, true);
  g.read(0, 'ICC_IAR1_EL1');
};
const sgi = (value: number) => (g: Guest) => g.write(0, 'ICC_SGI1R_EL1', value);

const REPORTS: readonly Report[] = [
  {
    name: 'the commonest error',
    finds: 'config-not-invalidated',
    act: (g) => {
      mapped(g).configure(8200, 0xa0);
      g.msi(1, 0);
      g.read(0, 'ICC_IAR1_EL1');
    },
  },
  {
    name: 'Linux c21bc068cdbe',
    finds: 'pending-table-not-zero',
    hardware: GICV41,
    act: (g) => {
      withDoorbell(g).msi(1, 0);
      g.command('VMAPP', { vPEID: 0, V: 0 });
      g.mapVpe(0, 0, 8300);
    },
  },
  {
    name: 'Linux KVM 7602ffd1d5e8',
    finds: 'itt-not-zeroed',
    act: (g) => {
      mapped(g).command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 0 });
      g.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: ITT + 0x1000, V: 1 });
      g.msi(1, 0);
    },
  },
  {
    name: 'Zephyr 117277 (events',
    finds: 'command-error',
    // A device of 17 to 32 events that MAPD declares with 4 bits.
    act: (g) => mapped(g).map(2, 16, 8201, 0, 4),
  },
  {
    name: 'Zephyr 117277 (MAPD',
    finds: 'tables-overlap',
    // The table was allocated for 17 events, and Size covers 32: it reaches into the next one.
    act: (g) => {
      mapped(g).command('MAPD', { DeviceID: 2, Size: 4, ITT_addr: ITT + 0x4000, V: 1 });
      g.command('MAPD', { DeviceID: 3, Size: 4, ITT_addr: ITT + 0x4100, V: 1 });
    },
  },
  {
    name: 'Zephyr 115779 (GITS_CBASER',
    finds: 'tables-overlap',
    // The queue of one page is declared with two, and the second page is the device table.
    act: (g) => {
      g.wide('GITS', 0, GITS.GITS_BASER.offset, 0x4300_1000, 0x8000_0000);
      g.wide('GITS', 0, GITS.GITS_BASER.offset + 8, 0x4400_0000, 0x8000_0000);
      g.wide('GITS', 0, GITS.GITS_CBASER.offset, 0x4300_0001, 0x8000_0000);
      g.gits('GITS_CTLR', 1);
    },
  },
  {
    name: 'Zephyr 115779',
    finds: 'cwriter-out-of-range',
    act: (g) => {
      mapped(g).gits('GITS_CWRITER', 0x1000);
    },
  },
  {
    name: 'Zephyr 119828',
    finds: 'lpi-out-of-range',
    // The tables have 14 bits, and the allocator goes on counting.
    act: (g) => {
      g.enable();
      for (let pe = 0; pe < 2; pe++) {
        g.wide('GICR', pe, GICR.GICR_PROPBASER.offset, PROPBASE | 0xd, 0);
        g.wide('GICR', pe, GICR.GICR_PENDBASER.offset, PENDBASE + 0x2_0000 * pe, 0);
        g.gicr(pe, 'GICR_CTLR', 1);
      }
      g.itsOnly().map(1, 0, 2 ** 14, 0);
    },
  },
  {
    name: 'Zephyr 119809',
    finds: 'not-quiescent',
    act: (g) => {
      mapped(g).gits('GITS_CTLR', 0);
      g.wide('GITS', 0, GITS.GITS_CBASER.offset, 0x4500_0000, 0x8000_0000);
    },
  },
  {
    name: 'FreeBSD 676',
    finds: 'lpi-table-while-enabled',
    act: (g) => mapped(g).wide('GICR', 0, GICR.GICR_PENDBASER.offset, 0x5000_0000, 0),
  },
  {
    name: 'TF-A "fix(gicv3): wait rwp',
    finds: 'rwp-not-polled',
    profile: 'qemu-virt',
    act: (g) => {
      mapped(g).gicr(0, 'GICR_CTLR', 0);
      g.gicr(0, 'GICR_CTLR', 1);
    },
  },
  {
    name: 'cloud-hypervisor 8638',
    finds: 'pending-table-shared',
    act: (g) => lpiTables(g, [PENDBASE, PENDBASE]),
  },
  {
    name: 'cloud-hypervisor 3049',
    finds: 'msi-dropped',
    act: (g) => {
      mapped(g).resetMachine();
      g.msi(1, 0);
    },
  },
  {
    name: 'Linux b321c31c9b7b',
    finds: 'doorbell-not-requested',
    hardware: GICV41,
    act: (g) => {
      withDoorbell(g).schedule(0, 0);
      g.deschedule(0, 0, true);
      g.schedule(0, 0);
      g.deschedule(0, 0);
      g.msi(1, 0);
    },
  },
  {
    name: 'Linux af9acbfc2c4b',
    finds: 'doorbell-on-sleeping-pe',
    hardware: GICV41,
    act: (g) => {
      withDoorbell(g).schedule(0, 0);
      g.deschedule(0, 0, true);
      g.gicr(0, 'GICR_WAKER', 2);
      g.msi(1, 0);
      g.read(1, 'ICC_IAR1_EL1');
    },
  },
  { name: 'Zephyr 3d81d7f23fa3', finds: 'sgi-to-no-pe', act: sgi(0x0100_0002 | (1 << 16)) },
  { name: 'Zephyr 73889', finds: 'sgi-to-no-pe', act: sgi(0x0100_0000 | (1 << 15)) },
  { name: 'Zephyr 62121', finds: 'sgi-to-no-pe', act: sgi(0x0100_0000) },
  { name: 'seL4 213', finds: 'sgi-to-no-pe', act: sgi(0x0100_0004) },
  {
    name: 'NuttX 9810',
    finds: 'spi-to-absent-pe',
    act: (g) => {
      g.enable().spi(40, { pe: 0x100 });
      g.wire(40, true);
    },
  },
  { name: 'bao 394', finds: 'route-in-halves', act: (g) => halves(g, 1, 0) },
  { name: 'bao 394', finds: 'route-through-another', act: (g) => halves(g, 1, 1) },
  {
    name: 'EDK2 1920',
    finds: 'eoi-without-acknowledge',
    act: (g) => {
      g.enable();
      for (let intid = 0; intid < 64; intid++) g.write(0, 'ICC_EOIR1_EL1', intid);
    },
  },
  {
    name: 'seL4 1011, TF-A 410',
    finds: 'write-to-reserved',
    act: (g) => {
      g.access('GICD', 0, 0x6000, 8, 1);
    },
  },
  {
    name: 'TF-A 273',
    finds: 'private-in-distributor',
    act: (g) => {
      g.gicr(0, 'GICR_WAKER', 0);
      g.gicd('GICD_IGROUPR', 0xffff, 0);
      g.write(0, 'ICC_IGRPEN1_EL1', 1);
    },
  },
  {
    name: 'OP-TEE 1532, 4475',
    finds: 'private-in-distributor',
    act: (g) => {
      g.gicr(0, 'GICR_WAKER', 0);
      g.gicd('GICD_ISENABLER', 1 << 29, 0);
      g.write(0, 'ICC_IGRPEN1_EL1', 1);
    },
  },
  { name: 'OP-TEE 2816', finds: 'group-never-enabled', act: (g) => look(g, { group: 0 }) },
  { name: 'TF-A issue 645', finds: 'priority-never-passes', act: (g) => look(g, { priority: 0xf8 }) },
  { name: 'seL4 947', finds: 'never-deactivated', act: twice },
  { name: 'bao 371', finds: 'never-deactivated', act: twice },
  {
    name: 'bao 334',
    finds: 'list-registers-same-vintid',
    act: (g) =>
      inVm(g, () => {
        g.write(0, 'ICH_LR0_EL2', 40, PENDING);
        g.write(0, 'ICH_LR1_EL2', 40, PENDING);
      }),
  },
  {
    name: 'bao 334',
    finds: 'list-register-overwritten',
    act: (g) =>
      inVm(g, () => {
        g.write(0, 'ICH_LR0_EL2', 40, PENDING);
        g.write(0, 'ICH_LR0_EL2', 41, PENDING);
      }),
  },
  {
    name: 'Xen bccfbe70a36f',
    finds: 'list-registers-same-vintid',
    act: (g) =>
      inVm(g, () => {
        g.write(0, 'ICH_LR0_EL2', 8192, PENDING);
        g.write(0, 'ICH_LR1_EL2', 8192, PENDING);
      }),
  },
  {
    name: 'FreeBSD 2437',
    finds: 'list-register-end-unnoticed',
    act: (g) => {
      inVm(g, () => g.write(0, 'ICH_LR0_EL2', 40, PENDING));
      g.write(0, 'ICH_LR0_EL2', 40, PENDING);
    },
  },
  {
    name: 'bao 398',
    finds: 'maintenance-storm',
    act: (g) => {
      g.write(0, 'ICH_LR0_EL2', 40, 0x90a0_0000);
      for (let n = 0; n < 20; n++) {
        g.write(0, 'ICH_HCR_EL2', 9);
        g.write(0, 'ICH_HCR_EL2', 0);
      }
    },
  },
];

/** Reports that a check answers by finding nothing, or that need hardware which no profile here has. */
const NOT_TRIED: ReadonlySet<string> = new Set([
  'Linux dd3f050a216e (the converse: VMOVP that is not needed)',
  'Linux 6479450f72c1 (unknown VPROPBASER.IDbits)',
]);

describe.each(REPORTS)('$name', ({ finds, hardware = {}, profile = 'architecture', act }) => {
  it(`is found: ${finds}`, () => {
    const config = configOf(profile, { ...PLAIN, ...hardware }, 2);
    const guest = new Guest(config);
    const checker = new Checker(config);
    guest.tap = (batch) => checker.take(batch);
    act(guest);
    expect(checker.finish().map((one) => one.rule)).toContain(finds);
  });
});

it('every report that a rule names is tried', () => {
  for (const [rule, { caught = [] }] of Object.entries(CHECKS) as [
    CheckName,
    { caught?: readonly string[] },
  ][])
    for (const name of caught)
      expect(
        NOT_TRIED.has(name) || REPORTS.some((one) => one.finds === rule && name.startsWith(one.name)),
        `${rule}: ${name}`,
      ).toBe(true);
});
