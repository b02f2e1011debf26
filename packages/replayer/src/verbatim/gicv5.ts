// Verbatim replay of a GICv5 trace: gives the recorded stimuli to the simulator and compares each recorded response and
// observable with what the simulator does. Streams: batches in, a verdict out.
//
// An implementation that shows all that it calculates, as QEMU does (profile choice `showsAll`), has to show exactly what the
// simulator emits, line by line. Under another profile, and behind an access that the source shows only by its effects
// (`cpuif.unseen`), a line says what a PE is presented or signalled, and has to agree with the simulator's state; a change
// needs a line. State that the source reveals (`state.known`) has no lines of its own.
import type { Gicv5Config } from '@gictrace/core';
import { NOT_A_REGISTER } from '@gictrace/core/backend';
import { recordText } from '@gictrace/core/disasm';
import { Gicv5Follow, Gicv5Machine } from '@gictrace/core/gicv5';
import { FollowObserver } from '@gictrace/core/model';
import {
  isEvent,
  isObservable,
  KIND,
  leavesEffectsOpen,
  RECORD_FLAGS,
  RECORD_WORDS,
  RecordBatch,
  type Verdict,
} from '@gictrace/core/record';
import { DOMAINS } from '@gictrace/core/spec';
import { ReplayCounts } from './counts.ts';
import { Divergences } from './divergences.ts';
import { Explainer } from './explainer.ts';
import type { ReplayOptions } from './options.ts';
import { UNDECIDED, UNDECIDED_READ } from './outcome.ts';
import { ReRecording } from './re-recording.ts';
import { type Response, Responses } from './responses.ts';

const EMITTED_MAX = 4096;
const NON_SECURE = DOMAINS.indexOf('NS');
const IDLE = 0xff;
const UNSEEN = KIND['cpuif.unseen'];
const CONFLICT = KIND['source.conflict'];
const SIGNALS: ReadonlySet<number> = new Set([KIND['irs.hppi'], KIND['ppi.hppi'], KIND['cpuif.signal']]);

export type Gicv5ReplayOptions = Pick<
  ReplayOptions,
  'sourceShows' | 'sourceTellsReserved' | 'startsInMidLife' | 'missing' | 'allow' | 'output'
> & {
  /** Called with the simulator's machine before the replay, to plant a fault. */
  readonly machine?: (machine: Gicv5Machine) => void;
};

/** An implementation that is compared with a recording. */
export interface Gicv5Peer {
  isPe(pe: number): boolean;
  /** Whether it shows all that it calculates, so that its lines are compared one by one. */
  readonly showsAll: boolean;
  /** What a line of this kind would say of a PE by its state; undefined if nothing is known of that. */
  stateOf(kind: number, pe: number, domain: number): readonly number[] | undefined;
}
/** What came of an access. */
interface Answer extends Response {
  readonly unsupported: boolean;
  /** Whether it has no value because the source does not contain what decides. */
  readonly undecided?: boolean;
}

/** Compares a recording with what an implementation does, stimulus by stimulus. */
export class Gicv5Comparison {
  private readonly peer: Gicv5Peer;
  private readonly counts = new ReplayCounts();
  private readonly explainer = new Explainer();
  private readonly divergences = new Divergences(this.counts, this.explainer);
  private readonly responses: Responses;
  private readonly options: Gicv5ReplayOptions;
  private output: ReRecording | undefined;
  /** The observables that the stimulus caused and that must be recorded; `seen` of them have been. */
  private readonly expected = new RecordBatch(EMITTED_MAX);
  private seen = 0;
  /** By place in `expected`, when lines are compared with the state: whether a line of that PE and kind has come. */
  private readonly said = new Uint8Array(EMITTED_MAX);
  /** Whether lines about PEs are compared with the state, and not with what was emitted. */
  private isByState = false;
  /** Whether the lines of this stimulus cannot be matched any more with what was emitted. */
  private isLost = false;
  /** Whether the implementation was not given the stimulus. */
  private isSkipped = false;
  /** Whether what the stimulus causes has to be in the source. */
  private isAwaited = false;
  /** Whether lines of what it causes go into a re-recording. */
  private isWritten = false;
  /** The PE of an access that the source shows only by its effects; it has no lines of others. */
  private unseenOf = -1;
  /** The flag that lines about PEs of a re-recording get. */
  private peFlag = 0;
  private readonly notInSource = new Uint8Array(256);
  private readonly one = new RecordBatch(1);

