// What the mailing-list threads claim of the designs, each with the operations that decide it and what is measured.
// A verdict is computed from runs; nothing here says what a run will give.
import {
  DESIGNS,
  FATE_NAMES,
  FAULT_NAMES,
  type Operation,
  type OperationName,
  type Run,
  Translation,
} from '../irqchip/index.ts';

/** The threads, by their subjects. */
export const THREADS = {
  'direct-lpi':
    '[RFC 1/1] irqchip/gic-v3-its: Add irq domain and chip for Direct LPI without ITS (July 2021)',
  'virtual-its': '[RFC 2/2] irqchip/gic-v3-its: Introduce virtual ITS (June 2021)',
  proxy: 'irqchip/gic-v3-its: Add device proxy for VPE management if !DirectLpi',
  spi: 'Re: [RFC 1/1] irqchip/gic-v3-its: Add irq domain and chip for Direct LPI without ITS (August 2021)',
} as const;

export interface Claim {
  readonly name: string;
  readonly thread: keyof typeof THREADS;
  /** The words of the thread. */
  readonly quote: string;
  /** What is done to decide it. */
  readonly experiment: string;
  /** One row each: a design, or a design and a number that varies. */
  readonly cases: readonly Case[];
  /** What of a run is shown. */
  readonly measured: (run: Run) => Readonly<Record<string, number | string>>;
  /** What there is to say of the result. */
  readonly note?: string;
  /** Whether the claim holds, from what was measured of each case. */
  readonly holds: (of: (label: string) => Measured) => boolean;
}

export interface Case {
  readonly label: string;
  readonly design: string;
  readonly operations: readonly Operation[];
}

type Measured = Readonly<Record<string, number | string>>;

export interface Verdict {
  readonly claim: Claim;
  readonly rows: readonly { readonly label: string; readonly measured: Measured }[];
  readonly holds: boolean;
}

const PES = 4;
const [A, B] = [8, 16];
const of = (device: number, vector = 0) => ({ device, vector });
const online: readonly Operation[] = Array.from({ length: PES }, (_, pe) => ({ op: 'pe.online', pe }));

/** Two devices; the second has `count` vectors, each on the PE of its number, unmasked. */
function ready(count = 1): Operation[] {
  return [
    ...online,
    // As many, so that the LPIs of the second are aligned where the design does not see to it.
    { op: 'alloc', device: A, count },
    { op: 'alloc', device: B, count },
    ...Array.from({ length: count }, (_, vector): Operation[] => [
      { op: 'activate', ...of(B, vector), pe: vector % PES },
      { op: 'unmask', ...of(B, vector) },
    ]).flat(),
  ];
}

const each = (names: readonly string[], operations: readonly Operation[]): Case[] =>
  names.map((design) => ({ label: design, design, operations }));

/** Fates and faults that are not zero. */
function fates({ deliveries, unsupported }: Run): Measured {
  const shown = [...FATE_NAMES, ...FAULT_NAMES].filter((name) => deliveries[name] > 0);
  const measured: Record<string, number | string> = Object.fromEntries(
    shown.map((name) => [name, deliveries[name]]),
  );
  for (const why of unsupported.keys()) measured[`unknown: ${why}`] = '';
  return measured;
}

function commandsEach(op: OperationName): (run: Run) => Measured {
  return (run) => ({
    'commands an operation': (run.costsBy.get(op)?.commands ?? 0) / (run.operations.get(op) ?? 1),
  });
}

const LPI_DESIGNS = ['direct-lpi-rfc', 'direct-lpi-rfc-intid', 'direct-lpi', 'direct-lpi-lossy'];
const ALL = ['its', 'virtual-its', 'virtual-its-hosted', ...LPI_DESIGNS, 'mbi', 'hyperv-spi'];

const masked = (then: readonly Operation[]): Operation[] => [
  ...ready(),
  { op: 'mask', ...of(B) },
  { op: 'fire', ...of(B) },
  ...then,
];

const devices = (n: number): Operation[] =>
  Array.from({ length: n }, (_, device) => ({ op: 'alloc', device, count: 1 }));

const SLOTS = 4;
/** Rounds of invalidations of vPEs in turn; the first fills the slots and is not counted. */
function turns(vpes: number): Operation[] {
  const operations: Operation[] = [...online];
  for (let vpe = 0; vpe < vpes; vpe++) operations.push({ op: 'vpe.map', vpe, pe: vpe % PES });
  for (let round = 0; round < 2; round++)
    for (let vpe = 0; vpe < vpes; vpe++) operations.push({ op: 'doorbell.clear', vpe });
  for (let round = 0; round < 10; round++)
    for (let vpe = 0; vpe < vpes; vpe++) operations.push({ op: 'doorbell.invalidate', vpe });
  return operations;
}
const CURVE = [1, 2, 3, 4, 5, 6, 8, 16];

