// Verbatim replay on any backend. Recorded batches are sent, a few at a time, and the comparator walks them as the
// answers arrive. Memory holds only the batches in flight.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import { type Answers, type Backend, type Capabilities, notTaken } from '@gictrace/core/backend';
import { recordText } from '@gictrace/core/disasm';
import {
  isObservable,
  isOperation,
  isStimulus,
  NO_PE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  recordName,
  responseAt,
  STIMULI_BELOW,
  type Verdict,
} from '@gictrace/core/record';
import { putCollection } from '../backends/qemu/collections.ts';
import type { Fill } from '../backends/qemu/foresight.ts';
import { Comparator } from './comparator.ts';
import { Following } from './following.ts';
import type { ReplayOptions } from './options.ts';
import { UNKNOWN_COLLECTION, UNKNOWN_COMMAND } from './outcome.ts';

/** The flags of an access that are sent to a backend. */
const MEM_KNOWN = RECORDS['mem.known'].id;
const SENT_FLAGS = RECORD_FLAGS.secure | RECORD_FLAGS.el3;

export interface BackendReplayOptions extends ReplayOptions {
  /** Number of trace records that go into one batch: 1 to 4,096; 512 if absent. */
  readonly batchRecords?: number;
  /** The largest number of batches in flight; 4 if absent. */
  readonly window?: number;
  /** The number of ITS commands that the source does not show, which are counted as unknown; 0 if absent. */
  readonly unknownCommands?: number;
  /** Whether the backend's choices among interrupts of the same priority are followed; true if absent. */
  readonly follows?: boolean;
  /** By stimulus, counted from 0: what memory holds when it runs, although the trace contains that only later. */
  readonly fills?: ReadonlyMap<number, readonly Fill[]>;
  /** By stimulus, counted from 0, a queue.write of an INVALL: the ICID, which the source does not contain. */
  readonly collections?: ReadonlyMap<number, number>;
}

/** A part of the trace whose answers are awaited. */
interface Piece {
  readonly batch: RecordBatch;
  /** Number of its first record. */
  readonly first: number;
  /** The next record to process. */
  at: number;
  /** Records that the backend is not given, since they end what it did not acknowledge. */
  readonly ended: Set<number>;
}

export class BackendReplay implements Answers {
  private readonly backend: Backend;
  private readonly capabilities: Capabilities;
  private readonly comparator: Comparator;
  private readonly following: Following | undefined;
  private readonly takes = new Uint8Array(STIMULI_BELOW);
  private readonly batchRecords: number;
  private readonly window: number;
  /** The parts in flight, of which the first is being walked, and batches that can be reused. */
  private readonly pieces: Piece[] = [];
  private readonly free: RecordBatch[] = [];
  private readonly flights: Promise<void>[] = [];
  private readonly fills: ReadonlyMap<number, readonly Fill[]>;
  private readonly collections: ReadonlyMap<number, number>;
  /** The number of stimuli in the trace so far, sent or not. */
  private stimuli = 0;
  /** Answers, by number, to what is not in the trace at this place, and whether what it causes counts. */
  private readonly ignored = new Map<number, boolean>();
  /** Whether the last answer was one of these, of which nothing counts. */
  private passing = false;
  /** Batches of what is not in the trace at this place, and whether what it causes counts. */
  private readonly added = new Map<RecordBatch, boolean>();
  /** Numbers of stimuli sent and of answers received. */
  private sent = 0;
  private answers = 0;
  private readonly lastSent = new RecordBatch(1);
  private lastSentRecord = -1;
  private taken = 0;
  /** Whether an answer has arrived, and the time of the stimulus that it belongs to. */
  private working = false;
  private timeNs = Number.NaN;

  /** `capabilities`: what the backend returned when it was reset to `config`. */
  constructor(
    config: GicConfig,
    backend: Backend,
    capabilities: Capabilities,
    options: BackendReplayOptions = {},
  ) {
    this.backend = backend;
    this.capabilities = capabilities;
    if (options.follows !== false) this.following = new Following(config);
    this.comparator = new Comparator(config, options, capabilities, this.following);
    this.batchRecords = options.batchRecords ?? 512;
    this.window = options.window ?? 4;
    this.fills = options.fills ?? new Map();
    this.collections = options.collections ?? new Map();
    for (const _icid of this.collections) this.comparator.counts.unknown(UNKNOWN_COLLECTION);
    for (let n = 0; n < (options.unknownCommands ?? 0); n++) this.comparator.counts.unknown(UNKNOWN_COMMAND);
    for (const name of capabilities.stimuli) this.takes[RECORDS[name].id] = 1;
  }

  /** Whether the replay was asked to stop and has found a divergence. */
  get stopped(): boolean {
    return this.comparator.stopped;
  }

