// Whether a replay confirms an explanation: the trace is replayed without the record that is named as the cause, or with what
// is missing, and the interrupt either arrives then or does not.
import type { KeptState } from '../database/state/kept.ts';
import {
  type Edit,
  insertEnable,
  insertEoi,
  insertInv,
  NO_EDIT,
  type ReadableTrace,
  recordAt,
  replayWith,
} from './counterfactual.ts';
import type { Gather } from './gather.ts';
import type { Incident } from './incidents.ts';
import type { Counterfactual, Question } from './question.ts';

/** The most records of a counterfactual replay. */
const REPLAY_MAX = 300_000;

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
  counterfactual(incident: Incident): Counterfactual {
    const { cause } = incident;
    const planned = this.edit(incident);
    if (typeof planned === 'string')
      return { change: '', outcome: 'not tried', record: null, text: `not tried: ${planned}` };
    const { edit, change } = planned;
    const story = incident.stories[0];
    const intid = story?.lifetime.intid ?? this.intidOf(incident);
    if (intid === undefined)
      return {
        change,
        outcome: 'not tried',
        record: null,
        text: 'not tried: its INTID is not in the source',
      };
    const from = incident.from.record;
    const end =
      story === undefined ? undefined : (story.lifetime.withdrawn ?? story.lifetime.acknowledged)?.record;
    const to = Math.min(this.g.records - 1, Math.max(end ?? 0, from) + (end === undefined ? REPLAY_MAX : 0));
    const watch = { intid, pe: -1, from, to, isVirtual: story?.virtual !== undefined };
    const { states } = this;
    const fact = replayWith(this.trace, states, NO_EDIT, watch);
    const other = replayWith(this.trace, states, edit, watch);
    if (incident.kind === 'withdrawn')
      return {
        change,
        outcome: other.pending && !fact.pending ? 'arrives' : 'does not arrive',
        record: other.pending ? to : null,
        text: `${change} and replayed: it ${other.pending ? 'stays' : 'does not stay'} pending at record ${to}`,
      };
    const isTaken = incident.kind === 'not acknowledged';
    const [was, is] = isTaken ? [fact.acknowledged, other.acknowledged] : [fact.signalled, other.signalled];
    const verb = isTaken ? 'acknowledged' : 'signalled';
    const helps = is >= 0 && (was < 0 || is < was);
    return {
      change,
      outcome: helps ? 'arrives' : 'does not arrive',
      record: is < 0 ? null : is,
      text: helps
        ? `${change} and replayed: it is ${verb} at record ${is}${was < 0 ? '' : `, not only at ${was}`}`
        : `${change} and replayed: ${cause.record < 0 ? 'it' : 'it still'} is not ${verb}${is < 0 ? '' : ` before record ${is}`}`,
    };
  }

  private intidOf(incident: Incident): number | undefined {
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
  private edit({ kind, cause, from }: Incident): { edit: Edit; change: string } | string {
    const { missing } = cause;
    if (kind === 'SGI to no PE') return 'another target would have to be invented';
    if (kind === 'not ended') return 'an EOI would end it';
    if (missing !== undefined) {
      switch (missing.what) {
        case 'EOI':
          return {
            edit: insertEoi(
              from.record,
              missing.pe,
              missing.intid,
              cause.record < 0 ? undefined : recordAt(this.trace, cause.record),
            ),
            change: `with an EOI of INTID ${missing.intid} by PE${missing.pe} inserted before record ${from.record}`,
          };
        case 'INV': {
          const before = Math.min(this.g.records - 1, Math.max(from.record, cause.record + 1));
          const [device, event] = ([...this.g.events][0] ?? '').split(' ').map(Number);
          if (event === undefined) return 'the event that maps to it is not in the source';
          const mapping = this.g.commands.last(
            from.record,
            ({ operands, name }) => name === 'MAPTI' && operands.pINTID === missing.intid,
          );
          return {
            edit: insertInv(before, mapping?.its ?? 0, device!, event),
            change: `with an INV of DeviceID 0x${device!.toString(16)} EventID 0x${event.toString(16)} inserted before record ${before}`,
          };
        }
        case 'enable':
          if (missing.intid >= 1020) return 'what is missing would have to be invented';
          return {
            edit: insertEnable(from.record, missing.pe, missing.intid),
            change: `with its enable bit set before record ${from.record}`,
          };
        case 'other':
          return 'what is missing would have to be invented';
      }
    }
    if (cause.record < 0) return 'no record of the trace is the cause';
    return {
      edit: { without: new Set([cause.record]), insert: undefined },
      change: `record ${cause.record} left out`,
    };
  }
}
