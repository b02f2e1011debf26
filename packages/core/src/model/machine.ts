// The running GIC: its state, the sink for its events, and what must be arbitrated again. Every unit of the model takes a
// Machine. `emit` applies an event at once, marks what it affects, and passes it to the sink.

import type { GicConfig } from '../config.ts';
import type { Profile } from '../profile/index.ts';
import {
  IRQ_ATTRIBUTES,
  isEvent,
  NO_PE,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  UNITS,
  UNPREDICTABLE as UNPREDICTABLE_ACTS,
} from '../record/index.ts';
import { fieldReader, GICR, isPrivate, LPI_FIRST } from '../spec/index.ts';
import { apply, configTableAddress } from './apply.ts';
import { GicState } from './state.ts';
import { WorkBudget } from './work-budget.ts';

/** What the model is about to read in guest memory. */
export type MemoryUse =
  | 'lpi-config'
  | 'pending-table'
  | 'vlpi-config'
  | 'virtual-pending-table'
  | 'level-1'
  | 'dte'
  | 'cte'
  | 'ite'
  | 'vte'
  | 'command';

/**
 * Called before the model reads guest memory, so that an importer can supply contents that its source contains only
 * indirectly. `index` is the INTID, table index, EventID or queue slot; `unit` is the PE or ITS.
 */
export type MemoryWitness = (
  use: MemoryUse,
  unit: number,
  index: number,
  address: number,
  length: number,
) => void;

/** Where emitted records go. `full` is called when the batch is full, and must make room. */
export interface EventSink {
  readonly batch: RecordBatch;
  /** Whether events are wanted, or only observables. */
  readonly events: boolean;
  full(): void;
}

