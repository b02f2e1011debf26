// The stimuli of a simulated machine below a driver: each is counted as work, runs at once, and is reported to whoever watches,
// with the value that it read and before what it caused.
import type { EventSink } from '../../model/index.ts';
import { NO_PE, RECORD_FLAGS, RECORD_WORDS, RECORDS, RESET_CAUSES, RecordBatch } from '../../record/index.ts';
import type { Words } from '../port.ts';
import { Work } from './work.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const BY_GUEST = RESET_CAUSES.indexOf('guest');

/** What the machines of GICv3 and GICv5 have in common: the value that the last access read, and where their records go. */
interface Simulated {
  readonly low: number;
  readonly high: number;
  readonly reserved: boolean;
  sink: EventSink | undefined;
}

export abstract class Stimuli<M extends Simulated> {
  readonly work: Work;
  /** Called with each stimulus, as a batch of one record that is used again for the next. */
  onStimulus: ((batch: RecordBatch) => void) | undefined;
  protected readonly machine: M;
  private readonly step: (machine: M, batch: RecordBatch, i: number) => void;
  private readonly batch = new RecordBatch(1);
  /** Whether `onStimulus` has been called for the current stimulus. */
  private isReported = true;
  private drain = () => {};

  constructor(machine: M, pes: number, step: (machine: M, batch: RecordBatch, i: number) => void) {
    this.machine = machine;
    this.work = new Work(pes);
    this.step = step;
  }

  /** Calls `emitted` for all observables and events of the machine, in order, each after its stimulus. */
  observe(emitted: (batch: RecordBatch, i: number) => void): void {
    const batch = new RecordBatch(4096);
    this.drain = () => {
      this.report();
      for (let i = 0; i < batch.count; i++) emitted(batch, i);
      batch.clear();
    };
    this.machine.sink = { batch, events: true, full: this.drain };
  }

  /** The machine is reset. Guest memory keeps its contents. */
  reset(): void {
    this.stimulus(GIC_RESET, NO_PE, BY_GUEST);
  }

  /** Runs a stimulus. Returns the value that it read. @throws GicTraceError `limit` if the run does too much work. */
  protected stimulus(kind: number, pe: number, ...words: readonly number[]): Words {
    const { batch, machine } = this;
    this.work.spend();
    batch.clear();
    const at = batch.push(kind, pe, Number.NaN) * RECORD_WORDS;
    words.forEach((word, k) => {
      batch.words[at + k] = word;
    });
    this.isReported = false;
    this.step(machine, batch, 0);
    const read = { low: machine.low >>> 0, high: machine.high >>> 0 };
    if (kind === MMIO_READ || kind === SYSREG_READ)
      batch.words.set([read.low, read.high], at + (kind === MMIO_READ ? 4 : 1));
    this.report();
    this.drain();
    return read;
  }

  /** Reports the current stimulus with the value that it read, before what it caused. */
  private report(): void {
    if (this.isReported) return;
    this.isReported = true;
    const kind = this.batch.kind[0];
    const isMmio = kind === MMIO_READ || kind === MMIO_WRITE;
    if (isMmio && this.machine.reserved) this.batch.flags[0] = RECORD_FLAGS.reserved;
    this.onStimulus?.(this.batch);
  }
}
