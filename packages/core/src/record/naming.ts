// Finds what the numbers in a record name: where in its words there is an INTID, vINTID, DeviceID, EventID, vPEID or
// address. This is derived from the declarations of record kinds, commands and registers, whose fields say what they
// name (`Naming` in spec/shape), and never from the name of a field. It knows no model.
import {
  ALL_SYSREGS,
  anySysregName,
  commandName,
  extract,
  type FieldSpec,
  GICV5_TYPE_LSB,
  type Identifier,
  INTID_RANGES,
  ITS_COMMANDS,
  intidSpan,
  type Naming,
  type OperandSpec,
  type RegisterPlace,
  registerAt,
  type SysregSpec,
} from '../spec/index.ts';
import { fieldOffsets, type RecordBatch } from './batch.ts';
import { RECORD_FLAGS, RECORDS } from './kinds.ts';
import { fieldWords, RECORD_WORDS, type RecordField, type RecordKind } from './shape.ts';

/** Bits of a record's words: `width` bits (1 to 52) from bit `lsb` of the 64-bit word that begins at word `at`. */
interface Bits {
  readonly at: number;
  readonly lsb: number;
  readonly width: number;
}

/** The place of an identifier or address in a record's words. */
export interface Slot extends Bits {
  /** The name of the field or operand in its declaration. */
  readonly field: string;
  /** What the value names. If other bits decide, see {@link identifierAt}. */
  readonly identifies:
    | Identifier
    | 'address'
    | { readonly by: Bits; readonly is: Readonly<Record<number, Identifier>> };
  /** The value is the stored bits times 2^shift. */
  readonly shift: number;
  readonly also: Identifier | undefined;
  readonly none: number | undefined;
  readonly all: number | undefined;
  readonly unlessZero: boolean;
  /** GICv5: the type of an INTID whose ID is the value. */
  readonly intidType: Bits | number | undefined;
  /** The value is the first of a range whose length these bits give. */
  readonly count: Bits | undefined;
  /** For an operand: its index in the command's declaration, which is its bit in the `shown` mask of its.command. */
  readonly operand: number;
}

/** A declared field and its place in a record. */
interface Placed extends Bits, Naming {
  readonly name: string;
  readonly isAddress: boolean;
  readonly shift?: number;
}

/** The slots among the fields of one word, command or record. */
function slotsAmong(fields: readonly Placed[], isCommand = false): readonly Slot[] {
  const slots: Slot[] = [];
  const bitsOf = (name: string | undefined) => fields.find((field) => field.name === name);
  fields.forEach((field, operand) => {
    const { name, at, lsb, width, isAddress, identifies = isAddress ? 'address' : undefined } = field;
    if (identifies === undefined) return;
    // If the access does not reach the deciding bits, they count as 0.
    const resolve = (by: string, is: Readonly<Record<number, Identifier>>) => {
      const bits = bitsOf(by);
      return bits === undefined ? is[0] : { by: bits, is };
    };
    const what = typeof identifies === 'string' ? identifies : resolve(identifies.by, identifies.is);
    if (what === undefined) return;
    slots.push({
      field: name,
      ...{ at, lsb, width, shift: field.shift ?? 0 },
      identifies: what,
      also: field.also,
      none: field.none,
      all: field.all,
      unlessZero: field.unlessZero ?? false,
      intidType: field.typedBy === undefined ? field.intidType : bitsOf(field.typedBy),
      count: bitsOf(field.countedBy),
      operand: isCommand ? operand : -1,
    });
  });
  return slots;
}

const NOTHING: readonly Slot[] = [];
const id = (name: keyof typeof RECORDS): number => RECORDS[name].id;
const [MMIO_READ, MMIO_WRITE] = [id('mmio.read'), id('mmio.write')];
const [SYSREG_READ, SYSREG_WRITE] = [id('sysreg.read'), id('sysreg.write')];
const [QUEUE_WRITE, ITS_COMMAND] = [id('queue.write'), id('its.command')];

/** The word of a record of this kind at which the field of this name begins. */
function wordOf(kind: RecordKind, field: string): number {
  return fieldOffsets(kind)[kind.fields.findIndex(({ name }) => name === field)]!;
}
const MMIO_VALUE = wordOf(RECORDS['mmio.read'], 'value');
const SYSREG_VALUE = wordOf(RECORDS['sysreg.read'], 'value');
const SHOWN = wordOf(RECORDS['its.command'], 'shown');
const QUEUE_COMMAND = wordOf(RECORDS['queue.write'], 'dw0');
const ITS_COMMAND_WORD = wordOf(RECORDS['its.command'], 'dw0');

