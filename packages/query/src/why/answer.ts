// The answer to a question about an interrupt: what became of it, the record that decided, what would have opened the way,
// and whether a replay without that record confirms it. Data only; text.ts and graph.ts give it a form.
import { Follow, GATES, Machine, VIRTUAL_GATES } from '@gictrace/core/model';
import { isPrivate, LPI_FIRST } from '@gictrace/core/spec';
import { StateKeeper } from '../database/state/snapshots.ts';
import { wholeNs } from '../timeline/moment.ts';
import { recordsOfCommand } from './cause.ts';
import { Confirmation } from './confirmation.ts';
import type { ReadableTrace } from './counterfactual.ts';
import { gapAround } from './drops.ts';
import { Gather } from './gather.ts';
import { type Message, type Story, trackOf } from './gathered.ts';
import { type Incident, Incidents } from './incidents.ts';
import { Names } from './names.ts';
import { openingOf } from './openings.ts';
import type { Answer, Finding, Named, Outcome, Question } from './question.ts';
import { wayOf } from './way.ts';

/** A trace of a GICv3 or GICv4 that can be asked. */
export interface Gicv3Trace extends ReadableTrace {
  readonly records: number;
}

const OTHERS_MAX = 3;
/** An interrupt that is signalled so near to the end of the trace may be acknowledged after it. */
const CUT_OFF = 500;
const STATES = 48;

/** Answers a question. `progress` is called with the number of records that have been read. */
export function whyGicv3(
  trace: Gicv3Trace,
  question: Question,
  progress?: (records: number) => void,
): Answer {
  const machine = new Machine(trace.config);
  const gather = new Gather(machine, question);
  const follow = new Follow(machine, gather);
  const keeper = new StateKeeper(Math.max(4096, Math.ceil(trace.records / STATES)));
  for (const { batch, first } of trace.batches()) {
    keeper.offer(first, machine.state);
    follow.take(batch, first);
    progress?.(first + batch.count);
  }
  follow.end();
  gather.records = trace.records;
  return new Explanation(trace, question, gather, keeper).answer();
}

class Explanation {
  private readonly trace: Gicv3Trace;
  private readonly question: Question;
  private readonly g: Gather;
  private readonly keeper: StateKeeper;
  private readonly finder: Incidents;
  private readonly names: Names;

  constructor(trace: Gicv3Trace, question: Question, gather: Gather, keeper: StateKeeper) {
    this.trace = trace;
    this.question = question;
    this.g = gather;
    this.keeper = keeper;
    this.finder = new Incidents(gather);
    this.names = new Names(trace);
  }

  answer(): Answer {
    const { g, question } = this;
    const incidents = this.finder.find(question.pe, question.at);
    const matters = (incident: Incident) =>
      question.not === true ||
      (!this.isCutOff(incident) &&
        (incident.weight + incident.contradicted >= 1 ||
          incident.kind === 'not ended' ||
          (incident.lost > 0 && incident.to === undefined)));
    const story = this.storyAsked();
    // An incident with the highest score that harmed nobody explains only why it was late.
    const first = incidents[0];
    const isAboutStory = question.at !== undefined && story?.lifetime.acknowledged !== undefined;
    const found = isAboutStory
      ? incidents.find((incident) => incident.stories.includes(story!))
      : (incidents.find((incident) => matters(incident) || this.finder.isLate(incident)) ?? first);
    const finding = found === undefined ? null : this.findingOf(found);
    const isBad =
      found !== undefined &&
      matters(found) &&
      !(isAboutStory && found.lost === 0 && found.contradicted === 0);
    const shown = found?.stories[0] ?? story;
    const counts = this.counts();
    return {
      question,
      subject: this.subject(found),
      outcome: this.outcome(found, isBad, counts),
      headline: this.headline(found, isBad, counts, shown),
      finding,
      counterfactual:
        found !== undefined && isBad
          ? new Confirmation(this.trace, this.g, this.keeper.states(), question).counterfactual(found)
          : null,
      changed: this.changed(found, shown),
      way: wayOf(g, shown, found?.messages[0], question, (record, what) => this.names.of(record, what)),
      others: incidents
        .filter((one) => one !== found && (one.lost > 0 || one.kind === 'not ended' || one.contradicted > 0))
        .slice(0, OTHERS_MAX)
        .map((one) => this.findingOf(one)),
      counts,
      notes: this.notes(),
    };
  }

