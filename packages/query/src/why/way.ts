// The way of one interrupt from its source to its deactivation: each stage with the record that decided it.
import { type Condition, GATES, VIRTUAL_GATES } from '@gictrace/core/model';
import { GITS, isPrivate, LPI_FIRST } from '@gictrace/core/spec';
import { recordsOfCommand } from './cause.ts';
import type { ExecutedCommand } from './commands.ts';
import type { Gather } from './gather.ts';
import { isTranslated, type Message, registerTrack, type Story, trackOf } from './gathered.ts';
import type { Named, Question, Step } from './question.ts';
import type { Change } from './tracks.ts';

type Name = (record: number, what: string) => Named;

const MAPPINGS: ReadonlySet<string> = new Set(['MAPTI', 'MAPI', 'MOVI', 'VMAPTI', 'VMAPI', 'VMOVI']);
const VPE_MAPPINGS: ReadonlySet<string> = new Set(['VMAPP', 'VMOVP']);
/** Why a message to a virtual interrupt is dropped behind its ITT. */
const VPE_DROPS: ReadonlySet<string> = new Set(['vpe-unmapped', 'vintid-out-of-range']);

/** The way of a lifetime, or of a message that was dropped; empty if there is neither. */
export function wayOf(
  g: Gather,
  story: Story | undefined,
  dropped: Message | undefined,
  question: Question,
  name: Name,
): Step[] {
  const steps: Step[] = [];
  const intid = story?.lifetime.intid ?? dropped?.intid ?? question.intid ?? -1;
  const message = dropped ?? messageOf(g, story);
  if (message !== undefined) steps.push(...translation(g, message, name));
  else if (story !== undefined) {
    const { asserted, pended, cause } = story.lifetime;
    const at = asserted ?? pended;
    steps.push({
      stage: 'source',
      state: at === undefined ? 'not in the source' : 'passed',
      at: at === undefined ? null : name(at.record, ''),
      text: cause,
    });
  }
  if (story === undefined) return steps;
  steps.push(...delivery(g, story, intid, name));
  return steps;
}

function messageOf(g: Gather, story: Story | undefined): Message | undefined {
  const record = story?.lifetime.asserted?.record;
  return record === undefined ? undefined : g.messages.find((message) => message.record === record);
}

/** From the message to the Redistributor. */
function translation(g: Gather, message: Message, name: Name): Step[] {
  const { record, its, device, event, outcome } = message;
  const ok = isTranslated(message);
  const last = (fits: (command: ExecutedCommand) => boolean) =>
    g.commands.last(record, (command) => !command.refused && command.its === its && fits(command));
  const by = (command: ExecutedCommand | undefined) =>
    command === undefined ? null : name(recordsOfCommand(command).record, '');
  const mapd = last(({ name: one, operands }) => one === 'MAPD' && operands.DeviceID === device);
  const mapping = last(
    ({ name: one, operands }) =>
      MAPPINGS.has(one) && operands.DeviceID === device && operands.EventID === event,
  );
  const mapc =
    mapping?.operands.ICID === undefined
      ? undefined
      : last(({ name: one, operands }) => one === 'MAPC' && operands.ICID === mapping.operands.ICID);
  const vpe = mapping?.operands.vPEID;
  const vmapp =
    vpe === undefined
      ? undefined
      : last(({ name: one, operands }) => VPE_MAPPINGS.has(one) && operands.vPEID === vpe);
  const enabled = g.tracks.get(registerTrack('GITS', its, GITS.GITS_CTLR.offset)).at(record);
  const stages: readonly [string, readonly string[], Named | null, string][] = [
    [
      'ITS',
      ['its-disabled'],
      enabled === undefined || enabled.record < 0 ? null : name(enabled.record, ''),
      'GITS_CTLR.Enabled',
    ],
    [
      'device table',
      ['deviceid-out-of-range', 'device-unmapped'],
      by(mapd),
      `DeviceID 0x${device.toString(16)}`,
    ],
    ['ITT', ['eventid-out-of-range', 'event-unmapped'], by(mapping), `EventID 0x${event.toString(16)}`],
    vpe === undefined && !VPE_DROPS.has(outcome)
      ? [
          'collection',
          ['collection-unmapped'],
          by(mapc),
          mapping?.operands.ICID === undefined ? '' : `ICID ${mapping.operands.ICID}`,
        ]
      : ['vPE', [...VPE_DROPS], by(vmapp), vpe === undefined ? '' : `vPEID ${vpe}`],
    [
      'Redistributor',
      ['lpis-disabled', 'intid-out-of-range'],
      null,
      message.pe < 0 ? '' : `PE${message.pe}, ${vpe === undefined ? '' : 'v'}INTID ${message.intid}`,
    ],
  ];
  const steps: Step[] = [
    {
      stage: 'message',
      state: 'passed',
      at: name(record, ''),
      text: `DeviceID 0x${device.toString(16)} EventID 0x${event.toString(16)}`,
    },
  ];
  const isKnown = stages.some(([, reasons]) => reasons.includes(outcome));
  for (const [stage, reasons, at, text] of stages) {
    const blocks = reasons.includes(outcome);
    const state = blocks ? 'blocked' : ok || isKnown ? 'passed' : 'not in the source';
    steps.push({ stage, state, at, text: [text, blocks ? outcome : ''].filter(Boolean).join(': ') });
    if (blocks) break;
  }
  return steps;
}

