// A real QEMU 11.1 with a GICv5 (virt, gic-version=x-5), driven by stimuli. Accesses and instructions are made by the guest's
// PEs, which the guest stub keeps in order; input lines of SPIs are set through qtest. QEMU's log says what came of each.
import { closeSync, openSync, readSync } from 'node:fs';
import { GicTraceError, type Gicv5Config } from '@gictrace/core';
import { NO_PE, RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICV5_TYPES, gicv5Id, gicv5Type, IRS } from '@gictrace/core/spec';
import { type QemuOptions, QemuProcess, qemuVersion } from '../qemu/process.ts';
import { type Operation, RING_SLOTS, ringLines } from '../qemu/ring.ts';
import { isReserved, markOf, shownBy } from './lines.ts';
import { MARK, STUB_BYTES, STUB_ENTRY, Stub } from './stub.ts';

/** The Non-secure config frame of `virt`, and its RAM. */
export const FRAME_ADDRESS = 0x0801_0000;
const FRAME_BYTES = 0x1_0000;
const NON_SECURE_INSTANCE = 1;
/** The RAM of `virt`, and where it ends at least; the guest stub is behind it. */
export const RAM = { from: 0x4000_0000, to: 0x4800_0000 } as const;
/** The first QEMU with a GICv5 is 11.1. */
const FIRST_MAJOR = 11;
/** The SPIs that `virt` connects. */
export const VIRT_SPIS = 256;
/** Operations that are given to the stub at a time. */
const OPERATIONS_MAX = RING_SLOTS / 2;
const FRAME_IRS = FRAMES.indexOf('IRS');
const hex = (value: number) => `0x${value.toString(16)}`;

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const GIC_RESET = RECORDS['gic.reset'].id;

/** What QEMU did at one stimulus. */
export interface Gicv5Answer {
  /** Why it was not done, if it was not. */
  readonly skipped?: string;
  /** What a read returned. */
  readonly value: bigint;
  readonly reserved: boolean;
  /** What was shown, in order. */
  readonly shown: RecordBatch;
}

/** Receives the answer of stimulus `i` of a batch. Answers come in the order of the stimuli; `shown` is reused. */
export type OnAnswer = (i: number, answer: Gicv5Answer) => void;

export class Gicv5Qemu {
  readonly version: string;
  private readonly process: QemuProcess;
  private readonly config: Gicv5Config;
  private readonly stub: Stub;
  private readonly gic: string;
  /** The end of the RAM that the trace has. */
  private readonly ramTo: number;
  private readonly fd: number;
  private operations = 0;
  private fences = 0;
  /** What of the log has been read and not been used. */
  private rest = '';
  private readonly lines: string[] = [];
  private nextLine = 0;
  private readonly chunk = Buffer.alloc(1 << 20);

  private constructor(process: QemuProcess, config: Gicv5Config, stub: Stub, gic: string, version: string) {
    this.process = process;
    this.ramTo = stub.base;
    this.config = config;
    this.stub = stub;
    this.gic = gic;
    this.version = version;
    this.fd = openSync(process.log, 'r');
  }

  /**
   * Starts a machine with the PEs of a configuration and RAM up to `ramTo`, a multiple of 2 MiB.
   * @throws GicTraceError `backend` without a QEMU that has a GICv5.
   */
  static async start(
    config: Gicv5Config,
    options: QemuOptions = {},
    ramTo: number = RAM.to,
  ): Promise<Gicv5Qemu> {
    const version = qemuVersion(options.command);
    if (Number.parseInt(version, 10) < FIRST_MAJOR)
      throw new GicTraceError(
        'backend',
        `QEMU ${version} has no GICv5`,
        {},
        'give qemu:COMMAND of QEMU 11.1 or later',
      );
    const pes = config.pes.length;
    const args = [
      ...['-M', 'virt,gic-version=x-5', '-cpu', 'max', '-smp', `${pes}`],
      ...['-m', `${(ramTo + STUB_BYTES - RAM.from) / 2 ** 20}M`],
      // One host thread runs all PEs, so that a PE that waits for its turn yields to the others.
      ...['-accel', 'tcg,thread=single', '-S', '-display', 'none', '-nodefaults', '-no-user-config'],
      ...['-serial', 'none', '-monitor', 'none', '-parallel', 'none', '-trace', 'gicv5_*'],
      ...['-device', `loader,addr=${hex(ramTo + STUB_ENTRY)},cpu-num=0`],
    ];
    const process = await QemuProcess.start(args, options);
    try {
      const objects = (await process.qmp('qom-list', { path: '/machine/unattached' })) as {
        name: string;
        type: string;
      }[];
      const gic = objects.find(({ type }) => type === 'child<arm-gicv5>');
      if (gic === undefined) throw new GicTraceError('backend', "QEMU's machine has no arm-gicv5");
      const stub = new Stub(ramTo, FRAME_ADDRESS);
      const one = new Gicv5Qemu(process, config, stub, `/machine/unattached/${gic.name}`, version);
      await one.load();
      return one;
    } catch (error) {
      process.kill();
      throw error;
    }
  }

