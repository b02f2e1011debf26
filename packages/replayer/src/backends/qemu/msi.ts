// Devices that send MSIs: QEMU's `edu` PCI functions, one at each DeviceID wanted, set up through the configuration
// space. A write to such a device makes it write its EventID to GITS_TRANSLATER. Makes commands; sends nothing.

/** Configuration space of `virt`, and its window for devices' memory. */
const ECAM = 0x40_1000_0000;
const WINDOW = 0x1000_0000;
const WINDOW_BYTES = 0x2eff_0000;
const BAR_BYTES = 0x10_0000;
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

const hex = (value: number) => `0x${value.toString(16)}`;

interface Device {
  readonly ecam: number;
  readonly bar: number;
  /** Offset of the MSI capability's data; found by `setUp`. */
  data: number;
  /** The EventID that it holds; -1: none yet. */
  event: number;
}

/** The part of qtest that setting up needs. */
export interface Reader {
  read(command: string): Promise<bigint>;
  do(lines: string, count: number): Promise<void>;
}

export class MsiDevices {
  readonly args: string[] = [];
  private readonly devices = new Map<number, Device>();
  private readonly its: boolean;

  /** `deviceIds`: those wanted. Only functions of bus 0 but those of slot 0, which is the host bridge's, can be had. */
  constructor(deviceIds: readonly number[], its: boolean) {
    this.its = its;
    const wanted = [...new Set(deviceIds)].filter((id) => id >= 8 && id < 256).sort((a, b) => a - b);
    for (const id of wanted.slice(0, Math.floor(WINDOW_BYTES / BAR_BYTES))) {
      const bar = WINDOW + this.devices.size * BAR_BYTES;
      this.devices.set(id, { ecam: ECAM + (id << 12), bar, data: 0, event: -1 });
      this.args.push('-device', `edu,addr=${hex(id >> 3)}.${id & 7},multifunction=on`);
    }
  }

  /** Gives each device its window and its MSI address. */
  async setUp(qtest: Reader): Promise<void> {
    for (const device of this.devices.values()) {
      const { ecam, bar } = device;
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

  /** Why this machine cannot send an MSI; undefined where it can. */
  possible(deviceId: number, eventId: number, width: number): string | undefined {
    if (!this.its) return 'msi.write: this machine has no ITS';
    if (width !== 2 && width !== 4) return 'msi.write: of two or four bytes only';
    // What has no requester of its own comes as DeviceID 0.
    if (deviceId === 0) return undefined;
    if (!this.devices.has(deviceId)) return 'msi.write: QEMU has no PCI function at this DeviceID';
    if (width !== 4) return 'msi.write: a PCI device writes four bytes';
    if (eventId > 0xffff) return 'msi.write: a PCI device has EventIDs of 16 bits';
    return undefined;
  }

  /** The commands of an MSI that is possible, in the order in which they are sent. */
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
