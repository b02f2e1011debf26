// From tokens to records in the order of cause and effect. QEMU prints some lines before their effects and some
// after: here each stimulus is put before what it did, lines that tell of one access twice are held against each
// other, and each finished group (a stimulus and what it did) goes to the sink. Infers nothing about the guest.
import {
  CONFLICTS,
  encodeCommand,
  FRAMES,
  fieldOffsets,
  ITS_COMMANDS,
  type OperandSpec,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  RULES,
  SYSREGS,
} from '@gictrace/core';
import { type Reach, WRITE_REACH } from './events.ts';
import { type Identity, peOf } from './identity.ts';
import { eventNames, type Token } from './tokenize.ts';

const HPPI = RECORDS.hppi.id;
const VHPPI = RECORDS.vhppi.id;
const ITS_COMMAND = RECORDS['its.command'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const CONFLICT = RECORDS['source.conflict'].id;
const GICD = FRAMES.indexOf('GICD');
const GICR = FRAMES.indexOf('GICR');
const GITS = FRAMES.indexOf('GITS');
const GROUP_CAPACITY = 16_384;
const CBASER = 0x80;
const CWRITER = 0x88;
const TRANSLATER = 0x1_0040;

const GITS_CTLR_OFFSET = 0;
const IDLE = 255;
const SPURIOUS = 1023;

/** System registers by the hash of the word that QEMU prints for them. */
const sysregByHash = new Map<number, number>();
for (const [name, spec] of Object.entries(SYSREGS)) {
  for (const printed of [name, name.replace(/_EL[12]$/, '')]) {
    let hash = 0;
    for (let i = 0; i < printed.length; i++) hash = (Math.imul(hash, 31) + printed.charCodeAt(i)) | 0;
    if (!sysregByHash.has(hash)) sysregByHash.set(hash, spec.encoding);
  }
}
const ICC_CTLR = SYSREGS.ICC_CTLR_EL1.encoding;
const SGI1R = SYSREGS.ICC_SGI1R_EL1.encoding;

function reachOf(frame: 'GICD' | 'GICR', offset: number): Reach {
  for (const row of WRITE_REACH)
    if (row.frame === frame && offset >= row.from && offset <= row.to) return row.reach;
  return 'none';
}

export interface GroupSink {
  /** A stimulus and what it did, in order. The batch is reused after the call. */
  group(batch: RecordBatch): void;
}

/** What an importer left out, and how often. */
export class Losses {
  readonly counts = new Map<string, number>();
  add(what: string, n = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + n);
  }
}

export class Assembler {
  private readonly group = new RecordBatch(GROUP_CAPACITY);
  private readonly spare = new RecordBatch(GROUP_CAPACITY);
  private readonly joined = new RecordBatch(GROUP_CAPACITY);
  private readonly queue = new RecordBatch(GROUP_CAPACITY);
  private readonly threads = new Map<number, number>();
  /** The thread that each PE runs on. */
  private readonly threadOfPe = new Map<number, number>();
  /** Levels of the wires, as last printed; down before that. */
  private readonly levels = new Map<number, number>();
  /** What was last printed as a PE's INTID and group, packed. */
  private readonly printed = new Map<number, number>();
  private startSeconds = -1;
  private startMicros = 0;
  private now = Number.NaN;
  private lineNumber = 0;
  /** Index in the group of an hppi or vhppi whose lines are still to come, or -1. */
  private openHppi = -1;
  private openVhppi = -1;
  /** Index in the group of the mmio record that the next line may tell of again, or -1. */
  private openAccess = -1;
  /** A region write that has not been confirmed by its unit's line. */
  private openWrite = -1;
  private translation: { low: number; line: number } | undefined;
  private cbaser = 0;
  private queueShown = false;
  private sawRegions = false;
  private readonly identity: Identity;
  private readonly losses: Losses;
  private readonly sink: GroupSink;
  /** Lines of known events, by event index. */
  readonly counts = new Uint32Array(eventNames.length);
  malformed = 0;
  firstMalformed = 0;

