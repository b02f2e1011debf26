// The forms in which a repro can be written.
import { GicTraceError } from '@gictrace/core';
import type { Readable } from '../readable.ts';
import { cOf } from './c.ts';
import { jsonlOf } from './jsonl.ts';
import { qtestOf } from './qtest.ts';
import type { ProgramRepro, Repro } from './repro.ts';
import { vitestOf } from './vitest.ts';

interface Emitter {
  readonly extension: string;
  /** @throws GicTraceError `usage` if the repro cannot be written in this form. */
  readonly text: (repro: Repro) => string | Promise<string>;
}

/** Writes a repro as a program, by a read that shows it. @throws GicTraceError `usage` if there is none, or for a GICv5. */
async function asProgram(
  repro: Repro,
  write: (repro: ProgramRepro, readable: Readable) => string,
): Promise<string> {
  const { minimized } = repro;
  if (!('readable' in minimized))
    throw new GicTraceError(
      'usage',
      'a repro of a GICv5 cannot be written as a program',
      {},
      'give --emit vitest or jsonl',
    );
  const readable = await minimized.readable();
  if (readable !== null) return write({ ...repro, minimized }, readable);
  throw new GicTraceError(
    'usage',
    'no read of a register shows this difference, so that a program cannot check it',
    {},
    'give --emit vitest or jsonl',
  );
}

export const EMITTERS = {
  vitest: { extension: '.test.ts', text: vitestOf },
  qtest: { extension: '.qtest.py', text: (repro) => asProgram(repro, qtestOf) },
  c: { extension: '.c', text: (repro) => asProgram(repro, cOf) },
  jsonl: { extension: '.jsonl', text: jsonlOf },
} as const satisfies Record<string, Emitter>;
export type EmitFormat = keyof typeof EMITTERS;
