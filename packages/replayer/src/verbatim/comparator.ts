// Compares what was recorded with the responses and effects of a backend, whichever backend it is. The caller walks the
// records: `begin` for each stimulus, then its response and its effects, then `observe` for each record of an
// observable. How each kind of record is compared is defined in responses, signals and streams.

import type { GicConfig } from '@gictrace/core';
import { type Capabilities, CONSEQUENCE, notShown } from '@gictrace/core/backend';
import {
  type Anomaly,
  leavesEffectsOpen,
  orderedStreamOf,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  recordName,
  SIGNALS,
  signalOf,
  type Verdict,
} from '@gictrace/core/record';
import { ITS_OUTCOMES } from '@gictrace/core/spec';
import { ReplayCounts } from './counts.ts';
import { Divergences } from './divergences.ts';
import { EoiOrder } from './eoi-order.ts';
import { Explainer } from './explainer.ts';
import type { Expected, Following } from './following.ts';
import type { ReplayOptions, Tolerance } from './options.ts';
import { ON_THE_WAY, UNDECIDED_COMMAND, UNKNOWN_COMMAND, UNKNOWN_MSI } from './outcome.ts';
import { ReRecording } from './re-recording.ts';
import { type Response, Responses } from './responses.ts';
import { Signals } from './signals.ts';
import { Streams } from './streams.ts';

