// What `compare` answers, as sections of tables: the verdicts first, then what each design needs and is, then what it delivered
// and cost. It knows neither a terminal nor a page; both print the same sections.
import {
  COSTS,
  type Cost,
  type Costs,
  capacityOf,
  FAULT_NAMES,
  isShownByDefault,
  judgementText,
  nsOf,
  OUTCOME_NAMES,
  type Run,
} from '@gictrace/core/irqchip';
import type { Alignment, Compared, Judged } from '@gictrace/replayer';
import { grouped } from '../../context.ts';

/** A table: the first column names the design or the operation. */
export interface Section {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether all columns but the first are numbers or lists of numbers. */
  readonly numbers: boolean;
}

export interface Sheet {
  readonly lines: readonly string[];
  readonly sections: readonly Section[];
  readonly notes: readonly string[];
}

export interface SheetOptions {
  /** Show variants with the faults with which they were once posted, and hypotheses. */
  readonly asPosted: boolean;
  /** Show columns that are zero everywhere, and what drivers hold at the end. */
  readonly all: boolean;
  /** Designs were named on the command line: show all of them. */
  readonly named: boolean;
}

const LETTERS: Readonly<Record<string, string>> = {
  commands: 'Q',
  mmio_writes: 'W',
  mmio_reads: 'R',
  table_bytes: 'T',
  message_rewrites: 'M',
  instructions: 'I',
  barriers: 'B',
  hypercalls: 'H',
  vmbus_messages: 'V',
  device_writes: 'D',
};
/** Costs that are parts of others, and are not repeated in the mean cost of an operation. */
const PARTS: readonly string[] = ['syncs', 'polls', 'stalls', 'queue_bytes'];
const LETTER_DOC =
  'Q: ITS commands, SYNC included; W, R: MMIO writes and reads, polls included; T: bytes of tables; M: messages rewritten; H: hypercalls; V: VMBus messages to a Hyper-V host; D: writes of a mask in the device; I, B: GIC instructions of a GICv5, and GSB SYS.';

/** Designs that behave the same: what is shown of them is equal. */
interface Group {
  readonly names: readonly string[];
  readonly run: Run;
  readonly judged: Judged;
}

function groupsOf({ runs, judged }: Compared, isShown: (name: string) => boolean): Group[] {
  const groups = new Map<string, { names: string[]; run: Run; judged: Judged }>();
  runs.forEach((run, k) => {
    if (!isShown(run.design.name)) return;
    const its = judged[k]!;
    const sameness = JSON.stringify([
      run.design.serves,
      its,
      run.costs,
      [...run.costsBy],
      run.deliveries,
      capacityOf(run.design, run.config.pes.length),
      [...run.leaked],
    ]);
    const group = groups.get(sameness);
    if (group === undefined) groups.set(sameness, { names: [run.design.name], run, judged: its });
    else group.names.push(run.design.name);
  });
  return [...groups.values()];
}

const nameOf = ({ names }: Group): string => names.join(' = ');

/** Removes columns whose cells are all zero or empty; the first column always stays. */
function withoutZeros(section: Section, all: boolean): Section {
  if (all) return section;
  const keep = section.head.map(
    (_, k) => k === 0 || section.rows.some((row) => !['0', '', '–'].includes(row[k]!)),
  );
  const cut = (row: readonly string[]) => row.filter((_, k) => keep[k]);
  return { ...section, head: cut(section.head), rows: section.rows.map(cut) };
}

function meanCosts(costs: Costs, n: number): string {
  const parts = COSTS.filter((cost) => costs[cost] > 0 && !PARTS.includes(cost)).map((cost) => {
    const mean = costs[cost] / n;
    const number = Number.isInteger(mean) ? `${mean}` : mean.toFixed(2);
    return `${number} ${LETTERS[cost] ?? cost}`;
  });
  return parts.length === 0 ? '–' : parts.join(' ');
}

/** Nanoseconds with a unit and three digits. */
export function time(ns: number): string {
  for (const [unit, name] of [
    [1e9, 's'],
    [1e6, 'ms'],
    [1e3, 'µs'],
  ] as const)
    if (ns >= unit) return `${(ns / unit).toPrecision(3)} ${name}`;
  return `${Math.round(ns)} ns`;
}

