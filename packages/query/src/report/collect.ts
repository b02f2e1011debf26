// What a report shows of a trace, gathered while the trace is followed once: lives, MSIs, commands, mappings, residency,
// findings. Details in columns up to a bound, beyond it counted; counts and distributions of all.
import {
  type CheckName,
  commandName,
  commandText,
  type Finding,
  intidClass,
  outcomeName,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
} from '@gictrace/core';
import type { ExportSource } from '../export/source.ts';
import type { Sql } from '../sql/schema.ts';
import { Follower } from '../timeline/follower.ts';
import { columns } from './columns.ts';
import { Counts } from './counts.ts';
import { type InterruptClass, NONE, STEPS } from './facts.ts';
import { Latencies } from './latency.ts';
import { Named } from './moments.ts';
import { Numbered, Strings } from './strings.ts';

const ITS_COMMAND = RECORDS['its.command'].id;
/** Findings of one rule that are shown; more are counted. */
const FINDINGS_MAX = 200;

type Cell = number | null;
type EventKey = readonly [its: number, deviceId: number, eventId: number];

/** Which details are kept. */
export interface Extent {
  /** First record, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** Rows of each table; below 2^20. */
  readonly rowsMax: number;
}

export class Collector {
  readonly lives = columns(
    ...(['intid', 'pe', 'vpe', 'virtual', 'cause', 'outcome', 'event', ...STEPS] as const),
  );
  readonly msis = columns('at', 'event', 'intid', 'virtual', 'pe', 'outcome');
  readonly commands = columns('at', 'its', 'slot', 'op', 'text', 'outcome');
  readonly mappings = columns(
    ...(['event', 'intid', 'virtual', 'icid', 'vpe', 'pe', 'from', 'to', 'by', 'endedBy'] as const),
  );
  readonly residencies = columns('pe', 'vpe', 'table', 'from', 'to');
  readonly strings = new Strings();
  readonly events = new Numbered<string, EventKey>();
  readonly named: Named;
  readonly latencies = new Latencies();
  readonly livesBy = new Counts();
  readonly commandsBy = new Counts();
  readonly msisBy = new Counts();
  readonly findings: Finding[] = [];
  readonly findingCounts = new Map<CheckName, number>();
  readonly leftOut: Record<string, number> = {};
  private readonly extent: Extent;
  /** By PE: the residency that has not ended, and by address of the virtual pending table its vPE. */
  private readonly resident = new Map<number, { table: number; vpe: number; from: number }>();
  private readonly vpes = new Map<number, number>();
  private record = 0;

  constructor(records: number, extent: Extent) {
    this.named = new Named(records);
    this.extent = extent;
  }

  /** Follows the trace from its first record to its last; once. */
  follow({ header, batches }: ExportSource): void {
    const follower = new Follower(header.config, {
      interrupt: (row) => this.interrupt(row),
      vinterrupt: (row) => this.vinterrupt(row),
      msi: (row) => this.msi(row),
      mapping: (row) => this.mapping(row),
      residency: ({ pe, resident, table, vpeid }) => {
        this.endResidency(pe, this.record);
        if (resident) this.resident.set(pe, { table, vpe: vpeid ?? NONE, from: this.record });
      },
      finding: (finding) => this.finding(finding),
    });
    for (const { batch, first } of batches())
      for (let i = 0; i < batch.count; i++) {
        this.record = first + i;
        follower.take(batch, i, first + i);
        if (batch.kind[i] === ITS_COMMAND) this.command(batch, i);
      }
    follower.finish();
    for (const pe of [...this.resident.keys()]) this.endResidency(pe, NONE);
    this.nameResidents();
    this.findings.sort((a, b) => a.at.record - b.at.record || (a.rule < b.rule ? -1 : 1));
  }

  /** Whether there is room for a row about these records; else counts it. */
  keeps(table: string, rows: number, first: number, last: number): boolean {
    const { from, to, rowsMax } = this.extent;
    if (last < from || first >= to) return false;
    if (rows < rowsMax) return true;
    this.leftOut[table] = (this.leftOut[table] ?? 0) + 1;
    return false;
  }

  private name(record: Cell): number {
    if (record === null || record === NONE) return NONE;
    this.named.add(record);
    return record;
  }

