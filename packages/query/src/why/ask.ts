// A question from a short text, as a person names an interrupt: `27`, `0x2001`, `PPI 27`, `device 0x10 event 3`, `vINTID 27 vPE 1`.
import { GicTraceError } from '@gictrace/core';
import { intidNamed } from '@gictrace/core/spec';
import type { Question } from './question.ts';

const NUMBER = String.raw`(0x[\da-f]+|\d+)`;
const FORMS: readonly (readonly [RegExp, (a: number, b: number | undefined) => Question])[] = [
  [
    new RegExp(`^device ${NUMBER}(?: event ${NUMBER})?$`, 'i'),
    (device, event) => ({ device, ...(event === undefined ? {} : { event }) }),
  ],
  [
    new RegExp(`^vINTID ${NUMBER}(?: vPE ${NUMBER})?$`, 'i'),
    (vintid, vpe) => ({ vintid, ...(vpe === undefined ? {} : { vpe }) }),
  ],
];

/** @throws GicTraceError `usage` for a text of another form. */
export function questionOfText(text: string): Question {
  const intid = intidNamed(text);
  if (intid !== undefined) return { intid };
  for (const [form, make] of FORMS) {
    const found = form.exec(text.trim().replace(/\s+/g, ' '));
    if (found !== null) return make(Number(found[1]), found[2] === undefined ? undefined : Number(found[2]));
  }
  throw new GicTraceError(
    'usage',
    `'${text}' names no interrupt`,
    {},
    "an INTID, 'PPI 27' of a GICv5, 'device 0x10', 'device 0x10 event 3', 'vINTID 27' or 'vINTID 27 vPE 1'",
  );
}