const HPPI = RECORDS.hppi.id;
const ITS_COMMAND = RECORDS['its.command'].id;
const MSI_UNDECIDED = RECORDS['msi.undecided'].id;
const STATE_KNOWN = RECORDS['state.known'].id;
const CONFLICT = RECORDS['source.conflict'].id;
const MEMORY_ASSUMED = RECORDS['memory.assumed'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;

export class Comparator {
  readonly counts = new ReplayCounts();
  readonly explainer = new Explainer();
  private readonly divergences = new Divergences(this.counts, this.explainer);
  private readonly streams = new Streams(this.counts, this.divergences, this.explainer);
  private readonly responses: Responses;
  private readonly signals: Signals;
  private readonly eoiOrder: EoiOrder;
  private readonly reRecording: ReRecording | undefined;
  /** Number of records walked. */
  records = 0;
  /** By kind: whether the backend reports it. */
  private readonly shows = new Uint8Array(256).fill(1);
  /** By kind: whether it is missing from the source of the recording. */
  private readonly notInSource = new Uint8Array(256);
  /** The backend does not support or report everything. */
  private readonly limited: boolean;
  /** The current stimulus was skipped, so nothing can follow from it. */
  private idle = false;
  /** The state that decides what the current stimulus does is not in the source. */
  private undecided = false;
  /** The current stimulus is state that was learnt from the source. The source prints no effects of it. */
  private learning = false;
  private readonly source: Pick<Verdict, 'start' | 'missing'>;
  /** The last recorded line of each signal and PE since the stimulus; only if the backend shows what has settled. */
  private readonly held: RecordBatch | undefined;
  private readonly heldRecord: number[] = [];
  private readonly stopAtFirst: boolean;
  private readonly allowed: ReadonlySet<Tolerance>;
  private firstAnomaly: Anomaly | null = null;

  /** By PE: whether what it is signalled was recorded for the current stimulus. */
  private readonly recorded: Uint8Array;
  private readonly following: Following | undefined;

  /** `capabilities`: what the backend reports; everything if absent. `following`: what follows its choices. */
  constructor(
    config: GicConfig,
    options: ReplayOptions = {},
    capabilities?: Capabilities,
    following?: Following,
  ) {
    const peCount = config.pes.length;
    this.source = {
      start: options.startsInMidLife ? 'mid-life' : 'reset',
      missing: options.missing ?? [],
    };
    this.stopAtFirst = options.stopAtFirst ?? false;
    this.allowed = new Set(options.allow ?? []);
    this.responses = new Responses(this.counts, this.divergences, options, capabilities);
    if (options.output !== undefined) this.reRecording = new ReRecording(options.output);
    this.recorded = new Uint8Array(peCount);
    this.following = following;
    this.signals = new Signals(peCount, this.counts, this.divergences, this.reRecording, following);
    this.eoiOrder = new EoiOrder(peCount);
    if (options.sourceShows !== undefined) {
      const shown = new Set<string>(options.sourceShows);
      for (const [name, { id, class: kind }] of Object.entries(RECORDS))
        if (kind === 'observable' && !shown.has(name)) this.notInSource[id] = 1;
    }
    this.limited = capabilities !== undefined;
    if (capabilities?.settled === true) this.held = new RecordBatch(SIGNALS.length * peCount);
    if (capabilities === undefined) return;
    this.shows.fill(0);
    for (const name of capabilities.observables) this.shows[RECORDS[name].id] = 1;
    // A conflict is not something a backend does: the source contradicts itself.
    this.shows[CONFLICT] = 1;
  }

  /** Whether the replay was asked to stop at a divergence and has found one. */
  get stopped(): boolean {
    return this.stopAtFirst && this.counts.diverged > 0;
  }

  // ---- stimuli -------------------------------------------------------------------------------------------

  /** Record `i` of a batch, which is record `record` of the trace, is a stimulus that goes to the backend. */
  begin(batch: RecordBatch, i: number, record: number): void {
    const kind = batch.kind[i]!;
    this.divergences.record = record;
    this.learning = kind === STATE_KNOWN;
    if (!leavesEffectsOpen(kind)) {
      this.compareHeld();
      this.compareFollowed();
      this.divergences.record = record;
      // Before the next stimulus, everything that the backend reported must have been recorded.
      this.signals.drain(this.undecided);
      this.streams.drain(this.undecided);
      this.explainer.begin(batch, i, record);
      this.idle = false;
      this.undecided = (batch.flags[i]! & RECORD_FLAGS.undecided) !== 0;
      if (kind === GIC_RESET) this.reset();
      else if (this.undecided && (kind === SYSREG_READ || kind === SYSREG_WRITE))
        this.eoiOrder.forget(batch.pe[i]!);
    }
    const rule = batch.rule[i]!;
    if (rule !== 0) this.counts.rules[rule]!++;
    this.reRecording?.begin(batch, i);
  }

  /** After a reset nothing is signalled and nothing is active; neither is recorded. */
  private reset(): void {
    this.signals.reset();
    this.eoiOrder.reset();
  }

  /** The backend executed the stimulus: what a read returned, and whether the location is reserved. */
  answered(batch: RecordBatch, i: number, response: Response, expected?: Expected): void {
    this.responses.compare(batch, i, response, expected);
    this.reRecording?.answered(response);
  }

  /** The model does not have this register. What was recorded of it is compared all the same. */
  unsupported(reason: string): void {
    this.counts.skip(reason);
    this.reRecording?.unsupported();
  }

  /** The backend was not given the stimulus: it ends an interrupt that the backend did not acknowledge. */
  followed(): void {
    this.counts.choose('follows');
    this.reRecording?.skipped();
  }

  /** The backend did not execute the stimulus, so what was recorded of it is not compared. */
  skipped(batch: RecordBatch, i: number, reason: string): void {
    this.counts.skip(reason);
    if (!leavesEffectsOpen(batch.kind[i]!)) this.idle = true;
    this.reRecording?.skipped();
  }

  /** Takes the effects that the backend reported: records `from` to `to` - 1 of a batch. */
  did(shown: RecordBatch, from: number, to: number): void {
    const { signals, streams, notInSource, reRecording } = this;
    for (let i = from; i < to; i++) {
      const kind = shown.kind[i]!;
      const signal = signalOf(kind);
      this.explainer.did(shown, i);
      if (kind === ITS_COMMAND || kind === MSI_UNDECIDED) this.countUnknown(kind, shown, i);
      if (notInSource[kind] !== 0) this.counts.unknown(`${recordName(kind)}: not shown by the source`);
      else if (signal >= 0) {
        // It is re-recorded where the source has a line.
        signals.show(signal, shown, i, this.learning);
        continue;
      } else {
        const stream = orderedStreamOf(kind);
        if (stream >= 0) streams.show(stream, shown, i);
        else this.explain(kind, shown, i);
      }
      if (reRecording !== undefined) reRecording.record(shown, i);
    }
  }

  /** Counts a command that is not in the source, or whose mappings are not. */
  private countUnknown(kind: number, shown: RecordBatch, i: number): void {
    const outcome = shown.words[i * RECORD_WORDS + 2];
    if (kind === MSI_UNDECIDED) this.counts.unknown(UNKNOWN_MSI);
    else if (outcome === ITS_OUTCOMES.NOT_SHOWN) this.counts.unknown(UNKNOWN_COMMAND);
    else if (outcome === ITS_OUTCOMES.UNDECIDED) this.counts.unknown(UNDECIDED_COMMAND);
  }

  /** Takes an event. Events are not compared, but one may explain a difference. */
  private explain(kind: number, shown: RecordBatch, i: number): void {
    if (kind === MEMORY_ASSUMED) {
      this.counts.unknown('guest memory that the source does not show');
      return;
    }
    const wrong = this.undecided ? undefined : this.eoiOrder.take(shown, i);
    if (wrong === undefined) return;
    const { text } = wrong;
    this.counts.anomalies++;
    const anomaly = this.explainer.suspect(text);
    this.firstAnomaly ??= anomaly;
    if (this.allowed.has('eoi-order')) this.counts.tolerate('eoi-order');
    else {
      this.divergences.atStimulus('the EOI contradicts what this PE acknowledged', text);
      this.reRecording?.conflict('ended', [wrong.expected, 0], [wrong.ended, 0]);
    }
  }

  // ---- what was recorded ---------------------------------------------------------------------------------

  /** Record `i` of a batch is an operation. It explains differences and has no response. */
  operation(batch: RecordBatch, i: number): void {
    this.reRecording?.record(batch, i);
  }

  /** Record `i` of a batch, which is record `record` of the trace, is an observable. */
  observe(batch: RecordBatch, i: number, record: number): void {
    const kind = batch.kind[i]!;
    this.divergences.record = record;
    if (this.limited && this.skipsObservable(kind)) return;
    const signal = signalOf(kind);
    if (signal >= 0) {
      if (kind === HPPI && this.following?.deviates(batch.pe[i]!)) this.recorded[batch.pe[i]!] = 1;
      else if (this.held === undefined) this.signals.compare(signal, batch, i);
      else this.hold(this.held, batch, i, record);
      return;
    }
    const stream = orderedStreamOf(kind);
    if (stream >= 0) this.streams.compare(stream, batch, i, this.undecided);
    else if (kind === CONFLICT) {
      this.counts.compared[kind]!++;
      this.divergences.differs(batch, i, () => 'nothing can agree with both lines');
    }
  }

  /** Keeps a recorded line until the stimulus is complete, in place of an earlier one for the same PE. */
  private hold(held: RecordBatch, batch: RecordBatch, i: number, record: number): void {
    for (let k = 0; k < held.count; k++)
      if (held.kind[k] === batch.kind[i] && held.pe[k] === batch.pe[i]) {
        this.counts.unknown(ON_THE_WAY);
        const { count } = held;
        held.count = k;
        held.copy(batch, i);
        held.count = count;
        this.heldRecord[k] = record;
        return;
      }
    if (held.full) return;
    this.heldRecord[held.copy(batch, i)] = record;
  }

  /** Compares what PEs were signalled when the last stimulus was complete. */
  private compareHeld(): void {
    const { held } = this;
    if (held === undefined) return;
    for (let k = 0; k < held.count; k++) {
      this.divergences.record = this.heldRecord[k]!;
      this.signals.compare(signalOf(held.kind[k]!), held, k);
    }
    held.clear();
  }

  /** Compares what PEs should be signalled because of earlier choices, once a stimulus is complete. */
  private compareFollowed(): void {
    if (this.following === undefined) return;
    if (!this.undecided && !this.idle && this.shows[HPPI] !== 0 && this.notInSource[HPPI] === 0)
      this.signals.compareFollowed(this.recorded);
    this.recorded.fill(0);
  }

  private skipsObservable(kind: number): boolean {
    if (kind === CONFLICT || (!this.idle && this.shows[kind] !== 0)) return false;
    const name = recordName(kind);
    this.counts.skip(this.shows[kind] === 0 && name !== undefined ? notShown(name) : CONSEQUENCE);
    return true;
  }

  /** Compares the state before record `record` with the digest of it that the trace stores. */
  compareState(own: string, stored: string, record: number): void {
    this.counts.statesCompared++;
    if (own === stored) return;
    this.divergences.state(own, stored, record);
    this.reRecording?.conflict('state', wordsOf(stored), wordsOf(own));
  }

  /** No more records follow. Returns the verdict. */
  finish(): Verdict {
    this.compareHeld();
    this.compareFollowed();
    this.signals.end();
    return this.counts.verdict(this.records, this.source, this.divergences.first, this.firstAnomaly);
  }
}

/** The first 64 bits of a digest, as two words. */
function wordsOf(digest: string): [number, number] {
  return [Number.parseInt(digest.slice(8, 16), 16) >>> 0, Number.parseInt(digest.slice(0, 8), 16) >>> 0];
}
