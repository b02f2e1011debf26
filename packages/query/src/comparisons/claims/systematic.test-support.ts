// Faults made by rule: everything that a design does in the scenarios of claims is left out, doubled, put in another order or
// changed by one, and every operation does nothing or is refused. Which claim notices each?
import { GICV5_MUTATIONS, plantGicv5Mutation } from '@gictrace/core/gicv5';
import { type Bus, DESIGNS, type Design, type Driver } from '@gictrace/core/irqchip';
import type { CommandName } from '@gictrace/core/spec';
import { MUTATIONS, plantMutation } from '@gictrace/core/testing';
import { CLAIMS, type Claim, decide } from './index.ts';
import type { Mutant } from './mutant.ts';

export interface Fault {
  /** `its: MOVI left out`, or the name of a fault in hardware. */
  readonly name: string;
  /** The design; or for a fault in hardware, the GIC. */
  readonly design: string;
  readonly mutant: Mutant;
}

const ON_GICV3 = 'a GICv3';
const ON_GICV5 = 'a GICv5';

type Sent = Parameters<Bus['post']>[0][number];
type Register = Parameters<Bus['write']>[0];
type Value = Parameters<Bus['write']>[2];

/** A fault in what a design does to its hardware, from its setup on. */
const inBus = (design: string, name: string, change: (bus: Bus) => void): Fault => ({
  name: `${design}: ${name}`,
  design,
  mutant: {
    design: (one: Design): Design =>
      one.name !== design
        ? one
        : {
            ...one,
            make(bus, ledger) {
              change(bus);
              return one.make(bus, ledger);
            },
          },
  },
});

/** A fault in a driver that has been set up. */
const inDriver = (design: string, name: string, change: (driver: Driver, bus: Bus) => void): Fault => ({
  name: `${design}: ${name}`,
  design,
  mutant: {
    design: (one: Design): Design =>
      one.name !== design
        ? one
        : {
            ...one,
            make(bus, ledger) {
              const driver = one.make(bus, ledger);
              if (driver !== undefined) change(driver, bus);
              return driver;
            },
          },
  },
});

const posting = (design: string, name: string, change: (list: Sent[]) => Sent[]): Fault =>
  inBus(design, name, (bus) => {
    const post = bus.post.bind(bus);
    bus.post = (list, its) => {
      const changed = change([...list]);
      if (changed.length > 0) post(changed, its);
    };
  });

/** The next command comes first. */
function late(list: Sent[], name: CommandName): Sent[] {
  const at = list.findIndex((one) => one.name === name);
  if (at < 0 || at + 1 >= list.length) return list;
  return [...list.slice(0, at), list[at + 1]!, list[at]!, ...list.slice(at + 2)];
}

const FLAGS = new Set(['V', 'DB', 'Alloc', 'PTZ']);

/** Addresses that a driver chooses: the next one is as good. */
const ADDRESSES = new Set(['ITT_addr', 'VPT_addr', 'VCONF_addr']);

interface Posted {
  readonly operands: Set<string>;
  /** Whether another command came after it in one post. */
  hasNext: boolean;
}

function ofCommand(design: string, name: CommandName, { operands, hasNext }: Posted): Fault[] {
  const other = { INT: 'CLEAR', CLEAR: 'INT' }[name as string] as CommandName | undefined;
  return [
    posting(design, `${name} left out`, (list) => list.filter((one) => one.name !== name)),
    posting(design, `${name} twice`, (list) =>
      list.flatMap((one) => (one.name === name ? [one, one] : [one])),
    ),
    ...(hasNext ? [posting(design, `${name} after the next command`, (list) => late(list, name))] : []),
    ...(other === undefined
      ? []
      : [
          posting(design, `${other} for ${name}`, (list) =>
            list.map((one) => (one.name === name ? { ...one, name: other } : one)),
          ),
        ]),
    ...[...operands]
      .filter((operand) => !ADDRESSES.has(operand))
      .map((operand) =>
        posting(design, `${name}: another ${operand}`, (list) =>
          list.map((one) => {
            if (one.name !== name || !(operand in one.operands)) return one;
            const value = one.operands[operand]!;
            return {
              ...one,
              operands: { ...one.operands, [operand]: FLAGS.has(operand) ? 1 - value : value + 1 },
            };
          }),
        ),
      ),
  ];
}

/** Each write of a register becomes what `change` does. */
const writing = (
  design: string,
  name: string,
  register: Register,
  change: (
    write: Bus['write'],
    instance: number,
    value: Value,
    element: number | undefined,
    bus: Bus,
  ) => void,
): Fault =>
  inBus(design, `${register} ${name}`, (bus) => {
    const write = bus.write.bind(bus);
    bus.write = (other, instance, value, element) => {
      if (other === register) change(write, instance, value, element, bus);
      else write(other, instance, value, element);
    };
  });

function ofRegister(design: string, register: Register): Fault[] {
  return [
    writing(design, 'not written', register, () => {}),
    writing(design, 'written twice', register, (write, instance, value, element) => {
      write(register, instance, value, element);
      write(register, instance, value, element);
    }),
    ...(register.startsWith('GICR')
      ? [
          writing(design, 'of the next PE written', register, (write, instance, value, element, bus) =>
            write(register, (instance + 1) % bus.pes, value, element),
          ),
        ]
      : []),
  ];
}

