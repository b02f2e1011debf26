// The shape of a profile: its hardware, and where it deviates from the architecture's choices. The model reads choices;
// it never asks which implementation it simulates.
import { CHOICES, type ChoiceName, type Choices } from './choices.ts';
import type { Hardware } from './hardware.ts';

/** One choice in which an implementation differs from the architecture. */
export interface Deviation {
  readonly choice: ChoiceName;
  readonly value: unknown;
  /** The evidence for it: an observation, public documentation, or public source. */
  readonly evidence: string;
}

export interface Profile extends Choices {
  readonly name: string;
  readonly doc: string;
  readonly hardware: Hardware;
  readonly deviations: readonly Deviation[];
}

type Deviations = { readonly [K in ChoiceName]?: { readonly value: Choices[K]; readonly evidence: string } };

/** Makes a profile from the architecture's choices and the deviations from them. */
export function profile(name: string, doc: string, hardware: Hardware, deviations: Deviations): Profile {
  const choices: Record<string, unknown> = {};
  for (const [choice, { architecture }] of Object.entries(CHOICES)) choices[choice] = architecture;
  const list: Deviation[] = [];
  for (const [choice, { value, evidence }] of Object.entries(deviations)) {
    choices[choice] = value;
    list.push({ choice: choice as ChoiceName, value, evidence });
  }
  return { ...(choices as unknown as Choices), name, doc, hardware, deviations: list };
}
