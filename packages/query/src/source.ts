// What can be loaded: the shape of a trace as this package sees it. Knows no file format.
import type { GicConfig, RecordBatch } from '@gictrace/core';

/** A trace to load. `batches` is read once; a batch may be reused by its owner after the next is asked for. */
export interface LoadSource {
  readonly name: string;
  /** `config` is needed; the rest is kept as JSON in the view `traces`. */
  readonly header: { readonly config: GicConfig };
  readonly batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>;
  /** By name, as the recorder computed them. */
  readonly digests?: Readonly<Record<string, string>>;
  /**
   * Set where records of class `event` do not come from the trace but were interleaved by replaying it on the
   * simulator under this profile. They then share the number of the record that they follow, so that stimuli and
   * observables keep the numbers they have in the trace, and are told apart by `seq`, from 1.
   */
  readonly simulatedEvents?: { readonly profile: string };
}