  constructor(identity: Identity, losses: Losses, sink: GroupSink) {
    this.identity = identity;
    this.losses = losses;
    this.sink = sink;
  }

  /** Takes one line whose event is known. */
  line(t: Token, lineNumber: number): void {
    this.lineNumber = lineNumber;
    const kind = t.kind!;
    if (t.count < kind.numbers) {
      this.malformed++;
      if (this.firstMalformed === 0) this.firstMalformed = lineNumber;
      return;
    }
    this.counts[t.event]!++;
    if (t.stamped) {
      if (this.startSeconds < 0) {
        this.startSeconds = t.seconds;
        this.startMicros = t.micros;
      }
      this.now = (t.seconds - this.startSeconds) * 1e9 + (t.micros - this.startMicros) * 1e3;
    } else this.now = Number.NaN;
    const { low, high } = t;
    switch (kind.sort) {
      case 'hppi':
        return this.hppi(t);
      case 'hppi-lines':
        return this.hppiLines(t);
      case 'vhppi': {
        const i = this.observe(VHPPI, this.pe(low[0]!));
        const w = this.group.words;
        const at = i * RECORD_WORDS;
        w[at] = low[1]!;
        // 0 is printed where no vLPI has been pending yet.
        w[at + 1] = low[2] === 0 ? SPURIOUS : low[2]!;
        w[at + 2] = low[3]!;
        w[at + 3] = low[4]!;
        this.openVhppi = i;
        return;
      }
      case 'vhppi-lines':
        if (this.openVhppi >= 0) {
          this.samePe(this.openVhppi, t);
          const at = this.openVhppi * RECORD_WORDS;
          this.group.words[at + 4] = low[1]!;
          this.group.words[at + 5] = low[2]!;
          this.openVhppi = -1;
        } else this.losses.add('virtual interrupt lines without their update');
        return;
      case 'maintenance':
        this.set(this.observe(RECORDS.maintenance.id, this.pe(low[0]!)), low[1]!);
        return;
      case 'sysreg-read':
      case 'sysreg-write':
        return this.sysreg(t, kind.sort === 'sysreg-read');
      case 'iar':
        return this.acknowledge(t);
      case 'sgi':
        return this.sgi(t);
      case 'sgi-sent':
        this.set(this.observe(RECORDS['sgi.sent'].id, this.pe(low[0]!)), low[1]!);
        return;
      case 'ppi-wire':
        return this.wire(
          this.stimulus(RECORDS['wire.set'].id, this.pe(low[0]!)),
          peOf(low[0]!),
          low[1]!,
          low[2]!,
        );
      case 'spi-wire':
        return this.wire(this.stimulus(RECORDS['wire.set'].id, -1), -1, low[0]!, low[1]!);
      case 'gicd-read':
        return this.unitRead(t, GICD, 0, 0, false);
      case 'gicr-read':
        return this.unitRead(t, GICR, this.pe(low[0]!), 1, false);
      case 'gits-read':
        return this.unitRead(t, GITS, 0, 0, false);
      case 'gicd-write':
        return this.unitWrite(t, GICD, 0, 0, false);
      case 'gicr-write':
        return this.unitWrite(t, GICR, this.pe(low[0]!), 1, false);
      case 'gits-write':
        return this.unitWrite(t, GITS, 0, 0, false);
      case 'bad-read':
      case 'bad-write': {
        const frame = FRAMES.indexOf(kind.detail![0] as (typeof FRAMES)[number]);
        const skip = frame === GICR ? 1 : 0;
        const instance = frame === GICR ? this.pe(low[0]!) : 0;
        if (kind.sort === 'bad-read') this.unitRead(t, frame, instance, skip, true);
        else this.unitWrite(t, frame, instance, skip, true);
        return;
      }
      case 'translater':
        return this.msi(t);
      case 'command':
        return this.command(t);
      case 'operands':
        return this.operands(t);
      case 'entry':
        return this.entry(t);
      case 'region-read':
      case 'region-write':
        return this.region(t, kind.sort === 'region-read');
      case 'ram-store': {
        const i = this.memory(low[0]!);
        this.set(i, low[1]!, high[1]!, low[2]!, low[3]!, high[3]!);
        this.noteStore(high[1]! * 2 ** 32 + low[1]!);
        return;
      }
      case 'io-access':
        return this.ioAccess(t);
      case 'redundant':
        this.losses.add(`${eventNames[t.event]}: told by the command itself`);
        return;
    }
  }

