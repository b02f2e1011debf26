// Acknowledges that returned no interrupt, and what had become of the interrupt that the PE was signalled last. It follows
// the lifetimes of interrupts, and knows no SQL.
import type { GicState } from '@gictrace/core/model';
import { type Act, GROUPS } from '@gictrace/core/record';
import { SPECIAL_INTIDS, SPURIOUS } from '@gictrace/core/spec';
import { integer, orNull, type RowOf, text } from '../database/columns.ts';
import type { Lifetime, LifetimeStep } from './lifetimes.ts';
import { type Moment, TIME, wholeNs } from './moment.ts';
import type { Waits } from './waits.ts';

/** The reasons in the view. Any other reason is one of waits.ts, for which the interrupt, still pending, waits. */
export const SPURIOUS_REASONS: Readonly<Record<string, string>> = {
  'nothing signalled': 'no interrupt was signalled to the PE since its last acknowledge',
  'taken elsewhere': 'another PE acknowledged the interrupt',
  'other group': 'the interrupt is of a group that this register does not acknowledge',
  'non-maskable': 'the interrupt is an NMI, which ICC_NMIAR1_EL1 acknowledges (1022)',
  maskable: 'the interrupt is not an NMI, so ICC_NMIAR1_EL1 does not acknowledge it',
  deasserted: 'its input line was deasserted',
  cleared: 'software cleared its pending state: `gone_by` says how',
  moved: 'it is now routed to another PE',
  unknown: 'source and simulator disagree, or it is unknown why the interrupt ceased to be pending',
};

/** One row for each acknowledge that returned 1020 to 1023, or on GICv5 no valid INTID. */
export const SPURIOUS_COLUMNS = {
  record: integer('record of the acknowledge'),
  time_ns: TIME,
  pe: orNull(integer('PE that read the register')),
  register: text('register that it read'),
  INTID: integer('what it read: 1020 to 1023; 0 on GICv5, where VALID was 0'),
  why: text(
    `${Object.entries(SPURIOUS_REASONS)
      .map(([name, doc]) => `\`${name}\`: ${doc}`)
      .join('; ')}; any other: for what the interrupt, which is still pending, waits (see waits)`,
  ),
  signalled_INTID: orNull(
    integer('interrupt that the PE was signalled last, since its last acknowledge; null if none'),
  ),
  signalled: orNull(integer('record at which that interrupt was signalled')),
  gone: orNull(integer('record at which that interrupt ceased to be pending for the PE; null if it did not')),
  gone_by: orNull(
    text('ITS command, register or `wire` that ended its pending state; null if that was not seen'),
  ),
} as const;
export type SpuriousRow = RowOf<typeof SPURIOUS_COLUMNS>;

const GROUP0 = GROUPS.indexOf('0');

interface Signalled {
  readonly lifetime: Lifetime;
  readonly at: Moment;
  gone?: { readonly record: number; readonly why: string; readonly by: string | null };
}

/** Follows the acknowledges of a trace that returned 1020 to 1023. */
export class Spurious {
  /** By PE: the last interrupt for which a line was asserted since the last acknowledge. */
  private readonly signalled: (Signalled | undefined)[] = [];
  private readonly waits: Waits;
  private readonly refused: Refused;
  private readonly row: (row: SpuriousRow) => void;

  constructor(waits: Waits, refused: Refused, row: (row: SpuriousRow) => void) {
    this.waits = waits;
    this.refused = refused;
    this.row = row;
  }

  /** A step in the lifetime of an interrupt. */
  seen(step: LifetimeStep, lifetime: Lifetime, now: Moment): void {
    if (step === 'signalled') this.signalled[lifetime.pe] = { lifetime, at: now };
    else if (step === 'acknowledged') {
      this.signalled[lifetime.pe] = undefined;
      this.went(lifetime, now, 'taken elsewhere', null);
    } else if (step === 'withdrawn') {
      const { by, movedTo } = lifetime.withdrawal;
      const why =
        movedTo !== null ? 'moved' : by === 'wire' ? 'deasserted' : by === null ? 'unknown' : 'cleared';
      this.went(lifetime, now, why, by);
    }
  }

  private went(lifetime: Lifetime, now: Moment, why: string, by: string | null): void {
    for (const one of this.signalled)
      if (one?.lifetime === lifetime) one.gone ??= { record: now.record, why, by };
  }

  /** A read of the acknowledge register of `act` returned `INTID`, 1020 to 1023, or 0 on GICv5. */
  read(pe: number, act: Act, INTID: number, now: Moment): void {
    const last = this.signalled[pe];
    let why = 'nothing signalled';
    if (last?.gone !== undefined) why = last.gone.why;
    else if (last !== undefined) {
      const held = this.waits.gateOf(last.lifetime);
      why = held.pe >= 0 && held.pe !== pe ? 'moved' : held.gate;
      // The line for the interrupt is asserted, but the read returned no interrupt.
      if (why === 'signalled') why = this.refused(pe, act, INTID);
    }
    this.row({
      record: now.record,
      time_ns: wholeNs(now.timeNs),
      pe: pe < 0 ? null : pe,
      register: act.register!,
      INTID,
      why,
      signalled_INTID: last?.lifetime.intid ?? null,
      signalled: last?.at.record ?? null,
      gone: last?.gone?.record ?? null,
      gone_by: last?.gone?.by ?? null,
    });
    if (last?.gone !== undefined) this.signalled[pe] = undefined;
  }
}

/** Why a read of the acknowledge register of `act` returned `INTID` and not the interrupt for which the PE's line is asserted. */
type Refused = (pe: number, act: Act, INTID: number) => string;

/** The reasons of a GICv3 or GICv4. */
export function refusedBy(state: GicState): Refused {
  return (pe, { group, register }, INTID) => {
    if (INTID === SPECIAL_INTIDS.nonMaskable) return 'non-maskable';
    if ((group === 0) !== (state.hppiGroup[pe] === GROUP0)) return 'other group';
    return register === 'ICC_NMIAR1_EL1' && INTID === SPURIOUS ? 'maskable' : 'unknown';
  };
}
