// Why an interrupt arrived or did not: questions about a trace, and answers with the records that decided.
export { questionOfText } from './ask.ts';
export { answerGraph, GRAPH_FORMATS, type GraphFormat } from './graph.ts';
export type { Answer, Counterfactual, Finding, Named, Outcome, Question, Step } from './question.ts';
export { answerLines } from './text.ts';
export { type AskedTrace, askedTrace, why } from './why.ts';