  /** Whether the trace ends before the PE could have acknowledged the interrupt. */
  private isCutOff({ kind, reason, from, to, lost, contradicted }: Incident): boolean {
    const isPassing = kind === 'not acknowledged' || reason === 'running priority' || reason === 'behind';
    return (
      isPassing &&
      to === undefined &&
      lost <= 1 &&
      contradicted === 0 &&
      this.g.records - from.record < CUT_OFF
    );
  }

  /** The lifetime about which the question is: at its record, or the last one. */
  private storyAsked(): Story | undefined {
    const { question, g } = this;
    const fits = ({ lifetime }: Story) =>
      question.pe === undefined || lifetime.pe === question.pe || lifetime.pe < 0;
    const stories = g.stories.filter(fits);
    if (question.at === undefined) return stories.at(-1);
    const at = question.at;
    return (
      stories.findLast(({ lifetime }) => (lifetime.pended ?? lifetime.acknowledged)!.record <= at) ??
      stories[0]
    );
  }

  private counts(): Answer['counts'] {
    const { g } = this;
    return {
      lifetimes: g.stories.length,
      acknowledged: g.stories.filter(({ lifetime }) => lifetime.acknowledged !== undefined).length,
      messages: g.messages.filter((one) => this.isOurs(one)).length,
      dropped: g.messages.filter(
        (one) => this.isOurs(one) && !['pended', 'coalesced', 'virtual'].includes(one.outcome),
      ).length,
    };
  }

  private isOurs(message: Message): boolean {
    return this.g.isAboutDevice || this.g.events.has(`${message.device} ${message.event}`);
  }

  private subject(found: Incident | undefined): string {
    const { question } = this;
    const pe = question.pe ?? (found !== undefined && found.pe >= 0 ? found.pe : undefined);
    const on = pe === undefined ? '' : `, PE${pe}`;
    if (question.device !== undefined) {
      const event = question.event ?? found?.messages[0]?.event;
      const intids = [...this.g.intids];
      const lpi =
        found !== undefined && found.intid >= 0 ? found.intid : intids.length === 1 ? intids[0] : undefined;
      return `DeviceID 0x${question.device.toString(16)}${event === undefined ? '' : ` EventID 0x${event.toString(16)}`}${lpi === undefined ? '' : ` (${found?.stories[0]?.virtual === undefined ? '' : 'v'}INTID ${lpi})`}${on}`;
    }
    if (question.vintid !== undefined)
      return `vINTID ${question.vintid}${question.vpe === undefined ? '' : ` of vPE ${question.vpe}`}${on}`;
    return `INTID ${question.intid}${on}`;
  }

  private outcome(found: Incident | undefined, isBad: boolean, counts: Answer['counts']): Outcome {
    if (found !== undefined && isBad) return found.kind === 'not ended' ? 'not ended' : 'not delivered';
    if (counts.acknowledged > 0) return found === undefined ? 'delivered' : 'late';
    return counts.lifetimes === 0 && counts.messages === 0 ? 'never pending' : 'unknown';
  }

