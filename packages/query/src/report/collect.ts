// Collects what a report shows of a trace, while the trace is followed once: lifetimes, MSIs, commands, mappings, residency,
// findings. Details are kept in columns up to a bound, and counted beyond it. Counts and distributions cover everything.
import type { CheckName, Finding } from '@gictrace/core/check';
import type { RecordBatch } from '@gictrace/core/record';
import { anyIntidClass } from '@gictrace/core/spec';
import { sourceFacts } from '@gictrace/recorder';
import type { ExportSource } from '../export/source.ts';
import { type CommandRow, commandOf } from '../timeline/commands.ts';
import { Follower } from '../timeline/follower.ts';
import type { InterruptRow } from '../timeline/lifetimes.ts';
import type { MappingRow } from '../timeline/mappings.ts';
import type { MsiRow } from '../timeline/msis.ts';
import type { Residency } from '../timeline/observer.ts';
import type { VirtualInterruptRow } from '../timeline/virtual-lifetimes.ts';
import { Accesses } from './accesses.ts';
import { columns } from './columns.ts';
import { Counts } from './counts.ts';
import { type InterruptClass, NONE, STEPS, type Step } from './facts.ts';
import { Latencies } from './latency.ts';
import { Named } from './moments.ts';
import { Numbered, Strings } from './strings.ts';

/** How many findings of one check are shown; the others are counted. */
const FINDINGS_MAX = 200;

type Cell = number | null;
type EventKey = readonly [its: number, deviceId: number, eventId: number];

/** Which details are kept. */
export interface Extent {
  /** The first record, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Rows of each table; below 2^20. */
  readonly rowsMax: number;
  /** Whether accesses to registers are among them. */
  readonly accesses: boolean;
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
  readonly accesses = new Accesses(this.strings);
  readonly events = new Numbered<string, EventKey>();
  readonly named: Named;
  readonly latencies = new Latencies();
  readonly livesBy = new Counts();
  readonly commandsBy = new Counts();
  readonly msisBy = new Counts();
  readonly mappingsBy = new Counts();
  readonly findings: Finding[] = [];
  readonly findingCounts = new Map<CheckName, number>();
  readonly leftOut: Record<string, number> = {};
  private readonly extent: Extent;
  /** By PE, the residency that has not ended; by address of a virtual pending table, its vPE. */
  private readonly resident = new Map<number, { table: number; vpe: number; from: number }>();
  private readonly vpes = new Map<number, number>();
  private record = 0;

  constructor(records: number, extent: Extent) {
    this.named = new Named(records);
    this.extent = extent;
  }

  /** Follows the trace once, from its first record to its last. */
  follow({ header, batches }: ExportSource): void {
    const follower = new Follower(
      header.config,
      {
        interrupt: (row) => this.interrupt(row),
        virtualInterrupt: (row) => this.virtualInterrupt(row),
        msi: (row) => this.msi(row),
        command: (row, batch, i = 0) => this.command(row, batch, i),
        mapping: (row) => this.mapping(row),
        residency: (what) => this.resides(what),
        finding: (finding) => this.finding(finding),
      },
      sourceFacts(header),
    );
    for (const { batch, first } of batches())
      for (let i = 0; i < batch.count; i++) {
        this.record = first + i;
        follower.take(batch, first, i);
        if (this.extent.accesses && Accesses.is(batch.kind[i]!)) this.access(batch, i);
      }
    follower.finish();
    for (const pe of [...this.resident.keys()]) this.endResidency(pe, NONE);
    this.nameResidents();
    this.findings.sort((a, b) => a.at.record - b.at.record || (a.rule < b.rule ? -1 : 1));
  }

  /** Whether a row about these records is kept. If not, it is counted. */
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

  private eventOf({ its, DeviceID, EventID }: MsiRow | MappingRow): number {
    return this.events.of(`${its}.${DeviceID}.${EventID}`, () => [its, DeviceID, EventID]);
  }

  /** Adds a lifetime: the columns that rows of `interrupts` and `vinterrupts` share, and those with different names. */
  private lifetime(
    row: InterruptRow | VirtualInterruptRow,
    of: InterruptClass,
    { INTID, vPEID }: { readonly INTID: number; readonly vPEID: number | null },
  ): void {
    const { cause, outcome } = row;
    this.livesBy.add(of, outcome);
    this.measure(of, INTID, cause, row);
    const steps: Partial<Record<Step, Cell>> = row;
    let first = NONE;
    let last = 0;
    for (const step of STEPS) {
      const record = steps[step] ?? null;
      if (record === null) continue;
      first = Math.min(first, record);
      last = Math.max(last, record);
    }
    const { lives } = this;
    const goesOn = outcome.endsWith('at end');
    if (!this.keeps('lives', lives.intid.length, first, goesOn ? NONE : last)) return;
    lives.intid.push(INTID);
    lives.pe.push(row.pe ?? NONE);
    lives.vpe.push(vPEID ?? NONE);
    lives.virtual.push(of === 'virtual' ? 1 : 0);
    lives.cause.push(this.strings.put(cause));
    lives.outcome.push(this.strings.put(outcome));
    lives.event.push(NONE);
    for (const step of STEPS) lives[step].push(this.name(steps[step] ?? null));
  }

