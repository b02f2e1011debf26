// Infers the guest memory that a source reveals only by its consequences. Runs the model alongside the import. When the
// model is about to read memory that no recorded store has written, the observables of the same stimulus reveal, by a
// named rule (core/record/rules), what it held. If they do not, the memory stays unknown. A byte that the source
// contains is never inferred.
import type { GicConfig } from '@gictrace/core';
import {
  CONFIG_UNKNOWN,
  configTableAddress,
  ctlrReset,
  type GicState,
  Machine,
  type MemoryUse,
  step,
  vlpiConfigAddress,
} from '@gictrace/core/model';
import { RECORD_WORDS, RECORDS, RecordBatch, RULES, STIMULI_BELOW } from '@gictrace/core/record';
import {
  commandName,
  deposit,
  extract,
  FRAMES,
  GICR,
  LPI_FIRST,
  QEMU_LAYOUT,
  SPURIOUS,
  SYSREGS,
} from '@gictrace/core/spec';
import { VirtualInference } from './infer-virtual.ts';
import { Spans } from './spans.ts';

const HPPI = RECORDS.hppi.id;
const VHPPI = RECORDS.vhppi.id;
const VTE_READ = RECORDS['vte.read'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
const ITS_COMMAND = RECORDS['its.command'].id;
const ITE_READ = RECORDS['ite.read'].id;
const ITE_WRITE = RECORDS['ite.write'].id;
const DTE_READ = RECORDS['dte.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const MEMORY_READ = RULES['memory-read'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const FRAME_GICR = FRAMES.indexOf('GICR');
const PMR = SYSREGS.ICC_PMR_EL1.encoding;
const CTLR = SYSREGS.ICC_CTLR_EL1.encoding;
const CTE_READ = RECORDS['cte.read'].id;

const ENABLE = 1;
const ENABLE_GRP1NS = 2;
const PRIORITY = 0xfc;
/** Addresses for level-2 tables whose place is not in the source, one page each. No machine has memory there. */
const PLACED_AT = 2 ** 50;
const PLACED_STRIDE = 0x1_0000;
const TABLES: ReadonlySet<MemoryUse> = new Set(['dte', 'cte', 'ite', 'vte'] as const);
const COMMAND_BYTES = 32;
const PTZ_HIGH = 0x4000_0000;

export class Inference {
  readonly machine: Machine;
  /** What has been learnt about memory and has not been handed on yet. */
  readonly knowledge = new RecordBatch(1024);
  private readonly out: (batch: RecordBatch, i: number) => void;
  /** The group and the stimulus that are being processed. */
  private group: RecordBatch | undefined;
  private at = 0;
  private placed = 0;
  /** The source contains guest stores, so the configuration table is never inferred. */
  storesShown = false;
  private readonly virtual: VirtualInference;
  /**
   * Whether an LPI that is pending in the model may in fact not be pending. If so, an LPI that is not signalled reveals
   * nothing about its configuration.
   */
  mayBeClear: (pe: number, intid: number) => boolean = () => false;
  /**
   * Memory whose content the source records whenever the GIC is about to read it. The source is more reliable than any
   * rule.
   */
  private readonly read = new Spans();
  /**
   * Queue slots that hold a command from the source: `fresh` are those not executed since, `executed` those that the
   * current stimulus executed.
   */
  private readonly fresh = new Set<number>();
  private readonly executed: number[] = [];
  private hasSlots = false;
  /** An ITS has executed a command that is not in the source. */
  private doubtful = false;
  /** The same, during this run of the current stimulus, and during a run that has been handed on. */
  private isUnknownRun = false;
  private forgetsConfigs = false;
  /**
   * The source contains every stimulus and store there was, so nothing is inferred except what a command may have done.
   */
  private readonly exact: boolean;
  /** The source has a line for each command. A slot without one still holds what it held before. */
  private readonly lists: boolean;
  private readonly shows: (kind: number) => boolean;
  /** PEs that wrote their own GICR_WAKER since they last set ICC_PMR_EL1. */
  private readonly woke = new Set<number>();

  constructor(
    config: GicConfig,
    out: (batch: RecordBatch, i: number) => void,
    {
      isExact = false,
      listsCommands = false,
      shows = () => true,
    }: { isExact?: boolean; listsCommands?: boolean; shows?: (kind: number) => boolean } = {},
  ) {
    this.shows = shows;
    this.exact = isExact;
    this.lists = listsCommands;
    this.machine = new Machine(config);
    this.machine.witness = (use, unit, index, address, length) =>
      this.witness(use, unit, index, address, length);
    this.out = out;
    this.virtual = new VirtualInference(this.machine, (kind, rule, address, ...rest) => {
      if (kind !== MEM_UNKNOWN || !this.read.has(address)) this.say(kind, rule, address, ...rest);
    });
  }

  /** The model's state after everything taken so far. */
  get state(): GicState {
    return this.machine.state;
  }

  /** Takes one group and hands its records on, with what was learnt placed before the stimulus that needs it. */
  take(group: RecordBatch): void {
    for (let i = 0; i < group.count; i++) {
      if (group.kind[i]! < STIMULI_BELOW) {
        this.prepare(group, i);
        this.run(group, i);
        this.flush(i);
      }
      this.out(group, i);
    }
  }

  /**
   * Called before stimulus `i` of a group runs. Puts what the stimulus's own observables reveal about memory into
   * `knowledge`, and gives it to the model.
   */
  prepare(group: RecordBatch, i: number): void {
    this.group = group;
    this.at = i;
    if (group.kind[i] === QUEUE_WRITE) this.noteSlot(group, i);
    else if (group.kind[i] === MEM_WRITE && this.exact) this.noteStore(group, i);
    if (group.rule[i] === MEMORY_READ) this.noteRead(group, i);
    else if (group.kind[i] === MEM_WRITE) this.storesShown = true;
    else if (group.kind[i] === GIC_RESET) this.forget();
    else if (!this.exact || this.doubtful) {
      for (const address of this.executed) this.fresh.delete(address);
      this.executed.length = 0;
      if (this.forgetsConfigs) this.forgetConfigs();
      this.virtual.watch(group, i);
      if (!this.exact) this.watchReset(group, i);
      this.beforeStimulus(group, i);
    }
  }

  /**
   * Runs stimulus `i` of a group. What is learnt about memory meanwhile goes into `knowledge` and must be placed before
   * the stimulus.
   */
  run(group: RecordBatch, i: number): void {
    this.group = group;
    this.at = i;
    this.isUnknownRun = false;
    step(this.machine, group, i);
  }

  /**
   * The machine was reset. Other software may use memory for other purposes, unless the source records what memory
   * holds.
   */
  private forget(): void {
    this.woke.clear();
    this.doubtful = false;
    if (this.exact || !this.read.isEmpty) return;
    for (const { address, length } of this.machine.state.memory.ranges())
      this.say(MEM_UNKNOWN, 'memory-after-reset', address, length);
  }

  /** Notes what a slot of a command queue holds. */
  private noteSlot(group: RecordBatch, i: number): void {
    const w = i * RECORD_WORDS;
    // Memory that is read repeatedly may have no line for what has not changed.
    if (group.rule[i] !== MEMORY_READ) this.hasSlots = true;
    this.fresh.add(group.words[w + 2]! * 2 ** 32 + group.words[w + 1]!);
  }

  /** Notes a store to a command queue. */
  private noteStore(group: RecordBatch, i: number): void {
    const { cbaser, itsCount } = this.machine.state;
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
  isSlotShown(address: number): boolean {
    if (!this.machine.state.memory.areKnown(address, COMMAND_BYTES)) return false;
    return this.storesShown || this.exact || this.lists || !this.hasSlots || this.fresh.has(address);
  }

  /** Whether a slot holds what a zeroed queue holds, which is not a command. */
  isSlotBlank(address: number): boolean {
    const { memory } = this.machine.state;
    for (let at = 0; at < COMMAND_BYTES; at += 4) if (memory.readWord(address + at) !== 0) return false;
    return true;
  }

  /**
   * Whether a slot that has been zeroed holds a command that is not in the source. This is so if the source has neither
   * a later store to the slot nor a line that says it was executed as zeros.
   */
  private isBlankForWant(its: number, slot: number, address: number): boolean {
    if (!this.isSlotBlank(address) || this.fresh.has(address)) return false;
    const group = this.group!;
    const end = this.endOf(group, this.at);
    for (let i = this.at + 1; i < end; i++) {
      const w = i * RECORD_WORDS;
      const { words } = group;
      if (group.kind[i] === ITS_COMMAND && words[w] === its && words[w + 1] === slot)
        return (words[w + 4]! & 0xff) !== 0;
    }
    return this.exact;
  }

  /**
   * Called before the command in a slot is executed. If the command is not in the source, whatever it may have changed
   * becomes unknown.
   */
  private beforeSlot(its: number, slot: number, address: number): void {
    const { state } = this.machine;
    this.executed.push(address);
    if (this.isSlotShown(address) && !this.isBlankForWant(its, slot, address)) return;
    if (state.memory.areKnown(address, COMMAND_BYTES))
      this.say(MEM_UNKNOWN, 'slot-not-shown', address, COMMAND_BYTES);
    this.doubtful = true;
    this.isUnknownRun = true;
    this.forgetsConfigs = true;
  }

  /**
   * The previous stimulus executed a command that is not in the source. Software may have rewritten configuration bytes
   * for it.
   */
  private forgetConfigs(): void {
    const { state } = this.machine;
    this.forgetsConfigs = false;
    if (this.storesShown || this.read.has(configTableAddress(state, 0))) return;
    const bytes = 2 ** ((state.propbaser[0]! & 0x1f) + 1) - LPI_FIRST;
    if (bytes > 0 && state.memory.anyKnown(configTableAddress(state, 0), bytes))
      this.say(MEM_UNKNOWN, 'configuration-after-unknown-command', configTableAddress(state, 0), bytes);
    this.virtual.forgetAll('configuration-after-unknown-command');
  }

  /** Notes what memory was read to hold. */
  private noteRead(group: RecordBatch, i: number): void {
    if (group.kind[i] === QUEUE_WRITE) return;
    const w = i * RECORD_WORDS;
    this.read.add(group.words[w + 1]! * 2 ** 32 + group.words[w]!, group.words[w + 2]!);
  }

  /** A PE that wakes again and finds its priority mask at the reset value has been reset. */
  private watchReset(group: RecordBatch, i: number): void {
    const w = i * RECORD_WORDS;
    const { words } = group;
    const pe = group.pe[i]!;
    const kind = group.kind[i]!;
    if (kind === MMIO_WRITE && words[w] === FRAME_GICR && words[w + 2] === GICR.GICR_WAKER.offset)
      this.woke.add(words[w + 1]!);
    else if (kind === SYSREG_READ && this.woke.has(pe) && (words[w] === PMR || words[w] === CTLR)) {
      const { state } = this.machine;
      const own = words[w] === PMR ? state.pmr[pe]! : state.ctlr[pe]!;
      const reset = words[w] === PMR ? 0 : ctlrReset(state.config);
      if (words[w + 1] === reset && own !== reset) this.tell(this.learn(PE_RESET, 'pe-reset-from-read', pe));
      // Software sets the mask right after it has read these.
      if (words[w] === PMR) this.woke.delete(pe);
    }
  }

  private flush(i: number): void {
    const { knowledge } = this;
    for (let k = 0; k < knowledge.count; k++) {
      knowledge.timeNs[k] = this.group!.timeNs[i]!;
      knowledge.line[k] = this.group!.line[i]!;
      this.out(knowledge, k);
    }
    knowledge.clear();
  }

  /** Records something about memory and passes it to the model at once. */
  private say(kind: number, rule: keyof typeof RULES, address: number, ...rest: number[]): void {
    const i = this.learn(kind, rule, -1);
    const w = i * RECORD_WORDS;
    const { words } = this.knowledge;
    words[w] = address >>> 0;
    words[w + 1] = Math.floor(address / 2 ** 32);
    rest.forEach((value, k) => {
      words[w + 2 + k] = value;
    });
    this.tell(i);
  }

  private learn(kind: number, rule: keyof typeof RULES, pe: number): number {
    if (this.knowledge.full) this.flush(this.at);
    const i = this.knowledge.push(kind, pe, Number.NaN);
    this.knowledge.rule[i] = RULES[rule].id;
    return i;
  }

  /** Passes record `i` to the model at once, without disturbing a step that may be in progress. */
  private tell(i: number): void {
    const { knowledge, machine } = this;
    const { low, high, reserved, unsupported, timeNs } = machine;
    step(machine, knowledge, i);
    Object.assign(machine, { low, high, reserved, unsupported, timeNs });
  }

  /** The end of what stimulus `from` did, which is the next stimulus that is not a store. */
  private endOf(group: RecordBatch, from: number): number {
    for (let i = from + 1; i < group.count; i++)
      if (group.kind[i]! < STIMULI_BELOW && group.kind[i] !== MEM_WRITE) return i;
    return group.count;
  }

  /** Takes what the stimulus's own observables reveal before it runs. */
  private beforeStimulus(group: RecordBatch, from: number): void {
    if (this.storesShown) return;
    const { state } = this.machine;
    const end = this.endOf(group, from);
    for (let i = from + 1; i < end; i++) {
      const kind = group.kind[i]!;
      if (kind === HPPI) {
        const intid = group.words[i * RECORD_WORDS]!;
        const pe = group.pe[i]!;
        if (intid < LPI_FIRST || pe >= state.peCount) continue;
        // The LPI is pending and its configuration is not in the source. If it is signalled now, this reveals the
        // configuration, unless the LPI would have been signalled earlier. In that case it was disabled, and the
        // stimulus makes the Redistributor read the configuration again (see `witness`), which is a different one.
        const priority = group.words[i * RECORD_WORDS + 2]!;
        if (state.lpiConfig[pe]!.get(intid) !== CONFIG_UNKNOWN || !state.lpiPending[pe]!.has(intid)) continue;
        if (!this.outranks(pe, intid, priority)) this.learnConfig(pe, intid, priority);
        else if (this.learnDisabled(pe, intid))
          this.say(MEM_UNKNOWN, 'lpi-config-after-inv', configTableAddress(state, pe) + intid - LPI_FIRST, 1);
      } else if (kind === VHPPI) this.fromVhppi(group, i);
      else if (kind === ITS_COMMAND) {
        this.virtual.beforeCommand(group, i, end);
        this.beforeCommand(group, i, end);
      }
    }
  }

  /** A vLPI is pending and its configuration is not in the source. That it is signalled reveals the configuration. */
  private fromVhppi(group: RecordBatch, i: number): void {
    const { virtual, peCount } = this.machine.state;
    const pe = group.pe[i]!;
    const vintid = group.words[i * RECORD_WORDS + 1]!;
    if (vintid < LPI_FIRST || pe >= peCount) return;
    if (virtual.config[pe]!.get(vintid) === CONFIG_UNKNOWN && virtual.pending[pe]!.has(vintid))
      this.virtual.learnConfig(
        vlpiConfigAddress(this.machine, pe, vintid),
        group.words[i * RECORD_WORDS + 3]!,
      );
  }

  /** INV and INVALL: software may have rewritten configuration bytes by stores that are not in the source. */
  private beforeCommand(group: RecordBatch, i: number, end: number): void {
    const { state } = this.machine;
    const name = commandName(group.words[i * RECORD_WORDS + 4]!);
    if (this.read.has(configTableAddress(state, 0))) return;
    if (name === 'INVALL') this.forgetTable(state);
    else if (name === 'INV' || name === 'MAPTI' || name === 'MAPI') {
      for (let k = i + 1; k < end && group.kind[k] !== ITS_COMMAND; k++) {
        if (group.kind[k] !== ITE_READ && group.kind[k] !== ITE_WRITE) continue;
        const intid = group.words[k * RECORD_WORDS + 6]!;
        if (intid < LPI_FIRST || group.words[k * RECORD_WORDS + 5] === 0) continue;
        const address = configTableAddress(state, 0) + intid - LPI_FIRST;
        if (state.memory.isKnown(address)) this.say(MEM_UNKNOWN, 'lpi-config-after-inv', address, 1);
        return;
      }
      // No line says which LPI the command is about.
      if (!this.shows(name === 'INV' ? ITE_READ : ITE_WRITE)) this.forgetTable(state);
    }
  }

  private forgetTable(state: GicState): void {
    const ids = 2 ** ((state.propbaser[0]! & 0x1f) + 1);
    if (ids > LPI_FIRST && state.memory.anyKnown(configTableAddress(state, 0), ids - LPI_FIRST))
      this.say(MEM_UNKNOWN, 'lpi-config-after-inv', configTableAddress(state, 0), ids - LPI_FIRST);
  }

  private learnConfig(pe: number, intid: number, priority: number): void {
    const { state } = this.machine;
    const address = configTableAddress(state, pe) + intid - LPI_FIRST;
    if (state.memory.isKnown(address)) return;
    // With two Security states the priority is the byte's, shifted. An LPI cannot have a priority in the Secure half.
    const byte = state.singleSecurity ? priority & PRIORITY : ((priority << 1) & PRIORITY) >>> 0;
    this.say(MEM_KNOWN, 'lpi-config-from-hppi', address, 1, byte | ENABLE);
  }

  /**
   * If an LPI is pending and nothing is signalled, the LPI is disabled. Its priority stays unknown, since it has no
   * effect then.
   */
  private learnDisabled(pe: number, intid: number): boolean {
    if (this.mayBeClear(pe, intid)) return false;
    const address = configTableAddress(this.machine.state, pe) + intid - LPI_FIRST;
    if (this.machine.state.memory.isKnown(address)) return false;
    this.say(MEM_KNOWN, 'lpi-disabled-from-silence', address, 1, 0);
    return true;
  }

  /** Whether an LPI of this priority would be the best interrupt of a PE. */
  private outranks(pe: number, intid: number, priority: number): boolean {
    const { hppiPriority, hppiIntid } = this.machine.state;
    if (priority !== hppiPriority[pe]) return priority < hppiPriority[pe]!;
    return hppiIntid[pe]! >= LPI_FIRST && intid < hppiIntid[pe]!;
  }

  /** Whether LPIs that are pending and enabled are signalled to a PE. */
  private signalsLpis(pe: number): boolean {
    const { state } = this.machine;
    return (state.gicrCtlr[pe]! & 1) !== 0 && (state.gicdCtlr[0]! & ENABLE_GRP1NS) !== 0;
  }

  private witness(use: MemoryUse, unit: number, index: number, address: number, length: number): void {
    const { memory } = this.machine.state;
    if (use === 'command') return this.beforeSlot(unit, index, address);
    if (this.exact && !this.doubtful) return;
    // What is learnt is placed before the stimulus, where such a command would make it unknown again.
    if (this.isUnknownRun && TABLES.has(use)) return;
    if (memory.areKnown(address, length)) return;
    const group = this.group!;
    const end = this.endOf(group, this.at);
    switch (use) {
      case 'lpi-config': {
        if (this.storesShown) return;
        let last = -1;
        for (let i = this.at + 1; i < end; i++) {
          if (group.kind[i] !== HPPI || group.pe[i] !== unit) continue;
          const w = i * RECORD_WORDS;
          if (group.words[w] === index) return this.learnConfig(unit, index, group.words[w + 2]!);
          last = w;
        }
        if (last >= 0 && group.words[last] === SPURIOUS && this.signalsLpis(unit))
          this.learnDisabled(unit, index);
        return;
      }
      case 'vlpi-config': {
        if (this.storesShown) return;
        for (let i = this.at + 1; i < end; i++) {
          const w = i * RECORD_WORDS;
          if (group.kind[i] === VHPPI && group.pe[i] === unit && group.words[w + 1] === index)
            return this.virtual.learnConfig(address, group.words[w + 3]!);
        }
        return;
      }
      case 'virtual-pending-table':
        return;
      case 'vte':
        return this.learnEntry(group, end, VTE_READ, index, address, QEMU_LAYOUT.vte, [2, 3, 4, 6], length);
      case 'pending-table':
        if (this.machine.state.pendbaser[2 * unit + 1]! & PTZ_HIGH)
          this.say(MEM_KNOWN, 'pending-table-zero', address, length, 0);
        return;
      case 'level-1':
        return this.learnLevel1(group, end, index, address);
      case 'dte':
        this.learnEntry(group, end, DTE_READ, index, address, QEMU_LAYOUT.dte, [2, 3, 4], length);
        return this.forgetEvents(address);
      case 'cte':
        return this.learnEntry(group, end, CTE_READ, index, address, QEMU_LAYOUT.cte, [2, 3], length);
      case 'ite':
        return this.learnEntry(
          group,
          end,
          ITE_READ,
          index,
          address,
          QEMU_LAYOUT.ite,
          [4, 5, 6, 7, 8, 9],
          length,
        );
    }
  }

  /**
   * A device's table entry has become known. A command that is not in the source may have written it, and then the
   * entries of the device's events may have changed, too.
   */
  private forgetEvents(address: number): void {
    const { memory } = this.machine.state;
    if (!this.doubtful || !memory.areKnown(address, QEMU_LAYOUT.dte.bytes)) return;
    const raw = Uint32Array.of(memory.readWord(address), memory.readWord(address + 4));
    const [valid, size, itt] = QEMU_LAYOUT.dte.fields.map((field) => {
      const shift: number | undefined = 'shift' in field ? field.shift : undefined;
      return extract(raw, 0, 0, field.lsb, field.width) * 2 ** (shift ?? 0);
    });
    const bytes = 2 ** (size! + 1) * QEMU_LAYOUT.ite.bytes;
    if (valid && memory.anyKnown(itt!, bytes))
      this.say(MEM_UNKNOWN, 'tables-after-unknown-command', itt!, bytes);
  }

  /** Infers whether a level-2 table existed from whether the ITS read or wrote an entry through it. */
  private learnLevel1(group: RecordBatch, end: number, index: number, address: number): void {
    for (let i = this.at + 1; i < end; i++) {
      const w = i * RECORD_WORDS;
      if (group.kind[i] !== DTE_READ && group.kind[i] !== CTE_READ && group.kind[i] !== VTE_READ) continue;
      if (group.words[w + 1] !== index || group.words[w + 2] !== 0) continue;
      this.say(MEM_KNOWN, 'table-entry-from-read', address, 8, 0);
      return;
    }
    const place = PLACED_AT + this.placed++ * PLACED_STRIDE;
    this.say(
      MEM_WRITE,
      'table-placed',
      address,
      8,
      place >>> 0,
      (Math.floor(place / 2 ** 32) | 0x8000_0000) >>> 0,
    );
  }

  /** The entry that an ITS read holds what the source's line says. `fields` are word offsets in the record. */
  private learnEntry(
    group: RecordBatch,
    end: number,
    kind: number,
    index: number,
    address: number,
    layout: {
      readonly bytes: number;
      readonly fields: readonly { lsb: number; width: number; shift?: number }[];
    },
    fields: readonly number[],
    length: number,
  ): void {
    for (let i = this.at + 1; i < end; i++) {
      const w = i * RECORD_WORDS;
      if (group.kind[i] !== kind || group.words[w + (kind === ITE_READ ? 3 : 1)] !== index) continue;
      const raw = new Uint32Array(4);
      layout.fields.forEach((field, k) => {
        const at = w + fields[k]!;
        const value = group.words[at]! + (field.shift ? group.words[at + 1]! * 2 ** 32 : 0);
        deposit(raw, 0, field.lsb >> 6, field.lsb & 63, field.width, value / 2 ** (field.shift ?? 0));
      });
      if (raw.every((word) => word === 0)) this.say(MEM_KNOWN, 'table-entry-from-read', address, length, 0);
      else
        for (let at = 0; at < length; at += 8) {
          const width = Math.min(8, length - at);
          this.say(
            MEM_WRITE,
            'table-entry-from-read',
            address + at,
            width,
            raw[at >> 2]!,
            width > 4 ? raw[(at >> 2) + 1]! : 0,
          );
        }
      return;
    }
  }
}