  /** Whether QEMU has ended by itself. */
  get ended(): boolean {
    return this.process.endedItself;
  }

  close(): void {
    this.process.kill();
    try {
      closeSync(this.fd);
    } catch {
      // It was closed before.
    }
  }

  /** Reads doublewords of guest memory. */
  async words(address: number, count: number): Promise<bigint[]> {
    const { qtest } = this.process;
    const lines = Array.from({ length: count }, (_, k) => `readq ${hex(address + 8 * k)}`);
    await qtest.do(`${lines.join('\n')}\n`, count);
    return lines.map(() => {
      const low = qtest.values.take();
      return (BigInt(qtest.values.takenHigh) << 32n) | BigInt(low);
    });
  }

  /** Gives QEMU the stimuli of a batch, and says what came of each. */
  async run(batch: RecordBatch, on: OnAnswer): Promise<void> {
    for (let from = 0; from < batch.count; ) {
      let to = from;
      const operations: Operation[] = [];
      const counts: number[] = [];
      for (; to < batch.count && operations.length < OPERATIONS_MAX - 8; to++) {
        const before = operations.length;
        if (!this.plan(batch, to, operations)) break;
        counts.push(operations.length - before);
      }
      if (to > from) {
        await this.operate(operations);
        for (let i = from; i < to; i++) this.collect(batch, i, counts[i - from]!, on);
        from = to;
      }
      if (from < batch.count && counts.length === 0) {
        await this.byQtest(batch, from, on);
        from++;
      }
    }
  }

  /** Loads the stub and starts it on all PEs. */
  private async load(): Promise<void> {
    const { process, stub } = this;
    const image = Buffer.from(stub.image.buffer, 0, stub.image.byteLength);
    await process.qtest.do(
      `b64write ${hex(stub.base)} ${hex(image.length)} ${image.toString('base64')}\n`,
      1,
    );
    await process.qmp('cont');
    await this.startPes();
  }

  private async startPes(): Promise<void> {
    const { stub, config } = this;
    const starts: Operation[] = [];
    config.pes.forEach(({ affinity }, pe) => {
      if (pe > 0) starts.push(stub.start(0, affinity));
      starts.push(stub.nothing(pe));
    });
    await this.operate(starts);
    for (const _ of starts) this.untilMark(() => undefined);
  }

  /** Appends the operations of stimulus `i`. Returns false if it is not one for the stub. */
  private plan(batch: RecordBatch, i: number, out: Operation[]): boolean {
    const { stub } = this;
    const w = batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
    const pe = batch.pe[i]!;
    const by = pe >= 0 && pe < this.config.pes.length ? pe : 0;
    switch (batch.kind[i]) {
      case MMIO_READ:
      case MMIO_WRITE: {
        const [frame, instance, offset, width] = [w[0]!, w[1]!, w[2]!, w[3]!];
        if (frame !== FRAME_IRS || instance !== NON_SECURE_INSTANCE || offset + width > FRAME_BYTES)
          return false;
        if ((width !== 4 && width !== 8) || offset % width !== 0) return false;
        const isWrite = batch.kind[i] === MMIO_WRITE;
        out.push(stub.memory(by, width, isWrite, FRAME_ADDRESS + offset, w[4], w[5]));
        return true;
      }
      case SYSREG_READ:
      case SYSREG_WRITE: {
        const isWrite = batch.kind[i] === SYSREG_WRITE;
        const operation = stub.sysreg(by, w[0]!, isWrite, isWrite ? w[1] : 0, isWrite ? w[2] : 0);
        if (operation === undefined) return false;
        out.push(operation);
        return true;
      }
      case MEM_WRITE: {
        const address = w[1]! * 2 ** 32 + w[0]!;
        const width = w[2]!;
        if (address < RAM.from || address + width > this.ramTo || (width !== 4 && width !== 8)) return false;
        out.push(stub.memory(by, width, true, address, w[3], w[4]));
        return true;
      }
      case PE_RESET: {
        const { pes } = this.config;
        if (by !== pe || pes.length < 2) return false;
        const other = by === 0 ? 1 : 0;
        out.push(stub.stop(by), stub.start(other, pes[by]!.affinity), stub.nothing(by));
        return true;
      }
      case WIRE_SET: {
        if (gicv5Type(w[0]!) !== GICV5_TYPES.PPI || by !== pe) return false;
        const operation = stub.line(pe, gicv5Id(w[0]!), w[1]!);
        if (operation === undefined) return false;
        out.push(operation);
        return true;
      }
      default:
        return false;
    }
  }

