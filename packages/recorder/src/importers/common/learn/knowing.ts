// Writes what a source reveals about earlier state as `state.known` records, and has a machine take each at once.
// Decides nothing.
import { type Machine, step } from '@gictrace/core/model';
import {
  KNOWN_STATE,
  NO_PE,
  RECORD_WORDS,
  RecordBatch,
  RULES,
  type RuleName,
  UNITS,
} from '@gictrace/core/record';
import { isPrivate } from '@gictrace/core/spec';
import { STATE_KNOWN } from '../record-kinds.ts';

const EDITS_MAX = 1024;
type What = (typeof KNOWN_STATE)[number];
type Unit = (typeof UNITS)[number];

export class Knowing {
  /** What is known so far, in order. */
  readonly batch = new RecordBatch(EDITS_MAX);
  private readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Whether there is no space for more. There always is, unless learning goes round in circles. */
  get full(): boolean {
    return this.batch.count >= EDITS_MAX - 8;
  }

  clear(): void {
    this.batch.clear();
  }

  /** An attribute of an SGI, PPI or SPI. */
  interrupt(
    what: Exclude<What, 'register'>,
    pe: number,
    intid: number,
    low: number,
    rule: RuleName,
    high = 0,
  ): void {
    this.push(what, isPrivate(intid) || intid >= 8192 ? pe : NO_PE, 0, 0, 0, intid, low, high, rule);
  }

  /** A register of a unit: of the Distributor, a PE or an ITS. */
  register(unit: Unit, instance: number, register: number, low: number, rule: RuleName, high = 0): void {
    const pe = unit === 'GICD' || unit === 'GITS' ? NO_PE : instance;
    this.push('register', pe, UNITS.indexOf(unit), instance, register, 0, low, high, rule);
  }

  private push(
    what: What,
    pe: number,
    unit: number,
    instance: number,
    register: number,
    intid: number,
    low: number,
    high: number,
    rule: RuleName,
  ): void {
    const i = this.batch.push(STATE_KNOWN, pe, Number.NaN);
    const at = i * RECORD_WORDS;
    const { words } = this.batch;
    words[at] = KNOWN_STATE.indexOf(what);
    words[at + 1] = unit;
    words[at + 2] = instance;
    words[at + 3] = register;
    words[at + 4] = intid;
    words[at + 5] = low;
    words[at + 6] = high;
    this.batch.rule[i] = RULES[rule].id;
    // Memory contents are not inferred meanwhile; they have nothing to do with the current stimulus.
    const { machine } = this;
    const { witness } = machine;
    machine.witness = undefined;
    step(machine, this.batch, i);
    machine.witness = witness;
  }
}
