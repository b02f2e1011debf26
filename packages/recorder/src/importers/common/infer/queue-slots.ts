// Which slots of a command queue hold a command from the source.
import type { GicState } from '@gictrace/core/model';
import { RECORD_WORDS, type RecordBatch, RULES } from '@gictrace/core/record';

const MEMORY_READ = RULES['memory-read'].id;
const COMMAND_BYTES = 32;

export class QueueSlots {
  private readonly state: GicState;
  /** The source contains every stimulus and store there was. */
  private readonly exact: boolean;
  /** The source has a line for each command. A slot without one still holds what it held before. */
  private readonly lists: boolean;
  /** Slots with a command that has not been executed since, and those that the current stimulus executed. */
  private readonly fresh = new Set<number>();
  private readonly executed: number[] = [];
  private hasSlots = false;

  constructor(state: GicState, exact: boolean, lists: boolean) {
    this.state = state;
    this.exact = exact;
    this.lists = lists;
  }

  /** The current stimulus executes the command in a slot. */
  execute(address: number): void {
    this.executed.push(address);
  }

  /** Whether the source has a command in a slot that has not been executed since. */
  isFresh(address: number): boolean {
    return this.fresh.has(address);
  }

  /** The next stimulus begins. */
  next(): void {
    if (this.executed.length === 0) return;
    for (const address of this.executed) this.fresh.delete(address);
    this.executed.length = 0;
  }

  /** Notes what a slot of a command queue holds. */
  noteWrite(group: RecordBatch, i: number): void {
    const w = i * RECORD_WORDS;
    // Memory that is read repeatedly may have no line for what has not changed.
    if (group.rule[i] !== MEMORY_READ) this.hasSlots = true;
    this.fresh.add(group.words[w + 2]! * 2 ** 32 + group.words[w + 1]!);
  }

  /** Notes a store to a command queue. */
  noteStore(group: RecordBatch, i: number): void {
    const { cbaser, itsCount } = this.state;
    const w = i * RECORD_WORDS;
    const address = group.words[w + 1]! * 2 ** 32 + group.words[w]!;
    for (let its = 0; its < itsCount; its++) {
      const base = (cbaser[2 * its + 1]! & 0xf_ffff) * 2 ** 32 + ((cbaser[2 * its]! & 0xffff_f000) >>> 0);
      const bytes = ((cbaser[2 * its]! & 0xff) + 1) * 4096;
      if (cbaser[2 * its + 1]! & 0x8000_0000 && address >= base && address < base + bytes)
        this.fresh.add(address - (address % COMMAND_BYTES));
    }
  }

  /** Whether the command in a queue slot is known. What the slot held before has been overwritten. */
  isShown(address: number, storesShown: boolean): boolean {
    if (!this.state.memory.areKnown(address, COMMAND_BYTES)) return false;
    return storesShown || this.exact || this.lists || !this.hasSlots || this.fresh.has(address);
  }

  /** Whether a slot holds what a zeroed queue holds, which is not a command. */
  isBlank(address: number): boolean {
    const { memory } = this.state;
    for (let at = 0; at < COMMAND_BYTES; at += 4) if (memory.readWord(address + at) !== 0) return false;
    return true;
  }
}
