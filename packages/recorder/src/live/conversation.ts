// The conversation with a QEMU that is recorded: asks where its RAM is, starts and ends the guest, and learns how it ended.
import { GicTraceError } from '@gictrace/core';
import { qemuProfile } from '@gictrace/core/profile';
import type { KnownMachine, ToldReset } from '../importers/qemu-trace/index.ts';
import type { Plan } from './command.ts';
import type { LogStream } from './log-stream.ts';
import { MemoryLog, type MemoryLogCounts } from './memory-log.ts';
import { Qmp, type QmpEvent } from './qmp.ts';
import { GuestRam, type Range, rangesOf } from './ram.ts';
import { MemoryWatch } from './watch.ts';

const CONNECT_MS = 20_000;
/** Names of the memory regions of a GIC. */
const REDISTRIBUTORS = /^gicv3_redist_region/;
const TRANSLATION = 'translation';

interface Cpu {
  readonly 'thread-id': number;
}
const redistributors = (ranges: readonly Range[]) => ranges.filter(({ name }) => REDISTRIBUTORS.test(name));
const bytesOf = (ranges: readonly Range[]) => ranges.reduce((sum, { length }) => sum + length, 0);

/** What QEMU reported about itself and its guest. */
export interface Guest {
  /** QEMU's version; null if it did not report one. */
  version: string | null;
  /** Why the machine ended, in QEMU's words, such as guest-shutdown; null if it did not say. */
  ended: string | null;
  /** Resets of the machine while it ran. */
  resets: number;
  /** How often the machine was stopped while it ran; it may have gone on in another state, which a monitor loaded. */
  stops: number;
  /** Whether the guest reported a panic. */
  panicked: boolean;
  /** How much guest memory was read and recorded; null if none was. */
  memory: Readonly<MemoryLogCounts> | null;
}

export class Conversation {
  private readonly path: string;
  private readonly stream: LogStream;
  private readonly note: (text: string) => void;
  private qmp: Qmp | undefined;
  private ram: GuestRam | undefined;
  /** The GIC of the machine, as far as QEMU has reported it. */
  machine: KnownMachine = {};
  /** Resets of the machine, in order, that the log has not reached yet. */
  readonly resets: ToldReset[] = [];
  /** Whether QEMU has ended. */
  isGone = false;
  readonly guest: Guest = { version: null, ended: null, resets: 0, stops: 0, panicked: false, memory: null };

  /** `path` is the socket on which QEMU will listen; `stream` is its log, into which the contents of memory are inserted. */
  constructor(path: string, stream: LogStream, note: (text: string) => void) {
    this.path = path;
    this.stream = stream;
    this.note = note;
  }

  /**
   * Connects, and watches guest memory if `plan` says that this is possible; then starts the guest, if `starts` is set.
   * @throws GicTraceError `backend` if a QEMU that waits cannot be reached.
   */
  async begin(plan: Plan | undefined, starts: boolean): Promise<undefined> {
    try {
      const qmp = await Qmp.connect(this.path, CONNECT_MS, () => this.isGone);
      // How it ended is reported elsewhere.
      if (qmp === undefined) return;
      this.qmp = qmp;
      this.guest.version = qmp.version;
      this.machine = { profile: qemuProfile(qmp.version) };
      qmp.onEvent = (event) => this.event(event);
      const { ranges, cpus } = await this.look(qmp);
      if (plan !== undefined) this.watchMemory(ranges, cpus, plan);
      if (starts) await qmp.execute('cont');
    } catch (error) {
      // That it ended is reported elsewhere.
      if (this.isGone || this.qmp?.isClosed) return;
      if (!(error instanceof GicTraceError) || plan === undefined) throw error;
      throw new GicTraceError('backend', error.message, {}, '--no-memory records it without its memory');
    }
  }

  /** Asks for the memory map and the PEs, and derives the GIC of the machine from them. */
  private async look(qmp: Qmp): Promise<{ ranges: readonly Range[]; cpus: readonly Cpu[] }> {
    const cpus = (await qmp.execute('query-cpus-fast')) as readonly Cpu[];
    const mtree = await qmp.execute('human-monitor-command', { 'command-line': 'info mtree -f' });
    const ranges = rangesOf(String(mtree).replaceAll('\r', ''));
    const stride = bytesOf(redistributors(ranges)) / cpus.length;
    const gic = stride === 0x2_0000 ? 3 : stride === 0x4_0000 ? 4 : undefined;
    if (gic !== undefined)
      this.machine = {
        ...this.machine,
        pes: cpus.length,
        gic,
        its: ranges.some(({ name }) => name === TRANSLATION),
      };
    return { ranges, cpus };
  }

  private watchMemory(ranges: readonly Range[], cpus: readonly Cpu[], plan: Plan): void {
    const ram = GuestRam.open(plan.backends, ranges, cpus[0]?.['thread-id'] ?? 0);
    if (ram === undefined) {
      this.note("guest memory is not recorded: QEMU's shared memory cannot be opened");
      return;
    }
    this.ram = ram;
    const memoryLog = new MemoryLog(ram, (line) => this.stream.insert(line));
    const watch = new MemoryWatch(memoryLog, redistributors(ranges), cpus.length);
    this.guest.memory = memoryLog.told;
    this.stream.watch = (bytes, from, to) => watch.line(bytes, from, to);
  }

  private event({ event, data, timestamp }: QmpEvent): void {
    if (event === 'SHUTDOWN') this.guest.ended = String(data?.reason ?? 'unknown');
    else if (event === 'RESET') {
      this.guest.resets++;
      if (timestamp !== undefined && timestamp.seconds >= 0)
        this.resets.push({
          seconds: timestamp.seconds,
          micros: timestamp.microseconds,
          by: data?.guest === true ? 'guest' : 'host',
        });
    } else if (event === 'STOP' && timestamp !== undefined && timestamp.seconds >= 0) {
      // What QEMU prints while it loads a saved state belongs to that state.
      this.guest.stops++;
      this.resets.push({
        seconds: timestamp.seconds,
        micros: timestamp.microseconds,
        by: 'unknown',
        rule: 'state-after-stop',
      });
    } else if (event === 'GUEST_PANICKED') this.guest.panicked = true;
  }

  /** Asks QEMU to end. @throws GicTraceError `backend` if it cannot be asked. */
  async quit(): Promise<void> {
    if (this.qmp === undefined) throw new GicTraceError('backend', 'QMP: not connected');
    await this.qmp.execute('quit').catch((error: unknown) => {
      // It may go before it answers.
      if (this.qmp?.isClosed !== true) throw error;
    });
  }

  /** Called when QEMU has ended; its last messages may still be on their way. */
  async end(quietMs: number): Promise<void> {
    if (this.qmp === undefined) return;
    const quiet = new Promise<void>((resolve) => {
      setTimeout(resolve, quietMs).unref();
    });
    await Promise.race([this.qmp.closed, quiet]);
  }

  close(): void {
    this.qmp?.close();
    this.ram?.close();
  }
}
