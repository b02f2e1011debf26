// What an ITS and an IWB store. Apart from the state of the IRS, since most GICv5s of today have neither. This file has only
// state: `apply` alone changes it.
import type { Gicv5Config } from '../config-gicv5.ts';
import type { Arena } from '../model/arena.ts';
import { ITS, IWB } from '../spec/gicv5/index.ts';

/** Where the registers that an ITS stores are among its words, by offset. A register of 64 bits has two words. */
export const ITS_WORDS: ReadonlyMap<number, number> = new Map([
  [ITS.ITS_CR0.offset, 0],
  [ITS.ITS_CR1.offset, 1],
  [ITS.ITS_DT_BASER.offset, 2],
  [ITS.ITS_DT_CFGR.offset, 4],
  [ITS.ITS_EIDR.offset, 5],
  [ITS.ITS_DIDR.offset, 6],
  [ITS.ITS_GEN_EVENT_DIDR.offset, 8],
  [ITS.ITS_READ_EVENT_DATAR.offset, 10],
  [ITS.ITS_GEN_EVENT_EIDR.offset, 12],
]);
const WORDS_PER_ITS = 13;
const DOUBLE: ReadonlySet<number> = new Set(
  [ITS.ITS_DT_BASER, ITS.ITS_DIDR, ITS.ITS_GEN_EVENT_DIDR, ITS.ITS_READ_EVENT_DATAR].map(
    ({ offset }) => offset,
  ),
);

/** A table entry of 64 bits: low and high word. */
export type Entry = readonly [low: number, high: number];

/** What an ITS keeps of its tables until software invalidates it. */
export interface Kept {
  /** Entries of the device table, by DeviceID. */
  readonly devices: Map<number, Entry>;
  /** Entries of translation tables, by DeviceID and EventID. */
  readonly events: Map<number, Map<number, Entry>>;
}

/** The input wires of an IWB, a bit for each. */
export interface IwbBits {
  readonly enable: Uint32Array;
  /** 1 is Level. */
  readonly mode: Uint32Array;
  readonly level: Uint32Array;
}

export class ItsState {
  readonly count: number;
  readonly kept: readonly Kept[];
  readonly iwbs: readonly IwbBits[];
  private readonly registers: Uint32Array;
  private held = 0;

  private constructor(registers: Uint32Array, count: number, iwbs: readonly IwbBits[]) {
    this.registers = registers;
    this.count = count;
    this.kept = Array.from({ length: count }, () => ({ devices: new Map(), events: new Map() }));
    this.iwbs = iwbs;
  }

  /** Reserves what a configuration needs. The state exists once the arena is allocated. */
  static in(arena: Arena, config: Gicv5Config): () => ItsState {
    const count = config.its?.length ?? 0;
    const registers = arena.words(count * WORDS_PER_ITS);
    const iwbs = (config.iwb ?? []).map(({ idr0 }) => {
      const words = (idr0 & 0x7ff) + 1;
      return { enable: arena.words(words), mode: arena.words(words), level: arena.words(words) };
    });
    return () =>
      new ItsState(
        registers.get(),
        count,
        iwbs.map(({ enable, mode, level }) => ({
          enable: enable.get(),
          mode: mode.get(),
          level: level.get(),
        })),
      );
  }

  /** The low word of a stored register. */
  low(its: number, register: { readonly offset: number }): number {
    return this.registers[its * WORDS_PER_ITS + ITS_WORDS.get(register.offset)!]!;
  }

  /** The high word of a stored register of 64 bits. */
  high(its: number, register: { readonly offset: number }): number {
    return this.registers[its * WORDS_PER_ITS + ITS_WORDS.get(register.offset)! + 1]!;
  }

  /** Stores a register by its offset. Returns whether there is such a stored register. */
  store(its: number, offset: number, low: number, high: number): boolean {
    const word = ITS_WORDS.get(offset);
    if (word === undefined || its >= this.count) return false;
    this.registers[its * WORDS_PER_ITS + word] = low;
    if (DOUBLE.has(offset)) this.registers[its * WORDS_PER_ITS + word + 1] = high;
    return true;
  }

  /** Stores 32 bits of IWB_WENABLER or IWB_WTMR by their offset. Returns whether there are such wires. */
  storeWires(iwb: number, offset: number, value: number): boolean {
    const bits = this.iwbs[iwb];
    const [words, first] =
      offset >= IWB.IWB_WTMR.offset
        ? [bits?.mode, IWB.IWB_WTMR.offset]
        : [bits?.enable, IWB.IWB_WENABLER.offset];
    const word = (offset - first) / 4;
    if (words === undefined || word < 0 || word >= words.length) return false;
    words[word] = value;
    return true;
  }

  keep(its: number, isEvent: boolean, device: number, event: number, entry: Entry): void {
    const kept = this.kept[its]!;
    if (!isEvent) this.set(kept.devices, device, entry);
    else {
      const events = kept.events.get(device) ?? new Map<number, Entry>();
      kept.events.set(device, events);
      this.set(events, event, entry);
    }
  }

  private set(entries: Map<number, Entry>, at: number, entry: Entry): void {
    if (!entries.has(at)) this.held++;
    entries.set(at, entry);
  }

  forget(its: number, isEvent: boolean, device: number, event: number): void {
    const kept = this.kept[its]!;
    if (!isEvent) {
      if (kept.devices.delete(device)) this.held--;
    } else {
      const events = kept.events.get(device);
      if (events?.delete(event)) this.held--;
      if (events?.size === 0) kept.events.delete(device);
    }
  }

  /** How many entries are kept by all ITSs. */
  size(): number {
    return this.held;
  }

  clear(): void {
    this.held = 0;
    for (const { devices, events } of this.kept) {
      devices.clear();
      events.clear();
    }
  }

  /** What is kept, as numbers in a canonical order; nothing if there is no ITS. */
  save(): Uint32Array[] {
    return this.kept.map(({ devices, events }) => {
      const out: number[] = [devices.size];
      for (const [device, [low, high]] of sorted(devices)) out.push(device, low, high);
      out.push(events.size);
      for (const [device, of] of sorted(events)) {
        out.push(device, of.size);
        for (const [event, [low, high]] of sorted(of)) out.push(event, low, high);
      }
      return Uint32Array.from(out);
    });
  }

  /** Restores what `save` gave, word by word. */
  restore(word: () => number): void {
    this.clear();
    for (const { devices, events } of this.kept) {
      for (let n = word(); n > 0; n--) this.set(devices, word(), [word(), word()]);
      for (let n = word(); n > 0; n--) {
        const of = new Map<number, Entry>();
        events.set(word(), of);
        for (let k = word(); k > 0; k--) this.set(of, word(), [word(), word()]);
      }
    }
  }
}

const sorted = <T>(map: ReadonlyMap<number, T>) => [...map].sort(([a], [b]) => a - b);
