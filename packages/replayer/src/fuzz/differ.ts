// Runs the same stimuli on the simulator and on another backend: the simulator's run is taken as a recording, which the
// backend replays. It knows no generator.
import type { GicConfig } from '@gictrace/core';
import type { Backend, Capabilities } from '@gictrace/core/backend';
import { Machine, step } from '@gictrace/core/model';
import {
  NO_PE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  STIMULI_BELOW,
  signalOf,
  type Verdict,
} from '@gictrace/core/record';
import { plantMutation } from '@gictrace/core/testing';
import { isPlaceable, RAM } from '../backends/qemu/machine.ts';
import { BackendReplay } from '../verbatim/on-backend.ts';
import type { ReplayOptions } from '../verbatim/options.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;
const MAINTENANCE = RECORDS.maintenance.id;
const FIRST_EVENT = 96;
const BATCH = 4096;

/** What of the other implementation a recording depends on. */
export interface RecordingTarget {
  /** The PPI to which the machine connects each PE's maintenance interrupt, if any. */
  readonly maintenanceIntid?: number;
  /** Whether it remembers which LPI and vLPI was the best, as QEMU does beside its state; true if absent. */
  readonly remembersBestLpi?: boolean;
  /** Whether it shows what PEs are signalled only once a stimulus is complete. */
  readonly settled?: boolean;
}

/** Runs stimuli one by one on the simulator, and keeps stimuli and observables in batches. */
export class Recording {
  readonly batches: RecordBatch[] = [];
  readonly machine: Machine;
  private readonly shown = new RecordBatch(BATCH);
  private readonly wire = new RecordBatch(1);
  private readonly maintenanceIntid: number | undefined;
  private readonly deliver: ((batch: RecordBatch) => void) | undefined;
  private readonly settled: boolean;
  private out: RecordBatch;
  /** Whether the GIC has accessed memory that QEMU's machine does not have. */
  outsideRam = false;
  /** Whether QEMU depends on something that is not part of the state. */
  private isHidden = false;
  /** Stimuli so far. */
  private stimuli = 0;
  /** Numbers of stimuli that were not given but added, because the machine changed an input line itself. */
  private readonly added: number[] = [];

  /**
   * `target`: what the stimuli will be given to. `planted` is the name of a fault to plant into the simulator
   * (`MUTATIONS`). Batches go to `deliver`, if given, and are not kept.
   */
  constructor(
    config: GicConfig,
    target: RecordingTarget = {},
    planted?: string,
    deliver?: (batch: RecordBatch) => void,
  ) {
    this.deliver = deliver;
    this.machine = new Machine(config);
    this.maintenanceIntid = target.maintenanceIntid;
    this.settled = target.settled ?? false;
    this.machine.witness = (_use, _unit, _index, address, length) => {
      if (!isPlaceable(address, length)) this.outsideRam = true;
    };
    const pes = config.pes.length;
    if (target.remembersBestLpi !== false)
      this.machine.lastBest = { lpi: new Uint32Array(pes), vlpi: new Uint32Array(pes) };
    this.machine.sink = {
      batch: this.shown,
      events: true,
      full: () => this.flush(),
    };
    if (planted !== undefined) plantMutation(this.machine, planted);
    this.out = this.more();
  }

  /** Whether what QEMU does from here on cannot be compared. */
  get outside(): boolean {
    return this.outsideRam || this.isHidden;
  }

  /** Delivers what has not been delivered yet. */
  end(): void {
    if (this.deliver !== undefined && this.out.count > 0) this.out = this.more();
  }

