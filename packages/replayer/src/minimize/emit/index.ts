// The forms in which a repro can be written.
import { GicTraceError } from '@gictrace/core';
import type { Readable } from '../readable.ts';
import { cOf } from './c.ts';
import { jsonlOf } from './jsonl.ts';
import { qtestOf } from './qtest.ts';
import type { Repro } from './repro.ts';
import { vitestOf } from './vitest.ts';

interface Emitter {
  readonly extension: string;
  /** @throws GicTraceError `usage` if the repro cannot be written in this form. */
  readonly text: (repro: Repro) => string | Promise<string>;
}

/** The repro with a read that shows it. @throws GicTraceError `usage` if there is none. */
async function readableIn({ minimized }: Repro): Promise<Readable> {
  const readable = await minimized.readable();
  if (readable !== null) return readable;
  throw new GicTraceError(
    'usage',
    'no read of a register shows this difference, so that a program cannot check it',
    {},
    'give --emit vitest or jsonl',
  );
}

export const EMITTERS = {
  vitest: { extension: '.test.ts', text: vitestOf },
  qtest: { extension: '.qtest.py', text: async (repro) => qtestOf(repro, await readableIn(repro)) },
  c: { extension: '.c', text: async (repro) => cOf(repro, await readableIn(repro)) },
  jsonl: { extension: '.jsonl', text: jsonlOf },
} as const satisfies Record<string, Emitter>;
export type EmitFormat = keyof typeof EMITTERS;