  /** No more lines. */
  end(): void {
    const orphan = this.sawRegions ? -1 : this.firstCommand();
    if (orphan >= 0) {
      // The log ends inside the execution of commands: the write that started them was never printed.
      this.losses.add('records at the end without the access that caused them', this.group.count - orphan);
      this.group.count = orphan;
      this.queue.clear();
    }
    this.close();
  }

  // ---- groups --------------------------------------------------------------------------------------------

  private close(): void {
    const { group, queue } = this;
    if (queue.count > 0) {
      const out = this.joined;
      out.clear();
      for (let i = 0; i < queue.count; i++) out.copy(queue, i);
      queue.clear();
      for (let i = 0; i < group.count; i++) {
        if (out.full) {
          this.sink.group(out);
          out.clear();
        }
        out.copy(group, i);
      }
      this.sink.group(out);
    } else if (group.count > 0) this.sink.group(group);
    group.clear();
    this.openHppi = this.openVhppi = this.openAccess = this.openWrite = -1;
  }

  private push(kind: number, pe: number): number {
    if (this.group.full) this.close();
    const i = this.group.push(kind, pe, this.now);
    this.group.line[i] = this.lineNumber;
    return i;
  }

  /** A record of something that the current stimulus did. */
  private observe(kind: number, pe: number): number {
    this.openAccess = -1;
    return this.push(kind, pe);
  }

  /** A stimulus whose effects follow: a new group. */
  private stimulus(kind: number, pe: number): number {
    this.close();
    return this.push(kind, pe);
  }

  /** A store to memory: not ordered by QEMU's lock, so it neither has effects nor ends a group. */
  private memory(pe: number): number {
    return this.push(MEM_WRITE, pe);
  }

  /** A stimulus that was printed after its effects, which are the records of the group from `from` on. */
  private stimulusBefore(kind: number, pe: number, from: number): number {
    const { group, spare } = this;
    spare.clear();
    for (let i = from; i < group.count; i++) spare.copy(group, i);
    group.count = from;
    const queued = spare.count > 0 && this.hasCommand(spare);
    if (!queued) this.close();
    else this.closeWithoutQueue();
    const at = this.push(kind, pe);
    for (let i = 0; i < spare.count; i++) {
      if (this.group.full) this.close();
      this.group.copy(spare, i);
    }
    return at;
  }

  private closeWithoutQueue(): void {
    if (this.group.count > 0) this.sink.group(this.group);
    this.group.clear();
    this.openHppi = this.openVhppi = this.openAccess = this.openWrite = -1;
  }

  private hasCommand(batch: RecordBatch): boolean {
    for (let i = 0; i < batch.count; i++) if (batch.kind[i] === ITS_COMMAND) return true;
    return false;
  }

  private firstCommand(): number {
    for (let i = 0; i < this.group.count; i++) if (this.group.kind[i] === ITS_COMMAND) return i;
    return -1;
  }

  /** Where the last `count` hppi records of the group begin, if it ends with that many (of all PEs in order, or of `pe`). */
  private tailOfHppi(count: number, pe: number): number {
    const { group } = this;
    let wanted = count;
    let i = group.count - 1;
    for (; i >= 0 && wanted > 0; i--) {
      if (group.kind[i] === MEM_WRITE) continue;
      if (group.kind[i] !== HPPI || group.pe[i] !== (pe >= 0 ? pe : wanted - 1)) return group.count;
      wanted--;
    }
    return wanted === 0 ? i + 1 : group.count;
  }

  private set(i: number, ...values: number[]): void {
    const at = i * RECORD_WORDS;
    for (let k = 0; k < values.length; k++) this.group.words[at + k] = values[k]!;
  }