  constructor(peer: Gicv5Peer, options: Gicv5ReplayOptions) {
    this.peer = peer;
    this.options = options;
    this.responses = new Responses(this.counts, this.divergences, plain(options), undefined);
    if (options.output !== undefined) this.output = new ReRecording(options.output);
    const shown = options.sourceShows === undefined ? undefined : new Set<string>(options.sourceShows);
    for (const [name, kind] of Object.entries(KIND))
      if (shown !== undefined && isObservable(kind) && !shown.has(name)) this.notInSource[kind] = 1;
  }

  /** The records of a batch follow, of which the first is `first`. */
  enter(batch: RecordBatch, first: number): void {
    this.explainer.enter(batch, first);
  }

  /** The batch belongs to its reader again. */
  leave(batch: RecordBatch): void {
    this.explainer.leave(batch);
  }

  /** No more records follow. A source may end before it has printed everything. */
  finish(records: number): Verdict {
    const { startsInMidLife, missing } = this.options;
    const source = {
      start: startsInMidLife === true ? ('mid-life' as const) : ('reset' as const),
      missing: missing ?? [],
    };
    return this.counts.verdict(records, source, this.divergences.first, null);
  }

  /** A recorded stimulus begins. */
  begin(batch: RecordBatch, i: number, record: number): void {
    const kind = batch.kind[i]!;
    const isOpen = leavesEffectsOpen(kind);
    this.divergences.record = record;
    if (!isOpen) {
      this.drain();
      this.explainer.begin(batch, i, record);
      this.expected.clear();
      this.seen = 0;
      this.isLost = false;
      this.isSkipped = false;
      this.isByState = kind === UNSEEN || !this.peer.showsAll;
    }
    this.isAwaited = !isOpen && kind !== UNSEEN;
    // Where all lines are shown, those of state that is revealed are not: what it changes is shown behind it.
    this.isWritten = !isOpen || !this.peer.showsAll;
    this.unseenOf = kind === UNSEEN ? batch.pe[i]! : -1;
    this.peFlag = batch.flags[i]! & RECORD_FLAGS.peUndecided;
    const rule = batch.rule[i]!;
    if (rule !== 0) this.counts.rules[rule]!++;
    this.output?.begin(batch, i);
  }

  /** The implementation has answered the stimulus. What it did follows, or came before. */
  answered(batch: RecordBatch, i: number, answer: Answer): void {
    const { unsupported, undecided } = answer;
    if (unsupported || (batch.flags[i]! & RECORD_FLAGS.undecided) !== 0) this.output?.unsupported();
    else this.output?.answered(answer);
    if (leavesEffectsOpen(batch.kind[i]!)) return;
    if (undecided) this.counts.unknown(UNDECIDED_READ);
    else if (unsupported) this.counts.skip(NOT_A_REGISTER);
    else this.responses.compare(batch, i, answer);
  }

  /** The implementation was not given the stimulus: nothing that the source has of it is compared. */
  skipped(reason: string): void {
    this.counts.skip(reason);
    this.output?.skipped();
    this.isSkipped = true;
  }

  /** A stimulus that is not one of the recording, and what it did: a re-recording has it. */
  beside(batch: RecordBatch, i: number, answer: Response, shown: RecordBatch): void {
    this.output?.begin(batch, i);
    this.output?.answered(answer);
    for (let k = 0; k < shown.count; k++) this.output?.record(shown, k);
  }

  /** From here on, there is nothing that a re-recording could have. */
  endOutput(): void {
    this.output = undefined;
  }

