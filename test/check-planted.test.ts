// Each check in a real recording: one instance of what it finds is planted while the guest is at work, and the checker names
// one of the records that were planted.
import type { GicConfig } from '@gictrace/core';
import { CHECKS, Checker, type CheckName, type Finding, GICV5_CHECKS } from '@gictrace/core/check';
import { eachEvent, Machine, mappedDevices, residentTable, step } from '@gictrace/core/model';
import { KIND, RECORD_WORDS, RecordBatch, STIMULI_BELOW } from '@gictrace/core/record';
import {
  type CommandName,
  encodeCommand,
  FRAMES,
  type FrameName,
  GICD,
  GICR,
  GITS,
  LPI_FIRST,
  SYSREGS,
} from '@gictrace/core/spec';
import { sourceFacts, TraceReader } from '@gictrace/recorder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const LINUX = 'linux-gicv3-qemu-11';
/** With the address of each access. */
const ADDRESSES = 'linux-gicv3-mrops';
/** A hypervisor with vPEs. */
const KVM = 'linux-gicv4-kvm';
const path = (name: string) => temp.path(`${name}.gictrace`);
beforeAll(async () => {
  for (const name of [LINUX, ADDRESSES, KVM]) await imported(recording(`${name}.log.gz`), path(name));
});

const { ICC_SGI1R_EL1, ICC_IAR1_EL1, ICC_EOIR1_EL1, ICC_CTLR_EL1, ICH_HCR_EL2, ICH_VMCR_EL2 } = SYSREGS;
const NO_TABLE = -1;
/** The high word of a list register: pending, Group 1, priority 0xa0. */
const PENDING = 0x50a0_0000;
/** An SPI that these guests do not use. */
const SPI = 60;
/** The serial line's, which Linux has enabled. */
const UART = 33;
const bit = (intid: number) => (1 << (intid & 31)) >>> 0;

/** A guest that goes on from where a recording is. */
class Intruder {
  readonly machine: Machine;
  private readonly give: (batch: RecordBatch) => void;
  constructor(machine: Machine, give: (batch: RecordBatch) => void) {
    this.machine = machine;
    this.give = give;
  }

  private stimulus(kind: number, pe: number, ...words: number[]): void {
    const batch = new RecordBatch(1);
    batch.push(kind, pe, Number.NaN);
    batch.words.set(words.map((word) => word >>> 0));
    this.give(batch);
  }
  write(frame: FrameName, instance: number, offset: number, low: number, high?: number): void {
    const pe = frame === 'GICR' ? instance : 0;
    const width = high === undefined ? 4 : 8;
    this.stimulus(KIND['mmio.write'], pe, FRAMES.indexOf(frame), instance, offset, width, low, high ?? 0);
  }
  byte(offset: number, value: number): void {
    this.stimulus(KIND['mmio.write'], 0, FRAMES.indexOf('GICD'), 0, offset, 1, value);
  }
  read(frame: FrameName, instance: number, offset: number, width = 4): void {
    this.stimulus(
      KIND['mmio.read'],
      frame === 'GICR' ? instance : 0,
      FRAMES.indexOf(frame),
      instance,
      offset,
      width,
    );
  }
  sysreg(pe: number, { encoding }: { readonly encoding: number }, low: number, high = 0): void {
    this.stimulus(KIND['sysreg.write'], pe, encoding, low, high);
  }
  acknowledge(pe: number): void {
    // What is read is what the simulator answers.
    this.stimulus(KIND['sysreg.read'], pe, ICC_IAR1_EL1.encoding);
  }
  message(device: number, event: number): void {
    this.stimulus(KIND['msi.write'], -1, 0, device, event, 4);
  }
  store(address: number, value: number): void {
    this.stimulus(KIND['mem.write'], 0, address, Math.floor(address / 2 ** 32), 1, value);
  }
  /** A command in the slot that comes next, and the write that runs it. */
  command(name: CommandName, operands: Readonly<Record<string, number>>): void {
    const { cbaser, cwriter } = this.machine.state;
    const at = (cwriter[0]! & 0xf_ffe0) >>> 0;
    const base = (cbaser[0]! & 0xffff_f000) >>> 0;
    const bytes = ((cbaser[0]! & 0xff) + 1) * 4096;
    this.stimulus(
      KIND['queue.write'],
      0,
      0,
      base + at,
      cbaser[1]! & 0xf_ffff,
      ...encodeCommand(name, operands),
    );
    this.write('GITS', 0, GITS.GITS_CWRITER.offset, (at + 32) % bytes, 0);
  }

