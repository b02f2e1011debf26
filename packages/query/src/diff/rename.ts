// Names that only permute between two runs of one guest: addresses, LPIs and DeviceIDs that an allocator gave out in another order. A
// first alignment is blind to them; the pairs that it finds vote for which name of B is which of A; each name stands
// for one other at most. What the renaming does not explain stays a difference.
import {
  commandName,
  deposit,
  extract,
  FRAMES,
  fieldOffsets,
  GICD,
  GICR,
  GITS,
  ITS_COMMANDS,
  type OperandSpec,
  RECORDS,
  type RecordField,
  type RecordName,
  type RegisterSpec,
  registerAt,
  SYSREGS,
} from '@gictrace/core';
import type { Matching } from './match.ts';

export const SPACES = ['address', 'LPI', 'vLPI', 'DeviceID'] as const;
export type Space = (typeof SPACES)[number];
const LPI_FIRST = 8192;

/** Where a name is in a record: a field of `width` bits from `lsb` of the doubleword at word `at`, times 2^shift. */
interface Slot {
  readonly space: number;
  readonly at: number;
  readonly lsb: number;
  readonly width: number;
  readonly shift: number;
}

const space = (name: Space) => SPACES.indexOf(name);

function spaceOf(name: string, isAddress: boolean): Space | undefined {
  if (isAddress) return 'address';
  if (name === 'DeviceID') return 'DeviceID';
  if (name === 'vINTID' || name === 'vLPI') return 'vLPI';
  return /^(INTID|pINTID|doorbell|Dbell_pINTID|Default_Doorbell_pINTID)$/.test(name) ? 'LPI' : undefined;
}

/** Slots of the fields that the kinds declare. */
const byKind: readonly (readonly Slot[])[] = (() => {
  const all: Slot[][] = Array.from({ length: 256 }, () => []);
  for (const name of Object.keys(RECORDS) as RecordName[]) {
    const kind = RECORDS[name];
    const offsets = fieldOffsets(kind);
    (kind.fields as readonly RecordField[]).forEach((field, k) => {
      const of = spaceOf(field.name, field.type === 'pa');
      if (of === undefined) return;
      const width = field.type === 'pa' ? 52 : 32;
      all[kind.id]!.push({ space: space(of), at: offsets[k]!, lsb: 0, width, shift: 0 });
    });
  }
  return all;
})();

const byCommand = new Map<string, readonly Slot[]>();
function slotsOfCommand(first: number, at: number): readonly Slot[] {
  const name = commandName(first);
  if (name === undefined) return [];
  const key = `${name} ${at}`;
  let slots = byCommand.get(key);
  if (slots === undefined) {
    slots = (ITS_COMMANDS[name].operands as readonly OperandSpec[]).flatMap((operand) => {
      const of = spaceOf(operand.name, operand.kind === 'pa');
      if (of === undefined || name === 'VSGI') return [];
      const { lsb, width, dw, shift = 0 } = operand;
      return [{ space: space(of), at: at + 2 * dw, lsb, width, shift }];
    });
    byCommand.set(key, slots);
  }
  return slots;
}

const frames = [GICD, GICR, GITS];
const byRegister = new Map<number, readonly Slot[]>();
/** Addresses in registers, of an access that begins where the register does. */
function slotsOfRegister(frame: number, offset: number): readonly Slot[] {
  const key = frame * 2 ** 20 + offset;
  let slots = byRegister.get(key);
  if (slots === undefined) {
    const place = frames[frame] === undefined ? undefined : registerAt(FRAMES[frame]!, offset);
    const spec: RegisterSpec | undefined = place?.spec;
    const begins = spec !== undefined && (offset - spec.offset) % spec.bytes === 0;
    slots = (begins ? spec.fields : [])
      .filter((field) => field.kind === 'pa')
      .map(({ lsb, width, shift = 0 }) => ({ space: space('address'), at: 4, lsb, width, shift }));
    byRegister.set(key, slots);
  }
  return slots;
}

const INTID_REGISTERS = new Set<number>(
  (
    [
      'ICC_IAR0_EL1',
      'ICC_IAR1_EL1',
      'ICC_EOIR0_EL1',
      'ICC_EOIR1_EL1',
      'ICC_DIR_EL1',
      'ICC_HPPIR1_EL1',
    ] as const
  ).map((name) => SYSREGS[name].encoding),
);
const SYSREG_SLOT: readonly Slot[] = [{ space: space('LPI'), at: 1, lsb: 0, width: 24, shift: 0 }];

