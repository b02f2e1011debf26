// Plants a fault into a recording: a stimulus more, one less, or another value. The result is a trace in memory, either
// with the responses and observables of the source, which then contradict the stimuli, or recorded again by the simulator.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import { Gicv5Machine, gicv5Step } from '@gictrace/core/gicv5';
import { type EventSink, Machine, step } from '@gictrace/core/model';
import {
  actOf,
  isEvent,
  isObservable,
  isStimulus,
  KIND,
  RECORD_FLAGS,
  RECORD_WORDS,
  RecordBatch,
  responseAt,
  takenOrEnded,
} from '@gictrace/core/record';
import { type CommandName, decodeCommand, encodeCommand, FRAMES, type FrameName } from '@gictrace/core/spec';
import { type AnyTraceReader, isGicv5, TraceReader } from '@gictrace/recorder';

const CHUNK = 4096;
const ACKNOWLEDGED: ReadonlySet<number> = new Set([KIND['irq.acknowledged'], KIND['int.acknowledged']]);

/** One record of a recording. The batch is shared until the record is changed. */
export class Row {
  batch: RecordBatch;
  i: number;
  /** Whether a fault was planted here. */
  isPlanted = false;

  constructor(batch: RecordBatch, i: number) {
    this.batch = batch;
    this.i = i;
  }

  get kind(): number {
    return this.batch.kind[this.i]!;
  }
  get pe(): number {
    return this.batch.pe[this.i]!;
  }
  word(k: number): number {
    return this.batch.words[this.i * RECORD_WORDS + k]!;
  }
  set(k: number, ...values: number[]): void {
    const own = new RecordBatch(1);
    own.copy(this.batch, this.i);
    this.batch = own;
    this.i = 0;
    own.words.set(values, k);
    this.isPlanted = true;
  }
}

type Test = (row: Row) => boolean;

/** A simulator of the GIC of a recording. */
function simulator(config: GicConfig | Gicv5Config) {
  if (config.architecture === 5) {
    const machine = new Gicv5Machine(config);
    return { machine, run: (batch: RecordBatch, i: number) => gicv5Step(machine, batch, i) };
  }
  const machine = new Machine(config);
  return { machine, run: (batch: RecordBatch, i: number) => step(machine, batch, i) };
}

/** Where a simulator puts what one stimulus causes. */
function sinkOf(batch: RecordBatch, events: boolean): EventSink {
  return {
    batch,
    events,
    full: () => {
      throw new Error('too many records of one stimulus');
    },
  };
}

/** A recording that can be changed. */
export class Recording<C extends GicConfig | Gicv5Config = GicConfig> {
  readonly rows: Row[] = [];
  config: C;

  /** `batches` are not changed. */
  constructor(config: C, batches: readonly RecordBatch[]) {
    this.config = config;
    for (const batch of batches) for (let i = 0; i < batch.count; i++) this.rows.push(new Row(batch, i));
  }

  /** The place of the n-th stimulus that fits, from 0. */
  find(fits: Test, nth = 0, from = 0): number {
    let left = nth;
    for (let k = from; k < this.rows.length; k++) {
      const row = this.rows[k]!;
      if (isStimulus(row.kind) && fits(row) && left-- === 0) return k;
    }
    throw new Error('the recording has no such stimulus');
  }

  /** The last stimulus that fits at or before a place. */
  findLast(fits: Test, from: number): number {
    for (let k = from; k >= 0; k--) if (isStimulus(this.rows[k]!.kind) && fits(this.rows[k]!)) return k;
    throw new Error('the recording has no such stimulus');
  }

  /** A place in the recording, as a fraction of its length. */
  at(fraction: number): number {
    return Math.floor(this.rows.length * fraction);
  }

  insert(place: number, batch: RecordBatch): void {
    const next = this.rows[place]!;
    batch.timeNs[0] = next.batch.timeNs[next.i]!;
    const row = new Row(batch, 0);
    row.isPlanted = true;
    this.rows.splice(place, 0, row);
  }

  /** Removes a record. What an answer may name instead are the records at `named`, counted after the removal. */
  remove(place: number, ...named: readonly number[]): void {
    this.rows.splice(place, 1);
    for (const k of named) this.rows[k]!.isPlanted = true;
  }

  operands(place: number): Readonly<Record<string, number>> {
    const row = this.rows[place]!;
    return decodeCommand(row.batch.words, row.i * RECORD_WORDS + 3)!.operands;
  }

  /** Puts another command in the place of a `queue.write`, with the same operands unless others are given. */
  command(place: number, name: CommandName, operands: Readonly<Record<string, number>> = {}): void {
    this.rows[place]!.set(3, ...encodeCommand(name, { ...this.operands(place), ...operands }));
  }

  /** How often the simulator acknowledges an interrupt: an INTID, or what messages of a device or a vINTID become. */
  acknowledges(question: {
    intid?: number;
    device?: number;
    event?: number;
    vintid?: number;
    pe?: number;
  }): number {
    const { machine, run } = simulator(this.config);
    const emitted = new RecordBatch(65_536);
    machine.sink = sinkOf(emitted, true);
    const { intid, device, event, vintid, pe } = question;
    const lpis = new Set<number>();
    let count = 0;
    for (const { batch, i, kind } of this.rows) {
      if (!isStimulus(kind)) continue;
      run(batch, i);
      for (let k = 0; k < emitted.count; k++) {
        const at = k * RECORD_WORDS;
        const w = emitted.words;
        if (pe !== undefined && emitted.pe[k] !== pe) continue;
        const one = emitted.kind[k];
        if (
          (one === KIND['msi.translated'] || one === KIND['vmsi.translated']) &&
          w[at + 1] === device &&
          (event === undefined || w[at + 2] === event)
        )
          lpis.add(w[at + 3]!);
        else if (ACKNOWLEDGED.has(one!) && (w[at] === intid || lpis.has(w[at]!))) count++;
        else if (one === KIND['virq.acknowledged'] && (w[at] === vintid || lpis.has(w[at]!))) count++;
      }
      emitted.clear();
    }
    return count;
  }

