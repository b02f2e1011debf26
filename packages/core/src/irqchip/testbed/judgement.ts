// The verdict on a run: whether the design works on these operations, and if not, from which operation on and why. It is
// computed from what was counted, never from what a design is said to do.
import type { Failure, Fault, Run } from './outcome.ts';

export const VERDICTS = {
  works: 'Each message reached its handler, or waits where it will.',
  'works until': 'From this operation on a device has stopped, or a vector is refused.',
  loses: 'Some messages reached no handler, but no device stopped.',
  cannot: 'No message reached its handler, or the driver was not set up.',
  'not measured': 'No message was sent, or each one waits because its vector is masked.',
} as const;
export type VerdictName = keyof typeof VERDICTS;

export interface Judgement {
  readonly verdict: VerdictName;
  /** The operation of the first failure; -1 while the driver was set up; null if there is none. */
  readonly operation: number | null;
  /** What failed first. */
  readonly why: string | null;
  /** Messages that reached no handler: lost, stranded or unsent. */
  readonly undelivered: number;
  /** What else was wrong, for example handlers that ran on the wrong PE, in the order in which it began. */
  readonly also: readonly Failure[];
}

const UNDELIVERED: readonly Failure['kind'][] = ['lost', 'stranded', 'unsent'];

/** What became of the first message that failed, as part of a sentence. */
const AS_TEXT: Partial<Record<Failure['kind'], string>> = {
  lost: 'its message is lost',
  stranded: 'its message is stranded',
  unsent: 'it has no message to send',
};
const FAULT_TEXT: Record<Fault, string> = {
  spurious: 'handlers run without a message',
  duplicated: 'handlers run twice for one message',
  misrouted: 'handlers run on the wrong PE',
  unmasked: 'handlers run although masked',
  unauthorised: 'handlers run by a spoofed message',
  unwoken: 'vPEs that no doorbell woke',
};

const reasonOf = ({ kind, what }: Failure): string =>
  AS_TEXT[kind] === undefined ? what : `${what}: ${AS_TEXT[kind]}`;

export function judge({ deliveries: d, failures }: Run): Judgement {
  const undelivered = d.lost + d.stranded + d.unsent;
  const of = (kind: Failure['kind']) => failures.find((one) => one.kind === kind);
  const message = failures.find(({ kind }) => UNDELIVERED.includes(kind));
  const setUp = of('set up');
  const exhausted = of('exhausted');
  const unsupported = of('unsupported');
  const verdict = (name: VerdictName, cause: Failure | undefined): Judgement => ({
    verdict: name,
    operation: cause?.operation ?? null,
    why: cause === undefined ? null : reasonOf(cause),
    undelivered,
    also: failures.filter(
      (one) => one !== cause && !UNDELIVERED.includes(one.kind) && one.kind !== 'withheld',
    ),
  });
  if (setUp !== undefined) return verdict('cannot', setUp);
  const refused = [exhausted, unsupported].filter((one) => one !== undefined);
  const first = [message, ...refused]
    .filter((one) => one !== undefined)
    .sort((a, b) => a.operation - b.operation)[0];
  if (d.fired > 0 && d.delivered === 0 && message !== undefined) return verdict('cannot', first);
  if (exhausted !== undefined) return verdict('works until', first);
  if (message !== undefined) return verdict(d.withheld > 0 ? 'works until' : 'loses', message);
  if (d.fired > d.masked) return verdict('works', undefined);
  if (d.fired === 0 && unsupported !== undefined) return verdict('cannot', unsupported);
  return { ...verdict('not measured', undefined), why: d.fired === 0 ? NO_MESSAGE : ALL_MASKED };
}

const NO_MESSAGE = 'no message was sent';
const ALL_MASKED = 'each message waits, because its vector is masked';

/** A judgement as one sentence. */
export function judgementText({ verdict, operation, why, undelivered, also }: Judgement): string {
  const at = operation === null || operation < 0 ? '' : ` (operation ${operation})`;
  const head: Record<VerdictName, string> = {
    works: 'works',
    'works until': `works until operation ${operation}: ${why}`,
    loses: `loses ${undelivered}: first ${why}${at}`,
    cannot: `cannot: ${why}${at}`,
    'not measured': `not measured: ${why}`,
  };
  return [head[verdict], ...also.map(alsoText)].join('; ');
}

function alsoText({ kind, operation, n, what }: Failure): string {
  const from = operation < 0 ? '' : `, from operation ${operation}`;
  if (Object.hasOwn(FAULT_TEXT, kind)) return `${n} ${FAULT_TEXT[kind as Fault]}${from}`;
  if (kind === 'leaked') return `leaks ${n} (${what})`;
  return `refuses ${n} × ${what}${from}`;
}
