// Devices that send MSIs: QEMU's `edu` PCI functions, one at each DeviceID that is needed, set up through the configuration
// space. A write to such a device makes it write its EventID to GITS_TRANSLATER. This file makes commands; it sends nothing.
import { GicTraceError } from '@gictrace/core';

/** Configuration space of `virt`, and its window for devices' memory. */
const ECAM = 0x40_1000_0000;
const WINDOW = 0x1000_0000;
const WINDOW_BYTES = 0x2eff_0000;
const BAR_BYTES = 0x10_0000;
/** Device and vendor of `edu`. */
const EDU = 0x11e8_1234;
/** Registers of a function (PCI Local Bus Specification 3.0, 6.1 and 6.8). */
const COMMAND = 0x4;
const MEMORY_AND_BUS_MASTER = 0x6;
const BAR0 = 0x10;
const CAPABILITIES = 0x34;
const MSI_CAPABILITY = 0x5;
const MSI_64BIT = 0x80;
const MSI_ENABLE = 1;
/** Writing here raises the device's interrupt. */
const RAISE = 0x60;
const TRANSLATER = 0x0809_0040;

/** Registers of a bridge (PCI-to-PCI Bridge Architecture 1.2, 3.2): bus numbers; memory windows, in units of 1 MB. */
const BUS_NUMBERS = 0x18;
const MEMORY_WINDOW = 0x20;
const PREFETCHABLE_WINDOW = 0x24;
/** A window whose base is above its limit is disabled. */
const NO_WINDOW = 0xfff0;
/** The bus of the bridges has this number while they are set up. */
const SWITCH_BUS = 0xff;
/** The most buses besides bus 0, which are functions of one switch. */
const BUSES_MAX = 8;

const hex = (value: number) => `0x${value.toString(16)}`;
/** An address on a bus, as an option. */
const at = (id: number) => `addr=${hex((id >> 3) & 0x1f)}.${id & 7},multifunction=on`;
/** The bus numbers of a bridge: the one behind it, and the highest behind that. */
const numbers = (secondary: number, subordinate: number) => (subordinate << 16) | (secondary << 8);
/** Makes a bridge forward the addresses in a window. */
const bridge = (ecam: number, from: number, to: number) => [
  `writel ${hex(ecam + MEMORY_WINDOW)} ${hex((((to - 1) & 0xfff0_0000) | (from >>> 16)) >>> 0)}`,
  `writel ${hex(ecam + PREFETCHABLE_WINDOW)} ${hex(NO_WINDOW)}`,
  `writew ${hex(ecam + COMMAND)} ${hex(MEMORY_AND_BUS_MASTER)}`,
];

interface Device {
  readonly ecam: number;
  readonly bar: number;
  /** The offset of the MSI capability's data, which `setUp` finds. */
  data: number;
  /** The EventID that it is set to; -1 if none yet. */
  event: number;
}

/** The part of qtest that setting up needs. */
export interface Reader {
  read(command: string): Promise<bigint>;
  do(lines: string, count: number): Promise<void>;
}

/** Configuration space of a function, by its DeviceID: bus, slot and function. */
const configuration = (id: number) => ECAM + (id << 12);

/**
 * The DeviceIDs for which there can be a function: not those of slot 0 on bus 0, which belongs to the host bridge, and only
 * those of as many other buses as there are bridges.
 */
function possibleIds(deviceIds: readonly number[]): number[] {
  const ids = [...new Set(deviceIds)].filter((id) => id >= 8 && id <= 0xffff).sort((a, b) => a - b);
  const buses = [...new Set(ids.map((id) => id >> 8))].filter((bus) => bus > 0).slice(0, BUSES_MAX);
  return ids.filter((id) => id < 256 || buses.includes(id >> 8)).slice(0, WINDOW_BYTES / BAR_BYTES);
}

export class MsiDevices {
  readonly args: string[] = [];
  private readonly devices = new Map<number, Device>();
  private readonly its: boolean;
  /** The DeviceID of the root port behind which the other buses are, if there are any. */
  private readonly port: number | undefined;
  /** The other buses, and the windows of their devices: from, to. */
  private readonly buses = new Map<number, { from: number; to: number }>();