  /** An event that is mapped to an LPI, with its PE. */
  get event(): { device: number; event: number; intid: number; icid: number; itt: number } {
    for (const device of mappedDevices(this.machine, 0)) {
      let found: ReturnType<typeof Object> | undefined;
      eachEvent(this.machine, device, (event, ite) => {
        if (ite.physical && device.deviceId !== PROXY)
          found = {
            device: device.deviceId,
            event,
            intid: ite.intid,
            icid: ite.icid,
            itt: device.ittAddress,
          };
      });
      if (found !== undefined) return found as never;
    }
    throw new Error('the guest has mapped no event yet');
  }
  lpis(pe: number, isEnabled: boolean): void {
    this.write('GICR', pe, GICR.GICR_CTLR.offset, isEnabled ? 1 : 0);
  }
  /** Clears EnableLPIs and waits, as software has to. */
  stopLpis(pe: number): void {
    this.lpis(pe, false);
    this.read('GICR', pe, GICR.GICR_CTLR.offset);
  }
  table(register: 'pendbaser' | 'propbaser', pe: number): readonly [number, number] {
    const { state } = this.machine;
    return [state[register][2 * pe]!, state[register][2 * pe + 1]!];
  }
  /** An SPI that is enabled, in Group 1 unless another is given, and routed to PE 0. */
  spi(intid: number, { group = 1, priority = 0x80, route = 0 } = {}): void {
    const word = 4 * (intid >> 5);
    const groups = this.machine.state.spi.group[0];
    expect(groups).toBeDefined();
    this.write('GICD', 0, GICD.GICD_IGROUPR.offset + word, group === 0 ? ~bit(intid) : 0xffff_ffff);
    this.byte(GICD.GICD_IPRIORITYR.offset + intid, priority);
    this.write('GICD', 0, GICD.GICD_IROUTER.offset + 8 * (intid - 32), route, 0);
    this.write('GICD', 0, GICD.GICD_ISENABLER.offset + word, bit(intid));
    this.write('GICD', 0, GICD.GICD_ISPENDR.offset + word, bit(intid));
  }
  /** A PE on which a vPE is resident, and its virtual pending table. */
  get resident(): { pe: number; table: number } {
    for (let pe = 0; pe < this.machine.state.peCount; pe++) {
      const table = residentTable(this.machine, pe);
      if (table > 0) return { pe, table };
    }
    return { pe: -1, table: NO_TABLE };
  }
  /** The virtual machine on PE 0 takes and ends an interrupt. */
  virtual(): void {
    this.stimulus(KIND['sysreg.read'], 0, SYSREGS.ICV_IAR1_EL1.encoding);
    this.stimulus(KIND['sysreg.write'], 0, SYSREGS.ICV_EOIR1_EL1.encoding, 40);
  }
  /** A virtual machine on PE 0 gets list registers, and takes and ends an interrupt. */
  vm(before: () => void, hcr = 1): void {
    this.sysreg(0, ICH_VMCR_EL2, 0xf800_0003);
    this.sysreg(0, ICH_HCR_EL2, hcr);
    before();
  }
}
const PROXY = 0xffff;
/** The device that the host passes through to its guest. */
const PASSED_THROUGH = 0x50;

interface Plant {
  readonly recording: typeof LINUX | typeof ADDRESSES | typeof KVM;
  /** When it is planted: behind this many messages, or where it can be. */
  readonly when?: number | ((intruder: Intruder) => boolean);
  /** Before anything else, in place of `when`. */
  readonly first?: true;
  /** How many records of the guest follow, if not {@link BEHIND}. */
  readonly behind?: number;
  readonly config?: (config: GicConfig) => GicConfig;
  readonly act: (intruder: Intruder) => void;
}
const linux = (act: (g: Intruder) => void): Plant => ({ recording: LINUX, act });
/** While a vPE is resident on a PE. */
const resident = (act: (g: Intruder, at: { pe: number; table: number }) => void): Plant => ({
  recording: KVM,
  when: (g) => g.resident.pe >= 0,
  act: (g) => act(g, g.resident),
});
const directLpi = (config: GicConfig): GicConfig => ({
  ...config,
  gicr: { ...config.gicr, typer: config.gicr.typer | 8 },
});
const direct = (act: (g: Intruder) => void): Plant => ({ recording: LINUX, config: directLpi, act });
const vpendbaser = (g: Intruder, pe: number, table: number, isValid: boolean) =>
  g.write('GICR', pe, GICR.GICR_VPENDBASER.offset, table, isValid ? 0x8000_0000 : 0);