export const CLAIMS: readonly Claim[] = [
  {
    name: 'isolation',
    thread: 'direct-lpi',
    quote: 'From a security/isolation perspective, DirectLPI is a gaping hole.',
    experiment: "One device writes the message of another device's vector.",
    cases: each(ALL, [...ready(), { op: 'forge', ...of(B), by: A }]),
    measured: fates,
    note: 'An ITS translates the EventID within the table of the DeviceID that the bus gives, so the message is one of the writer. As posted Direct LPI raises nothing at all, see target-a-redistributor; message-based SPIs have the same hole.',
    holds: (on) => !('unauthorised' in on('its')) && on('direct-lpi').unauthorised === 1,
  },
  {
    name: 'multi-msi',
    thread: 'direct-lpi',
    quote: "Oh, that's is going to work so well with MultiMSI...",
    experiment:
      'A function with four vectors on four PEs has the message of the first, and raises each by the low bits of the data.',
    cases: each(ALL, [
      ...ready(4),
      ...[0, 1, 2, 3].map((vector): Operation => ({ op: 'fire.multi', ...of(B, vector), count: 4 })),
    ]),
    measured: fates,
    note: 'The address names the PE, so all vectors of a MultiMSI function go to the PE of the first.',
    holds: (on) =>
      on('its').delivered === 4 && !('misrouted' in on('its')) && 'misrouted' in on('direct-lpi'),
  },
  {
    name: 'set-irqchip-state',
    thread: 'direct-lpi',
    quote: 'This is a joke, right?',
    experiment: 'Software sets an interrupt pending; the driver answers success.',
    cases: each(ALL, [...ready(), { op: 'set_pending', ...of(B), pending: true }]),
    measured: fates,
    holds: (on) => on('direct-lpi-rfc').lost === 1 && on('direct-lpi').delivered === 1,
  },
  {
    name: 'per-device-allocation',
    thread: 'direct-lpi',
    quote: 'Why do you maintain a per-device allocation given that there is no per-device HW tracking?',
    experiment: 'Ten devices of three vectors each: LPIs that are held.',
    cases: each(
      ['its', 'direct-lpi-rfc', 'direct-lpi'],
      Array.from({ length: 10 }, (_, n): Operation => ({ op: 'alloc', device: 8 * (n + 1), count: 3 })),
    ),
    measured: (run) => ({ LPIs: run.held.get('LPIs') ?? 0 }),
    holds: (on) => Number(on('direct-lpi-rfc').LPIs) > Number(on('direct-lpi').LPIs),
  },
  {
    name: 'mbi-instead',
    thread: 'direct-lpi',
    quote: 'Heck, you could even use the MBI driver directly instead of trying to use DirectLPI',
    experiment:
      'A message, a move, a message that is pending while its vector moves, and one that software sets.',
    cases: each(ALL, [
      ...ready(),
      { op: 'fire', ...of(B) },
      { op: 'set_affinity', ...of(B), pe: 1 },
      { op: 'fire', ...of(B) },
      { op: 'mask', ...of(B) },
      { op: 'fire', ...of(B) },
      { op: 'set_affinity', ...of(B), pe: 2 },
      { op: 'unmask', ...of(B) },
      { op: 'set_pending', ...of(B), pending: true },
    ]),
    measured: fates,
    holds: (on) => on('mbi').delivered === 4 && Object.keys(on('mbi')).length === 1,
  },
  {
    name: 'target-a-redistributor',
    thread: 'virtual-its',
    quote: 'So how do you target a redistributor?',
    experiment: 'A device sends the message that it was given.',
    cases: each(ALL, [...ready(), { op: 'fire', ...of(B) }]),
    note: 'The "virtual ITS" composes no message. As posted Direct LPI composes one, but its data is the vector and not the INTID: below 8192 there is no LPI, and writes of GICR_SETLPIR are ignored.',
    measured: fates,
    holds: (on) => on('virtual-its').unsent === 1 && on('its').delivered === 1,
  },
  {
    name: 'another-redistributor',
    thread: 'virtual-its',
    quote: "You can't send a MOVI, and you don't change the target address.",
    experiment: 'A vector moves to another PE, and its device sends a message.',
    cases: each(ALL, [...ready(), { op: 'set_affinity', ...of(B), pe: 1 }, { op: 'fire', ...of(B) }]),
    measured: (run) => ({
      commands: run.costsBy.get('set_affinity')?.commands ?? 0,
      rewritten: run.costs.message_rewrites,
      hypercalls: run.costsBy.get('set_affinity')?.hypercalls ?? 0,
      ...fates(run),
    }),
    holds: (on) =>
      on('virtual-its').commands === 0 &&
      on('virtual-its').rewritten === 0 &&
      !('delivered' in on('virtual-its')) &&
      on('direct-lpi-rfc-intid').misrouted === 1,
  },
  {
    name: 'pending-on-a-move',
    thread: 'virtual-its',
    quote: 'how do you move the pending state from one pending table to another?',
    experiment: 'A message comes while its vector is masked; the vector moves to another PE and is unmasked.',
    cases: each(
      ALL,
      masked([
        { op: 'set_affinity', ...of(B), pe: 1 },
        { op: 'unmask', ...of(B) },
      ]),
    ),
    measured: fates,
    holds: (on) => on('its').delivered === 1 && on('virtual-its-hosted').stranded === 1,
  },
  {
    name: 'commands-never-sent',
    thread: 'virtual-its',
    quote: "Virtual ITS doesn't support ITS commands",
    experiment:
      'Software clears a message that is pending while its vector is masked, and unmasks the vector.',
    cases: each(
      ALL,
      masked([
        { op: 'set_pending', ...of(B), pending: false },
        { op: 'unmask', ...of(B) },
      ]),
    ),
    measured: (run) => ({ commands: run.costs.commands, ...fates(run) }),
    holds: (on) => on('virtual-its-hosted').commands === 0 && on('virtual-its-hosted').spurious === 1,
  },
  {
    name: 'six-commands',
    thread: 'proxy',
    quote: 'a naive implementation would require 6 commands to issue an invalidation',
    experiment: 'Four vPEs are invalidated in turn.',
    cases: each(['vpe-naive', 'vpe-proxy', 'vpe-direct', 'vpe-v41'], turns(4)),
    measured: commandsEach('doorbell.invalidate'),
    holds: (on) => on('vpe-naive')['commands an operation'] === 6,
  },
  {
    name: 'two-commands',
    thread: 'proxy',
    quote: 'most of the time, we only need 2 commands to issue an INV, INT or CLEAR',
    experiment: `vPEs in turn on ${SLOTS} slots. In turn is the worst order: a victim is always the one that is needed soonest.`,
    cases: CURVE.map((n) => ({ label: `${n} vPEs`, design: 'vpe-proxy', operations: turns(n) })),
    measured: commandsEach('doorbell.invalidate'),
    note: 'Up to one vPE a slot. In turn, the closed form is 2 for n ≤ slots and 6 beyond: a cliff, not a slope. `gictrace compare` measures it on recordings of real boots.',
    holds: (on) => CURVE.every((n) => on(`${n} vPEs`)['commands an operation'] === (n <= SLOTS ? 2 : 6)),
  },
  {
    name: 'mapped-until-roll-over',
    thread: 'proxy',
    quote: 'This doorbell will be mapped until we roll over and need to reallocate this slot.',
    experiment: 'A vPE moves, and its doorbell is invalidated.',
    cases: each(
      ['vpe-proxy', 'vpe-proxy-rfc'],
      [
        ...online,
        { op: 'vpe.map', vpe: 0, pe: 0 },
        { op: 'doorbell.clear', vpe: 0 },
        { op: 'vpe.move', vpe: 0, pe: 1 },
        { op: 'doorbell.invalidate', vpe: 0 },
      ],
    ),
    measured: commandsEach('doorbell.invalidate'),
    note: 'As first posted a move of the vPE discards the event, so it is mapped until a roll-over or a move, and the next operation costs 4. Linux moves the event today.',
    holds: (on) =>
      on('vpe-proxy')['commands an operation'] === 2 && on('vpe-proxy-rfc')['commands an operation'] === 2,
  },
  {
    name: 'spi-space',
    thread: 'spi',
    quote:
      "The SPI space isn't very large, but still much larger than the equivalent x86 space (close to 1000).",
    experiment: 'Devices of one vector each, until the design has no room.',
    cases: [...each(['its', 'direct-lpi'], devices(58_000)), ...each(['mbi', 'hyperv-spi'], devices(1_100))],
    measured: (run) => ({
      vectors: (run.operations.get('alloc') ?? 0) - [...run.exhausted.values()].reduce((a, b) => a + b, 0),
    }),
    holds: (on) =>
      Number(on('its').vectors) < 58_000 &&
      Number(on('mbi').vectors) > 900 &&
      Number(on('mbi').vectors) < 1000,
  },
];

/** Runs the experiment of a claim. */
export function decide(claim: Claim): Verdict {
  const rows = claim.cases.map(({ label, design, operations }) => {
    const translation = new Translation(DESIGNS[design]!, PES);
    for (const operation of operations) translation.take(operation);
    return { label, measured: claim.measured(translation.finish()) };
  });
  const byLabel = new Map(rows.map((row) => [row.label, row.measured]));
  return { claim, rows, holds: claim.holds((label) => byLabel.get(label)!) };
}