  /** Record `k` of what the implementation did. */
  did(emitted: RecordBatch, k: number): void {
    const { expected } = this;
    const kind = emitted.kind[k]!;
    this.explainer.did(emitted, k);
    if (kind === KIND['memory.assumed'])
      this.counts.unknown('interrupt state tables: memory that the source does not show');
    if (isEvent(kind)) {
      this.output?.record(emitted, k);
      return;
    }
    if (
      this.output !== undefined &&
      this.isWritten &&
      (this.unseenOf < 0 || emitted.pe[k] === this.unseenOf)
    ) {
      if (kind !== KIND['irs.hppi'] && emitted.pe[k]! >= 0) emitted.flags[k]! |= this.peFlag;
      this.output.record(emitted, k);
    }
    if (!this.isAwaited) return;
    if (this.notInSource[kind] !== 0) this.counts.unknown('observables that the source does not show');
    else if (!expected.full) {
      this.said[expected.count] = 0;
      expected.copy(emitted, k);
    }
  }

  /** A recorded observable. */
  observe(batch: RecordBatch, i: number, record: number): void {
    const kind = batch.kind[i]!;
    this.divergences.record = record;
    if (this.isSkipped) {
      this.counts.unknown('effects of what the implementation was not given');
      return;
    }
    if ((batch.flags[i]! & RECORD_FLAGS.undecided) !== 0) {
      this.counts.unknown(UNDECIDED);
      if (this.seen < this.expected.count && isOf(this.expected, this.seen, kind, batch.pe[i]!))
        this.said[this.seen++] = 1;
      return;
    }
    this.counts.compared[kind]!++;
    if (kind === CONFLICT) this.divergences.differs(batch, i, () => 'nothing can agree with both lines');
    else if (this.isByState && SIGNALS.has(kind)) this.compareState(batch, i);
    else this.compareNext(batch, i);
  }

  /** The next observable that was emitted has to be this one. */
  private compareNext(batch: RecordBatch, i: number): void {
    const { expected } = this;
    if (this.isByState)
      while (this.seen < expected.count && SIGNALS.has(expected.kind[this.seen]!)) this.seen++;
    const k = this.seen;
    if (k < expected.count && same(batch, i, expected, k)) {
      this.said[k] = 1;
      this.seen++;
      return;
    }
    if (!this.isLost)
      this.divergences.differs(batch, i, () =>
        k < expected.count ? recordText(expected, k) : 'nothing more',
      );
    if (k < expected.count && expected.kind[k] === batch.kind[i] && expected.pe[k] === batch.pe[i]) {
      this.said[k] = 1;
      this.seen++;
      return;
    }
    // What follows cannot be matched with lines any more; it is no difference of its own.
    this.isLost = true;
    this.said.fill(1, 0, expected.count);
  }

  /** The simulator's state has to be what the line says. */
  private compareState(batch: RecordBatch, i: number): void {
    const { expected, one } = this;
    const kind = batch.kind[i]!;
    const pe = batch.pe[i]!;
    if (!this.peer.isPe(pe)) {
      this.divergences.differs(batch, i, () => `no PE ${pe}`);
      return;
    }
    one.clear();
    one.push(kind, pe, Number.NaN);
    const state = this.peer.stateOf(kind, pe, batch.words[i * RECORD_WORDS]!);
    if (state === undefined) {
      this.counts.unknown('lines of PEs before the implementation has shown anything of them');
      return;
    }
    one.words.set(state);
    if (!same(batch, i, one, 0)) this.divergences.differs(batch, i, () => recordText(one, 0));
    for (let k = 0; k < expected.count; k++)
      if (expected.kind[k] === kind && expected.pe[k] === pe) this.said[k] = 1;
  }

  /** The next stimulus begins, so everything that was emitted must have been recorded. */
  private drain(): void {
    const { expected, said } = this;
    for (let k = 0; k < expected.count; k++) {
      if (said[k] !== 0) continue;
      this.divergences.missing(() => recordText(expected, k));
      return;
    }
  }
}