function sectionsOf(groups: readonly Group[], compared: Compared, options: SheetOptions): Section[] {
  const { serves } = groups[0]!.run.design;
  const of = serves === 'devices' ? 'interrupts of devices' : 'doorbells of vPEs';
  const rows = (cells: (group: Group) => readonly string[]) =>
    groups.map((group) => [nameOf(group), ...cells(group)]);
  const sections: Section[] = [
    {
      title: `Verdict (${of})`,
      head: ['design', 'verdict'],
      rows: rows(({ judged }) => [judgementText(judged.judgement)]),
      numbers: false,
    },
    {
      title: 'What it needs and is',
      head: [
        'design',
        'needs',
        'isolates',
        'VFIO',
        ...(serves === 'devices' ? ['MultiMSI', 'migrates'] : []),
      ],
      rows: rows(({ judged: { properties: p } }) => [
        p.needs.join('; '),
        p.isolates,
        p.vfio,
        ...(serves === 'devices' ? [p.multiMsi, p.migrates] : []),
      ]),
      numbers: false,
    },
  ];
  const outcomes = [
    ...(['fired', ...OUTCOME_NAMES, 'withheld', ...FAULT_NAMES, 'doorbells', 'steps_max'] as const),
  ];
  sections.push(
    withoutZeros(
      {
        title: 'Messages and handlers',
        head: ['design', ...outcomes],
        rows: rows(({ run }) => outcomes.map((name) => grouped(run.deliveries[name]))),
        numbers: true,
      },
      options.all,
    ),
    withoutZeros(
      {
        title: `Costs in total, without setting up; time by the model ${compared.model.name}`,
        head: ['design', 'time', ...COSTS, 'room for vectors'],
        rows: rows(({ run }) => {
          const capacity = capacityOf(run.design, run.config.pes.length);
          return [
            time(nsOf(run.costs, compared.model)),
            ...COSTS.map((name) => grouped(run.costs[name])),
            Number.isFinite(capacity) ? grouped(capacity) : 'no end',
          ];
        }),
        numbers: true,
      },
      options.all,
    ),
  );
  const operations = [...new Set(groups.flatMap(({ run }) => [...run.operations.keys()]))];
  sections.push({
    title: 'Mean cost of an operation',
    head: ['operation', ...groups.map(nameOf)],
    rows: operations.map((op) => [
      `${op} × ${grouped(Math.max(...groups.map(({ run }) => run.operations.get(op) ?? 0)))}`,
      ...groups.map(({ run }) => {
        const n = run.operations.get(op) ?? 0;
        return n === 0 ? '' : meanCosts(run.costsBy.get(op)!, n);
      }),
    ]),
    numbers: true,
  });
  return options.all ? [...sections, ...heldSections(groups)] : sections;
}

/** What is still allocated at the end, and what failed operations did not free. */
function heldSections(groups: readonly Group[]): Section[] {
  return (['held', 'leaked'] as const).flatMap((which) => {
    const whats = [...new Set(groups.flatMap(({ run }) => [...run[which].keys()]))].sort();
    if (whats.length === 0) return [];
    return [
      {
        title:
          which === 'held' ? 'Still allocated at the end' : 'Allocated by failed operations and not freed',
        head: ['design', ...whats],
        rows: groups.map((group) => [
          nameOf(group),
          ...whats.map((what) => grouped(group.run[which].get(what) ?? 0)),
        ]),
        numbers: true,
      },
    ];
  });
}

