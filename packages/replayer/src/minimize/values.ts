// Simplifies what is left: devices, events, interrupts and vPEs get the smallest numbers, and bits of values that do not
// matter become 0.
import { actOfAccess, identifierAt, KIND, RecordBatch, slotsOf } from '@gictrace/core/record';
import { FRAMES, GITS, type Identifier } from '@gictrace/core/spec';
import { shrink } from './shrink.ts';
import { copies, Single, type Stimuli } from './stimuli.ts';
import type { Test } from './test.ts';

const FRAME_GITS = FRAMES.indexOf('GITS');
/** Identifiers that are made small: they become multiples of this. DeviceIDs are those of functions 0 on a PCI bus. */
const STEPS: Readonly<Partial<Record<Identifier, number>>> = { DeviceID: 8, EventID: 1, vPEID: 1 };

/** Simplifies values as long as the test holds. `tested` is called for each test. */
export async function simplify(
  stimuli: Stimuli,
  test: Test,
  testsMax: number,
  tested: () => void,
): Promise<Single> {
  let best: readonly RecordBatch[] = copies(stimuli);
  let left = testsMax;
  const tryOut = async (candidate: readonly RecordBatch[]) => {
    if (left-- <= 0) return false;
    tested();
    if (!(await test.holds(new Single(candidate), 0, false))) return false;
    best = candidate;
    return true;
  };
  for (const [identifier, step] of Object.entries(STEPS) as [Identifier, number][])
    for (const from of namesIn(best, identifier)) {
      // The smallest number that is not taken.
      let to = 0;
      const taken = new Set(namesIn(best, identifier));
      while (taken.has(to)) to += step;
      if (to < from) await tryOut(renamed(best, identifier, from, to));
    }
  for (let n = 0; n < best.length; n++) {
    const places = valuePlaces(best[n]!);
    const isZero = places.every(({ at, bits }) => (best[n]!.words[at]! & bits) === 0);
    if (places.length === 0 || isZero) continue;
    if (await tryOut(cleared(best, n, places))) continue;
    if (test.isSlow) continue;
    for (const { at, bits } of places)
      for (let bit = 31; bit >= 0; bit--) {
        const one = (1 << bit) >>> 0;
        if ((best[n]!.words[at]! & bits & one) === 0) continue;
        await tryOut(cleared(best, n, [{ at, bits: one }]));
      }
  }
  // Some may have been needed only because of others' values.
  const { list } = await shrink(best, (candidate) => tryOut(candidate), { testsMax: Math.max(0, left) });
  return new Single(list);
}

interface Place {
  readonly at: number;
  readonly bits: number;
}

/**
 * The words of a stimulus that are a value, and their bits. Addresses stay: tables that overlap would be another bug. So
 * do the operands of commands: two collections that become one would hide to which of them an interrupt goes.
 */
function valuePlaces(one: RecordBatch): Place[] {
  const { words } = one;
  const places = wordsOfValue(one);
  for (const slot of slotsOf(one.kind[0]!, words)) {
    if (identifierAt(slot, words) !== 'address') continue;
    const mask = ((1n << BigInt(slot.width)) - 1n) << BigInt(slot.lsb);
    for (const place of places) {
      if (place.at === slot.at) place.bits = (place.bits & ~Number(mask & 0xffff_ffffn)) >>> 0;
      if (place.at === slot.at + 1) place.bits = (place.bits & ~Number((mask >> 32n) & 0xffff_ffffn)) >>> 0;
    }
  }
  return places;
}

function wordsOfValue({ kind, words }: RecordBatch): { at: number; bits: number }[] {
  const all = (...at: number[]) => at.map((word) => ({ at: word, bits: 0xffff_ffff }));
  switch (kind[0]) {
    case KIND['mmio.write']:
      // Where commands end follows from what is queued.
      if (words[0] === FRAME_GITS && words[2] === GITS.GITS_CWRITER.offset) return [];
      return words[3] === 8 ? all(4, 5) : all(4);
    case KIND['sysreg.write']: {
      // What is ended is what was acknowledged.
      const act = actOfAccess(words[0]!, true);
      return act?.does === 'end' || act?.does === 'deactivate' ? [] : all(1, 2);
    }
    case KIND['mem.write']:
      return words[2] === 8 ? all(3, 4) : all(3);
    default:
      return [];
  }
}

function cleared(list: readonly RecordBatch[], n: number, places: readonly Place[]): RecordBatch[] {
  const copy = copyOf(list[n]!);
  for (const { at, bits } of places) copy.words[at]! &= ~bits;
  return list.map((one, k) => (k === n ? copy : one));
}

function copyOf(batch: RecordBatch): RecordBatch {
  const copy = new RecordBatch(1);
  copy.copy(batch, 0);
  return copy;
}

/** The values of an identifier in some stimuli, in ascending order. */
function namesIn(list: readonly RecordBatch[], identifier: Identifier): number[] {
  const values = new Set<number>();
  for (const one of list)
    for (const slot of slotsOf(one.kind[0]!, one.words))
      if (identifierAt(slot, one.words) === identifier) values.add(read(one.words, slot));
  return [...values].sort((a, b) => a - b);
}

/** The stimuli with another value for an identifier. */
function renamed(
  list: readonly RecordBatch[],
  identifier: Identifier,
  from: number,
  to: number,
): RecordBatch[] {
  return list.map((one) => {
    let copy = one;
    for (const slot of slotsOf(one.kind[0]!, one.words)) {
      if (identifierAt(slot, one.words) !== identifier || read(one.words, slot) !== from) continue;
      if (copy === one) copy = copyOf(one);
      write(copy.words, slot, to);
    }
    return copy;
  });
}

interface Bits {
  readonly at: number;
  readonly lsb: number;
  readonly width: number;
}

function read(words: Uint32Array, { at, lsb, width }: Bits): number {
  const value = (BigInt(words[at + 1] ?? 0) << 32n) | BigInt(words[at]!);
  return Number(BigInt.asUintN(width, value >> BigInt(lsb)));
}

function write(words: Uint32Array, { at, lsb, width }: Bits, to: number): void {
  const mask = ((1n << BigInt(width)) - 1n) << BigInt(lsb);
  const value = (BigInt(words[at + 1] ?? 0) << 32n) | BigInt(words[at]!);
  const changed = (value & ~mask) | ((BigInt(to) << BigInt(lsb)) & mask);
  words[at] = Number(changed & 0xffff_ffffn);
  if (lsb + width > 32) words[at + 1] = Number(changed >> 32n);
}