  private interrupt(row: InterruptRow): void {
    // An interrupt that has a lifetime has an INTID that is neither special nor reserved.
    this.lifetime(row, anyIntidClass(row.INTID) as InterruptClass, { INTID: row.INTID, vPEID: null });
  }

  private virtualInterrupt(row: VirtualInterruptRow): void {
    if (row.vPEID !== null && row.VPT_addr !== null) this.vpes.set(row.VPT_addr, row.vPEID);
    this.lifetime(row, 'virtual', { INTID: row.vINTID, vPEID: row.vPEID });
  }

  /** Measures the time from pending to acknowledge, and from acknowledge to EOI. */
  private measure(
    of: InterruptClass,
    INTID: number,
    cause: string,
    { pe, pended, acknowledged, eoi, pended_ns, acknowledged_ns, eoi_ns }: InterruptRow | VirtualInterruptRow,
  ): void {
    if (acknowledged === null) return;
    if (pended !== null) {
      this.latencies.take(of, 'wait', pended_ns, acknowledged_ns);
      if (pended_ns !== null && acknowledged_ns !== null) {
        const waitNs = acknowledged_ns - pended_ns;
        this.latencies.offer({ class: of, INTID, pe, cause, pended, acknowledged, waitNs });
      }
    }
    if (eoi !== null) this.latencies.take(of, 'service', acknowledged_ns, eoi_ns);
  }

  private msi(row: MsiRow): void {
    const outcome = row.outcome ?? 'unknown';
    this.msisBy.add(outcome, '');
    const { msis } = this;
    if (!this.keeps('msis', msis.at.length, row.record, row.record)) return;
    msis.at.push(this.name(row.record));
    msis.event.push(this.eventOf(row));
    msis.intid.push(row.INTID ?? NONE);
    msis.virtual.push(row.virtual ?? NONE);
    msis.pe.push(row.pe === null || row.pe < 0 ? NONE : row.pe);
    msis.outcome.push(this.strings.put(outcome));
  }

  private command(row: CommandRow, batch: RecordBatch | undefined, i: number): void {
    const { record, op } = row;
    const outcome = row.outcome ?? 'unknown';
    this.commandsBy.add(op, outcome);
    const { commands, strings } = this;
    if (!this.keeps('commands', commands.at.length, record, record)) return;
    commands.at.push(this.name(record));
    commands.its.push(row.its);
    commands.slot.push(row.slot);
    commands.op.push(strings.put(op));
    commands.text.push(strings.put(commandOf(row, batch, i)));
    commands.outcome.push(strings.put(outcome));
  }

  private access(batch: RecordBatch, i: number): void {
    const { record, accesses } = this;
    if (this.keeps('accesses', accesses.count, record, record)) accesses.add(this.name(record), batch, i);
  }

  private mapping(row: MappingRow): void {
    this.mappingsBy.add(row.made_by, '');
    const { mappings } = this;
    if (!this.keeps('mappings', mappings.event.length, row.from_record, row.to_record ?? NONE)) return;
    mappings.event.push(this.eventOf(row));
    mappings.intid.push(row.INTID ?? NONE);
    mappings.virtual.push(row.virtual);
    mappings.icid.push(row.ICID ?? NONE);
    mappings.vpe.push(row.vPEID ?? NONE);
    mappings.pe.push(row.pe ?? NONE);
    mappings.from.push(this.name(row.from_record));
    mappings.to.push(this.name(row.to_record));
    mappings.by.push(this.strings.put(row.made_by));
    mappings.endedBy.push(row.ended_by === null ? NONE : this.strings.put(row.ended_by));
  }

  private resides({ pe, resident, table, vpeid }: Residency): void {
    this.endResidency(pe, this.record);
    if (resident) this.resident.set(pe, { table, vpe: vpeid ?? NONE, from: this.record });
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

  /** Finds vPEIDs of resident vPEs. On GICv4.0 software writes only the table; interrupts of that table have the vPEID. */
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

  /** Also names the records to which findings and the slowest lifetimes point. */
  nameRest(): void {
    const rest = [
      ...this.findings.flatMap(({ at, related }) => [at.record, ...related.map((one) => one.record)]),
      ...this.latencies.slowest().flatMap(({ pended, acknowledged }) => [pended, acknowledged]),
    ];
    for (const record of rest) this.named.add(record);
  }
}