/** The vPE of a virtual pending table, and the PE to which the last VMAPP or VMOVP maps it: of this recording. */
const VPES: ReadonlyMap<number, number> = new Map([
  [0x440d_0000, 0],
  [0x440f_0000, 1],
]);

/** What `PLANTS` lacks, and why. */
const NEEDS_GICV41: ReadonlySet<CheckName> = new Set([
  'doorbell-not-requested',
  'vsgi-configures-and-clears',
]);

const PLANTS: Readonly<Partial<Record<CheckName, Plant>>> = {
  'lost-doorbell': {
    recording: KVM,
    when: (g) => pendingDoorbell(g) !== undefined,
    act: (g) => g.command('DISCARD', { DeviceID: PROXY, EventID: pendingDoorbell(g)!.event }),
  },
  'stranded-lpi': linux((g) => {
    const { device, event, icid } = g.event;
    g.message(device, event);
    g.command('MAPC', { ICID: icid, RDbase: (icid + 2) % 4, V: 1 });
  }),
  'config-not-invalidated': {
    recording: LINUX,
    // What this guest does next is to invalidate all.
    behind: 0,
    act: (g) => {
      const { device, event, intid } = g.event;
      const byte = ((g.table('propbaser', 0)[0] & 0xffff_f000) >>> 0) + intid - LPI_FIRST;
      g.store(byte, 0xa1);
      g.command('INV', { DeviceID: device, EventID: event });
      g.store(byte, 0xa0);
      g.message(device, event);
      g.acknowledge(0);
    },
  },
  'pending-table-not-zero': linux((g) => {
    const [low, high] = g.table('pendbaser', 0);
    g.stopLpis(0);
    g.store(((low & 0xffff_0000) >>> 0) + 0x404, 1);
    g.write('GICR', 0, GICR.GICR_PENDBASER.offset, low, high | 0x4000_0000);
    g.lpis(0, true);
  }),
  'itt-not-zeroed': linux((g) => {
    const { device, itt } = g.event;
    g.command('MAPD', { DeviceID: device, Size: 4, ITT_addr: itt, V: 0 });
    g.command('MAPD', { DeviceID: device, Size: 4, ITT_addr: itt, V: 1 });
    g.message(device, g.event.event);
  }),
  'tables-overlap': linux((g) => g.command('MAPD', { DeviceID: 0x7f, Size: 4, ITT_addr: g.event.itt, V: 1 })),
  'virtual-pending-table-shared': resident((g, { table }) =>
    g.command('VMAPP', { vPEID: 9, RDbase: 0, V: 1, VPT_addr: table, VPT_size: 15 }),
  ),
  'its-enabled-without-tables': linux((g) => {
    g.write('GITS', 0, GITS.GITS_CTLR.offset, 0);
    g.read('GITS', 0, GITS.GITS_CTLR.offset);
    g.write('GITS', 0, GITS.GITS_BASER.offset, 0, 0);
    g.write('GITS', 0, GITS.GITS_CTLR.offset, 1);
  }),
  'lpis-enabled-without-tables': { recording: LINUX, first: true, act: (g) => g.lpis(0, true) },
  'map-over-mapping': linux((g) => {
    const { device, event, icid } = g.event;
    g.command('MAPTI', { DeviceID: device, EventID: event, pINTID: 9000, ICID: icid });
  }),
  'lpi-mapped-twice': linux((g) => {
    const { device, intid, icid } = g.event;
    g.command('DISCARD', { DeviceID: device, EventID: 0 });
    g.command('MAPTI', { DeviceID: device, EventID: 0, pINTID: intid, ICID: icid });
  }),
  'lpi-out-of-range': linux((g) => {
    const { device } = g.event;
    for (let pe = 0; pe < g.machine.state.peCount; pe++) {
      const [low, high] = g.table('propbaser', pe);
      g.stopLpis(pe);
      g.write('GICR', pe, GICR.GICR_PROPBASER.offset, (low & ~0x1f) | 13, high);
      g.lpis(pe, true);
    }
    g.command('MAPTI', { DeviceID: device, EventID: 2, pINTID: 20_000, ICID: 0 });
  }),
  'command-error': linux((g) => g.command('INT', { DeviceID: g.event.device, EventID: 0xfff })),
  'msi-dropped': linux((g) => {
    g.command('DISCARD', { DeviceID: g.event.device, EventID: 0 });
    g.message(g.event.device, 0);
  }),
  'not-quiescent': linux((g) => {
    g.write('GITS', 0, GITS.GITS_CTLR.offset, 0);
    g.write('GITS', 0, GITS.GITS_CTLR.offset, 1);
  }),
  'its-register-while-enabled': linux((g) =>
    g.write('GITS', 0, GITS.GITS_BASER.offset, 0x4500_0000, 0x8000_0000),
  ),
  'cwriter-out-of-range': linux((g) => g.write('GITS', 0, GITS.GITS_CWRITER.offset, 0xf_0000, 0)),
  'configured-while-enabled': linux((g) =>
    g.write('GICD', 0, GICD.GICD_ICFGR.offset + 8, 2 << (2 * (UART - 32))),
  ),
  'disable-not-awaited': linux((g) => {
    g.write('GICD', 0, GICD.GICD_ICENABLER.offset + 4, bit(UART));
    g.write('GICD', 0, GICD.GICD_IROUTER.offset + 8 * (UART - 32), 1, 0);
  }),
  'lpi-table-while-enabled': linux((g) => g.write('GICR', 0, GICR.GICR_PENDBASER.offset, 0x5000_0000, 0)),
  'rwp-not-polled': linux((g) => {
    g.lpis(0, false);
    g.write('GICR', 0, GICR.GICR_PENDBASER.offset, ...g.table('pendbaser', 0));
  }),
  'pending-table-shared': linux((g) => {
    g.stopLpis(1);
    g.write('GICR', 1, GICR.GICR_PENDBASER.offset, ...g.table('pendbaser', 0));
    g.lpis(1, true);
  }),
  'config-tables-differ': linux((g) => {
    const [low, high] = g.table('propbaser', 1);
    g.stopLpis(1);
    g.write('GICR', 1, GICR.GICR_PROPBASER.offset, low + 0x10_0000, high);
    g.lpis(1, true);
  }),
  'invalidate-elsewhere': direct((g) => {
    const { device, event, intid } = g.event;
    g.message(device, event);
    const at = g.machine.state.lpiPending.findIndex((pending) => pending.has(intid));
    const other = at === 3 ? 2 : 3;
    g.write('GICR', other, GICR.GICR_INVLPIR.offset, intid, 0);
    g.read('GICR', other, GICR.GICR_SYNCR.offset);
  }),
  'syncr-not-polled': direct((g) => g.write('GICR', 0, GICR.GICR_INVALLR.offset, 0, 0)),
  'invlpir-overlaps-move': direct((g) => {
    const { device, event, intid, icid } = g.event;
    g.command('MOVI', { DeviceID: device, EventID: event, ICID: (icid + 1) % 4 });
    g.write('GICR', (icid + 1) % 4, GICR.GICR_INVLPIR.offset, intid, 0);
    g.read('GICR', (icid + 1) % 4, GICR.GICR_SYNCR.offset);
  }),
  'dirty-not-polled': resident((g, { pe, table }) => {
    vpendbaser(g, pe, table, false);
    g.command('VMOVP', { vPEID: VPES.get(table)!, RDbase: (pe + 1) % 4, ITSList: 1 });
  }),
  'vpendbaser-while-valid': resident((g, { pe }) => vpendbaser(g, pe, 0x440f_0000, true)),
  'vpe-resident-twice': resident((g, { pe, table }) => vpendbaser(g, (pe + 1) % 4, table, true)),
  'vpe-resident-elsewhere': resident((g, { pe, table }) => {
    vpendbaser(g, pe, table, false);
    g.read('GICR', pe, GICR.GICR_VPENDBASER.offset, 8);
    vpendbaser(g, (pe + 1) % 4, table, true);
  }),
  'vmapp-unmaps-resident': resident((g, { table }) => g.command('VMAPP', { vPEID: VPES.get(table)!, V: 0 })),
  'doorbell-on-sleeping-pe': {
    recording: KVM,
    when: (g) => isMappedVirtually(g) && g.resident.pe < 0 && pendingDoorbell(g) === undefined,
    behind: 0,
    act: (g) => {
      const table = (g.table('propbaser', 0)[0] & 0xffff_f000) >>> 0;
      for (const doorbell of [8212, 8213]) g.store(table + doorbell - LPI_FIRST, 0xa1);
      for (let pe = 0; pe < 4; pe++) g.write('GICR', pe, GICR.GICR_WAKER.offset, 2);
      g.message(PASSED_THROUGH, 0);
      g.acknowledge(1);
    },
  },
  'pending-on-sleeping-pe': {
    recording: LINUX,
    // QEMU signals what is pending to a PE that sleeps, too, and this guest goes on to take it.
    behind: 0,
    act: (g) => {
      g.write('GICR', 3, GICR.GICR_WAKER.offset, 2);
      g.spi(SPI, { route: 3 });
      g.acknowledge(0);
    },
  },
  'move-to-disabled-lpis': linux((g) => {
    const { device, event, icid } = g.event;
    g.stopLpis((icid + 1) % 4);
    g.message(device, event);
    g.command('MOVI', { DeviceID: device, EventID: event, ICID: (icid + 1) % 4 });
  }),
  'sgi-to-no-pe': linux((g) => g.sysreg(0, ICC_SGI1R_EL1, 0x0300_8000)),
  'spi-to-absent-pe': linux((g) => g.spi(SPI, { route: 0x77 })),
  'route-in-halves': linux((g) => {
    const route = GICD.GICD_IROUTER.offset + 8 * (UART - 32);
    g.write('GICD', 0, route, 1);
    g.write('GICD', 0, route + 4, 0);
  }),
  'route-through-another': linux((g) => {
    const route = GICD.GICD_IROUTER.offset + 8 * (UART - 32);
    g.write('GICD', 0, route, 1);
    g.write('GICD', 0, route + 4, 1);
  }),
  'eoi-without-acknowledge': linux((g) => g.sysreg(3, ICC_EOIR1_EL1, 8500)),
  'write-to-reserved': {
    recording: ADDRESSES,
    act: (g) => g.write('GICD', 0, 0x70, 1),
  },
  'private-in-distributor': {
    recording: LINUX,
    first: true,
    act: (g) => g.write('GICD', 0, 0xf00, 0x0001_0000),
  },
  'group-never-enabled': linux((g) => g.spi(SPI, { group: 0 })),
  'priority-never-passes': linux((g) => g.spi(SPI, { priority: 0xf8 })),
  'never-deactivated': linux((g) => {
    g.sysreg(0, ICC_CTLR_EL1, 2);
    g.spi(SPI, { priority: 0x10 });
    g.acknowledge(0);
    g.sysreg(0, ICC_EOIR1_EL1, SPI);
    g.write('GICD', 0, GICD.GICD_ISPENDR.offset + 4, bit(SPI));
  }),
  'list-registers-same-vintid': linux((g) =>
    g.vm(() => {
      g.sysreg(0, SYSREGS.ICH_LR0_EL2, 40, PENDING);
      g.sysreg(0, SYSREGS.ICH_LR1_EL2, 40, PENDING);
      g.virtual();
    }),
  ),
  'list-register-overwritten': linux((g) =>
    g.vm(() => {
      g.sysreg(0, SYSREGS.ICH_LR0_EL2, 40, PENDING);
      g.sysreg(0, SYSREGS.ICH_LR0_EL2, 41, PENDING);
    }),
  ),
  'list-register-end-unnoticed': linux((g) => {
    g.vm(() => g.sysreg(0, SYSREGS.ICH_LR0_EL2, 40, PENDING));
    g.virtual();
    g.sysreg(0, SYSREGS.ICH_LR0_EL2, 41, PENDING);
  }),
  'maintenance-storm': linux((g) => {
    for (let n = 0; n < 20; n++) g.vm(() => g.sysreg(0, ICH_HCR_EL2, 0), 9);
  }),
};