  /** A stimulus for qtest. */
  private async byQtest(batch: RecordBatch, i: number, on: OnAnswer): Promise<void> {
    const w = batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
    if (batch.kind[i] === GIC_RESET) {
      await this.reset();
      on(i, { value: 0n, reserved: false, shown: NOTHING });
      return;
    }
    const line = this.qtestLine(batch.kind[i]!, w);
    if (line === undefined) {
      on(i, { skipped: 'not a stimulus that QEMU can be given', value: 0n, reserved: false, shown: NOTHING });
      return;
    }
    this.fences++;
    const fence = `writeq ${hex(FRAME_ADDRESS + MARK.fence)} ${hex(this.fences)}`;
    await this.process.qtest.do(`${line}\n${fence}\n`, 2);
    this.collect(batch, i, 1, on);
  }

  /** Resets the machine, and starts the stub on all PEs again. */
  private async reset(): Promise<void> {
    const { process } = this;
    // QEMU carries out the reset before it takes the next command.
    for (const command of ['stop', 'system_reset', 'query-status', 'cont']) await process.qmp(command);
    await this.startPes();
  }

  private qtestLine(kind: number, w: Uint32Array): string | undefined {
    if (kind === WIRE_SET) {
      const id = gicv5Id(w[0]!);
      if (gicv5Type(w[0]!) !== GICV5_TYPES.SPI || id >= VIRT_SPIS) return undefined;
      return `set_irq_in ${this.gic} unnamed-gpio-in ${id} ${w[1]}`;
    }
    if (kind !== MEM_KNOWN) return undefined;
    const address = w[1]! * 2 ** 32 + w[0]!;
    if (address < RAM.from || address + w[2]! > this.ramTo || w[2] === 0) return undefined;
    return `memset ${hex(address)} ${hex(w[2]!)} ${hex(w[3]!)}`;
  }

  /** Lets the stub run operations, and waits until they are done. */
  private async operate(operations: readonly Operation[]): Promise<void> {
    const { stub } = this;
    const { qtest } = this.process;
    const lines = ringLines(stub, operations, this.operations);
    this.operations += operations.length;
    await qtest.do(`${lines.join('\n')}\n`, lines.length);
    const since = performance.now();
    for (;;) {
      const next = Number(await qtest.read(`readl ${hex(stub.nextAddress)}`));
      const left = (this.operations - next) >>> 0;
      if (left === 0) return;
      if (performance.now() - since > 60_000)
        throw new GicTraceError('backend', `a PE of QEMU has done nothing; ${left} operations are left`);
      if (left > 200) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Reads the log up to the `marks`-th mark and answers stimulus `i` by what it says until then. */
  private collect(batch: RecordBatch, i: number, marks: number, on: OnAnswer): void {
    const shown = SHOWN;
    shown.clear();
    let reserved = false;
    let fault: string | undefined;
    let value = 0n;
    let pe = batch.pe[i]!;
    // A disabled IRS takes back what it presented to all PEs, one after the other, without a line that names them.
    let recalled = isIrsRead(batch, i) ? 0 : -1;
    for (let k = 0; k < marks; k++) {
      const mark = this.untilMark((line) => {
        if (isReserved(line)) reserved = true;
        const one = shownBy(line);
        if (one === undefined) return;
        if (one.iaffid >= 0) {
          pe = this.config.pes.findIndex(({ iaffid }) => iaffid === one.iaffid);
          recalled = -1;
        }
        const whose = one.iaffid === NO_PE ? NO_PE : recalled >= 0 ? recalled++ : pe;
        shown.words.set(one.words, shown.push(one.kind, whose, Number.NaN) * RECORD_WORDS);
      });
      if (mark.offset === MARK.fault) fault = `it took an exception, ESR_EL1 ${mark.value.toString(16)}`;
      value = mark.value;
    }
    on(i, { ...(fault === undefined ? {} : { skipped: fault }), value, reserved, shown });
  }

  /** Passes the lines of the log to `line` up to a mark, and returns it. */
  private untilMark(line: (text: string) => void): { readonly offset: number; readonly value: bigint } {
    const since = performance.now();
    for (;;) {
      while (this.nextLine < this.lines.length) {
        const text = this.lines[this.nextLine++]!;
        const mark = text.startsWith('gicv5_badwrite') ? markOf(text) : undefined;
        if (mark !== undefined && mark.offset >= MARK.done && mark.offset <= MARK.fence) return mark;
        line(text);
      }
      this.lines.length = 0;
      this.nextLine = 0;
      this.fill();
      if (this.lines.length === 0 && performance.now() - since > 20_000)
        throw new GicTraceError('backend', "QEMU's log has no line for an operation of the guest stub");
    }
  }

  private fill(): void {
    const bytes = readSync(this.fd, this.chunk, 0, this.chunk.length, null);
    if (bytes === 0) return;
    const parts = (this.rest + this.chunk.toString('latin1', 0, bytes)).split('\n');
    this.rest = parts.pop()!;
    for (const part of parts) this.lines.push(part);
  }
}

/** Whether stimulus `i` reads IRS_CR0. */
const isIrsRead = (batch: RecordBatch, i: number) =>
  batch.kind[i] === MMIO_READ && batch.words[i * RECORD_WORDS + 2] === IRS.IRS_CR0.offset;

const SHOWN = new RecordBatch(4096);
const NOTHING = new RecordBatch(0);
