// A process that speaks the adapter protocol (docs/adapter.md), as a backend. Batches are sent at once and answers are read
// as they come, so only the batches in flight are kept.
import { type GicConfig, GicTraceError, invariant, VERSION } from '@gictrace/core';
import type { Answers, Backend, Capabilities } from '@gictrace/core/backend';
import { RECORDS, RecordBatch, type RecordName } from '@gictrace/core/record';
import { Child } from './child.ts';
import {
  BATCH_STIMULI_MAX,
  type Hello,
  MESSAGES,
  parseHello,
  RESPONSES,
  readShown,
  writeBatch,
  writeHello,
  writeReset,
} from './protocol.ts';
import { WireError, WireReader, WireWriter } from './wire.ts';

export interface ProcessOptions {
  /** The command, run by the shell. */
  readonly command: string;
  /** The version that the hello names; that of this package if absent. */
  readonly version?: string | undefined;
  /** How long the process may send nothing while an answer is awaited, in milliseconds; 30,000 if absent. */
  readonly timeoutMs?: number;
}

/** A request whose answer is awaited. */
interface Request {
  /** First value of the answer. */
  readonly message: number;
  /** For a batch: where answers go, how many are left, and its number. */
  readonly answers?: Answers;
  left: number;
  readonly number: number;
  resolve(): void;
  reject(error: GicTraceError): void;
}

const NAMES = Object.fromEntries(Object.entries(MESSAGES).map(([name, id]) => [id, name]));

export class ProcessBackend implements Backend {
  private readonly options: ProcessOptions;
  private readonly timeoutMs: number;
  private child: Child | undefined;
  private fault: GicTraceError | undefined;
  private hello: Hello | undefined;
  private readonly shows = new Uint8Array(256);
  private peCount = 0;
  private batches = 0;
  private readonly requests: Request[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly out = new WireWriter();
  private readonly reader = new WireReader();
  private readonly shown = new RecordBatch(1);

  constructor(options: ProcessOptions) {
    this.options = options;
    this.timeoutMs = options.timeoutMs ?? 30_000;
  }

  /** Why the process has failed; undefined while it works. */
  get failure(): GicTraceError | undefined {
    return this.fault;
  }

  async reset(config: GicConfig, compared?: readonly RecordName[]): Promise<Capabilities> {
    if (this.child === undefined) await this.start();
    this.peCount = config.pes.length;
    writeReset(this.out, config, compared);
    await this.ask(MESSAGES.reset);
    return this.hello!.capabilities;
  }

  run(stimuli: RecordBatch, answers: Answers): Promise<void> {
    invariant(stimuli.count <= BATCH_STIMULI_MAX, 'a batch has more stimuli than a message may hold');
    const number = this.batches++ >>> 0;
    writeBatch(this.out, number, stimuli);
    return this.ask(MESSAGES.batch, { answers, left: stimuli.count, number });
  }

  snapshot(slot: number): Promise<void> {
    return this.slot(MESSAGES.snapshot, slot);
  }

  restore(slot: number): Promise<void> {
    return this.slot(MESSAGES.restore, slot);
  }

  async close(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined) return;
    if (this.fault === undefined && this.requests.length === 0) {
      child.expectEnd();
      this.out.array(1);
      this.out.uint(MESSAGES.bye);
      child.send(this.out.frame());
      child.end();
      await child.exit(Math.min(this.timeoutMs, 2000));
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    child.kill();
  }

  private async start(): Promise<void> {
    this.child = new Child(this.options.command, {
      message: (bytes, from, to) => this.message(bytes, from, to),
      failed: (error) => this.failed(error),
    });
    writeHello(this.out, 'gictrace', this.options.version ?? VERSION);
    await this.ask(MESSAGES.hello);
  }

  private slot(message: number, slot: number): Promise<void> {
    this.out.array(2);
    this.out.uint(message);
    this.out.uint(slot);
    return this.ask(message, { left: 0, number: slot });
  }

  /** Sends what has been written, and waits for its answer. */
  private ask(
    message: number,
    more: { readonly answers?: Answers; readonly left: number; readonly number: number } = {
      left: 0,
      number: 0,
    },
  ): Promise<void> {
    const frame = this.out.frame();
    return new Promise((resolve, reject) => {
      if (this.fault !== undefined || this.child === undefined) {
        reject(this.fault ?? new GicTraceError('backend', 'has been closed'));
        return;
      }
      this.requests.push({ message, ...more, resolve, reject });
      if (this.requests.length === 1) this.watch();
      this.child.send(frame);
    });
  }

  // ---- time ----------------------------------------------------------------------------------------------

  private watch(): void {
    if (this.timer === undefined) this.timer = setTimeout(() => this.late(), this.timeoutMs);
    else this.timer.refresh();
  }

  private late(): void {
    const [request] = this.requests;
    if (request === undefined) return;
    this.child?.fail(
      `hangs: nothing came from it for ${this.timeoutMs / 1000} s`,
      'give --timeout if it needs longer',
    );
  }

  private failed(error: GicTraceError): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const [request] = this.requests;
    const before =
      request !== undefined && request.message < MESSAGES.batch
        ? ` (awaited was its answer to ${NAMES[request.message]})`
        : '';
    this.fault = new GicTraceError('backend', `the adapter ${error.message}${before}`, {}, error.hint);
    for (const { reject } of this.requests.splice(0)) reject(this.fault);
  }

