// Why an interrupt arrived or did not: the question goes to whoever knows the GIC of the trace.
import { checkIntidOf, type GicConfig, type Gicv5Config } from '@gictrace/core';
import { type AnyTraceReader, sourceFacts } from '@gictrace/recorder';
import { whyGicv3 } from './answer.ts';
import type { ReadableTrace } from './counterfactual.ts';
import { whyGicv5 } from './gicv5/explanation.ts';
import type { Answer, Question } from './question.ts';

/** A trace that can be asked. */
export interface AskedTrace extends ReadableTrace<GicConfig | Gicv5Config> {
  readonly records: number;
  /** Whether the source begins with the reset of the GIC; true if absent. */
  readonly fromReset?: boolean;
}

/** The trace of a reader, which stays open while it is asked. */
export function askedTrace(reader: AnyTraceReader): AskedTrace {
  const { header, records } = reader;
  const { fromReset } = sourceFacts(header);
  return { config: header.config, records, fromReset, batches: (from) => reader.batches(from) };
}

/**
 * Answers a question about a trace. `progress` is called with the number of records that have been read.
 * @throws GicTraceError `usage` for a question that the GIC of the trace cannot be asked.
 */
export function why(trace: AskedTrace, question: Question, progress?: (records: number) => void): Answer {
  const { config, records, fromReset = true } = trace;
  if (question.intid !== undefined) checkIntidOf(config.architecture, question.intid);
  const batches = (from?: number) => trace.batches(from);
  return config.architecture === 5
    ? whyGicv5({ config, records, fromReset, batches }, question, progress)
    : whyGicv3({ config, records, batches }, question, progress);
}
