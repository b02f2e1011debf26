// Checks of ITS commands and mappings: errors, double mappings, tables that were not zeroed, stranded LPIs, dropped
// messages.
import { recordText } from '../disasm/index.ts';
import { DROP_REASONS, RECORDS, type RecordBatch, UNPREDICTABLE } from '../record/index.ts';
import { commandName, ITS_OUTCOMES, isOutcomeKnown, outcomeName } from '../spec/index.ts';
import { ADDRESS, type Check, type CheckContext, FIELD, type Mapping } from './context.ts';
import type { Moment } from './finding.ts';
import type { CheckName } from './rules.ts';

const ITS_COMMAND = RECORDS['its.command'].id;
const DTE_WRITE = RECORDS['dte.write'].id;
const CTE_WRITE = RECORDS['cte.write'].id;
const ITE_READ = RECORDS['ite.read'].id;
const ITE_WRITE = RECORDS['ite.write'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const MSI_DROPPED = RECORDS['msi.dropped'].id;
const ACT = RECORDS['behaviour.unpredictable'].id;
const MSI_WRITE = RECORDS['msi.write'].id;

/** The check that reports each UNPREDICTABLE action. */
const ACTS: Readonly<Record<(typeof UNPREDICTABLE)[number], CheckName>> = {
  'vpendbaser-while-valid': 'vpendbaser-while-valid',
  'lpi-table-while-enabled': 'lpi-table-while-enabled',
  'cbaser-while-enabled': 'its-register-while-enabled',
  'baser-while-enabled': 'its-register-while-enabled',
  'cwriter-out-of-range': 'cwriter-out-of-range',
  'map-over-mapping': 'map-over-mapping',
  'move-to-disabled-lpis': 'move-to-disabled-lpis',
  'vmapp-over-mapping': 'map-over-mapping',
  'vsgi-configures-and-clears': 'vsgi-configures-and-clears',
  'configured-while-enabled': 'configured-while-enabled',
  'pending-table-not-zero': 'pending-table-not-zero',
  'virtual-pending-table-not-zero': 'pending-table-not-zero',
  'list-registers-same-vintid': 'list-registers-same-vintid',
};

interface Stranded {
  readonly intid: number;
  readonly from: number;
  readonly to: number;
  readonly at: Moment;
  readonly text: string;
}

const key = (its: number, itt: number, eventId: number) => `${its}:${itt}:${eventId}`;
/** What the text of a finding says about what an UNPREDICTABLE action concerns, beside its stimulus. */
function detailOf(what: (typeof UNPREDICTABLE)[number], detail: number): string {
  if (what === 'pending-table-not-zero') return `INTID ${detail} is pending in the table: `;
  if (what === 'list-registers-same-vintid') return `two list registers have vINTID ${detail}: `;
  return '';
}
const hex = (n: number) => `0x${n.toString(16)}`;

export class CommandChecks implements Check {
  readonly stimuli: readonly number[] = [];
  readonly emissions = [
    ITS_COMMAND,
    DTE_WRITE,
    CTE_WRITE,
    ITE_READ,
    ITE_WRITE,
    LPI_PENDED,
    LPI_CLEARED,
    MSI_DROPPED,
    ACT,
  ];
  /** The physical mappings that exist now. */
  private readonly mappings = new Map<string, Mapping>();
  /** Events written since their device was mapped, by ITS and table. */
  private readonly written = new Map<string, { readonly device: number; readonly events: Set<number> }>();
  private readonly collections = new Map<string, number>();
  private readonly stranded = new Map<number, Stranded>();
  /** LPIs that were pending when a command was executed that may have cleared them, and that no record has named since. */
  private readonly doubted = new Set<number>();
  /** Findings about the command that is running. They are reported with its name, which is known only when it ends. */
  private readonly pending: ((at: Moment, text: string) => void)[] = [];

  emitted(c: CheckContext, batch: RecordBatch, i: number): void {
    switch (batch.kind[i]) {
      case ITS_COMMAND:
        return this.command(c, batch, i);
      case DTE_WRITE:
        return this.device(c, batch, i);
      case CTE_WRITE:
        return this.collection(c, batch, i);
      case ITE_READ:
        return this.entryRead(c, batch, i);
      case ITE_WRITE:
        return this.entryWritten(c, batch, i);
      case LPI_PENDED:
        return this.pended(c, batch, i);
      case LPI_CLEARED: {
        this.doubted.delete(FIELD(batch, i, 0));
        const stranded = this.stranded.get(FIELD(batch, i, 0));
        if (stranded?.from === batch.pe[i]) this.stranded.delete(stranded!.intid);
        return;
      }
      case MSI_DROPPED:
        return this.drop(c, batch, i);
      case ACT: {
        const what = UNPREDICTABLE[FIELD(batch, i, 0)]!;
        const rule = ACTS[what];
        if (rule === 'pending-table-not-zero' && !c.hasStores) return;
        const running =
          rule === 'map-over-mapping' ||
          rule === 'move-to-disabled-lpis' ||
          rule.startsWith('vsgi') ||
          what === 'virtual-pending-table-not-zero';
        if (running) this.pending.push((at, text) => c.find(rule, at, -1, text));
        else {
          const detail = FIELD(batch, i, 2);
          const text = `${detailOf(what, detail)}${c.stimulusText()}`;
          const lost = what === 'pending-table-not-zero' ? { intid: detail, isVirtual: false } : undefined;
          c.find(rule, c.now(), c.stimulus.pe[0]!, text, [], null, lost);
        }
        return;
      }
    }
  }

  private command(c: CheckContext, batch: RecordBatch, i: number): void {
    const at = c.command();
    const outcome = FIELD(batch, i, 2);
    if (!isOutcomeKnown(outcome)) {
      this.unknown(c, FIELD(batch, i, 0), outcome);
      return;
    }
    if (outcome !== 0 || this.pending.length > 0) {
      const text = recordText(batch, i);
      if (outcome !== 0) c.find('command-error', at, -1, `${outcomeName(outcome)}: ${text}`);
      for (const tell of this.pending) tell(at, text);
    }
    this.pending.length = 0;
    const name = commandName(FIELD(batch, i, 4));
    // MOVALL and MOVI clear an LPI on one PE and make it pending on another; what they did not move is still stranded.
    if (name === 'MOVALL' || name === 'MOVI')
      for (const [intid, one] of this.stranded)
        if (!c.machine.state.lpiPending[one.from]!.has(intid)) this.stranded.delete(intid);
  }

  /** A command that the source does not show, or not all that it hangs on: what was mapped by this ITS may not be any more. */
  private unknown(c: CheckContext, its: number, outcome: number): void {
    if (outcome === ITS_OUTCOMES.NOT_SHOWN) c.unknownCommands++;
    this.pending.length = 0;
    this.stranded.clear();
    c.areLpisKnown = false;
    for (const pending of c.machine.state.lpiPending) for (const intid of pending) this.doubted.add(intid);
    const own = `${its}:`;
    for (const id of [...this.written.keys()]) if (id.startsWith(own)) this.written.delete(id);
    for (const id of [...this.collections.keys()]) if (id.startsWith(own)) this.collections.delete(id);
    for (const [id, mapping] of [...this.mappings]) if (id.startsWith(own)) this.forget(c, id, mapping);
  }

  private device(c: CheckContext, batch: RecordBatch, i: number): void {
    const its = FIELD(batch, i, 0);
    const deviceId = FIELD(batch, i, 1);
    for (const [table, one] of this.written)
      if (one.device === deviceId && table.startsWith(`${its}:`)) {
        this.written.delete(table);
        for (const [id, mapping] of this.mappings)
          if (id.startsWith(`${table}:`)) this.forget(c, id, mapping);
      }
    if (FIELD(batch, i, 2))
      this.written.set(`${its}:${ADDRESS(batch, i, 4)}`, { device: deviceId, events: new Set() });
  }

  private forget(c: CheckContext, id: string, mapping: Mapping): void {
    this.mappings.delete(id);
    if (c.mappedLpis.get(mapping.intid) !== mapping) return;
    c.mappedLpis.delete(mapping.intid);
    // Another event may still be mapped to the same LPI.
    for (const other of this.mappings.values())
      if (other.intid === mapping.intid) c.mappedLpis.set(mapping.intid, other);
  }

  private collection(c: CheckContext, batch: RecordBatch, i: number): void {
    const its = FIELD(batch, i, 0);
    const icid = FIELD(batch, i, 1);
    const id = `${its}:${icid}`;
    const from = this.collections.get(id);
    if (FIELD(batch, i, 2) === 0) return;
    const to = FIELD(batch, i, 3);
    this.collections.set(id, to);
    if (from === undefined || from === to || from >= c.machine.state.peCount) return;
    const pending = c.machine.state.lpiPending[from]!;
    if (pending.size === 0) return;
    for (const mapping of this.mappings.values())
      if (
        mapping.its === its &&
        mapping.icid === icid &&
        pending.has(mapping.intid) &&
        !this.doubted.has(mapping.intid)
      )
        this.pending.push((at, text) =>
          this.stranded.set(mapping.intid, { intid: mapping.intid, from, to, at, text }),
        );
  }

  private entryRead(c: CheckContext, batch: RecordBatch, i: number): void {
    if (FIELD(batch, i, 4) === 0) return;
    const table = `${FIELD(batch, i, 0)}:${ADDRESS(batch, i, 1)}`;
    const own = this.written.get(table);
    const eventId = FIELD(batch, i, 3);
    if (own === undefined || own.events.has(eventId)) return;
    own.events.add(eventId);
    const text = `DeviceID ${hex(own.device)} EventID ${eventId} is INTID ${FIELD(batch, i, 6)}, which no command since its MAPD mapped`;
    if (c.stimulus.kind[0] === MSI_WRITE) c.find('itt-not-zeroed', c.now(), -1, text);
    else this.pending.push((at) => c.find('itt-not-zeroed', at, -1, text));
  }

  private entryWritten(c: CheckContext, batch: RecordBatch, i: number): void {
    const its = FIELD(batch, i, 0);
    const itt = ADDRESS(batch, i, 1);
    const eventId = FIELD(batch, i, 3);
    const id = key(its, itt, eventId);
    const before = this.mappings.get(id);
    this.written.get(`${its}:${itt}`)?.events.add(eventId);
    if (before !== undefined) this.forget(c, id, before);
    if (FIELD(batch, i, 4) === 0 || FIELD(batch, i, 5) === 0) return;
    const intid = FIELD(batch, i, 6);
    const mapping: Mapping = { its, itt, eventId, intid, icid: FIELD(batch, i, 7), at: c.now() };
    const other = c.mappedLpis.get(intid);
    if (other !== undefined)
      this.pending.push((at, text) =>
        c.find('lpi-mapped-twice', at, -1, `INTID ${intid} by ${text}`, [
          { ...other.at, text: `mapped already: EventID ${other.eventId} of the table at ${hex(other.itt)}` },
        ]),
      );
    this.mappings.set(id, mapping);
    c.mappedLpis.set(intid, mapping);
    const pe = this.collections.get(`${its}:${mapping.icid}`) ?? 0;
    const { propbaser, gicrCtlr, peCount } = c.machine.state;
    if (pe < peCount && gicrCtlr[pe]! & 1 && intid >= 2 ** ((propbaser[2 * pe]! & 0x1f) + 1))
      this.pending.push((at, text) => c.find('lpi-out-of-range', at, pe, `INTID ${intid}: ${text}`));
  }

  private pended(c: CheckContext, batch: RecordBatch, i: number): void {
    const one = this.stranded.get(FIELD(batch, i, 0));
    if (one === undefined || batch.pe[i] === one.from) return;
    this.stranded.delete(one.intid);
    this.tell(c, one, c.now());
  }

  private tell(c: CheckContext, one: Stranded, seen: Moment | undefined): void {
    c.find(
      'stranded-lpi',
      one.at,
      one.from,
      `INTID ${one.intid} stays pending on PE${one.from}, its collection is now on PE${one.to}: ${one.text}`,
      seen === undefined ? [] : [{ ...seen, text: 'pending on the new PE, too' }],
      seen === undefined ? null : seen.timeNs - one.at.timeNs,
    );
  }

  private drop(c: CheckContext, batch: RecordBatch, i: number): void {
    if (c.stimulus.kind[0] !== MSI_WRITE) return;
    const reason = DROP_REASONS[FIELD(batch, i, 3)]!;
    c.find('msi-dropped', c.now(), -1, `${reason}: ${c.stimulusText()}`);
  }

  end(c: CheckContext): void {
    for (const one of this.stranded.values())
      if (c.machine.state.lpiPending[one.from]!.has(one.intid)) this.tell(c, one, undefined);
  }
}