  private eventOf(its: number, deviceId: number, eventId: number): number {
    return this.events.of(`${its}.${deviceId}.${eventId}`, () => [its, deviceId, eventId]);
  }

  private life(
    about: Cells<'intid' | 'pe' | 'vpe' | 'virtual'>,
    cause: string | null,
    outcome: string,
    steps: readonly Cell[],
  ) {
    let first = NONE;
    let last = 0;
    for (const record of steps)
      if (record !== null) {
        first = Math.min(first, record);
        last = Math.max(last, record);
      }
    const { lives } = this;
    const goesOn = outcome.endsWith('at end');
    if (!this.keeps('lives', lives.intid.length, first, goesOn ? NONE : last)) return;
    for (const [name, value] of Object.entries(about)) lives[name as keyof typeof about].push(value ?? NONE);
    lives.cause.push(this.strings.put(cause ?? 'unknown'));
    lives.outcome.push(this.strings.put(outcome));
    lives.event.push(NONE);
    for (const [k, step] of STEPS.entries()) lives[step].push(this.name(steps[k]!));
  }

  private measure(
    of: InterruptClass,
    steps: { from: Cell; to: Cell; fromNs: Cell; toNs: Cell },
    measure: 'wait' | 'service',
  ) {
    if (steps.from !== null && steps.to !== null) this.latencies.take(of, measure, steps.fromNs, steps.toNs);
  }

  private interrupt(row: readonly Sql[]): void {
    const [, intid, pe] = row as readonly Cell[];
    const [cause, outcome] = [row[3] as string, row[17] as string];
    const [asserted, pended, signalled, acknowledged, eoi, deactivated, withdrawn] = row.slice(
      4,
      11,
    ) as Cell[];
    const [, pendedNs, , acknowledgedNs, eoiNs] = row.slice(11, 17) as Cell[];
    // What has a lifetime is an interrupt: its INTID is neither special nor reserved.
    const of = intidClass(intid!) as InterruptClass;
    this.livesBy.add(of, outcome);
    this.took(of, intid!, pe!, cause, {
      pended: pended!,
      acknowledged: acknowledged!,
      pendedNs: pendedNs!,
      acknowledgedNs: acknowledgedNs!,
    });
    this.measure(of, { from: acknowledged!, to: eoi!, fromNs: acknowledgedNs!, toNs: eoiNs! }, 'service');
    this.life({ intid: intid!, pe: pe!, vpe: null, virtual: 0 }, cause, outcome, [
      ...[asserted!, pended!, null, signalled!, acknowledged!, eoi!, deactivated!, withdrawn!],
    ]);
  }

  private vinterrupt(row: readonly Sql[]): void {
    const [, intid, vpe, table, pe] = row as readonly Cell[];
    const [cause, outcome] = [row[6] as string, row[19] as string];
    const [pended, doorbell, signalled, acknowledged, eoi, withdrawn] = row.slice(8, 14) as Cell[];
    const [pendedNs, , , acknowledgedNs, eoiNs] = row.slice(14, 19) as Cell[];
    if (vpe !== null && table !== null) this.vpes.set(table!, vpe!);
    this.livesBy.add('virtual', outcome);
    this.took('virtual', intid!, pe!, cause, {
      pended: pended!,
      acknowledged: acknowledged!,
      pendedNs: pendedNs!,
      acknowledgedNs: acknowledgedNs!,
    });
    this.measure(
      'virtual',
      { from: acknowledged!, to: eoi!, fromNs: acknowledgedNs!, toNs: eoiNs! },
      'service',
    );
    this.life({ intid: intid!, pe: pe!, vpe: vpe!, virtual: 1 }, cause, outcome, [
      ...[null, pended!, doorbell!, signalled!, acknowledged!, eoi!, null, withdrawn!],
    ]);
  }

  /** How long it waited for its acknowledge. */
  private took(
    of: InterruptClass,
    INTID: number,
    pe: Cell,
    cause: string,
    {
      pended,
      acknowledged,
      pendedNs,
      acknowledgedNs,
    }: Cells<'pended' | 'acknowledged' | 'pendedNs' | 'acknowledgedNs'>,
  ): void {
    if (pended === null || acknowledged === null) return;
    this.latencies.take(of, 'wait', pendedNs, acknowledgedNs);
    if (pendedNs === null || acknowledgedNs === null) return;
    const waitNs = acknowledgedNs - pendedNs;
    this.latencies.offer({ class: of, INTID, pe, cause, pended, acknowledged, waitNs });
  }