  /** `deviceIds`: those wanted. */
  constructor(deviceIds: readonly number[], its: boolean) {
    this.its = its;
    const ids = possibleIds(deviceIds);
    ids.forEach((id, index) => {
      const bar = WINDOW + index * BAR_BYTES;
      this.devices.set(id, { ecam: configuration(id), bar, data: 0, event: -1 });
      const bus = id >> 8;
      if (bus > 0) this.buses.set(bus, { from: this.buses.get(bus)?.from ?? bar, to: bar + BAR_BYTES });
    });
    for (let id = 255; id >= 8 && this.buses.size > 0 && this.port === undefined; id--)
      if (!this.devices.has(id)) this.port = id;
    if (this.port !== undefined)
      this.args.push('-device', `pcie-root-port,id=gictrace-port,bus=pcie.0,${at(this.port)}`);
    [...this.buses.keys()].forEach((bus, index) => {
      this.args.push('-device', `x3130-upstream,id=gictrace-bus${bus},bus=gictrace-port,${at(index)}`);
    });
    for (const id of ids) {
      const bus = id >> 8;
      if (bus === 0 || this.port !== undefined)
        this.args.push('-device', `edu,bus=${bus === 0 ? 'pcie.0' : `gictrace-bus${bus}`},${at(id)}`);
      else this.devices.delete(id);
    }
  }

  /**
   * Numbers the buses. The bridges to them are functions of a switch, whose own bus has a number only while these numbers
   * are written. Afterwards it has number 0, so that none of its functions can be reached, and any other number may be that
   * of a bus with devices.
   */
  private async setUpBuses(qtest: Reader): Promise<void> {
    if (this.port === undefined) return;
    const windows = [...this.buses.values()];
    const lines = [
      ...bridge(configuration(this.port), windows[0]!.from, windows.at(-1)!.to),
      `writel ${hex(configuration(this.port) + BUS_NUMBERS)} ${hex(numbers(SWITCH_BUS, SWITCH_BUS))}`,
    ];
    [...this.buses].forEach(([bus, { from, to }], index) => {
      const ecam = configuration((SWITCH_BUS << 8) | index);
      lines.push(...bridge(ecam, from, to), `writel ${hex(ecam + BUS_NUMBERS)} ${hex(numbers(bus, bus))}`);
    });
    lines.push(`writel ${hex(configuration(this.port) + BUS_NUMBERS)} ${hex(numbers(0, 0xff))}`);
    await qtest.do(`${lines.join('\n')}\n`, lines.length);
  }

  /** Gives each device its window and its MSI address. @throws GicTraceError `backend` for one that does not answer. */
  async setUp(qtest: Reader): Promise<void> {
    await this.setUpBuses(qtest);
    for (const [id, device] of this.devices) {
      const { ecam, bar } = device;
      if (Number(await qtest.read(`readl ${hex(ecam)}`)) !== EDU)
        throw new GicTraceError('backend', `QEMU shows no PCI function at DeviceID ${hex(id)}`);
      await qtest.do(
        `writel ${hex(ecam + BAR0)} ${hex(bar)}\nwritew ${hex(ecam + COMMAND)} ${hex(MEMORY_AND_BUS_MASTER)}\n`,
        2,
      );
      let at = Number(await qtest.read(`readb ${hex(ecam + CAPABILITIES)}`));
      while (at !== 0) {
        const head = Number(await qtest.read(`readl ${hex(ecam + at)}`));
        if ((head & 0xff) === MSI_CAPABILITY) {
          const wide = ((head >>> 16) & MSI_64BIT) !== 0;
          device.data = at + (wide ? 12 : 8);
          const lines = [`writel ${hex(ecam + at + 4)} ${hex(TRANSLATER)}`];
          if (wide) lines.push(`writel ${hex(ecam + at + 8)} 0x0`);
          lines.push(`writew ${hex(ecam + at + 2)} ${hex((head >>> 16) | MSI_ENABLE)}`);
          await qtest.do(`${lines.join('\n')}\n`, lines.length);
        }
        at = (head >>> 8) & 0xff;
      }
    }
  }

  /** Why this machine cannot send an MSI; undefined if it can. */
  possible(deviceId: number, eventId: number, width: number): string | undefined {
    if (!this.its) return 'msi.write: this machine has no ITS';
    if (width !== 2 && width !== 4) return 'msi.write: of two or four bytes only';
    // A write without a requester has DeviceID 0.
    if (deviceId === 0) return undefined;
    if (!this.devices.has(deviceId))
      return deviceId < 8
        ? "msi.write: DeviceIDs 1 to 7 are those of QEMU's host bridge"
        : 'msi.write: QEMU has no PCI function at this DeviceID';
    if (width !== 4) return 'msi.write: a PCI device writes four bytes';
    if (eventId > 0xffff) return 'msi.write: a PCI device has EventIDs of 16 bits';
    return undefined;
  }

  /** The commands for an MSI, in the order in which they are sent. */
  commands(deviceId: number, eventId: number, width: number): readonly string[] {
    const device = this.devices.get(deviceId);
    if (device === undefined) return [`write${width === 2 ? 'w' : 'l'} ${hex(TRANSLATER)} ${hex(eventId)}`];
    const out = [`writel ${hex(device.bar + RAISE)} 0x1`];
    if (device.event !== eventId) {
      device.event = eventId;
      out.unshift(`writew ${hex(device.ecam + device.data)} ${hex(eventId)}`);
    }
    return out;
  }
}