  /** Gives stimulus `i` of a batch to the simulator. */
  take(batch: RecordBatch, i: number): void {
    const m = this.machine;
    const at = this.push(batch, i);
    const { out } = this;
    this.stimuli++;
    step(m, batch, i);
    if (m.hiddenRescan) this.isHidden = true;
    const kind = batch.kind[i]!;
    if (kind === MMIO_READ || kind === SYSREG_READ) {
      const value = at * RECORD_WORDS + (kind === MMIO_READ ? 4 : 1);
      out.words[value] = m.low;
      out.words[value + 1] = m.high;
    }
    if (m.reserved) out.flags[at]! |= RECORD_FLAGS.reserved;
    if (m.unsupported) out.flags[at]! |= RECORD_FLAGS.valueUnknown;
    const moved: number[] = [];
    for (let k = 0; k < this.shown.count; k++)
      if (this.shown.kind[k] === MAINTENANCE)
        moved.push(this.shown.pe[k]!, this.shown.words[k * RECORD_WORDS]!);
    this.flush();
    // The machine itself connects the maintenance interrupt to the input line of its PPI.
    for (let k = 0; k < moved.length && this.maintenanceIntid !== undefined; k += 2) {
      this.wire.clear();
      this.wire.push(WIRE_SET, moved[k]!, Number.NaN);
      this.wire.words[0] = this.maintenanceIntid;
      this.wire.words[1] = moved[k + 1]!;
      this.add(this.wire, 0);
    }
  }

  /** Comes first: the memory of a QEMU that has just started is zero. */
  powerOn(): void {
    const batch = new RecordBatch(1);
    batch.push(RECORDS['mem.known'].id, NO_PE, Number.NaN);
    batch.words.set([RAM.from, 0, RAM.to - RAM.from, 0]);
    this.add(batch, 0);
  }

  /** Gives a stimulus that is the machine's own doing, and is not counted among those that were given. */
  private add(batch: RecordBatch, i: number): void {
    this.added.push(this.stimuli);
    this.take(batch, i);
  }

  /** How many of the first `stimuli` stimuli were given and not added. */
  given(stimuli: number): number {
    return stimuli - this.added.filter((n) => n < stimuli).length;
  }

  private flush(): void {
    const { shown } = this;
    for (let k = 0; k < shown.count; k++) {
      const at = k * RECORD_WORDS;
      if (shown.kind[k]! < FIRST_EVENT) {
        if (!this.settled || this.isLast(k)) this.push(shown, k);
      } else if (shown.kind[k] === MEM_WRITTEN) {
        const address = shown.words[at + 1]! * 2 ** 32 + shown.words[at]!;
        if (!isPlaceable(address, 1)) this.outsideRam = true;
      }
    }
    shown.clear();
  }

  /** Whether no later record of what has been shown is of the same signal and PE. */
  private isLast(k: number): boolean {
    const { kind, pe, count } = this.shown;
    if (signalOf(kind[k]!) < 0) return true;
    for (let n = k + 1; n < count; n++) if (kind[n] === kind[k] && pe[n] === pe[k]) return false;
    return true;
  }

  private push(batch: RecordBatch, i: number): number {
    if (this.out.full) this.out = this.more();
    return this.out.copy(batch, i);
  }

  private more(): RecordBatch {
    if (this.deliver !== undefined && this.batches.length > 0) {
      this.deliver(this.out);
      this.out.clear();
      return this.out;
    }
    const batch = new RecordBatch(BATCH);
    this.batches.push(batch);
    return batch;
  }
}

/** Replays a recording, up to its first divergence, on a backend that was reset to the configuration. `options` says what is compared. @throws GicTraceError `backend` if the backend fails. */
export async function replayed(
  config: GicConfig,
  recording: Pick<Recording, 'batches'>,
  backend: Backend,
  capabilities: Capabilities,
  options: Pick<ReplayOptions, 'sourceShows' | 'sourceTellsReserved'> = {},
): Promise<Verdict> {
  const replay = new BackendReplay(config, backend, capabilities, { ...options, stopAtFirst: true });
  for (const batch of recording.batches) {
    if (replay.stopped) break;
    await replay.take(batch);
  }
  return replay.finish();
}

/** The number of stimuli of a recording up to and including the one that was running at record `record`. */
export function stimuliUpTo(recording: Recording, record: number): number {
  let stimuli = 0;
  let n = 0;
  for (const batch of recording.batches)
    for (let i = 0; i < batch.count; i++, n++) {
      if (n > record) return stimuli;
      if (batch.kind[i]! < STIMULI_BELOW) stimuli++;
    }
  return stimuli;
}
