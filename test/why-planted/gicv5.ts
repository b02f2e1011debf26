// Faults planted into recordings of a GICv5. Accesses of PEs that the recording does not name are left as they are.
import type { Gicv5Config } from '@gictrace/core';
import { actOf, isStimulus, KIND, RECORD_FLAGS, RecordBatch, takenOrEnded } from '@gictrace/core/record';
import { FRAMES, GICV5_SYSREGS, GICV5_TYPES, gicv5Id, gicv5Type, IRS } from '@gictrace/core/spec';
import type { WhyQuestion } from '@gictrace/query';
import { type Recording, type Row, sysregWrite } from '../planting.ts';
import type { Random } from '../torture/random.ts';

type Gicv5Recording = Recording<Gicv5Config>;
/** What somebody would ask; undefined if the recording contains nothing into which this fault can be planted. */
export type Gicv5Kind = (t: Gicv5Recording, r: Random) => WhyQuestion | undefined;

const { PPI } = GICV5_TYPES;
const code = (name: keyof typeof GICV5_SYSREGS) => GICV5_SYSREGS[name].encoding;
const isPpi = (intid: number) => gicv5Type(intid) === PPI;
const isKnown = ({ batch, i }: Row) =>
  (batch.flags[i]! & (RECORD_FLAGS.peUndecided | RECORD_FLAGS.undecided)) === 0;

interface Handled {
  readonly intid: number;
  readonly pe: number;
  /** The places of its acknowledges. */
  readonly places: number[];
}

/** The interrupts that are acknowledged by PEs which the recording names. */
function handledIn(t: Gicv5Recording): Handled[] {
  const found = new Map<string, Handled>();
  t.rows.forEach((row, place) => {
    if (!isStimulus(row.kind) || !isKnown(row)) return;
    if (actOf(row.batch, row.i)?.does !== 'acknowledge') return;
    const intid = takenOrEnded(row.batch, row.i);
    if (intid < 0) return;
    const key = `${intid} ${row.pe}`;
    const one = found.get(key) ?? { intid, pe: row.pe, places: [] };
    found.set(key, one);
    one.places.push(place);
  });
  return [...found.values()];
}

/** An interrupt that is acknowledged several times, and the place of one of its acknowledges. */
function choose(t: Gicv5Recording, r: Random, fits: (intid: number) => boolean) {
  const all = handledIn(t).filter(({ intid, places }) => fits(intid) && places.length >= 4);
  if (all.length === 0) return undefined;
  const one = r.pick(all);
  const k = r.below(Math.max(1, Math.floor(one.places.length * 0.8)));
  return { ...one, at: one.places[k]!, next: one.places[k + 1]! };
}

const asked = ({ intid, pe }: Handled): WhyQuestion => (isPpi(intid) ? { intid, pe } : { intid });

/** Inserts an instruction of the PE behind one acknowledge of an interrupt. */
const inserted =
  (fits: (intid: number) => boolean, make: (one: Handled, r: Random) => RecordBatch | undefined): Gicv5Kind =>
  (t, r) => {
    const found = choose(t, r, fits);
    if (found === undefined) return undefined;
    const batch = make(found, r);
    if (batch === undefined) return undefined;
    let place = found.at + 1 + r.below(Math.max(1, found.next - found.at - 1));
    while (place < found.next && !isStimulus(t.rows[place]!.kind)) place++;
    t.insert(place, batch);
    return asked(found);
  };

const instruction = (name: keyof typeof GICV5_SYSREGS, pe: number, low: number, high = 0): RecordBatch => {
  const batch = sysregWrite(code(name), pe, low);
  batch.words[2] = high;
  return batch;
};

/** Leaves out the first instruction behind an acknowledge that fits. */
const without =
  (fits: (row: Row, one: Handled) => boolean): Gicv5Kind =>
  (t, r) => {
    const found = choose(t, r, () => true);
    if (found === undefined) return undefined;
    const place = t.find((row) => isStimulus(row.kind) && fits(row, found), 0, found.at + 1);
    if (place > found.next) return undefined;
    t.remove(place, found.at);
    return asked(found);
  };

export const GICV5_KINDS: Readonly<Record<string, Gicv5Kind>> = {
  'GIC CDDIS': inserted(
    (intid) => !isPpi(intid),
    ({ intid, pe }) => instruction('GIC_CDDIS', pe, intid),
  ),
  'a PPI masked': inserted(isPpi, ({ pe }) => instruction('ICC_PPI_ENABLER0_EL1', pe, 0)),
  'GIC CDAFF to no PE': inserted(
    (intid) => !isPpi(intid),
    ({ intid, pe }) => instruction('GIC_CDAFF', pe, intid, 0x300),
  ),
  'ICC_PCR_EL1 lowered': inserted(
    () => true,
    ({ pe }) => instruction('ICC_PCR_EL1', pe, 0),
  ),
  'a priority that is masked': inserted(
    (intid) => !isPpi(intid),
    ({ intid, pe }) => instruction('GIC_CDPRI', pe, intid, 31 << 3),
  ),
  'ICC_CR0_EL1.EN cleared': inserted(
    () => true,
    ({ pe }) => instruction('ICC_CR0_EL1', pe, 0),
  ),
  'IRS_CR0.IRSEN cleared': inserted(
    (intid) => !isPpi(intid),
    ({ pe }) => {
      const batch = new RecordBatch(1);
      batch.push(KIND['mmio.write'], pe, Number.NaN);
      batch.words.set([FRAMES.indexOf('IRS'), 1, IRS.IRS_CR0.offset, 4, 0]);
      return batch;
    },
  ),
  'a GIC CDEOI left out': without(
    (row, { pe }) => row.kind === KIND['sysreg.write'] && row.word(0) === code('GIC_CDEOI') && row.pe === pe,
  ),
  'a GIC CDDI left out': without(
    (row, { intid, pe }) =>
      row.kind === KIND['sysreg.write'] &&
      row.word(0) === code('GIC_CDDI') &&
      (isPpi(intid) ? row.pe === pe && gicv5Id(row.word(1)) === gicv5Id(intid) : row.word(1) === intid),
  ),
};
