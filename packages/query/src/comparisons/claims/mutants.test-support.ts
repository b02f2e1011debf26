// Faults in drivers and in hardware, to see that claims notice them. A driver's fault is planted in its bus: what it sends, writes
// or waits for is lost or changed. Faults of hardware are those of core/mutate.
import type { Bus, Design, Driver } from '@gictrace/core/irqchip';
import { plantMutation } from '@gictrace/core/testing';
import type { Mutant } from './mutant.ts';

/** A fault in the bus of one design, or of all. */
const onBus = (change: (bus: Bus) => void, only?: string): Mutant => ({
  design: (design: Design): Design =>
    only !== undefined && design.name !== only
      ? design
      : {
          ...design,
          make(bus, ledger) {
            change(bus);
            return design.make(bus, ledger);
          },
        },
});

/** A fault in a driver that has been set up. */
const onDriver = (only: string, change: (driver: Driver, bus: Bus) => void): Mutant => ({
  design: (design: Design): Design =>
    design.name !== only
      ? design
      : {
          ...design,
          make(bus, ledger) {
            const driver = design.make(bus, ledger);
            if (driver !== undefined) change(driver, bus);
            return driver;
          },
        },
});

type Sent = Parameters<Bus['post']>[0][number];

/** Each command is sent as `change` returns it; undefined: it is not sent. */
const commands = (change: (command: Sent) => Sent | undefined, only?: string): Mutant =>
  onBus((bus) => {
    const post = bus.post.bind(bus);
    bus.post = (list, its) => {
      const left = list.map(change).filter((one) => one !== undefined);
      if (left.length > 0) post(left, its);
    };
  }, only);
const without = (name: Sent['name'], only?: string): Mutant =>
  commands((one) => (one.name === name ? undefined : one), only);
const instead = (name: Sent['name'], other: Sent['name'], only?: string): Mutant =>
  commands((one) => (one.name === name ? { ...one, name: other } : one), only);
const operand = (name: Sent['name'], key: string, change: (value: number) => number): Mutant =>
  commands((one) =>
    one.name === name
      ? { ...one, operands: { ...one.operands, [key]: change(one.operands[key] ?? 0) } }
      : one,
  );

type Register = Parameters<Bus['write']>[0];

/** Writes of a register get lost. */
const unwritten = (register: Register, only?: string): Mutant =>
  onBus((bus) => {
    const write = bus.write.bind(bus);
    bus.write = (name, ...rest) => {
      if (name !== register) write(name, ...rest);
    };
  }, only);
/** Writes of a register go to the Redistributor of another PE. */
const astray = (register: Register, only?: string): Mutant =>
  onBus((bus) => {
    const write = bus.write.bind(bus);
    bus.write = (name, instance, ...rest) =>
      write(name, name === register ? (instance + 1) % bus.pes : instance, ...rest);
  }, only);
/** Nobody waits for a register. */
const unpolled = (register: Register, only?: string): Mutant =>
  onBus((bus) => {
    const poll = bus.poll.bind(bus);
    bus.poll = (name, ...rest) => (name === register ? (0 as never) : poll(name, ...rest));
  }, only);

const unmessaged = (only: string, change: (data: number) => number): Mutant =>
  onDriver(only, (driver) => {
    const message = driver.message.bind(driver);
    driver.message = (of) => {
      const one = message(of);
      return one && { ...one, data: change(one.data) };
    };
  });

/** A driver that does nothing for an operation and says that it has, or that refuses it. */
const idle = (only: string, op: string): Mutant =>
  onDriver(only, (driver) => {
    const run = driver.run.bind(driver);
    driver.run = (o) => (o.op === op ? 'done' : run(o));
  });
const refusing = (only: string, op: string): Mutant =>
  onDriver(only, (driver) => {
    const run = driver.run.bind(driver);
    driver.run = (o) => (o.op === op ? { unsupported: 'a fault' } : run(o));
  });
/** A driver that frees nothing. */
const hoarding = (only: string): Mutant => ({
  design: (design: Design): Design =>
    design.name !== only
      ? design
      : {
          ...design,
          make(bus, ledger) {
            ledger.give = () => {};
            return design.make(bus, ledger);
          },
        },
});

const hardware = (name: string): Mutant => ({
  machine: (machine) => plantMutation(machine, name),
});