  /** Two tellings of one thing contradict each other: that of line `firstLine`, and that of this line. */
  private conflict(
    what: (typeof CONFLICTS)[number],
    told: readonly [number, number],
    again: readonly [number, number],
    firstLine: number,
  ): void {
    const i = this.push(CONFLICT, -1);
    this.set(i, CONFLICTS.indexOf(what), told[0], told[1], again[0], again[1], firstLine);
  }

  // ---- PEs -----------------------------------------------------------------------------------------------

  private pe(affinity: number): number {
    const pe = peOf(affinity);
    this.identity.showPe(pe);
    return pe;
  }

  /** A line of a thread names the PE that it runs. A PE that has another thread of its own contradicts it. */
  private nameThread(t: Token, pe: number): void {
    if (!t.stamped) return;
    const known = this.threads.get(t.thread);
    if (known === pe) return;
    const own = this.threadOfPe.get(pe);
    if (known !== undefined && own !== undefined && own !== t.thread) {
      this.conflict('pe', [known, 0], [pe, 0], this.lineNumber);
      return;
    }
    this.threads.set(t.thread, pe);
    this.threadOfPe.set(pe, t.thread);
  }

  private peOfThread(t: Token): number {
    return t.stamped ? (this.threads.get(t.thread) ?? -1) : -1;
  }

  // ---- lines ---------------------------------------------------------------------------------------------

  private hppi(t: Token): void {
    const { low } = t;
    const i = this.observe(HPPI, this.pe(low[0]!));
    const at = i * RECORD_WORDS;
    const idle = low[3]! === IDLE;
    // With idle priority the INTID and group printed are those of an earlier interrupt.
    this.group.words[at] = idle ? SPURIOUS : low[1]!;
    this.group.words[at + 1] = idle ? 0 : low[2]!;
    this.group.words[at + 2] = low[3]!;
    this.group.flags[i] = RECORD_FLAGS.valueUnknown;
    this.openHppi = i;
    const pe = this.group.pe[i]!;
    const before = this.printed.get(pe);
    const now = low[1]! * 4 + low[2]!;
    this.printed.set(pe, now);
    // …and they never change while it is idle, so one that does contradicts the line before.
    if (idle && before !== undefined && before !== now) {
      this.conflict('value', [before >>> 2, before & 3], [low[1]!, low[2]!], this.lineNumber);
      this.openHppi = i;
    }
  }

  private hppiLines(t: Token): void {
    const i = this.openHppi;
    if (i < 0) {
      this.losses.add('interrupt lines without their update');
      return;
    }
    this.samePe(i, t);
    this.group.words[i * RECORD_WORDS + 3] = t.low[1]!;
    this.group.words[i * RECORD_WORDS + 4] = t.low[2]!;
    this.group.flags[i] = 0;
    this.openHppi = -1;
  }

  /** The line of the interrupt lines follows that of the update, of the same PE. */
  private samePe(i: number, t: Token): void {
    const pe = peOf(t.low[0]!);
    if (this.group.pe[i] !== pe) this.conflict('pe', [this.group.pe[i]!, 0], [pe, 0], this.group.line[i]!);
  }

  /** QEMU prints a wire only when its level changes. */
  private wire(i: number, pe: number, intid: number, level: number): void {
    this.set(i, intid, level);
    const key = (pe + 1) * 1024 + intid;
    if ((this.levels.get(key) ?? 0) === level)
      this.conflict('value', [level ^ 1, 0], [level, 0], this.lineNumber);
    this.levels.set(key, level);
  }

  private register(t: Token): number {
    return sysregByHash.get(t.register) ?? -1;
  }

  private sysreg(t: Token, read: boolean): void {
    const register = this.register(t);
    if (register < 0) {
      this.losses.add(
        `system register ${t.bytes.toString('latin1', t.registerFrom, t.registerTo)}: not known`,
      );
      return;
    }
    const pe = this.pe(t.low[0]!);
    const i = this.stimulus(read ? SYSREG_READ : SYSREG_WRITE, pe);
    this.set(i, register, t.low[1]!, t.high[1]!);
    this.nameThread(t, pe);
    if (read && register === ICC_CTLR) this.identity.readCtlr(t.low[1]!);
  }

