// What the events that every GIC has change: bits of interrupts, and guest memory. `apply` of each model calls this; only the
// arrays in which the bits are differ.
import { RECORDS } from '../record/index.ts';
import type { GuestMemory } from './memory.ts';

const WIRE_CHANGED = RECORDS['wire.changed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const IRQ_UNPENDED = RECORDS['irq.unpended'].id;
const IRQ_ACTIVATED = RECORDS['irq.activated'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;

/** The bit of an interrupt that an event of these five kinds changes. */
export function irqBitOf(kind: number): 'level' | 'pending' | 'active' {
  if (kind === WIRE_CHANGED) return 'level';
  return kind === IRQ_PENDED || kind === IRQ_UNPENDED ? 'pending' : 'active';
}

/** What the event makes of that bit. */
export function irqBitAfter(kind: number, words: Uint32Array, at: number): boolean {
  if (kind === WIRE_CHANGED) return words[at + 1] !== 0;
  return kind === IRQ_PENDED || kind === IRQ_ACTIVATED;
}

/** Sets or clears a bit of a bitmap. */
export function setBit(words: Uint32Array, index: number, value: boolean): void {
  const bit = 1 << (index & 31);
  if (value) words[index >> 5]! |= bit;
  else words[index >> 5]! &= ~bit;
}

/** Applies `mem.written` or `mem.marked`. */
export function applyMemory(memory: GuestMemory, kind: number, words: Uint32Array, at: number): void {
  const address = words[at + 1]! * 0x1_0000_0000 + words[at]!;
  if (kind === MEM_WRITTEN) memory.write(address, words[at + 2]!, words[at + 3]!, words[at + 4]!);
  else memory.mark(address, words[at + 2]!, words[at + 3] !== 0, words[at + 4]!);
}