function ofOperation(design: string, op: string): Fault[] {
  return [
    inDriver(design, `${op} does nothing`, (driver) => {
      const run = driver.run.bind(driver);
      driver.run = (o) => (o.op === op ? 'done' : run(o));
    }),
    inDriver(design, `${op} refused`, (driver) => {
      const run = driver.run.bind(driver);
      driver.run = (o) => (o.op === op ? { unsupported: 'a fault' } : run(o));
    }),
  ];
}

const messages = (
  design: string,
  name: string,
  change: (message: { address: number; data: number }) => { address: number; data: number } | undefined,
): Fault =>
  inDriver(design, name, (driver) => {
    const message = driver.message.bind(driver);
    driver.message = (of) => {
      const one = message(of);
      return one && change(one);
    };
  });

/**
 * The claims that hold and say something about a design, or about the designs on a GIC of one architecture, with only these to
 * run.
 */
function claimsOf(design: string): readonly Claim[] {
  const known = holding.get(design);
  if (known !== undefined) return known;
  const isOn5 = (name: string) => name.startsWith('gicv5-');
  const isOwn = (subject: string) => {
    const name = subject.split(': ')[0]!;
    return design === ON_GICV5 ? isOn5(name) : design === ON_GICV3 ? !isOn5(name) : name === design;
  };
  const claims = CLAIMS.map((claim) => ({
    ...claim,
    designs: claim.designs.filter(isOwn),
    accused: claim.accused.filter(isOwn),
    cleared: claim.cleared.filter(isOwn),
  })).filter(({ accused, cleared }) => accused.length + cleared.length > 0);
  const held = claims.filter((claim) => decide(claim).holds);
  holding.set(design, held);
  return held;
}
const holding = new Map<string, readonly Claim[]>();

/** What a design does in the scenarios of its claims, after its setup. */
function inventoryOf(design: string) {
  const commands = new Map<CommandName, Posted>();
  const writes = new Set<Register>();
  const polls = new Set<Register>();
  const operations = new Set<string>();
  let hasMessages = false;
  const spy: Mutant = inDriver(design, '', (driver, bus) => {
    const [post, write, poll] = [bus.post.bind(bus), bus.write.bind(bus), bus.poll.bind(bus)];
    bus.post = (list, its) => {
      list.forEach(({ name, operands }, n) => {
        const posted = commands.get(name) ?? { operands: new Set<string>(), hasNext: false };
        for (const operand of Object.keys(operands)) posted.operands.add(operand);
        posted.hasNext ||= n + 1 < list.length;
        commands.set(name, posted);
      });
      post(list, its);
    };
    bus.write = (register, ...rest) => {
      writes.add(register);
      write(register, ...rest);
    };
    bus.poll = (register, ...rest) => {
      polls.add(register);
      return poll(register, ...rest);
    };
    const [run, message] = [driver.run.bind(driver), driver.message.bind(driver)];
    driver.run = (o) => {
      operations.add(o.op);
      return run(o);
    };
    driver.message = (of) => {
      const one = message(of);
      hasMessages ||= one !== undefined;
      return one;
    };
  }).mutant;
  for (const claim of claimsOf(design)) decide(claim, spy);
  return { commands, writes, polls, operations, hasMessages };
}

/** Faults of a design, by rule. */
export function faultsOf(design: string): Fault[] {
  const { commands, writes, polls, operations, hasMessages } = inventoryOf(design);
  return [
    ...[...commands].flatMap(([name, posted]) => ofCommand(design, name, posted)),
    ...[...writes].flatMap((register) => ofRegister(design, register)),
    ...[...polls].map((register) =>
      inBus(design, `${register} not waited for`, (bus) => {
        const poll = bus.poll.bind(bus);
        bus.poll = (other, ...rest) => (other === register ? (0 as never) : poll(other, ...rest));
      }),
    ),
    ...(hasMessages
      ? [
          messages(design, 'the next data', ({ address, data }) => ({ address, data: data + 1 })),
          messages(design, 'the next frame', ({ address, data }) => ({ address: address + 0x1_0000, data })),
          messages(design, 'no message', () => undefined),
        ]
      : []),
    ...[...operations].flatMap((op) => ofOperation(design, op)),
  ];
}

/** The named faults of hardware. */
export const HARDWARE_FAULTS: readonly Fault[] = [
  ...Object.keys(MUTATIONS).map(
    (name): Fault => ({
      name,
      design: ON_GICV3,
      mutant: { machine: (machine) => plantMutation(machine, name) },
    }),
  ),
  ...Object.keys(GICV5_MUTATIONS).map(
    (name): Fault => ({
      name: `GICv5: ${name}`,
      design: ON_GICV5,
      mutant: { gicv5Machine: (machine) => plantGicv5Mutation(machine, name) },
    }),
  ),
];

/** A claim that no longer holds with a fault; undefined if there is none. */
export function noticedBy({ design, mutant }: Fault): string | undefined {
  return claimsOf(design).find((claim) => !decide(claim, mutant).holds)?.name;
}

/** Designs of Linux. The others are variants of theirs. */
export const LINUX_DESIGNS: readonly string[] = [
  'its',
  'direct-lpi',
  'mbi',
  'gicv2m',
  'hyperv-spi',
  'vpe-proxy',
  'vpe-direct',
  'vpe-v41',
].filter((name) => Object.hasOwn(DESIGNS, name));