  private acknowledge(t: Token): void {
    const register = this.register(t);
    const pe = this.pe(t.low[0]!);
    const intid = t.low[1]!;
    const special = intid >= 1020 && intid < 8192;
    const all = intid >= 32 && intid < 1020;
    let from = special
      ? this.group.count
      : all
        ? this.tailOfHppi(this.identity.highestPe + 1, -1)
        : this.tailOfHppi(1, pe);
    // The thread may say better than the line which PE it was: then the two contradict each other (nameThread).
    if (!special && !all && from === this.group.count && this.peOfThread(t) >= 0)
      from = this.tailOfHppi(1, this.peOfThread(t));
    const i = this.stimulusBefore(SYSREG_READ, pe, from);
    this.set(i, register, t.low[1]!, t.high[1]!);
    this.nameThread(t, pe);
  }

  private sgi(t: Token): void {
    const [cpu, intid, irm, affinity, targets] = [t.low[0]!, t.low[1]!, t.low[2]!, t.low[3]!, t.low[4]!];
    const pe = this.pe(cpu);
    const i = this.stimulus(SYSREG_WRITE, pe);
    // Aff3.Aff2.Aff1 is printed as one number.
    const low = (targets & 0xffff) | ((affinity & 0xff) << 16) | ((intid & 0xf) << 24);
    const high = ((affinity >> 8) & 0xff) | (irm ? 0x100 : 0) | (((affinity >> 16) & 0xff) << 16);
    this.set(i, SGI1R, low, high);
    this.group.rule[i] = RULES['sgi-register'].id;
    this.nameThread(t, pe);
  }

  /** A line of a unit about a register read: always after whatever the read did, which is nothing. */
  private unitRead(t: Token, frame: number, instance: number, skip: number, bad: boolean): void {
    const offset = t.low[skip]!;
    const width = t.low[skip + (bad ? 1 : 2)]!;
    const low = bad ? 0 : t.low[skip + 1]!;
    const high = bad ? 0 : t.high[skip + 1]!;
    const i = this.stimulus(MMIO_READ, this.peOfThread(t));
    if (this.group.pe[i]! >= 0) this.group.rule[i] = RULES['pe-from-thread'].id;
    this.set(i, frame, instance, offset, width, low, high);
    if (bad) this.group.flags[i] = RECORD_FLAGS.reserved;
    else this.identity.read(FRAMES[frame]!, instance, offset, width, low, high);
    this.openAccess = i;
  }

  /** A line of a unit about a register write: after its effects. */
  private unitWrite(t: Token, frame: number, instance: number, skip: number, bad: boolean): void {
    const offset = t.low[skip]!;
    const low = t.low[skip + 1]!;
    const high = t.high[skip + 1]!;
    const width = t.low[skip + 2]!;
    if (frame === GITS) this.noteQueue(offset, width, low, high);
    if (this.openWrite >= 0) {
      this.confirmWrite(frame, instance, offset, width, low, high, bad);
      return;
    }
    const from = this.effectsOf(frame, instance, offset, bad);
    const i = this.stimulusBefore(MMIO_WRITE, this.peOfThread(t), from);
    if (this.group.pe[i]! >= 0) this.group.rule[i] = RULES['pe-from-thread'].id;
    this.set(i, frame, instance, offset, width, low, high);
    if (bad) this.group.flags[i] = RECORD_FLAGS.reserved;
    this.openAccess = i;
  }

  /** Where in the group the effects of a write begin that is only printed now. */
  private effectsOf(frame: number, instance: number, offset: number, bad: boolean): number {
    if (bad) return this.group.count;
    if (frame === GITS) {
      const first = offset === CWRITER || offset === GITS_CTLR_OFFSET ? this.firstCommand() : -1;
      return first < 0 ? this.group.count : first;
    }
    const reach = reachOf(frame === GICD ? 'GICD' : 'GICR', offset);
    if (reach === 'none') return this.group.count;
    return reach === 'target'
      ? this.tailOfHppi(1, instance)
      : this.tailOfHppi(this.identity.highestPe + 1, -1);
  }