  private headline(
    found: Incident | undefined,
    isBad: boolean,
    counts: Answer['counts'],
    shown: Story | undefined,
  ): string {
    if (found !== undefined && isBad) {
      const where = this.names.clause(found.cause.record, found.cause.what);
      switch (found.kind) {
        case 'blocked':
          return `not signalled (${found.reason}): ${where}`;
        case 'not acknowledged':
          return `signalled and not acknowledged: ${where}`;
        case 'dropped':
          return `its messages were dropped (${found.reason}): ${where}`;
        case 'another INTID':
          return found.reason === 'VMAPTI'
            ? `its messages went to another vPE: ${where}`
            : `its messages became INTID ${found.messages[0]!.intid}: ${where}`;
        case 'withdrawn':
          return `pending state lost (${found.reason}): ${where}`;
        case 'not ended':
          return `acknowledged and not ended: ${where}`;
        case 'SGI to no PE':
          return `not generated: ${where}`;
      }
    }
    if (counts.acknowledged > 0) {
      const { lifetime } = shown!;
      const acknowledged =
        lifetime.acknowledged === undefined
          ? ''
          : `, at record ${lifetime.acknowledged.record} by PE${lifetime.pe}`;
      const often = `${counts.acknowledged} of ${counts.lifetimes} lifetimes`;
      if (found === undefined)
        return `delivered${acknowledged}; nothing held it (${often} were acknowledged)`;
      return `delivered${acknowledged}; it waited at most ${found.held} records (${found.reason}): ${this.names.clause(found.cause.record, found.cause.what)}`;
    }
    return this.neverPending(counts);
  }

  /** Nothing made it pending. */
  private neverPending(counts: Answer['counts']): string {
    const { question, g } = this;
    if (counts.messages > 0) return 'its messages reached no PE, and why is not in the source';
    if (question.device !== undefined) return 'never pending: the trace contains no message of it';
    if (question.vintid !== undefined)
      return 'never pending: no message was translated to it, and no list register contained it';
    const intid = question.intid!;
    if (intid >= LPI_FIRST) {
      const dropped = g.messages.find(
        ({ outcome }) => outcome === 'event-unmapped' || outcome === 'device-unmapped',
      );
      const mapped = g.events.size > 0;
      if (mapped) {
        const by = g.commands.last(
          g.records,
          ({ name, operands }) =>
            (name === 'MAPTI' && operands.pINTID === intid) ||
            (name === 'MAPI' && operands.EventID === intid),
        );
        const which =
          by === undefined
            ? 'the event that maps to it'
            : `DeviceID 0x${by.operands.DeviceID!.toString(16)} EventID 0x${by.operands.EventID!.toString(16)}, which record ${recordsOfCommand(by).record} (${by.name}) maps to it`;
        return `never pending: the trace contains no message of ${which}`;
      }
      if (dropped === undefined) return 'never pending: no MAPTI or MAPI maps an event to it';
      return `never pending: no MAPTI or MAPI maps an event to it; at record ${dropped.record} a message of DeviceID 0x${dropped.device.toString(16)} EventID 0x${dropped.event.toString(16)} is dropped (${dropped.outcome})`;
    }
    if (intid < 16)
      return 'never pending: no write to ICC_SGI1R_EL1, ICC_ASGI1R_EL1 or ICC_SGI0R_EL1 generates it';
    return 'never pending: its input line was never asserted, and no register write made it pending';
  }

  private findingOf(incident: Incident): Finding {
    const { cause, from, to } = incident;
    return {
      kind: incident.kind,
      reason: incident.reason,
      meaning:
        incident.kind === 'SGI to no PE'
          ? ''
          : (({ ...GATES, ...VIRTUAL_GATES } as Readonly<Record<string, string>>)[incident.reason] ?? ''),
      pe: incident.pe < 0 ? null : incident.pe,
      cause: cause.record < 0 ? null : this.names.of(cause.record, cause.what),
      why: cause.what,
      also: [...new Set(cause.also)]
        .filter((record) => record >= 0 && record !== cause.record)
        .map((record) => this.names.of(record, '')),
      from: from.record,
      to: to?.record ?? null,
      fromNs: wholeNs(from.timeNs),
      toNs: to === undefined ? null : wholeNs(to.timeNs),
      lost: incident.lost,
      contradicted: incident.contradicted,
      opens: openingOf(incident),
    };
  }

