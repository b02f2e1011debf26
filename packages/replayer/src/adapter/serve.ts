// The other end of the adapter protocol: makes an adapter from any backend. Adapters in TypeScript call it.
import type { Readable, Writable } from 'node:stream';
import { GicTraceError } from '@gictrace/core';
import type { Answers, Backend, Capabilities } from '@gictrace/core/backend';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch, STIMULI_BELOW } from '@gictrace/core/record';
import {
  BATCH_STIMULI_MAX,
  ITEM_BYTES_MAX,
  LIMITS,
  MESSAGES,
  PROTOCOL_VERSION,
  parseReset,
  RESPONSES,
  WORDS_OF,
  writeHelloOf,
  writeRecord,
} from './protocol.ts';
import { FrameSplitter, MESSAGE_BYTES_MAX, WireError, WireReader, WireWriter } from './wire.ts';

export interface ServeOptions {
  /** What the backend can do, as it will return from a reset. */
  readonly capabilities: Capabilities;
  /** Every reason for which it skips a stimulus. */
  readonly reasons: readonly string[];
}

const NOT_TAKEN = 'not a stimulus that this adapter takes';
const OTHER_REASON = 'for another reason';

/** Serves a backend until the other end says bye or is gone. Returns an exit code: 0, or 1 after a failure. */
export async function serveAdapter(
  backend: Backend,
  input: Readable,
  output: Writable,
  options: ServeOptions,
): Promise<number> {
  const queue: Buffer[] = [];
  const splitter = new FrameSplitter((bytes, from, to) => queue.push(Buffer.from(bytes.subarray(from, to))));
  const server = new Server(backend, output, options);
  try {
    for await (const chunk of input) {
      splitter.take(chunk as Buffer);
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        if (!(await server.take(next))) return 0;
    }
    return 0;
  } catch (error) {
    if (!(error instanceof WireError || error instanceof GicTraceError)) throw error;
    await server.fail(error.message);
    return 1;
  } finally {
    await backend.close();
  }
}

class Server implements Answers {
  private readonly backend: Backend;
  private readonly output: Writable;
  private readonly options: ServeOptions;
  private readonly reasons: readonly string[];
  private readonly takes = new Uint8Array(STIMULI_BELOW);
  private readonly reader = new WireReader();
  private readonly out = new WireWriter();
  /** The answers to the current batch. */
  private readonly items = new WireWriter();
  private itemCount = 0;
  private number = 0;
  private readonly stimuli = new RecordBatch(BATCH_STIMULI_MAX);
  private said = false;
  private peCount = 0;

  constructor(backend: Backend, output: Writable, options: ServeOptions) {
    this.backend = backend;
    this.output = output;
    this.options = options;
    this.reasons = [...options.reasons, NOT_TAKEN, OTHER_REASON];
    for (const name of options.capabilities.stimuli) this.takes[RECORDS[name].id] = 1;
  }

  /** Takes a message. Returns false after the last one. */
  async take(bytes: Buffer): Promise<boolean> {
    const { reader } = this;
    reader.reset(bytes, 0, bytes.length);
    reader.array();
    const message = reader.uint();
    if (message === MESSAGES.bye) return false;
    if (message === MESSAGES.hello) this.hello();
    else if (!this.said) throw new WireError('the first message is not hello');
    else if (message === MESSAGES.reset) await this.reset();
    else if (this.peCount === 0) throw new WireError('nothing can be asked before the first reset');
    else if (message === MESSAGES.batch) await this.batch();
    else if (message === MESSAGES.snapshot || message === MESSAGES.restore) await this.slot(message);
    else throw new WireError(`there is no message ${message}`);
    return true;
  }

  /** Sends that the adapter gives up, and why. */
  async fail(why: string): Promise<void> {
    this.out.array(2);
    this.out.uint(MESSAGES.failed);
    this.out.text(why);
    await this.send();
  }

  private hello(): void {
    const hello = this.reader.value();
    const version = typeof hello === 'object' && 'protocol' in hello ? hello.protocol : undefined;
    if (version !== PROTOCOL_VERSION)
      throw new WireError(`this adapter speaks version ${PROTOCOL_VERSION} of the protocol, not ${version}`);
    this.said = true;
    writeHelloOf(this.out, { capabilities: this.options.capabilities, reasons: this.reasons });
    this.output.write(this.out.frame());
  }

