// What can be compared of two recordings of one GIC, once for the whole repository: the parts of a record that a source
// may leave out, the bits that mean nothing, and which observables are ordered against each other. `replay` and `diff`
// are two algorithms that both go by this file, so that they agree. Knows no model, no file and no algorithm.
//
// What one stimulus does is a set of streams. Within a stream the order counts. Between two streams it does not, since
// implementations print them at different points: QEMU prints an ITS command when it begins and then the entries that
// the ITS read and wrote; others print the command once its outcome is known, behind the entries.
import {
  GICR,
  ITS_COMMANDS,
  ITS_OUTCOMES,
  isOutcomeKnown,
  type OperandSpec,
  SPURIOUS,
} from '../spec/index.ts';
import type { RecordBatch } from './batch.ts';
import { isObservable, isStimulus, KIND } from './facts.ts';
import { RECORD_FLAGS, type RecordName } from './kinds.ts';
import { RECORD_WORDS } from './shape.ts';
import { FRAMES } from './values.ts';

// ---- signals: what a PE is signalled ---------------------------------------------------------------------------

/** What a PE is signalled: a stream for each PE and each of these kinds, in which a line may repeat the one before. */
export interface Signal {
  readonly kind: number;
  /** The words before anything has happened, and after a reset. */
  readonly idle: readonly number[];
  /** How many words a source shows that does not show the interrupt lines (`valueUnknown`). */
  readonly wordsWithoutLines: number;
}

/** Idle priority of {@link SIGNALS}. */
const IDLE_PRIORITY = 0xff;

export const SIGNALS: readonly Signal[] = [
  { kind: KIND.hppi, idle: [SPURIOUS, 0, IDLE_PRIORITY, 0, 0], wordsWithoutLines: 3 },
  { kind: KIND.vhppi, idle: [0xffff_ffff, SPURIOUS, 0, IDLE_PRIORITY, 0, 0], wordsWithoutLines: 4 },
  { kind: KIND.maintenance, idle: [0], wordsWithoutLines: 1 },
];

const signals = new Int8Array(256).fill(-1);
SIGNALS.forEach(({ kind }, signal) => {
  signals[kind] = signal;
});

/** The place of a kind in {@link SIGNALS}, or -1. */
export function signalOf(kind: number): number {
  return signals[kind]!;
}

// ---- ordered streams -------------------------------------------------------------------------------------------

/**
 * Streams of which every record counts, each one stream for the whole GIC, by their kinds. Observables of a GICv5
 * (record/gicv5-kinds) are in none: they keep the order in which they are printed.
 */
export const ORDERED_STREAMS = {
  commands: ['its.command'],
  tables: [
    'dte.read',
    'dte.write',
    'cte.read',
    'cte.write',
    'ite.read',
    'ite.write',
    'vte.read',
    'vte.write',
  ],
  sgis: ['sgi.sent'],
} as const satisfies Record<string, readonly RecordName[]>;
export type OrderedStreamName = keyof typeof ORDERED_STREAMS;

const orderedStreams = new Int8Array(256).fill(-1);
Object.values(ORDERED_STREAMS).forEach((kinds, stream) => {
  for (const name of kinds) orderedStreams[KIND[name]] = stream;
});

/** The place in {@link ORDERED_STREAMS} of the stream of a kind, or -1. */
export function orderedStreamOf(kind: number): number {
  return orderedStreams[kind]!;
}

// ---- stimuli ---------------------------------------------------------------------------------------------------

const open = new Uint8Array(256);
for (const name of ['mem.write', 'mem.known', 'mem.unknown', 'queue.write', 'state.known'] as const)
  open[KIND[name]] = 1;

/**
 * Whether what the stimulus before did may still follow a stimulus of this kind: the GIC does nothing at a store to
 * memory, and knowledge of its state is no act at all. Any other stimulus is a barrier.
 */
export function leavesEffectsOpen(kind: number): boolean {
  return open[kind] !== 0;
}

/** Rank of a record that stays where it is: a stimulus that is a barrier. */
export const BARRIER = 0;
/** Rank of what follows the observables of a barrier: stimuli that leave its effects open, operations, events. */
export const BEHIND_EFFECTS = 0xffff;
/** A power of 2 with room for each PE and for none. */
const PE_CODES = 1024;

/**
 * The stream of a record among the effects of one barrier. Recordings agree in the order of records of one rank, and
 * each rank may be interleaved with the others in any way. Below 2^16; a barrier has rank {@link BARRIER}.
 */