/** Slots of the fields that the kinds themselves declare, by kind. */
const byKind: readonly (readonly Slot[])[] = (() => {
  const all: (readonly Slot[])[] = new Array(256).fill(NOTHING);
  for (const kind of Object.values<RecordKind>(RECORDS)) {
    const offsets = fieldOffsets(kind);
    const placed = kind.fields.map((field: RecordField, k) => ({
      ...field,
      ...{ at: offsets[k]!, lsb: 0, width: fieldWords(field.type) === 1 ? 32 : 52 },
      isAddress: field.type === 'pa',
    }));
    all[kind.id] = slotsAmong(placed);
  }
  return all;
})();

/** Slots of a command whose first word is word `at` of its record, by opcode. */
function commandSlots(at: number): readonly (readonly Slot[])[] {
  return Array.from({ length: 256 }, (_, opcode) => {
    const name = commandName(opcode);
    if (name === undefined) return NOTHING;
    const operands = ITS_COMMANDS[name].operands as readonly OperandSpec[];
    const placed = operands.map((operand) => ({
      ...operand,
      ...{ at: at + 2 * operand.dw, isAddress: operand.kind === 'pa' },
    }));
    return slotsAmong(placed, true);
  });
}
const queued = commandSlots(QUEUE_COMMAND).map((slots) => [...byKind[QUEUE_WRITE]!, ...slots]);
const executed = commandSlots(ITS_COMMAND_WORD);

const placedAt = (fields: readonly FieldSpec[], at: number, from = 0): readonly Placed[] =>
  fields.map((field) => ({ ...field, at, lsb: field.lsb - from, isAddress: field.kind === 'pa' }));

const sysregs = new Map<number, readonly Slot[]>(
  Object.values<SysregSpec>(ALL_SYSREGS).map((spec) => [
    spec.encoding,
    slotsAmong(placedAt(spec.fields, SYSREG_VALUE)),
  ]),
);
/** Whether an access is possible. A read of a write-only register and a write of a read-only register name nothing. */
const isPossible = (access: 'RO' | 'RW' | 'WO', write: boolean) =>
  access === 'RW' || (access === 'WO') === write;

const registers = new Map<number, readonly Slot[]>();
function slotsOfRegister(frame: number, offset: number, width: number): readonly Slot[] {
  const key = (frame * 2 ** 24 + offset) * 16 + width;
  const known = registers.get(key);
  if (known !== undefined) return known;
  const spec = registerAt(frame, offset)?.spec;
  let slots = NOTHING;
  if (spec !== undefined) {
    const from = ((offset - spec.offset) % Math.max(spec.bytes, 4)) * 8;
    const reached = spec.fields.filter(
      ({ lsb, width: bits, kind }) =>
        lsb >= from && (lsb + bits <= from + 8 * width || (kind === 'pa' && lsb < from + 8 * width)),
    );
    slots = slotsAmong(placedAt(reached, MMIO_VALUE, from));
  }
  registers.set(key, slots);
  return slots;
}

/**
 * The slots of the record of this kind whose words begin at `words[at]`. The ranges of INTIDs that an access to a
 * register array reaches are not slots: see {@link mentions}.
 */
export function slotsOf(kind: number, words: Uint32Array, at = 0): readonly Slot[] {
  switch (kind) {
    case MMIO_READ:
    case MMIO_WRITE:
      return slotsOfRegister(words[at]!, words[at + 2]!, words[at + 3]!);
    case SYSREG_READ:
    case SYSREG_WRITE:
      return sysregs.get(words[at]!) ?? NOTHING;
    case QUEUE_WRITE:
      return queued[words[at + QUEUE_COMMAND]! & 0xff]!;
    case ITS_COMMAND:
      return executed[words[at + ITS_COMMAND_WORD]! & 0xff]!;
    default:
      return byKind[kind] ?? NOTHING;
  }
}

const bitsAt = ({ at: word, lsb, width }: Bits, words: Uint32Array, at: number): number =>
  extract(words, at + word, 0, lsb, width);

/** The value in a slot: an address in bytes, anything else as it is stored. */
export function valueAt(slot: Slot, words: Uint32Array, at = 0): number {
  const value = bitsAt(slot, words, at) * 2 ** slot.shift;
  const { intidType } = slot;
  if (intidType === undefined) return value;
  const type = typeof intidType === 'number' ? intidType : bitsAt(intidType, words, at);
  return value + type * 2 ** GICV5_TYPE_LSB;
}