/** By name: drivers' faults begin with `driver`, those of hardware with `hardware`. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  ...Object.fromEntries(
    (['MAPC', 'INVALL', 'MAPD', 'MAPTI', 'MOVI', 'DISCARD', 'INV', 'INT', 'CLEAR', 'SYNC'] as const).map(
      (name) => [`driver: its sends no ${name}`, without(name, 'its')],
    ),
  ),
  'driver: its sends INT for CLEAR': instead('CLEAR', 'INT', 'its'),
  'driver: its sends CLEAR for INT': instead('INT', 'CLEAR', 'its'),
  'driver: MOVI to PE 0': operand('MOVI', 'ICID', () => 0),
  'driver: MAPTI of the next event': operand('MAPTI', 'EventID', (event) => event + 1),
  ...Object.fromEntries(
    (['INV', 'DISCARD', 'MAPTI', 'MOVI', 'CLEAR', 'VMAPP', 'VMOVP', 'VMAPTI', 'VSYNC', 'SYNC'] as const).map(
      (name) => [`driver: vpe-proxy sends no ${name}`, without(name, 'vpe-proxy')],
    ),
  ),
  'driver: vpe-v41 sends no VMAPP': without('VMAPP', 'vpe-v41'),
  'driver: vpe-v41 sends no VMAPTI': without('VMAPTI', 'vpe-v41'),
  'driver: direct-lpi writes no GICR_INVLPIR': unwritten('GICR_INVLPIR', 'direct-lpi'),
  'driver: direct-lpi writes no GICR_CLRLPIR': unwritten('GICR_CLRLPIR', 'direct-lpi'),
  'driver: direct-lpi writes no GICR_SETLPIR': unwritten('GICR_SETLPIR', 'direct-lpi'),
  'driver: direct-lpi invalidates on another PE': astray('GICR_INVLPIR', 'direct-lpi'),
  'driver: direct-lpi does not wait for SYNCR': unpolled('GICR_SYNCR', 'direct-lpi'),
  'driver: direct-lpi-lossy writes no GICR_CLRLPIR': unwritten('GICR_CLRLPIR', 'direct-lpi-lossy'),
  'driver: direct-lpi gives the device the next LPI': unmessaged('direct-lpi', (data) => data + 1),
  'driver: direct-lpi-rfc gives the device the LPI': unmessaged('direct-lpi-rfc', (data) => data + 8192),
  'driver: mbi writes no GICD_IROUTER': unwritten('GICD_IROUTER', 'mbi'),
  'driver: mbi writes no GICD_ICFGR': unwritten('GICD_ICFGR', 'mbi'),
  'driver: mbi writes no GICD_ISENABLER': unwritten('GICD_ISENABLER', 'mbi'),
  'driver: mbi writes no GICD_ICENABLER': unwritten('GICD_ICENABLER', 'mbi'),
  'driver: mbi writes no GICD_ISPENDR': unwritten('GICD_ISPENDR', 'mbi'),
  'driver: mbi writes no GICD_ICPENDR': unwritten('GICD_ICPENDR', 'mbi'),
  'driver: mbi does not wait for RWP': unpolled('GICD_CTLR', 'mbi'),
  'driver: hyperv-spi does not wait for RWP': unpolled('GICD_CTLR', 'hyperv-spi'),
  'driver: hyperv-spi gives the device the next SPI': unmessaged('hyperv-spi', (data) => data + 1),
  'driver: gicv2m writes no GICD_IROUTER': unwritten('GICD_IROUTER', 'gicv2m'),
  'driver: vpe-direct writes no GICR_INVLPIR': unwritten('GICR_INVLPIR', 'vpe-direct'),
  'driver: vpe-direct writes no GICR_CLRLPIR': unwritten('GICR_CLRLPIR', 'vpe-direct'),
  ...Object.fromEntries(
    (
      [
        ['its', 'alloc'],
        ['its', 'set_affinity'],
        ['its', 'unmask'],
        ['direct-lpi', 'alloc'],
        ['direct-lpi', 'free'],
        ['mbi', 'free'],
        ['direct-lpi-rfc', 'alloc'],
        ['platform-msi', 'alloc'],
        ['mbi', 'alloc'],
        ['hyperv-spi', 'activate'],
        ['hyperv-spi-unsigned', 'alloc'],
        ['vpe-proxy', 'alloc'],
        ['vpe-proxy', 'vpe.map'],
        ['vpe-proxy-rfc', 'vm.alloc'],
      ] as const
    ).map(([design, op]) => [`driver: ${design} does nothing for ${op}`, idle(design, op)]),
  ),
  'driver: its refuses pe.online': refusing('its', 'pe.online'),
  'driver: virtual-its frees nothing': hoarding('virtual-its'),
  'driver: vpe-naive sends no SYNC': without('SYNC', 'vpe-naive'),
  'driver: direct-lpi-rfc-intid writes no GICR_PROPBASER': unwritten(
    'GICR_PROPBASER',
    'direct-lpi-rfc-intid',
  ),
  'driver: hyperv-spi writes no GICD_ICFGR': unwritten('GICD_ICFGR', 'hyperv-spi'),
  ...Object.fromEntries(
    [
      'movi-keeps-collection',
      'move-loses-pending',
      'discard-keeps-pending',
      'discard-keeps-mapping',
      'lpi-priority-ignored',
      'pmr-unarbitrated',
      'clear-ignored',
      'int-ignored',
      'inv-ignored',
      'setlpir-ignored',
      'invlpir-ignored',
      'icenabler-ignored',
      'edge-not-latched',
      'eoi-keeps-priority',
      'irouter-aff0',
      'lpi-stays-pending',
      'setspi-ignored',
      'vmapti-doorbell-lost',
      'doorbell-silent',
      'vmovp-keeps-pe',
      'residency-forgets-pending',
    ].map((name) => [`hardware: ${name}`, hardware(name)]),
  ),
};
