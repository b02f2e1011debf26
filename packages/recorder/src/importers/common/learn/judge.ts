// Marks as undecided what unknown state decides, and what cannot be evidence; and notes what contradicts the model.
import type { GicState } from '@gictrace/core/model';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch, STIMULI_BELOW } from '@gictrace/core/record';
import { isRefused } from '@gictrace/core/spec';
import { HPPIRS, IARS } from '../cpu-registers.ts';
import type { Losses } from '../losses.ts';
import {
  CTE_READ,
  DTE_READ,
  FRAME_GITS,
  ITE_READ,
  ITS_COMMAND,
  MMIO_READ,
  MMIO_WRITE,
  SYSREG_READ,
} from '../record-kinds.ts';
import type { Effects } from './effects.ts';
import type { Explainer } from './explain.ts';
import type { ItsState } from './its-state.ts';
import { lineOf, type Mismatch } from './line-comparison.ts';
import type { Machines } from './machines.ts';
import type { Reads } from './reads.ts';
import type { Shared } from './shared.ts';
import type { Place, SourceFacts } from './source-facts.ts';
import { Streams } from './streams.ts';
import type { Unknowns } from './unknowns.ts';
import type { UnshownCommands } from './unshown-commands.ts';
import type { Virtual } from './virtual.ts';

const MEMORY_ASSUMED = RECORDS['memory.assumed'].id;
const MSI_DROPPED = RECORDS['msi.dropped'].id;
const TABLES_READ = [DTE_READ, CTE_READ, ITE_READ];
const OFFSETS = 0xf_ffe0;
const COMMAND_BYTES = 32;
export const CUT_END = 'effects of what stands behind the last line';

/** What a judge asks. */
export interface Witnesses {
  readonly reads: Reads;
  readonly its: ItsState;
  readonly commands: UnshownCommands;
  readonly virtual: Virtual;
  /** What the model signalled to PEs differently from the lines of the source. */
  readonly mismatches: readonly Mismatch[];
}

export class Judge {
  readonly streams: Streams;
  private readonly state: GicState;
  private readonly machines: Machines;
  private readonly unknowns: Unknowns;
  private readonly explainer: Explainer;
  private readonly effects: Effects;
  private readonly facts: SourceFacts;
  private readonly losses: Losses;
  private readonly place: Place;
  private readonly contradictions: number[];
  private readonly reads: Reads;
  private readonly its: ItsState;
  private readonly commands: UnshownCommands;
  private readonly virtual: Virtual;
  private readonly mismatches: readonly Mismatch[];

  constructor(shared: Shared, { reads, its, commands, virtual, mismatches }: Witnesses) {
    const { machines, unknowns, explainer, effects, facts, losses, place, contradictions } = shared;
    this.state = machines.ahead.state;
    this.streams = new Streams((kind) => facts.shows(kind));
    this.machines = machines;
    this.unknowns = unknowns;
    this.explainer = explainer;
    this.effects = effects;
    this.facts = facts;
    this.losses = losses;
    this.place = place;
    this.contradictions = contradictions;
    this.reads = reads;
    this.its = its;
    this.commands = commands;
    this.virtual = virtual;
    this.mismatches = mismatches;
  }

  /** Marks what unknown state decides, and what cannot be evidence. */
  judge(group: RecordBatch, from: number, end: number): void {
    const { unknowns } = this;
    const undecided = () => {
      group.flags[from]! |= RECORD_FLAGS.undecided;
    };
    if (this.place.isCut) undecided();
    if (group.kind[from] === MMIO_WRITE) this.reads.wrote(group, from);
    if (this.isReadWrong(group, from)) {
      const isVirtual = this.virtual.isOf(group, from);
      if (isVirtual) this.effects.forgetVirtual(group.pe[from]!);
      const isOpen =
        (unknowns.isVolatile && this.isReadOpen(group, from)) ||
        this.reads.isUnlearnt(group, from) ||
        this.dependsOnUnknown(group, from);
      if (isOpen || isVirtual || this.commands.isExecuting(group, from)) undecided();
      else this.contradictions.push(group.line[from]!);
      this.virtual.judge(group, from, end, undecided);
      return;
    }
    const isOpen = unknowns.isVolatile || this.place.isEnd || this.isObscure;
    if (this.mismatches.some(({ at, outstanding }) => at < 0 && outstanding)) {
      if (isOpen) undecided();
      else this.contradictions.push(group.line[from]!);
    }
    for (const { at, outstanding } of this.mismatches)
      if (at >= 0 && outstanding && isOpen && !this.isImpossible(group, from, at))
        group.flags[at]! |= RECORD_FLAGS.undecided;
    const next = this.place.isEnd ? this.nextCommands(group, from, end) : end;
    let streams = this.streams.differ(group, from + 1, next, this.machines.shown);
    if (this.facts.listsCommands) {
      if (this.commands.isUnlisted(group, from, end)) this.contradictions.push(group.line[from]!);
    } else if (streams === 'other' && this.commands.hasDoubts()) {
      const mark = (i: number) => {
        group.flags[i]! |= RECORD_FLAGS.undecided;
      };
      if (this.streams.others(group, from + 1, end, this.machines.shown, mark)) streams = 'same';
    }
    if (streams === 'less' && this.place.isEnd) undecided();
    else if (streams !== 'same' && (unknowns.isVolatile || this.isObscure || this.looksAside())) undecided();
    else if (streams === 'other') this.contradictions.push(group.line[from]!);
    if (streams === 'same' && this.drops()) undecided();
    this.virtual.judge(group, from, end, undecided);
  }