  /** What changed on the way since the interrupt was last delivered; for an LPI also what sends it to its PE. */
  private changed(found: Incident | undefined, shown: Story | undefined): Named[] {
    const { g, finder, question } = this;
    const story = found?.stories[0] ?? shown;
    if (story === undefined) return found === undefined ? this.gap() : [];
    if (story.virtual !== undefined) return this.mappings(story, found);
    const { lifetime } = story;
    const { intid } = lifetime;
    const at = found?.from.record ?? question.at ?? g.records;
    const good = g.stories.findLast(
      (one) =>
        one !== story &&
        one.lifetime.intid === intid &&
        one.lifetime.acknowledged !== undefined &&
        one.lifetime.acknowledged.record < at &&
        (!isPrivate(intid) || one.lifetime.pe === lifetime.pe),
    );
    const from = good?.lifetime.pended?.record ?? good?.lifetime.acknowledged?.record;
    const changes =
      from === undefined || found === undefined
        ? []
        : finder.blocked.changesBetween(story, from, at).map(({ cause }) => cause);
    // Without a finding, the last change of each kind says why it went where it did.
    const latest =
      found === undefined || found.lost + found.contradicted === 0
        ? finder.blocked
            .changesBetween(story, -1, at)
            .slice(0, 1)
            .map(({ cause }) => cause)
        : [];
    const target = intid >= LPI_FIRST ? finder.blocked.targetOf(intid, at) : [];
    const asleep = g.tracks
      .get(trackOf('asked to sleep', intid, Math.max(0, lifetime.pe)))
      .since(at, (value) => value === 1);
    const sleep =
      asleep === undefined || asleep.record < 0 || g.machine.profile.wakerGates
        ? []
        : [
            {
              record: asleep.record,
              what: `puts PE${lifetime.pe} to sleep, though this GIC signals a sleeping PE all the same`,
            },
          ];
    const stale = intid >= LPI_FIRST ? finder.blocked.notInvalidated(intid, at) : undefined;
    const named = new Map<number, string>();
    for (const { record, what } of [
      ...changes.slice(0, 3),
      ...latest,
      ...target,
      ...sleep,
      ...(stale === undefined ? [] : [stale]),
    ])
      if (record !== found?.cause.record && !named.has(record)) named.set(record, what);
    return [...named].map(([record, what]) => this.names.of(record, what));
  }

  /** For a virtual interrupt: the commands that map its events, and its vPE. */
  private mappings(story: Story, found: Incident | undefined): Named[] {
    const at = found?.from.record ?? story.lifetime.pended?.record ?? this.g.records;
    const last = this.g.commands.last(
      at,
      ({ name, operands, refused }) =>
        !refused &&
        /^V(MAPT?I|MOVI)$/.test(name) &&
        this.g.events.has(`${operands.DeviceID} ${operands.EventID}`),
    );
    if (last === undefined) return [];
    const vmapp = this.g.commands.last(
      at,
      ({ name, operands, refused }) =>
        !refused && (name === 'VMAPP' || name === 'VMOVP') && operands.vPEID === last.operands.vPEID,
    );
    return [
      this.names.of(recordsOfCommand(last).record, `(${last.name}) maps it to vPE ${last.operands.vPEID}`),
      ...(vmapp === undefined
        ? []
        : [
            this.names.of(
              recordsOfCommand(vmapp).record,
              `(${vmapp.name}) maps the vPE to PE${vmapp.operands.RDbase}`,
            ),
          ]),
    ];
  }

  /** For an LPI to which nothing maps: the commands where its neighbours are mapped. */
  private gap(): Named[] {
    const { intid } = this.question;
    if (intid === undefined || intid < LPI_FIRST || this.g.events.size > 0) return [];
    return gapAround(this.g.commands.all, intid).map(({ record, what }) => this.names.of(record, what));
  }

  private notes(): string[] {
    const { g } = this;
    const notes: string[] = [];
    const first = g.disagreements[0];
    if (first !== undefined) {
      const intid = (n: number) => (n >= 1020 && n <= 1023 ? 'no interrupt' : `INTID ${n}`);
      notes.push(
        `source and simulator disagree ${g.disagreements.length} times about its acknowledge, first at record ${first.record}: PE${first.pe} acknowledged ${intid(first.intid)} in the source and ${intid(first.simulator)} on the simulator`,
      );
    }
    const unknown = g.commands.all.filter(({ name }) => name === 'unknown').length;
    if (unknown > 0 && [...g.intids].some((intid) => intid >= LPI_FIRST))
      notes.push(`the source does not contain ${unknown} of the ITS commands; what they changed is unknown`);
    return notes;
  }
}
