// The simulator as a backend. (Replay on the simulator does not use this; it steps the model directly.)
import type { GicConfig } from '../config.ts';
import { GicTraceError } from '../errors.ts';
import { type EventSink, Machine } from '../model/machine.ts';
import { step } from '../model/step.ts';
import { RECORDS, RecordBatch, type RecordClass, type RecordKind, type RecordName } from '../record/index.ts';
import { VERSION } from '../version.ts';
import type { Answers, Backend, Capabilities } from './backend.ts';

/** The reason for which the simulator skips an access. */
export const NOT_A_REGISTER = 'register-not-modelled';
const SNAPSHOTS = 4;
const NEVER_SHOWN: RecordName = 'source.conflict';

const kindsOf = (wanted: RecordClass): RecordName[] =>
  (Object.entries(RECORDS) as [RecordName, RecordKind][])
    .filter(([name, kind]) => kind.class === wanted && name !== NEVER_SHOWN)
    .map(([name]) => name);

/** Keeps everything that one stimulus causes, however much that is, because the response must be sent first. */
class Effects implements EventSink {
  batch = new RecordBatch(1024);
  readonly events = true;
  full(): void {
    const more = new RecordBatch(this.batch.capacity * 2);
    for (let i = 0; i < this.batch.count; i++) more.copy(this.batch, i);
    this.batch = more;
  }
}

export class Simulator implements Backend {
  private machine: Machine | undefined;
  private readonly effects = new Effects();
  private readonly states = new Map<number, Uint8Array>();
  readonly capabilities: Capabilities;

  /** `version` is the version that its capabilities name. */
  constructor(version = VERSION) {
    this.capabilities = {
      name: 'simulator',
      version,
      stimuli: kindsOf('stimulus'),
      observables: kindsOf('observable'),
      events: kindsOf('event'),
      reserved: true,
      snapshots: SNAPSHOTS,
    };
  }

  async reset(config: GicConfig): Promise<Capabilities> {
    this.machine = new Machine(config);
    this.machine.sink = this.effects;
    this.states.clear();
    return this.capabilities;
  }

  async run(stimuli: RecordBatch, answers: Answers): Promise<void> {
    const m = this.running();
    for (let i = 0; i < stimuli.count; i++) {
      step(m, stimuli, i);
      if (m.unsupported) answers.skipped(NOT_A_REGISTER);
      else {
        const kind = stimuli.kind[i];
        const read = kind === RECORDS['mmio.read'].id || kind === RECORDS['sysreg.read'].id;
        answers.answered(read ? m.low >>> 0 : 0, read ? m.high >>> 0 : 0, m.reserved);
      }
      const { batch } = this.effects;
      for (let k = 0; k < batch.count; k++) answers.shown(batch, k);
      batch.clear();
    }
  }

  async snapshot(slot: number): Promise<void> {
    this.states.set(slot, this.running().state.save());
  }

  async restore(slot: number): Promise<void> {
    const m = this.running();
    const state = this.states.get(slot);
    if (state === undefined) throw new GicTraceError('backend', `no state is kept under ${slot}`);
    m.state.restore(state);
    m.invalidate();
  }

  async close(): Promise<void> {
    this.machine = undefined;
    this.states.clear();
  }

  private running(): Machine {
    if (this.machine === undefined) throw new GicTraceError('backend', 'the simulator has not been reset');
    return this.machine;
  }
}
