// ITS commands that are not in the source: whether a stimulus makes an ITS execute one, and what is unknown afterwards.
import { configTableAddress, type GicState } from '@gictrace/core/model';
import { PEND_CAUSES, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { ITS_COMMANDS, ITS_OUTCOMES, isOutcomeKnown, LPI_FIRST } from '@gictrace/core/spec';
import {
  CTE_READ,
  FRAME_GITS,
  ITE_READ,
  ITS_COMMAND,
  MEM_WRITE,
  MMIO_READ,
  MMIO_WRITE,
  QUEUE_WRITE,
} from '../record-kinds.ts';
import type { Machines } from './machines.ts';
import type { Shared } from './shared.ts';
import type { SourceFacts } from './source-facts.ts';
import type { Unknowns } from './unknowns.ts';

const MSI_UNDECIDED = RECORDS['msi.undecided'].id;
const MSI_TRANSLATED = RECORDS['msi.translated'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const BY_MOVE = PEND_CAUSES.indexOf('moved');
const MOVI = ITS_COMMANDS.MOVI.opcode;
/** Stimuli and effects that may ring the doorbell of a vPE. */
const RINGS = new Set<number>(
  (['its.command', 'vmsi.translated', 'vlpi.pended', 'vlpi.cleared'] as const).map(
    (name) => RECORDS[name].id,
  ),
);
const CTLR = 0;
const CWRITER = 0x88;
const CREADR = 0x90;
/** GITS_CREADR.Stalled, and the offset field in GITS_CREADR and GITS_CWRITER. */
const STALLED = 1;
const OFFSETS = 0xf_ffe0;
const COMMAND_BYTES = 32;
/** GITS_TYPER.Virtual. */
const TYPER_VIRTUAL = 2;

export class UnshownCommands {
  private readonly state: GicState;
  private readonly machines: Machines;
  private readonly unknowns: Unknowns;
  private readonly facts: SourceFacts;
  /** By ITS that may not yet have executed all the commands it was given: a value that its read pointer has reached. */
  private readonly executing = new Map<number, number>();
  /** A command or a message may have changed what is known about vPEs and vLPIs. */
  private doubtsVirtual = false;

  constructor({ machines, unknowns, facts }: Shared) {
    this.state = machines.ahead.state;
    this.machines = machines;
    this.unknowns = unknowns;
    this.facts = facts;
  }

  /** The GIC was reset. */
  reset(): void {
    this.executing.clear();
  }

  /** Whether a group may make an ITS execute a command that is not in the source. */
  runsUnknown(group: RecordBatch): boolean {
    const { state } = this;
    if (state.itsCount === 0) return false;
    let stores = false;
    for (let i = 0; i < group.count; i++) {
      const w = i * RECORD_WORDS;
      const { words } = group;
      if (group.kind[i] === MEM_WRITE || group.kind[i] === QUEUE_WRITE) stores = true;
      if (group.kind[i] !== MMIO_WRITE || words[w] !== FRAME_GITS) continue;
      const its = words[w + 1]!;
      const isRun = words[w + 2] === CWRITER || (words[w + 2] === CTLR && (words[w + 4]! & 1) !== 0);
      if (!isRun || its >= state.itsCount) continue;
      // What the group itself stores is not in memory yet. Examining more than necessary only costs time.
      if (stores) return !this.areQueued(group, i, its);
      const end = words[w + 2] === CWRITER ? words[w + 4]! : state.cwriter[its]!;
      for (const address of queueSlots(state, its, end)) if (!this.holdsCommand(address)) return true;
    }
    return false;
  }

  /**
   * Whether each slot that record `i` of a group makes an ITS execute is known, or is stored by the group before it.
   */
  private areQueued(group: RecordBatch, i: number, its: number): boolean {
    const { words } = group;
    const stored = new Set<number>();
    for (let k = 0; k < i; k++)
      if (group.kind[k] === QUEUE_WRITE)
        stored.add(words[k * RECORD_WORDS + 2]! * 2 ** 32 + words[k * RECORD_WORDS + 1]!);
    const w = i * RECORD_WORDS;
    const end = words[w + 2] === CWRITER ? words[w + 4]! : this.state.cwriter[its]!;
    return queueSlots(this.state, its, end).every(
      (address) => stored.has(address) || this.holdsCommand(address),
    );
  }

  /** Whether a slot of a queue holds a command from the source. */
  private holdsCommand(address: number): boolean {
    const { slots, storesShown } = this.machines.inference;
    return slots.isShown(address, storesShown) && !slots.isBlank(address);
  }

  /** Notes a store to configuration bytes. What Redistributors have read of them may be older. */
  noteRewritten(group: RecordBatch, i: number): void {
    const { state } = this;
    const w = i * RECORD_WORDS;
    const address = group.words[w + 1]! * 2 ** 32 + group.words[w]!;
    for (let pe = 0; pe < state.peCount; pe++) {
      const first = address - configTableAddress(state, pe) + LPI_FIRST;
      if (first < LPI_FIRST || first >= 2 ** ((state.propbaser[2 * pe]! & 0x1f) + 1)) continue;
      for (let k = 0; k < group.words[w + 2]!; k++) this.unknowns.rewritten.add(first + k);
    }
  }

  /**
   * Notes what the stimulus left open, because a command or a table entry is not in the source, and what it settled.
   */
  noteDoubts(): void {
    const { unknowns } = this;
    const { shown } = this.machines;
    unknowns.moves.length = 0;
    if (this.facts.listsCommands) return;
    for (let k = 0; k < shown.count; k++) {
      const w = k * RECORD_WORDS;
      const kind = shown.kind[k]!;
      if (kind === ITS_COMMAND && !isOutcomeKnown(shown.words[w + 2]!))
        this.doubt(shown.words[w]!, shown.words[w + 2] === ITS_OUTCOMES.NOT_SHOWN);
      else if (kind === MSI_UNDECIDED) {
        unknowns.doubtLpis();
        this.doubtVirtual(shown.words[w]!);
      } else if (!unknowns.isDoubtful) continue;
      // Whether a vLPI was pending, and with which doorbell, is unknown, and so is whether that doorbell was rung.
      else if (this.doubtsVirtual && RINGS.has(kind)) unknowns.doubtLpis();
      else if (kind === ITS_COMMAND) {
        const isMovi = (shown.words[w + 4]! & 0xff) === MOVI;
        if (isMovi && shown.words[w + 2] === ITS_OUTCOMES.EXECUTED) this.moved(k);
      }
      // A MOVI also moves a pending state that is unknown: the LPI is known to have left the one PE, but not to be pending
      // on the other.
      else if (kind === LPI_CLEARED || (kind === LPI_PENDED && shown.words[w + 1] !== BY_MOVE))
        unknowns.knowLpi(shown.pe[k]!, shown.words[w]!);
      else if (kind === MSI_TRANSLATED) unknowns.knowLpi(shown.pe[k]!, shown.words[w + 3]!);
    }
  }

  /**
   * A MOVI has moved an LPI's pending state from one PE to another: where it was unknown on the one, it is now unknown on
   * the other. The command is record `at` of what the model did, behind the entries that it read.
   */
  private moved(at: number): void {
    const { shown } = this.machines;
    const { kind, words } = shown;
    const pes: number[] = [];
    let intid = 0;
    for (let k = at - 1; k >= 0 && kind[k] !== ITS_COMMAND; k--) {
      const w = k * RECORD_WORDS;
      if (kind[k] === ITE_READ) intid = words[w + 6]!;
      else if (kind[k] === CTE_READ) pes.push(words[w + 3]!);
    }
    const [to, from] = pes;
    if (intid < LPI_FIRST || from === undefined || from === to) return;
    if (from < this.state.peCount && to! < this.state.peCount) this.unknowns.moveLpi(from, to!, intid);
  }

  /** An ITS executed a command that is not in the source, or whose effect depends on something that is not. */
  private doubt(its: number, isCommand: boolean): void {
    const { state, unknowns } = this;
    unknowns.doubtLpis();
    for (let pe = 0; pe < state.peCount; pe++)
      for (const [intid, byte] of state.lpiConfig[pe]!) {
        // A Redistributor that reads the same value again has learnt nothing.
        const address = configTableAddress(state, pe) + intid - LPI_FIRST;
        if (!state.memory.isKnown(address) || state.memory.readByte(address) !== byte)
          unknowns.loseConfig(pe, intid);
      }
    // The command may take time, or may have been refused and have stalled the queue.
    if (isCommand && state.profile.itsErrors === 'stall' && !this.executing.has(its))
      this.executing.set(its, this.machines.behind.state.creadr[its]!);
    this.doubtVirtual(its);
  }

  /** GICv4: the mapping of vPEs may have changed, and vLPIs may be pending. */
  private doubtVirtual(its: number): void {
    const { state, unknowns } = this;
    if ((state.gitsTyper[2 * its]! & TYPER_VIRTUAL) === 0) return;
    this.doubtsVirtual = true;
    for (let pe = 0; pe < state.peCount; pe++) unknowns.forgetPart('virtual', pe);
  }

  /**
   * Whether a read is of the read pointer of an ITS that is executing commands that are not in the source, and returns
   * a value that the pointer may have had meanwhile.
   */
  isExecuting(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const { words } = group;
    const its = words[w + 1]!;
    const from = this.executing.get(its);
    if (group.kind[i] !== MMIO_READ || words[w] !== FRAME_GITS || words[w + 2] !== CREADR) return false;
    if (from === undefined || words[w + 5] !== 0) return false;
    const { cbaser, cwriter } = this.state;
    const bytes = ((cbaser[2 * its]! & 0xff) + 1) * 4096;
    const behind = (at: number) => (at - from + bytes) % bytes;
    const read = words[w + 4]! & ~STALLED;
    if (read % COMMAND_BYTES !== 0 || read >= bytes || behind(read) > behind(cwriter[its]! & OFFSETS))
      return false;
    this.executing.set(its, read);
    return true;
  }

  /** Whether the stimulus made an ITS execute the command in a slot. */
  executes(its: number, slot: number): boolean {
    const { kind, words, count } = this.machines.shown;
    for (let k = 0; k < count; k++)
      if (kind[k] === ITS_COMMAND && words[k * RECORD_WORDS] === its && words[k * RECORD_WORDS + 1] === slot)
        return true;
    return false;
  }

  /** Whether the stimulus made an ITS execute a command for which the source has no line. */
  isUnlisted(group: RecordBatch, from: number, end: number): boolean {
    const { shown } = this.machines;
    let unlisted = 0;
    for (let k = 0; k < shown.count; k++) if (shown.kind[k] === ITS_COMMAND) unlisted++;
    for (let i = from + 1; i < end && unlisted > 0; i++) if (group.kind[i] === ITS_COMMAND) unlisted--;
    return unlisted > 0;
  }

  /** Whether the stimulus made an ITS do something that the source does not record fully. */
  hasDoubts(): boolean {
    const { shown } = this.machines;
    for (let k = 0; k < shown.count; k++)
      if (
        shown.kind[k] === MSI_UNDECIDED ||
        (shown.kind[k] === ITS_COMMAND && !isOutcomeKnown(shown.words[k * RECORD_WORDS + 2]!))
      )
        return true;
    return false;
  }
}

/** Addresses of the slots of a queue from the read pointer up to GITS_CWRITER `end`. */
function queueSlots(state: GicState, its: number, end: number): number[] {
  const low = state.cbaser[2 * its]!;
  const high = state.cbaser[2 * its + 1]!;
  const bytes = ((low & 0xff) + 1) * 4096;
  const base = (high & 0xf_ffff) * 2 ** 32 + ((low & 0xffff_f000) >>> 0);
  const write = end & 0xf_ffe0;
  const found: number[] = [];
  for (let at = state.creadr[its]! & 0xf_ffe0; at !== write && at < bytes && write < bytes; ) {
    found.push(base + at);
    at = (at + COMMAND_BYTES) % bytes;
  }
  return found;
}
