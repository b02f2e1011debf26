// The masking reasons of a GICv5: for each, the condition that is not met, the accesses on which it depends, how it is said, and
// what would have opened the way. Data, and the cause that follows from it.
import type { Gicv5Condition, Gicv5Gate } from '@gictrace/core/gicv5';
import { GICV5_SYSREGS, GICV5_TYPES, gicv5Id, gicv5IntidText, gicv5Type, IRS } from '@gictrace/core/spec';
import type { WaitRow } from '../../timeline/waits.ts';
import { type Cause, NO_RECORDS, noRecord } from '../cause.ts';
import { ICC_WRITES, ofPe, peText, writeKey } from '../gathered.ts';
import { conditionTrack, Gicv5Gather, type Gicv5Story } from './gather.ts';

const { PPI, LPI } = GICV5_TYPES;

/** What is missing, in a form that can be put into the trace to see whether it helps. */
export interface Gicv5Missing {
  readonly what: 'priority drop' | 'deactivation' | 'enable' | 'other';
  readonly pe: number;
  readonly intid: number;
}
export type Gicv5Cause = Cause<Gicv5Missing>;

interface Reason {
  readonly condition: Gicv5Condition;
  readonly isClosed: (value: number) => boolean;
  readonly closes: (pe: number) => string;
  readonly never: (pe: number) => string;
  readonly opens: (pe: number) => string;
  /** The last access up to a record that could have met the condition; -1 if there is none. */
  readonly written: (g: Gicv5Gather, intid: number, pe: number, at: number) => number;
}

const irs = (offset: number) => writeKey(...Gicv5Gather.frame('IRS'), offset);
const icc = (pe: number, name: keyof typeof GICV5_SYSREGS) =>
  writeKey(ICC_WRITES, pe, GICV5_SYSREGS[name].encoding);
/** ICC_PPI_PRIORITYR<n>_EL1 and ICC_PPI_ENABLER<n>_EL1 have consecutive encodings. */
const ofPpis = (pe: number, name: keyof typeof GICV5_SYSREGS, n: number) =>
  writeKey(ICC_WRITES, pe, GICV5_SYSREGS[name].encoding + n);
const isZero = (value: number) => value === 0;

const REASONS: Readonly<Partial<Record<Gicv5Gate, Reason>>> = {
  disabled: {
    condition: 'enabled',
    isClosed: isZero,
    closes: () => 'clears its enable bit',
    never: () => 'nothing has set its enable bit',
    opens: () => 'GIC CDEN of it; for a PPI its bit in ICC_PPI_ENABLER<n>_EL1',
    written: (g, intid, pe, at) =>
      gicv5Type(intid) === PPI
        ? g.lastWrite(ofPpis(pe, 'ICC_PPI_ENABLER0_EL1', gicv5Id(intid) >> 6), at)
        : g.lastInstruction(intid, 'GIC_CDDIS', at),
  },
  'IRS disabled': {
    condition: 'IRS enabled',
    isClosed: isZero,
    closes: () => 'clears IRS_CR0.IRSEN',
    never: () => 'IRS_CR0.IRSEN has not been set',
    opens: () => 'IRS_CR0.IRSEN set',
    written: (g, _intid, _pe, at) => g.lastWrite(irs(IRS.IRS_CR0.offset), at),
  },
  'no PE': {
    condition: 'route',
    isClosed: (value) => value < 0,
    closes: () => 'routes it to an IAFFID that no PE has',
    never: () => 'GIC CDAFF has routed it to no PE',
    opens: () => 'GIC CDAFF with the IAFFID of a PE (ICC_IAFFIDR_EL1)',
    written: (g, intid, _pe, at) => g.lastInstruction(intid, 'GIC_CDAFF', at),
  },
  'interface disabled': {
    condition: 'interface enabled',
    isClosed: isZero,
    closes: (pe) => `disables the CPU interface of ${ofPe(pe)} (ICC_CR0_EL1.EN)`,
    never: (pe) => `ICC_CR0_EL1.EN of ${ofPe(pe)} has not been set`,
    opens: (pe) => `ICC_CR0_EL1.EN of ${ofPe(pe)} set`,
    written: (g, _intid, pe, at) => g.lastWrite(icc(pe, 'ICC_CR0_EL1'), at),
  },
  'priority mask': {
    condition: 'above the priority mask',
    isClosed: isZero,
    closes: (pe) => `makes its priority lower than ICC_PCR_EL1 of ${ofPe(pe)} admits`,
    never: (pe) => `ICC_PCR_EL1 of ${ofPe(pe)} has not admitted its priority`,
    opens: (pe) =>
      `ICC_PCR_EL1 of ${ofPe(pe)} at its priority or above, or a higher priority (a lower number)`,
    written: (g, intid, pe, at) =>
      Math.max(
        g.lastWrite(icc(pe, 'ICC_PCR_EL1'), at),
        gicv5Type(intid) === PPI
          ? g.lastWrite(ofPpis(pe, 'ICC_PPI_PRIORITYR0_EL1', gicv5Id(intid) >> 3), at)
          : g.lastInstruction(intid, 'GIC_CDPRI', at),
      ),
  },
};

/** What would have opened the way; null if nothing can be said. */
export function openingOf(reason: string, pe: number): string | null {
  const found = REASONS[reason as Gicv5Gate];
  if (found !== undefined) return found.opens(pe);
  switch (reason) {
    case 'active':
    case 'no GIC CDDI':
      return 'GIC CDDI of it';
    case 'no GIC CDEOI':
      return `GIC CDEOI of ${ofPe(pe)}`;
    case 'running priority':
      return `GIC CDEOI of ${ofPe(pe)}, or a higher priority than that of the interrupt it handles`;
    case 'behind':
      return `GICR CDIA of ${ofPe(pe)}, or a higher priority than that of the interrupt ahead of it`;
    case 'signalled':
      return `GICR CDIA of ${ofPe(pe)}`;
    default:
      return null;
  }
}

