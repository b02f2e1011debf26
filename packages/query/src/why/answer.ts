// The answer to a question about an interrupt of a GICv3 or GICv4: what answering.ts leaves to each GIC.
import type { GicConfig } from '@gictrace/core';
import { Follow, GATES, Machine, VIRTUAL_GATES } from '@gictrace/core/model';
import { isPrivate, LPI_FIRST } from '@gictrace/core/spec';
import type { KeptState } from '../database/state/kept.ts';
import { type AskableTrace, Explanation, followed } from './answering.ts';
import { type Missing, recordsOfCommand } from './cause.ts';
import { Confirmation } from './confirmation.ts';
import { gapAround } from './drops.ts';
import { Gather } from './gather.ts';
import { type Hold, type Message, type Story, trackOf } from './gathered.ts';
import { type Gicv3Incident, Incidents } from './incidents.ts';
import { openingOf } from './openings.ts';
import type { Answer, Counterfactual, Named, Question, Step } from './question.ts';
import { wayOf } from './way.ts';

const MEANINGS: Readonly<Record<string, string>> = { ...GATES, ...VIRTUAL_GATES };

/** Answers a question. `progress` is called with the number of records that have been read. */
export function whyGicv3(
  trace: AskableTrace<GicConfig>,
  question: Question,
  progress?: (records: number) => void,
): Answer {
  const machine = new Machine(trace.config);
  const gather = new Gather(machine, question);
  const keeper = followed(trace, new Follow(machine, gather), gather, progress);
  return new Gicv3Explanation(trace, question, gather, keeper.states()).answer();
}

class Gicv3Explanation extends Explanation<Story, Missing> {
  private readonly trace: AskableTrace<GicConfig>;
  private readonly g: Gather;
  private readonly states: readonly KeptState[];
  private readonly finder: Incidents;

  constructor(
    trace: AskableTrace<GicConfig>,
    question: Question,
    gather: Gather,
    states: readonly KeptState[],
  ) {
    const finder = new Incidents(gather);
    super(trace, question, gather, finder);
    this.trace = trace;
    this.g = gather;
    this.states = states;
    this.finder = finder;
  }

  protected override waitsOf({ holds }: Story): readonly Hold[] {
    return holds;
  }

  protected override intidText(intid: number): string {
    return intid >= 1020 && intid <= 1023 ? 'no interrupt' : `INTID ${intid}`;
  }

  protected override meaningOf({ kind, reason }: Gicv3Incident): string {
    return kind === 'SGI to no PE' ? '' : (MEANINGS[reason] ?? '');
  }

  protected override openingOf(incident: Gicv3Incident): string | null {
    return openingOf(incident);
  }

  protected override counterfactual(incident: Gicv3Incident): Counterfactual {
    return new Confirmation(this.trace, this.g, this.states, this.question).counterfactual(incident);
  }

  protected override way(story: Story | undefined, message: Message | undefined): Step[] {
    return wayOf(this.g, story, message, this.question, (record, what) => this.names.of(record, what));
  }

  protected override messages(): readonly Message[] {
    return this.g.messages.filter((one) => this.isOurs(one));
  }

  private isOurs(message: Message): boolean {
    return this.g.isAboutDevice || this.g.events.has(`${message.device} ${message.event}`);
  }

  protected override subjectOf(found: Gicv3Incident | undefined): string {
    const { question } = this;
    if (question.device !== undefined) {
      const event = question.event ?? found?.messages[0]?.event;
      const intids = [...this.g.intids];
      const lpi =
        found !== undefined && found.intid >= 0 ? found.intid : intids.length === 1 ? intids[0] : undefined;
      return `DeviceID 0x${question.device.toString(16)}${event === undefined ? '' : ` EventID 0x${event.toString(16)}`}${lpi === undefined ? '' : ` (${found?.stories[0]?.virtual === undefined ? '' : 'v'}INTID ${lpi})`}`;
    }
    if (question.vintid !== undefined)
      return `vINTID ${question.vintid}${question.vpe === undefined ? '' : ` of vPE ${question.vpe}`}`;
    return `INTID ${question.intid}`;
  }

  protected override neverPending(): string {
    const { question, g } = this;
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

  /** What changed on the way since the interrupt was last delivered; for an LPI also what sends it to its PE. */
  protected override changed(found: Gicv3Incident | undefined, shown: Story | undefined): Named[] {
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
      .get(trackOf('asked to sleep', intid, lifetime.pe))
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
  private mappings(story: Story, found: Gicv3Incident | undefined): Named[] {
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

  protected override limits(): string[] {
    const { g } = this;
    const unknown = g.commands.all.filter(({ name }) => name === 'unknown').length;
    return unknown > 0 && [...g.intids].some((intid) => intid >= LPI_FIRST)
      ? [`the source does not contain ${unknown} of the ITS commands; what they changed is unknown`]
      : [];
  }
}
