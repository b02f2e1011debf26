// The way of one interrupt of a GICv5 from its source to its deactivation: each stage with the record that decided it.
import { GICV5_CONDITIONS, GICV5_GATES, type Gicv5Condition } from '@gictrace/core/gicv5';
import { GICV5_TYPES, gicv5IntidText, gicv5Type } from '@gictrace/core/spec';
import type { Moment } from '../../timeline/moment.ts';
import type { Message } from '../gathered.ts';
import type { Names } from '../names.ts';
import type { Step } from '../question.ts';
import { conditionTrack, type Gicv5Gather, type Gicv5Story } from './gather.ts';

/** Conditions that a PPI does not have: it is the PE's own. */
const OF_THE_IRS: ReadonlySet<Gicv5Condition> = new Set(['route', 'IRS enabled']);

/** The way of a lifetime, or of a message that was dropped; empty if there is neither. */
export function gicv5WayOf(
  g: Gicv5Gather,
  story: Gicv5Story | undefined,
  dropped: Message | undefined,
  names: Names,
): Step[] {
  const asserted = story?.lifetime.asserted?.record;
  const message = dropped ?? g.messages.find(({ record }) => record === asserted);
  const steps: Step[] = [];
  if (message !== undefined) steps.push(...translation(message, names));
  else if (story !== undefined)
    steps.push({
      stage: 'source',
      state: asserted === undefined ? 'not in the source' : 'passed',
      at: asserted === undefined ? null : names.of(asserted, ''),
      text: story.lifetime.cause,
    });
  if (story !== undefined) steps.push(...delivery(g, story, names));
  return steps;
}

function translation({ record, device, event, outcome, intid, pe }: Message, names: Names): Step[] {
  const isTranslated = outcome === 'pended';
  return [
    {
      stage: 'message',
      state: 'passed',
      at: names.of(record, ''),
      text: `DeviceID 0x${device.toString(16)} EventID 0x${event.toString(16)}`,
    },
    {
      stage: 'ITS',
      state: isTranslated ? 'passed' : outcome === 'undecided' ? 'not in the source' : 'blocked',
      at: null,
      text: isTranslated ? `${gicv5IntidText(intid)}${pe < 0 ? '' : `, PE${pe}`}` : outcome,
    },
  ];
}

function delivery(g: Gicv5Gather, { lifetime, waits }: Gicv5Story, names: Names): Step[] {
  const { intid } = lifetime;
  const steps: Step[] = [];
  const passed = (stage: string, at: Moment | undefined, text: string) => {
    if (at !== undefined) steps.push({ stage, state: 'passed', at: names.of(at.record, ''), text });
  };
  passed('pending', lifetime.pended, lifetime.cause);
  const worst = waits.findLast(({ gate }) => gate !== 'signalled' && gate !== 'unknown') ?? waits[0];
  const pe = worst?.pe ?? lifetime.pe;
  const at = worst?.from_record ?? lifetime.acknowledged?.record ?? lifetime.pended?.record ?? 0;
  if (pe >= 0) steps.push(...conditions(g, intid, pe, at, names));
  for (const wait of waits) {
    if (wait.gate === 'signalled') continue;
    const by =
      wait.gate === 'running priority' && wait.handled !== null
        ? `PE${wait.pe} handles ${gicv5IntidText(wait.handled)} since record ${wait.handled_since}`
        : wait.gate === 'behind' && wait.behind !== null
          ? `${gicv5IntidText(wait.behind)} is ahead`
          : ((GICV5_GATES as Readonly<Record<string, string>>)[wait.gate] ?? '');
    const until = wait.to_record === null ? 'to the end' : `until record ${wait.to_record}`;
    const state = wait.gate === 'unknown' ? 'not in the source' : 'blocked';
    steps.push({ stage: wait.gate, state, at: names.of(wait.from_record, ''), text: `${until}: ${by}` });
  }
  passed('signalled', lifetime.signalled, lifetime.pe < 0 ? '' : `PE${lifetime.pe}`);
  steps.sort((a, b) => orderOf(a) - orderOf(b));
  if (lifetime.acknowledged === undefined) {
    passed('withdrawn', lifetime.withdrawn, lifetime.withdrawal.by ?? '');
    if (lifetime.withdrawn === undefined)
      steps.push({ stage: 'acknowledged', state: 'not reached', at: null, text: '' });
    return steps;
  }
  passed(
    'acknowledged',
    lifetime.acknowledged,
    lifetime.pe < 0 ? 'PE not in the source' : `PE${lifetime.pe}`,
  );
  for (const [stage, moment] of [
    ['priority drop', lifetime.eoi],
    ['deactivated', lifetime.deactivated],
  ] as const)
    if (moment !== undefined) passed(stage, moment, '');
    else
      steps.push({
        stage,
        state: lifetime.pe < 0 || g.undecided.length > 0 ? 'not in the source' : 'not reached',
        at: null,
        text: '',
      });
  return steps;
}

/** Conditions come first; what happened is in the order of the trace. */
const orderOf = ({ state, at }: Step) => (state === 'open' || at === null ? -1 : at.record);

/** The conditions on the way to a PE, as they were at a record. */
function conditions(g: Gicv5Gather, intid: number, pe: number, at: number, names: Names): Step[] {
  const steps: Step[] = [];
  for (const condition of GICV5_CONDITIONS) {
    if (condition === 'active' || (gicv5Type(intid) === GICV5_TYPES.PPI && OF_THE_IRS.has(condition)))
      continue;
    const track = g.tracks.get(conditionTrack(condition, intid, pe));
    const value = track.valueAt(at);
    if (value === undefined) continue;
    const isOpen = condition === 'route' ? value >= 0 : value !== 0;
    const since = track.since(at, (one) => (condition === 'route' ? one >= 0 : one !== 0) === isOpen);
    steps.push({
      stage: condition,
      state: isOpen ? 'open' : 'blocked',
      at: since === undefined || since.record < 0 ? null : names.of(since.record, ''),
      text: condition === 'route' && isOpen ? `PE${value}` : '',
    });
  }
  return steps;
}