export function rankOf(kind: number, pe: number): number {
  if (isStimulus(kind) && !leavesEffectsOpen(kind)) return BARRIER;
  const stream = orderedStreams[kind]!;
  if (stream >= 0) return 1 + stream;
  const signal = signals[kind]!;
  if (signal >= 0) return (1 + signal) * PE_CODES + ((pe + 1) & (PE_CODES - 1));
  return isObservable(kind) ? 16 : BEHIND_EFFECTS;
}

// ---- records that are no evidence ------------------------------------------------------------------------------

/** Whether a read says nothing about what it returned: the source does not show it, or what decides it. */
export function isResponseUnknown(flags: number): boolean {
  return (flags & (RECORD_FLAGS.valueUnknown | RECORD_FLAGS.undecided)) !== 0;
}

/** The word in which the value of a read begins, low word first; -1 for another kind. */
export function responseAt(kind: number): number {
  return kind === KIND['mmio.read'] ? 4 : kind === KIND['sysreg.read'] ? 1 : -1;
}

/** The word in which the value of an access begins, low word first; -1 for another kind. */
export function accessValueAt(kind: number): number {
  if (kind === KIND['mmio.write']) return 4;
  return kind === KIND['sysreg.write'] ? 1 : responseAt(kind);
}

/** Whether recordings can agree in whether the access reached a reserved location. */
export function hasReserved(kind: number, flags: number): boolean {
  return kind === KIND['mmio.write'] || (kind === KIND['mmio.read'] && !isResponseUnknown(flags));
}

/**
 * The flags that count: who made an access and, if the sources tell, whether its location is reserved. An observable is
 * what it says, whatever its flags.
 */
export function comparableFlags(kind: number, flags: number, tellsReserved: boolean): number {
  if (!isStimulus(kind)) return 0;
  const own = flags & (RECORD_FLAGS.secure | RECORD_FLAGS.el3);
  return tellsReserved && hasReserved(kind, flags) ? own | (flags & RECORD_FLAGS.reserved) : own;
}

// ---- bits that are UNKNOWN -------------------------------------------------------------------------------------

const GICR_FRAME = FRAMES.indexOf('GICR');
const VPENDBASER = GICR.GICR_VPENDBASER.offset;

/**
 * Clears what the architecture leaves UNKNOWN of a value that an MMIO read returned, words `at` and `at + 1`. IHI 0069,
 * "GICR_VPENDBASER": PendingLast is UNKNOWN until Valid has been written from 1 to 0, so it says nothing while Valid is
 * 1. Valid is bit 63, PendingLast bit 61.
 */
export function clearUnknownBits(words: Uint32Array, at: number, frame: number, offset: number): void {
  if (frame !== GICR_FRAME) return;
  const high = offset === VPENDBASER ? at + 1 : offset === VPENDBASER + 4 ? at : -1;
  if (high >= 0 && words[high]! >>> 31 === 1) words[high] = words[high]! & ~(1 << 29);
}

// ---- ITS commands ----------------------------------------------------------------------------------------------

/** Words of an its.command: its outcome, which operands are shown, and the command itself. */
export const COMMAND_WORDS = { outcome: 2, shown: 3, doublewords: 4 } as const;
const OPCODE_MASK = 0xff;

/** By opcode: for each operand the bits of the eight words of a command that are it. */
const operandMasks: (Uint32Array | undefined)[] = new Array(256).fill(undefined);
for (const { opcode, operands } of Object.values(ITS_COMMANDS)) {
  const masks = new Uint32Array(8 * operands.length);
  (operands as readonly OperandSpec[]).forEach(({ dw, lsb, width }, k) => {
    for (let bit = lsb; bit < lsb + width; bit++) masks[8 * k + 2 * dw + (bit >> 5)]! |= 1 << (bit & 31);
  });
  operandMasks[opcode] = masks;
}

/** Whether a command is known at all: where nobody has shown what is in its slot, only the slot is. */
export function isCommandShown(outcome: number): boolean {
  return outcome !== ITS_OUTCOMES.NOT_SHOWN;
}

/** Whether an its.command with these flags says what became of the command. */
export function isOutcomeShown(flags: number, outcome: number): boolean {
  return (flags & RECORD_FLAGS.valueUnknown) === 0 && isOutcomeKnown(outcome);
}

