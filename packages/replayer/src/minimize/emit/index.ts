// The forms in which a repro can be written.
import { jsonlOf } from './jsonl.ts';
import type { Repro } from './repro.ts';
import { vitestOf } from './vitest.ts';

interface Emitter {
  readonly extension: string;
  /** @throws GicTraceError `usage` if the repro cannot be written in this form. */
  readonly text: (repro: Repro) => string;
}

export const EMITTERS = {
  vitest: { extension: '.test.ts', text: vitestOf },
  jsonl: { extension: '.jsonl', text: jsonlOf },
} as const satisfies Record<string, Emitter>;
export type EmitFormat = keyof typeof EMITTERS;
