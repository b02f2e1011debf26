// What the page and a worker say to each other. Types only.
import type { WhyQuestion } from '@gictrace/query';
import type { Catalogue, ImportForm, Opened, Session, Table } from './session.ts';

/** What the worker is asked, and its answers. */
export interface Questions {
  readonly open: { readonly in: { readonly file: File; readonly form: ImportForm }; readonly out: Opened };
  readonly report: { readonly in: null; readonly out: Blob };
  readonly why: {
    readonly in: WhyQuestion;
    readonly out: ReturnType<Session['why']>;
  };
  readonly catalogue: { readonly in: null; readonly out: Catalogue };
  readonly sql: { readonly in: string; readonly out: Table };
  readonly file: { readonly in: null; readonly out: Blob | null };
}
export type Name = keyof Questions;

/** The WebAssembly modules, which the page hands to a new worker. */
export interface Modules {
  readonly brotli: Uint8Array<ArrayBuffer>;
  readonly sqlite: Uint8Array<ArrayBuffer>;
}

export type ToWorker =
  | { readonly modules: Modules }
  | { readonly id: number; readonly name: Name; readonly input: unknown };

export interface Failure {
  readonly text: string;
  readonly hint: string | null;
  /** Whether it is a fault of gictrace. */
  readonly isBug: boolean;
}

export type FromWorker =
  | { readonly id: number; readonly progress: { readonly done: number; readonly unit: string } }
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly failure: Failure };
