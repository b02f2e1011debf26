// What firmware and a kernel do first so that interrupts can occur, and what they repeat when interrupts no longer occur.
import {
  GICD,
  GICR,
  GITS,
  LPI_FIRST,
  mask,
  NO_DOORBELL,
  packFields,
  SPI_FIRST,
  SYSREGS,
} from '../spec/index.ts';
import { DEVICES, EVENTS, GUEST_MEMORY, LPIS, QUEUE_SLOTS, SPIS, VPES } from './guest-memory.ts';
import type { Pieces } from './pieces.ts';

const GROUPS = mask(GICD.GICD_CTLR, 'EnableGrp0', 'EnableGrp1NS');
const DS = mask(GICD.GICD_CTLR, 'DS');
const GROUPS_OF_TWO_STATES = mask(GICD.GICD_CTLR, 'EnableGrp0', 'EnableGrp1NS', 'EnableGrp1S');
/** IGROUPR and IGRPMODR with two Security states: of each three interrupts one is in Non-secure Group 1, one in Secure Group 1. */
const NON_SECURE_THIRD = 0x9249_2492;
const SECURE_THIRD = 0x2492_4924;
const PLPIS = mask(GICR.GICR_TYPER, 'PLPIS');
const ENABLE_LPIS = mask(GICR.GICR_CTLR, 'EnableLPIs');
const ITS_ENABLED = mask(GITS.GITS_CTLR, 'Enabled');
const BASER = GITS.GITS_BASER.views['64 KB pages'];
const PAGES_OF_64_KB = 2;
const VMCR = Number(packFields(SYSREGS.ICH_VMCR_EL2, { VPMR: 0xf0, VENG0: 1, VENG1: 1 }));
const HCR = mask(SYSREGS.ICH_HCR_EL2, 'En');
/** An LPI configuration byte with the LPI enabled, and a priority that depends on its number. */
const lpiConfig = (n: number): number => (n << 4) | 1;

/** Priorities of four interrupts from `first`, as a word of a priority register. They differ, so that some preempt others. */
const priorities = (first: number): number =>
  [0, 1, 2, 3].reduce((word, k) => (word | (((40 * (first + k)) & 0xf0) << (8 * k))) >>> 0, 0);

/** Adds to the script what firmware and kernel do first. */
export function setUp(g: Pieces): void {
  const { config } = g;
  const m = GUEST_MEMORY;
  g.zeroNext(m.propbase, 0x10000);
  g.zeroNext(m.pendbase, 0x20000 * config.pes.length);
  enableGroups(g);
  g.writeNext('GICD_IGROUPR', g.security ? NON_SECURE_THIRD : 0xffff_ffff, { element: 1 });
  if (g.security) g.writeNext('GICD_IGRPMODR', SECURE_THIRD, { element: 1 });
  g.writeNext('GICD_ISENABLER', 0xffff_ffff, { element: 1 });
  for (let n = SPI_FIRST; g.reconfigures && n < SPI_FIRST + SPIS; n += 4)
    g.writeNext('GICD_IPRIORITYR', priorities(n), { element: n, width: 4 });
  config.pes.forEach((_, pe) => {
    setUpRedistributor(g, pe);
  });
  if (!g.hasIts) return;
  for (const [address, length] of [
    [m.devices, 0x10_0000],
    [m.collections, 0x10000],
    [m.queue, 0x1000],
    [m.itt, 0x1000 * DEVICES],
    [m.vpes, 0x10000],
    [m.vpt, 0x10000 * VPES],
    [m.vconf, 0x10000 * VPES],
  ] as const)
    g.zeroNext(address, length);
  setUpIts(g);
  mapDevices(g);
  if (config.architecture === 4) mapVpes(g);
}

function setUpRedistributor(g: Pieces, pe: number): void {
  const m = GUEST_MEMORY;
  for (let n = 0; g.reconfigures && n < 32; n += 4)
    g.writeNext('GICR_IPRIORITYR', priorities(n), { pe, element: n, width: 4 });
  g.writeNext('GICR_WAKER', 0, { pe });
  g.writeNext('GICR_IGROUPR', g.security ? NON_SECURE_THIRD : 0xffff_ffff, { pe });
  if (g.security) g.writeNext('GICR_IGRPMODR', SECURE_THIRD, { pe });
  g.writeNext('GICR_ISENABLER', 0xffff_ffff, { pe });
  if (g.config.gicr.typer & PLPIS) {
    const tables = { Physical_Address: m.pendbase + 0x20000 * pe };
    g.writeNext(
      'GICR_PROPBASER',
      packFields(GICR.GICR_PROPBASER, { Physical_Address: m.propbase, IDbits: 16 }),
      { pe },
    );
    g.writeNext('GICR_PENDBASER', packFields(GICR.GICR_PENDBASER, tables), { pe });
    g.writeNext('GICR_CTLR', ENABLE_LPIS, { pe });
  }
  setUpInterface(g, pe);
  g.sysregNext('ICH_VMCR_EL2', VMCR, pe);
  g.sysregNext('ICH_HCR_EL2', HCR, pe);
}