/** Whether event 0 of the passed-through device is a vLPI. */
function isMappedVirtually(g: Intruder): boolean {
  const device = mappedDevices(g.machine, 0).find(({ deviceId }) => deviceId === PASSED_THROUGH);
  let isVirtual = false;
  if (device !== undefined)
    eachEvent(g.machine, device, (_event, ite) => {
      isVirtual ||= !ite.physical;
    });
  return isVirtual;
}

/** A doorbell of the proxy device that is pending while no vPE is resident. */
function pendingDoorbell(g: Intruder): { event: number; pe: number } | undefined {
  const proxy = mappedDevices(g.machine, 0).find(({ deviceId }) => deviceId === PROXY);
  if (proxy === undefined) return undefined;
  const { lpiPending } = g.machine.state;
  let found: { event: number; pe: number } | undefined;
  eachEvent(g.machine, proxy, (event, ite) => {
    const pe = lpiPending.findIndex((pending) => pending.has(ite.intid));
    if (pe >= 0) found = { event, pe };
  });
  return found;
}

/** Messages of the guest before something is planted, and how many records follow. */
const MESSAGES = 1;
const BEHIND = 6000;

/** What is found in a recording with an instance of a rule, and the records that were planted. */
function planted({ recording: name, when = MESSAGES, first, behind = BEHIND, config, act }: Plant) {
  const reader = TraceReader.open(path(name));
  const own = config?.(reader.header.config) ?? reader.header.config;
  const machine = new Machine(own);
  const checker = new Checker(own, sourceFacts(reader.header));
  let records = 0;
  const give = (batch: RecordBatch) => {
    if (batch.kind[0]! < STIMULI_BELOW) step(machine, batch, 0);
    if (batch.kind[0] === KIND['sysreg.read']) batch.words.set([machine.low, machine.high], 1);
    checker.take(batch);
    records++;
  };
  const intruder = new Intruder(machine, give);
  const range = { from: -1, to: -1 };
  const plant = () => {
    range.from = records;
    act(intruder);
    range.to = records - 1;
  };
  if (first) plant();
  const one = new RecordBatch(1);
  let messages = 0;
  for (const { batch } of reader.batches()) {
    if (range.from >= 0 && records > range.to + behind) break;
    for (let i = 0; i < batch.count; i++) {
      one.clear();
      one.copy(batch, i);
      checker.take(one);
      if (batch.kind[i]! < STIMULI_BELOW) step(machine, batch, i);
      records++;
      if (range.from >= 0) {
        if (records > range.to + behind) break;
        continue;
      }
      const isMessage = batch.kind[i] === KIND['msi.write'];
      if (typeof when === 'number' ? isMessage && messages++ === when : canBe(batch, i) && when(intruder))
        plant();
    }
  }
  reader.close();
  expect(range.from).toBeGreaterThanOrEqual(0);
  return { findings: checker.finish(), range };
}
/** Where a doorbell may ring, a vPE become resident, or an ITS have been set up. */
function canBe(batch: RecordBatch, i: number): boolean {
  const kind = batch.kind[i];
  if (kind === KIND['msi.write']) return true;
  return (
    kind === KIND['mmio.write'] &&
    (batch.words[i * RECORD_WORDS] === FRAMES.indexOf('GITS') ||
      batch.words[i * RECORD_WORDS + 2] === GICR.GICR_VPENDBASER.offset)
  );
}
const within = ({ at, related }: Finding, { from, to }: { from: number; to: number }) =>
  [at, ...related].some(({ record }) => record >= from && record <= to);

describe.each(Object.entries(PLANTS) as [CheckName, Plant][])('%s', (rule, plant) => {
  it('is found where it was planted', () => {
    const { findings, range } = planted(plant);
    const found = findings.filter((one) => one.rule === rule);
    expect(
      found.some((one) => within(one, range)),
      JSON.stringify({ range, found, rules: findings.map((one) => one.rule) }),
    ).toBe(true);
  });
});

// Each rule of GICv5 has an instance in core/check/gicv5.test.ts.
it('every rule of GICv3 and GICv4 is planted, except those that no recording has the hardware for', () => {
  const isElsewhere = (name: string) =>
    NEEDS_GICV41.has(name as CheckName) || Object.hasOwn(GICV5_CHECKS, name);
  const names = Object.keys(CHECKS).filter((name) => !isElsewhere(name));
  expect(Object.keys(PLANTS).sort()).toEqual(names.sort());
  // The figures of CHANGELOG.md.
  expect([names.length, NEEDS_GICV41.size, Object.keys(GICV5_CHECKS).length]).toEqual([48, 2, 13]);
});
