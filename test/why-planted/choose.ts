// What a planted fault is, and the choice of an interrupt and of a place between two of its acknowledges.
import { isStimulus, type RecordBatch } from '@gictrace/core/record';
import { GICD, GICR, LPI_FIRST } from '@gictrace/core/spec';
import type { WhyQuestion } from '@gictrace/query';
import { mmioWrite, type Recording, sysregWrite } from '../planting.ts';
import type { Random } from '../torture/random.ts';
import type { Survey, Taken } from './survey.ts';

/** What somebody would ask; undefined if the recording contains nothing into which this fault can be planted. */
export type Kind = (t: Recording, s: Survey, r: Random) => WhyQuestion | undefined;

export const bit = (intid: number) => (1 << (intid & 31)) >>> 0;
export const word = (register: { readonly offset: number }, intid: number) =>
  register.offset + 4 * (intid >> 5);
export const isPpi = (intid: number) => intid >= 16 && intid < 32;
export const isSpi = (intid: number) => intid >= 32 && intid < 1020;
export const isSgi = (intid: number) => intid < 16;
export const isLpi = (intid: number) => intid >= LPI_FIRST;
const FEW = 6;
/** GICD_TYPER.SecurityExtn. */
export const SECURITY_EXTN = 1 << 10;

/** An interrupt that is acknowledged several times, and a place between two of its acknowledges. */
export function choose(
  t: Recording,
  s: Survey,
  r: Random,
  fits: (intid: number) => boolean,
  few = FEW,
): { one: Taken; place: number; next: number } | undefined {
  const all = s.taken.filter(({ intid, acknowledges }) => fits(intid) && acknowledges.length >= few);
  if (all.length === 0) return undefined;
  const one = r.pick(all);
  const n = one.acknowledges.length;
  const k = Math.floor(n * 0.1) + r.below(Math.max(1, Math.floor(n * 0.75)));
  const next = Math.min(n - 1, k + 1);
  const from = one.acknowledges[k]!;
  const to = one.acknowledges[next]!;
  return { one, place: stimulusAt(t, from + 1 + r.below(Math.max(1, to - from))), next: to };
}

/** The first stimulus at or behind a place. */
export function stimulusAt(t: Recording, place: number): number {
  let at = place;
  while (at < t.rows.length - 1 && !isStimulus(t.rows[at]!.kind)) at++;
  return at;
}

/** A write to a register of the interrupt's own frame, in the place of a store by its PE. */
export function write(
  intid: number,
  pe: number,
  name: 'ICENABLER' | 'ICPENDR' | 'ISACTIVER' | 'IGROUPR' | 'IGRPMODR',
  value: number,
) {
  return intid < 32
    ? mmioWrite('GICR', pe, GICR[`GICR_${name}`].offset, 4, value)
    : mmioWrite('GICD', 0, word(GICD[`GICD_${name}`], intid), 4, value);
}

export const asked = (one: Taken, r: Random): WhyQuestion =>
  one.intid < 32 && r.chance(0.6) ? { intid: one.intid, pe: one.pe } : { intid: one.intid };

/** Inserts what `make` makes before a place between two acknowledges of an interrupt. */
export const inserted =
  (
    fits: (intid: number) => boolean,
    make: (one: Taken, r: Random, t: Recording) => RecordBatch | undefined,
  ): Kind =>
  (t, s, r) => {
    const found = choose(t, s, r, fits);
    if (found === undefined) return undefined;
    const batch = make(found.one, r, t);
    if (batch === undefined) return undefined;
    t.insert(found.place, batch);
    return asked(found.one, r);
  };
export const sysreg = ({ encoding }: { readonly encoding: number }, values: readonly number[]): Kind =>
  inserted(
    () => true,
    ({ pe }, r) => sysregWrite(encoding, pe, r.pick(values)),
  );
export const PEACEFUL = (intid: number) => !isSgi(intid);