/** Makes the CPU interface of a PE signal interrupts of both groups, unless their priority is very low. */
export function setUpInterface(g: Pieces, pe: number): void {
  g.sysregNext('ICC_PMR_EL1', 0xf0, pe);
  g.sysregNext('ICC_IGRPEN0_EL1', 1, pe);
  if (g.security) g.sysregNext('ICC_IGRPEN1_EL3', 3, pe);
  else g.sysregNext('ICC_IGRPEN1_EL1', 1, pe);
}

function enableGroups(g: Pieces): void {
  g.writeNext('GICD_CTLR', g.security ? GROUPS_OF_TWO_STATES : GROUPS);
}

/**
 * Firmware sets GICD_CTLR.DS, so that there is one Security state until the GIC is reset. LPIs are disabled meanwhile, since QEMU
 * does not look again at the priority of the best one (docs/findings.md).
 */
export function disableSecurity(g: Pieces): void {
  const everyPe = (value: number) => {
    g.config.pes.forEach((_, pe) => {
      g.writeNext('GICR_CTLR', value, { pe });
    });
  };
  if (g.hasIts) everyPe(0);
  g.writeNext('GICD_CTLR', GROUPS | DS);
  if (g.hasIts) everyPe(ENABLE_LPIS);
}

/** Sets up interrupts and the ITS again, because random writes soon disable both. */
export function revive(g: Pieces): void {
  enableGroups(g);
  g.config.pes.forEach((_, pe) => {
    setUpInterface(g, pe);
  });
  if (g.hasIts) setUpIts(g);
}

/** Sets up tables, queue and collections of the ITS. */
function setUpIts(g: Pieces): void {
  const m = GUEST_MEMORY;
  if (g.reconfigures) g.writeNext('GITS_CTLR', 0);
  const table = (address: number, pages: number) =>
    packFields(BASER, {
      Valid: 1,
      Page_Size: PAGES_OF_64_KB,
      Size: pages,
      Physical_Address_47_16: address,
    });
  g.writeNext('GITS_BASER', table(m.devices, 8), { element: 0 });
  g.writeNext('GITS_BASER', table(m.collections, 1), { element: 1 });
  g.writeNext('GITS_BASER', table(m.vpes, 1), { element: 2 });
  const queue = { Valid: 1, Physical_Address: m.queue, Size: QUEUE_SLOTS / 128 };
  g.writeNext('GITS_CBASER', packFields(GITS.GITS_CBASER, queue));
  g.restartQueue();
  g.writeNext('GITS_CTLR', ITS_ENABLED);
  g.config.pes.forEach((_, pe) => {
    g.commandNext('MAPC', { ICID: pe, RDbase: pe, V: 1 });
  });
}

function mapDevices(g: Pieces): void {
  for (let device = 0; device < DEVICES; device++)
    g.commandNext('MAPD', {
      DeviceID: g.deviceIds[device]!,
      Size: Math.log2(EVENTS) - 1,
      ITT_addr: GUEST_MEMORY.itt + 0x1000 * device,
      V: 1,
    });
  if (!g.reconfigures) return;
  // The events of half of the devices are LPIs: event n of one device is the LPI next to event n of the other.
  for (let device = 0; device < DEVICES / 2; device++)
    for (let event = 0; event < EVENTS; event++)
      g.commandNext('MAPTI', {
        DeviceID: g.deviceIds[device]!,
        EventID: event,
        pINTID: LPI_FIRST + 2 * event + device,
        ICID: event % g.config.pes.length,
      });
}

function mapVpes(g: Pieces): void {
  const m = GUEST_MEMORY;
  const { pes } = g.config;
  if (g.byVpeid) {
    const table = packFields(GICR.GICR_VPROPBASER.views['GICv4.1'], {
      Valid: 1,
      Entry_Size: 4,
      Page_Size: PAGES_OF_64_KB,
      Size: 1,
      Physical_Address: m.vpes,
    });
    pes.forEach((_, pe) => {
      g.writeNext('GICR_VPROPBASER', table, { pe });
    });
  }
  for (let vpe = 0; vpe < VPES; vpe++) {
    const operands = { vPEID: vpe, RDbase: vpe % pes.length, V: 1, VPT_size: 15 };
    const tables = { VPT_addr: m.vpt + 0x10000 * vpe, VCONF_addr: m.vconf + 0x10000 * vpe };
    g.commandNext('VMAPP', { ...operands, ...tables, Default_Doorbell_pINTID: LPI_FIRST + vpe });
  }
  // The other half of the devices is forwarded to vPEs: event n is vLPI n of a vPE.
  for (let device = DEVICES / 2; device < DEVICES; device++)
    for (let event = 0; event < EVENTS; event++)
      g.commandNext('VMAPTI', {
        DeviceID: g.deviceIds[device]!,
        EventID: event,
        vPEID: event % VPES,
        vINTID: LPI_FIRST + event,
        Dbell_pINTID: g.random.once(2) ? NO_DOORBELL : LPI_FIRST + 8 + (event % 8),
      });
  for (let vpe = 0; vpe < VPES; vpe++)
    for (let n = 0; n < LPIS; n++) g.storeNext(m.vconf + 0x10000 * vpe + n, lpiConfig(n));
}