/** Replays a trace of a GICv5 on the simulator. */
export class Gicv5Replay {
  readonly machine: Gicv5Machine;
  records = 0;
  private readonly comparison: Gicv5Comparison;
  private readonly follow: Gicv5Follow;

  constructor(config: Gicv5Config, options: Gicv5ReplayOptions = {}) {
    const machine = new Gicv5Machine(config);
    this.machine = machine;
    options.machine?.(machine);
    const comparison = new Gicv5Comparison(peerOf(machine), options);
    this.comparison = comparison;
    this.follow = new Gicv5Follow(
      machine,
      new Comparing({
        stimulus: (batch, i, record) => comparison.begin(batch, i, record),
        answered: (batch, i) => comparison.answered(batch, i, machine),
        emitted: (records) => {
          for (let k = 0; k < records.count; k++) comparison.did(records, k);
        },
        observable: (batch, i, record) => comparison.observe(batch, i, record),
      }),
    );
  }

  /** Takes the records of a batch. */
  take(batch: RecordBatch): void {
    this.comparison.enter(batch, this.records);
    this.follow.take(batch, this.records);
    this.records += batch.count;
    this.comparison.leave(batch);
  }

  /** No more records follow. */
  finish(): Verdict {
    return this.comparison.finish(this.records);
  }
}

/** The simulator as what a recording is compared with. */
function peerOf(machine: Gicv5Machine): Gicv5Peer {
  const { state } = machine;
  return {
    isPe: (pe) => machine.isPe(pe),
    showsAll: machine.profile.showsAll,
    stateOf: (kind, pe, domain) => {
      if (kind === KIND['cpuif.signal']) {
        const signal = state.signal[pe]!;
        return [signal & 1, (signal >> 1) & 1, (signal >> 2) & 1];
      }
      if (kind === KIND['irs.hppi'])
        return [NON_SECURE, state.config.pes[pe]!.iaffid, state.irsIntid[pe]!, state.irsPriority[pe]!];
      // What no PPI is has no INTID, whatever the state has in its place.
      if (domain !== NON_SECURE) return [domain, 0, IDLE];
      return [domain, state.ppiIntid[pe]!, state.ppiBest[pe]!];
    },
  };
}

const isOf = (batch: RecordBatch, i: number, kind: number, pe: number) =>
  batch.kind[i] === kind && batch.pe[i] === pe;

/** Whether two observables say the same of the same PE. */
function same(a: RecordBatch, i: number, b: RecordBatch, k: number): boolean {
  if (a.kind[i] !== b.kind[k] || a.pe[i] !== b.pe[k]) return false;
  for (let word = 0; word < RECORD_WORDS; word++)
    if (a.words[i * RECORD_WORDS + word] !== b.words[k * RECORD_WORDS + word]) return false;
  return true;
}

/** Without what is undefined, for which the options have no place. */
const plain = ({ allow, sourceTellsReserved }: Gicv5ReplayOptions): ReplayOptions => ({
  ...(allow === undefined ? {} : { allow }),
  ...(sourceTellsReserved === undefined ? {} : { sourceTellsReserved }),
});

type Calls = Pick<FollowObserver, 'stimulus' | 'answered' | 'emitted' | 'observable'>;

/** Passes on what the loop calls. */
class Comparing extends FollowObserver {
  private readonly calls: Calls;

  constructor(calls: Calls) {
    super();
    this.calls = calls;
  }

  override stimulus(batch: RecordBatch, i: number, record: number): void {
    this.calls.stimulus(batch, i, record);
  }

  override answered(batch: RecordBatch, i: number, record: number): void {
    this.calls.answered(batch, i, record);
  }

  override emitted(records: RecordBatch): void {
    this.calls.emitted(records);
  }

  override observable(batch: RecordBatch, i: number, record: number): void {
    this.calls.observable(batch, i, record);
  }
}
