// What the parts of a learner share.
import type { Losses } from '../losses.ts';
import type { Effects } from './effects.ts';
import type { Explainer } from './explain.ts';
import type { Knowing } from './knowing.ts';
import type { Machines } from './machines.ts';
import type { Place, SourceFacts } from './source-facts.ts';
import type { Unknowns } from './unknowns.ts';

export interface Shared {
  readonly facts: SourceFacts;
  readonly losses: Losses;
  readonly place: Place;
  readonly machines: Machines;
  readonly unknowns: Unknowns;
  readonly knowing: Knowing;
  readonly explainer: Explainer;
  readonly effects: Effects;
  /** Lines of the source that differ from the model in a way that no unknown state explains. */
  readonly contradictions: number[];
}