/** How far a design does what the recorded kernel did: its commands, and its accesses by register. */
function alignmentLines(name: string, alignment: Alignment): string[] {
  const { of, notShown, notCompared, accesses, registers } = alignment;
  const differ = [...registers].filter(([, counts]) => counts.recorded !== counts.sent);
  const unknown = [...notShown].map(([what, n]) => `${what} (${grouped(n)})`);
  const left = [...notCompared].map(([what, n]) => `${what} (${grouped(n)})`);
  const equal = accesses.first === null ? ', in the same order' : '';
  const where = of === 'ITSs' ? 'to ITSs and LPI registers' : 'to the Distributor for SPIs';
  const order =
    of === 'SPIs' && differ.length === 0 && accesses.first !== null
      ? `; the order differs: recorded '${accesses.first.recorded}', made '${accesses.first.sent}'`
      : '';
  return [
    ...(of === 'ITSs' ? [commandLine(name, alignment)] : []),
    `${name}: ${grouped(accesses.sent)} accesses ${where}, ${grouped(accesses.recorded)} recorded; ${
      differ.length === 0 ? `equal for each register${equal}${order}` : 'they differ:'
    }`,
    ...differ.map(
      ([what, counts]) => `  ${what}: ${grouped(counts.recorded)} recorded, ${grouped(counts.sent)} made`,
    ),
    ...(unknown.length === 0 ? [] : [`not in the trace, so not compared: ${unknown.join(', ')}`]),
    ...(left.length === 0 ? [] : [`part of no operation, so not compared: ${left.join(', ')}`]),
  ];
}

function commandLine(name: string, { commands: { recorded, sent, same, first } }: Alignment): string {
  const head = `${name}: ${grouped(same)} of ${grouped(recorded)} recorded commands sent again, in order`;
  return first === null
    ? `${head}; none else`
    : `${head} (${grouped(sent)} sent); then recorded '${first.recorded}', sent '${first.sent}'`;
}

function linesOf({ isLifted, lift, alignments, inFlightMax, invlpirOf }: Compared): string[] {
  const loop = Number.isFinite(inFlightMax)
    ? `closed loop: a device stops with ${grouped(inFlightMax)} messages of a vector in flight`
    : 'open loop: devices never stop';
  const lines = [`${grouped(lift.operations)} operations${isLifted ? ', lifted' : ''}; ${loop}`];
  for (const [title, of] of [
    ['inferred', lift.inferred],
    ['part of no operation', lift.unlifted],
  ] as const)
    for (const [what, n] of of) lines.push(`${title}: ${grouped(n)} × ${what}`);
  if (invlpirOf !== undefined)
    lines.push(
      `designs with an ITS run on profile ${invlpirOf}, as recorded: its Redistributors have GICR_INVLPIR (GICR_CTLR.IR), which Linux uses instead of INV`,
    );
  for (const [name, alignment] of alignments) lines.push(...alignmentLines(name, alignment));
  return lines;
}

function modelNote({ model }: Compared): string {
  const weight = (name: Cost) => {
    const from = model.measured[name];
    const how = from === undefined ? '' : ` (measured, ${grouped(from)} samples)`;
    return `${time(model.ns[name]!)} ${LETTERS[name] ?? name}${how}`;
  };
  const weights = COSTS.filter((name) => model.ns[name] !== undefined).map(weight);
  return `Time = sum of counts × weights of the model ${model.name}: ${weights.join(', ')}. Weights that are not measured are assumptions; --cost-model chooses others.`;
}

export function sheetOf(compared: Compared, options: SheetOptions): Sheet {
  const isShown = (name: string) => options.named || options.asPosted || isShownByDefault(name);
  const groups = groupsOf(compared, isShown);
  const sections = (['devices', 'vpes'] as const).flatMap((serves) => {
    const own = groups.filter(({ run }) => run.design.serves === serves);
    return own.length === 0 ? [] : sectionsOf(own, compared, options);
  });
  const hidden = compared.runs.filter(({ design }) => !isShown(design.name)).length;
  const unmeasured = groups.filter(({ judged }) => judged.properties.isolatesWhy !== null);
  return {
    lines: linesOf(compared),
    sections,
    notes: [
      LETTER_DOC,
      modelNote(compared),
      ...unmeasured.map(
        (group) => `${nameOf(group)}: isolation is not measured: ${group.judged.properties.isolatesWhy}.`,
      ),
      'VFIO: "refused" unless its user allows unsafe interrupts; "trusted" if the domain says that it isolates.',
      ...(options.all ? [] : ['Columns that are zero everywhere are left out; --all shows them.']),
      ...(hidden === 0
        ? []
        : [
            `${hidden} variants with faults as once posted, and hypotheses, are left out; --as-posted shows them.`,
          ]),
    ],
  };
}