  /** Whether the response of a read differs. */
  isReadWrong(group: RecordBatch, i: number): boolean {
    const kind = group.kind[i];
    if ((kind !== MMIO_READ && kind !== SYSREG_READ) || this.machines.ahead.unsupported) return false;
    if (group.flags[i]! & (RECORD_FLAGS.valueUnknown | RECORD_FLAGS.undecided)) return false;
    const w = i * RECORD_WORDS + (kind === MMIO_READ ? 4 : 1);
    return group.words[w] !== this.machines.ahead.low || group.words[w + 1] !== this.machines.ahead.high;
  }

  /** Whether a read may return a different value because of state that is unknown. */
  private dependsOnUnknown(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const [register, intid] = [group.words[w]!, group.words[w + 1]!];
    if (group.kind[i] === SYSREG_READ && (IARS.includes(register) || HPPIRS.includes(register)))
      return (
        this.isObscure &&
        !this.explainer.isImpossible(group.pe[i]!, { intid, group: -1, priority: -1, line: -1 })
      );
    return this.reads.isUnknown(group, i);
  }

  /**
   * With two Security states, little of what decides which interrupt a PE is signalled can be learnt in a source that
   * begins in mid-life or lacks stimuli, because much of it depends on who reads it.
   */
  get isObscure(): boolean {
    const { unknowns } = this;
    return (
      !this.state.singleSecurityOfPes &&
      unknowns.any &&
      (unknowns.start === 'mid-life' || unknowns.isVolatile)
    );
  }

  /** Whether a read may return a different value because stimuli are missing. */
  private isReadOpen(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const [register, intid] = [group.words[w]!, group.words[w + 1]!];
    const isOfInterrupt =
      group.kind[i] === SYSREG_READ && (IARS.includes(register) || HPPIRS.includes(register));
    if (!isOfInterrupt || this.place.isEnd) return this.reads.isOpen(group, i);
    return !this.explainer.isImpossible(group.pe[i]!, { intid, group: -1, priority: -1, line: -1 });
  }

  /**
   * Whether a line is impossible even if stimuli are missing. An ITS may do several things before a line is printed.
   */
  isImpossible(group: RecordBatch, from: number, i: number): boolean {
    const isIts = group.kind[from] === MMIO_WRITE && group.words[from * RECORD_WORDS] === FRAME_GITS;
    return (
      !this.place.isEnd &&
      !this.place.isCut &&
      !isIts &&
      this.explainer.isImpossible(group.pe[i]!, lineOf(group, i))
    );
  }

  /**
   * Where commands begin whose write of GITS_CWRITER is not in the source any more: QEMU prints a write after its effects,
   * and the source may end between them. Marks these commands and what they did as undecided.
   */
  private nextCommands(group: RecordBatch, from: number, end: number): number {
    for (let i = from + 1; i < end; i++) {
      const w = i * RECORD_WORDS;
      const its = group.words[w]!;
      if (group.kind[i] !== ITS_COMMAND || its >= this.state.itsCount) continue;
      const { cwriter, creadr } = this.state;
      const at = creadr[its]! & OFFSETS;
      if (at !== (cwriter[its]! & OFFSETS) || group.words[w + 1] !== at / COMMAND_BYTES) continue;
      if (this.commands.executes(its, at / COMMAND_BYTES)) continue;
      this.losses.add(CUT_END);
      for (let k = i; k < end; k++)
        if (group.kind[k]! >= STIMULI_BELOW) group.flags[k]! |= RECORD_FLAGS.undecided;
      return i;
    }
    return end;
  }

  /** Whether the model read memory of which nothing is known, and which lines about tables could not reveal either. */
  private looksAside(): boolean {
    for (let i = 0; i < this.machines.shown.count; i++)
      if (this.machines.shown.kind[i] === MEMORY_ASSUMED)
        return !TABLES_READ.every((kind) => this.facts.shows(kind));
    return false;
  }

  /** Whether a message or a command had no effect because of unknown state. */
  private drops(): boolean {
    const { shown } = this.machines;
    for (let i = 0; i < shown.count; i++)
      if (
        shown.kind[i] === MSI_DROPPED ||
        (shown.kind[i] === ITS_COMMAND && isRefused(shown.words[i * RECORD_WORDS + 2]!))
      )
        return this.its.isOpen() || this.looksAside();
    return false;
  }
}
