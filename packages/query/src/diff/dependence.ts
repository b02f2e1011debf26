// Defines when two records are dependent, that is, when the order of a pair matters. This is the only place that
// defines it; footprints.ts says which resources a record touches.
//
// Each record touches resources, each in a mode. Two records are dependent if they touch the same resource in modes
// that conflict; their order is then behaviour. Otherwise they commute, and the order in which a source prints them is
// an accident of when it looked. In addition, an observable depends on the stimulus that caused it (causes.ts),
// whatever the two touch. Two traces are the same up to legal reordering if they have the same records, every dependent
// pair is in the same order in both, and every observable follows the same cause. The relation errs on one side only:
// records that are not known to commute are dependent.

interface Resource {
  readonly doc: string;
  /** How a record can touch the resource, and the modes with which each mode conflicts. Symmetric. */
  readonly modes: Readonly<Record<string, readonly string[]>>;
}

const exclusive = { use: ['use'] } as const;

/** What records touch. An instance is identified by a number: a PE, an INTID, an address. */
export const RESOURCES = {
  everything: {
    doc: 'Every record; one of which it is not known what it does conflicts with all.',
    modes: { known: ['unknown'], unknown: ['known', 'unknown'] },
  },
  program: { doc: 'The accesses of one PE: program order.', modes: exclusive },
  interface: {
    doc: 'The CPU interface, the private interrupts and the Redistributor of one PE, and what it is told. Arrivals of different private interrupts commute.',
    modes: { arrive: ['act'], act: ['act', 'arrive'] },
  },
  private: { doc: 'One SGI or PPI of one PE: its wire, and its being sent.', modes: exclusive },
  spi: { doc: 'One SPI: its wire, its acknowledges, ends and deactivations.', modes: exclusive },
  block: {
    doc: 'The words of the Distributor about 32 SPIs, and what happens to one of them.',
    modes: { single: ['read', 'write'], read: ['single', 'write'], write: ['single', 'read', 'write'] },
  },
  distributor: {
    doc: 'The Distributor: its registers for each SPI (array), and the others, which decide what can be taken at all.',
    modes: {
      arrayRead: ['write'],
      arrayWrite: ['read', 'write'],
      read: ['arrayWrite', 'write'],
      write: ['arrayRead', 'arrayWrite', 'read', 'write', 'take'],
      take: ['write'],
    },
  },
  spis: {
    doc: 'Whether any SPI is pending: changes of SPIs, and acknowledges that found none.',
    modes: { arrive: ['observe'], observe: ['arrive'] },
  },
  sgis: {
    doc: 'Whether any SGI is pending: registers that send them, and acknowledges of one or of none.',
    modes: { arrive: ['observe'], observe: ['arrive'] },
  },
  lpis: {
    doc: 'LPIs and vLPIs: their delivery, the registers that configure it, residency of vPEs, acknowledges of an LPI or of none.',
    modes: {
      deliver: ['configure', 'reside', 'observe'],
      configure: ['deliver', 'reside', 'observe'],
      reside: ['deliver', 'configure', 'reside', 'observe'],
      observe: ['deliver', 'configure', 'reside'],
    },
  },
  its: {
    doc: 'One ITS: its registers, its commands in order, translations. A command about one device conflicts with translations of that device only; CWRITER sends commands and does nothing else.',
    modes: {
      read: ['write', 'send', 'command', 'deviceCommand'],
      write: ['read', 'write', 'send', 'queue', 'translate', 'command', 'deviceCommand'],
      send: ['read', 'write', 'send', 'queue', 'command', 'deviceCommand'],
      queue: ['write', 'send'],
      translate: ['write', 'command'],
      command: ['read', 'write', 'send', 'translate', 'command', 'deviceCommand'],
      deviceCommand: ['read', 'write', 'send', 'command', 'deviceCommand'],
    },
  },
  slot: { doc: 'One slot of a command queue: the command written and executed.', modes: exclusive },
  device: {
    doc: 'One device of one ITS: its messages, the commands about it, and the table entries read for them.',
    modes: exclusive,
  },
  entry: {
    doc: 'One entry of an ITS table.',
    modes: { read: ['write'], write: ['read', 'write'] },
  },
  memory: {
    doc: 'Guest memory: stores, and all by which a GIC may look at it.',
    modes: { store: ['look'], look: ['store'] },
  },
  line: { doc: '32 bytes of guest memory: stores to them.', modes: exclusive },
  inside: { doc: 'Events without a PE: facts inside the GIC, in order.', modes: exclusive },
} as const satisfies Record<string, Resource>;
export type ResourceName = keyof typeof RESOURCES;
export type ModeOf<R extends ResourceName> = keyof (typeof RESOURCES)[R]['modes'] & string;

/** Modes of a resource are numbered; none has more than this. */
export const MODES_MAX = 8;
const names = Object.keys(RESOURCES) as ResourceName[];
const codes = new Map<string, number>();
/** By resource and mode: a bit for each mode with which it conflicts. */
const conflicts = new Uint8Array(names.length * MODES_MAX);
names.forEach((name, type) => {
  const modes: Readonly<Record<string, readonly string[]>> = RESOURCES[name].modes;
  const order = Object.keys(modes);
  order.forEach((mode, number) => {
    codes.set(`${name}.${mode}`, type * MODES_MAX + number);
    for (const other of modes[mode]!) conflicts[type * MODES_MAX + number]! |= 1 << order.indexOf(other);
  });
});

type TouchName = { [R in ResourceName]: `${R}.${ModeOf<R>}` }[ResourceName];

/** Each resource and mode as one number: `its.send`. */
export const TOUCH = Object.fromEntries(codes) as Readonly<Record<TouchName, number>>;

/** The modes (a bit each) that conflict with a touch. */
export const conflictsOf = (code: number): number => conflicts[code]!;

/** The resource of a touch. */
export const resourceOf = (code: number): ResourceName => names[Math.floor(code / MODES_MAX)]!;
