// The running GICv5: its state, the sink for its events, and what must be arbitrated again. `emit` applies an event at once
// and passes it to the sink; handlers say by `recalculate`, `touchPpis` and `touchSignal` what must be calculated again.
import type { Gicv5Config } from '../config-gicv5.ts';
import type { EventSink } from '../model/machine.ts';
import { WorkBudget } from '../model/work-budget.ts';
import { isEvent, NO_PE, RECORD_WORDS, RECORDS, UNITS } from '../record/index.ts';
import { apply } from './apply.ts';
import type { Gicv5Profile } from './profiles.ts';
import { Gicv5State, NON_SECURE } from './state.ts';

export { NON_SECURE } from './state.ts';

const REG_CHANGED = RECORDS['reg.changed'].id;
const UNIT_IRS = UNITS.indexOf('IRS');
const UNIT_ICC = UNITS.indexOf('ICC');
const UNIT_ITS = UNITS.indexOf('ITS');
const UNIT_IWB = UNITS.indexOf('IWB');
/** What is calculated again: what the IRS presents to a PE, its best PPI, or what it is signalled. */
export const AGAIN = { irs: 0, ppi: 1, signal: 2 } as const;

export class Gicv5Machine {
  readonly state: Gicv5State;
  readonly profile: Gicv5Profile;
  sink: EventSink | undefined;
  readonly budget = new WorkBudget();
  /** The time of emitted records. */
  timeNs = Number.NaN;
  /** The value that the last read returned. */
  low = 0;
  high = 0;
  /** Whether the last access was to a reserved location, or had the wrong width or direction. */
  reserved = false;
  /** Whether the last access was to something that the model does not have: nothing was done and no value was read. */
  unsupported = false;
  /** Whether that is so because the value depends on memory that the source does not contain. */
  undecided = false;

  /** What must be calculated again, in the order in which it came up: what (`AGAIN`), and the PE or IAFFID. */
  readonly again: number[] = [];

  private readonly scratch = new Uint32Array(RECORD_WORDS);

  constructor(config: Gicv5Config) {
    this.state = new Gicv5State(config);
    this.profile = this.state.profile;
    this.state.memory.budget = this.budget;
  }

  /** Emits an event or observable of up to eight words. */
  emit(kind: number, pe: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0): void {
    const { sink } = this;
    const wanted = sink !== undefined && (!isEvent(kind) || sink.events);
    let words: Uint32Array = this.scratch;
    let at = 0;
    if (wanted) {
      if (sink.batch.count === sink.batch.capacity) sink.full();
      at = sink.batch.push(kind, pe, this.timeNs) * RECORD_WORDS;
      words = sink.batch.words;
    }
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = d;
    words[at + 4] = e;
    words[at + 5] = f;
    words[at + 6] = g;
    words[at + 7] = h;
    apply(this.state, kind, pe, words, at);
  }

  /** Emits reg.changed for a register of the IRS's config frame. */
  changeIrs(register: number, low: number, high = 0): void {
    this.emit(REG_CHANGED, NO_PE, UNIT_IRS, NON_SECURE, register, low, high);
  }

  /** Emits reg.changed for a register of an ITS's config frame. */
  changeIts(its: number, register: number, low: number, high = 0): void {
    this.emit(REG_CHANGED, NO_PE, UNIT_ITS, its, register, low, high);
  }

  /** Emits reg.changed for a register of an IWB. */
  changeIwb(iwb: number, register: number, value: number): void {
    this.emit(REG_CHANGED, NO_PE, UNIT_IWB, iwb, register, value);
  }

  /** Emits reg.changed for a register of a CPU interface. */
  changeIcc(pe: number, register: number, low: number, high = 0): void {
    this.emit(REG_CHANGED, pe, UNIT_ICC, pe, register, low, high);
  }

  /** The IRS looks again for what it presents to the PE with this IAFFID, after a change that concerns it. */
  recalculate(iaffid: number): void {
    this.again.push(AGAIN.irs, iaffid);
  }

  recalculateAll(): void {
    for (const { iaffid } of this.state.config.pes) this.recalculate(iaffid);
  }

  /** The PPIs of a PE may have changed. */
  touchPpis(pe: number): void {
    this.again.push(AGAIN.ppi, pe);
  }

  /** The registers of a CPU interface may have changed. */
  touchSignal(pe: number): void {
    this.again.push(AGAIN.signal, pe);
  }

  isPe(pe: number): boolean {
    return pe >= 0 && pe < this.state.peCount;
  }
}