  // ---- what comes back -----------------------------------------------------------------------------------

  private message(bytes: Buffer, from: number, to: number): void {
    const { reader } = this;
    reader.reset(bytes, from, to);
    const length = reader.array();
    const message = reader.uint();
    const [request] = this.requests;
    if (message === MESSAGES.failed)
      throw new GicTraceError('backend', `gives up: ${length === 2 ? reader.text() : 'it does not say why'}`);
    if (request === undefined) throw new WireError(`a message (${message}) that nothing asked for`);
    if (message !== request.message)
      throw new WireError(`message ${message} where the answer to ${NAMES[request.message]} should be`);
    let over = true;
    if (message === MESSAGES.batch) over = this.answers(length, request);
    else if (message === MESSAGES.hello) this.helloOf(length);
    else if (message !== MESSAGES.reset && (length !== 2 || reader.uint() !== request.number))
      throw new WireError(`another slot in the answer to ${NAMES[message]}`);
    if (!reader.done) throw new WireError('more bytes than the message has values');
    if (over) this.finish(request);
    if (this.requests.length > 0) this.watch();
  }

  private helloOf(length: number): void {
    if (length !== 2) throw new WireError('a hello without its map');
    this.hello = parseHello(this.reader.value());
    const { observables, events } = this.hello.capabilities;
    for (const name of [...observables, ...events]) this.shows[RECORDS[name].id] = 1;
  }

  /** Takes answers to a batch. True if they end it. */
  private answers(length: number, request: Request): boolean {
    const { reader, shown } = this;
    if (length !== 4) throw new WireError('answers that are not four values');
    const number = reader.uint();
    if (number !== request.number)
      throw new WireError(`answers to batch ${number} where those to ${request.number} should be`);
    const last = reader.uint();
    const items = reader.array();
    for (let n = 0; n < items; n++) {
      const values = reader.array();
      const first = reader.uint();
      if (first > RESPONSES.skipped) {
        if (this.shows[first & 0xff] !== 1 || first > 0xff)
          throw new WireError(`a record of kind ${first}, which its hello does not name`);
        shown.clear();
        readShown(reader, values, first, this.peCount, shown);
        request.answers!.shown(shown, 0);
        continue;
      }
      if (request.left === 0) throw new WireError('more responses than there are stimuli in the batch');
      request.left--;
      this.response(first, values, request.answers!);
    }
    if (last !== 0 && request.left > 0)
      throw new WireError(`the end of a batch of which ${request.left} stimuli have no response`);
    return last !== 0;
  }

  private response(first: number, values: number, answers: Answers): void {
    const { reader } = this;
    if (first === RESPONSES.skipped) {
      if (values !== 2) throw new WireError('a skipped stimulus that is not two values');
      const reason = this.hello!.reasons[reader.uint()];
      if (reason === undefined) throw new WireError('a reason that its hello does not name');
      answers.skipped(reason);
      return;
    }
    if (values !== 3) throw new WireError('a response that is not three values');
    const low = reader.uint();
    answers.answered(low, reader.uint(), first === RESPONSES.reserved);
  }

  private finish(request: Request): void {
    this.requests.shift();
    if (this.requests.length === 0) {
      clearTimeout(this.timer);
      this.timer = undefined;
    }
    request.resolve();
  }
}