  /** The trace, and the records where something was planted. */
  finish(form: 'contradictory' | 'recorded again') {
    const batches: { batch: RecordBatch; first: number }[] = [];
    const planted: number[] = [];
    let records = 0;
    const push = (from: RecordBatch, k: number) => {
      if (records % CHUNK === 0) batches.push({ batch: new RecordBatch(CHUNK), first: records });
      records++;
      const { batch } = batches.at(-1)!;
      return { batch, i: batch.copy(from, k) };
    };
    const { machine, run } = simulator(this.config);
    const isAgain = form === 'recorded again';
    const emitted = new RecordBatch(65_536);
    machine.sink = sinkOf(emitted, false);
    for (const row of this.rows) {
      const isStimulusRow = isStimulus(row.kind);
      if (isAgain && !isStimulusRow && (isEvent(row.kind) || isObservable(row.kind))) continue;
      if (isAgain && isStimulusRow) run(row.batch, row.i);
      if (row.isPlanted) planted.push(records);
      const { batch, i } = push(row.batch, row.i);
      if (!isAgain || !isStimulusRow) continue;
      const at = responseAt(row.kind);
      if (at >= 0 && !machine.unsupported) {
        batch.words[i * RECORD_WORDS + at] = machine.low;
        batch.words[i * RECORD_WORDS + at + 1] = machine.high;
        batch.flags[i]! &= ~(RECORD_FLAGS.valueUnknown | RECORD_FLAGS.undecided);
      }
      for (let k = 0; k < emitted.count; k++) {
        const own = push(emitted, k);
        own.batch.timeNs[own.i] = row.batch.timeNs[row.i]!;
      }
      emitted.clear();
    }
    const { config } = this;
    const trace = {
      config,
      records,
      *batches(from = 0) {
        for (const one of batches) if (one.first + one.batch.count > from) yield one;
      },
    };
    return { trace, planted };
  }
}

/** The records of a trace, at most `limit` of them, in batches of their own. */
export function recordsOf(path: string, limit = Number.POSITIVE_INFINITY) {
  const reader = TraceReader.open(path);
  return { config: reader.header.config, batches: batchesOf(reader, limit) };
}

/** The same of a trace of a GICv5. */
export function gicv5RecordsOf(path: string, limit = Number.POSITIVE_INFINITY) {
  const reader = TraceReader.openAny(path);
  if (!isGicv5(reader)) throw new Error(`${path} is no trace of a GICv5`);
  return { config: reader.header.config, batches: batchesOf(reader, limit) };
}

function batchesOf(reader: AnyTraceReader, limit: number): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (const { batch, first } of reader.batches()) {
    if (first >= limit) break;
    const copy = new RecordBatch(batch.count);
    for (let i = 0; i < batch.count; i++) copy.copy(batch, i);
    batches.push(copy);
  }
  reader.close();
  return batches;
}

// ---- stimuli -----------------------------------------------------------------------------------------------

export const written =
  (frame: FrameName, offset: number, instance = -1): Test =>
  (row) =>
    row.kind === KIND['mmio.write'] &&
    row.word(0) === FRAMES.indexOf(frame) &&
    row.word(2) === offset &&
    (instance < 0 || row.word(1) === instance);

export const wroteSysreg =
  (encoding: number, pe = -1): Test =>
  (row) =>
    row.kind === KIND['sysreg.write'] && row.word(0) === encoding && (pe < 0 || row.pe === pe);

export const does =
  (what: 'acknowledge' | 'end', intid: number, pe = -1): Test =>
  (row) =>
    (pe < 0 || row.pe === pe) &&
    takenOrEnded(row.batch, row.i) === intid &&
    actOf(row.batch, row.i)?.does === what;

export const queued =
  (name: CommandName, operands: Readonly<Record<string, number>> = {}): Test =>
  (row) => {
    if (row.kind !== KIND['queue.write']) return false;
    const command = decodeCommand(row.batch.words, row.i * RECORD_WORDS + 3);
    return (
      command?.name === name &&
      Object.entries(operands).every(([key, value]) => command.operands[key] === value)
    );
  };

export const message =
  (device: number, event: number): Test =>
  (row) =>
    row.kind === KIND['msi.write'] && row.word(1) === device && row.word(2) === event;

export function mmioWrite(
  frame: FrameName,
  instance: number,
  offset: number,
  width: number,
  value: number,
): RecordBatch {
  const batch = new RecordBatch(1);
  batch.push(KIND['mmio.write'], Math.max(0, frame === 'GICR' ? instance : 0), Number.NaN);
  batch.flags[0] = RECORD_FLAGS.secure;
  batch.words.set([FRAMES.indexOf(frame), instance, offset, width, value >>> 0]);
  return batch;
}

export function sysregWrite(encoding: number, pe: number, value: number): RecordBatch {
  const batch = new RecordBatch(1);
  batch.push(KIND['sysreg.write'], pe, Number.NaN);
  batch.words.set([encoding, value >>> 0]);
  return batch;
}

export function sysregRead(encoding: number, pe: number): RecordBatch {
  const batch = new RecordBatch(1);
  batch.push(KIND['sysreg.read'], pe, Number.NaN);
  batch.words[0] = encoding;
  return batch;
}
