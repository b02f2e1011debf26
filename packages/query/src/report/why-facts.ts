// Answers to questions about interrupts, for the page.
import type { AnyTraceReader } from '@gictrace/recorder';
import { type Answer, answerLines, askedTrace, type Question, why } from '../why/index.ts';
import type { WhyFacts } from './facts.ts';

/** Answers a question about a trace. */
export function whyFacts(reader: AnyTraceReader, question: Question): WhyFacts {
  return factsOf(why(askedTrace(reader), question));
}

function factsOf(answer: Answer): WhyFacts {
  const { subject, headline, finding, way } = answer;
  return {
    subject,
    headline,
    lines: answerLines(answer, true)
      .slice(1)
      .map((line) => line.trimStart()),
    way: way.map(({ stage, state, at, text }) => ({ stage, state, record: at?.record ?? null, text })),
    cause:
      finding === null || finding.cause === null
        ? null
        : { record: finding.cause.record, text: finding.cause.text, why: finding.why },
  };
}

/** The records that an answer names. */
export function recordsOf({ way, cause }: WhyFacts): number[] {
  return [...way.map(({ record }) => record), cause?.record ?? null].filter((record) => record !== null);
}