const HPPI = RECORDS.hppi.id;
const REG_CHANGED = RECORDS['reg.changed'].id;
const UNPREDICTABLE = RECORDS['behaviour.unpredictable'].id;
const MEM_MARKED = RECORDS['mem.marked'].id;
const IRQ_CHANGED = RECORDS['irq.changed'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;
const STATE_RESET = RECORDS['state.reset'].id;
const UNIT_GICD = UNITS.indexOf('GICD');
const UNIT_GITS = UNITS.indexOf('GITS');
const UNIT_GICR = UNITS.indexOf('GICR');
const UNIT_ICH = UNITS.indexOf('ICH');
/** Register offsets from here on are in the VLPI frame of a Redistributor. */
const VLPI_FRAME = 0x2_0000;
const idBits = fieldReader(GICR.GICR_PROPBASER, 'IDbits');
const ATTRIBUTE_EDGE = IRQ_ATTRIBUTES.indexOf('edge');

const PE_SECURITY = RECORDS['pe.security'].id;
/** By kind of event: how it affects arbitration. */
const TOUCHES_NOTHING = 0;
const TOUCHES_IRQ = 1;
const TOUCHES_PE = 2;
const TOUCHES_BY_UNIT = 3;
const TOUCHES_VPE = 4;
const TOUCHES_MEMORY = 5;
const TOUCHES_ALL = 6;
const touches = new Uint8Array(256);
for (const name of [
  'wire.changed',
  'irq.pended',
  'irq.unpended',
  'irq.activated',
  'irq.deactivated',
  'irq.changed',
  'irq.routed',
] as const)
  touches[RECORDS[name].id] = TOUCHES_IRQ;
for (const name of ['lpi.pended', 'lpi.cleared', 'lpi.configured', 'lpi.forgotten', 'pe.security'] as const)
  touches[RECORDS[name].id] = TOUCHES_PE;
for (const name of ['vlpi.pended', 'vlpi.cleared', 'vlpi.loaded', 'vlpi.forgotten', 'vpe.resident'] as const)
  touches[RECORDS[name].id] = TOUCHES_VPE;
touches[REG_CHANGED] = TOUCHES_BY_UNIT;
touches[STATE_RESET] = TOUCHES_ALL;
/** The same table for profiles whose Redistributors read the configuration of LPIs at every arbitration. */
const touchesLive = touches.slice();
touchesLive[MEM_WRITTEN] = TOUCHES_MEMORY;
touchesLive[MEM_MARKED] = TOUCHES_MEMORY;

export class Machine {
  readonly state: GicState;
  readonly profile: Profile;
  sink: EventSink | undefined;
  witness: MemoryWitness | undefined;
  /** What the stimuli may still make the model do. It is not part of the state. */
  readonly budget = new WorkBudget();
  /** The time of emitted records. */
  timeNs = Number.NaN;

  /** The value that the last read returned. */
  low = 0;
  high = 0;
  /** Whether the last access was to a reserved location, or had the wrong width or direction. */
  reserved = false;
  /** Whether the last access was to a register that the model does not have: nothing was done and no value was read. */
  unsupported = false;
  /** Whether the access is Secure, or there is only one Security state. An access from EL3 is Secure. */
  secure = true;
  /** Whether the access reaches the Secure instances of banked system registers: at EL3 by SCR_EL3.NS, else as `secure`. */
  secureBank = true;
  /** Whether the access is from EL3, with two Security states. */
  el3 = false;

  /** Whether the highest-priority pending SPI of some PE may have changed. */
  spisDirty = true;
  readonly peDirty: Uint8Array;
  anyDirty = true;
  /** The highest-priority SPI of each PE that is pending and enabled. It is derived from the state and not part of it. */
  readonly spiBest: Uint32Array;
  /** The rank of that SPI: twice its priority, plus one unless it is an NMI. A lower rank wins. */
  readonly spiBestRank: Uint16Array;
  /** Whether a 1 of N SPI is pending. Which PE takes it depends on the CPU interfaces. */
  oneOfNPending = false;
  /** The highest-priority LPI of each PE that is pending and enabled, derived in the same way. */
  readonly lpiBest: Uint32Array;
  /**
   * By PE: the LPI, and the vLPI of the resident vPE, that was the highest-priority pending one last, even if there is none
   * now; 0 if there was none. `undefined` if nobody needs it. It is not part of the state. QEMU has this state and uses it in
   * one case (`hiddenRescan`), where a comparison with QEMU must end.
   */
  lastBest: { readonly lpi: Uint32Array; readonly vlpi: Uint32Array } | undefined;
  /** Whether QEMU would have read pending states or configurations again just now, for a reason that is not part of the state. */
  hiddenRescan = false;
  readonly lpiBestPriority: Uint8Array;
  readonly lpiDirty: Uint8Array;

  /** By PE: whether what its virtual machine is signalled may have changed. */
  readonly vpeDirty: Uint8Array;
  anyVpeDirty = true;

  private readonly touches: Uint8Array;
  private readonly scratch = new Uint32Array(RECORD_WORDS);

  constructor(config: GicConfig) {
    this.state = new GicState(config);
    this.profile = this.state.profile;
    this.state.memory.budget = this.budget;
    this.touches = this.profile.lpiConfig === 'live' ? touchesLive : touches;
    const n = this.state.peCount;
    this.peDirty = new Uint8Array(n).fill(1);
    this.spiBest = new Uint32Array(n);
    this.spiBestRank = new Uint16Array(n);
    this.lpiBest = new Uint32Array(n);
    this.lpiBestPriority = new Uint8Array(n);
    this.lpiDirty = new Uint8Array(n).fill(1);
    this.vpeDirty = new Uint8Array(n).fill(1);
  }

  /** Marks all derived values to be computed again, as after a restore. */
  invalidate(): void {
    this.spisDirty = true;
    this.anyDirty = true;
    this.peDirty.fill(1);
    this.lpiDirty.fill(1);
    this.anyVpeDirty = true;
    this.vpeDirty.fill(1);
  }

  /** Emits an event of up to six words. */
  emit(kind: number, pe: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): void {
    const { sink } = this;
    const wanted = sink !== undefined && (!isEvent(kind) || sink.events);
    // The record is written directly into the sink's batch and applied from there, so that it is written only once.
    const at = wanted ? this.reserve(sink, kind, pe) : 0;
    const words = wanted ? sink.batch.words : this.scratch;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = d;
    words[at + 4] = e;
    words[at + 5] = f;
    apply(this.state, kind, pe, words, at);
    const touch = this.touches[kind]!;
    if (touch !== TOUCHES_NOTHING) this.mark(touch, kind, pe, words, at);
  }

  /** Emits an event whose first `count` words are at `words[at]`. */
  emitWords(kind: number, pe: number, words: Uint32Array, at: number, count: number): void {
    apply(this.state, kind, pe, words, at);
    const touch = this.touches[kind]!;
    if (touch !== TOUCHES_NOTHING) this.mark(touch, kind, pe, words, at);
    const { sink } = this;
    if (sink === undefined || (isEvent(kind) && !sink.events)) return;
    const to = this.reserve(sink, kind, pe);
    for (let k = 0; k < count; k++) sink.batch.words[to + k] = words[at + k]!;
  }

  /** Appends a record to the sink and returns the offset of its words. */
  private reserve(sink: EventSink, kind: number, pe: number): number {
    if (sink.batch.count === sink.batch.capacity) sink.full();
    return sink.batch.push(kind, pe, this.timeNs) * RECORD_WORDS;
  }

  private mark(touch: number, kind: number, pe: number, words: Uint32Array, at: number): void {
    if (touch === TOUCHES_IRQ) {
      if (isPrivate(words[at]!)) this.markPe(pe);
      else if (kind !== IRQ_CHANGED || words[at + 1] !== ATTRIBUTE_EDGE || this.profile.icfgrSettles) {
        this.spisDirty = true;
        this.anyDirty = true;
      }
    } else if (touch === TOUCHES_PE) {
      this.lpiDirty[pe] = 1;
      this.markPe(pe);
      if (kind === PE_SECURITY) this.markVpe(pe);
    } else if (touch === TOUCHES_VPE) {
      if (pe >= 0) this.markVpe(pe);
    } else if (touch === TOUCHES_MEMORY) {
      this.markConfigTables(words[at + 1]! * 2 ** 32 + words[at]!, words[at + 2]!);
    } else if (touch === TOUCHES_ALL) {
      this.invalidate();
    } else {
      const unit = words[at]!;
      if (unit === UNIT_ICH || (unit === UNIT_GICR && words[at + 2]! >= VLPI_FRAME))
        this.markVpe(words[at + 1]!);
      else if (unit === UNIT_GICD) this.invalidate();
      else if (unit !== UNIT_GITS) {
        this.lpiDirty[words[at + 1]!] = 1;
        this.markPe(words[at + 1]!);
      }
    }
  }

  /** Marks the PEs whose LPI configuration tables overlap this range. */
  private markConfigTables(address: number, length: number): void {
    for (let pe = 0; pe < this.state.peCount; pe++) {
      const table = configTableAddress(this.state, pe);
      const bytes = 2 ** idBits(this.state.propbaser[2 * pe]!) - LPI_FIRST;
      if (address >= table + bytes || address + length <= table) continue;
      this.lpiDirty[pe] = 1;
      this.markPe(pe);
    }
  }

  markPe(pe: number): void {
    this.peDirty[pe] = 1;
    this.anyDirty = true;
  }

  markVpe(pe: number): void {
    this.vpeDirty[pe] = 1;
    this.anyVpeDirty = true;
  }

  /** Emits reg.changed if the value differs from what is stored. */
  changeRegister(
    unit: number,
    instance: number,
    register: number,
    low: number,
    high: number,
    oldLow: number,
    oldHigh: number,
  ): void {
    if (low === oldLow && high === oldHigh) return;
    const pe = unit === UNIT_GICD || unit === UNIT_GITS ? NO_PE : instance;
    this.emit(REG_CHANGED, pe, unit, instance, register, low, high);
  }

  /** Emits that software did something UNPREDICTABLE. */
  unpredictable(what: (typeof UNPREDICTABLE_ACTS)[number], instance: number, detail: number): void {
    this.emit(UNPREDICTABLE, NO_PE, UNPREDICTABLE_ACTS.indexOf(what), instance, detail);
  }

  /** Makes guest memory known to be zero, as the GIC may if software says that a table is zero. */
  zeroMemory(address: number, bytes: number): void {
    this.emit(MEM_MARKED, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), bytes, 1, 0);
  }

  emitHppi(pe: number, intid: number, group: number, priority: number, fiq: number, irq: number): void {
    this.emit(HPPI, pe, intid, group, priority, fiq, irq);
  }
}