  /**
   * Takes the records of a batch, which may be reused once the promise has settled. Waits if too much is in flight.
   * @throws GicTraceError `backend`, with the record whose answer is awaited, if the implementation fails.
   */
  async take(batch: RecordBatch): Promise<void> {
    let from = 0;
    while (from < batch.count && !this.stopped) {
      const [to, awaits] = this.reachFrom(batch, from);
      this.send(batch, from, to);
      await this.atMost(awaits ? 0 : this.window - 1);
      if (awaits) await this.endUnended();
      from = to;
    }
  }

  /** How far the records from `from` on can be sent, and whether what follows depends on the answer to the last of them. */
  private reachFrom(batch: RecordBatch, from: number): readonly [to: number, awaits: boolean] {
    const end = Math.min(batch.count, from + this.batchRecords);
    if (this.following !== undefined)
      for (let i = from; i < end; i++)
        if (this.isSent(batch.kind[i]!) && this.following.awaits(batch, i)) return [i + 1, true];
    return [end, false];
  }

  /** Ends an interrupt that the backend acknowledged where the recorded guest found none. */
  private async endUnended(): Promise<void> {
    const writes = this.stopped ? undefined : this.following?.toEnd();
    if (writes === undefined) return;
    this.added.set(writes, true);
    this.dispatch(writes);
    await this.atMost(0);
  }

  /** A state that the trace stores is one of the simulator, so it cannot be compared with another backend's. */
  skipState(): void {
    this.comparator.counts.skip('stored state of the simulator');
  }

  /** No more records follow. Waits for all answers. Throws as `take` does. */
  async finish(): Promise<Verdict> {
    await this.atMost(0);
    if (!this.stopped) this.advance();
    return this.comparator.finish();
  }

  // ---- out -----------------------------------------------------------------------------------------------

  private send(batch: RecordBatch, from: number, to: number): void {
    const piece = this.free.pop() ?? new RecordBatch(this.batchRecords);
    piece.clear();
    // The backend may keep its batch while it is in flight, so it gets a batch of its own.
    const parts: RecordBatch[] = [];
    let stimuli = new RecordBatch(to - from);
    const ended = new Set<number>();
    for (let i = from; i < to; i++) {
      piece.copy(batch, i);
      const kind = batch.kind[i]!;
      if (isStimulus(kind)) {
        const fills = this.fills.get(this.stimuli++);
        if (fills !== undefined && this.takes[MEM_KNOWN] !== 0) {
          parts.push(stimuli, ...this.filling(fills));
          stimuli = new RecordBatch(to - i);
        }
      }
      if (!this.isSent(kind)) continue;
      const s = stimuli.copy(batch, i);
      this.withoutAnswer(stimuli, s, kind);
      const icid = this.collections.get(this.stimuli - 1);
      if (icid !== undefined) putCollection(stimuli.words, s * RECORD_WORDS + 3, icid);
      if (this.following?.translate(stimuli, s) === false) {
        stimuli.count--;
        ended.add(i - from);
        continue;
      }
      this.lastSentRecord = this.taken + (i - from);
      this.lastSent.clear();
      this.lastSent.copy(batch, i);
    }
    this.pieces.push({ batch: piece, first: this.taken, at: 0, ended });
    this.taken += to - from;
    // Answers may come at once, so the piece is there first.
    for (const part of parts) this.dispatch(part);
    this.dispatch(stimuli);
  }

  /** Batches that tell the backend what memory holds. */
  private filling(fills: readonly Fill[]): RecordBatch[] {
    const out: RecordBatch[] = [];
    for (let from = 0; from < fills.length; from += this.batchRecords) {
      const part = fills.slice(from, from + this.batchRecords);
      const known = new RecordBatch(part.length);
      for (const { address, byte } of part) {
        const i = known.push(MEM_KNOWN, NO_PE, Number.NaN);
        known.words.set([address, Math.floor(address / 2 ** 32), 1, byte], i * RECORD_WORDS);
      }
      this.added.set(known, false);
      out.push(known);
    }
    return out;
  }

  private dispatch(stimuli: RecordBatch): void {
    if (stimuli.count === 0) return;
    const counts = this.added.get(stimuli);
    if (counts !== undefined) for (let i = 0; i < stimuli.count; i++) this.ignored.set(this.sent + i, counts);
    this.added.delete(stimuli);
    this.sent += stimuli.count;
    const expected = this.sent;
    const flight = this.backend.run(stimuli, this).then(() => {
      if (this.answers < expected && !this.stopped)
        throw new GicTraceError('backend', `answered ${this.answers} of ${expected} stimuli`);
    });
    // The rejection is handled where the promise is awaited; until then it must not count as unhandled.
    flight.catch(() => undefined);
    this.flights.push(flight);
  }

  private isSent(kind: number): boolean {
    return isStimulus(kind) && this.takes[kind] !== 0;
  }