  private noteQueue(offset: number, width: number, low: number, high: number): void {
    this.identity.showIts();
    if (offset === CBASER && width === 8)
      this.cbaser = (high & 0xf_ffff) * 2 ** 32 + ((low & 0xffff_f000) >>> 0);
    else if (offset === CBASER)
      this.cbaser = Math.floor(this.cbaser / 2 ** 32) * 2 ** 32 + ((low & 0xffff_f000) >>> 0);
    else if (offset === CBASER + 4) this.cbaser = (low & 0xf_ffff) * 2 ** 32 + (this.cbaser % 2 ** 32);
  }

  private noteStore(address: number): void {
    if (this.cbaser > 0 && address >= this.cbaser && address < this.cbaser + 0x10_0000)
      this.queueShown = true;
  }

  private msi(t: Token): void {
    const offset = t.low[0]!;
    const value = t.low[1]!;
    const width = t.low[2]!;
    const deviceId = t.low[3]!;
    this.identity.showIts();
    const region = this.translation;
    this.translation = undefined;
    const at = region === undefined ? this.lineNumber : region.line;
    if (offset !== (TRANSLATER & 0xffff)) {
      const i = this.stimulus(MMIO_WRITE, -1);
      this.set(i, GITS, 0, 0x1_0000 + offset, width, value, 0);
      return;
    }
    const i = this.stimulus(RECORDS['msi.write'].id, -1);
    this.group.line[i] = at;
    this.set(i, 0, deviceId, value, width);
    if (region !== undefined) {
      if (region.low === value) this.group.flags[i] = RECORD_FLAGS.confirmed;
      else this.conflict('value', [region.low, 0], [value, 0], region.line);
    }
  }

  private command(t: Token): void {
    this.identity.showIts();
    const i = this.observe(ITS_COMMAND, -1);
    // Its outcome is not printed.
    this.group.flags[i] = RECORD_FLAGS.valueUnknown;
    this.set(i, 0, t.low[0]!, 0, 0, t.low[1]!);
    if (!this.queueShown && this.cbaser > 0) {
      const address = this.cbaser + 32 * t.low[0]!;
      if (this.queue.full) {
        this.losses.add('ITS commands beyond one write of GITS_CWRITER that this importer can hold');
        return;
      }
      const q = this.queue.push(QUEUE_WRITE, -1, this.now);
      this.queue.line[q] = this.lineNumber;
      this.queue.rule[q] = RULES['command-from-decode'].id;
      const w = this.queue.words;
      w[q * RECORD_WORDS + 1] = address >>> 0;
      w[q * RECORD_WORDS + 2] = Math.floor(address / 2 ** 32);
      w[q * RECORD_WORDS + 3] = t.low[1]!;
    }
  }

  private operands(t: Token): void {
    const i = this.group.count - 1;
    let at = i;
    while (at >= 0 && this.group.kind[at] === MEM_WRITE) at--;
    if (at < 0 || this.group.kind[at] !== ITS_COMMAND) {
      this.losses.add('command operands without their command');
      return;
    }
    const name = eventNames[t.event]!.slice(
      'gicv3_its_cmd_'.length,
    ).toUpperCase() as keyof typeof ITS_COMMANDS;
    const operands: Record<string, number> = {};
    let shown = 0;
    const specs: readonly OperandSpec[] = ITS_COMMANDS[name].operands;
    t.kind!.detail!.forEach((operand, k) => {
      const index = specs.findIndex((spec) => spec.name === operand);
      const spec = specs[index]!;
      shown += 2 ** index;
      operands[operand] = (t.high[k]! * 2 ** 32 + t.low[k]!) * 2 ** (spec.shift ?? 0);
    });
    const words = encodeCommand(name, operands);
    const base = at * RECORD_WORDS;
    if ((words[0]! & 0xff) !== this.group.words[base + 4])
      this.conflict('value', [this.group.words[base + 4]!, 0], [words[0]! & 0xff, 0], this.group.line[at]!);
    this.group.words[base + 3] = shown;
    for (let k = 0; k < 8; k++) this.group.words[base + 4 + k] = words[k]!;
    if (!this.queueShown && this.queue.count > 0) {
      const q = (this.queue.count - 1) * RECORD_WORDS;
      for (let k = 0; k < 8; k++) this.queue.words[q + 3 + k] = words[k]!;
    }
  }