  private async reset(): Promise<void> {
    const config = parseReset(this.reader.value());
    await this.backend.reset(config);
    this.peCount = config.pes.length;
    this.out.array(1);
    this.out.uint(MESSAGES.reset);
    await this.send();
  }

  private async slot(message: number): Promise<void> {
    const slot = this.reader.uint();
    if (slot >= this.options.capabilities.snapshots) throw new WireError(`there is no slot ${slot}`);
    await (message === MESSAGES.snapshot ? this.backend.snapshot(slot) : this.backend.restore(slot));
    this.out.array(2);
    this.out.uint(message);
    this.out.uint(slot);
    await this.send();
  }

  // ---- batches -------------------------------------------------------------------------------------------

  private async batch(): Promise<void> {
    const { reader, stimuli } = this;
    this.number = reader.uint();
    const count = reader.array();
    stimuli.clear();
    for (let n = 0; n < count; n++) {
      if (this.stimulus()) {
        if (stimuli.full) await this.runGathered();
        continue;
      }
      await this.runGathered();
      this.skipped(NOT_TAKEN);
    }
    await this.runGathered();
    this.flush(1);
    await this.drained();
  }

  private async runGathered(): Promise<void> {
    if (this.stimuli.count > 0) await this.backend.run(this.stimuli, this);
    this.stimuli.clear();
  }

  /** Reads the next stimulus into the batch. Returns false if it cannot be accepted. */
  private stimulus(): boolean {
    const { reader, stimuli } = this;
    const length = reader.array();
    if (length < 3) throw new WireError('a stimulus of less than three values');
    const kind = reader.uint();
    const pe = reader.uint();
    const flags = reader.uint();
    const known =
      kind < STIMULI_BELOW && this.takes[kind] === 1 && length - 3 === WORDS_OF[kind] && pe <= this.peCount;
    if (!known) {
      for (let k = 3; k < length; k++) reader.uint();
      return false;
    }
    const i = stimuli.push(kind, pe - 1, Number.NaN);
    stimuli.flags[i] = flags & (RECORD_FLAGS.secure | RECORD_FLAGS.el3);
    let within = true;
    for (let k = 0; k < length - 3; k++) {
      const word = reader.uint();
      stimuli.words[i * RECORD_WORDS + k] = word;
      if (word > LIMITS[kind]![k]!) within = false;
    }
    if (!within) stimuli.count--;
    return within;
  }

  answered(low: number, high: number, reserved: boolean): void {
    this.items.array(3);
    this.items.uint(reserved ? RESPONSES.reserved : RESPONSES.done);
    this.items.uint(low);
    this.items.uint(high);
    this.added();
  }

  skipped(reason: string): void {
    const index = this.reasons.indexOf(reason);
    this.items.array(2);
    this.items.uint(RESPONSES.skipped);
    this.items.uint(index < 0 ? this.reasons.indexOf(OTHER_REASON) : index);
    this.added();
  }

  shown(batch: RecordBatch, i: number): void {
    writeRecord(this.items, batch, i);
    this.added();
  }

  private added(): void {
    this.itemCount++;
    if (this.items.length > MESSAGE_BYTES_MAX - ITEM_BYTES_MAX - 64) this.flush(0);
  }

  /** Sends the answers so far. `last` says whether they complete the batch. */
  private flush(last: 0 | 1): void {
    const { out, items } = this;
    out.array(4);
    out.uint(MESSAGES.batch);
    out.uint(this.number);
    out.uint(last);
    out.array(this.itemCount);
    out.append(items);
    this.itemCount = 0;
    this.output.write(out.frame());
  }

  private async send(): Promise<void> {
    this.output.write(this.out.frame());
    await this.drained();
  }

  /** Waits until the other end has read most of what was written. */
  private async drained(): Promise<void> {
    if (this.output.writableNeedDrain) await new Promise((resolve) => this.output.once('drain', resolve));
  }
}
