// Plans how each stimulus of a batch is run on QEMU: who does it, with which commands, and which line of the log says that it
// is done. This file decides; it sends nothing.
import { NO_PE, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import type { Width } from './aarch64.ts';
import type { Fill } from './foresight.ts';
import { MAINTENANCE_INTID, type Machine, place, placePointer, registerAddress } from './machine.ts';
import { PeStates, type Surroundings } from './pe-states.ts';
import type { Operation } from './ring.ts';
import { type GuestStub, MARK } from './stub.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const PE_SWITCH = RECORDS['pe.switch'].id;
const GICD = FRAMES.indexOf('GICD');
const GITS = FRAMES.indexOf('GITS');
const TRANSLATION = 0x1_0000;
const LETTER: Readonly<Record<number, string>> = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' };
const VIRT_SPIS = 256;

/** What ends a stimulus. */
export const END = {
  /** It was not done. */
  skipped: 0,
  /** Nothing: it has no effects, or its reply is enough. */
  nothing: 1,
  /** A read by qtest, whose value is the next one. */
  value: 2,
  /** A write's own line. */
  line: 3,
  /** A fence behind it. */
  fence: 4,
  /** A number of marks of the guest stub. */
  marks: 5,
  /** The machine does it by itself, as a consequence of an earlier stimulus. */
  itself: 6,
} as const;

/** Reasons for which a stimulus is not done. */
export const REASONS = {
  noFrame: 'no such frame in this machine',
  unaligned: 'unaligned access: a PE would take an alignment fault, QEMU splits it up',
  translation: "an access to the translation page: QEMU's log does not contain its outcome",
  ours: 'a write to a reserved location that this backend marks its log with',
  width: 'accesses of this width are not possible',
  noRam: 'the machine has no RAM at this address',
  noPe: 'no such PE in this machine',
  noRegister: 'no PE of this machine has this system register',
  noWire: 'the machine has no such input line',
  itself: 'the machine drives this input line itself, and did not change it here',
  reset: 'pe.reset: a machine with one PE cannot reset it alone',
  resetAtEl3: 'pe.reset: with two Security states this machine has no PSCI, which resets a PE',
  fault: 'the PE took an exception: UNDEFINED or trapped in this machine',
} as const;

const NO_FILLS: readonly Fill[] = [];

const hex = (value: number) => `0x${value.toString(16)}`;
const hex64 = (low: number, high: number) =>
  high === 0 ? hex(low) : `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`;

/** The plan of a batch. */
export class Plan {
  readonly batch: RecordBatch;
  /** By stimulus: END. */
  readonly ends: Uint8Array;
  readonly reasons: (string | undefined)[] = [];
  /** By stimulus: whether the guest stub does it. */
  readonly byStub: Uint8Array;
  /** By stimulus: whether the guest stub could do it, which it does if it is needed in the same run anyway. */
  private readonly able: Uint8Array;

  private readonly machine: Machine;
  private readonly stub: GuestStub;
  private readonly gic: string;
  /** The number of the batch's first stimulus. */
  private readonly first: number;

  /** With two Security states: how PEs execute. */
  private readonly states: PeStates | undefined;
  /** By stimulus: what surrounds it, where the PE's Security state matters. */
  private readonly surroundings: (Surroundings | undefined)[] = [];

  /** By stimulus: bytes of memory that must be written before it. */
  private readonly fills: readonly (readonly Fill[])[];

  /**
   * `gic` is the path of the GIC in QEMU's object tree; `first` is the number of the batch's first stimulus. With two
   * Security states, `states` is how PEs execute before the batch, and is advanced to behind it.
   */
  constructor(
    batch: RecordBatch,
    machine: Machine,
    stub: GuestStub,
    gic: string,
    first: number,
    fills: ReadonlyMap<number, readonly Fill[]>,
    states?: PeStates,
  ) {
    this.batch = batch;
    this.machine = machine;
    this.stub = stub;
    this.gic = gic;
    this.first = first;
    this.states = states;
    this.fills =
      fills.size === 0
        ? []
        : Array.from({ length: batch.count }, (_, i) => this.placed(fills.get(first + i)));
    this.ends = new Uint8Array(batch.count);
    this.byStub = new Uint8Array(batch.count);
    this.able = new Uint8Array(batch.count);
    for (let i = 0; i < batch.count; i++) this.judge(i);
    this.divide();
  }

  private placed(fills: readonly Fill[] | undefined): readonly Fill[] {
    return (fills ?? NO_FILLS).flatMap(({ address, byte }) => {
      const at = place(this.machine, address, 1);
      return at < 0 ? [] : [{ address: at, byte }];
    });
  }

  private end(i: number, end: number, able = 0): void {
    this.ends[i] = end;
    this.able[i] = able;
  }
  private skip(i: number, reason: string): void {
    this.ends[i] = END.skipped;
    this.reasons[i] = reason;
    this.able[i] = 1;
  }

  private judge(i: number): void {
    const { words, kind } = this.batch;
    const at = i * RECORD_WORDS;
    const pe = this.batch.pe[i]!;
    switch (kind[i]) {
      case MMIO_READ:
      case MMIO_WRITE:
        return this.mmio(
          i,
          words[at]!,
          words[at + 1]!,
          words[at + 2]!,
          words[at + 3]!,
          kind[i] === MMIO_WRITE,
        );
      case SYSREG_READ:
      case SYSREG_WRITE:
        if (pe < 0 || pe >= this.machine.pes) return this.skip(i, REASONS.noPe);
        if (this.states === undefined && this.stub.sysreg(words[at]!, kind[i] === SYSREG_WRITE) === 0)
          return this.skip(i, REASONS.noRegister);
        return this.sysreg(i);
      case MEM_WRITE:
      case QUEUE_WRITE: {
        const queue = kind[i] === QUEUE_WRITE;
        const from = at + (queue ? 1 : 0);
        const width = queue ? 32 : words[at + 2]!;
        const address = words[from + 1]! * 2 ** 32 + words[from]!;
        if (LETTER[width] === undefined && !queue) return this.skip(i, REASONS.width);
        if (place(this.machine, address, width) < 0) return this.skip(i, REASONS.noRam);
        return this.end(i, END.nothing, address % Math.min(width, 8) === 0 ? 1 : 0);
      }
      case MEM_KNOWN:
      case MEM_UNKNOWN:
        if (place(this.machine, words[at + 1]! * 2 ** 32 + words[at]!, words[at + 2]!) < 0)
          return this.skip(i, REASONS.noRam);
        return this.end(i, END.nothing, words[at + 2] === 1 ? 1 : 0);
      case MSI_WRITE: {
        const told = this.machine.msis.possible(words[at + 1]!, words[at + 2]!, words[at + 3]!);
        return told === undefined ? this.end(i, END.fence) : this.skip(i, told);
      }
      case WIRE_SET:
        return this.wire(i, pe, words[at]!);
      case PE_RESET:
        if (pe < 0 || pe >= this.machine.pes) return this.skip(i, REASONS.noPe);
        if (this.machine.pes === 1) return this.skip(i, REASONS.reset);
        if (this.states !== undefined) return this.skip(i, REASONS.resetAtEl3);
        this.byStub[i] = 1;
        return this.end(i, END.marks, 1);
      case PE_SWITCH:
        return this.switched(i, pe);
      default:
        return this.skip(i, 'not a stimulus that QEMU can be given');
    }
  }

  private sysreg(i: number): void {
    this.surroundings[i] = this.states?.sysreg(this.batch, i);
    this.byStub[i] = 1;
    this.end(i, END.marks, 1);
  }

  /** With one Security state nothing depends on how a PE executes. */
  private switched(i: number, pe: number): void {
    if (pe < 0 || pe >= this.machine.pes) return this.skip(i, REASONS.noPe);
    const before = this.states?.switched(this.batch, i) ?? [];
    if (before.length === 0) return this.end(i, END.nothing, 1);
    this.surroundings[i] = { pe, before, behind: [] };
    this.byStub[i] = 1;
    this.end(i, END.marks, 1);
  }

  private mmio(
    i: number,
    frame: number,
    instance: number,
    offset: number,
    width: number,
    write: boolean,
  ): void {
    if (LETTER[width] === undefined) return this.skip(i, REASONS.width);
    if (offset % width !== 0) return this.skip(i, REASONS.unaligned);
    if (registerAddress(this.machine, frame, instance, offset) < 0) return this.skip(i, REASONS.noFrame);
    if (frame === GITS && offset >= TRANSLATION) return this.skip(i, REASONS.translation);
    const marks = frame === GICD && width === 8 && offset >= MARK.done && offset <= MARK.defer;
    if (marks && write) return this.skip(i, REASONS.ours);
    // Narrow accesses to an ITS fail on the bus and have no line.
    if (frame === GITS && width < 4) return this.end(i, END.fence);
    this.end(i, write ? END.line : END.value, 1);
    if (this.states === undefined) return;
    this.surroundings[i] = this.states.mmio(this.batch, i);
    if (PeStates.isSecure(this.batch, i)) this.byStub[i] = 1;
  }

  private wire(i: number, pe: number, intid: number): void {
    if (intid === MAINTENANCE_INTID && pe >= 0) return this.end(i, END.itself, 1);
    if (pe >= 0 ? intid < 16 || intid > 31 || pe >= this.machine.pes : intid < 32 || intid >= 32 + VIRT_SPIS)
      return this.skip(i, REASONS.noWire);
    this.end(i, END.fence);
  }

  /** If the guest stub can do a whole run and must do a part of it, it does the whole run. */
  private divide(): void {
    const { able, byStub, ends } = this;
    for (let from = 0; from < ends.length; ) {
      if (!able[from]) {
        from++;
        continue;
      }
      let to = from;
      let first = -1;
      let last = -1;
      for (; to < ends.length && able[to]; to++)
        if (byStub[to]) {
          if (first < 0) first = to;
          last = to;
        }
      for (let i = first; first >= 0 && i <= last; i++) {
        byStub[i] = 1;
        if (ends[i] === END.line || ends[i] === END.value) ends[i] = END.marks;
        else if (ends[i] === END.nothing) ends[i] = END.marks;
      }
      from = to;
    }
  }

  /** Without a log, stimuli that would end with a line end with their reply. */
  withoutLog(): void {
    const { ends, batch } = this;
    for (let i = 0; i < ends.length; i++) {
      if (ends[i] === END.line) ends[i] = END.nothing;
      else if (ends[i] === END.fence) ends[i] = batch.kind[i] === MMIO_READ ? END.value : END.nothing;
    }
  }

  /** The end of the part that begins at `from`, which the guest stub does completely or not at all. */
  partEnd(from: number): number {
    const { byStub } = this;
    let to = from + 1;
    while (to < byStub.length && byStub[to] === byStub[from]) to++;
    return to;
  }

  /** The qtest commands of stimulus `i`, appended to `lines`. */
  commands(i: number, lines: string[]): void {
    if (this.ends[i] === END.skipped || this.ends[i] === END.itself) return;
    for (const { address, byte } of this.fills[i] ?? NO_FILLS)
      lines.push(`writeb ${hex(address)} ${hex(byte)}`);
    const { words, kind } = this.batch;
    const w = words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
    switch (kind[i]) {
      case MMIO_READ:
      case MMIO_WRITE: {
        const address = hex(registerAddress(this.machine, w[0]!, w[1]!, w[2]!));
        const letter = LETTER[w[3]!]!;
        if (kind[i] === MMIO_READ) lines.push(`read${letter} ${address}`);
        else
          lines.push(
            `write${letter} ${address} ${w[3] === 8 ? hex64(w[4]!, w[5]!) : hex(truncated(w[4]!, w[3]!))}`,
          );
        return;
      }
      case MEM_WRITE: {
        const address = hex(place(this.machine, w[1]! * 2 ** 32 + w[0]!, w[2]!));
        const [low, high] = this.stored(w);
        lines.push(
          `write${LETTER[w[2]!]!} ${address} ${w[2] === 8 ? hex64(low, high) : hex(truncated(low, w[2]!))}`,
        );
        return;
      }
      case QUEUE_WRITE: {
        const address = hex(place(this.machine, w[2]! * 2 ** 32 + w[1]!, 32));
        const bytes = Buffer.from(w.slice(3, 11).buffer);
        lines.push(`write ${address} 0x20 0x${bytes.toString('hex')}`);
        return;
      }
      case MEM_KNOWN:
      case MEM_UNKNOWN: {
        const address = hex(place(this.machine, w[1]! * 2 ** 32 + w[0]!, w[2]!));
        const byte = this.filling(i, w);
        // The memory of a QEMU that has just started is zero.
        const isSo = byte === 0 && this.first + i === 0;
        if (w[2] !== 0 && !isSo) lines.push(`memset ${address} ${hex(w[2]!)} ${hex(byte)}`);
        return;
      }
      case MSI_WRITE:
        lines.push(...this.machine.msis.commands(w[1]!, w[2]!, w[3]!));
        return;
      case WIRE_SET: {
        const pe = this.batch.pe[i]!;
        const line = pe >= 0 ? VIRT_SPIS + 32 * pe + w[0]! : w[0]! - 32;
        lines.push(`set_irq_in ${this.gic} unnamed-gpio-in ${line} ${w[1]}`);
        return;
      }
      default:
        return;
    }
  }

  /** Appends the guest stub's operations for stimulus `i` to `out`, one for each mark with which the stimulus ends. */
  operations(i: number, out: Operation[]): void {
    if (this.ends[i] !== END.marks) return;
    const { stub } = this;
    const pe = this.batch.pe[i]!;
    const around = this.surroundings[i];
    const by = around?.pe ?? (pe === NO_PE || pe >= this.machine.pes ? 0 : pe);
    const access = (width: number, write: boolean, address: number, low: number, high: number) =>
      out.push({ routine: stub.memory(width as Width, write), pe: by, low, high, address, third: 0 });
    for (const { address, byte } of this.fills[i] ?? NO_FILLS) access(1, true, address, byte, 0);
    if (around !== undefined) out.push(...around.before);
    this.operation(i, by, out);
    if (around !== undefined) out.push(...around.behind);
  }

  /** What the stimulus itself is to the stub, for PE `by`. */
  private operation(i: number, by: number, out: Operation[]): void {
    const { stub } = this;
    const { words, kind } = this.batch;
    const w = words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
    const access = (width: number, write: boolean, address: number, low: number, high: number) =>
      out.push({ routine: stub.memory(width as Width, write), pe: by, low, high, address, third: 0 });
    switch (kind[i]) {
      case MMIO_READ:
      case MMIO_WRITE: {
        const address = registerAddress(this.machine, w[0]!, w[1]!, w[2]!);
        access(w[3]!, kind[i] === MMIO_WRITE, address, w[4]!, w[5]!);
        return;
      }
      case SYSREG_READ:
      case SYSREG_WRITE: {
        const write = kind[i] === SYSREG_WRITE;
        const known = this.surroundings[i]?.isImpossible ? 0 : stub.sysreg(w[0]!, write);
        const routine = known === 0 ? stub.undefined : known;
        out.push({ routine, pe: by, low: write ? w[1]! : 0, high: write ? w[2]! : 0, address: 0, third: 0 });
        return;
      }
      case MEM_WRITE: {
        const [low, high] = this.stored(w);
        access(w[2]!, true, place(this.machine, w[1]! * 2 ** 32 + w[0]!, w[2]!), low, high);
        return;
      }
      case MEM_KNOWN:
      case MEM_UNKNOWN:
        access(1, true, place(this.machine, w[1]! * 2 ** 32 + w[0]!, 1), this.filling(i, w), 0);
        return;
      case QUEUE_WRITE: {
        const address = place(this.machine, w[2]! * 2 ** 32 + w[1]!, 32);
        for (let k = 0; k < 4; k++) access(8, true, address + 8 * k, w[3 + 2 * k]!, w[4 + 2 * k]!);
        return;
      }
      case PE_RESET: {
        const other = by === 0 ? 1 : 0;
        out.push(stub.stop(by), stub.start(other, this.machine.affinities[by]!), {
          ...{ routine: stub.nothing, pe: by, low: 0, high: 0, address: 0, third: 0 },
        });
        return;
      }
      case PE_SWITCH:
        // What the PE is signalled counts again; but nothing was held where nothing was to be done.
        if (this.surroundings[i] === undefined)
          out.push({ routine: stub.nothing, pe: by, low: 0, high: 0, address: 0, third: 0 });
        else out.push(stub.loud(by));
        return;
      default:
        return;
    }
  }

  /** Whether the PE must execute otherwise than before for a stimulus. */
  isElsewhere(i: number): boolean {
    return (this.surroundings[i]?.before.length ?? 0) > 0;
  }

  /** The number of marks before that of the stimulus itself. */
  marksBefore(i: number): number {
    return (this.fills[i]?.length ?? 0) + (this.surroundings[i]?.before.length ?? 0);
  }
  /** The number of marks that end stimulus `i`. */
  marks(i: number): number {
    const kind = this.batch.kind[i]!;
    const own = kind === QUEUE_WRITE ? 4 : kind === PE_RESET ? 3 : 1;
    return this.marksBefore(i) + own + (this.surroundings[i]?.behind.length ?? 0);
  }

  /**
   * The byte with which memory is filled that became known. If it became unknown, it is filled with zero: an LPI with an
   * unknown configuration is not visible in the trace, and once it must be visible, its configuration is known again.
   */
  private filling(i: number, w: Uint32Array): number {
    return this.batch.kind[i] === MEM_KNOWN ? w[3]! & 0xff : 0;
  }

  /** The value of a mem.write, with the address of a level-2 table as in the machine. */
  private stored(w: Uint32Array): [number, number] {
    if (w[2] !== 8) return [w[3]!, w[4]!];
    const value = placePointer((BigInt(w[4]!) << 32n) | BigInt(w[3]!));
    return [Number(value & 0xffff_ffffn), Number(value >> 32n)];
  }
}

const truncated = (value: number, width: number) => (width >= 4 ? value : value & (2 ** (8 * width) - 1));