function slotsOf(kind: number, words: Uint32Array): readonly Slot[] {
  if (kind === RECORDS['queue.write'].id) return slotsOfCommand(words[3]!, 3);
  if (kind === RECORDS['its.command'].id) return slotsOfCommand(words[4]!, 4);
  if (kind <= RECORDS['mmio.write'].id) return slotsOfRegister(words[0]!, words[2]!);
  if (kind <= RECORDS['sysreg.write'].id) return INTID_REGISTERS.has(words[0]!) ? SYSREG_SLOT : [];
  return byKind[kind]!;
}

const nameAt = (words: Uint32Array, slot: Slot) =>
  extract(words, slot.at, 0, slot.lsb, slot.width) * 2 ** slot.shift;

/** Only LPIs are given out by an allocator; all else keeps its INTID. */
const isName = (slot: Slot, value: number) =>
  value !== 0 && ((SPACES[slot.space] !== 'LPI' && SPACES[slot.space] !== 'vLPI') || value >= LPI_FIRST);

/** What a renaming does with the names of a record. */
export interface Renaming {
  /** Replaces the names in (masked) words. */
  apply(kind: number, words: Uint32Array): void;
}

/** Blinds: replaces each name by 1, and keeps what it was. */
export class Blind implements Renaming {
  /** Of each record in order: where its names end in {@link values}. */
  readonly ends: number[] = [];
  readonly values: number[] = [];
  readonly spaces: number[] = [];

  apply(kind: number, words: Uint32Array): void {
    for (const slot of slotsOf(kind, words)) {
      const value = nameAt(words, slot);
      if (!isName(slot, value)) continue;
      this.values.push(value);
      this.spaces.push(slot.space);
      deposit(words, slot.at, 0, slot.lsb, slot.width, 1);
    }
    this.ends.push(this.values.length);
  }
}

/** Names of B by those of A. */
export class Permutation implements Renaming {
  /** By space: from B to A, without those that stay. */
  readonly maps: readonly ReadonlyMap<number, number>[];

  constructor(maps: readonly ReadonlyMap<number, number>[]) {
    this.maps = maps;
  }

  apply(kind: number, words: Uint32Array): void {
    for (const slot of slotsOf(kind, words)) {
      const to = this.maps[slot.space]!.get(nameAt(words, slot));
      if (to !== undefined) deposit(words, slot.at, 0, slot.lsb, slot.width, to / 2 ** slot.shift);
    }
  }
}

/** The permutation that most pairs of a blind alignment ask for. `kept`: by record, its place among those that were blinded. */
export function vote(
  a: Blind,
  b: Blind,
  { matchA }: Matching,
  keptA: Uint32Array,
  keptB: Uint32Array,
): Permutation {
  const votes = SPACES.map(() => new Map<string, { from: number; to: number; n: number }>());
  for (let i = 0; i < matchA.length; i++) {
    const j = matchA[i]!;
    if (j < 0) continue;
    const [p, q] = [keptA[i]!, keptB[j]!];
    const [startA, startB] = [p === 0 ? 0 : a.ends[p - 1]!, q === 0 ? 0 : b.ends[q - 1]!];
    const n = a.ends[p]! - startA;
    if (n !== b.ends[q]! - startB) continue;
    for (let k = 0; k < n; k++) {
      const [to, from] = [a.values[startA + k]!, b.values[startB + k]!];
      const own = votes[a.spaces[startA + k]!]!;
      const key = `${from} ${to}`;
      const entry = own.get(key);
      if (entry === undefined) own.set(key, { from, to, n: 1 });
      else entry.n++;
    }
  }
  return new Permutation(
    votes.map((own) => {
      const taken = new Set<number>();
      const map = new Map<number, number>();
      const order = [...own.values()].sort((x, y) => y.n - x.n || x.from - y.from || x.to - y.to);
      for (const { from, to } of order) {
        if (map.has(from) || taken.has(to)) continue;
        map.set(from, to);
        taken.add(to);
      }
      for (const [from, to] of [...map]) if (from === to) map.delete(from);
      return map;
    }),
  );
}
