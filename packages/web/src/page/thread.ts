// A worker with its questions as promises.
import type { FromWorker, Modules, Name, Questions, ToWorker } from '../worker/protocol.ts';

/** What a worker could not do, as it is reported to the user. */
export class Refusal extends Error {
  readonly isBug: boolean;

  constructor(text: string, isBug: boolean) {
    super(text);
    this.isBug = isBug;
  }
}

type Progress = (done: number, unit: string) => void;

interface Waiting {
  readonly resolve: (output: never) => void;
  readonly reject: (error: Error) => void;
  readonly progress: Progress;
}

export class Thread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  /** Starts a worker whose code is at `url`. */
  constructor(url: string, modules: Modules) {
    this.worker = new Worker(url);
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.heard(data);
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Refusal(event.message, true));
      this.waiting.clear();
    };
    this.tell({ modules });
  }

  /** Asks the worker. @throws Refusal if it cannot answer. */
  ask<N extends Name>(
    name: N,
    input: Questions[N]['in'],
    progress: Progress = () => undefined,
  ): Promise<Questions[N]['out']> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      this.tell({ id, name, input });
    });
  }

  /** Ends the worker at once. */
  stop(): void {
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(new Refusal('stopped', false));
    this.waiting.clear();
  }

  private tell(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private heard(message: FromWorker): void {
    const one = this.waiting.get(message.id);
    if (one === undefined) return;
    if ('progress' in message) {
      one.progress(message.progress.done, message.progress.unit);
      return;
    }
    this.waiting.delete(message.id);
    if ('output' in message) one.resolve(message.output as never);
    else one.reject(new Refusal(message.failure.text, message.failure.isBug));
  }
}