  private entry(t: Token): void {
    const name = t.kind!.detail![0] as 'dte.read' | 'cte.read' | 'ite.read' | 'vte.read';
    const kind = RECORDS[name];
    const i = this.observe(kind.id, -1);
    const base = i * RECORD_WORDS;
    const at = fieldOffsets(kind);
    const w = this.group.words;
    const { low, high } = t;
    const order =
      ENTRY_ORDER[
        t.kind!.detail![0] === 'dte.write' ? 'dte.write' : (name.slice(0, 3) as 'dte' | 'cte' | 'ite' | 'vte')
      ];
    order.forEach(([field, shift], k) => {
      const value = (high[k]! * 2 ** 32 + low[k]!) * 2 ** shift;
      w[base + at[field]!] = value >>> 0;
      if (kind.fields[field]!.type === 'pa') w[base + at[field]! + 1] = Math.floor(value / 2 ** 32);
    });
  }

  // ---- memory regions and the plugin -----------------------------------------------------------------------

  private region(t: Token, read: boolean): void {
    this.sawRegions = true;
    const { bytes } = t;
    const cpu = t.low[0]! | 0;
    const address = t.high[2]! * 2 ** 32 + t.low[2]!;
    const low = t.low[3]!;
    const high = t.high[3]!;
    const width = t.low[4]!;
    // The name is the last word, in quotes.
    let from = t.to - 1;
    while (from > t.from && bytes[from - 1] !== 0x27) from--;
    const c = bytes[from];
    const length = t.to - 1 - from;
    if (c === 0x67 && bytes.toString('latin1', from, from + 10) === 'gicv3_dist') {
      this.identity.gicdBase = address - (address % 0x1_0000);
      this.regionAccess(read, cpu, GICD, 0, address % 0x1_0000, width, low, high);
    } else if (c === 0x67 && bytes.toString('latin1', from, from + 13) === 'gicv3_redist_')
      this.redistributorAccess(read, cpu, address, width, low, high);
    else if (c === 0x63 && length === 7 && bytes.toString('latin1', from, from + 7) === 'control') {
      this.identity.gitsBase = address - (address % 0x1_0000);
      this.regionAccess(read, cpu, GITS, 0, address % 0x1_0000, width, low, high);
    } else if (c === 0x74 && bytes.toString('latin1', from, from + length) === 'translation') {
      if (!read) this.translation = { low, line: this.lineNumber };
    } else {
      this.losses.add(`memory region ${bytes.toString('latin1', from, t.to - 1)}: not a GIC`);
      this.counts[t.event]!--;
    }
  }

  private redistributorAccess(
    read: boolean,
    cpu: number,
    address: number,
    width: number,
    low: number,
    high: number,
  ): void {
    const { group } = this;
    if (read) {
      // The Redistributor's own line stands just before and names it.
      const i = this.openAccess;
      if (i >= 0 && group.words[i * RECORD_WORDS] === GICR) {
        const at = i * RECORD_WORDS;
        const offset = group.words[at + 2]!;
        this.identity.showRedistributor(group.words[at + 1]!, address - offset);
        this.regionAccess(read, cpu, GICR, group.words[at + 1]!, offset, width, low, high);
        return;
      }
    }
    const found = this.locate(address);
    this.regionAccess(read, cpu, GICR, found.pe, found.offset, width, low, high);
  }

  /** Which Redistributor an address is in: by the bases seen so far, else by virt's map. */
  private locate(address: number): { pe: number; offset: number } {
    let best = -1;
    let base = 0;
    for (const [pe, at] of this.identity.gicrBase) {
      if (at <= address && at >= base) {
        best = pe;
        base = at;
      }
    }
    const stride =
      this.identity.gicrBase.has(0) && this.identity.gicrBase.has(1)
        ? this.identity.gicrBase.get(1)! - this.identity.gicrBase.get(0)!
        : 0x2_0000;
    if (best < 0) {
      best = 0;
      base = 0x080a_0000;
    }
    return { pe: best + Math.floor((address - base) / stride), offset: (address - base) % stride };
  }