  /** Removes what was recorded of an access, which a backend does not get to see. */
  private withoutAnswer(stimuli: RecordBatch, i: number, kind: number): void {
    stimuli.flags[i]! &= SENT_FLAGS;
    stimuli.rule[i] = 0;
    stimuli.line[i] = 0;
    stimuli.cause[i] = 0;
    const value = responseAt(kind);
    if (value < 0) return;
    const at = i * RECORD_WORDS + value;
    stimuli.words[at] = 0;
    stimuli.words[at + 1] = 0;
  }

  /** Waits until at most `count` batches are in flight. */
  private async atMost(count: number): Promise<void> {
    try {
      while (this.flights.length > count) await this.flights.shift();
    } catch (error) {
      throw error instanceof GicTraceError && error.code === 'backend' ? this.placed(error) : error;
    }
  }

  /** Adds to a backend's error where in the trace it happened. */
  private placed(error: GicTraceError): GicTraceError {
    const waiting = this.unanswered();
    const text = (batch: RecordBatch, i: number) => recordText(batch, i).trim();
    const last =
      this.lastSentRecord < 0
        ? 'nothing had been sent'
        : `sent last: record ${this.lastSentRecord}: ${text(this.lastSent, 0)}`;
    const first =
      waiting === undefined || waiting.record === this.lastSentRecord
        ? ''
        : `; first without an answer: record ${waiting.record}: ${text(waiting.batch, waiting.i)}`;
    return new GicTraceError(
      'backend',
      `${this.capabilities.name}: ${error.message}; ${last}${first}`,
      error.place,
      error.hint,
    );
  }

  /** The first stimulus that was sent and has no answer yet. */
  private unanswered(): { record: number; batch: RecordBatch; i: number } | undefined {
    for (const { batch, first, at } of this.pieces)
      for (let i = at; i < batch.count; i++)
        if (this.isSent(batch.kind[i]!)) return { record: first + i, batch, i };
    return undefined;
  }

  // ---- back ----------------------------------------------------------------------------------------------

  answered(low: number, high: number, reserved: boolean): void {
    if (this.isIgnored()) return;
    const piece = this.reach();
    if (piece === undefined) return;
    const { batch, at } = piece;
    const response = { low, high, reserved };
    const expected = this.following?.step(batch, at, response);
    this.comparator.answered(batch, at, response, expected);
    this.pass(piece);
  }

  skipped(reason: string): void {
    if (this.isIgnored()) return;
    const piece = this.reach();
    if (piece === undefined) return;
    const { batch, at } = piece;
    this.following?.step(batch, at);
    this.comparator.skipped(batch, at, reason);
    this.pass(piece);
  }

  shown(batch: RecordBatch, i: number): void {
    if (this.stopped || this.passing) return;
    if (!this.working)
      throw new GicTraceError('backend', 'showed something before it answered the first stimulus');
    // A backend does not know times, so an effect gets the time of its stimulus.
    batch.timeNs[i] = this.timeNs;
    this.comparator.did(batch, i, i + 1);
  }

  /** Whether the next answer is to something that is not in the trace at this place; it is then passed over. */
  private isIgnored(): boolean {
    const counts = this.ignored.get(this.answers);
    this.passing = counts === false;
    if (counts === undefined) return false;
    this.ignored.delete(this.answers++);
    return true;
  }

  /** The next stimulus that was sent, for which an answer has arrived. Undefined once the replay has stopped. */
  private reach(): Piece | undefined {
    this.answers++;
    if (this.answers > this.sent)
      throw new GicTraceError('backend', 'answered more stimuli than it was given');
    if (this.stopped) return undefined;
    const piece = this.advance();
    if (piece === undefined) return undefined;
    this.working = true;
    this.timeNs = piece.batch.timeNs[piece.at]!;
    this.comparator.begin(piece.batch, piece.at, piece.first + piece.at);
    return piece;
  }

  private pass(piece: Piece): void {
    piece.at++;
    this.comparator.records++;
  }

  /** Walks the records up to the next stimulus that was sent, or to the end of what is in flight. */
  private advance(): Piece | undefined {
    const { comparator, pieces } = this;
    for (let piece = pieces[0]; piece !== undefined; piece = pieces[0]) {
      const { batch, first } = piece;
      comparator.explainer.enter(batch, first);
      for (; piece.at < batch.count; piece.at++) {
        if (comparator.stopped) return undefined;
        const i = piece.at;
        const kind = batch.kind[i]!;
        if (isStimulus(kind)) {
          const isTaken = this.takes[kind] !== 0;
          if (isTaken && !piece.ended.has(i)) return piece;
          comparator.begin(batch, i, first + i);
          this.following?.step(batch, i);
          if (isTaken) comparator.followed();
          else comparator.skipped(batch, i, notTaken(recordName(kind)!));
        } else if (isObservable(kind)) comparator.observe(batch, i, first + i);
        else if (isOperation(kind)) comparator.operation(batch, i);
        comparator.records++;
      }
      comparator.explainer.leave(batch);
      this.free.push(batch);
      pieces.shift();
    }
    return undefined;
  }
}
