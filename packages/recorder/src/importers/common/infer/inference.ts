// Infers the guest memory that a source reveals only by its consequences. Runs the model alongside the import. When the
// model is about to read memory that no recorded store has written, the observables of the same stimulus reveal, by a
// named rule (core/record/rules), what it held. If they do not, the memory stays unknown. A byte that the source
// contains is never inferred.
import type { GicConfig } from '@gictrace/core';
import {
  CONFIG_UNKNOWN,
  configTableAddress,
  type GicState,
  Machine,
  type MemoryUse,
  step,
  vlpiConfigAddress,
} from '@gictrace/core/model';
import { RECORD_WORDS, RecordBatch, RULES, STIMULI_BELOW } from '@gictrace/core/record';
import { LPI_FIRST, QEMU_LAYOUT, SPURIOUS } from '@gictrace/core/spec';
import {
  CTE_READ,
  DTE_READ,
  GIC_RESET,
  HPPI,
  ITE_READ,
  ITS_COMMAND,
  MEM_KNOWN,
  MEM_UNKNOWN,
  MEM_WRITE,
  PE_RESET,
  QUEUE_WRITE,
  VHPPI,
  VTE_READ,
} from '../record-kinds.ts';
import { Spans } from '../spans.ts';
import { LpiConfigInference } from './lpi-config.ts';
import { PeResets } from './pe-reset.ts';
import { QueueSlots } from './queue-slots.ts';
import { TableInference } from './tables.ts';
import { VirtualInference } from './virtual.ts';

const MEMORY_READ = RULES['memory-read'].id;
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
  readonly lpis: LpiConfigInference;
  readonly slots: QueueSlots;
  private readonly tables: TableInference;
  private readonly peResets: PeResets;
  /** The source contains guest stores, so the configuration table is never inferred. */
  storesShown = false;
  private readonly virtual: VirtualInference;
  /**
   * Memory whose content the source records whenever the GIC is about to read it. The source is more reliable than any
   * rule.
   */
  private readonly read = new Spans();
  /** An ITS has executed a command that is not in the source. */
  private doubtful = false;
  /** The same, during this run of the current stimulus, and during a run that has been handed on. */
  private isUnknownRun = false;
  private forgetsConfigs = false;
  /**
   * The source contains every stimulus and store there was, so nothing is inferred except what a command may have done.
   */
  private readonly exact: boolean;

  constructor(
    config: GicConfig,
    out: (batch: RecordBatch, i: number) => void,
    {
      isExact = false,
      listsCommands = false,
      shows = () => true,
    }: { isExact?: boolean; listsCommands?: boolean; shows?: (kind: number) => boolean } = {},
  ) {
    this.exact = isExact;
    this.machine = new Machine(config);
    this.machine.witness = (use, unit, index, address, length) =>
      this.witness(use, unit, index, address, length);
    this.out = out;
    const say = this.say.bind(this);
    const { state } = this.machine;
    this.lpis = new LpiConfigInference(state, shows, say);
    this.slots = new QueueSlots(state, isExact, listsCommands);
    this.tables = new TableInference(state, say);
    this.peResets = new PeResets(state);
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
    if (group.kind[i] === QUEUE_WRITE) this.slots.noteWrite(group, i);
    else if (group.kind[i] === MEM_WRITE && this.exact) this.slots.noteStore(group, i);
    if (group.rule[i] === MEMORY_READ) this.noteRead(group, i);
    else if (group.kind[i] === MEM_WRITE) this.storesShown = true;
    else if (group.kind[i] === GIC_RESET) this.forget();
    else if (!this.exact || this.doubtful) {
      this.slots.next();
      if (this.forgetsConfigs) this.forgetConfigs();
      this.virtual.watch(group, i);
      if (!this.exact && this.peResets.isShown(group, i))
        this.tell(this.learn(PE_RESET, 'pe-reset-from-read', group.pe[i]!));
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
    this.peResets.reset();
    this.doubtful = false;
    if (this.exact || !this.read.isEmpty) return;
    for (const { address, length } of this.machine.state.memory.ranges())
      this.say(MEM_UNKNOWN, 'memory-after-reset', address, length);
  }

  /**
   * Whether a slot that has been zeroed holds a command that is not in the source. This is so if the source has neither
   * a later store to the slot nor a line that says it was executed as zeros.
   */
  private isBlankForWant(its: number, slot: number, address: number): boolean {
    if (!this.slots.isBlank(address) || this.slots.isFresh(address)) return false;
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
    this.slots.execute(address);
    if (this.slots.isShown(address, this.storesShown) && !this.isBlankForWant(its, slot, address)) return;
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
        if (!this.lpis.outranks(pe, intid, priority)) this.lpis.learn(pe, intid, priority);
        else if (this.lpis.learnDisabled(pe, intid))
          this.say(MEM_UNKNOWN, 'lpi-config-after-inv', configTableAddress(state, pe) + intid - LPI_FIRST, 1);
      } else if (kind === VHPPI) this.fromVhppi(group, i);
      else if (kind === ITS_COMMAND) {
        this.virtual.beforeCommand(group, i, end);
        if (!this.read.has(configTableAddress(state, 0))) this.lpis.beforeCommand(group, i, end);
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

  private witness(use: MemoryUse, unit: number, index: number, address: number, length: number): void {
    const { memory } = this.machine.state;
    if (use === 'command') return this.beforeSlot(unit, index, address);
    // Nothing is learnt about these; they are long, and read whenever a vPE becomes resident.
    if (use === 'virtual-pending-table') return;
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
          if (group.words[w] === index) return this.lpis.learn(unit, index, group.words[w + 2]!);
          last = w;
        }
        if (last >= 0 && group.words[last] === SPURIOUS && this.lpis.signalsLpis(unit))
          this.lpis.learnDisabled(unit, index);
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
      case 'vte':
        return this.tables.entry(
          group,
          this.at,
          end,
          VTE_READ,
          index,
          address,
          QEMU_LAYOUT.vte,
          [2, 3, 4, 6],
          length,
        );
      case 'pending-table':
        if (this.machine.state.pendbaser[2 * unit + 1]! & PTZ_HIGH)
          this.say(MEM_KNOWN, 'pending-table-zero', address, length, 0);
        return;
      case 'level-1':
        return this.tables.level1(group, this.at, end, index, address);
      case 'dte':
        this.tables.entry(group, this.at, end, DTE_READ, index, address, QEMU_LAYOUT.dte, [2, 3, 4], length);
        if (this.doubtful) this.tables.forgetEvents(address);
        return;
      case 'cte':
        return this.tables.entry(
          group,
          this.at,
          end,
          CTE_READ,
          index,
          address,
          QEMU_LAYOUT.cte,
          [2, 3],
          length,
        );
      case 'ite':
        return this.tables.entry(
          group,
          this.at,
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
}