/** Of the bits that say which operands of a command are shown: those that stand for an operand. */
export function shownOperands(opcode: number, shown: number): number {
  const masks = operandMasks[opcode & OPCODE_MASK];
  return masks === undefined ? 0 : shown & (2 ** (masks.length / 8) - 1);
}

/**
 * Fills `out` with the bits of an its.command that are compared: ITS, slot, opcode, the operands of which `shown` has
 * the bit, and the outcome if it is shown. What is no operand means nothing. For a hot path: allocates nothing.
 */
export function commandMask(out: Uint32Array, opcode: number, shown: number, hasOutcome: boolean): void {
  out.fill(0);
  out[0] = out[1] = 0xffff_ffff;
  if (hasOutcome) out[COMMAND_WORDS.outcome] = 0xffff_ffff;
  out[COMMAND_WORDS.doublewords] = OPCODE_MASK;
  const masks = operandMasks[opcode & OPCODE_MASK];
  if (masks === undefined) return;
  for (let k = 0; 8 * k < masks.length; k++) {
    if (((shown >>> k) & 1) === 0) continue;
    for (let word = 0; word < 8; word++) out[COMMAND_WORDS.doublewords + word]! |= masks[8 * k + word]!;
  }
}

// ---- pairs -----------------------------------------------------------------------------------------------------

const one = new Uint32Array(RECORD_WORDS);
const other = new Uint32Array(RECORD_WORDS);
const both = new Uint32Array(RECORD_WORDS);

/** Whether two records say the same in all that both sources show of them. */
export function agree(x: RecordBatch, i: number, y: RecordBatch, j: number, tellsReserved = true): boolean {
  const kind = x.kind[i]!;
  if (kind !== y.kind[j]) return false;
  const [flagsX, flagsY] = [x.flags[i]!, y.flags[j]!];
  const isPeKnown = ((flagsX | flagsY) & RECORD_FLAGS.peUndecided) === 0;
  if (isPeKnown && comparesPe(kind) && x.pe[i] !== y.pe[j]) return false;
  // Where one side says nothing about the response, it says nothing about the location either.
  const isUnknown = ((flagsX | flagsY) & (RECORD_FLAGS.valueUnknown | RECORD_FLAGS.undecided)) !== 0;
  const tells = tellsReserved && hasReserved(kind, flagsX | flagsY);
  if (comparableFlags(kind, flagsX, tells) !== comparableFlags(kind, flagsY, tells)) return false;
  for (let k = 0; k < RECORD_WORDS; k++) {
    one[k] = x.words[i * RECORD_WORDS + k]!;
    other[k] = y.words[j * RECORD_WORDS + k]!;
  }
  both.fill(0xffff_ffff);
  const unknownFlags = flagsX | flagsY;
  if (kind === KIND['its.command']) {
    const shown = one[COMMAND_WORDS.shown]! & other[COMMAND_WORDS.shown]!;
    const [outcomeX, outcomeY] = [one[COMMAND_WORDS.outcome]!, other[COMMAND_WORDS.outcome]!];
    const hasOutcome = isOutcomeShown(flagsX, outcomeX) && isOutcomeShown(flagsY, outcomeY);
    commandMask(both, one[COMMAND_WORDS.doublewords]!, shown, hasOutcome);
    if (!isCommandShown(outcomeX) || !isCommandShown(outcomeY)) both.fill(0, 2);
    // A slot is compared with the slots around it; no queue has more than 2^15.
    both[1] = 0xffff_0000;
  } else if (signals[kind]! >= 0) {
    const { wordsWithoutLines, idle } = SIGNALS[signals[kind]!]!;
    const shown = unknownFlags & RECORD_FLAGS.valueUnknown ? wordsWithoutLines : idle.length;
    both.fill(0, shown);
  } else if (isUnknown && responseAt(kind) >= 0) both.fill(0, responseAt(kind), responseAt(kind) + 2);
  else if (unknownFlags & RECORD_FLAGS.valueUnknown && accessValueAt(kind) >= 0)
    both.fill(0, accessValueAt(kind), accessValueAt(kind) + 2);
  return one.every((word, k) => ((word ^ other[k]!) & both[k]!) === 0);
}

/** Whether it counts of which PE a record is: an ITS has none, whatever the record says. */
export function comparesPe(kind: number): boolean {
  const stream = orderedStreams[kind]!;
  return stream < 0 || stream === SGIS;
}
const SGIS = Object.keys(ORDERED_STREAMS).indexOf('sgis');