/** What the value in a slot names; undefined if it names nothing. */
export function identifierAt(slot: Slot, words: Uint32Array, at = 0): Identifier | 'address' | undefined {
  const { identifies, none } = slot;
  if (none !== undefined && bitsAt(slot, words, at) === none) return undefined;
  if (slot.unlessZero && words[at + slot.at] === 0 && words[at + slot.at + 1] === 0) return undefined;
  return typeof identifies === 'string' ? identifies : identifies.is[bitsAt(identifies.by, words, at)];
}

/** One thing that a record names (`first` equals `last`), or a range with both ends included. */
export interface Mention {
  readonly identifier: Identifier;
  readonly first: number;
  readonly last: number;
  /** The field, operand or register array that names it. */
  readonly field: string;
}

/** Everything that a record names, except addresses. Values that its source does not contain name nothing. */
export function mentions(batch: RecordBatch, i: number): Mention[] {
  const found: Mention[] = [];
  eachMention(batch, i, (identifier, first, last, field) => {
    found.push({ identifier, first, last, field });
  });
  return found;
}

/** Whether a record names this INTID, DeviceID …, alone or in a range. */
export function isAbout(batch: RecordBatch, i: number, identifier: Identifier, value: number): boolean {
  let hit = false;
  eachMention(batch, i, (what, first, last) => {
    hit ||= what === identifier && first <= value && value <= last;
  });
  return hit;
}

type Visit = (identifier: Identifier, first: number, last: number, field: string) => void;

/** Calls `visit` for each of the {@link mentions}. */
export function eachMention(batch: RecordBatch, i: number, visit: Visit): void {
  const kind = batch.kind[i]!;
  const { words } = batch;
  const at = i * RECORD_WORDS;
  const isMmio = kind === MMIO_READ || kind === MMIO_WRITE;
  const isSysreg = kind === SYSREG_READ || kind === SYSREG_WRITE;
  const isUnknown = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) !== 0;
  if (isSysreg) {
    const name = anySysregName(words[at]!);
    if (isUnknown || name === undefined) return;
    if (!isPossible(ALL_SYSREGS[name].access, kind === SYSREG_WRITE)) return;
  }
  if (isMmio) {
    const place = registerAt(words[at]!, words[at + 2]!);
    if (place === undefined || batch.flags[i]! & RECORD_FLAGS.reserved) return;
    if (!isPossible(place.spec.access, kind === MMIO_WRITE)) return;
    if (place.spec.bitsPerIntid !== undefined)
      return spans(place, words, at, kind === MMIO_WRITE, isUnknown, visit);
    if (isUnknown) return;
  }
  const shown = kind === ITS_COMMAND ? words[at + SHOWN]! : -1;
  for (const slot of slotsOf(kind, words, at)) {
    if (slot.operand >= 0 && ((shown >>> slot.operand) & 1) === 0) continue;
    const identifier = identifierAt(slot, words, at);
    if (identifier === undefined || identifier === 'address') continue;
    const first = valueAt(slot, words, at);
    if (first === slot.all) {
      visit(identifier, ...EVERY, slot.field);
      continue;
    }
    const count = slot.count === undefined ? 1 : bitsAt(slot.count, words, at);
    if (count === 0) continue;
    visit(identifier, first, first + count - 1, slot.field);
    if (slot.also !== undefined) visit(slot.also, first, first + count - 1, slot.field);
  }
}

/** The range for "all": only LPIs and vLPIs are ever named all at once. */
const EVERY = [INTID_RANGES.LPI.first, INTID_RANGES.LPI.last] as const;

/** The INTIDs that an access to a register array concerns. If a write acts only on bits that are 1, the INTIDs of those. */
function spans(
  { spec, element, name }: RegisterPlace,
  words: Uint32Array,
  at: number,
  write: boolean,
  isUnknown: boolean,
  visit: Visit,
): void {
  const span = intidSpan(spec, element, words[at + 2]!, words[at + 3]!);
  if (span === undefined) return;
  if (!write || isUnknown || !spec.writesOnes) return visit('INTID', span.first, span.last, name);
  for (let bits = words[at + MMIO_VALUE]!; bits !== 0; ) {
    const from = 31 - Math.clz32(bits & -bits);
    // The length of the run of ones from there on.
    const rest = bits >>> from;
    const length = ~rest === 0 ? 32 : 31 - Math.clz32(~rest & -~rest);
    visit('INTID', span.first + from, span.first + from + length - 1, name);
    bits = from + length >= 32 ? 0 : (bits & ~((2 ** length - 1) << from)) >>> 0;
  }
}
