// A real QEMU as a backend: a `virt` machine with the trace's GIC. Sequences of register accesses without system registers go
// through qtest, many at a time; sequences with system registers are run by the guest's PEs, which the guest stub keeps in
// the order of the trace. See docs/qemu.md.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import type { Answers, Backend, Capabilities } from '@gictrace/core/backend';
import { type RecordBatch, SECURITY_STATES } from '@gictrace/core/record';
import { GICD, GICR } from '@gictrace/core/spec';
import { BY_STUB, type Foresight } from './foresight.ts';
import { QemuLog } from './log.ts';
import { identityOf, type Machine, machineFor, registerAddress } from './machine.ts';
import { PeStates } from './pe-states.ts';
import { END, Plan } from './plan.ts';
import { type QemuOptions, QemuProcess, qemuVersion } from './process.ts';
import { type Operation, RING_SLOTS, ringLines } from './ring.ts';
import { type Part, Sequence } from './sequence.ts';
import { GuestStub, MARK } from './stub.ts';

export interface QemuBackendOptions extends QemuOptions {
  /** What must be known about the trace from the start. */
  readonly foresight?: Foresight;
}

const STIMULI = [
  'mmio.read',
  'mmio.write',
  'sysreg.read',
  'sysreg.write',
  'mem.write',
  'mem.known',
  'mem.unknown',
  'queue.write',
  'msi.write',
  'wire.set',
  'pe.reset',
  'pe.switch',
] as const;
/** Stimuli that are possible without a log. The guest stub needs the log, in which it reports its results. */
const UNWATCHED_STIMULI = STIMULI.filter((name) => !BY_STUB.includes(name));
const OBSERVABLES = [
  ...(['hppi', 'vhppi', 'maintenance', 'its.command', 'sgi.sent'] as const),
  ...([
    'dte.read',
    'dte.write',
    'cte.read',
    'cte.write',
    'ite.read',
    'ite.write',
    'vte.read',
    'vte.write',
  ] as const),
];
const hex = (value: number) => `0x${value.toString(16)}`;
/** Puts all interrupts into Group 1, as QEMU does at reset if it plays the part of firmware. */
function allInGroup1(machine: Machine, stub: GuestStub): Operation[] {
  const words: number[] = [];
  for (let n = 1; n < 32; n++)
    words.push(registerAddress(machine, 0, 0, GICD.GICD_IGROUPR.offset + GICD.GICD_IGROUPR.bytes * n));
  for (let pe = 0; pe < machine.pes; pe++)
    words.push(registerAddress(machine, 1, pe, GICR.GICR_IGROUPR.offset));
  const el3 = SECURITY_STATES.indexOf('EL3');
  const routine = stub.memory(4, true);
  return [
    stub.switchTo(0, el3, false),
    ...words.map((address) => ({ routine, pe: 0, low: 0xffff_ffff, high: 0, address, third: 0 })),
    stub.switchTo(0, SECURITY_STATES.indexOf('Non-secure'), true),
    stub.loud(0),
  ];
}

/** The most operations that are given to the guest stub at a time. */
const OPERATIONS_MAX = RING_SLOTS / 2;
/** With more operations left than this, polling is delayed. */
const POLL_LATER = 400;

/** What is running. */
interface Running {
  readonly process: QemuProcess;
  readonly machine: Machine;
  readonly stub: GuestStub;
  readonly log: QemuLog;
  readonly sequence: Sequence;
  readonly gic: string;
  /** With two Security states. */
  readonly states: PeStates | undefined;
  stubStarted: boolean;
  /** The number of operations given to the guest stub. */
  operations: number;
  fences: number;
}

export class QemuBackend implements Backend {
  private readonly options: QemuBackendOptions;
  private running: Running | undefined;
  private tail: Promise<void> = Promise.resolve();
  /** Resolves when everything sent through qtest is answered. */
  private collecting: Promise<void> = Promise.resolve();
  /** Stimuli so far. */
  private stimuli = 0;
  /** Identification registers that differ from the trace's, as text. */
  differences: readonly string[] = [];

  constructor(options: QemuBackendOptions = {}) {
    this.options = options;
  }

  /** The process id of QEMU, while it runs. */
  get pid(): number | undefined {
    return this.running?.process.pid;
  }

  /** The folder of QEMU's log and sockets, while it runs. */
  get folder(): string | undefined {
    return this.running?.process.folder;
  }