/** Which condition is closed for an interrupt on its way to a PE after a record; undefined if none is. */
export function closedAt(g: Gicv5Gather, intid: number, pe: number, at: number): Gicv5Gate | undefined {
  for (const [gate, { condition, isClosed }] of Object.entries(REASONS) as [Gicv5Gate, Reason][]) {
    const value = g.tracks.get(conditionTrack(condition, intid, pe)).valueAt(at);
    if (value !== undefined && isClosed(value)) return gate;
  }
  return g.tracks.get(conditionTrack('active', intid, pe)).valueAt(at) === 1 ? 'active' : undefined;
}

/** An interval in which an interrupt waited, as far as its cause depends on it. */
export type Waited = Pick<
  WaitRow,
  'INTID' | 'pe' | 'from_record' | 'handled' | 'handled_since' | 'behind'
> & {
  readonly gate: string;
};

/** What an interrupt waited for. `before`: its last lifetime that was acknowledged before. */
export function causeOfWait(g: Gicv5Gather, wait: Waited, before: Gicv5Story | undefined): Gicv5Cause {
  const intid = wait.INTID;
  const pe = wait.pe ?? -1;
  const at = wait.from_record;
  const reason = REASONS[wait.gate as Gicv5Gate];
  if (reason !== undefined) return causeOfCondition(g, reason, intid, pe, at);
  if (wait.gate === 'active') return causeOfActive(g, intid, pe, at, before);
  if (wait.gate === 'running priority') {
    if (wait.handled === null || wait.handled_since === null)
      return noRecord(`${peText(pe)} runs at an active priority that it had before the source began`);
    return {
      record: wait.handled_since,
      also: NO_RECORDS,
      what: `${peText(pe)} acknowledges ${gicv5IntidText(wait.handled)}, and no GIC CDEOI follows before this`,
      missing: { what: 'priority drop', pe, intid: wait.handled },
    };
  }
  if (wait.gate === 'behind' && wait.behind !== null)
    return noRecord(`${gicv5IntidText(wait.behind)} is ahead of it on ${ofPe(pe)}`);
  if (wait.gate === 'signalled') return causeOfSilence(g, intid, pe, at);
  return noRecord('the source does not contain what decides');
}

function causeOfCondition(
  g: Gicv5Gather,
  { condition, isClosed, closes, never, written }: Reason,
  intid: number,
  pe: number,
  at: number,
): Gicv5Cause {
  const change = g.tracks.get(conditionTrack(condition, intid, pe)).since(at, isClosed);
  const last = written(g, intid, pe, at);
  if (change !== undefined && change.record >= 0) {
    const isFirst = g.tracks.get(conditionTrack(condition, intid, pe)).before(change) === undefined;
    // The interrupt, or the state of it, is known from here on only; what closed the condition may have been before.
    if (!isFirst)
      return {
        record: change.record,
        also: last < 0 || last === change.record ? NO_RECORDS : [last],
        what: closes(pe),
        missing: undefined,
      };
  }
  const what = condition === 'enabled' ? 'enable' : 'other';
  const missing: Gicv5Missing = { what, pe, intid };
  const since = `${never(pe)} since the trace began`;
  return last < 0
    ? noRecord(since, missing)
    : { record: last, also: NO_RECORDS, what: `leaves it so: ${since}`, missing };
}

function causeOfActive(
  g: Gicv5Gather,
  intid: number,
  pe: number,
  at: number,
  before: Gicv5Story | undefined,
): Gicv5Cause {
  const taken = before?.lifetime.acknowledged;
  if (taken === undefined) {
    const change = g.tracks.get(conditionTrack('active', intid, pe)).since(at, (value) => value === 1);
    if (change === undefined || change.record < 0)
      return noRecord('it has been active since the trace began', { what: 'deactivation', pe, intid });
    return {
      record: change.record,
      also: NO_RECORDS,
      what: 'makes it active',
      missing: { what: 'deactivation', pe, intid },
    };
  }
  const { eoi, pe: by } = before!.lifetime;
  const dropped =
    eoi !== undefined && eoi.record <= at ? `; its priority was dropped at record ${eoi.record}` : '';
  return {
    record: taken.record,
    also: NO_RECORDS,
    what: `${peText(by)} acknowledges it, and no GIC CDDI of it follows before this${dropped}`,
    missing: { what: 'deactivation', pe: by, intid },
  };
}

/** Why a PE does not acknowledge what it is signalled. */
function causeOfSilence(g: Gicv5Gather, intid: number, pe: number, at: number): Gicv5Cause {
  const change = g.tracks.get(conditionTrack('route', intid, pe)).at(at);
  const isMoved = gicv5Type(intid) !== PPI && change !== undefined && change.record > 0;
  const access = g.lastAccess[pe] ?? -1;
  return {
    record: -1,
    also: [...(isMoved ? [change.record] : []), ...(access < 0 ? [] : [access])],
    what: `${peText(pe)} is signalled it and does not acknowledge it${access < 0 ? '; the source has no access of it to its CPU interface' : `; its last access to its CPU interface is record ${access}`}`,
    missing: undefined,
  };
}

/** Why a GIC instruction about an interrupt has no effect. */
export function unreachableText(intid: number): string {
  return gicv5Type(intid) === LPI
    ? `the interrupt state table does not have ${gicv5IntidText(intid)} (IRS_IST_BASER, IRS_IST_CFGR, IRS_MAP_L2_ISTR)`
    : `no IRS has ${gicv5IntidText(intid)}`;
}
