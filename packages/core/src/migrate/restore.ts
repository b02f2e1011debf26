// Restores a saved GIC item by item, as a hypervisor does. An order in which something would be lost is a fault that names
// both items and the reason; the item is then not written.

import type { Machine } from '../model/machine.ts';
import { step } from '../model/step.ts';
import { KNOWN_STATE, NO_PE, RECORD_WORDS, RECORDS, RecordBatch, UNITS } from '../record/index.ts';
import { ORDER_RULES, type SavedItem } from './registers.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const STATE_KNOWN = RECORDS['state.known'].id;
const KNOWN_REGISTER = KNOWN_STATE.indexOf('register');
const KNOWN_LEVEL = KNOWN_STATE.indexOf('level');
/** Pages of one `mem.known`: 2 GiB. */
const STRETCH_PAGES = 1 << 19;
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
const UNIT_GITS = UNITS.indexOf('GITS');

export interface RestoreFault {
  /** Rule of ORDER_RULES, or `missing`. */
  readonly rule: string;
  readonly text: string;
}

/** Runs one stimulus, given by its record kind and words. */
export type RunStimulus = (kind: number, pe: number, ...words: readonly number[]) => void;

/** Runs stimuli on a machine directly. */
export function stimuliOn(machine: Machine): RunStimulus {
  const batch = new RecordBatch(1);
  return (kind, pe, ...words) => {
    batch.clear();
    batch.words.set(words, batch.push(kind, pe, Number.NaN) * RECORD_WORDS);
    step(machine, batch, 0);
  };
}

export class Restore {
  private readonly written: SavedItem[] = [];
  /** For each rule, the first item that must come later, of any instance or of each one. */
  private readonly early = ORDER_RULES.map(() => new Map<number, SavedItem>());
  private readonly run: RunStimulus;

  /** The machine on which `run` runs stimuli must be as after a reset. */
  constructor(run: RunStimulus) {
    this.run = run;
  }

  /** Writes one item. Returns a fault if it comes too late or too early. */
  write(item: SavedItem): RestoreFault | undefined {
    const key = (rule: (typeof ORDER_RULES)[number]) => (rule.sameInstance ? item.instance : -1);
    for (const [k, rule] of ORDER_RULES.entries()) {
      const early = rule.first(item) ? this.early[k]!.get(key(rule)) : undefined;
      if (early !== undefined)
        return { rule: rule.id, text: `${item.name} of ${item.instance} after ${early.name}: ${rule.why}` };
    }
    for (const [k, rule] of ORDER_RULES.entries())
      if (rule.later(item) && !this.early[k]!.has(key(rule))) this.early[k]!.set(key(rule), item);
    this.written.push(item);
    this.put(item);
    return undefined;
  }

  /** Faults for items that were saved but have not been restored. */
  finish(saved: readonly SavedItem[]): RestoreFault[] {
    const done = new Set(this.written.map((item) => `${item.step} ${item.name} ${item.instance} ${item.at}`));
    return saved
      .filter((item) => !done.has(`${item.step} ${item.name} ${item.instance} ${item.at}`))
      .map((item) => ({ rule: 'missing', text: `${item.name} of ${item.instance} was not restored` }));
  }

  private stimulus(kind: number, pe: number, ...words: number[]): void {
    this.run(kind, pe, ...words);
  }

  private put(item: SavedItem): void {
    const { name, instance, at, width, low, high } = item;
    switch (item.step) {
      case 'GICD':
        return this.stimulus(MMIO_WRITE, 0, 0, 0, at, width, low, high);
      case 'GICR':
        return this.stimulus(MMIO_WRITE, instance, 1, instance, at, width, low, high);
      case 'ICC':
      case 'ICH':
        return this.stimulus(SYSREG_WRITE, instance, at, low, high);
      case 'wires':
        // Only the level is restored here. The latch of an edge is restored with the pending registers.
        return this.stimulus(STATE_KNOWN, instance < 0 ? NO_PE : instance, KNOWN_LEVEL, 0, 0, 0, at, low, 0);
      case 'memory':
        return item.stretch === undefined ? this.page(item) : this.stretch(item.at, item.stretch);
      case 'GITS':
        // A guest cannot write GITS_CREADR, but a hypervisor restores it.
        if (name === 'GITS_CREADR')
          this.stimulus(STATE_KNOWN, NO_PE, KNOWN_REGISTER, UNIT_GITS, instance, at, 0, low, high);
        else this.stimulus(MMIO_WRITE, 0, 2, instance, at, width, low, high);
        return;
      case 'tables':
        // The model reads its tables from memory whenever it needs them.
        return;
      case 'GITS_CTLR':
        return this.stimulus(MMIO_WRITE, 0, 2, instance, at, width, low, high);
    }
  }

  /** Restores a long stretch of memory, in records whose length fits in a word. */
  private stretch(at: number, { pages, byte }: NonNullable<SavedItem['stretch']>): void {
    for (let done = 0; done < pages; done += STRETCH_PAGES) {
      const address = at + 4096 * done;
      const length = 4096 * Math.min(STRETCH_PAGES, pages - done);
      this.stimulus(MEM_KNOWN, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), length, byte);
    }
  }

  /** Restores a page of memory, in runs of equal known bytes. */
  private page(item: SavedItem): void {
    const { data, known } = item.page!;
    const isKnown = (k: number) => ((known[k >> 3]! >> (k & 7)) & 1) === 1;
    for (let from = 0; from < 4096; ) {
      let to = from + 1;
      while (to < 4096 && isKnown(to) === isKnown(from) && data[to] === data[from]) to++;
      const address = item.at + from;
      const [low, high] = [address >>> 0, Math.floor(address / 2 ** 32)];
      if (isKnown(from)) this.stimulus(MEM_KNOWN, NO_PE, low, high, to - from, data[from]!);
      else this.stimulus(MEM_UNKNOWN, NO_PE, low, high, to - from);
      from = to;
    }
  }
}

/** Restores a saved GIC on a machine that is as after a reset, in the given order, and returns the faults. */
export function restore(machine: Machine, items: readonly SavedItem[], saved = items): RestoreFault[] {
  return restoreBy(stimuliOn(machine), items, saved);
}

/** Restores a saved GIC by stimuli. */
export function restoreBy(run: RunStimulus, items: readonly SavedItem[], saved = items): RestoreFault[] {
  const session = new Restore(run);
  const faults: RestoreFault[] = [];
  for (const item of items) {
    const fault = session.write(item);
    if (fault !== undefined) faults.push(fault);
  }
  return [
    ...faults,
    ...session
      .finish(saved)
      .filter(({ text }) => !faults.some((fault) => fault.text.startsWith(text.split(' was ')[0]!))),
  ];
}
