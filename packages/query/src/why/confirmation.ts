// Whether a replay confirms an explanation: the trace is replayed without the record that is named as the cause, or with what
// is missing, and the interrupt either arrives then or does not.
import type { Machine } from '@gictrace/core/model';
import { isPrivate } from '@gictrace/core/spec';
import type { KeptState } from '../database/state/kept.ts';
import type { Cause, Missing } from './cause.ts';
import { compared, lastToReplay, notTried, type Planned, whereMissing, withoutCause } from './comparison.ts';
import {
  insertEnable,
  insertEoi,
  insertInv,
  NO_EDIT,
  type ReadableTrace,
  recordAt,
  replayWith,
} from './counterfactual.ts';
import type { Gather } from './gather.ts';
import type { Gicv3Incident } from './incidents.ts';
import type { Counterfactual, Question } from './question.ts';

export class Confirmation {
  private readonly trace: ReadableTrace;
  private readonly g: Gather;
  private readonly states: readonly KeptState[];
  private readonly question: Question;

  constructor(trace: ReadableTrace, gather: Gather, states: readonly KeptState[], question: Question) {
    this.trace = trace;
    this.g = gather;
    this.states = states;
    this.question = question;
  }

  /** Replays the trace without the cause, and says whether the interrupt then arrives. */
  counterfactual(incident: Gicv3Incident): Counterfactual {
    const planned = this.edit(incident);
    if (typeof planned === 'string') return notTried('', planned);
    const { edit, change } = planned;
    const story = incident.stories[0];
    const intid = story?.lifetime.intid ?? this.intidOf(incident);
    if (intid === undefined) return notTried(change, 'its INTID is not in the source');
    const from = incident.from.record;
    const to = lastToReplay(incident, this.g.records);
    const watch = { intid, pe: -1, from, to, isVirtual: story?.virtual !== undefined };
    const { states } = this;
    const fact = replayWith(this.trace, states, NO_EDIT, watch);
    const other = replayWith(this.trace, states, edit, watch);
    if (incident.kind !== 'withdrawn') return compared(change, incident, fact, other);
    return {
      change,
      outcome: other.pending && !fact.pending ? 'arrives' : 'does not arrive',
      record: other.pending ? to : null,
      text: `${change} and replayed: it ${other.pending ? 'stays' : 'does not stay'} pending at record ${to}`,
    };
  }

  private intidOf(incident: Gicv3Incident): number | undefined {
    const message = incident.messages[0];
    if (this.question.intid !== undefined) return this.question.intid;
    if (message === undefined) return undefined;
    const mapping = this.g.commands.last(
      message.record,
      (one) =>
        one.name === 'MAPTI' &&
        one.operands.DeviceID === message.device &&
        one.operands.EventID === message.event,
    );
    return mapping?.operands.pINTID ?? (this.g.intids.size === 1 ? [...this.g.intids][0] : undefined);
  }

  /** The change to try, or why none is tried. */
  private edit(incident: Gicv3Incident): Planned<Machine> | string {
    const { kind, cause } = incident;
    if (kind === 'SGI to no PE') return 'another target would have to be invented';
    if (kind === 'not ended') return 'an EOI would end it';
    if (cause.missing === undefined) return withoutCause(cause);
    const before = whereMissing(incident, this.g.records);
    return before === undefined
      ? 'the trace ends where it is missing'
      : this.insertion(cause, cause.missing, before);
  }

  private insertion(cause: Cause, missing: Missing, before: number): Planned<Machine> | string {
    switch (missing.what) {
      case 'EOI': {
        const { pe, intid } = missing;
        if (pe < 0) return 'the source does not say which PE should end it';
        const taken = cause.record < 0 ? undefined : recordAt(this.trace, cause.record);
        return {
          edit: insertEoi(before, pe, intid, taken),
          change: `with an EOI of INTID ${intid} by PE${pe} inserted before record ${before}`,
        };
      }
      case 'INV': {
        const [device, event] = ([...this.g.events][0] ?? '').split(' ').map(Number);
        if (event === undefined) return 'the event that maps to it is not in the source';
        const mapping = this.g.commands.last(
          before - 1,
          ({ operands, name }) => name === 'MAPTI' && operands.pINTID === missing.intid,
        );
        return {
          edit: insertInv(before, mapping?.its ?? 0, device!, event),
          change: `with an INV of DeviceID 0x${device!.toString(16)} EventID 0x${event.toString(16)} inserted before record ${before}`,
        };
      }
      case 'enable':
        if (missing.intid >= 1020 || (missing.pe < 0 && isPrivate(missing.intid)))
          return 'what is missing would have to be invented';
        return {
          edit: insertEnable(before, missing.pe, missing.intid),
          change: `with its enable bit set before record ${before}`,
        };
      case 'other':
        return 'what is missing would have to be invented';
    }
  }
}