  private regionAccess(
    read: boolean,
    cpu: number,
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low: number,
    high: number,
  ): void {
    const pe = cpu < 0 ? -1 : cpu;
    if (pe >= 0) this.identity.showPe(pe);
    const { group } = this;
    if (!read) {
      const i = this.stimulus(MMIO_WRITE, pe);
      this.set(i, frame, instance, offset, width, low, high);
      this.openWrite = i;
      return;
    }
    const i = this.openAccess;
    this.openAccess = -1;
    if (i < 0) {
      const n = this.stimulus(MMIO_READ, pe);
      this.set(n, frame, instance, offset, width, low, high);
      this.identity.read(FRAMES[frame]!, instance, offset, width, low, high);
      return;
    }
    group.pe[i] = pe;
    group.rule[i] = 0;
    this.agree(i, frame, instance, offset, width, low, high);
  }

  private confirmWrite(
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low: number,
    high: number,
    bad: boolean,
  ): void {
    const i = this.openWrite;
    this.openWrite = -1;
    if (bad) this.group.flags[i]! |= RECORD_FLAGS.reserved;
    this.agree(i, frame, instance, offset, width, low, high);
  }

  /** Holds a second telling of an access against its record. */
  private agree(
    i: number,
    frame: number,
    instance: number,
    offset: number,
    width: number,
    low: number,
    high: number,
  ): void {
    const at = i * RECORD_WORDS;
    const w = this.group.words;
    const first = this.group.line[i]!;
    if (w[at] !== frame || w[at + 1] !== instance || w[at + 2] !== offset)
      this.conflict('address', [w[at + 2]!, w[at]!], [offset, frame], first);
    else if (w[at + 3] !== width) this.conflict('width', [w[at + 3]!, 0], [width, 0], first);
    else if (w[at + 4] !== low || w[at + 5] !== high)
      this.conflict('value', [w[at + 4]!, w[at + 5]!], [low, high], first);
    else this.group.flags[i]! |= RECORD_FLAGS.confirmed;
  }

  /** The plugin's line about an access to a device, after QEMU's own: which PE it was. */
  private ioAccess(t: Token): void {
    const i = this.openAccess;
    this.openAccess = -1;
    const address = t.high[1]! * 2 ** 32 + t.low[1]!;
    if (i < 0) {
      this.losses.add('plugin lines about accesses that no other line shows');
      return;
    }
    const at = i * RECORD_WORDS;
    const w = this.group.words;
    this.group.pe[i] = t.low[0]!;
    this.group.rule[i] = 0;
    this.identity.showPe(t.low[0]!);
    const base = address - w[at + 2]!;
    if (w[at] === GICD) this.identity.gicdBase = base;
    else if (w[at] === GITS) this.identity.gitsBase = base;
    else this.identity.showRedistributor(w[at + 1]!, base);
    if (t.low[2] !== w[at + 3]) this.conflict('width', [w[at + 3]!, 0], [t.low[2]!, 0], this.group.line[i]!);
    else this.group.flags[i]! |= RECORD_FLAGS.confirmed;
  }
}

/** For each table entry: the record's field and how far the printed number is shifted, in the order printed. */
const ENTRY_ORDER: Readonly<
  Record<'dte' | 'dte.write' | 'cte' | 'ite' | 'vte', readonly (readonly [number, number])[]>
> = {
  dte: [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0],
  ],
  // A write prints ITT_addr without its low 8 bits, a read prints the address.
  'dte.write': [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 8],
  ],
  cte: [
    [1, 0],
    [2, 0],
    [3, 0],
  ],
  ite: [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0],
    [5, 0],
    [6, 0],
    [7, 0],
    [8, 0],
  ],
  // VPT_addr is printed without its low 16 bits.
  vte: [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 16],
    [5, 0],
  ],
};
