// The forms in which a repro can be written.
import { GicTraceError } from '@gictrace/core';
import type { Readable } from '../readable.ts';
import { cOf } from './c.ts';
import { jsonlOf } from './jsonl.ts';
import { qtestOf } from './qtest.ts';
import type { ProgramRepro, Repro } from './repro.ts';
import { vitestOf } from './vitest.ts';
import { yamlOf } from './yaml.ts';

interface Emitter {
  readonly extension: string;
  /** Whether it is a program that reads registers, which there is for no GICv5. */
  readonly isProgram: boolean;
  /** @throws GicTraceError `usage` if the repro cannot be written in this form. */
  readonly text: (repro: Repro) => string | Promise<string>;
}

const OTHERS = 'give --emit vitest or jsonl';

const noProgramOfGicv5 = () =>
  new GicTraceError('usage', 'a repro of a GICv5 cannot be written as a program', {}, OTHERS);

/** Checks, before a trace of a GICv5 is reduced, the forms in which it shall be written. @throws GicTraceError `usage`. */
export function checkGicv5Forms(formats: readonly EmitFormat[]): void {
  if (formats.some((format) => EMITTERS[format].isProgram)) throw noProgramOfGicv5();
}

/** Writes a repro as a program, by a read that shows it. @throws GicTraceError `usage` if there is none, or for a GICv5. */
async function asProgram(
  repro: Repro,
  write: (repro: ProgramRepro, readable: Readable) => string,
): Promise<string> {
  const { minimized } = repro;
  if (!('readable' in minimized)) throw noProgramOfGicv5();
  const readable = await minimized.readable();
  if (readable !== null) return write({ ...repro, minimized }, readable);
  throw new GicTraceError(
    'usage',
    'no read of a register shows this difference, so that a program cannot check it',
    {},
    OTHERS,
  );
}

export const EMITTERS = {
  vitest: { extension: '.test.ts', isProgram: false, text: vitestOf },
  qtest: { extension: '.qtest.py', isProgram: true, text: (repro) => asProgram(repro, qtestOf) },
  c: { extension: '.c', isProgram: true, text: (repro) => asProgram(repro, cOf) },
  jsonl: { extension: '.jsonl', isProgram: false, text: jsonlOf },
  yaml: { extension: '.yaml', isProgram: false, text: yamlOf },
} as const satisfies Record<string, Emitter>;
export type EmitFormat = keyof typeof EMITTERS;
