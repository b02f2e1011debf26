// QEMU's log of the run: reads it as it grows and turns it into observables. Lines that mark what they belong to are passed
// to the code that keeps the order. It knows lines and records, but no stimuli.
import { closeSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { IDLE } from '@gictrace/core/model';
import { RECORD_WORDS, RECORDS } from '@gictrace/core/record';
import { FRAMES, SPURIOUS } from '@gictrace/core/spec';
import { Group, ItsLines, Losses, newToken, tokenize } from '@gictrace/recorder/qemu-log';
import { HOLD_VIRTUAL, MARK } from './stub.ts';

const HPPI = RECORDS.hppi.id;
const VHPPI = RECORDS.vhppi.id;
const MAINTENANCE = RECORDS.maintenance.id;
const SGI_SENT = RECORDS['sgi.sent'].id;
const NEWLINE = 0x0a;
const [GICD, GICR, GITS] = [FRAMES.indexOf('GICD'), FRAMES.indexOf('GICR'), FRAMES.indexOf('GITS')];
/** Bytes read at a time, and bytes after which the file is emptied. */
const CHUNK = 1 << 18;
const EMPTY_AFTER = 1 << 24;

/** Called for lines that are not observables. */
export interface LogEvents {
  /** A register write, after what it did. */
  wrote(frame: number, instance: number, offset: number, width: number, bad: boolean): void;
  /** A read of a reserved location. */
  badRead(frame: number, instance: number, offset: number, width: number): void;
  /** A mark of the guest stub, or a fence: its offset and value. */
  mark(offset: number, low: number, high: number): void;
  /** An input line changed; SPIs have PE -1. */
  wire(pe: number, intid: number, level: number): void;
}

/** What a PE was last signalled, so that repetitions are not shown again. */
class Told {
  private readonly last: Uint32Array;
  private readonly fields: number;
  constructor(pes: number, idle: readonly number[]) {
    this.fields = idle.length;
    this.last = new Uint32Array(pes * idle.length);
    for (let pe = 0; pe < pes; pe++) this.last.set(idle, pe * idle.length);
  }
  /** Whether it has changed; if so, it is kept. */
  changed(pe: number, words: Uint32Array, at: number): boolean {
    const { last, fields } = this;
    let changed = false;
    for (let k = 0; k < fields; k++)
      if (last[pe * fields + k] !== words[at + k]) {
        changed = true;
        last[pe * fields + k] = words[at + k]!;
      }
    return changed;
  }
}

/** What a PE is signalled while the guest stub does something of its own: only what is true afterwards counts. */
interface Wait {
  /** The stub is at the trace's access again: what is signalled counts, and replaces what waits. */
  deferred: boolean;
  words: Uint32Array | undefined;
  /** What waited when the stub, at the trace's access, began to do something of its own again. */
  due?: Uint32Array | undefined;
}

export class QemuLog {
  /** What happened since it was last cleared. */
  readonly group: Group;
  private readonly its: ItsLines;
  private readonly token = newToken();
  private readonly fd: number;
  private readonly events: LogEvents;
  private readonly peOf: (affinity: number) => number;
  private readonly told: Record<number, Told>;
  private bytes = Buffer.allocUnsafe(CHUNK);
  private filled = 0;
  private from = 0;
  private offset = 0;
  private emptied = 0;
  /** By PE: an update whose lines are not printed yet. */
  private open: { kind: number; pe: number; readonly words: Uint32Array } = {
    kind: 0,
    pe: -1,
    words: new Uint32Array(RECORD_WORDS),
  };
  /** The PE at which the guest stub is doing something of its own, or -1. */
  private quiet = -1;
  /** By kind: what that PE is signalled meanwhile. */
  private readonly waits = new Map<number, Wait>();
  /** Lines that are neither known nor empty, such as messages of QEMU. */
  strange = '';

  /** `isWritten` says that QEMU writes the log and has begun to. */
  constructor(path: string, affinities: readonly number[], events: LogEvents, isWritten = true) {
    this.fd = openSync(path, isWritten ? 'r+' : 'a+');
    this.events = events;
    const byAffinity = new Map(affinities.map((affinity, pe) => [affinity, pe]));
    this.peOf = (affinity) => byAffinity.get(affinity) ?? -1;
    const pes = affinities.length;
    this.told = {
      [HPPI]: new Told(pes, [SPURIOUS, 0, IDLE, 0, 0]),
      [VHPPI]: new Told(pes, [0xffff_ffff, SPURIOUS, 0, IDLE, 0, 0]),
      [MAINTENANCE]: new Told(pes, [0]),
    };
    this.group = new Group({ group: () => undefined });
    this.its = new ItsLines(
      this.group,
      { showIts: () => undefined, showVirtualLpis: () => undefined, showMapped: () => undefined },
      new Losses(),
    );
  }

  close(): void {
    closeSync(this.fd);
  }

  /** Reads new lines, up to the one after which `done` returns true. Returns whether it was reached. */
  read(done: () => boolean): boolean {
    if (this.lines(done)) return true;
    for (;;) {
      if (this.filled === this.bytes.length) {
        const more = Buffer.allocUnsafe(this.bytes.length * 2);
        this.bytes.copy(more, 0, 0, this.filled);
        this.bytes = more;
      }
      const count = readSync(this.fd, this.bytes, this.filled, this.bytes.length - this.filled, this.offset);
      if (count === 0) return false;
      this.offset += count;
      this.filled += count;
      if (this.lines(done)) return true;
    }
  }

  private lines(done: () => boolean): boolean {
    const { bytes, filled } = this;
    let { from } = this;
    let reached = false;
    while (!reached) {
      const end = bytes.indexOf(NEWLINE, from);
      if (end < 0 || end >= filled) break;
      this.line(bytes, from, end);
      from = end + 1;
      reached = done();
    }
    // The rest stays in the buffer until it contains no whole line.
    if (reached) this.from = from;
    else {
      bytes.copyWithin(0, from, filled);
      this.filled = filled - from;
      this.from = 0;
    }
    return reached;
  }

  /** Whether the lines that have been read take much space. */
  get grown(): boolean {
    return this.offset - this.emptied > EMPTY_AFTER;
  }

  /** Frees the space of lines that have been read. Only while QEMU is idle. */
  empty(): void {
    ftruncateSync(this.fd, 0);
    this.emptied = this.offset;
  }

  private line(bytes: Buffer, from: number, to: number): void {
    const t = this.token;
    tokenize(bytes, from, to, t);
    const { kind, low } = t;
    if (kind === undefined) {
      if (to > from) this.strange = bytes.toString('latin1', from, Math.min(to, from + 200));
      return;
    }
    switch (kind.sort) {
      case 'hppi': {
        const idle = low[3] === IDLE;
        this.begin(HPPI, low[0]!, idle ? SPURIOUS : low[1]!, idle ? 0 : low[2]!, low[3]!);
        return;
      }
      case 'vhppi': {
        const idle = low[4] === IDLE;
        this.begin(VHPPI, low[0]!, low[1]!, idle ? SPURIOUS : low[2]!, idle ? 0 : low[3]!, low[4]!);
        return;
      }
      case 'hppi-lines':
      case 'vhppi-lines': {
        const at = this.open.kind === HPPI ? 3 : 4;
        this.open.words[at] = low[1]!;
        this.open.words[at + 1] = low[2]!;
        this.told_(this.open.kind, this.open.pe, this.open.words);
        this.open.kind = 0;
        return;
      }
      case 'maintenance':
        // The line moves a wire: what is true already is of before that.
        this.release(VHPPI);
        if (this.waits.get(HPPI)?.deferred) this.release(HPPI);
        else this.tellDue(HPPI);
        this.open.words[0] = low[1]!;
        this.told_(MAINTENANCE, this.peOf(low[0]!), this.open.words);
        return;
      case 'sgi-sent':
        this.group.set(this.group.observe(SGI_SENT, this.peOf(low[0]!)), low[1]!);
        return;
      case 'command':
        return this.its.command(t);
      case 'operands':
        return this.its.operands(t);
      case 'entry':
        return this.its.entry(t);
      case 'gicd-write':
        return this.events.wrote(GICD, 0, low[0]!, low[2]!, false);
      case 'gicr-write':
        return this.events.wrote(GICR, this.peOf(low[0]!), low[1]!, low[3]!, false);
      case 'gits-write':
        return this.events.wrote(GITS, 0, low[0]!, low[2]!, false);
      case 'bad-write':
        if (kind.detail![0] === 'GICR') this.events.wrote(GICR, this.peOf(low[0]!), low[1]!, low[3]!, true);
        else if (kind.detail![0] === 'GITS') this.events.wrote(GITS, 0, low[0]!, low[2]!, true);
        else if (low[2] === 8 && low[0]! >= MARK.done && low[0]! <= MARK.defer)
          this.mark(low[0]!, low[1]!, t.high[1]!);
        else this.events.wrote(GICD, 0, low[0]!, low[2]!, true);
        return;
      case 'bad-read':
        if (kind.detail![0] === 'GICR') this.events.badRead(GICR, this.peOf(low[0]!), low[1]!, low[2]!);
        else this.events.badRead(kind.detail![0] === 'GITS' ? GITS : GICD, 0, low[0]!, low[1]!);
        return;
      case 'ppi-wire':
        return this.events.wire(this.peOf(low[0]!), low[1]!, low[2]!);
      case 'spi-wire':
        return this.events.wire(-1, low[0]!, low[1]!);
      default:
        return;
    }
  }

  private begin(kind: number, cpu: number, ...words: number[]): void {
    this.open.kind = kind;
    this.open.pe = this.peOf(cpu);
    words.forEach((word, k) => {
      this.open.words[k] = word;
    });
  }

  private told_(kind: number, pe: number, words: Uint32Array): void {
    if (pe < 0 || kind === 0) return;
    // The guest stub blocks interrupts for a moment, or is in another Security state; only the state afterwards counts.
    const wait = pe === this.quiet ? this.waits.get(kind) : undefined;
    if (wait !== undefined) {
      // A line that says the same again is printed because the stub enters another Exception level.
      if (!wait.deferred || wait.words?.every((word, k) => word === words[k])) {
        wait.words = words.slice(0, kind === HPPI ? 5 : 6);
        return;
      }
      wait.words = undefined;
    }
    this.tell(kind, pe, words);
  }

  private tell(kind: number, pe: number, words: Uint32Array): void {
    if (!this.told[kind]!.changed(pe, words, 0)) return;
    const i = this.group.observe(kind, pe);
    this.group.batch.words.set(
      words.subarray(0, kind === HPPI ? 5 : kind === VHPPI ? 6 : 1),
      i * RECORD_WORDS,
    );
    this.group.batch.flags[i] = 0;
  }

  private mark(offset: number, low: number, high: number): void {
    if (offset === MARK.quiet) {
      this.quiet = low & (HOLD_VIRTUAL - 1);
      this.hold(HPPI);
      if (low & HOLD_VIRTUAL) this.hold(VHPPI);
    } else if (offset === MARK.defer) for (const wait of this.waits.values()) wait.deferred = true;
    else if (offset === MARK.loud) {
      this.release(HPPI);
      this.release(VHPPI);
      this.quiet = -1;
    } else this.events.mark(offset, low, high);
  }

  private hold(kind: number): void {
    const wait = this.waits.get(kind);
    const due = wait?.deferred ? wait.words : undefined;
    this.waits.set(kind, { deferred: false, words: wait?.words, due });
  }

  /** Counts what the PE was signalled when the stub blocked its interrupts, if the same interrupt is still the best. */
  private tellDue(kind: number): void {
    const wait = this.waits.get(kind);
    if (wait?.due === undefined) return;
    const { due, words } = wait;
    wait.due = undefined;
    if (words?.every((word, k) => k > 2 || word === due[k])) this.tell(kind, this.quiet, due);
  }

  /** What waits counts, and nothing waits any more. */
  private release(kind: number): void {
    const words = this.waits.get(kind)?.words;
    this.waits.delete(kind);
    if (words !== undefined) this.told_(kind, this.quiet, words);
  }
}
