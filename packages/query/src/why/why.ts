// Why an interrupt arrived or did not: the question goes to whoever knows the GIC of the trace.
import { checkIntidOf, type GicConfig, type Gicv5Config } from '@gictrace/core';
import { whyGicv3 } from './answer.ts';
import type { ReadableTrace } from './counterfactual.ts';
import { whyGicv5 } from './gicv5/explanation.ts';
import type { Answer, Question } from './question.ts';

/** A trace that can be asked. */
export interface AskedTrace extends ReadableTrace<GicConfig | Gicv5Config> {
  readonly records: number;
}

/**
 * Answers a question about a trace. `progress` is called with the number of records that have been read.
 * @throws GicTraceError `usage` for a question that the GIC of the trace cannot be asked.
 */
export function why(trace: AskedTrace, question: Question, progress?: (records: number) => void): Answer {
  const { config, records } = trace;
  if (question.intid !== undefined) checkIntidOf(config.architecture, question.intid);
  const batches = (from?: number) => trace.batches(from);
  return config.architecture === 5
    ? whyGicv5({ config, records, batches }, question, progress)
    : whyGicv3({ config, records, batches }, question, progress);
}