/** From pending to deactivated. */
function delivery(
  g: Gather,
  { lifetime, holds, virtual, doorbell }: Story,
  intid: number,
  name: Name,
): Step[] {
  const steps: Step[] = [];
  const moment = (stage: string, at: { record: number } | undefined, text: string) => {
    if (at !== undefined) steps.push({ stage, state: 'passed', at: name(at.record, ''), text });
  };
  moment('pending', lifetime.pended, lifetime.cause);
  if (doorbell !== undefined) moment('doorbell', { record: doorbell.since }, `INTID ${doorbell.intid}`);
  const hold = holds.findLast(({ gate }) => gate !== 'signalled' && gate !== 'unknown') ?? holds[0];
  const pe = hold?.pe ?? lifetime.pe;
  const at = hold?.from.record ?? lifetime.acknowledged?.record ?? 0;
  const conditions: readonly (readonly [Condition, string, (value: number) => boolean])[] = [
    ...(intid >= LPI_FIRST
      ? ([['LPIs enabled', 'LPIs disabled', (value: number) => value !== 0]] as const)
      : []),
    ['enabled', 'disabled', (value) => value !== 0],
    ['forwarded', 'group disabled in GICD_CTLR', (value) => value !== 0],
    ...(intid < LPI_FIRST && !isPrivate(intid)
      ? ([['route', 'no PE', (value: number) => value >= 0]] as const)
      : []),
    ['group enabled at the PE', 'group disabled at the PE', (value) => value !== 0],
    ['awake', 'PE asleep', (value) => value !== 0],
    ['above the priority mask', 'priority mask', (value) => value !== 0],
  ];
  for (const [condition, reason, isOpen] of virtual === undefined ? conditions : []) {
    const track = g.tracks.get(trackOf(condition, intid, pe));
    const value = track.valueAt(at);
    if (value === undefined) continue;
    const open = isOpen(value);
    const since: Change | undefined = track.since(at, (one) => isOpen(one) === open);
    steps.push({
      stage: condition === 'route' ? 'route' : condition,
      state: open ? 'open' : 'blocked',
      at: since === undefined || since.record < 0 ? null : name(since.record, ''),
      text: open ? (condition === 'route' ? `PE${value}` : '') : reason,
    });
  }
  for (const one of holds) {
    if (one.gate === 'signalled' || one.gate === 'signalled to the virtual machine') {
      moment('signalled', one.from, `PE${one.pe}`);
      continue;
    }
    const by =
      one.gate === 'running priority' && one.handled !== undefined
        ? `PE${one.pe} handles INTID ${one.handled.intid} since record ${one.handled.since}`
        : one.gate === 'behind' && one.ahead !== undefined
          ? `INTID ${one.ahead.intid} is ahead`
          : ({ ...GATES, ...VIRTUAL_GATES } as Readonly<Record<string, string>>)[one.gate]!;
    const until = one.to === undefined ? 'to the end' : `until record ${one.to.record}`;
    steps.push({ stage: one.gate, state: 'blocked', at: name(one.from.record, ''), text: `${until}: ${by}` });
  }
  if (lifetime.acknowledged === undefined) {
    moment('withdrawn', lifetime.withdrawn, lifetime.withdrawal.by ?? '');
    if (lifetime.withdrawn === undefined)
      steps.push({ stage: 'acknowledged', state: 'not reached', at: null, text: '' });
    return steps;
  }
  moment('acknowledged', lifetime.acknowledged, `PE${lifetime.pe}`);
  moment('EOI', lifetime.eoi, '');
  if (lifetime.eoi === undefined) steps.push({ stage: 'EOI', state: 'not reached', at: null, text: '' });
  moment('deactivated', lifetime.deactivated, '');
  return steps;
}
