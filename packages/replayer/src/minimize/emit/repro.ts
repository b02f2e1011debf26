// What all forms of a repro share: its records as text, and how what it shows is said.
import { recordText } from '@gictrace/core/disasm';
import { isStimulus, RecordBatch } from '@gictrace/core/record';
import type { Gicv5Minimized } from '../gicv5.ts';
import type { Minimized } from '../minimize.ts';

/** A minimized trace, and how it was kept. */
export interface Repro {
  readonly minimized: Minimized | Gicv5Minimized;
  /** The base name of the trace that was minimized. */
  readonly of: string;
  /** What is kept, in words: `diverges on simulator@qemu-11.1`. */
  readonly kept: string;
  /** The command line that made it. */
  readonly command: string;
  /** How to show it again. */
  readonly check: Check;
}

/** A repro that can be a program: not one of a GICv5. */
export interface ProgramRepro extends Repro {
  readonly minimized: Minimized;
}

export type Check =
  | { readonly what: 'divergence'; readonly on: string; readonly profile?: string; readonly plant?: string }
  | { readonly what: 'finding'; readonly rule: string }
  | { readonly what: 'sql'; readonly sql: string }
  | { readonly what: 'command'; readonly command: string; readonly code: number };

/** The records of a repro as lines of text, without times; effects are indented. */
export function linesOf(recording: readonly RecordBatch[]): string[] {
  const one = new RecordBatch(1);
  return recording.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, i) => {
      one.clear();
      one.copy(batch, i);
      const text = recordText(one, 0).replace(/^\S+ /, '');
      return isStimulus(one.kind[0]!) ? text : `    ${text}`;
    }),
  );
}

/** What the repro shows, in lines. */
export function outcomeOf({ minimized: { divergence }, kept }: Pick<Repro, 'kept'> & Diverging): string[] {
  if (divergence === null) return [`It ${kept}.`];
  return [
    `It ${kept}:`,
    `  the reference: ${withoutTime(divergence.recorded)}`,
    `  the other:     ${withoutTime(divergence.replayed)}`,
  ];
}

/** What differs, if it is a divergence that is kept. */
interface Diverging {
  readonly minimized: { readonly divergence: Repro['minimized']['divergence'] };
}

export const withoutTime = (text: string): string => text.replace(/^[+-](\?|[\d.]+s) /, '');

/** The comment at the beginning of a repro. */
export function commentOf(repro: Repro): string[] {
  const { of, command, minimized } = repro;
  return [
    `Minimized from ${of} (${minimized.stimuli.length} of ${minimized.of} stimuli) by:`,
    `  ${command}`,
    ...outcomeOf(repro),
  ];
}