  private msi(row: readonly Sql[]): void {
    const [at, , its, deviceId, eventId, intid, virtual, pe] = row as readonly Cell[];
    const outcome = (row[8] as string | null) ?? 'unknown';
    this.msisBy.add(outcome, '');
    const { msis } = this;
    if (!this.keeps('msis', msis.at.length, at!, at!)) return;
    msis.at.push(this.name(at!));
    msis.event.push(this.eventOf(its!, deviceId!, eventId!));
    msis.intid.push(intid ?? NONE);
    msis.virtual.push(virtual ?? NONE);
    msis.pe.push(pe === null || pe! < 0 ? NONE : pe!);
    msis.outcome.push(this.strings.put(outcome));
  }

  private command(batch: RecordBatch, i: number): void {
    const at = i * RECORD_WORDS;
    const w = batch.words;
    const op = commandName(w[at + 4]!) ?? `0x${(w[at + 4]! & 0xff).toString(16)}`;
    const outcome = batch.flags[i]! & RECORD_FLAGS.valueUnknown ? 'unknown' : outcomeName(w[at + 2]!);
    this.commandsBy.add(op, outcome);
    const { commands, record, strings } = this;
    if (!this.keeps('commands', commands.at.length, record, record)) return;
    commands.at.push(this.name(record));
    commands.its.push(w[at]!);
    commands.slot.push(w[at + 1]!);
    commands.op.push(strings.put(op));
    commands.text.push(strings.put(commandText(w, at + 4, w[at + 3]!)));
    commands.outcome.push(strings.put(outcome));
  }

  private mapping(row: readonly Sql[]): void {
    const [, its, deviceId, eventId, intid, virtual, icid, vpe, pe, from, to] = row as readonly Cell[];
    const [by, endedBy] = row.slice(13) as [string, string | null];
    const { mappings } = this;
    if (!this.keeps('mappings', mappings.event.length, from!, to ?? NONE)) return;
    mappings.event.push(this.eventOf(its!, deviceId!, eventId!));
    mappings.intid.push(intid ?? NONE);
    mappings.virtual.push(virtual!);
    mappings.icid.push(icid ?? NONE);
    mappings.vpe.push(vpe ?? NONE);
    mappings.pe.push(pe ?? NONE);
    mappings.from.push(this.name(from!));
    mappings.to.push(this.name(to!));
    mappings.by.push(this.strings.put(by));
    mappings.endedBy.push(endedBy === null ? NONE : this.strings.put(endedBy));
  }

  private endResidency(pe: number, to: number): void {
    const one = this.resident.get(pe);
    if (one === undefined) return;
    this.resident.delete(pe);
    const { residencies } = this;
    if (!this.keeps('residencies', residencies.pe.length, one.from, to)) return;
    residencies.pe.push(pe);
    residencies.vpe.push(one.vpe);
    residencies.table.push(this.strings.put(`0x${one.table.toString(16)}`));
    residencies.from.push(this.name(one.from));
    residencies.to.push(this.name(to));
  }

  /** A Redistributor of GICv4.0 is told a table and no vPEID: interrupts of that table tell it. */
  private nameResidents(): void {
    const vpe = this.residencies.vpe.all();
    const table = this.residencies.table.all();
    for (let i = 0; i < vpe.length; i++)
      if (vpe[i] === NONE) vpe[i] = this.vpes.get(Number(this.strings.things[table[i]!])) ?? NONE;
  }

  private finding(finding: Finding): void {
    const n = (this.findingCounts.get(finding.rule) ?? 0) + 1;
    this.findingCounts.set(finding.rule, n);
    if (n <= FINDINGS_MAX) this.findings.push(finding);
  }

  /** The records that findings and the slowest point at are named too. */
  nameRest(): void {
    const rest = [
      ...this.findings.flatMap(({ at, related }) => [at.record, ...related.map((one) => one.record)]),
      ...this.latencies.slowest().flatMap(({ pended, acknowledged }) => [pended, acknowledged]),
    ];
    for (const record of rest) this.named.add(record);
  }
}

type Cells<Names extends string> = { readonly [Name in Names]: Cell };
