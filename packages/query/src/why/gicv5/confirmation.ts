// Whether a replay confirms an explanation: the trace of a GICv5 is replayed without the record that is named as the cause, or
// with what is missing, and the interrupt is either signalled then or not.
import type { Gicv5Config } from '@gictrace/core';
import { Gicv5Follow, Gicv5Machine, gicv5Signalled } from '@gictrace/core/gicv5';
import { FollowObserver } from '@gictrace/core/model';
import { KIND, RECORD_WORDS, RecordBatch } from '@gictrace/core/record';
import { GICV5_SYSREGS, GICV5_TYPES, gicv5Id, gicv5IntidText, gicv5Type } from '@gictrace/core/spec';
import type { KeptState } from '../../database/state/kept.ts';
import { compared, lastToReplay, notTried, type Planned, whereMissing, withoutCause } from '../comparison.ts';
import { type Edit, NO_EDIT, type ReadableTrace, runEdited, stateBefore } from '../counterfactual.ts';
import type { Counterfactual } from '../question.ts';
import type { Gicv5Incident } from './incidents.ts';
import type { Gicv5Missing } from './reasons.ts';

const ANY = -1;

interface Watched {
  readonly intid: number;
  /** The PE of a PPI, of which each PE has its own; of other interrupts ANY. */
  readonly pe: number;
  readonly from: number;
  readonly to: number;
}

/** Notes when an interrupt is first signalled to a PE, and acknowledged. */
class Watch extends FollowObserver {
  signalled = -1;
  acknowledged = -1;
  private readonly machine: Gicv5Machine;
  private readonly watched: Watched;

  constructor(machine: Gicv5Machine, watched: Watched) {
    super();
    this.machine = machine;
    this.watched = watched;
  }

  override emitted(records: RecordBatch): void {
    const { intid } = this.watched;
    this.acknowledges = false;
    for (let i = 0; i < records.count; i++)
      if (
        records.kind[i] === KIND['int.acknowledged'] &&
        records.words[i * RECORD_WORDS] === intid &&
        this.isOf(records.pe[i]!)
      )
        this.acknowledges = true;
  }
  private acknowledges = false;

  override settled(_batch: RecordBatch, _i: number, record: number): void {
    const { machine, watched } = this;
    if (record < watched.from) return;
    if (this.acknowledges && this.acknowledged < 0) this.acknowledged = record;
    this.acknowledges = false;
    if (this.signalled >= 0) return;
    for (let pe = 0; pe < machine.state.peCount; pe++)
      if (this.isOf(pe) && gicv5Signalled(machine, pe) === watched.intid) this.signalled = record;
  }

  private isOf(pe: number): boolean {
    return this.watched.pe === ANY || this.watched.pe === pe;
  }
}

export class Gicv5Confirmation {
  private readonly trace: ReadableTrace<Gicv5Config>;
  private readonly states: readonly KeptState[];
  private readonly records: number;

  constructor(trace: ReadableTrace<Gicv5Config>, states: readonly KeptState[], records: number) {
    this.trace = trace;
    this.states = states;
    this.records = records;
  }

  /** Replays the trace without the cause, and says whether the interrupt is then signalled. */
  counterfactual(incident: Gicv5Incident): Counterfactual {
    const planned = this.planned(incident);
    if (typeof planned === 'string') return notTried('', planned);
    const { edit, change } = planned;
    if (incident.stories.length === 0) return notTried(change, 'nothing made the interrupt pending');
    const { intid, pe, from } = incident;
    const isPpi = gicv5Type(intid) === GICV5_TYPES.PPI;
    if (isPpi && pe < 0) return notTried(change, 'the source does not say of which PE it is');
    const to = lastToReplay(incident, this.records);
    const watched = { intid, pe: isPpi ? pe : ANY, from: from.record, to };
    return compared(change, incident, this.replay(NO_EDIT, watched), this.replay(edit, watched));
  }

  /** The change to try, or why none is tried. */
  private planned(incident: Gicv5Incident): Planned<Gicv5Machine> | string {
    const { kind, cause } = incident;
    if (kind === 'not ended') return 'what is missing would end it';
    if (kind === 'no effect' || kind === 'dropped' || kind === 'not in the source')
      return 'a table entry would have to be invented';
    if (cause.missing === undefined) return withoutCause(cause);
    const before = whereMissing(incident, this.records);
    return before === undefined ? 'the trace ends where it is missing' : insertion(cause.missing, before);
  }

  private replay(edit: Edit<Gicv5Machine>, watched: Watched): Watch {
    const start = stateBefore(this.states, edit, watched.from);
    const machine = new Gicv5Machine(this.trace.config);
    if (start !== undefined) machine.state.restore(start.state);
    const watch = new Watch(machine, watched);
    const follow = new Gicv5Follow(machine, watch);
    runEdited(this.trace, start?.record ?? 0, watched.to, edit, follow, () => undefined);
    return watch;
  }
}

function insertion({ what, pe, intid }: Gicv5Missing, before: number): Planned<Gicv5Machine> | string {
  const name = gicv5IntidText(intid);
  const isPpi = gicv5Type(intid) === GICV5_TYPES.PPI;
  if (what === 'other') return 'what is missing would have to be invented';
  if (pe < 0 && (isPpi || what === 'priority drop')) return 'the source does not say which PE should do it';
  // What concerns an SPI or LPI is the same whichever PE does it.
  const by = Math.max(0, pe);
  const edit = (register: number, low: number): Edit<Gicv5Machine> => ({
    without: new Set(),
    insert: {
      before,
      run: (_machine, follow) => {
        const batch = new RecordBatch(1);
        batch.push(KIND['sysreg.write'], by, Number.NaN);
        batch.words.set([register, low]);
        follow(batch);
      },
    },
  });
  switch (what) {
    case 'priority drop':
      return {
        edit: edit(GICV5_SYSREGS.GIC_CDEOI.encoding, 0),
        change: `with a GIC CDEOI of PE${by} inserted before record ${before}`,
      };
    case 'deactivation':
      return {
        edit: edit(GICV5_SYSREGS.GIC_CDDI.encoding, intid),
        change: `with a GIC CDDI of ${name} by PE${by} inserted before record ${before}`,
      };
    case 'enable':
      return {
        edit: isPpi ? enablePpi(by, gicv5Id(intid), before) : edit(GICV5_SYSREGS.GIC_CDEN.encoding, intid),
        change: `with ${name} enabled before record ${before}`,
      };
  }
}

/** A write that sets the enable bit of a PPI beside those that are set. */
function enablePpi(pe: number, id: number, before: number): Edit<Gicv5Machine> {
  return {
    without: new Set(),
    insert: {
      before,
      run: ({ state }, follow) => {
        const batch = new RecordBatch(1);
        batch.push(KIND['sysreg.write'], pe, Number.NaN);
        const half = id >> 6;
        const words = [0, 1].map((n) => {
          const word = 2 * half + n;
          return (state.ppi.enable[4 * pe + word]! | (id >> 5 === word ? 1 << (id & 31) : 0)) >>> 0;
        });
        batch.words.set([GICV5_SYSREGS.ICC_PPI_ENABLER0_EL1.encoding + half, ...words]);
        follow(batch);
      },
    },
  };
}
