// Acknowledges that returned no interrupt, and what had become of the one that the PE was last told of. Follows the lives
// of interrupts. Knows no SQL.
import { type Act, type GicState, GROUPS, SPECIAL_INTIDS, SPURIOUS } from '@gictrace/core';
import { type Sql, sqlTime } from '../sql/schema.ts';
import type { Life, LifeStep, Moment } from './lifetimes.ts';
import type { Waits } from './waits.ts';

/** Why, as the view has it; other reasons are gates (waits.ts): the interrupt is pending still, and held by it. */
export const SPURIOUS_REASONS: Readonly<Record<string, string>> = {
  'nothing signalled': 'since its last acknowledge the PE was told of no interrupt',
  'taken elsewhere': 'another PE took the interrupt',
  'other group': 'the interrupt is of a group that this register does not acknowledge',
  'non-maskable': 'the interrupt is an NMI, which ICC_NMIAR1_EL1 acknowledges (1022)',
  maskable: 'the interrupt is not an NMI, so ICC_NMIAR1_EL1 does not acknowledge it',
  deasserted: 'its wire went down',
  cleared: 'software took its pending state away: `gone_by` says by what',
  moved: 'it goes to another PE now',
  unknown: 'source and simulator disagree, or it is not told by what the interrupt went',
};

const GROUP0 = GROUPS.indexOf('0');

interface Told {
  readonly life: Life;
  readonly at: Moment;
  gone?: { readonly record: number; readonly why: string; readonly by: string | null };
}

/** Follows one trace and tells a row for each acknowledge of 1020 to 1023. */
export class Spurious {
  /** By PE: the interrupt that a line went up for last, since its last acknowledge. */
  private readonly told: (Told | undefined)[] = [];
  private readonly trace: number;
  private readonly waits: Waits;
  private readonly state: GicState;
  private readonly out: (row: Sql[]) => void;

  constructor(trace: number, waits: Waits, state: GicState, out: (row: Sql[]) => void) {
    this.trace = trace;
    this.waits = waits;
    this.state = state;
    this.out = out;
  }

  /** A step in the life of an interrupt. */
  seen(step: LifeStep, life: Life, now: Moment): void {
    if (step === 'signalled') this.told[life.pe] = { life, at: now };
    else if (step === 'acknowledged') {
      this.told[life.pe] = undefined;
      this.went(life, now, 'taken elsewhere', null);
    } else if (step === 'withdrawn') {
      const by = life.withdrawal?.by ?? null;
      const moved = life.withdrawal?.movedTo ?? null;
      const why =
        moved !== null ? 'moved' : by === 'wire' ? 'deasserted' : by === null ? 'unknown' : 'cleared';
      this.went(life, now, why, by);
    }
  }

  private went(life: Life, now: Moment, why: string, by: string | null): void {
    for (const told of this.told) if (told?.life === life) told.gone ??= { record: now.record, why, by };
  }

  /** A read of the acknowledge register of `act` returned `intid`, 1020 to 1023, in record `record`. */
  read(pe: number, act: Act, intid: number, record: number, timeNs: number): void {
    const told = this.told[pe];
    let why = 'nothing signalled';
    if (told?.gone !== undefined) why = told.gone.why;
    else if (told !== undefined) {
      const held = this.waits.gateOf(told.life);
      why = held.pe >= 0 && held.pe !== pe ? 'moved' : held.gate;
      // Its line is up and the PE is told that there is none.
      if (why === 'signalled') why = this.refused(pe, act, intid);
    }
    this.out([
      ...[this.trace, record, sqlTime(timeNs), pe < 0 ? null : pe, act.register!, intid, why],
      ...[
        told?.life.intid ?? null,
        told?.at.record ?? null,
        told?.gone?.record ?? null,
        told?.gone?.by ?? null,
      ],
    ]);
    if (told?.gone !== undefined) this.told[pe] = undefined;
  }

  private refused(pe: number, { group, register }: Act, intid: number): string {
    if (intid === SPECIAL_INTIDS.nonMaskable) return 'non-maskable';
    if ((group === 0) !== (this.state.hppiGroup[pe] === GROUP0)) return 'other group';
    return register === 'ICC_NMIAR1_EL1' && intid === SPURIOUS ? 'maskable' : 'unknown';
  }
}