  /** Whether QEMU was started and has ended by itself. */
  get ended(): boolean {
    return this.running?.process.endedItself ?? false;
  }

  /** Starts a machine with the GIC of a configuration. @throws GicTraceError `backend` without QEMU, or if it has no such GIC. */
  async reset(config: GicConfig): Promise<Capabilities> {
    await this.close();
    this.stimuli = 0;
    const version = qemuVersion(this.options.command);
    const isWatched = this.options.foresight?.unwatched !== true;
    const machine = machineFor(config, this.options.foresight?.deviceIds ?? [], isWatched);
    const process = await QemuProcess.start(machine.args, this.options);
    try {
      const stub = new GuestStub(machine.stubBase, machine.gicd, machine.twoStates);
      const sequence = new Sequence(process.qtest.values);
      const objects = (await process.qmp('qom-list', { path: '/machine/unattached' })) as {
        name: string;
        type: string;
      }[];
      const gic = objects.find(({ type }) => type === 'child<arm-gicv3>');
      if (gic === undefined) throw new GicTraceError('backend', "QEMU's machine has no arm-gicv3");
      const log = new QemuLog(process.log, machine.affinities, sequence, isWatched);
      sequence.group = log.group;
      this.running = {
        ...{ process, machine, stub, log, sequence, gic: `/machine/unattached/${gic.name}` },
        states: machine.twoStates ? new PeStates(stub, machine.pes) : undefined,
        ...{ stubStarted: false, operations: 0, fences: 0 },
      };
      await machine.msis.setUp(process.qtest);
      this.differences = await this.identify(config);
      // How PEs execute shows from the beginning.
      if (machine.twoStates) await this.startStub(this.running, config.resetNonSecure);
    } catch (error) {
      process.kill();
      throw error;
    }
    return {
      ...{ name: 'qemu', version, stimuli: isWatched ? STIMULI : UNWATCHED_STIMULI },
      ...{ observables: isWatched ? OBSERVABLES : [], events: [], reserved: isWatched, snapshots: 0 },
    };
  }

  run(stimuli: RecordBatch, answers: Answers): Promise<void> {
    const work = this.tail.then(() => this.send(stimuli, answers));
    // What is sent next follows what has been sent; its answers are awaited elsewhere.
    this.tail = work.then(
      () => undefined,
      () => undefined,
    );
    return work.then((answered) => answered());
  }

  snapshot(): Promise<void> {
    return Promise.reject(new GicTraceError('backend', 'qemu keeps no states'));
  }

  restore(): Promise<void> {
    return Promise.reject(new GicTraceError('backend', 'qemu keeps no states'));
  }

  async close(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    if (running === undefined) return;
    running.process.kill();
    running.log.close();
  }

  // ---- out -------------------------------------------------------------------------------------------------

  private get machineRunning(): Running {
    if (this.running === undefined) throw new GicTraceError('backend', 'QEMU has not been started');
    return this.running;
  }

  /** Sends a batch to QEMU, part by part. Returns a function that waits for its answers. */
  private async send(stimuli: RecordBatch, answers: Answers): Promise<() => Promise<void>> {
    const { machine, stub, gic, log, states } = this.machineRunning;
    if (log.grown) {
      // QEMU must be idle meanwhile.
      await this.collecting;
      log.empty();
    }
    const plan = new Plan(
      stimuli,
      machine,
      stub,
      gic,
      this.stimuli,
      this.options.foresight?.fills ?? new Map(),
      states,
    );
    this.stimuli += stimuli.count;
    if (this.isUnwatched) plan.withoutLog();
    let last: Promise<void> = Promise.resolve();
    for (let from = 0; from < stimuli.count; ) {
      const to = plan.partEnd(from);
      const part: Part = { plan, from, to, answers, fence: -1 };
      if (plan.byStub[from]) {
        await this.collecting;
        await this.byStub(part);
      } else last = this.byQtest(part);
      from = to;
    }
    // A failure is reported where it is awaited.
    last.catch(() => undefined);
    return () => last;
  }

  /** Whether QEMU writes no log, because nothing in it would be compared. */
  private get isUnwatched(): boolean {
    return this.options.foresight?.unwatched === true;
  }

  private byQtest(part: Part): Promise<void> {
    const running = this.machineRunning;
    const { plan } = part;
    const lines: string[] = [];
    const fence = () => {
      running.fences = (running.fences + 1) >>> 0;
      lines.push(`writeq ${hex(running.machine.gicd + MARK.fence)} ${hex(running.fences)}`);
    };
    for (let i = part.from; i < part.to; i++) {
      plan.commands(i, lines);
      if (plan.ends[i] === END.fence) fence();
    }
    if (!this.isUnwatched) {
      fence();
      part.fence = running.fences;
    }
    const { qtest } = running.process;
    const replies = qtest.send(`${lines.join('\n')}\n`, lines.length);
    const collected = Promise.all([this.collecting, qtest.answered(replies)]).then(() => this.collect(part));
    this.collecting = collected;
    collected.catch(() => undefined);
    return collected;
  }

  private async byStub(part: Part): Promise<void> {
    const running = this.machineRunning;
    if (!running.stubStarted) await this.startStub(running);
    const operations: Operation[] = [];
    for (let i = part.from; i < part.to; i++) part.plan.operations(i, operations);
    for (let from = 0; from < operations.length; from += OPERATIONS_MAX)
      await this.operate(running, operations.slice(from, from + OPERATIONS_MAX));
    this.collect(part);
  }

  /** Lets the guest stub run some operations, and waits until they are done. */
  private async operate(running: Running, operations: readonly Operation[]): Promise<void> {
    const { stub } = running;
    const { qtest } = running.process;
    const lines = ringLines(stub, operations, running.operations);
    running.operations += operations.length;
    await qtest.do(`${lines.join('\n')}\n`, lines.length);
    const read = `readl ${hex(stub.nextAddress)}`;
    let before = -1;
    let since = performance.now();
    for (;;) {
      const next = Number(await qtest.read(read));
      const left = (running.operations - next) >>> 0;
      if (left === 0) return;
      if (next !== before) since = performance.now();
      before = next;
      const timeoutMs = this.options.timeoutMs ?? 20_000;
      if (performance.now() - since > timeoutMs)
        throw new GicTraceError('backend', `a PE of QEMU has done nothing for ${timeoutMs / 1000} s`);
      if (left > POLL_LATER) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Loads the guest stub and starts it on all PEs. */
  private async startStub(running: Running, resetNonSecure = false): Promise<void> {
    running.stubStarted = true;
    const { stub, machine, process } = running;
    const image = Buffer.from(stub.image.buffer, 0, stub.image.byteLength);
    await process.qtest.do(
      `b64write ${hex(stub.base)} ${hex(image.length)} ${image.toString('base64')}\n`,
      1,
    );
    await process.qmp('cont');
    const starts: Operation[] = [];
    for (let pe = 0; pe < machine.pes; pe++) {
      if (pe > 0 && !machine.twoStates) starts.push(stub.start(0, machine.affinities[pe]!));
      starts.push({ routine: stub.nothing, pe, low: 0, high: 0, address: 0, third: 0 });
    }
    if (resetNonSecure) starts.push(...allInGroup1(machine, stub));
    await this.operate(running, starts);
    running.log.read(() => false);
    running.log.group.batch.clear();
  }

  // ---- back ------------------------------------------------------------------------------------------------

  /** Answers the stimuli of a part that QEMU has completed. */
  private collect(part: Part): void {
    const { sequence, log } = this.machineRunning;
    sequence.begin(part);
    if (!sequence.done && !log.read(() => sequence.done))
      throw new GicTraceError(
        'backend',
        `QEMU's log has no line for ${sequence.text}${log.strange === '' ? '' : `; it says: ${log.strange}`}`,
      );
  }

  /** Reads the identification registers and compares them with the configuration's. */
  private async identify(config: GicConfig): Promise<string[]> {
    const { machine, process } = this.machineRunning;
    const out: string[] = [];
    config.pes.forEach(({ affinity }, pe) => {
      if (affinity !== machine.affinities[pe])
        out.push(`affinity of PE${pe}: ${hex(machine.affinities[pe]!)} here, ${hex(affinity)} in the trace`);
    });
    for (const { name, address, width, mask, expected } of identityOf(machine, config)) {
      if (address < 0) continue;
      const value = (await process.qtest.read(`read${width === 4 ? 'l' : 'q'} ${hex(address)}`)) & mask;
      if (value !== expected)
        out.push(`${name}: 0x${value.toString(16)} here, 0x${expected.toString(16)} in the trace`);
    }
    return out;
  }
}
